import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Served } from "../src/serve.ts";
import type { LocalRequest } from "../src/service.ts";
import { answer, bytesOf, call, nothing, raw, serveWith } from "./served-store.ts";

let dir: string;
let running: Served | undefined;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "mawps-serve-"));
});

afterEach(async () => {
  await running?.close();
  running = undefined;
  await rm(dir, { recursive: true, force: true });
});

async function start(...args: Parameters<typeof serveWith> extends [string, ...infer Rest] ? Rest : never) {
  const served = await serveWith(dir, ...args);
  running = served;
  return served;
}

describe("requests", () => {
  test("reach the service with path, query and headers as they were sent", async () => {
    const seen: LocalRequest[] = [];
    const served = await start((request) => {
      seen.push(request);
      return nothing();
    });
    await call(served, {
      path: "/bucket/a%2Fb/../%E2%98%83//c?list-type=2&prefix=%20+?x",
      headers: { "X-Amz-Meta-Name": "Wert" },
    });
    await raw(
      served.port,
      "GET /bad%zz%?%gg HTTP/1.1\r\nHost: localhost\r\nX-Twice: a\r\nX-Twice: b\r\nConnection: close\r\n\r\n",
    );
    expect(seen.map(({ method, path, query }) => ({ method, path, query }))).toEqual([
      { method: "GET", path: "/bucket/a%2Fb/../%E2%98%83//c", query: "list-type=2&prefix=%20+?x" },
      { method: "GET", path: "/bad%zz%", query: "%gg" },
    ]);
    expect(seen[0]?.headers["x-amz-meta-name"]).toBe("Wert");
    expect(seen[1]?.headers["x-twice"]).toBe("a,b");
  });

  test("are answered with the service's status, headers and body, a HEAD without the body", async () => {
    let freed = false;
    async function* pieces() {
      try {
        yield Buffer.from("one ");
        yield Buffer.from("two");
      } finally {
        freed = true;
      }
    }
    const served = await start(() =>
      Promise.resolve({ status: 206, headers: { "content-length": "7", etag: '"x"' }, body: pieces() }),
    );
    expect(await call(served)).toMatchObject({ status: 206, body: "one two", headers: { etag: '"x"' } });
    expect(freed).toBe(true);
    expect(await call(served, { method: "HEAD" })).toMatchObject({
      status: 206,
      body: "",
      headers: { "content-length": "7" },
    });
  });

  test("wait for the reader of a long answer instead of holding it in memory", async () => {
    let made = 0;
    const pieceCount = 400;
    async function* pieces() {
      for (; made < pieceCount; made++) {
        yield Buffer.alloc(256 * 1024);
        await sleep(0);
      }
    }
    const served = await start(() => Promise.resolve(answer(pieces())));
    const request = httpRequest({ host: "127.0.0.1", port: served.port, path: "/", agent: false });
    const response = await new Promise<IncomingMessage>((resolve) => {
      request.on("response", resolve);
      request.end();
    });
    response.pause();
    let before = -1;
    while (before !== made) {
      before = made;
      await sleep(100);
    }
    expect(made).toBeLessThan(pieceCount);
    expect(await bytesOf(response)).toBe(pieceCount * 256 * 1024);
  });

  test("that break off in the middle of the body reject in the service and abort its signal", async () => {
    let error: unknown;
    let signal: AbortSignal | undefined;
    const served = await start(async (request) => {
      signal = request.signal;
      error = await bytesOf(request.body).catch((thrown: unknown) => thrown);
      return answer("");
    });
    const socket = connect({ host: "127.0.0.1", port: served.port });
    socket.write("PUT /b/k HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nonly this", () =>
      socket.destroy(),
    );
    await expect.poll(() => error).toBeDefined();
    expect(error).toBeInstanceOf(Error);
    await expect.poll(() => signal?.aborted).toBe(true);
  });

  test("whose client leaves during the answer abort the signal and end the answer's body", async () => {
    let ended = false;
    let signal: AbortSignal | undefined;
    async function* endless() {
      try {
        for (;;) {
          yield Buffer.alloc(64 * 1024);
          await sleep(1);
        }
      } finally {
        ended = true;
      }
    }
    const served = await start((request) => {
      signal = request.signal;
      return Promise.resolve(answer(endless()));
    });
    const socket = connect({ host: "127.0.0.1", port: served.port });
    socket.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    socket.once("data", () => socket.destroy());
    await expect.poll(() => ended).toBe(true);
    expect(signal?.aborted).toBe(true);
  });

  test("that expect to continue are only told to when the body is wanted", async () => {
    const served = await start(async (request) =>
      request.path === "/wanted" ? answer(`read ${String(await bytesOf(request.body))}`) : answer("no", 403),
    );
    const head = (path: string) =>
      `PUT ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`;
    const refused = await raw(served.port, head("/unwanted"), "wait");
    expect(refused).toMatch(/^HTTP\/1\.1 403 /);
    expect(refused.toLowerCase()).toContain("connection: close");
    const accepted = await new Promise<string>((resolve) => {
      const socket = connect({ host: "127.0.0.1", port: served.port });
      let received = "";
      socket.setEncoding("latin1");
      socket.on("data", (data: string) => {
        received += data;
        if (received === "HTTP/1.1 100 Continue\r\n\r\n") socket.end("body");
      });
      socket.on("close", () => resolve(received));
      socket.write(head("/wanted"));
    });
    expect(accepted).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    expect(accepted).toContain("read 4");
  });

  test("go on over one connection, also when the body before was not read to its end", async () => {
    const served = await start(async (request) => {
      if (request.path === "/some") for await (const _ of request.body) break;
      return answer(request.path);
    });
    const body = "x".repeat(300_000);
    const put = (path: string) =>
      `PUT ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`;
    const received = await raw(
      served.port,
      `${put("/none")}${put("/some")}GET /last HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
      "wait",
    );
    expect(received.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
    expect(received.match(/\/none|\/some|\/last/g)).toEqual(["/none", "/some", "/last"]);
  });

  test("get 500 when the service fails, are reported, and the server goes on", async () => {
    const faults: unknown[] = [];
    const served = await start(
      (request) =>
        request.path === "/fails" ? Promise.reject(new Error("disk full")) : Promise.resolve(answer("fine")),
      { onFault: (error) => faults.push(error) },
    );
    const failed = await call(served, { path: "/fails" });
    expect(failed.status).toBe(500);
    expect(failed.body).not.toContain("disk full");
    expect(faults).toEqual([new Error("disk full")]);
    expect(await call(served)).toMatchObject({ status: 200, body: "fine" });
  });

  test("that are malformed are refused without an end of the server", async () => {
    const served = await start(async (request) => answer(String(await bytesOf(request.body))));
    const malformed: readonly (string | Buffer)[] = [
      "",
      "\r\n\r\n",
      "GET",
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
      "GET http://example.org/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "CONNECT example.org:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"y".repeat(100_000)}\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: localhost\r\n${"X-Flood: y\r\n".repeat(20_000)}\r\n`,
      `GET /${"%".repeat(70_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      "PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
      "PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "PUT / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
      Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc]),
      Buffer.from("GET /\u0000\u00ff HTTP/1.1\r\nHost: localhost\r\n\r\n", "latin1"),
    ];
    const answers = await Promise.all(malformed.map((request) => raw(served.port, request)));
    expect(answers.filter((received) => received.startsWith("HTTP/1.1 2"))).toEqual(
      // Only the upgrade is an ordinary request: what it asks for is ignored.
      [answers[8]],
    );
    expect(await call(served, { method: "PUT", body: "four" })).toMatchObject({ status: 200, body: "4" });
  });
});

describe("the host", () => {
  test.each([
    "127.0.0.1",
    "127.0.0.1:9700",
    "localhost",
    "LOCALHOST:1",
    "[::1]:80",
    "bucket.localhost:9700",
    "my.bucket-1.localhost",
  ])("%s is served", async (host) => {
    const served = await start(nothing);
    expect((await call(served, { headers: { host } })).status).toBe(200);
  });

  test.each([
    "example.org",
    "example.org:9700",
    "127.0.0.1.example.org",
    "localhost.example.org",
    "xlocalhost",
    "127.0.0.1@example.org",
    "127.0.0.2",
    "bucket.127.0.0.1",
    "localhost:80:80",
    "local host",
  ])("%s is refused before the service sees anything", async (host) => {
    let seen = 0;
    const served = await start(() => {
      seen++;
      return nothing();
    });
    const { status, body } = await call(served, { headers: { host } });
    expect([status, seen]).toEqual([403, 0]);
    expect(body).toContain("<Code>AccessDenied</Code>");
  });

  test("named twice, or not at all, is refused", async () => {
    const served = await start(nothing);
    expect(await raw(served.port, "GET / HTTP/1.1\r\nHost: localhost\r\nHost: example.org\r\n\r\n")).toMatch(
      /^HTTP\/1\.1 40[03] /,
    );
    expect(await raw(served.port, "GET / HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 403 /);
  });
});
