import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { requestHandler } from "../../src/request-handler.ts";
import type { LocalService } from "../../src/service.ts";

export interface Account {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A request as it goes over the wire: nothing is added but `host` and, for bytes and text, `content-length`. */
export interface RawRequest {
  readonly method: string;
  /** Percent-encoded, with the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An iterable is sent as the headers announce it; when it throws, the connection breaks off. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
}

export interface RawAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The body as UTF-8. */
  readonly text: string;
}

/** One server, or one in-process service, that speaks an AWS API. */
export interface End {
  /** Scheme, host and port; what signatures cover. */
  readonly endpoint: string;
  readonly region: string;
  /** An account that may do everything. */
  readonly credentials: Account;
  /** For the SDK's clients; undefined means its own, over the network. */
  readonly requestHandler: object | undefined;
  /** Where S3 is, for services that write there; undefined where it has the same endpoint. */
  readonly s3?: { readonly endpoint?: string; readonly requestHandler?: object };
  /** Rejects when the connection breaks before the answer is complete. */
  send(request: RawRequest): Promise<RawAnswer>;
  close(): Promise<void>;
}

export interface KnownEnd {
  readonly name: string;
  /** A key of `knownDifferences`; undefined where none is tolerated. */
  readonly server: string | undefined;
  open(): Promise<End>;
}

/**
 * A server of the reader's choice at `MAWPS_TEST_<SERVICE>_ENDPOINT`, where that is set. Its credentials and
 * region come from the AWS variables, else dummies that every emulator takes; `MAWPS_TEST_SERVER` says which server
 * it is, for its known differences.
 */
export function foreignEnds(service: "S3" | "DYNAMODB" | "COGNITO"): KnownEnd[] {
  const endpoint = process.env[`MAWPS_TEST_${service}_ENDPOINT`];
  if (endpoint === undefined || endpoint === "") return [];
  const server = process.env["MAWPS_TEST_SERVER"];
  const s3 = process.env["MAWPS_TEST_S3_ENDPOINT"];
  return [
    {
      name: server ?? endpoint,
      server,
      open: () =>
        Promise.resolve({
          ...httpEnd(endpoint, {
            region: process.env["AWS_REGION"] ?? "eu-central-1",
            credentials: {
              accessKeyId: process.env["AWS_ACCESS_KEY_ID"] ?? "test",
              secretAccessKey: process.env["AWS_SECRET_ACCESS_KEY"] ?? "test",
            },
          }),
          ...(s3 === undefined || s3 === "" ? {} : { s3: { endpoint: s3 } }),
        }),
    },
  ];
}

/**
 * A service without a port. Clients reach it by their request handler; raw requests are handed over as an HTTP
 * server would, so that a check cannot tell the two apart.
 */
export function inProcessEnd(service: LocalService, options: Pick<End, "region" | "credentials">): End {
  const host = "127.0.0.1:9";
  return {
    ...options,
    endpoint: `http://${host}`,
    requestHandler: requestHandler(service),
    async send(request) {
      const mark = request.path.indexOf("?");
      const { status, headers, body } = await service.handle({
        method: request.method,
        path: mark < 0 ? request.path : request.path.slice(0, mark),
        query: mark < 0 ? "" : request.path.slice(mark + 1),
        headers: { host, ...request.headers },
        body: bytesOf(request.body),
      });
      const chunks: Uint8Array[] = [];
      if (body instanceof Uint8Array) chunks.push(body);
      else for await (const chunk of body) chunks.push(chunk);
      return rawAnswer(status, headers, Buffer.concat(chunks));
    },
    close: () => service.close(),
  };
}

async function* bytesOf(body: RawRequest["body"]): AsyncGenerator<Uint8Array> {
  if (body === undefined) return;
  if (typeof body === "string") yield Buffer.from(body);
  else if (body instanceof Uint8Array) yield body;
  else yield* body;
}

/** An end behind HTTP(S). Closing it leaves the server alone unless `close` is given. */
export function httpEnd(
  endpoint: string,
  options: Pick<End, "region" | "credentials"> & Partial<Pick<End, "close">>,
): End {
  const { origin } = new URL(endpoint);
  return {
    endpoint: origin,
    region: options.region,
    credentials: options.credentials,
    requestHandler: undefined,
    send: (request) => sendOverHttp(origin, request),
    close: options.close ?? (() => Promise.resolve()),
  };
}

function sendOverHttp(origin: string, request: RawRequest): Promise<RawAnswer> {
  const { protocol, hostname, port } = new URL(origin);
  const open = protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const outgoing = open({
      hostname,
      port,
      method: request.method,
      path: request.path,
      headers: { ...request.headers },
      agent: false,
    });
    outgoing.on("error", reject);
    outgoing.on("response", (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const headers: Record<string, string> = {};
        for (const [name, value] of Object.entries(incoming.headers)) headers[name] = String(value);
        resolve(rawAnswer(incoming.statusCode ?? 0, headers, Buffer.concat(chunks)));
      });
    });
    const { body } = request;
    if (body === undefined || typeof body === "string" || body instanceof Uint8Array) {
      outgoing.end(body);
      return;
    }
    const write = async () => {
      for await (const chunk of body) {
        await new Promise<void>((written) => {
          outgoing.write(chunk, () => {
            written();
          });
        });
      }
      outgoing.end();
    };
    write().catch((error: unknown) => {
      outgoing.destroy();
      reject(error instanceof Error ? error : new Error(String(error)));
    });
  });
}

/** Builds an answer from its parts. */
function rawAnswer(status: number, headers: Readonly<Record<string, string>>, body: Buffer): RawAnswer {
  return { status, headers, body, text: body.toString("utf8") };
}
