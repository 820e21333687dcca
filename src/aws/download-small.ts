import type { Aws } from "./clients.ts";
import { alreadyThere } from "./download.ts";
import type { FileToSave } from "./save-file.ts";
import type { Saver } from "./saver.ts";
import { signedGets, type SignedGet } from "./signed-get.ts";

/** Objects of at most this size are held in memory, one for each call under way. */
export const smallBytes = 4 * 1024 ** 2;

export interface SmallObject extends FileToSave {
  readonly key: string;
  readonly sizeBytes: number;
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
export async function smallDownloads(
  aws: Aws,
  { bucket, saver }: { readonly bucket: string; readonly saver: Saver },
): Promise<DownloadSmall> {
  const get = await signedGets(aws, bucket);
  return async (wanted) => {
    const { path, overwrite, sha256 } = wanted;
    const chunks = await received(get, wanted);
    if (chunks === undefined) return false;
    const saved = await saver.save(chunks, { path, overwrite, sha256 });
    if (saved === "name taken") throw alreadyThere(path);
    return saved === "saved";
  };
}

/** The object's bytes; undefined unless they are as many as expected. */
async function received(
  get: SignedGet | undefined,
  { key, sizeBytes, signal }: SmallObject,
): Promise<Uint8Array[] | undefined> {
  const chunks: Uint8Array[] = [];
  let receivedBytes = 0;
  try {
    const body = await get?.(key, signal);
    if (body === undefined) return undefined;
    for await (const chunk of body) {
      receivedBytes += chunk.byteLength;
      // Leaving the loop destroys the body.
      if (receivedBytes > sizeBytes) return undefined;
      chunks.push(chunk);
    }
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
  return receivedBytes === sizeBytes ? chunks : undefined;
}
