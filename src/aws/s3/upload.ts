import { open, type FileHandle } from "node:fs/promises";
import { crc32Base64 } from "./checksums.ts";
import type { Aws } from "../clients.ts";
import {
  beginUpload,
  changedMeanwhile,
  completeUpload,
  defaultPartBytes,
  maxParts,
  removeUpload,
  sendParts,
  type Fill,
  type OpenUpload,
  type SentPart,
  type UploadTarget,
} from "./multipart.ts";
import { removeLostBeginnings } from "./open-uploads.ts";
import { putObject } from "./objects.ts";
import { findResumable, type StartedOver } from "./resume.ts";

interface UploadOptions extends UploadTarget {
  /** Called in order with all bytes, also with those that S3 has already, so that a caller can hash and scan them. */
  readonly onRead?: ((bytes: Uint8Array) => void | Promise<void>) | undefined;
  /** Bytes that S3 has, of how many (where known). */
  readonly onProgress?: ((sentBytes: number, totalBytes: number | undefined) => void) | undefined;
  /** At least 5 MiB. Default 8 MiB, for files more where 10,000 parts would not do. Up to one part goes in one call. */
  readonly partSizeBytes?: number;
  readonly signal?: AbortSignal;
}

/** How a site wants its files sent. */
export interface PartsWanted {
  /** Files of less go in one call, and are in memory as a whole. */
  readonly fromBytes: number;
  readonly partBytes: number;
  readonly atOnce: number;
}

export interface UploadFile extends UploadOptions {
  readonly source: { readonly path: string } | { readonly handle: FileHandle; readonly sizeBytes: number };
  /**
   * Continues the newest unfinished upload of this key when its parts are the file's bytes. It keeps the content type and
   * metadata that it was begun with, so resume only where these follow from the key and the bytes. Default true.
   */
  readonly resume?: boolean;
  readonly parts?: PartsWanted | undefined;
  /** Removes what was sent when the upload fails or is aborted. Default false: it stays, to be continued. */
  readonly removeOnFailure?: boolean;
  /** An unfinished upload could not be continued and was removed. */
  readonly onStartedOver?: ((why: StartedOver) => void) | undefined;
}

export interface UploadStream extends UploadOptions {
  readonly source: AsyncIterable<Uint8Array>;
}

export interface Uploaded {
  readonly etag: string;
  readonly version: string | undefined;
  readonly sizeBytes: number;
  /** Base64; S3 compared it with what it stored. */
  readonly crc32: string;
  /** What S3 said it compared: the whole object, on some servers each part only, or nothing. */
  readonly verified: "object" | "parts" | "nothing";
  /** Bytes that an earlier, interrupted run had sent. */
  readonly resumedBytes: number;
}

/**
 * Uploads a file: in one call up to one part, else in parts with several under way and memory of four parts. What is
 * stored is checked by CRC32, part by part and as a whole. After a failure or an abort the same call goes on where it
 * stopped. A file that is written to meanwhile makes it fail.
 */
export async function uploadFile(aws: Aws, upload: UploadFile): Promise<Uploaded> {
  if (!("path" in upload.source)) return uploadHandle(aws, upload, upload.source);
  const handle = await open(upload.source.path);
  try {
    return await uploadHandle(aws, upload, { handle, sizeBytes: (await handle.stat()).size });
  } finally {
    await handle.close();
  }
}

/**
 * Uploads what a stream gives, of unknown length, with the same bounded memory. At 8 MiB a part up to 78 GiB. A stream
 * cannot be read again: on failure or abort what was sent is removed.
 */
export async function uploadStream(aws: Aws, upload: UploadStream): Promise<Uploaded> {
  const partSizeBytes = upload.partSizeBytes ?? defaultPartBytes;
  const chunks = upload.source[Symbol.asyncIterator]();
  // A terminal or pipe may never give another byte: an abort must not wait for it.
  const { aborted, forget } = rejectionOf(upload.signal);
  try {
    const fill = readingAlong(
      fillFrom(() => Promise.race([chunks.next(), aborted])),
      upload.onRead,
    );
    const first = Buffer.allocUnsafeSlow(partSizeBytes);
    const sizeBytes = await fill(first);
    if (sizeBytes < partSizeBytes) return await uploadWhole(aws, upload, first.subarray(0, sizeBytes));
    return await uploadParts(aws, upload, {
      fill: startingWith(first, fill),
      partSizeBytes,
      totalBytes: undefined,
      removeOnFailure: true,
    });
  } finally {
    forget();
    // Not awaited: a generator that hangs in its `next` settles its `return` behind it.
    chunks.return?.().catch(() => undefined);
  }
}

async function uploadHandle(
  aws: Aws,
  upload: UploadFile,
  { handle, sizeBytes }: { handle: FileHandle; sizeBytes: number },
): Promise<Uploaded> {
  const { parts } = upload;
  const partSizeBytes = upload.partSizeBytes ?? partSizeFor(sizeBytes, parts?.partBytes);
  const before = await handle.stat();
  const fill = readingAlong(fillFromFile(handle, sizeBytes), upload.onRead);
  const unchanged = async () => {
    const now = await handle.stat();
    if (now.size !== before.size || now.mtimeMs !== before.mtimeMs) throw changedMeanwhile(upload.key);
  };
  if (sizeBytes <= partSizeBytes || (parts !== undefined && sizeBytes < parts.fromBytes)) {
    const buffer = Buffer.allocUnsafeSlow(sizeBytes);
    const read = sizeBytes === 0 ? 0 : await fill(buffer);
    if (read !== sizeBytes) throw changedMeanwhile(upload.key);
    await unchanged();
    return uploadWhole(aws, upload, buffer);
  }
  const resumable =
    upload.resume === false
      ? undefined
      : await findResumable(aws, { ...upload, handle, sizeBytes, partSizeBytes });
  return uploadParts(aws, upload, {
    fill,
    partSizeBytes,
    atOnce: parts?.atOnce,
    totalBytes: sizeBytes,
    removeOnFailure: upload.removeOnFailure ?? false,
    resumable,
    beforeCompletion: unchanged,
  });
}

