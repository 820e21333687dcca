import { createHash } from "node:crypto";
import type { Aws } from "./clients.ts";

export interface PublicAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
  /** Hex, of the body as it came. */
  readonly sha256: string;
}

/** What the end of a client answers, without the SDK's middleware. */
export interface EndAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: AsyncIterable<Uint8Array> | Uint8Array;
}

/**
 * GETs a URL as anybody could, unsigned, and sums up the body without keeping it. It goes through the S3 client's own end,
 * so that it reaches what that client reaches: AWS, a CDN, a custom endpoint, the store in this process. Any status is
 * an answer; redirects are not followed. Rejects when no answer comes.
 */
export async function anonymousGet(aws: Aws, url: string, signal?: AbortSignal): Promise<PublicAnswer> {
  const s3 = await aws.s3();
  const send = () =>
    s3.config.requestHandler.handle(
      // Handlers read these fields only; the class would have to be loaded for nothing.
      requestOf(new URL(url)) as never,
      signal === undefined ? {} : { abortSignal: signal },
    );
  // A kept connection may have been closed by the server meanwhile; the SDK's own calls are repeated then, too.
  const { response } = await send().catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ECONNRESET" && error.code !== "EPIPE") throw error;
    return send();
  });
  const { statusCode, headers, body } = response as unknown as EndAnswer;
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of answerParts(body)) {
    hash.update(chunk);
    sizeBytes += chunk.byteLength;
  }
  return {
    status: statusCode,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    sizeBytes,
    sha256: hash.digest("hex"),
  };
}

/** To be read to its end or left (which ends the answer). */
export function answerParts(body: EndAnswer["body"]): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  return body instanceof Uint8Array ? [body] : (body ?? []);
}

function requestOf(url: URL) {
  const names = [...url.searchParams.keys()];
  return {
    method: "GET",
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port === "" ? {} : { port: Number(url.port) }),
    path: url.pathname,
    query: Object.fromEntries(names.map((name) => [name, url.searchParams.getAll(name)])),
    headers: { host: url.host, "user-agent": "mawps", accept: "*/*" },
  };
}
