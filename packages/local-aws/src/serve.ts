import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { StoreError } from "./errors.ts";
import { answerHttp } from "./http-exchange.ts";
import type { LocalRequest, LocalResponse } from "./service.ts";
import type { LocalStore } from "./store.ts";
import { removeServing, writeServing } from "./store.ts";
import { answerSts, isStsRequest } from "./sts.ts";

export interface ServeOptions {
  /** The folder of the store. */
  readonly dir: string;
  readonly region: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly now: () => Date;
  /** Ends the server as `close` does. */
  readonly signal?: AbortSignal;
  /** Is told of what went wrong inside; the client only sees status 500. */
  readonly onFault?: (error: unknown) => void;
}

export interface Served {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  readonly port: number;
  /** Settles when everything has ended; rejects when the store could not be closed. */
  readonly closed: Promise<void>;
  /** Takes no more requests, lets those that run finish (up to 5 s), then closes the store. May be called twice. */
  close(): Promise<void>;
}

const address = "127.0.0.1";
const graceMs = 5000;
const headTimeoutMs = 20_000;

/**
 * Serves an open store over HTTP on 127.0.0.1: S3, DynamoDB, Cognito, CloudWatch, Application Auto Scaling and the caller's identity (STS) on one port. The
 * store belongs to the server from then on, and is closed with it. While it runs, `serve.json` says where.
 * Rejects with a `StoreError` when the port cannot be had; the store is then still the caller's to close.
 */
export async function serve(store: LocalStore, options: ServeOptions): Promise<Served> {
  const { dir, region, signal } = options;
  signal?.throwIfAborted();
  const running = new Set<Promise<void>>();
  let closing: Promise<void> | undefined;

  const onRequest = (request: IncomingMessage, response: ServerResponse, continues: boolean) => {
    if (closing !== undefined) response.setHeader("connection", "close");
    const work = answerHttp({ request, response, continues }, (local) => route(local, store, options)).catch(
      (error: unknown) => options.onFault?.(error),
    );
    running.add(work);
    void work.finally(() => running.delete(work));
  };
  // A body may take any time (`requestTimeout`), its head may not.
  const server = createServer({ requestTimeout: 0, headersTimeout: headTimeoutMs });
  server.on("request", (request, response) => onRequest(request, response, false));
  server.on("checkContinue", (request, response) => onRequest(request, response, true));
  const port = await listen(server, options.port);
  server.on("error", (error) => options.onFault?.(error));
  const endpoint = `http://${address}:${String(port)}`;
  try {
    await writeServing(dir, { endpoint, region, ...store.credentials });
  } catch (error) {
    server.close();
    throw error;
  }

  const end = async () => {
    await drain(server, running);
    try {
      await removeServing(dir);
    } finally {
      await store.close();
    }
  };
  let settle: (done: Promise<void>) => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const close = () => {
    if (closing === undefined) {
      closing = end();
      settle(closing);
    }
    return closing;
  };
  // Whoever awaits `closed` hears of a fault; that nobody does is no second one.
  closed.catch(() => undefined);
  const stop = () => void close().catch(() => undefined);
  if (signal?.aborted === true) stop();
  else signal?.addEventListener("abort", stop, { once: true });
  return { endpoint, port, closed, close };
}

async function listen(server: Server, port: number): Promise<number> {
  try {
    server.listen({ host: address, port, exclusive: true });
    await once(server, "listening");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE" || code === "EACCES") {
      const why = code === "EADDRINUSE" ? "is in use" : "may not be opened by this user";
      throw new StoreError("port", `port ${String(port)} of ${address} ${why}`, { cause: error });
    }
    throw error;
  }
  return (server.address() as AddressInfo).port;
}

async function drain(server: Server, running: ReadonlySet<Promise<void>>): Promise<void> {
  const stopped = once(server, "close");
  server.close();
  server.closeIdleConnections();
  const timer = new AbortController();
  await Promise.race([
    Promise.allSettled(running),
    sleep(graceMs, undefined, { signal: timer.signal }).catch(() => undefined),
  ]);
  timer.abort();
  // Cuts what is left; that aborts the requests on it.
  server.closeAllConnections();
  await Promise.allSettled(running);
  await stopped;
}

async function route(
  request: LocalRequest,
  store: LocalStore,
  options: ServeOptions,
): Promise<LocalResponse> {
  const target = request.headers["x-amz-target"];
  if (target === undefined) {
    if (isForCloudWatch(request)) return unknownProtocol(request);
    if (isStsRequest(request))
      return answerSts(request, { credentials: store.credentials, now: options.now });
    return (await store.s3()).handle(request);
  }
  if (target.startsWith("DynamoDB_20120810.")) return (await store.dynamodb()).handle(request);
  if (target.startsWith("AWSCognitoIdentityProviderService.")) return (await store.cognito()).handle(request);
  if (target.startsWith("GraniteServiceVersion20100801.")) return (await store.cloudwatch()).handle(request);
  if (target.startsWith("AnyScaleFrontendService.")) return (await store.autoscaling()).handle(request);
  return unknownService();
}

/** Signed for CloudWatch, and not in its JSON: a form as older clients send, or CBOR. */
function isForCloudWatch({ headers }: LocalRequest): boolean {
  return (headers["authorization"] ?? "").includes("/monitoring/aws4_request");
}

/** In the protocol of the request, so that its client can tell it. */
function unknownProtocol({ headers }: LocalRequest): LocalResponse {
  const code = "UnknownOperationException";
  const message = "of CloudWatch the local store offers its JSON protocol only";
  const isCbor = headers["smithy-protocol"] === "rpc-v2-cbor";
  const texts = ["__type", code, "message", message].map((text) =>
    Buffer.concat([Buffer.from([0x78, text.length]), Buffer.from(text)]),
  );
  const body = isCbor
    ? Buffer.concat([Buffer.from([0xa2]), ...texts])
    : Buffer.from(
        `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
      );
  const type: Record<string, string> = isCbor
    ? { "content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor" }
    : { "content-type": "text/xml" };
  return { status: 400, headers: { ...type, "content-length": String(body.length) }, body };
}

function unknownService(): LocalResponse {
  const body = Buffer.from(
    JSON.stringify({
      __type: "UnknownOperationException",
      message: "the local store serves S3, DynamoDB, Cognito, CloudWatch and the caller's identity",
    }),
  );
  return {
    status: 400,
    headers: { "content-type": "application/x-amz-json-1.0", "content-length": String(body.length) },
    body,
  };
}
