import type { FileHandle } from "node:fs/promises";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { crcToBase64 } from "./checksums.ts";
import type { Aws } from "../clients.ts";
import { nextOf } from "./listing.ts";
import { maxParts, removeUpload, type OpenUpload, type SentPart } from "./multipart.ts";
import { abortable } from "./objects.ts";
import { onwards } from "../paging.ts";

/** Why an unfinished upload was thrown away instead of continued. */
export type StartedOver = "the file changed" | "the part size differs";

export interface Resumable {
  readonly upload: OpenUpload;
  /** Parts that S3 has and whose bytes are those of the file. */
  readonly present: ReadonlyMap<number, SentPart>;
}

export interface FindResumable {
  readonly bucket: string;
  readonly key: string;
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  readonly partSizeBytes: number;
  readonly onStartedOver?: ((why: StartedOver) => void) | undefined;
  readonly signal?: AbortSignal;
}

interface ListedPart {
  readonly number: number;
  readonly sizeBytes: number;
  readonly etag: string;
  /** CRC32 in base64, where S3 has it. */
  readonly checksum: string | undefined;
}

/**
 * The newest unfinished upload of this key with CRC32 sums, if the file can continue it. Each of its parts is compared with the file's bytes
 * (size, and CRC32 or the MD5 in the ETag). When one differs the upload is removed and undefined returned: content type
 * and metadata, which S3 neither shows nor changes for an open upload, were given for other bytes.
 */
export async function findResumable(aws: Aws, find: FindResumable): Promise<Resumable | undefined> {
  const upload = await newestUpload(aws, find);
  if (upload === undefined) return undefined;
  const listed = await partsOf(aws, upload, find.signal);
  const buffer = Buffer.allocUnsafeSlow(find.partSizeBytes);
  const present = new Map<number, SentPart>();
  for (const part of listed) {
    const expected = Math.min(find.partSizeBytes, find.sizeBytes - (part.number - 1) * find.partSizeBytes);
    const same = part.sizeBytes === expected ? await compare(part, { ...find, buffer }) : undefined;
    if (same === undefined) {
      find.onStartedOver?.(part.sizeBytes === expected ? "the file changed" : whyOtherSize(listed, find));
      await removeUpload(aws, upload);
      return undefined;
    }
    present.set(part.number, same);
  }
  return { upload, present };
}

async function newestUpload(
  aws: Aws,
  { bucket, key, signal }: FindResumable,
): Promise<OpenUpload | undefined> {
  const [s3, { ListMultipartUploadsCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  let newest: { uploadId: string; begun: number; sumsWhole: boolean } | undefined;
  let next: { key: string; uploadId: string | undefined } | undefined;
  const onward = onwards<NonNullable<typeof next>>("uploads");
  do {
    const page = await s3.send(
      new ListMultipartUploadsCommand({
        Bucket: bucket,
        Prefix: key,
        KeyMarker: next?.key,
        UploadIdMarker: next?.uploadId,
      }),
      abortable(signal),
    );
    for (const { Key, UploadId, Initiated, ChecksumAlgorithm, ChecksumType } of page.Uploads ?? []) {
      // S3 refuses a part whose kind of checksum is not the one that the upload was begun with. Some servers in its
      // place list no kind at all, and take any.
      const isFit =
        ChecksumAlgorithm === "CRC32" || (ChecksumAlgorithm === undefined && aws.endpointUrl !== undefined);
      if (!isFit) continue;
      const begun = Initiated?.getTime() ?? 0;
      // Of two begun within the same second the later listed one; S3 lists a key's uploads by their time.
      if (Key === key && UploadId !== undefined && begun >= (newest?.begun ?? 0)) {
        newest = { uploadId: UploadId, begun, sumsWhole: ChecksumType === "FULL_OBJECT" };
      }
    }
    const marker = nextOf(page.IsTruncated, page.NextKeyMarker);
    next = onward(marker === undefined ? undefined : { key: marker, uploadId: page.NextUploadIdMarker });
  } while (next !== undefined);
  if (newest === undefined) return undefined;
  const { uploadId, sumsWhole } = newest;
  return { bucket, key, uploadId, sumsWhole };
}

async function partsOf(aws: Aws, upload: OpenUpload, signal: AbortSignal | undefined): Promise<ListedPart[]> {
  const [s3, { ListPartsCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  const parts: ListedPart[] = [];
  let marker: string | undefined;
  const onward = onwards<NonNullable<typeof marker>>("parts");
  do {
    const page = await s3.send(
      new ListPartsCommand({
        Bucket: upload.bucket,
        Key: upload.key,
        UploadId: upload.uploadId,
        PartNumberMarker: marker,
      }),
      abortable(signal),
    );
    for (const part of page.Parts ?? []) {
      parts.push({
        number: part.PartNumber ?? 0,
        sizeBytes: part.Size ?? 0,
        etag: part.ETag ?? "",
        checksum: part.ChecksumCRC32,
      });
    }
    marker = onward(nextOf(page.IsTruncated, page.NextPartNumberMarker));
  } while (marker !== undefined);
  return parts;
}

/** The part as sent when the file has its bytes at its place. */
async function compare(
  part: ListedPart,
  { handle, buffer, partSizeBytes, signal }: FindResumable & { buffer: Buffer },
): Promise<SentPart | undefined> {
  signal?.throwIfAborted();
  const position = (part.number - 1) * partSizeBytes;
  const { bytesRead } = await handle.read(buffer, 0, part.sizeBytes, position);
  if (bytesRead !== part.sizeBytes) return undefined;
  const bytes = buffer.subarray(0, bytesRead);
  const crc = crc32(bytes);
  const same =
    part.checksum === undefined
      ? part.etag.replaceAll('"', "") === createHash("md5").update(bytes).digest("hex")
      : part.checksum === crcToBase64(crc);
  return same ? { number: part.number, sizeBytes: part.sizeBytes, etag: part.etag, crc } : undefined;
}

/** A last part may be shorter than the others, so that only a full-sized first part tells the other part size. */
function whyOtherSize(listed: readonly ListedPart[], find: FindResumable): StartedOver {
  const first = listed.find(
    (part) => part.number < maxParts && part.number * find.partSizeBytes < find.sizeBytes,
  );
  return first !== undefined && first.sizeBytes !== find.partSizeBytes
    ? "the part size differs"
    : "the file changed";
}
