import { createHash } from "node:crypto";
import type { Call } from "./call.ts";
import { decodeAwsChunked } from "./aws-chunked.ts";
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksumAlgorithms,
  checksumBytes,
  checksumHeader,
  isChecksumAlgorithm,
  startChecksum,
} from "./checksums.ts";
import { S3Fault } from "./fault.ts";

/** 5 GiB: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const maxObjectBytes = 5 * 1024 ** 3;
/** DeleteObjects with 1,000 keys of 1,024 bytes, every byte a character reference, stays below. */
const maxDocumentBytes = 16 * 1024 ** 2;

export interface Received {
  readonly bytes: number;
  /** Hex. */
  readonly md5: string;
  readonly checksum: Checksum;
  /** Whether the client sent the checksum, rather than leaving it to the store. */
  readonly checksumSent: boolean;
}

export interface ReceiveOptions {
  /** What to compute when the client sends no checksum. */
  readonly checksum: ChecksumAlgorithm;
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** A file within a form has no length of its own. */
  readonly lengthUnknown?: boolean;
}

/**
 * Takes in a request's body: decodes `aws-chunked`, hands the payload to `write`, and compares every length, hash
 * and checksum that came with it. Throws the fault S3 answers with; what was written is then to be discarded.
 */
export async function receive(call: Call, options: ReceiveOptions): Promise<Received> {
  const promised = options.lengthUnknown === true ? undefined : promisedBytes(call);
  const claim = claimedChecksum(call);
  const claimedMd5 = contentMd5(call);
  const { payload, trailer } = payloadOf(call);
  const algorithm = claim.algorithm ?? options.checksum;

  const md5 = createHash("md5");
  const summing = startChecksum(algorithm);
  const expectedSha256 = call.sender.kind === "authenticated" ? call.sender.payloadSha256 : undefined;
  const sha256 = expectedSha256 === undefined ? undefined : createHash("sha256");
  let bytes = 0;
  for await (const piece of payload) {
    bytes += piece.length;
    if (bytes > (promised ?? maxObjectBytes)) {
      throw new S3Fault(promised === undefined ? "EntityTooLarge" : "IncompleteBody");
    }
    md5.update(piece);
    summing.update(piece);
    sha256?.update(piece);
    await options.write(piece);
  }
  if (promised !== undefined && bytes < promised) throw new S3Fault("IncompleteBody");
  if (sha256 !== undefined && sha256.digest("hex") !== expectedSha256) {
    throw new S3Fault("XAmzContentSHA256Mismatch");
  }
  const md5Hex = md5.digest("hex");
  if (claimedMd5 !== undefined && claimedMd5 !== md5Hex) throw new S3Fault("BadDigest");

  const value = summing.digest().toString("base64");
  const sent = claim.value ?? (claim.algorithm && trailer.get(checksumHeader(claim.algorithm)));
  if (claim.algorithm !== undefined) {
    if (sent === undefined)
      throw new S3Fault("IncompleteBody", { message: "The request lacks its announced trailer." });
    checkShape(claim.algorithm, sent);
    if (sent !== value) {
      throw new S3Fault("BadDigest", {
        message: `The ${algorithm} you specified did not match the calculated checksum.`,
      });
    }
  }
  return {
    bytes,
    md5: md5Hex,
    checksum: { algorithm, value, type: "FULL_OBJECT" },
    checksumSent: sent !== undefined,
  };
}

/** The body of a request whose body is a document, checked like any other. Throws MaxMessageLengthExceeded. */
export async function receiveText(call: Call): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  await receive(call, {
    checksum: "CRC32",
    async write(piece) {
      bytes += piece.length;
      if (bytes > maxDocumentBytes) throw new S3Fault("MaxMessageLengthExceeded");
      pieces.push(piece);
    },
  });
  return Buffer.concat(pieces).toString("utf8");
}

/** Whether the request brings something its body can be compared with, as some requests must. */
export function bringsDigest(call: Call): boolean {
  return call.headers["content-md5"] !== undefined || claimedChecksum(call).algorithm !== undefined;
}

function payloadOf(call: Call): { payload: AsyncIterable<Uint8Array>; trailer: ReadonlyMap<string, string> } {
  const { sender, request } = call;
  if (!isAwsChunked(call)) return { payload: request.body, trailer: new Map() };
  const signed =
    sender.kind === "authenticated" &&
    (sender.payload === "streaming-signed" || sender.payload === "streaming-signed-trailer");
  return decodeAwsChunked(request.body, {
    ...(signed ? { signer: sender } : {}),
    signedTrailer: sender.kind === "authenticated" && sender.payload === "streaming-signed-trailer",
  });
}

function isAwsChunked(call: Call): boolean {
  return call.headers["x-amz-content-sha256"]?.startsWith("STREAMING-") ?? false;
}

/** How many bytes of payload the request promises. */
function promisedBytes(call: Call): number {
  const name = isAwsChunked(call) ? "x-amz-decoded-content-length" : "content-length";
  const text = call.headers[name];
  if (text === undefined) {
    if (call.headers["transfer-encoding"] !== undefined && name === "content-length") {
      throw new S3Fault("NotImplemented", { fields: { Header: "Transfer-Encoding" } });
    }
    throw new S3Fault("MissingContentLength");
  }
  const bytes = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(bytes)) throw new S3Fault("InvalidArgument", { message: `Invalid ${name}` });
  if (bytes > maxObjectBytes) {
    throw new S3Fault("EntityTooLarge", { fields: { ProposedSize: bytes, MaxSizeAllowed: maxObjectBytes } });
  }
  return bytes;
}

function contentMd5(call: Call): string | undefined {
  const text = call.headers["content-md5"];
  if (text === undefined) return undefined;
  const digest = Buffer.from(text, "base64");
  if (digest.length !== 16 || digest.toString("base64") !== text.trim()) throw new S3Fault("InvalidDigest");
  return digest.toString("hex");
}

/** The checksum a request announces, in a header or for its trailer. */
function claimedChecksum(call: Call): { algorithm?: ChecksumAlgorithm; value?: string } {
  const { headers } = call;
  const inHeaders = checksumAlgorithms.filter(
    (algorithm) => headers[checksumHeader(algorithm)] !== undefined,
  );
  if (inHeaders.length > 1) {
    throw new S3Fault("InvalidRequest", {
      message: "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    });
  }
  const [algorithm] = inHeaders;
  if (algorithm !== undefined) {
    const value = headers[checksumHeader(algorithm)] ?? "";
    checkShape(algorithm, value);
    return { algorithm, value };
  }
  const announced = headers["x-amz-trailer"]?.toLowerCase().trim();
  const inTrailer = checksumAlgorithms.find((name) => checksumHeader(name) === announced);
  if (inTrailer !== undefined) return { algorithm: inTrailer };
  if (announced !== undefined) {
    throw new S3Fault("InvalidRequest", {
      message: "The value specified in the x-amz-trailer header is not supported",
    });
  }
  const named = headers["x-amz-sdk-checksum-algorithm"]?.toUpperCase();
  if (named === undefined) return {};
  throw new S3Fault("InvalidRequest", {
    message: isChecksumAlgorithm(named)
      ? "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found."
      : "Value for x-amz-sdk-checksum-algorithm header is invalid.",
  });
}

function checkShape(algorithm: ChecksumAlgorithm, value: string): void {
  const digest = Buffer.from(value, "base64");
  if (digest.length === checksumBytes[algorithm] && digest.toString("base64") === value) return;
  throw new S3Fault("InvalidRequest", {
    message: `Value for ${checksumHeader(algorithm)} header is invalid.`,
  });
}
