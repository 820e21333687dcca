import { createHash } from "node:crypto";
import { type Authenticated, chunkSignatures, sameSignature } from "../sigv4.ts";
import { S3Fault } from "./fault.ts";

/*
 * The framing of streamed uploads:
 *   <hex size>[;chunk-signature=<hex>] CRLF <bytes> CRLF ... 0[;chunk-signature=<hex>] CRLF
 *   [<trailer name>:<value> CRLF ...] [x-amz-trailer-signature:<hex> CRLF] CRLF
 */

const maxLineBytes = 4096;

/** Yields the payload of an `aws-chunked` body; the trailer is complete when it ends. */
export interface ChunkedBody {
  readonly payload: AsyncIterable<Uint8Array>;
  readonly trailer: ReadonlyMap<string, string>;
}

/** Decodes a body. With a `signer` every chunk's signature must fit before the body counts as received. */
export function decodeAwsChunked(
  body: AsyncIterable<Uint8Array>,
  options: { readonly signer?: Authenticated; readonly signedTrailer: boolean },
): ChunkedBody {
  const trailer = new Map<string, string>();
  const signatures = options.signer === undefined ? undefined : chunkSignatures(options.signer);

  function checkChunk(line: string, sha256: string): void {
    if (signatures === undefined) return;
    const sent = /;chunk-signature=([\da-f]{64})$/.exec(line)?.[1] ?? "";
    if (!sameSignature(signatures.chunk(sha256), sent)) throw new S3Fault("SignatureDoesNotMatch");
  }

  async function* decode(): AsyncGenerator<Uint8Array> {
    const reader = byteReader(body);
    for (;;) {
      const line = await reader.line();
      const size = /^([\da-f]{1,12})(;.*)?$/i.exec(line)?.[1];
      if (size === undefined) throw new S3Fault("IncompleteBody");
      let left = Number.parseInt(size, 16);
      const last = left === 0;
      const hash = signatures === undefined ? undefined : createHash("sha256");
      while (left > 0) {
        const bytes = await reader.upTo(left);
        hash?.update(bytes);
        left -= bytes.length;
        yield bytes;
      }
      checkChunk(line, hash?.digest("hex") ?? "");
      if (last) break;
      if ((await reader.line()) !== "") throw new S3Fault("IncompleteBody");
    }
    await readTrailer(reader);
  }

  async function readTrailer(reader: ByteReader): Promise<void> {
    const signed: string[] = [];
    let signature = "";
    // Some clients leave out the empty line after the last chunk.
    for (let line = await reader.lineOrEnd(); line; line = await reader.lineOrEnd()) {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon).trim().toLowerCase();
      const value = line.slice(colon + 1).trim();
      if (name === "x-amz-trailer-signature") {
        signature = value;
        continue;
      }
      trailer.set(name, value);
      signed.push(`${name}:${value}\n`);
    }
    if (signatures === undefined || !options.signedTrailer) return;
    const hash = createHash("sha256").update(signed.join("")).digest("hex");
    if (!sameSignature(signatures.trailer(hash), signature)) throw new S3Fault("SignatureDoesNotMatch");
  }

  return { payload: decode(), trailer };
}

interface ByteReader {
  /** Up to CRLF, without it. Throws IncompleteBody at the end of the body. */
  line(): Promise<string>;
  /** As `line`; undefined at the end of the body. */
  lineOrEnd(): Promise<string | undefined>;
  /** At least one byte, at most `limit`. */
  upTo(limit: number): Promise<Uint8Array>;
}

function byteReader(body: AsyncIterable<Uint8Array>): ByteReader {
  const source = body[Symbol.asyncIterator]();
  let buffer: Buffer = Buffer.alloc(0);

  async function more(): Promise<boolean> {
    const next = await source.next();
    if (next.done === true) return false;
    const bytes = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    buffer = buffer.length === 0 ? bytes : Buffer.concat([buffer, bytes]);
    return true;
  }

  async function lineOrEnd(): Promise<string | undefined> {
    for (;;) {
      const end = buffer.indexOf("\r\n");
      if (end >= 0) {
        const line = buffer.toString("latin1", 0, end);
        buffer = buffer.subarray(end + 2);
        return line;
      }
      if (buffer.length > maxLineBytes) throw new S3Fault("IncompleteBody");
      if (!(await more())) return undefined;
    }
  }

  return {
    lineOrEnd,
    async line() {
      const line = await lineOrEnd();
      if (line === undefined) throw new S3Fault("IncompleteBody");
      return line;
    },
    async upTo(limit) {
      while (buffer.length === 0) if (!(await more())) throw new S3Fault("IncompleteBody");
      const bytes = buffer.subarray(0, limit);
      buffer = buffer.subarray(bytes.length);
      return bytes;
    },
  };
}
