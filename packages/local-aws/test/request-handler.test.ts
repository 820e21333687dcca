import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { requestHandler } from "../src/request-handler.ts";
import type { LocalRequest, LocalResponse, LocalService } from "../src/service.ts";

const plain = { method: "GET", hostname: "s3.localhost", path: "/", headers: {} };

/** A service that answers by a function and keeps what it was asked. */
function service(answer: (request: LocalRequest) => Promise<LocalResponse>) {
  const asked: LocalRequest[] = [];
  const end: LocalService = {
    handle(request) {
      asked.push(request);
      return answer(request);
    },
    close: () => Promise.resolve(),
  };
  return { asked, handler: requestHandler(end) };
}

const ok = (body: LocalResponse["body"] = new Uint8Array()) =>
  Promise.resolve({ status: 200, headers: {}, body });

async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

test("a query is sorted and escaped as the SDK's own handler sends it", async () => {
  const { asked, handler } = service(() => ok());
  const query = { prefix: "a b/(ä)*", list: ["2", "1"], acl: null, "x-id": "" };
  await handler.handle({ ...plain, query });
  expect(asked[0]?.query).toBe("acl&list=2&list=1&prefix=a%20b%2F%28%C3%A4%29%2A&x-id=");
});

test("header names come in lower case, with the host", async () => {
  const { asked, handler } = service(() => ok());
  await handler.handle({ ...plain, port: 4566, headers: { "X-Amz-Date": "today" } });
  expect(asked[0]?.headers).toEqual({ "x-amz-date": "today", host: "s3.localhost:4566" });
});

test.each<[string, unknown, string, string | undefined]>([
  ["text", "größe", "größe", "7"],
  ["bytes", new Uint8Array([104, 105]), "hi", "2"],
  ["a view of a larger buffer", Buffer.from("xhix").subarray(1, 3), "hi", "2"],
  ["a blob", new Blob(["hi"]), "hi", "2"],
  ["a stream", Readable.from([Buffer.from("h"), Buffer.from("i")]), "hi", undefined],
  ["a web stream", new Blob(["hi"]).stream(), "hi", undefined],
  ["nothing", undefined, "", "0"],
])("a body of %s arrives, its length said where it is known", async (_name, body, expected, length) => {
  const received: string[] = [];
  const { asked, handler } = service(async (request) => {
    received.push(await text(request.body));
    return await ok();
  });
  await handler.handle({ ...plain, method: "PUT", body });
  expect(received).toEqual([expected]);
  expect(asked[0]?.headers["content-length"]).toBe(length);
});

test("an answer's body is a Node stream of bytes", async () => {
  const { handler } = service(() =>
    ok(
      (async function* pieces() {
        yield Buffer.from("two ");
        yield Buffer.from("pieces");
      })(),
    ),
  );
  const { response } = await handler.handle(plain);
  expect(response.body).toBeInstanceOf(Readable);
  expect(await text(response.body)).toBe("two pieces");
});

test("a request that is aborted before it starts never reaches the service", async () => {
  const { asked, handler } = service(() => ok());
  const abortSignal = AbortSignal.abort();
  await expect(handler.handle(plain, { abortSignal })).rejects.toMatchObject({ name: "AbortError" });
  expect(asked).toEqual([]);
});

test("an abort ends the wait for an answer", async () => {
  const { handler } = service(() => new Promise<LocalResponse>(() => {}));
  const controller = new AbortController();
  const answer = handler.handle(plain, { abortSignal: controller.signal });
  controller.abort();
  await expect(answer).rejects.toMatchObject({ name: "AbortError" });
});

test("an abort breaks off the body of an answer", async () => {
  const { handler } = service(() =>
    ok(
      (async function* endless() {
        for (;;) yield Buffer.alloc(1024);
      })(),
    ),
  );
  const controller = new AbortController();
  const { response } = await handler.handle(plain, { abortSignal: controller.signal });
  controller.abort();
  await expect(text(response.body)).rejects.toMatchObject({ name: "AbortError" });
});

test("a failure of the service passes through", async () => {
  const { handler } = service(() => Promise.reject(new Error("disk full")));
  const abortSignal = new AbortController().signal;
  await expect(handler.handle(plain, { abortSignal })).rejects.toThrow("disk full");
});
