import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, rm, type FileHandle } from "node:fs/promises";
import type { OwnedVersion } from "../traces.ts";
import { descriptorBytes, localHeaderBytes } from "./zip.ts";

/*
 * An export that was interrupted stays as a half zip file, whose first entries are the person's files. Each of those has a field of its
 * own in front of its bytes, by which a later run knows them again:
 *
 * | bytes | what                                                                            |
 * |-------|---------------------------------------------------------------------------------|
 * | 2     | `mw`                                                                            |
 * | 2     | how many bytes follow                                                           |
 * | 16    | SHA-256 of the version's bucket, key, id and ETag, cut                          |
 * | 8     | its size                                                                        |
 * | 32    | SHA-256 of its bytes; zeros until all of them are written                       |
 */

/** What is kept of one file. */
export interface KeptFile {
  /** Compared with the SHA-256 that was noted; else only its beginning is there, which nothing was compared with yet. */
  readonly isWhole: boolean;
  readonly bytes: number;
  read(): AsyncIterable<Uint8Array>;
  /** To be called where it turns out to be wrong: no later run goes by it. */
  forget(): Promise<void>;
}

/** What interrupted exports have left of files. */
export interface KeptFiles {
  /** Bytes that need not be fetched again. */
  readonly bytes: number;
  of(version: OwnedVersion): KeptFile | undefined;
  /** To be called once this export is written. */
  remove(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Looks through half files for what they have of these versions, takes the one that has most, and removes the others. One that another
 * user of the machine wrote, or may write, is left alone, as are what is no file, and other people's.
 */
export async function openKeptFiles(
  paths: readonly string[],
  { versions, owner }: { readonly versions: readonly OwnedVersion[]; readonly owner: number },
): Promise<KeptFiles> {
  const wanted = new Map(versions.map((version) => [markOf(version).toString("hex"), version]));
  const found: HalfFile[] = [];
  for (const path of paths) {
    const half = await readHalfFile(path, { wanted, owner });
    if (half !== undefined) found.push(half);
  }
  const [best, ...others] = found
    .filter(({ isOthers }) => !isOthers)
    .toSorted((one, other) => other.bytes - one.bytes);
  for (const half of found) if (half !== best) await half.handle.close();
  // Each of them begins like the best one: the runs went in the same order.
  for (const { path } of others) await rm(path, { force: true });
  return {
    bytes: best?.bytes ?? 0,
    of: (version) => best?.files.get(markOf(version).toString("hex")),
    async remove() {
      if (best !== undefined) await rm(best.path, { force: true });
    },
    close: async () => best?.handle.close(),
  };
}

/** The field in front of a file's bytes, and where in it the hash comes. */
export function keptField(version: OwnedVersion): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(version.bytes));
  const length = Buffer.alloc(2);
  length.writeUInt16LE(fieldBytes - 4);
  return Buffer.concat([fieldName, length, markOf(version), size, Buffer.alloc(hashBytes)]);
}

/** Where an entry that begins at `start` has the hash of its bytes. */
export function hashPosition(start: number, name: string): number {
  return start + localHeaderBytes + Buffer.byteLength(name) + fieldBytes - hashBytes;
}

const fieldName = Buffer.from("mw");
const markBytes = 16;
const hashBytes = 32;
const fieldBytes = 4 + markBytes + 8 + hashBytes;

/** The same only for the same bytes. */
function markOf({ bucket, key, version, etag, bytes }: OwnedVersion): Buffer {
  const text = JSON.stringify([bucket, key, version, etag, bytes]);
  return createHash("sha256").update(text).digest().subarray(0, markBytes);
}

interface HalfFile {
  readonly path: string;
  readonly handle: FileHandle;
  /** By their marks. */
  readonly files: ReadonlyMap<string, KeptFile>;
  readonly bytes: number;
  /** It has files, and none of these people's. */
  readonly isOthers: boolean;
}

async function readHalfFile(
  path: string,
  { wanted, owner }: { readonly wanted: ReadonlyMap<string, OwnedVersion>; readonly owner: number },
): Promise<HalfFile | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  if (handle === undefined) return undefined;
  const stats = await handle.stat();
  // Who may write it could make any bytes out as the person's.
  if (!stats.isFile() || stats.uid !== owner || (stats.mode & 0o022) !== 0) {
    await handle.close();
    return undefined;
  }
  const files = new Map<string, KeptFile>();
  let [own, others] = [0, 0];
  for (let start = 0; ;) {
    const entry = await entryAt(handle, start);
    if (entry === undefined) break;
    const { first, size, mark, sha256 } = entry;
    const end = first + size + descriptorBytes(size);
    const isWhole = end <= stats.size && !sha256.equals(Buffer.alloc(hashBytes));
    const bytes = isWhole ? size : Math.max(0, stats.size - first);
    const read = () => readPiece(handle, first, bytes);
    if (wanted.get(mark)?.bytes === size) {
      own += 1;
      const isRight = isWhole ? sha256.equals(await sha256Of(read())) : bytes > 0 && bytes < size;
      if (isRight) files.set(mark, { isWhole, bytes, read, forget: () => rm(path, { force: true }) });
    } else others += 1;
    if (end > stats.size) break;
    start = end;
  }
  const bytes = [...files.values()].reduce((sum, each) => sum + each.bytes, 0);
  return { path, handle, files, bytes, isOthers: others > 0 && own === 0 };
}

/** What stands in front of the bytes of a person's file; undefined for anything else. */
async function entryAt(handle: FileHandle, start: number) {
  const header = await readBytes(handle, start, localHeaderBytes);
  if (header?.readUInt32LE(0) !== 0x0403_4b50 || header.readUInt16LE(28) !== fieldBytes) return undefined;
  const fieldStart = start + localHeaderBytes + header.readUInt16LE(26);
  const field = await readBytes(handle, fieldStart, fieldBytes);
  if (field === undefined || !field.subarray(0, fieldName.length).equals(fieldName)) return undefined;
  return {
    first: fieldStart + fieldBytes,
    mark: field.subarray(4, 4 + markBytes).toString("hex"),
    size: Number(field.readBigUInt64LE(4 + markBytes)),
    sha256: field.subarray(fieldBytes - hashBytes),
  };
}

async function readBytes(handle: FileHandle, start: number, length: number): Promise<Buffer | undefined> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await handle.read(bytes, 0, length, start);
  return bytesRead === length ? bytes : undefined;
}

async function* readPiece(handle: FileHandle, start: number, length: number): AsyncGenerator<Buffer, void> {
  for (let at = start; at < start + length;) {
    const bytes = Buffer.allocUnsafe(Math.min(pieceBytes, start + length - at));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, at);
    if (bytesRead === 0) return;
    yield bytes.subarray(0, bytesRead);
    at += bytesRead;
  }
}

const pieceBytes = 1024 ** 2;

async function sha256Of(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const hash = createHash("sha256");
  for await (const piece of bytes) hash.update(piece);
  return hash.digest();
}
