import type { Aws } from "../clients.ts";
import { decoder, nextOf } from "./listing.ts";
import { removeUpload } from "./multipart.ts";
import { abortable } from "./objects.ts";
import { uploadedBytes } from "./upload-size.ts";
import { onwards } from "../paging.ts";

/** A multipart upload that was begun and neither completed nor removed. Its parts cost, and no listing of objects shows them. */
export interface UnfinishedUpload {
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
  readonly begunAt: Date | undefined;
  readonly storageClass: string | undefined;
}

/** The unfinished uploads of a bucket under a prefix, in the order of their keys, to the very end. */
export async function* listUnfinishedUploads(
  aws: Aws,
  list: {
    readonly bucket: string;
    readonly prefix?: string;
    readonly signal?: AbortSignal;
  },
): AsyncGenerator<UnfinishedUpload> {
  const [s3, { ListMultipartUploadsCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  let next: { key: string; uploadId: string | undefined } | undefined;
  const onward = onwards<NonNullable<typeof next>>("uploads");
  do {
    const page = await s3.send(
      new ListMultipartUploadsCommand({
        Bucket: list.bucket,
        Prefix: list.prefix,
        EncodingType: "url",
        KeyMarker: next?.key,
        UploadIdMarker: next?.uploadId,
      }),
      abortable(list.signal),
    );
    const decode = decoder(page.EncodingType);
    for (const { Key, UploadId: uploadId, Initiated: begunAt, StorageClass: storageClass } of page.Uploads ??
      []) {
      if (Key !== undefined && uploadId !== undefined)
        yield { bucket: list.bucket, key: decode(Key), uploadId, begunAt, storageClass };
    }
    const key = nextOf(page.IsTruncated, page.NextKeyMarker);
    next = onward(key === undefined ? undefined : { key: decode(key), uploadId: page.NextUploadIdMarker });
  } while (next !== undefined);
}

/** How long one call is repeated at most, and a little more. */
const lostWithinMs = 120_000;

/**
 * Removes what calls left behind that began this same upload before, with their answers lost: uploads of its key, begun in the time that
 * one call may take, without any part. Where that fails they stay, cost nothing, and retention removes them.
 */
export async function removeLostBeginnings(
  aws: Aws,
  upload: { readonly bucket: string; readonly key: string; readonly uploadId: string },
): Promise<void> {
  const { bucket, key, uploadId } = upload;
  try {
    const alike: UnfinishedUpload[] = [];
    for await (const each of listUnfinishedUploads(aws, { bucket, prefix: key }))
      if (each.key === key) alike.push(each);
    const begunMs = alike.find((each) => each.uploadId === uploadId)?.begunAt?.getTime() ?? 0;
    for (const each of alike) {
      const beforeMs = begunMs - (each.begunAt?.getTime() ?? 0);
      if (each.uploadId === uploadId || beforeMs < 0 || beforeMs > lostWithinMs) continue;
      if ((await uploadedBytes(aws, each)) === 0) await removeUpload(aws, each);
    }
  } catch {
    // The upload itself goes on.
  }
}

/** Removes the unfinished uploads of exactly this key, with their parts. Answers how many there were. */
export async function removeUnfinishedUploads(
  aws: Aws,
  { bucket, key, signal }: { readonly bucket: string; readonly key: string; readonly signal?: AbortSignal },
): Promise<number> {
  let removed = 0;
  for await (const upload of listUnfinishedUploads(aws, { bucket, prefix: key, signal })) {
    if (upload.key !== key) continue;
    await removeUpload(aws, upload);
    removed += 1;
  }
  return removed;
}
