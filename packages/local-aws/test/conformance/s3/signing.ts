import { createHash, createHmac } from "node:crypto";
import type { Account } from "../ends.ts";

/**
 * Signature Version 4 written down once more, from AWS's documents and apart from both the SDK and the store under
 * test: the checks need requests that the SDK does not make (signed chunks, forged trailers, forms).
 */
export interface Signer {
  readonly credentials: Account;
  readonly region: string;
  readonly at: Date;
}

export interface ToSign {
  readonly method: string;
  /** Encoded, without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** With `host`; all of them are signed. */
  readonly headers: Readonly<Record<string, string>>;
  /** Hex SHA-256 of the body, or one of S3's words in its place. */
  readonly payloadHash: string;
}

/** The hex SHA-256 of bytes or UTF-8 text. */
export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** RFC 3986: all but the unreserved characters as %XX, in upper case. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The path of an object, or of a bucket where the key is undefined, path-style. */
export function objectPath(bucket: string, key?: string): string {
  if (key === undefined) return `/${bucket}`;
  return `/${bucket}/${key.split("/").map(encode).join("/")}`;
}

/** A query in canonical order; a parameter with an empty value keeps its equals sign. */
export function queryString(query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return pairs.sort().join("&");
}

/** `20261121T101500Z`. */
export function amzDate(at: Date): string {
  return at.toISOString().replace(/[-:]|\.\d{3}/g, "");
}

/** `20261121/eu-central-1/s3/aws4_request`. */
export function scope(signer: Signer): string {
  return `${amzDate(signer.at).slice(0, 8)}/${signer.region}/s3/aws4_request`;
}

/** Signs any string with the key derived for the signer's day, region and S3. */
export function signText(signer: Signer, text: string): string {
  const parts = [amzDate(signer.at).slice(0, 8), signer.region, "s3", "aws4_request"];
  let key: string | Buffer = `AWS4${signer.credentials.secretAccessKey}`;
  for (const part of parts) key = createHmac("sha256", key).update(part).digest();
  return createHmac("sha256", key).update(text).digest("hex");
}

/** The headers to send, with `authorization`, and the signature, which seeds that of the first chunk. */
export function signRequest(signer: Signer, request: ToSign) {
  const headers: Record<string, string> = {
    ...request.headers,
    "x-amz-date": amzDate(signer.at),
    "x-amz-content-sha256": request.payloadHash,
  };
  const names = Object.keys(headers).sort();
  // A header is bytes, one character each.
  const canonical = [
    request.method,
    request.path,
    queryString(request.query),
    ...names.map((name) => `${name}:${headers[name]?.replaceAll(/^ +| +$/g, "") ?? ""}`),
    "",
    names.join(";"),
    request.payloadHash,
  ].join("\n");
  const signature = signText(
    signer,
    ["AWS4-HMAC-SHA256", amzDate(signer.at), scope(signer), sha256(Buffer.from(canonical, "latin1"))].join(
      "\n",
    ),
  );
  const credential = `${signer.credentials.accessKeyId}/${scope(signer)}`;
  headers["authorization"] =
    `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return { headers, signature };
}

/** An `aws-chunked` body without signatures; `trailer` lines go after the last chunk. */
export function unsignedChunks(chunks: readonly Uint8Array[], trailer: readonly string[]): Buffer {
  const parts: (string | Uint8Array)[] = [];
  for (const chunk of chunks) parts.push(`${chunk.length.toString(16)}\r\n`, chunk, "\r\n");
  parts.push("0\r\n", ...trailer.map((line) => `${line}\r\n`), "\r\n");
  return joined(parts);
}

/** An `aws-chunked` body of which each chunk is signed, starting from the request's own signature. */
export function signedChunks(
  signer: Signer,
  seed: string,
  content: { chunks: readonly Uint8Array[]; trailer?: string },
): Buffer {
  const parts: (string | Uint8Array)[] = [];
  let previous = seed;
  for (const chunk of [...content.chunks, new Uint8Array()]) {
    previous = signText(
      signer,
      [
        "AWS4-HMAC-SHA256-PAYLOAD",
        amzDate(signer.at),
        scope(signer),
        previous,
        sha256(""),
        sha256(chunk),
      ].join("\n"),
    );
    parts.push(`${chunk.length.toString(16)};chunk-signature=${previous}\r\n`);
    if (chunk.length > 0) parts.push(chunk, "\r\n");
  }
  if (content.trailer !== undefined) {
    const signature = signText(
      signer,
      [
        "AWS4-HMAC-SHA256-TRAILER",
        amzDate(signer.at),
        scope(signer),
        previous,
        sha256(`${content.trailer}\n`),
      ].join("\n"),
    );
    parts.push(`${content.trailer}\r\n`, `x-amz-trailer-signature:${signature}\r\n`);
  }
  parts.push("\r\n");
  return joined(parts);
}

function joined(parts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
}
