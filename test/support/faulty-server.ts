import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { connect, type Aws, type ConnectOptions } from "../../src/aws/clients.ts";
import type { LocalResponse, LocalService } from "@mawps/local-aws/src/service.ts";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
}

/** What goes wrong with one request, over a real socket. */
export type Fault =
  /** Answered by this instead of the service. */
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  /** The connection is cut before the service sees the request. */
  | "cut"
  /** Nothing happens, until the client gives up. */
  | "hang"
  /** The service does what was asked, its answer never arrives. */
  | "lose the answer"
  /** The connection is cut after so many bytes of the answer's body. */
  | { readonly cutAfterBytes: number }
  /** The first byte of the answer's body is another one. */
  | "flip a byte";

export interface FaultyServer {
  readonly url: string;
  readonly requests: SeenRequest[];
  /** Asked for each request; undefined lets it through. */
  fault: ((request: SeenRequest) => Fault | undefined | Promise<Fault | undefined>) | undefined;
  /** Clients of this server, closed with it. */
  aws(options?: Partial<ConnectOptions>): Aws;
  close(): Promise<void>;
}

/** Puts a service behind a port of its own, on which things go wrong as told. Without a service every request needs a fault. */
export async function startFaultyServer(service?: LocalService): Promise<FaultyServer> {
  const clients: Aws[] = [];
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const faulty: FaultyServer = {
    url,
    requests: [],
    fault: undefined,
    aws(options = {}) {
      const credentials = { accessKeyId: "test", secretAccessKey: "test" };
      const limits = { firstDelayMs: 1, ...options.limits };
      const aws = connect({ region: "eu-central-1", endpointUrl: url, credentials, ...options, limits });
      clients.push(aws);
      return aws;
    },
    async close() {
      for (const aws of clients) aws.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = "/", query = ""] = (request.url ?? "/").split(/\?(.*)/s);
    const seen: SeenRequest = {
      method: request.method ?? "",
      path,
      query: new URLSearchParams(query),
      headers: request.headers,
    };
    faulty.requests.push(seen);
    const fault = await faulty.fault?.(seen);
    if (fault === "hang") return;
    if (fault === "cut") {
      request.socket.destroy();
      return;
    }
    if (typeof fault === "object" && "status" in fault) {
      await request.resume().toArray();
      response.writeHead(fault.status, fault.headers).end(request.method === "HEAD" ? undefined : fault.body);
      return;
    }
    if (service === undefined) throw new Error("the test gave no answer to this request");
    const { status, headers, body } = await service.handle({
      method: seen.method,
      path,
      query,
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(", ")]),
      ),
      body: request,
    });
    if (fault === "lose the answer") {
      request.socket.destroy();
      return;
    }
    response.writeHead(status, headers);
    await send(response, body, fault);
  }
  return faulty;
}

async function send(
  response: ServerResponse,
  body: LocalResponse["body"],
  fault: Fault | undefined,
): Promise<void> {
  const cutAfterBytes =
    typeof fault === "object" && "cutAfterBytes" in fault ? fault.cutAfterBytes : Infinity;
  let sentBytes = 0;
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    const bytes = Buffer.from(chunk.subarray(0, cutAfterBytes - sentBytes));
    if (fault === "flip a byte" && sentBytes === 0) bytes[0] = (bytes[0] ?? 0) ^ 1;
    sentBytes += bytes.byteLength;
    await new Promise((resolve) => response.write(bytes, resolve));
    if (sentBytes >= cutAfterBytes) {
      response.destroy();
      return;
    }
  }
  response.end();
}