async function uploadWhole(aws: Aws, upload: UploadOptions, body: Buffer): Promise<Uploaded> {
  const { isCompared, ...stored } = await putObject(aws, { ...upload, body });
  upload.onProgress?.(body.byteLength, body.byteLength);
  return {
    ...stored,
    sizeBytes: body.byteLength,
    crc32: crc32Base64(body),
    verified: isCompared ? "object" : "nothing",
    resumedBytes: 0,
  };
}

interface Plan {
  readonly fill: Fill;
  readonly partSizeBytes: number;
  readonly atOnce?: number | undefined;
  readonly totalBytes: number | undefined;
  readonly removeOnFailure: boolean;
  readonly resumable?:
    | { readonly upload: OpenUpload; readonly present: ReadonlyMap<number, SentPart> }
    | undefined;
  readonly beforeCompletion?: () => Promise<void>;
}

async function uploadParts(aws: Aws, options: UploadOptions, plan: Plan): Promise<Uploaded> {
  const upload = plan.resumable?.upload ?? (await begun(aws, options));
  const present = plan.resumable?.present ?? new Map<number, SentPart>();
  const resumedBytes = sizeOf(present.values());
  let storedBytes = resumedBytes;
  if (resumedBytes > 0) options.onProgress?.(storedBytes, plan.totalBytes);
  try {
    const parts = await sendParts(aws, {
      upload,
      fill: plan.fill,
      partSizeBytes: plan.partSizeBytes,
      atOnce: plan.atOnce,
      present,
      onSent(sizeBytes) {
        storedBytes += sizeBytes;
        options.onProgress?.(storedBytes, plan.totalBytes);
      },
      signal: options.signal,
    });
    const sizeBytes = sizeOf(parts);
    if (plan.totalBytes !== undefined && sizeBytes !== plan.totalBytes) throw changedMeanwhile(options.key);
    await plan.beforeCompletion?.();
    const done = await completeUpload(aws, upload, { parts, condition: options, signal: options.signal });
    return { ...done, sizeBytes, resumedBytes };
  } catch (error) {
    // The failure is what the caller must hear of; parts that stay expire by the bucket's lifecycle rule.
    if (plan.removeOnFailure) await removeUpload(aws, upload).catch(() => undefined);
    throw error;
  }
}

async function begun(aws: Aws, options: UploadOptions): Promise<OpenUpload> {
  const upload = await beginUpload(aws, options, options.signal);
  if (upload.isRepeated) await removeLostBeginnings(aws, upload);
  return upload;
}

function sizeOf(parts: Iterable<SentPart>): number {
  let sizeBytes = 0;
  for (const part of parts) sizeBytes += part.sizeBytes;
  return sizeBytes;
}

/** Whole MiB, so that the same file always gets the same parts, also when it is resumed. */
function partSizeFor(sizeBytes: number, wanted = defaultPartBytes): number {
  const mebibyte = 1024 ** 2;
  return Math.max(wanted, Math.ceil(sizeBytes / maxParts / mebibyte) * mebibyte);
}

function fillFromFile(handle: FileHandle, sizeBytes: number): Fill {
  let position = 0;
  return async (buffer) => {
    let filled = 0;
    const wanted = Math.min(buffer.byteLength, sizeBytes - position);
    while (filled < wanted) {
      const { bytesRead } = await handle.read(buffer, filled, wanted - filled, position);
      if (bytesRead === 0) break;
      filled += bytesRead;
      position += bytesRead;
    }
    return filled;
  };
}

function fillFrom(nextChunk: () => Promise<IteratorResult<Uint8Array>>): Fill {
  let rest: Uint8Array = new Uint8Array();
  return async (buffer) => {
    let filled = 0;
    while (filled < buffer.byteLength) {
      if (rest.byteLength === 0) {
        const next = await nextChunk();
        if (next.done === true) break;
        rest = next.value;
      }
      const taken = rest.subarray(0, buffer.byteLength - filled);
      buffer.set(taken, filled);
      filled += taken.byteLength;
      rest = rest.subarray(taken.byteLength);
    }
    return filled;
  };
}

function readingAlong(fill: Fill, onRead: UploadOptions["onRead"]): Fill {
  if (onRead === undefined) return fill;
  return async (buffer) => {
    const filled = await fill(buffer);
    if (filled > 0) await onRead(buffer.subarray(0, filled));
    return filled;
  };
}

/** Gives the bytes that were read to find out the length once more. */
function startingWith(first: Buffer, fill: Fill): Fill {
  let pending: Buffer | undefined = first;
  return async (buffer) => {
    if (pending === undefined) return fill(buffer);
    pending.copy(buffer);
    pending = undefined;
    return buffer.byteLength;
  };
}

/** `aborted` rejects once the signal is aborted, unless it was forgotten before, and never settles otherwise. */
function rejectionOf(signal: AbortSignal | undefined): { aborted: Promise<never>; forget: () => void } {
  let listen = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    listen = () => reject(signal?.reason as Error);
  });
  aborted.catch(() => undefined);
  if (signal?.aborted === true) listen();
  signal?.addEventListener("abort", listen, { once: true });
  return { aborted, forget: () => signal?.removeEventListener("abort", listen) };
}
