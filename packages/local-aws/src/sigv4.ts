import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import {
  canonicalPath,
  canonicalQuery,
  canonicalValue,
  parseQuery,
  parseTimestamp,
  type QueryPair,
} from "./sigv4-canonical.ts";
import { algorithm, type Claim, claimOfHeader, claimOfQuery, type Fault, fault } from "./sigv4-claim.ts";
import type { LocalCredentials, LocalRequest } from "./service.ts";

/*
 * AWS Signature Version 4, seen from the server. Rules:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */

const maxSkewMs = 15 * 60_000;
const emptySha256 = createHash("sha256").digest("hex");

/** How the body is covered by the signature: what `x-amz-content-sha256` announced. */
type PayloadKind =
  /** The hash in `Authenticated.payloadSha256`; the reader of the body has to compare it. */
  | "hash"
  | "unsigned"
  /** `aws-chunked`, every chunk signed; see `chunkSignatures`. */
  | "streaming-signed"
  | "streaming-signed-trailer"
  /** `aws-chunked` without chunk signatures. */
  | "streaming-unsigned-trailer";

export interface Authenticated {
  readonly kind: "authenticated";
  /** Presigned links come by "query". */
  readonly by: "header" | "query";
  readonly accessKeyId: string;
  readonly payload: PayloadKind;
  /** Lower-case hex; only for payload "hash". */
  readonly payloadSha256: string | undefined;
  /** Seed of the chunk signatures. */
  readonly signature: string;
  readonly signing: SigningContext;
}

interface SigningContext {
  readonly key: Buffer;
  /** `YYYYMMDDTHHMMSSZ` */
  readonly timestamp: string;
  /** `date/region/service/aws4_request` */
  readonly scope: string;
}

export type Verdict = Authenticated | { readonly kind: "anonymous" } | Fault;

export interface VerifyOptions {
  readonly credentials: LocalCredentials;
  readonly now: () => Date;
  /** As in the credential scope: "s3", "dynamodb", ... S3 encodes paths once, the others twice. */
  readonly service: string;
  /**
   * The only region to accept beside us-east-1, which clients sign for that were told none. Undefined accepts any.
   */
  readonly region?: string;
  /**
   * Hex SHA-256 of a buffered body. Without it the body is trusted to be checked by its reader, against
   * `payloadSha256`; clients of services other than S3 need not send the hash, so their ends must give it.
   */
  readonly bodySha256?: string;
}

/**
 * Who sent this request? Reads no body. Throws never; every refusal is a `Fault`.
 */
export function verify(request: LocalRequest, options: VerifyOptions): Verdict {
  const query = parseQuery(request.query);
  const authorization = request.headers["authorization"];
  const presigned = query.some(([name]) => name === "X-Amz-Algorithm" || name === "X-Amz-Signature");
  const legacy = query.some(([name]) => name === "AWSAccessKeyId");
  if (authorization !== undefined && presigned) {
    return fault(400, "InvalidArgument", "Only one auth mechanism allowed");
  }
  if (authorization === undefined && !presigned && !legacy) return { kind: "anonymous" };
  if (legacy || (authorization !== undefined && !authorization.startsWith(algorithm))) {
    return fault(
      400,
      "InvalidRequest",
      `The authorization mechanism you have provided is not supported. Please use ${algorithm}.`,
    );
  }
  const claim =
    authorization === undefined ? claimOfQuery(query) : claimOfHeader(authorization, request.headers);
  return claim.kind === "fault" ? claim : judge(claim, request, { ...options, parsedQuery: query });
}

/** Signature of one POST policy document (base64, as sent), for comparison with `sameSignature`. */
export function policySignature(secretAccessKey: string, scope: string, policy: string): string {
  return hmac(signingKey(secretAccessKey, scope), policy).toString("hex");
}

