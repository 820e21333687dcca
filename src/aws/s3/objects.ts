import type { GetObjectCommandOutput, HeadObjectCommandOutput, StorageClass } from "@aws-sdk/client-s3";
import { isDeepStrictEqual } from "node:util";
import { crc32Base64 } from "./checksums.ts";
import type { ObjectLockMode } from "../../model/declaration.ts";
import type { Aws } from "../clients.ts";
import { leavePayloadUnsigned } from "../raw/unsigned-payload.ts";
import { requestObject, wholeBody, type GetObject } from "./get-object.ts";
import { collected } from "../../text-file.ts";
import { httpStatus, isRepeated } from "../setting.ts";
import { verificationOf, type StoredChecksum, type Verification } from "./verification.ts";

/** One object, or one version of it. */
export interface ObjectName {
  readonly bucket: string;
  readonly key: string;
  readonly version?: string;
}

/** What an object carries beside its bytes. S3 takes ASCII metadata only, 2 KB in all. */
export interface ObjectHeaders {
  readonly contentType?: string;
  readonly cacheControl?: string;
  readonly contentDisposition?: string;
  readonly contentEncoding?: string;
  readonly contentLanguage?: string;
  readonly expires?: Date;
  readonly storageClass?: string;
  readonly redirectLocation?: string;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** A write that takes effect only while the object stands as expected; else S3 answers 412 (or 409 in a race). */
export interface WriteCondition {
  /** `*`: only where no object is. */
  readonly ifNoneMatch?: "*";
  /** Only over the object with this ETag. */
  readonly ifMatch?: string;
}

export interface PutObject extends ObjectHeaders, WriteCondition {
  readonly bucket: string;
  readonly key: string;
  readonly body: Uint8Array;
  /** By Object Lock, which the bucket must have. */
  readonly lock?: { readonly mode: ObjectLockMode; readonly until: Date } | undefined;
  readonly signal?: AbortSignal;
}

export interface StoredObject {
  readonly etag: string;
  /** Only where the bucket is versioned. */
  readonly version: string | undefined;
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
  /** Undefined where it has none, or who asks may not read them. */
  readonly tagCount: number | undefined;
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
 * the CRC32 that is sent with them, and keeps it. No ACL is sent: the public bucket refuses them. Under a condition a first
 * attempt of our own whose answer was lost counts as written.
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
    Tagging: put.tags && tagQuery(put.tags),
    IfNoneMatch: put.ifNoneMatch,
    IfMatch: put.ifMatch,
    ...lockInput(put.lock),
  });
  leavePayloadUnsigned(command);
  try {
    const answer = await s3.send(command, abortable(put.signal));
    return { etag: answer.ETag ?? "", version: answer.VersionId, isCompared: answer.ChecksumCRC32 === crc32 };
  } catch (error) {
    if (httpStatus(error) !== 412 || !isRepeated(error)) throw error;
    const head = await headObject(aws, put, put.signal);
    if (head === undefined || !isOurOwn(put, head)) throw error;
    return { etag: head.etag, version: head.version, isCompared: head.checksum?.value === crc32 };
  }
}

/** With a lock S3 wants to be told, beside the sum itself, by what it was made. */
function lockInput(lock: PutObject["lock"]) {
  if (lock === undefined) return {};
  const { mode, until } = lock;
  return {
    ChecksumAlgorithm: "CRC32" as const,
    ObjectLockMode: mode === "governance" ? ("GOVERNANCE" as const) : ("COMPLIANCE" as const),
    ObjectLockRetainUntilDate: until,
  };
}

/**
 * When the answer to a write is lost the SDK sends it again, and then its own first attempt makes the condition fail. An object with
 * the very bytes and metadata tells so.
 */
function isOurOwn({ body, metadata = {} }: PutObject, head: ObjectHead): boolean {
  const verification = verificationOf(head);
  verification.update(body);
  return (
    head.sizeBytes === body.byteLength &&
    verification.by !== "size" &&
    verification.matches() &&
    isDeepStrictEqual({ ...head.metadata }, { ...metadata })
  );
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

export interface OpenedObject {
  readonly head: ObjectHead;
  /** To be read to its end or destroyed (by leaving the loop); the sum of a whole object is compared in the end. */
  readonly body: AsyncIterable<Uint8Array>;
  /** By which the body is compared; nothing where only a range was asked for. */
  readonly verification: Verification | undefined;
}

/** Opens an object for reading. `NoSuchKey` is thrown when there is none. */
export async function getObject(aws: Aws, get: GetObject): Promise<OpenedObject> {
  const answer = await requestObject(aws, get);
  const head = headOf(answer);
  const verification = get.range === undefined ? verificationOf(head) : undefined;
  return { head, body: wholeBody(aws, get, { answer, verification }), verification };
}

/** Reads an object, or a range of it, into memory. */
export async function getObjectBytes(aws: Aws, get: GetObject): Promise<{ head: ObjectHead; bytes: Buffer }> {
  const { head, body } = await getObject(aws, get);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return { head, bytes: Buffer.concat(chunks) };
}

/** The same of an object that anybody may have written: without its bytes where it has more than `maxBytes`, and no more are read. */
export async function getSmallObject(
  aws: Aws,
  { maxBytes, ...get }: GetObject & { readonly maxBytes: number },
): Promise<{ head: ObjectHead; bytes: Buffer | undefined }> {
  const { head, body } = await getObject(aws, get);
  return { head, bytes: await collected(body, maxBytes) };
}

/**
 * Deletes the object, or the version named. In a versioned bucket a delete without version only adds a marker. Under a condition an
 * object that a first attempt of our own has deleted, whose answer was lost, counts as deleted now.
 */
export async function deleteObject(
  aws: Aws,
  name: ObjectName & { readonly ifMatch?: string },
  signal?: AbortSignal,
): Promise<void> {
  const [s3, { DeleteObjectCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  const { bucket, key, version, ifMatch } = name;
  try {
    await s3.send(
      new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: version, IfMatch: ifMatch }),
      abortable(signal),
    );
  } catch (error) {
    const mayBeDone =
      ifMatch !== undefined && isRepeated(error) && [404, 412].includes(httpStatus(error) ?? 0);
    if (!mayBeDone || (await headObject(aws, { bucket, key }, signal)) !== undefined) throw error;
  }
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
  return { abortSignal: signal };
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

/** What the headers of an answer say of the object. */
export function headOf(answer: HeadObjectCommandOutput | GetObjectCommandOutput): ObjectHead {
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
    tagCount: answer.TagCount,
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
