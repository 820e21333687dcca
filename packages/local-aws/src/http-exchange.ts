import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { LocalRequest, LocalResponse } from "./service.ts";

/** A body may take any time, but not this long between two pieces. */
const stalledBodyMs = 120_000;

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client waits for "100 Continue" before it sends its body; it gets it when the body is first read. */
  readonly continues: boolean;
}

/**
 * Has one HTTP request answered by a local service: the raw path, query and headers reach it as they came, its
 * signal aborts when the client goes away, and a body that breaks off rejects instead of ending.
 * Rejects when the service failed; the client was answered 500 or cut off then. A client that left is no fault.
 */
export async function answerHttp(
  { request, response, continues }: Exchange,
  handle: (request: LocalRequest) => Promise<LocalResponse>,
): Promise<void> {
  const gone = new AbortController();
  const { signal } = gone;
  response.once("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  let waits = continues;
  const body = bodyOf(request, () => {
    if (waits) response.writeContinue();
    waits = false;
  });
  try {
    const answer = refuse(request) ?? (await handle(localRequest(request, { body, signal })));
    // A client that waits in vain for its "100 Continue" may send the body or not: this connection is over.
    if (waits) response.setHeader("connection", "close");
    await send(answer, { request, response, signal });
    // What the service did not read is thrown away, or the connection's next request would never be seen.
    request.resume();
  } catch (error) {
    if (signal.aborted) return;
    if (response.headersSent) response.destroy();
    else await send(refusal(500, "InternalError", "the local store failed"), { request, response, signal });
    throw error;
  }
}

/**
 * Only names of this machine: a web page could otherwise reach the store under its own name, by pointing that name
 * at 127.0.0.1 (DNS rebinding), and read what is public here.
 */
function refuse(request: IncomingMessage): LocalResponse | undefined {
  const hosts = request.headersDistinct["host"] ?? [];
  const [host = ""] = hosts;
  if (
    hosts.length !== 1 ||
    !/^(?:127\.0\.0\.1|\[::1\]|(?:[a-z0-9.-]+\.)?localhost)(?::\d{1,5})?$/i.test(host)
  )
    return refusal(403, "AccessDenied", "this server answers to 127.0.0.1 and localhost only");
  if (request.url?.startsWith("/") !== true)
    return refusal(400, "InvalidRequest", "the request target is not a path");
  return undefined;
}

function localRequest(
  request: IncomingMessage,
  { body, signal }: Required<Pick<LocalRequest, "body" | "signal">>,
): LocalRequest {
  const [path = "/", ...query] = (request.url ?? "/").split("?");
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(request.headersDistinct))
    headers[name] = (values ?? []).join(",");
  return { method: request.method ?? "GET", path, query: query.join("?"), headers, body, signal };
}

/** The body in pieces as they come. A reader may stop early without cutting the connection. */
async function* bodyOf(request: IncomingMessage, onFirstRead: () => void): AsyncGenerator<Uint8Array> {
  onFirstRead();
  request.setTimeout(stalledBodyMs, () => request.destroy(new Error("the body did not go on")));
  try {
    yield* request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
    if (!request.complete) throw new Error("the body broke off");
  } finally {
    request.setTimeout(0);
  }
}

async function send(
  { status, headers, body }: LocalResponse,
  { request, response, signal }: Omit<Exchange, "continues"> & { readonly signal: AbortSignal },
): Promise<void> {
  const bodiless = request.method === "HEAD";
  if (signal.aborted || bodiless) {
    // Nobody will read it; this frees what it holds.
    if (!(body instanceof Uint8Array)) await body[Symbol.asyncIterator]().return?.();
    if (signal.aborted) return;
  }
  const closed = new Promise<void>((resolve) => response.once("close", resolve));
  response.writeHead(status, headers);
  if (bodiless) response.end();
  else if (body instanceof Uint8Array) response.end(body);
  else await pipeline(Readable.from(body, { objectMode: false }), response);
  await closed;
}

/** What the server itself refuses, in the form that S3's clients read. */
function refusal(status: number, code: string, message: string): LocalResponse {
  const body = Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  );
  return {
    status,
    headers: { "content-type": "application/xml", "content-length": String(body.length) },
    body,
  };
}
