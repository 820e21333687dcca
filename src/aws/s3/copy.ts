import type { CompletedPart } from "@aws-sdk/client-s3";
import { stoppable } from "../../concurrency.ts";
import type { Aws } from "../clients.ts";
import {
  abortable,
  headerInput,
  headObject,
  objectTags,
  tagQuery,
  type ObjectHeaders,
  type ObjectName,
  type StoredObject,
} from "./objects.ts";

import { isRepeated } from "../setting.ts";
import { removeLostBeginnings } from "./open-uploads.ts";

/** The most that one CopyObject copies. */
const singleCopyLimitBytes = 5 * 1024 ** 3;
/** S3 copies a part on its side; 1 GiB keeps 5 TiB below the 10,000 parts and a call below the socket's time-out. */
const copyPartBytes = 1024 ** 3;
const copiesInFlight = 4;

export interface CopyObject {
  readonly from: ObjectName;
  readonly to: { readonly bucket: string; readonly key: string };
  /** Replaces content type, cache control, disposition and metadata, all of them; without it they are copied. */
  readonly replaceHeaders?: Omit<ObjectHeaders, "tags">;
  /** Replaces the tags; without it they are copied. */
  readonly replaceTags?: Readonly<Record<string, string>> | undefined;
  /** Copies only while the source has this ETag. */
  readonly ifMatch?: string;
  /** From this size on the copy is made in parts; for tests. */
  readonly singleCopyLimitBytes?: number;
  readonly partSizeBytes?: number;
  readonly signal?: AbortSignal;
}

/**
 * Copies an object within S3, in one call up to 5 GiB and in parts above. Headers and tags come along unless replaced.
 * A copy in parts that fails removes its parts. S3 refuses to copy an object onto itself without replaced headers.
 */
export async function copyObject(aws: Aws, copy: CopyObject): Promise<StoredObject> {
  const source = await headObject(aws, copy.from, copy.signal);
  // Gone or never there: let CopyObject say so in S3's own words.
  if (source === undefined || source.sizeBytes <= (copy.singleCopyLimitBytes ?? singleCopyLimitBytes)) {
    return copyWhole(aws, copy);
  }
  // A copy in parts is a new upload: nothing comes along by itself. All parts must be of the same source.
  const headers = copy.replaceHeaders ?? source;
  // Asked for always: the count of tags in HEAD is left out when the caller may not read them.
  const tags = copy.replaceTags ?? (await objectTags(aws, copy.from, copy.signal));
  return copyInParts(
    aws,
    { ...copy, ifMatch: copy.ifMatch ?? source.etag },
    { ...headers, tags, source: source.sizeBytes },
  );
}

async function copyWhole(aws: Aws, copy: CopyObject): Promise<StoredObject> {
  const [s3, { CopyObjectCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  const answer = await s3.send(
    new CopyObjectCommand({
      Bucket: copy.to.bucket,
      Key: copy.to.key,
      CopySource: copySource(copy.from),
      CopySourceIfMatch: copy.ifMatch,
      MetadataDirective: copy.replaceHeaders === undefined ? "COPY" : "REPLACE",
      ...(copy.replaceHeaders === undefined ? {} : headerInput(copy.replaceHeaders)),
      TaggingDirective: copy.replaceTags === undefined ? "COPY" : "REPLACE",
      Tagging: copy.replaceTags && tagQuery(copy.replaceTags),
    }),
    abortable(copy.signal),
  );
  return { etag: answer.CopyObjectResult?.ETag ?? "", version: answer.VersionId };
}

async function copyInParts(
  aws: Aws,
  copy: CopyObject,
  { source: sizeBytes, tags, ...headers }: ObjectHeaders & { source: number },
): Promise<StoredObject> {
  const [s3, sdk] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  const target = { Bucket: copy.to.bucket, Key: copy.to.key };
  const begun = await s3.send(
    new sdk.CreateMultipartUploadCommand({
      ...target,
      ...headerInput(headers),
      ...(tags === undefined || Object.keys(tags).length === 0 ? {} : { Tagging: tagQuery(tags) }),
    }),
    abortable(copy.signal),
  );
  const upload = { ...target, UploadId: begun.UploadId };
  if (isRepeated(begun)) await removeLostBeginnings(aws, { ...copy.to, uploadId: begun.UploadId ?? "" });
  const { signal, stop } = stoppable(copy.signal);
  const partSize = copy.partSizeBytes ?? copyPartBytes;
  const parts: CompletedPart[] = [];
  let nextPart = 0;
  async function lane(): Promise<void> {
    while (nextPart * partSize < sizeBytes) {
      const index = nextPart++;
      const first = index * partSize;
      const last = Math.min(first + partSize, sizeBytes) - 1;
      const answer = await s3.send(
        new sdk.UploadPartCopyCommand({
          ...upload,
          PartNumber: index + 1,
          CopySource: copySource(copy.from),
          CopySourceIfMatch: copy.ifMatch,
          CopySourceRange: `bytes=${first}-${last}`,
        }),
        { abortSignal: signal },
      );
      const { ETag, ChecksumCRC32, ChecksumCRC64NVME, ChecksumSHA256 } = answer.CopyPartResult ?? {};
      parts[index] = { PartNumber: index + 1, ETag, ChecksumCRC32, ChecksumCRC64NVME, ChecksumSHA256 };
    }
  }
  try {
    await Promise.all(Array.from({ length: copiesInFlight }, lane));
    const done = await s3.send(
      new sdk.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } }),
      abortable(copy.signal),
    );
    return { etag: done.ETag ?? "", version: done.VersionId };
  } catch (error) {
    stop();
    // The failure is what the caller must hear of; parts that stay expire by the bucket's lifecycle rule.
    await s3.send(new sdk.AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}

/** `x-amz-copy-source`: the key percent-encoded, slashes kept. */
function copySource({ bucket, key, version }: ObjectName): string {
  const path = key.split("/").map(encodeURIComponent).join("/");
  return `${bucket}/${path}${version === undefined ? "" : `?versionId=${encodeURIComponent(version)}`}`;
}
