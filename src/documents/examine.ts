import { beyond } from "../model/bytes.ts";
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { defaultPartBytes } from "../aws/s3/multipart.ts";
import { CliError } from "../errors.ts";
import type { DocumentExtension, DocumentType } from "../model/document-types.ts";
import { documentNameFault } from "../model/documents.ts";
import { startScan } from "../scan/scan.ts";
import type { Buffers } from "./buffers.ts";
import { documentType } from "./content-type.ts";
import type { Judgement, Scanner, Unasked } from "./scanning.ts";

/** A file that is to become a document. */
export interface UploadSource {
  /** As the person named it, for messages. */
  readonly label: string;
  /** Absolute. */
  readonly path: string;
  /** The document's name. */
  readonly name: string;
}

/** What tells that a file is still the one that was read. */
export interface Stamp {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ino: number;
}

/** A file that may be uploaded, as far as its bytes can tell. */
export interface Examined {
  readonly source: UploadSource;
  readonly type: DocumentType;
  readonly sizeBytes: number;
  /** Hex. */
  readonly sha256: string;
  readonly judgement: Judgement;
  readonly stamp: Stamp;
  /** The bytes that were hashed and scanned, kept where there is room: they need not be read a second time. Of `buffers`. */
  readonly bytes: Buffer | undefined;
}

export interface ExamineOptions {
  readonly maxBytes: number;
  readonly allowed: readonly DocumentExtension[];
  readonly scanner: Scanner | Unasked;
  readonly buffers: Buffers;
  readonly onRead: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/** What is read at once of a file that is not kept. */
const chunkBytes = 1024 ** 2;

/**
 * Checks a file (that it is one, its size, its kind by name and content), then hashes and scans it in one pass.
 * @throws CliError for what cannot be a document; errors of the file system as they are.
 */
export async function examine(source: UploadSource, options: ExamineOptions): Promise<Examined> {
  const fault = documentNameFault(source.name);
  if (fault !== undefined) throw new CliError(`the name ${JSON.stringify(source.name)} ${fault}`);
  const stamp = stampOf(statSync(source.path), options.maxBytes);
  const bytes = stamp.size <= defaultPartBytes ? options.buffers.take(stamp.size) : undefined;
  if (bytes !== undefined) {
    try {
      readWhole(source.path, stamp, bytes);
      const readAt = async (at: number, length: number) => bytes.subarray(at, at + length);
      return { ...(await judge(source, options, { stamp, readAt, chunks: [bytes] })), bytes };
    } catch (error) {
      options.buffers.release(bytes);
      throw error;
    }
  }
  const handle = await open(source.path);
  try {
    const examined = await judge(source, options, {
      stamp,
      readAt: readerOf(handle),
      chunks: chunksOf(handle),
    });
    if (!sameStamp(await handle.stat(), stamp)) throw changed();
    return { ...examined, bytes: undefined };
  } finally {
    await handle.close();
  }
}

interface Content {
  readonly stamp: Stamp;
  readonly readAt: (position: number, length: number) => Promise<Buffer>;
  readonly chunks: AsyncIterable<Buffer> | Iterable<Buffer>;
}

async function judge(
  source: UploadSource,
  options: ExamineOptions,
  { stamp, readAt, chunks }: Content,
): Promise<Omit<Examined, "bytes">> {
  const sizeBytes = stamp.size;
  const type = await documentType(source.name, { readAt, sizeBytes, allowed: options.allowed });
  return { source, type, sizeBytes, stamp, ...(await hashAndScan(chunks, options)) };
}

/** Fails when the file is no longer the one that was examined. */
export function assertUnchanged(file: Examined): void {
  if (!isUnchanged(file)) throw changed();
}

/** Whether the file is still the one that was examined; also false when it is gone. */
export function isUnchanged({ source, stamp }: Examined): boolean {
  const found = statSync(source.path, { throwIfNoEntry: false });
  return found !== undefined && sameStamp(found, stamp);
}

/** The bytes differ from those that were hashed and scanned. */
export function changed(): CliError {
  return new CliError("the file changed since it was checked; nothing of it was stored", {
    hint: "run the command again when nothing writes to the file any more",
  });
}

function stampOf(found: Stats, maxBytes: number): Stamp {
  if (found.isDirectory()) throw new CliError("it is a folder");
  if (!found.isFile()) throw new CliError("it is no regular file");
  if (found.size === 0) throw new CliError("it is empty");
  if (found.size > maxBytes) {
    throw new CliError(`it has ${beyond(found.size, maxBytes)} are taken`, {
      hint: '"maxDocumentBytes" in the configuration sets the limit',
    });
  }
  return { size: found.size, mtimeMs: found.mtimeMs, ino: found.ino };
}

function sameStamp(one: Stamp, other: Stamp): boolean {
  return one.size === other.size && one.mtimeMs === other.mtimeMs && one.ino === other.ino;
}

function readerOf(handle: FileHandle) {
  return async (position: number, length: number) => {
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await handle.read(buffer, 0, length, position);
    return buffer.subarray(0, bytesRead);
  };
}

/**
 * A small file, synchronously: each of these calls takes a small part of the time of handing it to another thread.
 * Not blocked by something that has become a pipe meanwhile.
 */
function readWhole(path: string, stamp: Stamp, buffer: Buffer): void {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    for (let filled = 0; filled < stamp.size;) {
      const bytesRead = readSync(file, buffer, filled, stamp.size - filled, filled);
      if (bytesRead === 0) throw changed();
      filled += bytesRead;
    }
    if (!sameStamp(fstatSync(file), stamp)) throw changed();
  } finally {
    closeSync(file);
  }
}

/** Each chunk is valid until the next one is asked for. */
async function* chunksOf(handle: FileHandle): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(chunkBytes);
  for (let position = 0; ;) {
    const { bytesRead } = await handle.read(buffer, 0, chunkBytes, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Hashes and scans a content in one pass. */
export async function hashAndScan(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { scanner, onRead, signal }: Pick<ExamineOptions, "scanner" | "onRead" | "signal">,
): Promise<{ sha256: string; judgement: Judgement }> {
  const hash = createHash("sha256");
  const scan = typeof scanner === "string" ? undefined : startScan(scanner.clamd, { ...scanner, signal });
  try {
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      const sent = scan?.write(chunk);
      hash.update(chunk);
      await sent;
      onRead(chunk.byteLength);
    }
    const verdict = await scan?.end();
    return {
      sha256: hash.digest("hex"),
      judgement: typeof scanner === "string" ? scanner : (verdict ?? "not-asked"),
    };
  } finally {
    scan?.discard();
  }
}
