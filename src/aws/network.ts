import { NodeHttpHandler } from "@smithy/node-http-handler";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import type { Agent } from "node:https";
import { CliError } from "../errors.ts";
import type { End } from "./end.ts";
import type { Limits, Reach } from "./limits.ts";
import { WebPageError, unreached } from "./explain/unreached.ts";
import { proxyFor, type Env } from "./proxy.ts";
import { isSigned } from "./server-clock.ts";

/** The slowest line that an upload is expected to have. */
const leastSentBytesPerMs = 16;
/** What an answer brings at least, each time that nothing at all would be too long. */
const leastReceivedBytes = 1024;

interface Request {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: { readonly byteLength?: number; readonly length?: number };
}

interface NetworkOptions {
  readonly env: Env;
  readonly limits: Limits;
  readonly reach: Reach;
}

/**
 * The SDK's own way to the network, with limits: it has none by itself. A server that does not take a connection, sends no head,
 * stops or drips in a body, or takes no bytes any more makes the call fail as a `TimeoutError`, which is repeated like other passing
 * faults. Through the proxy that the environment names, except for this machine and what NO_PROXY lists.
 */
export function network({ env, limits, reach }: NetworkOptions): End {
  const handlers = new Map<string, Promise<NodeHttpHandler>>();

  function handlerFor(proxy: URL | undefined, silentMs: number): Promise<NodeHttpHandler> {
    const name = `${proxy?.href ?? ""} ${silentMs}`;
    const known = handlers.get(name);
    if (known !== undefined) return known;
    const made = agents(proxy, env).then(
      (through) =>
        new NodeHttpHandler({ connectionTimeout: limits.connectMs, socketTimeout: silentMs, ...through }),
    );
    handlers.set(name, made);
    return made;
  }

  return {
    async handle(given, { abortSignal } = {}) {
      const request = given as Request;
      const proxy = proxyFor(request, env);
      const silentMs = isLongWork(request) ? limits.silentAtWorkMs : limits.silentMs;
      const handler = await handlerFor(proxy, silentMs);
      const sendingMs = bodyBytes(request) / leastSentBytesPerMs;
      const headMs = reach.isSilent ? silentMs / 10 : silentMs + sendingMs;
      const stop = stoppable(abortSignal as AbortSignal | undefined);
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        stop.now();
      }, headMs);
      try {
        const { response } = await handler.handle(given as never, { abortSignal: stop.signal as never });
        reach.isSilent = false;
        if (isSigned(request)) refuseWebPages(response, hostOf(request));
        if (!isLongWork(request)) endDripping(response.body as IncomingMessage, silentMs);
        return { response };
      } catch (error) {
        const failure = isLate
          ? tooLate(`${hostOf(request)}: no answer within ${headMs} ms`)
          : (error as Error);
        unreached.set(failure, {
          host: hostOf(request),
          proxy: proxy?.host,
          isSigned: isSigned(request),
          bundle: env["AWS_CA_BUNDLE"] || undefined,
        });
        throw failure;
      } finally {
        clearTimeout(timer);
      }
    },
    destroy() {
      // One that could not be made was told to whoever asked for it.
      for (const handler of handlers.values()) handler.then((made) => made.destroy()).catch(() => undefined);
    },
  };
}

/** A signal that follows another one and can be given by itself. Of AbortSignal it has what the SDK's handler uses. */
function stoppable(followed: AbortSignal | undefined) {
  let stop = () => {};
  return {
    now: () => stop(),
    signal: {
      get aborted() {
        return followed?.aborted === true;
      },
      get reason(): unknown {
        return followed?.reason;
      },
      addEventListener(_name: string, listener: () => void) {
        stop = listener;
        followed?.addEventListener("abort", listener, { once: true });
      },
      removeEventListener(_name: string, listener: () => void) {
        followed?.removeEventListener("abort", listener);
      },
    },
  };
}

function hostOf({ protocol, hostname, port }: Request): string {
  return `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`;
}

interface Response {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/**
 * A captive portal, a sign-in gateway or a proxy answers with a page of its own, which would pass for an empty list or an object. Every
 * answer of AWS has a request id; an object may well be a page.
 */
function refuseWebPages({ statusCode, headers, body }: Response, host: string): void {
  if (statusCode >= 500 || Object.keys(headers).some((name) => /^x-amz(n|-)/.test(name))) return;
  const isRedirect = statusCode >= 300 && statusCode < 400 && statusCode !== 304;
  const isPage = headers["content-type"]?.startsWith("text/html") === true;
  if (!isRedirect && !isPage) return;
  (body as IncomingMessage).destroy();
  throw new WebPageError(host, isRedirect ? headers["location"] : undefined);
}

function tooLate(message: string): Error {
  return Object.assign(new Error(message), { name: "TimeoutError", code: "ETIMEDOUT" });
}

/** Whether S3 works on the call until it answers, and sends nothing, or a blank now and then. */
function isLongWork({ method, headers, query = {} }: Request): boolean {
  return headers["x-amz-copy-source"] !== undefined || (method === "POST" && "uploadId" in query);
}

function bodyBytes({ body }: Request): number {
  return body?.byteLength ?? body?.length ?? 0;
}

/** Breaks off a body that brings less than the least while somebody waits for it. */
function endDripping(body: IncomingMessage, everyMs: number): void {
  const { socket } = body;
  let seenBytes = socket.bytesRead;
  const timer = setInterval(() => {
    // Bytes that lie there are left by a reader that is slow itself.
    const isAwaited = body.readableLength === 0 && !body.complete;
    const drips = isAwaited && socket.bytesRead - seenBytes < leastReceivedBytes;
    seenBytes = socket.bytesRead;
    if (drips) body.destroy(tooLate(`less than ${leastReceivedBytes} bytes in ${everyMs} ms`));
  }, everyMs);
  timer.unref();
  body.once("close", () => clearInterval(timer));
}

/** The agents that the surroundings ask for, loaded only then; else the handler's own. */
async function agents(proxy: URL | undefined, env: Env): Promise<{ httpAgent?: Agent; httpsAgent?: Agent }> {
  const ca = bundleOf(env["AWS_CA_BUNDLE"]);
  const trust = ca === undefined ? {} : { ca };
  if (proxy === undefined) {
    if (ca === undefined) return {};
    // An agent, not its options: for a body of 2 MiB and more (Expect: 100-continue) the handler makes another one, without them.
    const { Agent } = await import("node:https");
    return { httpsAgent: new Agent({ keepAlive: true, maxSockets: 50, ...trust }) };
  }
  const [{ HttpProxyAgent }, { HttpsProxyAgent }] = await Promise.all([
    import("http-proxy-agent"),
    import("https-proxy-agent"),
  ]);
  const httpsAgent = new HttpsProxyAgent(proxy, { keepAlive: true, maxSockets: 50, ...trust });
  // What a proxy says instead of opening the way would pass for the server's own answer.
  httpsAgent.on("proxyConnect", ({ statusCode }, request) => {
    if (statusCode === 200) return;
    request.destroy(Object.assign(new Error(`the proxy answers ${statusCode}`), { code: "ERR_PROXY" }));
  });
  return {
    httpsAgent,
    httpAgent: new HttpProxyAgent(proxy, { keepAlive: true }),
  };
}

/** The certificates that are trusted in place of Node's own. */
function bundleOf(path: string | undefined): string | undefined {
  if (path === undefined || path === "") return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new CliError(`AWS_CA_BUNDLE: cannot read ${path}`, {
      cause: error,
      hint: "name a file of certificates in PEM format, or unset the variable",
    });
  }
}
