import { inflateRawSync } from "node:zlib";

/** Reads `length` bytes at `position` of a file; fewer only at its end. */
export type ReadAt = (position: number, length: number) => Promise<Buffer>;

export interface ZipEntry {
  /** As in the archive, with `/` between its parts whatever the writer used, and none in front. */
  readonly name: string;
  readonly method: number;
  readonly packedBytes: number;
  /** Of the entry's local header in the file. */
  readonly position: number;
}

/** The end record of an archive is 22 bytes and a comment of at most 65,535. */
const zipTailBytes = 22 + 0xffff;
/** An office document has some hundred entries; a directory of this size is no such thing. */
const maxDirectoryBytes = 4 * 1024 ** 2;
/** How many end records are tried: one may stand in the comment, or in an archive that is stored in this one. */
const maxEndRecords = 8;

/**
 * The entries of a ZIP archive, from its central directory: what programs that open the file go by, whatever lies in front
 * of the archive or behind it. Undefined when there is no readable directory, or one too large for a document.
 * @see APPNOTE 6.3.10, 4.3.12 to 4.3.16.
 */
export async function zipEntries(readAt: ReadAt, sizeBytes: number): Promise<ZipEntry[] | undefined> {
  const tailAt = Math.max(0, sizeBytes - zipTailBytes);
  const tail = await readAt(tailAt, sizeBytes - tailAt);
  let tried = 0;
  for (let at = tail.lastIndexOf("PK\x05\x06"); at >= 0 && tried < maxEndRecords; tried++) {
    if (at + 22 <= tail.byteLength) {
      const entries = await entriesBefore(readAt, tailAt + at, tail.subarray(at));
      if (entries !== undefined) return entries;
    }
    at = at === 0 ? -1 : tail.lastIndexOf("PK\x05\x06", at - 1);
  }
  return undefined;
}

/** The entries that the end record at `endAt` tells of; undefined where it tells of none. */
async function entriesBefore(readAt: ReadAt, endAt: number, end: Buffer): Promise<ZipEntry[] | undefined> {
  const plain = { bytes: end.readUInt32LE(12), at: end.readUInt32LE(16), endAt };
  const { bytes, at, endAt: directoryEnd } = (await largeEnd(readAt, endAt)) ?? plain;
  if (bytes < 46 || bytes > maxDirectoryBytes || at + bytes > directoryEnd) return undefined;
  // Positions count from the archive's own beginning, which is not the file's where something stands in front of it.
  for (const shift of new Set([directoryEnd - bytes - at, 0])) {
    const entries = parseDirectory(await readAt(at + shift, bytes), shift);
    if (entries.length > 0) return entries;
  }
  return undefined;
}

/** The end record of ZIP64, which small archives may have too: named by a locator right in front of the plain one. */
async function largeEnd(readAt: ReadAt, endAt: number) {
  if (endAt < 76) return undefined;
  const locator = await readAt(endAt - 20, 20);
  if (locator.byteLength < 20 || locator.toString("latin1", 0, 4) !== "PK\x06\x07") return undefined;
  for (const recordAt of [endAt - 76, Number(locator.readBigUInt64LE(8))]) {
    const record = await readAt(recordAt, 56);
    if (record.byteLength < 56 || record.toString("latin1", 0, 4) !== "PK\x06\x06") continue;
    return {
      bytes: Number(record.readBigUInt64LE(40)),
      at: Number(record.readBigUInt64LE(48)),
      endAt: recordAt,
    };
  }
  return undefined;
}

/** The entries up to the first thing that is none. */
function parseDirectory(directory: Buffer, shift: number): ZipEntry[] {
  const entries: ZipEntry[] = [];
  for (let at = 0; at + 46 <= directory.byteLength && directory.readUInt32LE(at) === 0x02014b50;) {
    const nameEnd = at + 46 + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    const large = largeFields(directory.subarray(nameEnd, extraEnd), {
      size: directory.readUInt32LE(at + 24),
      packed: directory.readUInt32LE(at + 20),
      position: directory.readUInt32LE(at + 42),
    });
    entries.push({
      name: directory
        .toString("utf8", at + 46, nameEnd)
        .replaceAll("\\", "/")
        .replace(/^(?:\.?\/)+/, ""),
      method: directory.readUInt16LE(at + 10),
      packedBytes: large.packed,
      position: large.position + shift,
    });
    at = extraEnd + directory.readUInt16LE(at + 32);
  }
  return entries;
}

interface Sizes {
  readonly size: number;
  readonly packed: number;
  readonly position: number;
}

/** Those that do not fit stand in the extra field 1, in this order and only where the plain one is full (4.5.3). */
function largeFields(extra: Buffer, plain: Sizes): Sizes {
  const sizes = { ...plain };
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1) {
      let from = at + 4;
      for (const field of ["size", "packed", "position"] as const) {
        if (plain[field] !== 0xffffffff || from + 8 > Math.min(end, extra.byteLength)) continue;
        sizes[field] = Number(extra.readBigUInt64LE(from));
        from += 8;
      }
    }
    at = end;
  }
  return sizes;
}

/** What an entry holds; undefined where it cannot be read, or has more than `maxBytes`. */
export async function zipEntryBytes(
  readAt: ReadAt,
  { method, packedBytes, position }: ZipEntry,
  maxBytes: number,
): Promise<Buffer | undefined> {
  if (packedBytes > maxBytes || (method !== 0 && method !== 8)) return undefined;
  const head = await readAt(position, 30);
  if (head.byteLength < 30 || head.toString("latin1", 0, 4) !== "PK\x03\x04") return undefined;
  const packed = await readAt(position + 30 + head.readUInt16LE(26) + head.readUInt16LE(28), packedBytes);
  if (packed.byteLength < packedBytes) return undefined;
  if (method === 0) return packed;
  try {
    return inflateRawSync(packed, { maxOutputLength: maxBytes });
  } catch {
    return undefined; // Damaged, or too large.
  }
}
