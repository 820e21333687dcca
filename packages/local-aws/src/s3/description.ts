import type { Call } from "./call.ts";
import { S3Fault } from "./fault.ts";
import { requestedLock } from "./object-lock.ts";
import type { Bucket, CannedAcl, Description, Encryption } from "./records.ts";
import { parseTagHeader } from "./tags.ts";

/** Headers that are kept with an object and sent again with it. */
const keptHeaders = [
  "content-type",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
  "x-amz-website-redirect-location",
];

const maxMetadataBytes = 2048;

const storageClasses = new Set([
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER",
  "GLACIER_IR",
  "DEEP_ARCHIVE",
]);

const cannedAcls: ReadonlySet<string> = new Set<CannedAcl>([
  "private",
  "public-read",
  "public-read-write",
  "authenticated-read",
  "aws-exec-read",
  "bucket-owner-read",
  "bucket-owner-full-control",
  "log-delivery-write",
]);

/**
 * What a request's headers say of the object to be. Throws MetadataTooLarge, InvalidStorageClass, InvalidTag,
 * AccessControlListNotSupported (the bucket takes no ACLs) and others.
 */
export function describe(headers: Call["headers"], bucket: Bucket): Description {
  const acl = requestedAcl(headers, bucket);
  const storageClass = headers["x-amz-storage-class"] ?? "STANDARD";
  if (!storageClasses.has(storageClass)) throw new S3Fault("InvalidStorageClass");
  return {
    headers: describedHeaders(headers),
    metadata: describedMetadata(headers),
    tags: parseTagHeader(headers["x-amz-tagging"]),
    storageClass,
    encryption: requestedEncryption(headers, bucket),
    acl,
    lock: requestedLock(headers, bucket),
  };
}

function describedHeaders(headers: Call["headers"]): Record<string, string> {
  const kept: Record<string, string> = { "content-type": "binary/octet-stream" };
  for (const name of keptHeaders) {
    const value = headers[name];
    if (value !== undefined && value !== "") kept[name] = value;
  }
  // The framing of the upload is no property of the object.
  const codings = kept["content-encoding"]?.split(",").map((coding) => coding.trim());
  const own = codings?.filter((coding) => coding !== "aws-chunked" && coding !== "").join(",");
  delete kept["content-encoding"];
  return own ? { ...kept, "content-encoding": own } : kept;
}

function describedMetadata(headers: Call["headers"]): Record<string, string> {
  const metadata: Record<string, string> = {};
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith("x-amz-meta-")) continue;
    const own = name.slice("x-amz-meta-".length);
    metadata[own] = headerText(value);
    bytes += Buffer.byteLength(own) + Buffer.byteLength(metadata[own]);
  }
  if (bytes > maxMetadataBytes) {
    throw new S3Fault("MetadataTooLarge", { fields: { Size: bytes, MaxSizeAllowed: maxMetadataBytes } });
  }
  return metadata;
}

/** Metadata as headers; what is not US-ASCII goes out by RFC 2047, as S3 sends it. */
export function metadataHeaders(metadata: Description["metadata"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [
      `x-amz-meta-${name}`,
      /^[\x20-\x7E\t]*$/.test(value) ? value : `=?UTF-8?B?${Buffer.from(value).toString("base64")}?=`,
    ]),
  );
}

/** HTTP hands header bytes over as Latin-1; when they were UTF-8, this is the text again. */
export function headerText(value: string): string {
  // oxlint-disable-next-line no-control-regex -- a range of bytes
  if (!/^[\u0000-\u00FF]*$/.test(value)) return value;
  const text = Buffer.from(value, "latin1").toString("utf8");
  return text.includes("\uFFFD") ? value : text;
}

export function encryptionHeaders(encryption: Encryption): Record<string, string> {
  return {
    "x-amz-server-side-encryption": encryption.algorithm,
    ...(encryption.kmsKeyId === undefined
      ? {}
      : { "x-amz-server-side-encryption-aws-kms-key-id": encryption.kmsKeyId }),
  };
}

/** Objects are encrypted with SSE-S3 where nothing else was asked; on disk nothing is encrypted, only said so. */
function requestedEncryption(headers: Call["headers"], bucket: Bucket): Encryption {
  if (headers["x-amz-server-side-encryption-customer-algorithm"] !== undefined) {
    throw new S3Fault("NotImplemented", {
      message: "Customer-provided keys are not supported by the local store",
    });
  }
  const algorithm = headers["x-amz-server-side-encryption"];
  const kmsKeyId = headers["x-amz-server-side-encryption-aws-kms-key-id"];
  if (algorithm === undefined) {
    const { algorithm: standard = "AES256", kmsKeyId: standardKey } = bucket.encryption ?? {};
    return { algorithm: standard, kmsKeyId: standardKey };
  }
  if (!["AES256", "aws:kms", "aws:kms:dsse"].includes(algorithm)) {
    throw new S3Fault("InvalidArgument", {
      message: "The encryption method specified is not supported",
      fields: { ArgumentName: "x-amz-server-side-encryption", ArgumentValue: algorithm },
    });
  }
  return { algorithm, ...(algorithm === "AES256" || kmsKeyId === undefined ? {} : { kmsKeyId }) };
}

/**
 * The ACL a request asks for. A bucket whose owner is enforced, as every new one, knows no ACLs and takes only
 * those that say what holds anyway (s3cmd sends "private" with every copy); public ones are refused while the
 * bucket blocks them.
 */
export function requestedAcl(headers: Call["headers"], bucket: Bucket): CannedAcl | undefined {
  const acl = headers["x-amz-acl"];
  const grants = Object.keys(headers).filter((name) => name.startsWith("x-amz-grant-"));
  if (acl === undefined && grants.length === 0) return undefined;
  if (acl !== undefined && !cannedAcls.has(acl)) {
    throw new S3Fault("InvalidArgument", { fields: { ArgumentName: "x-amz-acl", ArgumentValue: acl } });
  }
  const enforced = (bucket.ownership ?? "BucketOwnerEnforced") === "BucketOwnerEnforced";
  if (enforced && acl !== "bucket-owner-full-control" && acl !== "private") {
    throw new S3Fault("AccessControlListNotSupported");
  }
  if (grants.length > 0) {
    throw new S3Fault("NotImplemented", { message: "Single grants are not supported by the local store" });
  }
  const open = acl === "public-read" || acl === "public-read-write" || acl === "authenticated-read";
  if (open && bucket.publicAccessBlock?.BlockPublicAcls === true) throw new S3Fault("AccessDenied");
  return acl as CannedAcl;
}
