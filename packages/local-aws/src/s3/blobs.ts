import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type ObjectIndex, unusedRecord } from "./object-index.ts";
import type { Segment } from "./records.ts";

/*
 * Files with objects' bytes, named at random: a key is never a file name. What a crash may leave behind is noted
 * in the index before it exists, so that opening the store need not look at any folder:
 *
 *   note "unused" · write temporary file · fsync · rename · fsync folder · ONE index batch: record in, note out
 *
 * and the other way round: ONE index batch: record out, note in · remove file · note out. The notes themselves need
 * no fsync: after kill -9 the system still has them, and after a power cut the worst is a file that nobody refers to.
 */

const readBytes = 256 * 1024;
const bufferBytes = 1024 * 1024;
/** A store may come from somebody else: what lies there in a blob's place, a link or a pipe, is not read in its stead. */
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

interface BlobWriter {
  readonly blob: string;
  write(bytes: Uint8Array): Promise<void>;
  /** Puts the bytes under the blob's final name, durably. They are unused until an index batch says otherwise. */
  finish(): Promise<void>;
  /** Removes what was written; also after `finish`, when no record came to refer to it. */
  discard(): Promise<void>;
}

export interface Blobs {
  create(): Promise<BlobWriter>;
  /** Keeps the files of an object being read, though it be replaced meanwhile. Each `retain` wants a `release`. */
  retain(segments: readonly Segment[]): void;
  release(segments: readonly Segment[]): void;
  /** Bytes `start` to `end` (exclusive). The caller has retained the segments. */
  read(segments: readonly Segment[], start: number, end: number): AsyncGenerator<Uint8Array>;
  /** Removes files that an index batch has noted as unused, and the notes. */
  remove(blobs: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens the folder of blobs and removes what a crash has left in it. */
export async function openBlobs(folder: string, index: ObjectIndex): Promise<Blobs> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const handle = await open(folder, "r");
  const readers = new Map<string, number>();
  const doomed = new Set<string>();

  async function unlink(blobs: readonly string[]): Promise<void> {
    for (const blob of blobs) {
      await rm(pathOf(blob), { force: true });
      await rm(temporary(blob), { force: true });
    }
    const notes = blobs.map((blob) => ({ type: "del" as const, key: unusedRecord(blob) }));
    await index.write(notes, { durable: false });
  }

  function pathOf(blob: string): string {
    if (!/^[\da-f]{32}$/.test(blob))
      throw new Error(`the index names ${JSON.stringify(blob)}, which is no blob`);
    return join(folder, blob);
  }

  function temporary(blob: string): string {
    return `${pathOf(blob)}.part`;
  }

  async function* readSegment(segment: Segment, start: number, end: number): AsyncGenerator<Uint8Array> {
    const file = await open(pathOf(segment.blob), readFlags);
    try {
      for (let at = start; at < end;) {
        const buffer = Buffer.allocUnsafe(Math.min(readBytes, end - at));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
        if (bytesRead === 0) throw new Error(`blob ${segment.blob} is shorter than its record says`);
        yield buffer.subarray(0, bytesRead);
        at += bytesRead;
      }
    } finally {
      await file.close();
    }
  }

  const leftOver = await index.unused();
  if (leftOver.length > 0) await unlink(leftOver);

  return {
    async create() {
      const blob = randomBytes(16).toString("hex");
      await index.write([{ type: "put", key: unusedRecord(blob), value: 0 }], { durable: false });
      return openWriter(blob, {
        temporary: temporary(blob),
        final: pathOf(blob),
        syncFolder: () => handle.sync(),
        unlink: () => unlink([blob]),
      });
    },
    retain(segments) {
      for (const { blob } of segments) readers.set(blob, (readers.get(blob) ?? 0) + 1);
    },
    release(segments) {
      const free: string[] = [];
      for (const { blob } of segments) {
        const left = (readers.get(blob) ?? 1) - 1;
        if (left > 0) {
          readers.set(blob, left);
          continue;
        }
        readers.delete(blob);
        if (doomed.delete(blob)) free.push(blob);
      }
      // Nobody waits for this; should it fail, the note stays and the next opening removes the file.
      if (free.length > 0) unlink(free).catch(() => {});
    },
    async *read(segments, start, end) {
      let offset = 0;
      for (const segment of segments) {
        const from = Math.max(start - offset, 0);
        const to = Math.min(end - offset, segment.bytes);
        if (from < to) yield* readSegment(segment, from, to);
        offset += segment.bytes;
      }
    },
    async remove(blobs) {
      const free = blobs.filter((blob) => !readers.has(blob));
      for (const blob of blobs) if (readers.has(blob)) doomed.add(blob);
      if (free.length > 0) await unlink(free);
    },
    close: () => handle.close(),
  };
}

interface WriterPaths {
  readonly temporary: string;
  readonly final: string;
  readonly syncFolder: () => Promise<void>;
  readonly unlink: () => Promise<void>;
}

async function openWriter(blob: string, paths: WriterPaths): Promise<BlobWriter> {
  let file: FileHandle | undefined = await open(paths.temporary, "wx", 0o600);
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;

  async function flush(): Promise<void> {
    const buffers = pending;
    pending = [];
    pendingBytes = 0;
    await writeAll(file, buffers);
  }

  async function close(): Promise<void> {
    const open = file;
    file = undefined;
    await open?.close();
  }

  return {
    blob,
    async write(bytes) {
      pending.push(bytes);
      pendingBytes += bytes.length;
      if (pendingBytes >= bufferBytes) await flush();
    },
    async finish() {
      await flush();
      await file?.datasync();
      await close();
      await rename(paths.temporary, paths.final);
      await paths.syncFolder();
    },
    async discard() {
      await close();
      await paths.unlink();
    },
  };
}

/** A vectored write may stop short; a plain one through `writeFile` does not. */
async function writeAll(file: FileHandle | undefined, buffers: readonly Uint8Array[]): Promise<void> {
  if (file === undefined || buffers.length === 0) return;
  if (buffers.length > 1) {
    const total = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    const { bytesWritten } = await file.writev([...buffers]);
    if (bytesWritten === total) return;
    return await file.writeFile(Buffer.concat(buffers).subarray(bytesWritten));
  }
  const [only] = buffers;
  if (only !== undefined) await file.writeFile(only);
}
