import { once } from "node:events";
import { Agent, createServer, request as send, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How much of what goes through it goes wrong: shares of all requests. */
const refusedShare = 0.2;
const cutShare = 0.08;
/** The same request is not met more often than this in a row: it is the network that is bad, not the test's luck. */
const mostInARow = 4;

export interface BadNetwork {
  readonly url: string;
  /** Of how many requests which came to harm. */
  readonly harm: { requests: number; refused: number; cut: number };
  close(): Promise<void>;
}

/**
 * A way to a server on which requests are refused for throttling, and connections cut at any place: before the server has the
 * request, in the head of its answer, or in the body. What goes wrong follows from the seed alone, request by request.
 */
export async function startBadNetwork(upstream: string, seed: number): Promise<BadNetwork> {
  const random = randomFrom(seed);
  const inARow = new Map<string, number>();
  const agent = new Agent({ keepAlive: false });
  const harm = { requests: 0, refused: 0, cut: 0 };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  /** What happens to a request: the place of the cut is a share of its way there and back. */
  function fate(name: string): "passes" | "refused" | { readonly cutAt: number } {
    const [drawn, place] = [random(), random()];
    const before = inARow.get(name) ?? 0;
    const isMet = drawn < refusedShare + cutShare && before < mostInARow;
    inARow.set(name, isMet ? before + 1 : 0);
    if (!isMet) return "passes";
    return drawn < refusedShare ? "refused" : { cutAt: place };
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    harm.requests += 1;
    // The time is told by the server alone.
    response.sendDate = false;
    const operation = [request.headers["x-amz-target"] ?? ""].flat().join("");
    const body = Buffer.concat(await request.toArray());
    const call = request.headers["amz-sdk-invocation-id"] ?? `${request.method} ${request.url}`;
    const met = fate([call].flat().join(""));
    if (met === "refused") {
      harm.refused += 1;
      const { status, text } = refusal(operation);
      response.writeHead(status).end(request.method === "HEAD" ? undefined : text);
      return;
    }
    if (met !== "passes") harm.cut += 1;
    // One cut of three is on the way there.
    if (met !== "passes" && met.cutAt < 1 / 3) return void request.socket.destroy();
    const { head, body: bytes } = await ask(request, body);
    const headers = { "content-length": String(bytes.byteLength), ...head.headers };
    delete headers["transfer-encoding"];
    if (met === "passes") {
      response.writeHead(head.statusCode ?? 500, headers).end(bytes);
      return;
    }
    const whole = Buffer.concat([Buffer.from(headText(head, headers)), bytes]);
    const cutAtByte = Math.floor(((met.cutAt - 1 / 3) * 3 * whole.length) / 2);
    request.socket.write(whole.subarray(0, cutAtByte), () => request.socket.destroy());
  }

  async function ask(
    request: IncomingMessage,
    body: Buffer,
  ): Promise<{ head: IncomingMessage; body: Buffer }> {
    const { hostname, port } = new URL(upstream);
    const { method, url, headers } = request;
    const asked = send({ agent, hostname, port, method, path: url, headers });
    asked.end(body);
    const [head] = (await once(asked, "response")) as [IncomingMessage];
    return { head, body: Buffer.concat(await head.toArray()) };
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    harm,
    async close() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As each service says that it is asked too much. */
function refusal(operation: string): { status: number; text: string } {
  if (operation.startsWith("DynamoDB")) {
    const type = "com.amazonaws.dynamodb.v20120810#ThrottlingException";
    return { status: 400, text: JSON.stringify({ __type: type, message: "slow down" }) };
  }
  if (operation !== "") {
    return {
      status: 400,
      text: JSON.stringify({ __type: "TooManyRequestsException", message: "slow down" }),
    };
  }
  return { status: 503, text: "<Error><Code>SlowDown</Code><Message>slow down</Message></Error>" };
}

function headText(
  { statusCode, statusMessage }: IncomingMessage,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): string {
  const lines = Object.entries(headers).flatMap(([name, values]) =>
    [values ?? []].flat().map((value) => `${name}: ${value}\r\n`),
  );
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join("")}\r\n`;
}

/** Mulberry32: numbers from 0 up to 1, always the same for a seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
