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
import { abortable } from "./objects.ts";
import { bucketUrl } from "./presign.ts";

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
 * Downloads small objects whose hash is known, each by one request of its own past the SDK's middleware, which costs more
 * than moving a megabyte does. Answers false wherever anything is not as it should be (no such object, other bytes, a
 * broken connection, a clock that is wrong): `downloadFile` then tries again, or tells why. Rejects when the file exists
 * meanwhile and may not be replaced, and when it cannot be written.
 */
export async function smallDownloader(
  aws: Aws,
  bucket: string,
): Promise<(download: DownloadSmall) => Promise<boolean>> {
  const [s3, { S3RequestPresigner }] = await Promise.all([aws.s3(), import("@aws-sdk/s3-request-presigner")]);
  const presigner = new S3RequestPresigner(s3.config);
  const { protocol, hostname, port, pathname } = new URL(await bucketUrl(s3, bucket));
  const base = pathname.endsWith("/") ? pathname : `${pathname}/`;

  /** The object's bytes; undefined for any answer but the whole object. */
  async function fetchBytes({ key, sizeBytes, signal }: DownloadSmall): Promise<Uint8Array[] | undefined> {
    const request = await presigner.presign(
      // The signer and the handlers read these fields only; the class would be loaded for nothing.
      {
        method: "GET",
        protocol,
        hostname,
        ...(port === "" ? {} : { port: Number(port) }),
        path: base + key.split("/").map(encodeSegment).join("/"),
        query: {},
        headers: {},
      },
      { expiresIn: 300, signingDate: new Date(Date.now() + s3.config.systemClockOffset) },
    );
    const { response } = await s3.config.requestHandler.handle(request as never, abortable(signal));
    const { statusCode, body } = response as { statusCode: number; body?: AsyncIterable<Uint8Array> };
    const chunks: Uint8Array[] = [];
    let received = 0;
    for await (const chunk of body ?? []) {
      chunks.push(chunk);
      received += chunk.byteLength;
      // Leaving the loop destroys the body.
      if (received > sizeBytes) return undefined;
    }
    return statusCode === 200 && received === sizeBytes ? chunks : undefined;
  }

  return async (download) => {
    let chunks;
    try {
      chunks = await fetchBytes(download);
    } catch {
      download.signal?.throwIfAborted();
      return false;
    }
    if (chunks === undefined) return false;
    const hash = createHash("sha256");
    for (const chunk of chunks) hash.update(chunk);
    if (hash.digest("hex") !== download.sha256) return false;
    writeWhole(chunks, download);
    return true;
  };
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

/** RFC 3986: only unreserved characters stay. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
