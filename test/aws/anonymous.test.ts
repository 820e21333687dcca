import { once } from "node:events";
import { createServer as createTlsServer } from "node:https";
import { createServer, type AddressInfo, type Server } from "node:net";
import { afterEach, expect, it } from "vitest";
import { anonymousGet } from "../../src/aws/anonymous.ts";
import { connect, type Aws } from "../../src/aws/clients.ts";
import type { Limits } from "../../src/aws/limits.ts";
import { selfSigned } from "../support/self-signed.ts";

const server = { close: async (): Promise<void> => undefined };
const asking = (limits: Partial<Limits>): Aws =>
  connect({
    region: "eu-central-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
    limits: { firstDelayMs: 1, ...limits },
  });
/** Waits long enough for a busy machine. */
const aws = asking({});
/** For servers that never answer. */
const impatient = asking({ silentMs: 200 });

afterEach(() => server.close());

/** Answers every connection by these bytes, then does nothing, or cuts it. */
async function speaking(bytes: string, then: "wait" | "cut" = "cut"): Promise<string> {
  const made = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      if (then === "cut") socket.end(bytes);
      else socket.write(bytes);
    });
  });
  return `http://127.0.0.1:${await listening(made)}`;
}

async function listening(made: Server): Promise<number> {
  const sockets = new Set<{ destroy(): void }>();
  made.on("connection", (socket: { destroy(): void }) => void sockets.add(socket));
  made.listen(0, "127.0.0.1");
  await once(made, "listening");
  server.close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => made.close(resolve));
    server.close = async () => undefined;
  };
  return (made.address() as AddressInfo).port;
}

async function overTls(): Promise<string> {
  const made = createTlsServer(selfSigned, (_request, response) => void response.end("x"));
  return `https://127.0.0.1:${await listening(made)}`;
}

const head = (length: number) => `HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n`;

it.each<[string, () => Promise<string>, RegExp]>([
  ["refuses the connection", async () => "http://127.0.0.1:1", /refused \(ECONNREFUSED\)/],
  ["cuts the connection at once", () => speaking(""), /cut off \(ECONNRESET\)/],
  ["cuts it in the head", () => speaking("HTTP/1.1 200 OK\r\nconte"), /cut off \(ECONNRESET\)|HTTP/],
  ["cuts it in the body", () => speaking(`${head(100)}half`), /cut off \(ECONNRESET\)/],
  ["speaks no HTTP", () => speaking("SSH-2.0-OpenSSH\r\n"), /does not speak HTTP/],
  ["speaks no TLS", async () => (await speaking("SSH-2.0\r\n")).replace("http", "https"), /not speak TLS/],
  ["has a certificate that nobody trusts", overTls, /certificate .* is not trusted/],
  ["cannot be there", async () => "http://127.0.0.1:99999", /no address that can be opened/],
])("a server that %s is told by its reason, and is no answer", async (_how, open, why) => {
  const seen = await anonymousGet(aws, `${await open()}/bucket/key.jpg`);
  expect(seen).toMatchObject({ status: undefined, why: expect.stringMatching(why) });
});

it.each([
  ["says nothing", ""],
  ["stops in the body", `${head(100)}half`],
])("a server that %s is not waited for without end", async (_how, bytes) => {
  const seen = await anonymousGet(impatient, `${await speaking(bytes, "wait")}/bucket/key.jpg`);
  expect(seen).toMatchObject({
    status: undefined,
    why: expect.stringContaining("no answer came in time") as string,
  });
});

it.each([301, 302, 403, 404, 500, 503])("the status %d is an answer", async (status) => {
  const url = await speaking(
    `HTTP/1.1 ${status} X\r\nlocation: https://elsewhere/\r\ncontent-length: 0\r\n\r\n`,
  );
  expect(await anonymousGet(aws, `${url}/bucket/key.jpg`)).toMatchObject({
    status,
    headers: { location: "https://elsewhere/" },
    sizeBytes: 0,
  });
});

it("Ctrl-C is no answer of a server", async () => {
  const abort = new AbortController();
  const asked = anonymousGet(aws, await speaking("", "wait"), abort.signal);
  abort.abort(new Error("interrupted"));
  await expect(asked).rejects.toThrow("interrupted");
});
