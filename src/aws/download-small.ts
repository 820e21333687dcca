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
import { alreadyThere } from "./download.ts";
import { signedGets, type SignedGet } from "./signed-get.ts";

/** Objects of at most this size are held in memory, one for each call under way. */
export const smallBytes = 4 * 1024 ** 2;

export interface SmallObject {
  readonly key: string;
  readonly path: string;
  readonly overwrite: boolean;
  readonly sizeBytes: number;
  /** Hex. */
  readonly sha256: string;
  readonly signal?: AbortSignal | undefined;
}

/** Fetches an object and gives it its file; false when that is to be tried the ordinary way. */
export type DownloadSmall = (wanted: SmallObject) => Promise<boolean>;

/**
 * Downloads small objects whose hashes are known, by one request each instead of the two of `downloadFile`, and compares each
 * before anything is written. Answers false wherever the expected bytes do not come (another answer of S3, other bytes, a broken
 * connection, a clock that is wrong): `downloadFile` then tries again, or tells why. Rejects when the file exists and may not be
 * replaced, when it cannot be written, and on an abort.
 */
export async function smallDownloads(aws: Aws, bucket: string): Promise<DownloadSmall> {
  const get = await signedGets(aws, bucket);
  return async (wanted) => {
    const chunks = await received(get, wanted);
    if (chunks === undefined) return false;
    writeWhole(chunks, wanted);
    return true;
  };
}

async function received(
  get: SignedGet | undefined,
  { key, sizeBytes, sha256, signal }: SmallObject,
): Promise<Uint8Array[] | undefined> {
  const hash = createHash("sha256");
  const chunks: Uint8Array[] = [];
  let receivedBytes = 0;
  try {
    const body = await get?.(key, signal);
    if (body === undefined) return undefined;
    for await (const chunk of body) {
      receivedBytes += chunk.byteLength;
      // Leaving the loop destroys the body.
      if (receivedBytes > sizeBytes) return undefined;
      hash.update(chunk);
      chunks.push(chunk);
    }
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
  return hash.digest("hex") === sha256 ? chunks : undefined;
}

/**
 * Synchronous, as in download.ts: each of these calls takes less time than handing it to another thread. The part file is
 * named as those of `downloadFile`, which removes one that a crash leaves here.
 */
function writeWhole(chunks: Uint8Array[], { path, overwrite, sha256 }: SmallObject): void {
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
