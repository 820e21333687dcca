import type { LocalResponse } from "../service.ts";
import {
  type Call,
  bucketOf,
  isoTime,
  keyOf,
  numberOf,
  ownerId,
  respond,
  respondXml,
  wholeSeconds,
} from "./call.ts";
import { type Checksum, type ChecksumType, checksumHeader, startChecksum } from "./checksums.ts";
import { type NewContent, copyContent, keepingUnlessFailed, storeBody } from "./content.ts";
import { copySourceHeaders, requestedAlgorithm, withCopySource } from "./copy-object.ts";
import { describe, encryptionHeaders } from "./description.ts";
import { S3Fault } from "./fault.ts";
import { parseRange } from "./get-object.ts";
import { behindMarker, collectPage, commonPrefixes, encoder, nonEmpty, startFor } from "./listing.ts";
import { checkKey } from "./names.ts";
import { type Change, newUploadId, partRecord, uploadRecord } from "./object-index.ts";
import { checkCopyConditions } from "./preconditions.ts";
import type { Part, Segment, Upload } from "./records.ts";
import { commit, withKeys } from "./versions.ts";
import { el, optional, xmlDocument } from "./xml.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const maxPartNumber = 10_000;
const maxPage = 1000;

export async function createUpload(call: Call): Promise<LocalResponse> {
  const bucket = bucketOf(call);
  const key = keyOf(call);
  checkKey(key);
  const algorithm = requestedAlgorithm(call);
  const checksumType = requestedType(call, algorithm);
  const upload: Upload = {
    description: describe(call.headers, bucket),
    uploadId: newUploadId(call.now),
    initiatedMs: wholeSeconds(call.now),
    checksumAlgorithm: algorithm ?? "CRC64NVME",
    checksumType,
    checksumChosen: algorithm !== undefined,
  };
  await withKeys(call.store, { bucket: bucket.name, keys: [] }, async () => {
    const record = uploadRecord(bucket.name, key, upload.uploadId);
    await commit(call.store, [{ changes: [{ type: "put", key: record, value: upload }], freed: [] }]);
  });
  const document = xmlDocument(
    "InitiateMultipartUploadResult",
    el("Bucket", bucket.name),
    el("Key", key),
    el("UploadId", upload.uploadId),
  );
  return respondXml(document, {
    ...encryptionHeaders(upload.description.encryption),
    ...(algorithm === undefined
      ? {}
      : { "x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": checksumType }),
  });
}

