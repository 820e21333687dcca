import type { GetObjectCommandOutput, HeadObjectCommandOutput, StorageClass } from "@aws-sdk/client-s3";
import { crc32Base64 } from "./checksums.ts";
import type { Aws } from "../clients.ts";
import { leavePayloadUnsigned } from "../raw/unsigned-payload.ts";

/** One object, or one version of it. */
export interface ObjectName {
  readonly bucket: string;
  readonly key: string;
  readonly version?: string | undefined;
}

/** What an object carries beside its bytes. S3 takes ASCII metadata only, 2 KB in all. */
export interface ObjectHeaders {
  readonly contentType?: string | undefined;
  readonly cacheControl?: string | undefined;
  readonly contentDisposition?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly contentLanguage?: string | undefined;
  readonly expires?: Date | undefined;
  readonly storageClass?: string | undefined;
  readonly redirectLocation?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** A write that takes effect only while the object stands as expected; else S3 answers 412 (or 409 in a race). */
export interface WriteCondition {
  /** `*`: only where no object is. */
  readonly ifNoneMatch?: "*" | undefined;
  /** Only over the object with this ETag. */
  readonly ifMatch?: string | undefined;
}

export interface PutObject extends ObjectHeaders, WriteCondition {
  readonly bucket: string;
  readonly key: string;
  readonly body: Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

export interface StoredObject {
  readonly etag: string;
  /** Only where the bucket is versioned. */
  readonly version: string | undefined;
}

/** How S3 computed the checksum that it keeps: over the whole object, or over the checksums of its parts. */
interface StoredChecksum {
  readonly algorithm: "CRC32" | "CRC32C" | "CRC64NVME" | "SHA1" | "SHA256";
  readonly type: "FULL_OBJECT" | "COMPOSITE";
  /** Base64, with `-{parts}` behind it when composite. */
  readonly value: string;
}

/** What S3 says of bytes that were sent in one call. */
interface PutAnswer extends StoredObject {
  /** It answered the CRC32 that was sent as that of what it stored; servers that compare nothing do not. */
  readonly isCompared: boolean;
}

export interface ObjectHead extends StoredObject {
  readonly sizeBytes: number;
  readonly contentType: string | undefined;
  readonly cacheControl: string | undefined;
  readonly contentDisposition: string | undefined;
  readonly lastModified: Date | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly checksum: StoredChecksum | undefined;
  /** Such as `AES256` or `aws:kms`; with KMS the ETag is no MD5. */
  readonly encryption: string | undefined;
  readonly storageClass: string | undefined;
}

/** Loads and opens what the functions here need, ahead of their first call: for a caller that waits for something else. */
export async function loadObjects(aws: Aws): Promise<void> {
  await Promise.all([aws.s3(), import("./sdk.ts")]);
}

/**
 * Writes one object from memory in one call (at most 5 GiB; larger and files: upload.ts). S3 checks the bytes against
 * the CRC32 that is sent with them, and keeps it. No ACL is sent: the public bucket refuses them.
 */
export async function putObject(aws: Aws, put: PutObject): Promise<PutAnswer> {
  const [s3, { PutObjectCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  const crc32 = crc32Base64(put.body);
  const command = new PutObjectCommand({
    Bucket: put.bucket,
    Key: put.key,
    Body: put.body,
    ContentLength: put.body.byteLength,
    ChecksumCRC32: crc32,
    ...headerInput(put),
    ...(put.tags === undefined ? {} : { Tagging: tagQuery(put.tags) }),
    IfNoneMatch: put.ifNoneMatch,
    IfMatch: put.ifMatch,
  });
  leavePayloadUnsigned(command);
  const answer = await s3.send(command, abortable(put.signal));
  return { etag: answer.ETag ?? "", version: answer.VersionId, isCompared: answer.ChecksumCRC32 === crc32 };
}

/**
 * What S3 knows of an object; undefined when there is none (404, also for a delete marker). A bucket that does not
 * exist looks the same: a HEAD answer has no body. Without s3:ListBucket a missing object is a 403, which is thrown.
 */
export async function headObject(
  aws: Aws,
  name: ObjectName,
  signal?: AbortSignal,
): Promise<ObjectHead | undefined> {
  const [s3, { HeadObjectCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  try {
    const answer = await s3.send(
      new HeadObjectCommand({
        Bucket: name.bucket,
        Key: name.key,
        VersionId: name.version,
        ChecksumMode: "ENABLED",
      }),
      abortable(signal),
    );
    return headOf(answer);
  } catch (error) {
    if (error instanceof Error && error.name === "NotFound") return undefined;
    throw error;
  }
}

export interface GetObject extends ObjectName {
  /** First and last byte, both included; without the last one up to the end. */
  readonly range?: { readonly first: number; readonly last?: number | undefined } | undefined;
  /** Answers 412 once the object has another ETag. */
  readonly ifMatch?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface OpenedObject {
  readonly head: ObjectHead;
  /** To be read to its end or destroyed (by leaving the loop); the SDK checks the whole object's checksum on the way. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Opens an object for reading. `NoSuchKey` is thrown when there is none. */
export async function getObject(aws: Aws, get: GetObject): Promise<OpenedObject> {
  const answer = await requestObject(aws, get);
  return { head: headOf(answer), body: bodyOf(answer) };
}

/** Reads an object, or a range of it, into memory. */
export async function getObjectBytes(aws: Aws, get: GetObject): Promise<{ head: ObjectHead; bytes: Buffer }> {
  const answer = await requestObject(aws, get);
  const chunks: Uint8Array[] = [];
  for await (const chunk of bodyOf(answer)) chunks.push(chunk);
  return { head: headOf(answer), bytes: Buffer.concat(chunks) };
}

/** Deletes the object, or the version named. In a versioned bucket a delete without version only adds a marker. */
export async function deleteObject(
  aws: Aws,
  name: ObjectName & { readonly ifMatch?: string | undefined },
  signal?: AbortSignal,
): Promise<{ version: string | undefined; markerAdded: boolean }> {
  const [s3, { DeleteObjectCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  const answer = await s3.send(
    new DeleteObjectCommand({
      Bucket: name.bucket,
      Key: name.key,
      VersionId: name.version,
      IfMatch: name.ifMatch,
    }),
    abortable(signal),
  );
  return {
    version: answer.VersionId,
    markerAdded: name.version === undefined && answer.DeleteMarker === true,
  };
}

/** The object's tags; empty when it has none. */
export async function objectTags(
  aws: Aws,
  name: ObjectName,
  signal?: AbortSignal,
): Promise<Record<string, string>> {
  const [s3, { GetObjectTaggingCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  const answer = await s3.send(
    new GetObjectTaggingCommand({ Bucket: name.bucket, Key: name.key, VersionId: name.version }),
    abortable(signal),
  );
  return Object.fromEntries((answer.TagSet ?? []).map((tag) => [tag.Key ?? "", tag.Value ?? ""]));
}

/** Replaces all tags of the object by these (at most 10). */
export async function setObjectTags(
  aws: Aws,
  name: ObjectName,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  const [s3, { PutObjectTaggingCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  await s3.send(
    new PutObjectTaggingCommand({
      Bucket: name.bucket,
      Key: name.key,
      VersionId: name.version,
      Tagging: { TagSet: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) },
    }),
  );
}

/** The SDK's options of a call that may be aborted. */
export function abortable(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

/** The headers of an object as fields of the SDK's input. */
export function headerInput(headers: ObjectHeaders) {
  return {
    ContentType: headers.contentType,
    CacheControl: headers.cacheControl,
    ContentDisposition: headers.contentDisposition,
    ContentEncoding: headers.contentEncoding,
    ContentLanguage: headers.contentLanguage,
    Expires: headers.expires,
    StorageClass: headers.storageClass as StorageClass | undefined,
    WebsiteRedirectLocation: headers.redirectLocation,
    Metadata: headers.metadata === undefined ? undefined : { ...headers.metadata },
  };
}

/** Tags as `x-amz-tagging` wants them: an URL's query. */
export function tagQuery(tags: Readonly<Record<string, string>>): string {
  return new URLSearchParams(Object.entries(tags)).toString();
}

async function requestObject(aws: Aws, get: GetObject): Promise<GetObjectCommandOutput> {
  const [s3, { GetObjectCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  return s3.send(
    new GetObjectCommand({
      Bucket: get.bucket,
      Key: get.key,
      VersionId: get.version,
      IfMatch: get.ifMatch,
      Range: get.range === undefined ? undefined : `bytes=${get.range.first}-${get.range.last ?? ""}`,
    }),
    abortable(get.signal),
  );
}

/** The answer's body. On Node it is a Readable; the SDK types it for browsers, too. */
export function bodyOf(answer: GetObjectCommandOutput): AsyncIterable<Uint8Array> {
  return (answer.Body ?? emptyBody()) as AsyncIterable<Uint8Array>;
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}

/** What the headers of an answer say of the object. */
function headOf(answer: HeadObjectCommandOutput | GetObjectCommandOutput): ObjectHead {
  return {
    etag: answer.ETag ?? "",
    version: answer.VersionId,
    sizeBytes: answer.ContentLength ?? 0,
    contentType: answer.ContentType,
    cacheControl: answer.CacheControl,
    contentDisposition: answer.ContentDisposition,
    lastModified: answer.LastModified,
    metadata: answer.Metadata ?? {},
    checksum: checksumOf(answer),
    encryption: answer.ServerSideEncryption,
    storageClass: answer.StorageClass,
  };
}

function checksumOf(answer: HeadObjectCommandOutput | GetObjectCommandOutput): StoredChecksum | undefined {
  const known = [
    ["CRC32", answer.ChecksumCRC32],
    ["SHA256", answer.ChecksumSHA256],
    ["CRC64NVME", answer.ChecksumCRC64NVME],
    ["CRC32C", answer.ChecksumCRC32C],
    ["SHA1", answer.ChecksumSHA1],
  ] as const;
  for (const [algorithm, value] of known) {
    if (value === undefined) continue;
    // Servers older than the header ChecksumType tell a composite by its `-{parts}` alone.
    const composite = answer.ChecksumType === "COMPOSITE" || value.includes("-");
    return { algorithm, type: composite ? "COMPOSITE" : "FULL_OBJECT", value };
  }
  return undefined;
}
