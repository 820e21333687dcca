import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { serve, type ServeOptions, type Served } from "../src/serve.ts";
import type { LocalRequest, LocalResponse, LocalService } from "../src/service.ts";
import { type LocalStore, openStore } from "../src/store.ts";

export const region = "eu-central-1";
export const now = () => new Date();

export type ServedStore = Served & { readonly credentials: LocalStore["credentials"] };

/** Serves the store in `dir`, its S3 replaced by this function. The caller closes it. */
export async function serveWith(
  dir: string,
  s3: (request: LocalRequest) => Promise<LocalResponse>,
  options: Partial<ServeOptions> = {},
): Promise<ServedStore> {
  const store = await openStore(dir, { region, now });
  const service: LocalService = { handle: s3, close: () => Promise.resolve() };
  const served = await serve(
    { ...store, s3: () => Promise.resolve(service) },
    { dir, region, port: 0, now, ...options },
  );
  return { ...served, credentials: store.credentials };
}

export const answer = (body: string | AsyncIterable<Uint8Array>, status = 200): LocalResponse => ({
  status,
  headers: {},
  body: typeof body === "string" ? Buffer.from(body) : body,
});

export const nothing = () => Promise.resolve(answer(""));

/** Reads a body to its end. */
export async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of body) bytes += chunk.length;
  return bytes;
}

/** What comes back on a connection to which exactly this was written. */
export function raw(port: number, sent: string | Buffer, then: "end" | "wait" = "end"): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    let received = "";
    socket.setEncoding("latin1");
    socket.on("data", (data: string) => (received += data));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(received));
    socket.write(sent);
    if (then === "end") socket.end();
  });
}

export interface Got {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** One request over a connection of its own. */
export function call(
  served: Served,
  options: { path?: string; method?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const { path = "/", method = "GET", headers = {}, body } = options;
    const request = httpRequest({
      host: "127.0.0.1",
      port: served.port,
      path,
      method,
      headers,
      agent: false,
    });
    request.on("error", reject);
    request.on("response", (response) => {
      text(response).then(
        (body) => resolve({ status: response.statusCode, headers: response.headers, body }),
        reject,
      );
    });
    request.end(body);
  });
}