/** Of the hashes only composites exist; CRC64NVME is always over the whole object. */
function requestedType(call: Call, algorithm: Upload["checksumAlgorithm"] | undefined): ChecksumType {
  const type = call.headers["x-amz-checksum-type"]?.toUpperCase();
  const standard = algorithm === undefined || algorithm === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE";
  if (type === undefined) return standard;
  const possible =
    (type === "FULL_OBJECT" && algorithm !== "SHA1" && algorithm !== "SHA256") ||
    (type === "COMPOSITE" && standard === "COMPOSITE");
  if (possible && algorithm !== undefined) return type;
  throw new S3Fault("InvalidRequest", {
    message:
      algorithm === undefined
        ? "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
        : `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
  });
}

export async function uploadPart(call: Call): Promise<LocalResponse> {
  const upload = await uploadOf(call);
  const number = partNumberOf(call);
  checkPartAlgorithm(call, upload);
  const content = await storeBody(call, upload.checksumAlgorithm);
  const { checksumAlgorithm } = upload;
  // A client may check a part with an algorithm of its own choice; the object needs the upload's.
  const checksum =
    content.checksum.algorithm === checksumAlgorithm
      ? content.checksum.value
      : await checksumOf(call, content, checksumAlgorithm);
  const sent = content.received.checksumSent && upload.checksumAlgorithm !== content.checksum.algorithm;
  const part = await savePart(call, upload, {
    number,
    content,
    checksum,
    ...(sent ? { sent: content.checksum } : {}),
  });
  return respond(200, {
    etag: `"${part.etag}"`,
    [checksumHeader(content.checksum.algorithm)]: content.checksum.value,
    ...encryptionHeaders(upload.description.encryption),
  });
}

export async function uploadPartCopy(call: Call): Promise<LocalResponse> {
  const upload = await uploadOf(call);
  const number = partNumberOf(call);
  return await withCopySource(call, async (source) => {
    checkCopyConditions(call.headers, source.object);
    const { bytes } = source.object;
    const header = call.headers["x-amz-copy-source-range"];
    const range = header === undefined ? { start: 0, end: bytes } : sourceRange(header, bytes);
    const content = await copyContent(call, source.object, { ...range, checksum: upload.checksumAlgorithm });
    const part = await savePart(call, upload, { number, content, checksum: content.checksum.value });
    const document = xmlDocument(
      "CopyPartResult",
      el("LastModified", isoTime(part.modifiedMs)),
      el("ETag", `"${part.etag}"`),
      upload.checksumChosen ? el(`Checksum${upload.checksumAlgorithm}`, part.checksum) : undefined,
    );
    return respondXml(document, {
      ...copySourceHeaders(source),
      ...encryptionHeaders(upload.description.encryption),
    });
  });
}

/** Only `bytes=first-last`, within the source. */
function sourceRange(header: string, bytes: number): { start: number; end: number } {
  const shaped = /^bytes=\d+-(\d+)$/.exec(header);
  const range = shaped === null ? undefined : parseRange(header, bytes);
  if (range === undefined || Number(shaped?.[1]) >= bytes) {
    throw new S3Fault("InvalidArgument", {
      message:
        shaped === null
          ? "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy"
          : `Range specified is not valid for source object of size: ${bytes}`,
      fields: { ArgumentName: "x-amz-copy-source-range", ArgumentValue: header },
    });
  }
  return range;
}

function checkPartAlgorithm(call: Call, upload: Upload): void {
  if (!upload.checksumChosen) return;
  const sent = Object.keys(call.headers)
    .concat(call.headers["x-amz-trailer"]?.toLowerCase() ?? [])
    .find((name) => /^x-amz-checksum-(crc|sha)/.test(name));
  const expected = checksumHeader(upload.checksumAlgorithm);
  if (sent === undefined || sent === expected) return;
  throw new S3Fault("InvalidRequest", {
    message: `Checksum Type mismatch occurred, expected checksum Type: ${upload.checksumAlgorithm.toLowerCase()}, actual checksum Type: ${sent.replace("x-amz-checksum-", "")}`,
  });
}

/** Reads stored content again for another checksum. */
async function checksumOf(
  call: Call,
  content: NewContent,
  algorithm: Upload["checksumAlgorithm"],
): Promise<string> {
  const summing = startChecksum(algorithm);
  for await (const piece of call.store.blobs.read(content.segments, 0, content.bytes)) summing.update(piece);
  return summing.digest().toString("base64");
}

/** Puts a part in place of the one that bore its number; the upload must still be there. */
async function savePart(
  call: Call,
  upload: Upload,
  taken: {
    readonly number: number;
    readonly content: NewContent;
    readonly checksum: string;
    readonly sent?: Checksum;
  },
): Promise<Part> {
  const { number, content } = taken;
  const { name } = bucketOf(call);
  const part: Part = {
    number,
    bytes: content.bytes,
    etag: content.etag,
    modifiedMs: wholeSeconds(call.now),
    segments: content.segments,
    checksum: taken.checksum,
    sent: taken.sent,
  };
  return await keepingUnlessFailed(content, () =>
    withKeys(call.store, { bucket: name, keys: [keyOf(call)] }, async () => {
      await uploadOf(call);
      const before = await call.store.index.part(upload.uploadId, number);
      const put: Change = { type: "put", key: partRecord(upload.uploadId, number), value: part };
      await commit(call.store, [{ changes: [put], freed: before?.segments ?? [] }], content.segments);
      return part;
    }),
  );
}

export async function abortUpload(call: Call): Promise<LocalResponse> {
  const { name } = bucketOf(call);
  return await withKeys(call.store, { bucket: name, keys: [keyOf(call)] }, async () => {
    const upload = await uploadOf(call);
    const changes = uploadRemoval(call, upload);
    const freed: Segment[] = [];
    for await (const part of call.store.index.parts(upload.uploadId)) {
      changes.push({ type: "del", key: partRecord(upload.uploadId, part.number) });
      freed.push(...part.segments);
    }
    await commit(call.store, [{ changes, freed }]);
    return respond(204);
  });
}

export function uploadRemoval(call: Call, upload: Upload): Change[] {
  return [{ type: "del", key: uploadRecord(call.target.bucket ?? "", keyOf(call), upload.uploadId) }];
}

export async function listParts(call: Call): Promise<LocalResponse> {
  const upload = await uploadOf(call);
  const limit = numberOf(call, "max-parts", { missing: maxPage, min: 0, max: maxPage });
  const marker = numberOf(call, "part-number-marker", { missing: 0, min: 0, max: maxPartNumber });
  const parts: Part[] = [];
  for await (const part of call.store.index.parts(upload.uploadId)) {
    if (part.number > marker) parts.push(part);
    if (parts.length > limit) break;
  }
  const page = parts.slice(0, limit);
  return respondXml(
    xmlDocument(
      "ListPartsResult",
      el("Bucket", call.target.bucket),
      el("Key", keyOf(call)),
      el("UploadId", upload.uploadId),
      el("Initiator", el("ID", ownerId)),
      el("Owner", el("ID", ownerId)),
      el("StorageClass", upload.description.storageClass),
      upload.checksumChosen
        ? [el("ChecksumAlgorithm", upload.checksumAlgorithm), el("ChecksumType", upload.checksumType)]
        : undefined,
      el("PartNumberMarker", marker),
      el("NextPartNumberMarker", page.at(-1)?.number ?? 0),
      el("MaxParts", limit),
      el("IsTruncated", limit > 0 && parts.length > page.length),
      page.map((part) =>
        el(
          "Part",
          el("PartNumber", part.number),
          el("LastModified", isoTime(part.modifiedMs)),
          el("ETag", `"${part.etag}"`),
          el("Size", part.bytes),
          upload.checksumChosen ? el(`Checksum${upload.checksumAlgorithm}`, part.checksum) : undefined,
        ),
      ),
    ),
  );
}

export async function listUploads(call: Call): Promise<LocalResponse> {
  const bucket = bucketOf(call);
  const { query } = call;
  const encode = encoder(call);
  const limit = numberOf(call, "max-uploads", { missing: maxPage, min: 0, max: maxPage });
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const keyMarker = query.get("key-marker") ?? "";
  // Without a key marker S3 ignores the marker of the upload.
  const idMarker = keyMarker === "" ? "" : (query.get("upload-id-marker") ?? "");
  const from = behindMarker(keyMarker);
  const position =
    idMarker === "" ? from.position : { behindRecord: uploadRecord(bucket.name, keyMarker, idMarker) };
  const cursor = call.store.index.uploads(bucket.name, startFor(prefix, position));
  const page = await collectPage<Upload>(cursor, {
    prefix,
    delimiter,
    limit,
    include: () => limit > 0,
    seenPrefix: from.seenPrefix,
  });
  const last = page.items.at(-1);
  return respondXml(
    xmlDocument(
      "ListMultipartUploadsResult",
      el("Bucket", bucket.name),
      el("KeyMarker", encode(keyMarker)),
      el("UploadIdMarker", idMarker),
      page.truncated && last !== undefined
        ? "prefix" in last
          ? el("NextKeyMarker", encode(last.prefix))
          : [el("NextKeyMarker", encode(last.key)), el("NextUploadIdMarker", last.value.uploadId)]
        : undefined,
      el("Prefix", encode(prefix)),
      optional("Delimiter", nonEmpty(delimiter, encode)),
      optional("EncodingType", nonEmpty(query.get("encoding-type"))),
      el("MaxUploads", limit),
      el("IsTruncated", page.truncated),
      page.items.map((item) =>
        "prefix" in item
          ? undefined
          : el(
              "Upload",
              el("Key", encode(item.key)),
              el("UploadId", item.value.uploadId),
              el("Initiator", el("ID", ownerId)),
              el("Owner", el("ID", ownerId)),
              el("StorageClass", item.value.description.storageClass),
              el("Initiated", isoTime(item.value.initiatedMs)),
              item.value.checksumChosen
                ? [
                    el("ChecksumAlgorithm", item.value.checksumAlgorithm),
                    el("ChecksumType", item.value.checksumType),
                  ]
                : undefined,
            ),
      ),
      commonPrefixes(page, encode),
    ),
  );
}

/** The upload a call is about. Throws NoSuchUpload. */
export async function uploadOf(call: Call): Promise<Upload> {
  const uploadId = call.query.get("uploadId") ?? "";
  const upload = await call.store.index.upload(bucketOf(call).name, keyOf(call), uploadId);
  if (upload === undefined) throw new S3Fault("NoSuchUpload", { fields: { UploadId: uploadId } });
  return upload;
}

function partNumberOf(call: Call): number {
  const text = call.query.get("partNumber") ?? "";
  const number = /^\d+$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= maxPartNumber) return number;
  throw new S3Fault("InvalidArgument", {
    message: `Part number must be an integer between 1 and ${maxPartNumber}, inclusive`,
    fields: { ArgumentName: "partNumber", ArgumentValue: text },
  });
}
