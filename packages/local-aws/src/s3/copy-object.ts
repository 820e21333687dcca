import type { LocalResponse } from "../service.ts";
import { type Call, bucketOf, isoTime, keyOf, respondXml } from "./call.ts";
import { type ChecksumAlgorithm, isChecksumAlgorithm } from "./checksums.ts";
import { copyContent, keepingUnlessFailed } from "./content.ts";
import { describe, encryptionHeaders, headerText } from "./description.ts";
import { S3Fault } from "./fault.ts";
import { checkKey } from "./names.ts";
import { checkCopyConditions, checkWriteConditions } from "./preconditions.ts";
import { maxObjectBytes } from "./receive.ts";
import type { Bucket, Description, StoredObject } from "./records.ts";
import { checkVersionId, commitObject, versionHeader, withKeys } from "./versions.ts";
import { el, optional, xmlDocument } from "./xml.ts";

export interface CopySource {
  readonly bucket: Bucket;
  readonly key: string;
  readonly object: StoredObject;
}

/** CopyObject. Tags and metadata come along unless the directives say otherwise. */
export async function copyObject(call: Call): Promise<LocalResponse> {
  const bucket = bucketOf(call);
  const key = keyOf(call);
  checkKey(key);
  return await withCopySource(call, async (source) => {
    checkCopyConditions(call.headers, source.object);
    const description = describeCopy(call, bucket, { source, key });
    if (source.object.bytes > maxObjectBytes) {
      throw new S3Fault("InvalidRequest", {
        message: `The specified copy source is larger than the maximum allowable size for a copy source: ${maxObjectBytes}`,
      });
    }
    const content = await copyContent(call, source.object, {
      start: 0,
      end: source.object.bytes,
      checksum: requestedAlgorithm(call) ?? source.object.checksum?.algorithm ?? "CRC64NVME",
    });
    return await keepingUnlessFailed(content, () =>
      withKeys(call.store, { bucket: bucket.name, keys: [key] }, async (bucket) => {
        checkWriteConditions(call.headers, await call.store.index.newest(bucket.name, key), key);
        const object = await commitObject(call, { bucket, key }, { description, content });
        const document = xmlDocument(
          "CopyObjectResult",
          el("LastModified", isoTime(object.modifiedMs)),
          el("ETag", `"${content.etag}"`),
          el(`Checksum${content.checksum.algorithm}`, content.checksum.value),
          optional("ChecksumType", content.checksum.type),
        );
        return respondXml(document, {
          ...copySourceHeaders(source),
          ...versionHeader(bucket, object),
          ...encryptionHeaders(object.encryption),
        });
      }),
    );
  });
}

/** Finds the object `x-amz-copy-source` names and keeps its bytes in place while `work` reads them. */
export async function withCopySource<T>(call: Call, work: (source: CopySource) => Promise<T>): Promise<T> {
  const { store } = call;
  const place = parseCopySource(call.headers["x-amz-copy-source"] ?? "");
  const bucket = store.index.bucket(place.bucket);
  if (bucket === undefined) throw new S3Fault("NoSuchBucket", { fields: { BucketName: place.bucket } });
  const action = place.versionId === undefined ? "s3:GetObject" : "s3:GetObjectVersion";
  if (!call.may(action, { bucket, key: place.key })) throw new S3Fault("AccessDenied");
  const object = await store.locks.shared(`${place.bucket}/${place.key}`, async () => {
    const found = await sourceVersion(call, place);
    store.blobs.retain(found.segments);
    return found;
  });
  try {
    return await work({ bucket, key: place.key, object });
  } finally {
    store.blobs.release(object.segments);
  }
}

export function copySourceHeaders(source: CopySource): Record<string, string> {
  return source.bucket.versioning === undefined
    ? {}
    : { "x-amz-copy-source-version-id": source.object.versionId };
}

interface SourcePlace {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

/** `[/]bucket/key[?versionId=...]`, percent-encoded. Throws InvalidArgument. */
function parseCopySource(header: string): SourcePlace {
  const raw = headerText(header).replace(/^\//, "");
  const marker = raw.lastIndexOf("?versionId=");
  const versionId = marker < 0 ? undefined : raw.slice(marker + "?versionId=".length);
  const invalid = new S3Fault("InvalidArgument", {
    message: "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    fields: { ArgumentName: "x-amz-copy-source", ArgumentValue: header },
  });
  let path: string;
  try {
    // Some clients also encode the slash between bucket and key.
    path = decodeURIComponent(marker < 0 ? raw : raw.slice(0, marker)).replace(/^\//, "");
  } catch {
    throw invalid;
  }
  const slash = path.indexOf("/");
  if (slash < 1 || slash === path.length - 1) throw invalid;
  if (versionId !== undefined) checkVersionId(versionId);
  return { bucket: path.slice(0, slash), key: path.slice(slash + 1), versionId };
}

async function sourceVersion(call: Call, place: SourcePlace): Promise<StoredObject> {
  const { index } = call.store;
  const found =
    place.versionId === undefined
      ? await index.newest(place.bucket, place.key)
      : await index.version(place.bucket, place.key, place.versionId);
  if (found === undefined && place.versionId !== undefined) {
    throw new S3Fault("NoSuchVersion", { fields: { Key: place.key, VersionId: place.versionId } });
  }
  if (found?.deleteMarker === true && place.versionId !== undefined) {
    throw new S3Fault("InvalidRequest", {
      message: "The source of a copy request may not specifically refer to a delete marker by version id.",
    });
  }
  if (found === undefined || found.deleteMarker === true) {
    throw new S3Fault("NoSuchKey", { fields: { Key: place.key } });
  }
  return found;
}

function describeCopy(
  call: Call,
  bucket: Bucket,
  { source, key }: { source: CopySource; key: string },
): Description {
  const requested = describe(call.headers, bucket);
  const metadata = directive(call, "x-amz-metadata-directive");
  const tagging = directive(call, "x-amz-tagging-directive");
  const changes =
    metadata === "REPLACE" ||
    call.headers["x-amz-storage-class"] !== undefined ||
    call.headers["x-amz-website-redirect-location"] !== undefined ||
    call.headers["x-amz-server-side-encryption"] !== undefined ||
    parseCopySource(call.headers["x-amz-copy-source"] ?? "").versionId !== undefined;
  if (!changes && source.bucket.name === bucket.name && source.key === key) {
    throw new S3Fault("InvalidRequest", {
      message:
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    });
  }
  return {
    ...requested,
    ...(metadata === "REPLACE" ? {} : { headers: source.object.headers, metadata: source.object.metadata }),
    ...(tagging === "REPLACE" ? {} : { tags: source.object.tags }),
  };
}

function directive(call: Call, header: string): "COPY" | "REPLACE" {
  const value = call.headers[header]?.toUpperCase() ?? "COPY";
  if (value === "COPY" || value === "REPLACE") return value;
  throw new S3Fault("InvalidArgument", {
    message: `Unknown ${header === "x-amz-metadata-directive" ? "metadata" : "tagging"} directive.`,
    fields: { ArgumentName: header, ArgumentValue: value },
  });
}

/** `x-amz-checksum-algorithm`. Throws InvalidRequest when S3 knows no such algorithm. */
export function requestedAlgorithm(call: Call): ChecksumAlgorithm | undefined {
  const name = call.headers["x-amz-checksum-algorithm"]?.toUpperCase();
  if (name === undefined || isChecksumAlgorithm(name)) return name;
  throw new S3Fault("InvalidRequest", {
    message:
      "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
  });
}