/** Compares two hex signatures in constant time. */
export function sameSignature(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/**
 * Signatures of an `aws-chunked` body, each chained to the one before: call once per chunk in order (the
 * empty last one included), then once for the trailer.
 */
export function chunkSignatures(sender: Authenticated): {
  chunk(sha256: string): string;
  trailer(sha256: string): string;
} {
  const { key, timestamp, scope } = sender.signing;
  let previous = sender.signature;
  function next(kind: string, ...hashes: string[]): string {
    const text = [`${algorithm}-${kind}`, timestamp, scope, previous, ...hashes].join("\n");
    return (previous = hmac(key, text).toString("hex"));
  }
  return {
    chunk: (sha256) => next("PAYLOAD", emptySha256, sha256),
    trailer: (sha256) => next("TRAILER", sha256),
  };
}

function judge(
  claim: Claim,
  request: LocalRequest,
  options: VerifyOptions & { parsedQuery: readonly QueryPair[] },
): Authenticated | Fault {
  const malformed =
    claim.by === "header" ? "AuthorizationHeaderMalformed" : "AuthorizationQueryParametersError";
  // An access key holds no slash; the scope is what follows it.
  const slash = claim.credential.indexOf("/");
  const accessKeyId = claim.credential.slice(0, Math.max(slash, 0));
  const scope = claim.credential.slice(slash + 1);
  const [date, region, service, end, ...rest] = scope.split("/");
  if (slash < 1 || !region || end !== "aws4_request" || rest.length > 0) {
    return fault(
      400,
      malformed,
      'The credential is malformed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    );
  }
  if (date !== claim.timestamp.slice(0, 8)) {
    return fault(400, malformed, "Invalid credential date; it is not the date of the request.");
  }
  if (service !== options.service) {
    return fault(
      400,
      malformed,
      `Incorrect service "${service}"; this endpoint belongs to "${options.service}".`,
    );
  }
  if (options.region !== undefined && region !== options.region && region !== "us-east-1") {
    const message = `The authorization is malformed; the region '${region}' is wrong; expecting '${options.region}'`;
    return { ...fault(400, malformed, message), region: options.region };
  }
  if (accessKeyId !== options.credentials.accessKeyId) {
    return fault(
      403,
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
    );
  }
  const untimely = checkTime(claim, options.now());
  if (untimely !== undefined) return untimely;
  const unsigned = unsignedHeader(claim, request, options.service);
  if (unsigned !== undefined) {
    return fault(
      403,
      "AccessDenied",
      `There were headers present in the request which were not signed: ${unsigned}`,
    );
  }
  const payload = payloadOf(claim, request, options);
  if (payload.kind === "fault") return payload;

  // Header values are bytes, which HTTP gives one character each; all the rest is ASCII.
  const canonical = [
    request.method,
    canonicalPath(request.path, options.service),
    canonicalQuery(options.parsedQuery),
    ...claim.signedHeaders.map((name) => `${name}:${canonicalValue(request.headers[name] ?? "")}`),
    "",
    claim.signedHeaders.join(";"),
    payload.text,
  ].join("\n");
  const key = signingKey(options.credentials.secretAccessKey, scope);
  const toSign = [algorithm, claim.timestamp, scope, sha256(Buffer.from(canonical, "latin1"))].join("\n");
  const signature = hmac(key, toSign).toString("hex");
  if (!sameSignature(signature, claim.signature)) {
    return fault(
      403,
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    );
  }
  return {
    kind: "authenticated",
    by: claim.by,
    accessKeyId,
    payload: payload.kind,
    payloadSha256: payload.kind === "hash" ? payload.text : undefined,
    signature,
    signing: { key, timestamp: claim.timestamp, scope },
  };
}

function checkTime(claim: Claim, now: Date): Fault | undefined {
  const sent = parseTimestamp(claim.timestamp) ?? 0;
  if (claim.expirySeconds === undefined) {
    return Math.abs(now.getTime() - sent) > maxSkewMs
      ? fault(
          403,
          "RequestTimeTooSkewed",
          "The difference between the request time and the current time is too large.",
        )
      : undefined;
  }
  if (sent - now.getTime() > maxSkewMs) return fault(403, "AccessDenied", "Request is not yet valid");
  return now.getTime() > sent + claim.expirySeconds * 1000
    ? fault(403, "AccessDenied", "Request has expired")
    : undefined;
}

/** `host` must always be signed; S3 wants every `x-amz-*` header signed too. */
function unsignedHeader(claim: Claim, request: LocalRequest, service: string): string | undefined {
  const signed = new Set(claim.signedHeaders);
  if (!signed.has("host")) return "host";
  if (service !== "s3") return undefined;
  return Object.keys(request.headers).find(
    // A presigned request may carry the hash of its body unsigned: the link was made before the body.
    (name) =>
      name.startsWith("x-amz-") &&
      !signed.has(name) &&
      !(claim.by === "query" && name === "x-amz-content-sha256"),
  );
}

function payloadOf(
  claim: Claim,
  request: LocalRequest,
  options: VerifyOptions & { parsedQuery: readonly QueryPair[] },
): { kind: PayloadKind; text: string } | Fault {
  const announced =
    claim.by === "query"
      ? (options.parsedQuery.find(([name]) => name === "X-Amz-Content-Sha256")?.[1] ??
        (claim.signedHeaders.includes("x-amz-content-sha256")
          ? request.headers["x-amz-content-sha256"]
          : undefined))
      : request.headers["x-amz-content-sha256"];
  if (announced === undefined) {
    if (options.service !== "s3") return { kind: "hash", text: options.bodySha256 ?? emptySha256 };
    if (claim.by === "query") return { kind: "unsigned", text: "UNSIGNED-PAYLOAD" };
    return fault(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  }
  switch (announced) {
    case "UNSIGNED-PAYLOAD":
      return { kind: "unsigned", text: announced };
    case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD":
      return { kind: "streaming-signed", text: announced };
    case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER":
      return { kind: "streaming-signed-trailer", text: announced };
    case "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
      return { kind: "streaming-unsigned-trailer", text: announced };
    default:
  }
  if (!/^[0-9a-f]{64}$/.test(announced)) {
    return fault(
      400,
      "InvalidArgument",
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
    );
  }
  if (options.bodySha256 !== undefined && options.bodySha256 !== announced) {
    return fault(
      400,
      "XAmzContentSHA256Mismatch",
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  return { kind: "hash", text: announced };
}

function signingKey(secret: string, scope: string): Buffer {
  const [date = "", region = "", service = "", end = ""] = scope.split("/");
  return [region, service, end].reduce((key, part) => hmac(key, part), hmac(`AWS4${secret}`, date));
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
