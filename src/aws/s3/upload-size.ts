import type { Aws } from "../clients.ts";
import { nextOf } from "./listing.ts";
import type { OpenUpload } from "./multipart.ts";
import { abortable } from "./objects.ts";
import { onwards } from "../paging.ts";

/** Bytes that the parts of an unfinished upload take; 0 when it is gone. */
export async function uploadedBytes(
  aws: Aws,
  { bucket: Bucket, key: Key, uploadId: UploadId }: Pick<OpenUpload, "bucket" | "key" | "uploadId">,
  signal?: AbortSignal,
): Promise<number> {
  const [s3, { ListPartsCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  let sum = 0;
  let marker: string | undefined;
  const onward = onwards<NonNullable<typeof marker>>("parts");
  try {
    do {
      const page = await s3.send(
        new ListPartsCommand({ Bucket, Key, UploadId, PartNumberMarker: marker }),
        abortable(signal),
      );
      for (const { Size = 0 } of page.Parts ?? []) sum += Size;
      marker = onward(nextOf(page.IsTruncated, page.NextPartNumberMarker));
    } while (marker !== undefined);
  } catch (error) {
    if (!(error instanceof Error && error.name === "NoSuchUpload")) throw error;
    return 0;
  }
  return sum;
}
