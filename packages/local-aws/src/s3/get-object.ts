import type { LocalResponse } from "../service.ts";
import { type Call, type Store, bucketOf, httpTime, keyOf, respond } from "./call.ts";
import { checksumHeader } from "./checksums.ts";
import { encryptionHeaders, metadataHeaders } from "./description.ts";
import { S3Fault } from "./fault.ts";
import { lockHeaders } from "./object-lock.ts";
import { checkReadConditions } from "./preconditions.ts";
import { checksumHeaders } from "./put-object.ts";
import type { Bucket, StoredObject } from "./records.ts";
import { readVersion, versionHeader } from "./versions.ts";

/** Up to this size a body is read before the answer goes out, which spares a stream. */
const smallBytes = 128 * 1024;

/** Headers that a request may replace in its answer, by query parameter. */
const overrides = {
  "response-content-type": "content-type",
  "response-content-language": "content-language",
  "response-expires": "expires",
  "response-cache-control": "cache-control",
  "response-content-disposition": "content-disposition",
  "response-content-encoding": "content-encoding",
} as const;

/** GetObject and HeadObject. */
export async function getObject(call: Call): Promise<LocalResponse> {
  const bucket = bucketOf(call);
  const key = keyOf(call);
  const { blobs, locks } = call.store;
  // Looked up and retained under the lock, lest the files go between the two.
  const object = await locks.shared(`${bucket.name}/${key}`, async () => {
    const found = await readVersion(call, bucket, key);
    blobs.retain(found.segments);
    return found;
  });
  let answered = false;
  try {
    const { status, headers, start, end } = answer(call, bucket, object);
    if (call.request.method === "HEAD" || start === end) return respond(status, headers);
    if (object.storageClass === "GLACIER" || object.storageClass === "DEEP_ARCHIVE") {
      throw new S3Fault("InvalidObjectState", { fields: { StorageClass: object.storageClass } });
    }
    if (end - start <= smallBytes) {
      const pieces: Uint8Array[] = [];
      for await (const piece of blobs.read(object.segments, start, end)) pieces.push(piece);
      return respond(status, headers, Buffer.concat(pieces));
    }
    answered = true;
    return { status, headers, body: readThenRelease(call.store, object, { start, end }) };
  } finally {
    if (!answered) blobs.release(object.segments);
  }
}

function answer(
  call: Call,
  bucket: Bucket,
  object: StoredObject,
): { status: number; headers: Record<string, string>; start: number; end: number } {
  const validators = {
    etag: `"${object.etag}"`,
    "last-modified": httpTime(object.modifiedMs),
    ...versionHeader(bucket, object),
  };
  checkReadConditions(call.headers, object, {
    ...validators,
    ...("cache-control" in object.headers ? { "cache-control": object.headers["cache-control"] ?? "" } : {}),
  });
  const range = requestedRange(call, object);
  const whole = range === undefined;
  const { start, end } = range ?? { start: 0, end: object.bytes };
  const headers: Record<string, string> = {
    ...object.headers,
    ...overriddenHeaders(call),
    ...metadataHeaders(object.metadata),
    ...validators,
    ...encryptionHeaders(object.encryption),
    ...lockHeaders(object.lock),
    "accept-ranges": "bytes",
    "content-length": String(end - start),
  };
  if (object.storageClass !== "STANDARD") headers["x-amz-storage-class"] = object.storageClass;
  if (object.tags.length > 0) headers["x-amz-tagging-count"] = String(object.tags.length);
  if (!whole) headers["content-range"] = `bytes ${start}-${end - 1}/${object.bytes}`;
  if (range?.partsCount !== undefined) headers["x-amz-mp-parts-count"] = String(range.partsCount);
  if (call.headers["x-amz-checksum-mode"]?.toUpperCase() === "ENABLED") {
    if (whole) Object.assign(headers, checksumHeaders(object.checksum));
    else if (range.checksum !== undefined) Object.assign(headers, range.checksum);
  }
  return { status: whole ? 200 : 206, headers, start, end };
}

interface Range {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly partsCount?: number;
  readonly checksum?: Record<string, string>;
}

/** The run of bytes asked for by `Range` or `partNumber`; undefined means all. Throws InvalidRange, InvalidPartNumber. */
function requestedRange(call: Call, object: StoredObject): Range | undefined {
  const partNumber = call.query.get("partNumber");
  const header = call.headers["range"];
  if (partNumber === undefined) return header === undefined ? undefined : parseRange(header, object.bytes);
  if (header !== undefined) {
    throw new S3Fault("InvalidRequest", {
      message: "Cannot specify both Range header and partNumber query parameter",
    });
  }
  const number = /^\d+$/.test(partNumber) ? Number(partNumber) : 0;
  if (number < 1 || number > 10_000) {
    throw new S3Fault("InvalidArgument", {
      message: "Part number must be an integer between 1 and 10000, inclusive",
      fields: { ArgumentName: "partNumber", ArgumentValue: partNumber },
    });
  }
  const parts = object.parts ?? [{ number: 1, bytes: object.bytes }];
  const part = parts[number - 1];
  if (part === undefined) {
    throw new S3Fault("InvalidPartNumber", {
      fields: { PartNumberRequested: partNumber, ActualPartCount: parts.length },
    });
  }
  const start = parts.slice(0, number - 1).reduce((sum, { bytes }) => sum + bytes, 0);
  const end = start + part.bytes;
  if (object.parts === undefined) return object.bytes === 0 ? undefined : { start, end };
  const checksum =
    object.checksum === undefined || part.checksum === undefined
      ? {}
      : { checksum: { [checksumHeader(object.checksum.algorithm)]: part.checksum } };
  return { start, end, partsCount: parts.length, ...checksum };
}

/** One range of bytes. Several at once, other units and nonsense are ignored, as S3 does. Throws InvalidRange. */
export function parseRange(header: string, bytes: number): Range | undefined {
  const found = /^bytes\s*=\s*(\d*)\s*-\s*(\d*)$/.exec(header.trim());
  if (found === null) return undefined;
  const [, first = "", last = ""] = found;
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(bytes - Number(last), 0) : Number(first);
  const end = first === "" || last === "" ? bytes : Math.min(Number(last) + 1, bytes);
  if (first !== "" && last !== "" && Number(last) < start) return undefined;
  if (start >= bytes || start >= end) {
    throw new S3Fault("InvalidRange", {
      fields: { RangeRequested: header, ActualObjectSize: bytes },
      headers: { "content-range": `bytes */${bytes}` },
    });
  }
  return { start, end };
}

function overriddenHeaders(call: Call): Record<string, string> {
  const replaced: Record<string, string> = {};
  for (const [parameter, header] of Object.entries(overrides)) {
    const value = call.query.get(parameter);
    if (value === undefined) continue;
    if (call.sender.kind === "anonymous") {
      throw new S3Fault("InvalidRequest", {
        message: "Request specific response headers cannot be used for anonymous GET requests.",
      });
    }
    // A line break would end the header.
    if (/[\r\n]/.test(value)) throw new S3Fault("InvalidArgument", { fields: { ArgumentName: parameter } });
    replaced[header] = value;
  }
  return replaced;
}

async function* readThenRelease(
  store: Store,
  object: StoredObject,
  range: { readonly start: number; readonly end: number },
): AsyncGenerator<Uint8Array> {
  try {
    yield* store.blobs.read(object.segments, range.start, range.end);
  } finally {
    store.blobs.release(object.segments);
  }
}
