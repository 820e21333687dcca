import type { Call } from "./call.ts";
import { S3Fault } from "./fault.ts";
import type { Bucket, Lock, ObjectVersion } from "./records.ts";

/** The lock that a request asks for. Throws InvalidRequest where the bucket has no Object Lock. */
export function requestedLock(headers: Call["headers"], bucket: Bucket): Lock | undefined {
  const mode = headers["x-amz-object-lock-mode"]?.toUpperCase();
  const until = headers["x-amz-object-lock-retain-until-date"];
  const hold = headers["x-amz-object-lock-legal-hold"];
  if (mode === undefined && until === undefined && hold === undefined) return undefined;
  if (bucket.objectLock !== true) {
    throw new S3Fault("InvalidRequest", { message: "Bucket is missing Object Lock Configuration" });
  }
  if (hold !== undefined) {
    throw new S3Fault("NotImplemented", { message: "Legal holds are not supported by the local store" });
  }
  if (mode === undefined || until === undefined) {
    throw new S3Fault("InvalidArgument", {
      message: "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
    });
  }
  if (mode !== "GOVERNANCE" && mode !== "COMPLIANCE") {
    throw new S3Fault("InvalidArgument", { message: "Unknown wormMode directive." });
  }
  const untilMs = Date.parse(until);
  if (Number.isNaN(untilMs)) {
    throw new S3Fault("InvalidArgument", {
      message: "The retain until date must be provided in ISO 8601 format",
    });
  }
  return { mode, untilMs };
}

export function lockHeaders(lock: Lock | undefined): Record<string, string> {
  if (lock === undefined) return {};
  return {
    "x-amz-object-lock-mode": lock.mode,
    "x-amz-object-lock-retain-until-date": new Date(lock.untilMs).toISOString(),
  };
}

/** Throws AccessDenied where a version is locked; what is kept by governance goes where the caller says so. */
export function checkNotLocked(call: Call, version: ObjectVersion): void {
  const lock = version.deleteMarker === true ? undefined : version.lock;
  if (lock === undefined || lock.untilMs <= call.now.getTime()) return;
  const isBypassed = call.headers["x-amz-bypass-governance-retention"]?.toLowerCase() === "true";
  if (lock.mode === "GOVERNANCE" && isBypassed) return;
  throw new S3Fault("AccessDenied", { message: "Access Denied because object protected by object lock." });
}
