import { once } from "node:events";
import { Readable } from "node:stream";
import type { LocalRequest, LocalResponse, LocalService } from "./service.ts";

/** The SDK's `HttpRequest`, by shape. */
interface SdkRequest {
  readonly method: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface SdkResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Readable;
}

/** What the SDK calls on its `requestHandler`. */
export interface RequestHandler {
  readonly metadata: { readonly handlerProtocol: string };
  handle(request: unknown, options?: { abortSignal?: unknown }): Promise<{ response: SdkResponse }>;
  destroy(): void;
  updateHttpClientConfig(key: never, value: never): void;
  httpHandlerConfigs(): Record<string, never>;
}

/**
 * Puts a local service behind the SDK's `requestHandler`: the same bytes reach it as would go over the wire.
 * An abort rejects with an `AbortError`, as the SDK's own handler does, and breaks the response's body off.
 * `destroy` leaves the service open: it belongs to whoever opened it, and clients come and go.
 */
export function requestHandler(service: LocalService): RequestHandler {
  return {
    metadata: { handlerProtocol: "http/1.1" },
    async handle(request, options = {}) {
      const signal = options.abortSignal as AbortSignal | undefined;
      if (signal?.aborted) throw abortError(signal);
      const local = localRequest(request as SdkRequest, signal);
      const response = await unlessAborted(service.handle(local), signal);
      return { response: sdkResponse(response, signal) };
    },
    destroy() {},
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  };
}

function localRequest(request: SdkRequest, signal: AbortSignal | undefined): LocalRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) headers[name.toLowerCase()] = value;
  headers["host"] ??= request.port === undefined ? request.hostname : `${request.hostname}:${request.port}`;
  const { body, bytes } = bodyOf(request.body);
  // As Node sends it: a method that usually brings a body says so when it brings none.
  const brings = request.method === "PUT" || request.method === "POST";
  if (bytes !== undefined && (bytes > 0 || brings)) headers["content-length"] ??= String(bytes);
  return {
    method: request.method,
    path: request.path === "" ? "/" : request.path,
    query: queryString(request.query ?? {}),
    headers,
    body,
    signal,
  };
}

/** Names sorted and escaped as the SDK's own handler sends them; `null` is a name without `=`. */
function queryString(query: NonNullable<SdkRequest["query"]>): string {
  return Object.entries(query)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => {
      if (value === null || value === undefined) return [escapeUri(name)];
      return [value].flat().map((one) => `${escapeUri(name)}=${escapeUri(one)}`);
    })
    .join("&");
}

function escapeUri(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function bodyOf(body: unknown): { body: AsyncIterable<Uint8Array>; bytes: number | undefined } {
  if (body === undefined || body === null) return { body: Readable.from([]), bytes: 0 };
  if (typeof body === "string") return bodyOf(Buffer.from(body));
  if (body instanceof ArrayBuffer) return bodyOf(new Uint8Array(body));
  if (ArrayBuffer.isView(body)) {
    const bytes = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
    return { body: Readable.from(bytes.length === 0 ? [] : [bytes]), bytes: bytes.length };
  }
  if (body instanceof Blob) return { body: Readable.fromWeb(body.stream() as never), bytes: body.size };
  if (body instanceof ReadableStream) return { body: Readable.fromWeb(body as never), bytes: undefined };
  return { body: body as AsyncIterable<Uint8Array>, bytes: undefined };
}

function sdkResponse(response: LocalResponse, signal: AbortSignal | undefined): SdkResponse {
  const { body } = response;
  const stream =
    body instanceof Uint8Array
      ? Readable.from(body.length === 0 ? [] : [body], { objectMode: false })
      : Readable.from(body, { objectMode: false });
  if (signal !== undefined) {
    const onAbort = () => stream.destroy(abortError(signal));
    signal.addEventListener("abort", onAbort, { once: true });
    stream.once("close", () => signal.removeEventListener("abort", onAbort));
  }
  return { statusCode: response.status, headers: { ...response.headers }, body: stream };
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const settled = new AbortController();
  try {
    const aborted = once(signal, "abort", { signal: settled.signal }).then(
      () => Promise.reject(abortError(signal)),
      () => work,
    );
    return await Promise.race([work, aborted]);
  } catch (error) {
    throw signal.aborted ? abortError(signal) : error;
  } finally {
    settled.abort();
  }
}

function abortError(signal: AbortSignal): Error {
  const cause: unknown = signal.reason;
  const error = new Error("Request aborted", cause === undefined ? undefined : { cause });
  error.name = "AbortError";
  return error;
}
