import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, readdir, rename, rm, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CliError } from "../../errors.ts";
import type { Aws } from "../clients.ts";
import { requestObject, wholeBody } from "./get-object.ts";
import { headObject, type ObjectHead, type ObjectName } from "./objects.ts";
import { nameAnew, writeAll } from "../raw/save-file.ts";
import { verificationOf, type Verification, type Verified } from "./verification.ts";

/** Written at once; the socket gives 64 KiB at a time. Less costs more calls, more falls out of the processor's cache. */
const writeBytes = 1024 ** 2;

export interface DownloadFile extends ObjectName {
  readonly path: string;
  /** Replaces an existing file. Default false: it is kept and the download refused. */
  readonly overwrite?: boolean;
  /** Goes on with what an interrupted download of the same bytes left. Default true. */
  readonly resume?: boolean;
  /** Hex, where the caller knows it; checked instead of the sum that S3 keeps. */
  readonly sha256?: string;
  readonly onProgress?: ((receivedBytes: number, totalBytes: number) => void) | undefined;
  readonly signal?: AbortSignal;
}

export interface Downloaded {
  readonly head: ObjectHead;
  readonly verified: Verified;
  /** Bytes that an earlier, interrupted run had received. */
  readonly resumedBytes: number;
}

/**
 * Downloads an object into a file. The bytes go to `<path>.<mark>.part` beside it, are compared with what S3 knows of them,
 * and only then get their name: there is never half a file. They are not forced to the disk, which would take as long as
 * the download: after a power cut within seconds of it, download again. The mark stands for object and ETag, so
 * that a part file is continued only by the same bytes; a connection that breaks is taken up again in the same run.
 * An object that is overwritten meanwhile makes it fail (412).
 */
export async function downloadFile(aws: Aws, download: DownloadFile): Promise<Downloaded> {
  const { path } = download;
  if (download.overwrite !== true && (await exists(path))) throw alreadyThere(path);
  const head = await headObject(aws, download, download.signal);
  if (head === undefined) throw new CliError(`no object ${download.key} in bucket ${download.bucket}`);
  const partPath = `${path}.${markOf(download, head)}.part`;
  const file = await open(partPath, constants.O_RDWR | constants.O_CREAT, 0o600);
  let resumedBytes = 0;
  let verification;
  try {
    verification = verificationOf(head, download.sha256);
    if (download.resume === false) await file.truncate(0);
    resumedBytes = await takeUp(file, head.sizeBytes, verification);
    await receive(aws, download, { head, file, from: resumedBytes, verification });
    if (!verification.matches()) {
      await rm(partPath, { force: true });
      throw new CliError(
        `${download.key}: the bytes received are not those that S3 holds (${verification.by})`,
        {
          hint: "Nothing was kept. Download it again; if it happens again, the object or the way to it is damaged.",
        },
      );
    }
  } finally {
    await file.close();
  }
  if (download.overwrite === true) await rename(partPath, path);
  else if (!nameAnew(partPath, path)) throw alreadyThere(path);
  await removeOldParts(path);
  return { head, verified: verification.by, resumedBytes };
}

/** Sums up what is there already; a part file longer than the object is no beginning of it. */
async function takeUp(file: FileHandle, sizeBytes: number, verification: Verification): Promise<number> {
  const { size } = await file.stat();
  if (size > sizeBytes) {
    await file.truncate(0);
    return 0;
  }
  const buffer = Buffer.allocUnsafeSlow(writeBytes);
  let position = 0;
  while (position < size) {
    const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, position);
    if (bytesRead === 0) break;
    verification.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
  return position;
}

interface Receive {
  readonly head: ObjectHead;
  readonly file: FileHandle;
  readonly from: number;
  readonly verification: Verification;
}

async function receive(
  aws: Aws,
  download: DownloadFile,
  { head, file, from, verification }: Receive,
): Promise<void> {
  if (from === head.sizeBytes) return;
  const { bucket, key, version, signal } = download;
  const range = from === 0 ? undefined : { first: from };
  const get = { bucket, key, version, ifMatch: head.etag, range, signal };
  const answer = await requestObject(aws, get);
  const expected = head.sizeBytes - from;
  if (answer.ContentLength !== undefined && answer.ContentLength !== expected) {
    throw new CliError(
      `${key}: the server sends ${answer.ContentLength} bytes where ${expected} were asked for`,
    );
  }
  let position = from;
  for await (const batch of inBatches(wholeBody(aws, get, { answer }))) {
    for (const chunk of batch.chunks) verification.update(chunk);
    writeAll(file.fd, batch.chunks, position);
    position += batch.sizeBytes;
    download.onProgress?.(position, head.sizeBytes);
  }
}

interface Batch {
  readonly chunks: readonly Uint8Array[];
  readonly sizeBytes: number;
}

/** Chunks of the socket in batches worth a write; when the body breaks off, what came before is given first. */
async function* inBatches(body: AsyncIterable<Uint8Array>): AsyncGenerator<Batch> {
  let chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  let broken: { error: unknown } | undefined;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      sizeBytes += chunk.byteLength;
      if (sizeBytes >= writeBytes) {
        yield { chunks, sizeBytes };
        chunks = [];
        sizeBytes = 0;
      }
    }
  } catch (error) {
    broken = { error };
  }
  if (sizeBytes > 0) yield { chunks, sizeBytes };
  if (broken !== undefined) throw broken.error;
}

function markOf({ bucket, key, version }: ObjectName, head: ObjectHead): string {
  const identity = JSON.stringify([bucket, key, version ?? "", head.etag, head.sizeBytes]);
  return createHash("sha256").update(identity).digest("hex").slice(0, 12);
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );
}

/** Told where a file is kept. */
export function alreadyThere(path: string): CliError {
  return new CliError(`${path} exists already`, {
    hint: "Choose another name, or allow it to be overwritten.",
  });
}

/** Part files of the same name that no download can continue any more: the object has changed since. */
async function removeOldParts(path: string): Promise<void> {
  const prefix = `${basename(path)}.`;
  for (const name of await readdir(dirname(path))) {
    if (name.startsWith(prefix) && /^[0-9a-f]{12}\.part$/.test(name.slice(prefix.length))) {
      await rm(join(dirname(path), name), { force: true });
    }
  }
}
