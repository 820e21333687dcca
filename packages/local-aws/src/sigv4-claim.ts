import type { LocalRequest } from "./service.ts";
import { parseTimestamp, type QueryPair, timestampOfDate } from "./sigv4-canonical.ts";

/* What a request claims about its signature, and the faults that reading it may end in. */

export const algorithm = "AWS4-HMAC-SHA256";
const maxExpirySeconds = 604_800;

/** `code` is S3's name for the fault; an end with other names maps it. */
export interface Fault {
  readonly kind: "fault";
  readonly status: 400 | 403;
  readonly code:
    | "AccessDenied"
    | "AuthorizationHeaderMalformed"
    | "AuthorizationQueryParametersError"
    | "InvalidAccessKeyId"
    | "InvalidArgument"
    | "InvalidRequest"
    | "RequestTimeTooSkewed"
    | "SignatureDoesNotMatch"
    | "XAmzContentSHA256Mismatch";
  readonly message: string;
  /** The right one, where the scope named another. */
  readonly region?: string;
}

/** What a request says of itself, before anything of it is believed. */
export interface Claim {
  readonly kind: "claim";
  readonly by: "header" | "query";
  readonly credential: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly timestamp: string;
  readonly expirySeconds?: number;
}

/** The parts of an `Authorization` header, with the time of `x-amz-date` or `Date`. */
export function claimOfHeader(authorization: string, headers: LocalRequest["headers"]): Claim | Fault {
  const fields = new Map<string, string>();
  for (const field of authorization.slice(algorithm.length).split(",")) {
    const at = field.indexOf("=");
    if (at > 0) fields.set(field.slice(0, at).trim(), field.slice(at + 1).trim());
  }
  const credential = fields.get("Credential");
  const signedHeaders = fields.get("SignedHeaders");
  const signature = fields.get("Signature");
  if (credential === undefined || signedHeaders === undefined || signature === undefined) {
    return fault(
      400,
      "AuthorizationHeaderMalformed",
      "The authorization header is malformed; it needs Credential, SignedHeaders and Signature.",
    );
  }
  const timestamp = headers["x-amz-date"] ?? timestampOfDate(headers["date"]);
  if (timestamp === undefined || parseTimestamp(timestamp) === undefined) {
    return fault(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header");
  }
  return {
    kind: "claim",
    by: "header",
    credential,
    signedHeaders: names(signedHeaders),
    signature,
    timestamp,
  };
}

/** The `X-Amz-*` parameters of a presigned link, whose validity is at most a week. */
export function claimOfQuery(query: readonly QueryPair[]): Claim | Fault {
  const values = new Map(query);
  const wrong = (message: string) => fault(400, "AuthorizationQueryParametersError", message);
  if (values.get("X-Amz-Algorithm") !== algorithm) {
    return wrong(`X-Amz-Algorithm only supports "${algorithm}"`);
  }
  const credential = values.get("X-Amz-Credential");
  const signedHeaders = values.get("X-Amz-SignedHeaders");
  const signature = values.get("X-Amz-Signature");
  const timestamp = values.get("X-Amz-Date");
  const expires = values.get("X-Amz-Expires");
  if (
    credential === undefined ||
    signedHeaders === undefined ||
    signature === undefined ||
    timestamp === undefined ||
    expires === undefined
  ) {
    return wrong(
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    );
  }
  if (parseTimestamp(timestamp) === undefined) {
    return wrong("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  if (!/^-?\d+$/.test(expires)) return wrong("X-Amz-Expires should be a number");
  const expirySeconds = Number(expires);
  if (expirySeconds < 0) return wrong("X-Amz-Expires must be non-negative");
  if (expirySeconds > maxExpirySeconds) {
    return wrong(
      "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
    );
  }
  const common = { credential, signature, timestamp, expirySeconds, signedHeaders: names(signedHeaders) };
  return { kind: "claim", by: "query", ...common };
}

function names(list: string): string[] {
  return list.toLowerCase().split(";");
}

export function fault(status: Fault["status"], code: Fault["code"], message: string): Fault {
  return { kind: "fault", status, code, message };
}
