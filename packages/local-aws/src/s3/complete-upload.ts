import { createHash } from "node:crypto";
import type { LocalResponse } from "../service.ts";
import { type Call, bucketOf, keyOf, respondXml, wholeSeconds } from "./call.ts";
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksumAlgorithms,
  checksumHeader,
  compositeChecksum,
  joinedChecksum,
} from "./checksums.ts";
import { encryptionHeaders } from "./description.ts";
import { S3Fault } from "./fault.ts";
import { uploadOf, uploadRemoval } from "./multipart.ts";
import { type Change, partRecord } from "./object-index.ts";
import { checkWriteConditions } from "./preconditions.ts";
import { receiveText } from "./receive.ts";
import type { Bucket, Part, Segment, StoredObject, Upload } from "./records.ts";
import { commit, planVersion, versionHeader, withKeys } from "./versions.ts";
import { childrenOf, el, optional, parseXml, textOf, xmlDocument } from "./xml.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const minPartBytes = 5 * 1024 ** 2;

interface ListedPart {
  readonly number: number;
  readonly etag: string;
  /** As the client remembers it, if it does. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
}

/**
 * CompleteMultipartUpload: the object is the list of its parts' files, nothing is copied. Parts that are not
 * listed go. Completing again what is already complete answers the same.
 */
export async function completeUpload(call: Call): Promise<LocalResponse> {
  const { name } = bucketOf(call);
  const key = keyOf(call);
  const document = await parseXml(await receiveText(withoutChecksum(call)), "CompleteMultipartUpload");
  const listed = childrenOf(document, "Part").map((part): ListedPart => {
    const number = Number(textOf(part, "PartNumber"));
    const etag = textOf(part, "ETag")?.replaceAll('"', "");
    if (!Number.isInteger(number) || etag === undefined) throw new S3Fault("MalformedXML");
    const [checksum] = checksumAlgorithms.flatMap((algorithm) => {
      const value = textOf(part, `Checksum${algorithm}`);
      return value === undefined ? [] : [{ algorithm, value }];
    });
    return { number, etag, checksum };
  });
  if (listed.length === 0) throw new S3Fault("MalformedXML");

  return await withKeys(call.store, { bucket: name, keys: [key] }, async (bucket) => {
    const { index } = call.store;
    const newest = await index.newest(name, key);
    const uploadId = call.query.get("uploadId");
    if (newest?.deleteMarker !== true && newest?.uploadId === uploadId && newest !== undefined) {
      return completed(call, bucket, newest);
    }
    const upload = await uploadOf(call);
    checkWriteConditions(call.headers, newest, key);
    const stored = new Map<number, Part>();
    for await (const part of index.parts(upload.uploadId)) stored.set(part.number, part);
    const parts = chosenParts(listed, stored, upload);
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const announced = call.headers["x-amz-mp-object-size"];
    if (announced !== undefined && Number(announced) !== bytes) {
      throw new S3Fault("InvalidRequest", {
        message: `The provided 'x-amz-mp-object-size' header value ${announced} does not match what was computed: ${bytes}`,
      });
    }
    const checksum = checksumOfParts(upload, parts);
    checkClaim(call, checksum);

    const { uploadId: id } = upload;
    const plan = await planVersion<StoredObject>(
      call.store,
      { bucket, key },
      {
        ...upload.description,
        modifiedMs: wholeSeconds(call.now),
        bytes,
        etag: etagOf(parts),
        segments: parts.flatMap((part) => part.segments),
        checksum,
        parts: parts.map((part, at) => ({ number: at + 1, bytes: part.bytes, checksum: part.checksum })),
        uploadId: id,
      },
    );
    const chosen = new Set(parts);
    const unlisted = [...stored.values()].filter((part) => !chosen.has(part));
    const changes: Change[] = [
      ...uploadRemoval(call, upload),
      ...[...stored.keys()].map((number): Change => ({ type: "del", key: partRecord(id, number) })),
    ];
    const freed: Segment[] = unlisted.flatMap((part) => part.segments);
    await commit(call.store, [plan, { changes, freed }]);
    return completed(call, bucket, plan.version);
  });
}

/** The checksum headers of this request are about the object, not about the document in its body. */
function withoutChecksum(call: Call): Call {
  const names = new Set(checksumAlgorithms.map(checksumHeader));
  const headers = Object.fromEntries(Object.entries(call.headers).filter(([name]) => !names.has(name)));
  delete headers["x-amz-sdk-checksum-algorithm"];
  return { ...call, headers };
}

function chosenParts(
  listed: readonly ListedPart[],
  stored: ReadonlyMap<number, Part>,
  upload: Upload,
): Part[] {
  let before = 0;
  for (const { number } of listed) {
    if (number <= before) throw new S3Fault("InvalidPartOrder");
    before = number;
  }
  const parts = listed.map(({ number, etag, checksum }) => {
    const part = stored.get(number);
    if (part === undefined || part.etag !== etag || !bears(part, checksum, upload)) {
      throw new S3Fault("InvalidPart", { fields: { PartNumber: number, ETag: etag } });
    }
    return part;
  });
  for (const part of parts.slice(0, -1)) {
    if (part.bytes < minPartBytes) {
      throw new S3Fault("EntityTooSmall", {
        fields: {
          ProposedSize: part.bytes,
          MinSizeAllowed: minPartBytes,
          PartNumber: part.number,
          ETag: part.etag,
        },
      });
    }
  }
  return parts;
}

function bears(part: Part, claimed: ListedPart["checksum"], upload: Upload): boolean {
  if (claimed === undefined) return true;
  if (claimed.algorithm === upload.checksumAlgorithm) return claimed.value === part.checksum;
  return claimed.algorithm === part.sent?.algorithm && claimed.value === part.sent.value;
}

/** MD5 of the parts' MD5s, and their number. */
function etagOf(parts: readonly Part[]): string {
  const hash = createHash("md5");
  for (const part of parts) hash.update(Buffer.from(part.etag, "hex"));
  return `${hash.digest("hex")}-${parts.length}`;
}

function checksumOfParts(upload: Upload, parts: readonly Part[]): Checksum {
  const { checksumAlgorithm: algorithm } = upload;
  if (upload.checksumType === "COMPOSITE" || algorithm === "SHA1" || algorithm === "SHA256") {
    return compositeChecksum(
      algorithm,
      parts.map((part) => part.checksum),
    );
  }
  return joinedChecksum(
    algorithm,
    parts.map((part) => ({ value: part.checksum, bytes: part.bytes })),
  );
}

/** What the client says the whole object's checksum is, if it says so. */
function checkClaim(call: Call, checksum: Checksum): void {
  const type = call.headers["x-amz-checksum-type"]?.toUpperCase();
  if (type !== undefined && type !== checksum.type) {
    throw new S3Fault("InvalidRequest", {
      message: `The upload was created using the ${checksum.type} checksum mode. The complete request must use the same checksum mode.`,
    });
  }
  const claimed = call.headers[checksumHeader(checksum.algorithm)];
  if (claimed === undefined || claimed === checksum.value) return;
  // Composite checksums may come without the number of parts.
  if (checksum.type === "COMPOSITE" && checksum.value.startsWith(`${claimed}-`)) return;
  throw new S3Fault("BadDigest", {
    message: `The ${checksum.algorithm} you specified did not match the calculated checksum.`,
  });
}

function completed(call: Call, bucket: Bucket, object: StoredObject): LocalResponse {
  const key = keyOf(call);
  const { checksum } = object;
  const path = encodeURIComponent(key).replaceAll("%2F", "/");
  const document = xmlDocument(
    "CompleteMultipartUploadResult",
    el("Location", `http://${call.headers["host"] ?? "localhost"}/${bucket.name}/${path}`),
    el("Bucket", bucket.name),
    el("Key", key),
    el("ETag", `"${object.etag}"`),
    checksum === undefined ? undefined : el(`Checksum${checksum.algorithm}`, checksum.value),
    optional("ChecksumType", checksum?.type),
  );
  return respondXml(document, { ...versionHeader(bucket, object), ...encryptionHeaders(object.encryption) });
}
