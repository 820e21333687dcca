import { crc32 } from "node:zlib";

/** One file of a zip file. */
export interface ZipEntry {
  /** With `/` between folders. */
  readonly name: string;
  readonly modifiedAt: Date;
  /** A field of its own in front of the bytes, for whoever reads the file from its beginning. */
  readonly extra?: Uint8Array | undefined;
  /** The CRC32 of all the bytes once they are read, where somebody sums it up anyway. */
  readonly crc32?: (() => number) | undefined;
}

/** A zip file in the making. Its pieces are to be written one behind the other, each generator read to its end. */
export interface ZipWriter {
  /** Bytes given so far. */
  readonly sizeBytes: number;
  entry(entry: ZipEntry, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void>;
  /** The directory, behind the last entry. */
  end(): Generator<Uint8Array, void>;
}

/**
 * Files into a zip file as they are, with nothing compressed and nothing kept in memory but their names (PKWARE's APPNOTE 6.3.10). Sizes and
 * sums stand behind the bytes and in the directory; sizes of 4 GiB and more, and 65,535 files and more, as ZIP64.
 */
export function zipWriter(): ZipWriter {
  const directory: Buffer[] = [];
  let sizeBytes = 0;
  const counted = (piece: Uint8Array): Uint8Array => {
    sizeBytes += piece.byteLength;
    return piece;
  };
  return {
    get sizeBytes() {
      return sizeBytes;
    },
    async *entry(entry, bytes) {
      const offset = sizeBytes;
      yield counted(localHeader(entry));
      let size = 0;
      let sum = 0;
      for await (const piece of bytes) {
        if (entry.crc32 === undefined) sum = crc32(piece, sum);
        size += piece.byteLength;
        yield counted(piece);
      }
      const crc = entry.crc32?.() ?? sum;
      yield counted(descriptor(crc, size));
      directory.push(directoryRecord(entry, { crc, size, offset }));
    },
    *end() {
      const offset = sizeBytes;
      for (const record of directory) yield counted(record);
      yield counted(endOfDirectory({ count: directory.length, offset, size: sizeBytes - offset }));
    },
  };
}

/** Bytes in front of an entry's name, and in front of its own bytes where it has neither name nor extra field. */
export const localHeaderBytes = 30;

/** What stands behind an entry's bytes. */
export function descriptorBytes(size: number): number {
  return size >= most32 ? 24 : 16;
}

const most32 = 0xffff_ffff;
const most16 = 0xffff;
/** Version 4.5, for ZIP64; made by a Unix, whose file modes count. */
const version = 45;
const unix = 3 << 8;
/** Names are UTF-8; sum and sizes come behind the bytes. */
const flags = 0x0808;
/** A regular file that its owner alone can read. */
const ownerOnly = 0o100600 * 0x1_0000;

function localHeader({ name, modifiedAt, extra = new Uint8Array() }: ZipEntry): Buffer {
  const nameBytes = Buffer.from(name);
  return Buffer.concat([
    fields([u32, 0x0403_4b50], [u16, version], [u16, flags], [u16, 0], [u32, dosTime(modifiedAt)]),
    // Sum and sizes.
    Buffer.alloc(12),
    fields([u16, nameBytes.length], [u16, extra.length]),
    nameBytes,
    extra,
  ]);
}

function descriptor(crc: number, size: number): Buffer {
  const sized = size >= most32 ? u64 : u32;
  return fields([u32, 0x0807_4b50], [u32, crc], [sized, size], [sized, size]);
}

function directoryRecord(
  { name, modifiedAt }: ZipEntry,
  { crc, size, offset }: { readonly crc: number; readonly size: number; readonly offset: number },
): Buffer {
  const nameBytes = Buffer.from(name);
  const large: Field[] = [
    ...(size >= most32 ? [[u64, size] as const, [u64, size] as const] : []),
    ...(offset >= most32 ? [[u64, offset] as const] : []),
  ];
  const extra = large.length === 0 ? Buffer.alloc(0) : fields([u16, 1], [u16, large.length * 8], ...large);
  return Buffer.concat([
    fields([u32, 0x0201_4b50], [u16, unix | version], [u16, version], [u16, flags], [u16, 0]),
    fields(
      [u32, dosTime(modifiedAt)],
      [u32, crc],
      [u32, Math.min(size, most32)],
      [u32, Math.min(size, most32)],
    ),
    fields([u16, nameBytes.length], [u16, extra.length]),
    // Comment, disk, and whether it is text.
    Buffer.alloc(6),
    fields([u32, ownerOnly], [u32, Math.min(offset, most32)]),
    nameBytes,
    extra,
  ]);
}

function endOfDirectory({ count, offset, size }: { count: number; offset: number; size: number }): Buffer {
  const isLarge = count >= most16 || offset >= most32 || size >= most32;
  const [shownCount, shownSize, shownOffset] = [
    Math.min(count, most16),
    Math.min(size, most32),
    Math.min(offset, most32),
  ];
  return Buffer.concat([
    ...(isLarge
      ? [
          fields([u32, 0x0606_4b50], [u64, 44], [u16, unix | version], [u16, version], [u32, 0], [u32, 0]),
          fields([u64, count], [u64, count], [u64, size], [u64, offset]),
          fields([u32, 0x0706_4b50], [u32, 0], [u64, offset + size], [u32, 1]),
        ]
      : []),
    fields([u32, 0x0605_4b50], [u16, 0], [u16, 0], [u16, shownCount], [u16, shownCount]),
    fields([u32, shownSize], [u32, shownOffset], [u16, 0]),
  ]);
}

/** By the clock on the wall, as zip files have it: in steps of two seconds, from 1980 on. */
function dosTime(at: Date): number {
  const year = Math.max(at.getFullYear() - 1980, 0);
  const date = (year << 9) | ((at.getMonth() + 1) << 5) | at.getDate();
  return date * 0x1_0000 + ((at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1));
}

type Width = (value: number) => Buffer;
type Field = readonly [Width, number];

function fields(...all: readonly Field[]): Buffer {
  return Buffer.concat(all.map(([width, value]) => width(value)));
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
