import type { Aws } from "../clients.ts";
import { alreadyThere } from "../s3/download.ts";
import { requestObject, wholeBody } from "../s3/get-object.ts";
import type { FileToSave } from "./save-file.ts";
import type { Saver } from "./saver.ts";
import { signedGets, type SignedGet } from "./signed-get.ts";

/** Objects of at most this size are held in memory, one for each call under way. */
export const smallBytes = 4 * 1024 ** 2;

export interface SmallObject extends FileToSave {
  readonly key: string;
  readonly sizeBytes: number;
  readonly signal?: AbortSignal;
}

/** Fetches an object and gives it its file; false when that is to be tried by `downloadFile`. */
export type DownloadSmall = (wanted: SmallObject) => Promise<boolean>;

/**
 * Downloads small objects whose hashes are known, by one request each instead of the two of `downloadFile`, and compares each
 * before anything is written. What does not succeed at once is asked for again by the SDK, which waits as throttling wants it,
 * sets a wrong clock right and rejects with S3's reason: the HEAD of `downloadFile` has no body that would tell it. Answers false
 * when the bytes are not the expected ones, or break off: `downloadFile` then tries again, or tells why. Rejects also when the
 * file exists and may not be replaced, when it cannot be written, and on an abort.
 */
export async function smallDownloads(
  aws: Aws,
  { bucket, saver }: { readonly bucket: string; readonly saver: Saver },
): Promise<DownloadSmall> {
  const get = await signedGets(aws, bucket);
  return async (wanted) => {
    const { path, overwrite, sha256 } = wanted;
    const body = (await atOnce(get, wanted)) ?? (await bySdk(aws, bucket, wanted));
    const chunks = await received(body, wanted);
    if (chunks === undefined) return false;
    const saved = await saver.save(chunks, { path, overwrite, sha256 });
    if (saved === "name taken") throw alreadyThere(path);
    return saved === "saved";
  };
}

/** What a single request brings; undefined when that is no object. */
async function atOnce(get: SignedGet | undefined, { key, signal }: SmallObject) {
  try {
    return await get?.(key, signal);
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

async function bySdk(aws: Aws, bucket: string, { key, signal }: SmallObject) {
  const get = { bucket, key, signal };
  return wholeBody(aws, get, { answer: await requestObject(aws, get) });
}

/** The object's bytes; undefined unless they are as many as expected. */
async function received(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { sizeBytes, signal }: SmallObject,
): Promise<Uint8Array[] | undefined> {
  const chunks: Uint8Array[] = [];
  let receivedBytes = 0;
  try {
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
