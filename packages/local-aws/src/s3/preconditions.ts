import type { Call } from "./call.ts";
import { S3Fault } from "./fault.ts";
import type { ObjectVersion, StoredObject } from "./records.ts";

/**
 * The preconditions of a read, in the order of RFC 9110, section 13.2.2: an entity tag, where one is given, decides
 * instead of the time beside it. Throws PreconditionFailed (412) or NotModified (304).
 */
export function checkReadConditions(
  headers: Call["headers"],
  object: StoredObject,
  validators: Record<string, string>,
): void {
  const match = headers["if-match"];
  const unmodified = timeOf(headers["if-unmodified-since"]);
  if (match === undefined) {
    if (unmodified !== undefined && object.modifiedMs > unmodified) throw failed("If-Unmodified-Since");
  } else if (!names(match, object.etag)) throw failed("If-Match");

  const noneMatch = headers["if-none-match"];
  const modified = timeOf(headers["if-modified-since"]);
  const same =
    noneMatch === undefined
      ? modified !== undefined && object.modifiedMs <= modified
      : names(noneMatch, object.etag);
  if (same) throw new S3Fault("NotModified", { headers: validators });
}

/** The same for the source of a copy, where nothing is "not modified": everything is 412. */
export function checkCopyConditions(headers: Call["headers"], source: StoredObject): void {
  const match = headers["x-amz-copy-source-if-match"];
  const unmodified = timeOf(headers["x-amz-copy-source-if-unmodified-since"]);
  if (match === undefined) {
    if (unmodified !== undefined && source.modifiedMs > unmodified) {
      throw failed("x-amz-copy-source-If-Unmodified-Since");
    }
  } else if (!names(match, source.etag)) throw failed("x-amz-copy-source-If-Match");
  const noneMatch = headers["x-amz-copy-source-if-none-match"];
  const modified = timeOf(headers["x-amz-copy-source-if-modified-since"]);
  if (noneMatch === undefined) {
    if (modified !== undefined && source.modifiedMs <= modified)
      throw failed("x-amz-copy-source-If-Modified-Since");
  } else if (names(noneMatch, source.etag)) throw failed("x-amz-copy-source-If-None-Match");
}

/**
 * The preconditions of a write, against what stands at the key now; to be asked under the key's lock. S3 takes
 * `If-None-Match: *` only. Throws PreconditionFailed, NoSuchKey (If-Match on nothing), NotImplemented.
 */
export function checkWriteConditions(
  headers: Call["headers"],
  current: ObjectVersion | undefined,
  key: string,
): void {
  const object = current?.deleteMarker === true ? undefined : current;
  const noneMatch = headers["if-none-match"];
  if (noneMatch !== undefined) {
    if (noneMatch !== "*") throw new S3Fault("NotImplemented", { fields: { Header: "If-None-Match" } });
    if (object !== undefined) throw failed("If-None-Match");
  }
  const match = headers["if-match"];
  if (match === undefined) return;
  if (object === undefined) throw new S3Fault("NoSuchKey", { fields: { Key: key } });
  if (!names(match, object.etag)) throw failed("If-Match");
}

/** Whether a list of entity tags, or `*`, names this one. */
export function names(list: string, etag: string): boolean {
  return list.split(",").some((one) => {
    const tag = one.trim().replace(/^W\//, "").replaceAll('"', "");
    return tag === "*" || tag === etag;
  });
}

export function failed(condition: string): S3Fault {
  return new S3Fault("PreconditionFailed", { fields: { Condition: condition } });
}

/** A date nobody can read is no condition. */
function timeOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const time = Date.parse(header);
  return Number.isNaN(time) ? undefined : time;
}
