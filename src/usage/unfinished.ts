import type { Aws } from "../aws/clients.ts";
import { listUnfinishedUploads, type UnfinishedUpload } from "../aws/s3/open-uploads.ts";
import { uploadedBytes } from "../aws/s3/upload-size.ts";
import { inParallel } from "../concurrency.ts";
import type { Piece } from "./sums.ts";

const uploadsAtOnce = 100;
const partsAtOnce = 8;

/** The uploads of a bucket that were begun and neither completed nor removed, each with the bytes of its parts. */
export async function walkUnfinished(
  aws: Aws,
  {
    bucket,
    prefix = "",
    signal,
  }: { readonly bucket: string; readonly prefix?: string; readonly signal: AbortSignal },
  take: {
    readonly isWanted: (upload: UnfinishedUpload) => boolean;
    readonly onPiece: (piece: Piece) => void;
  },
): Promise<void> {
  const measure = (uploads: readonly UnfinishedUpload[]) =>
    inParallel(uploads, partsAtOnce, async (upload) => {
      const { key, storageClass, begunAt: at } = upload;
      const bytes = await uploadedBytes(aws, upload, signal);
      take.onPiece({ key, part: "unfinished", bytes, at, storageClass });
    });
  let chunk: UnfinishedUpload[] = [];
  for await (const upload of listUnfinishedUploads(aws, { bucket, prefix, signal })) {
    if (!take.isWanted(upload)) continue;
    chunk.push(upload);
    if (chunk.length < uploadsAtOnce) continue;
    await measure(chunk);
    chunk = [];
  }
  await measure(chunk);
}
