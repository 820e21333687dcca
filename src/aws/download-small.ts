import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  unlinkSync,
  writevSync,
} from "node:fs";
import type { Aws } from "./clients.ts";
import { alreadyThere, isBrokenConnection, leaveBodyUnchecked } from "./download.ts";
import { abortable, bodyOf } from "./objects.ts";

/** Objects of at most this size are held in memory, one for each call under way. */
export const smallBytes = 4 * 1024 ** 2;

export interface DownloadSmall {
  readonly bucket: string;
  readonly key: string;
  readonly path: string;
  readonly overwrite: boolean;
  readonly sizeBytes: number;
  /** Hex. */
  readonly sha256: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Downloads a small object whose hash is known, in one call instead of the two of `downloadFile`, and compares it before
 * anything is written. Answers false when the bytes are not the expected ones, or break off: `downloadFile` then tries again,
 * or tells why. Rejects with what S3 answers, and when the file exists and may not be replaced.
 */
export async function downloadSmall(aws: Aws, download: DownloadSmall): Promise<boolean> {
  const [s3, { GetObjectCommand }] = await Promise.all([aws.s3(), import("./s3-sdk.ts")]);
  const command = new GetObjectCommand({ Bucket: download.bucket, Key: download.key });
  leaveBodyUnchecked(command);
  const answer = await s3.send(command, abortable(download.signal));
  const hash = createHash("sha256");
  const chunks: Uint8Array[] = [];
  let received = 0;
  try {
    for await (const chunk of bodyOf(answer)) {
      received += chunk.byteLength;
      // Leaving the loop destroys the body.
      if (received > download.sizeBytes) return false;
      hash.update(chunk);
      chunks.push(chunk);
    }
  } catch (error) {
    download.signal?.throwIfAborted();
    if (isBrokenConnection(error)) return false;
    throw error;
  }
  if (hash.digest("hex") !== download.sha256) return false;
  writeWhole(chunks, download);
  return true;
}

/**
 * Synchronous, as in download.ts: each of these calls takes less time than handing it to another thread. The part file is
 * named as those of `downloadFile`, which removes one that a crash leaves here.
 */
function writeWhole(chunks: Uint8Array[], { path, overwrite, sha256 }: DownloadSmall): void {
  const partPath = `${path}.${sha256.slice(0, 12)}.part`;
  try {
    const file = openSync(partPath, "w");
    try {
      writeAll(file, chunks);
    } finally {
      closeSync(file);
    }
    if (overwrite) renameSync(partPath, path);
    else nameAnew(partPath, path);
  } catch (error) {
    rmSync(partPath, { force: true });
    throw error;
  }
}

/** Gives the file its name unless something has it; `rename` would replace that. */
function nameAnew(partPath: string, path: string): void {
  try {
    linkSync(partPath, path);
  } catch (error) {
    // File systems without hard links give other errors (FAT, some network shares).
    const isTaken = error instanceof Error && "code" in error && error.code === "EEXIST";
    if (isTaken || existsSync(path)) throw alreadyThere(path);
    renameSync(partPath, path);
    return;
  }
  unlinkSync(partPath);
}

function writeAll(file: number, chunks: readonly Uint8Array[]): void {
  const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  let written = writevSync(file, chunks, 0);
  if (written === sizeBytes) return;
  const bytes = Buffer.concat(chunks);
  while (written < sizeBytes) written += writevSync(file, [bytes.subarray(written)], written);
}
