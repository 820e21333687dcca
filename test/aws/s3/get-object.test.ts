import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { anonymousGet } from "../../../src/aws/anonymous.ts";
import type { Aws } from "../../../src/aws/clients.ts";
import { explain } from "../../../src/aws/explain/explain.ts";
import { getObject, getObjectBytes, putObject } from "../../../src/aws/s3/objects.ts";
import { openWhole } from "../../../src/aws/s3/stored-object.ts";
import { s3Store } from "../../../src/backup/s3-store.ts";
import type { Fault, FaultyServer } from "../../support/faulty-server.ts";
import { openLocalAws, type LocalAws } from "../../support/local-aws.ts";

const bytes = Buffer.alloc(200_000, "0123456789");
const object = { bucket: "plain", key: "folder/object" };

let local: LocalAws;
let server: FaultyServer;
let aws: Aws;

beforeAll(async () => {
  local = await openLocalAws();
});
beforeEach(async () => {
  ({ server, aws } = await local.faulty());
  await putObject(local.aws, { ...object, body: bytes });
});
afterEach(() => server.close());
afterAll(() => local.close());

async function read(body: AsyncIterable<Uint8Array> | undefined): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A fault of the first so many answers with a body. */
function first(answers: number, fault: Fault): void {
  let seen = 0;
  server.fault = ({ method }) => (method === "GET" && (seen += 1) <= answers ? fault : undefined);
}

const ranges = () => server.requests.map(({ headers }) => headers.range);

describe.each<[string, (aws: Aws) => Promise<Buffer>]>([
  ["an object that is read bit by bit", async (aws) => read((await getObject(aws, object)).body)],
  ["an object that is read into memory", async (aws) => (await getObjectBytes(aws, object)).bytes],
  ["an object with all its headers", async (aws) => read((await openWhole(aws, object)).body)],
  [
    "a file of a repository",
    async (aws) => read(await s3Store(aws, { bucket: "plain", prefix: "folder" }).open("object")),
  ],
])("%s", (_what, get) => {
  test("is read on from where its connection was cut, of the same object only", async () => {
    first(3, { cutAfterBytes: 50_000 });
    expect((await get(aws)).equals(bytes)).toBe(true);
    expect(ranges()).toEqual([undefined, "bytes=50000-", "bytes=100000-", "bytes=150000-"]);
    const etags = server.requests.map(({ headers }) => headers["if-match"]);
    expect(etags.slice(1)).toEqual(Array(3).fill(`"${createHash("md5").update(bytes).digest("hex")}"`));
  });

  test("is read on also when several connections bring nothing", async () => {
    first(5, { cutAfterBytes: 0 });
    expect((await get(aws)).equals(bytes)).toBe(true);
  });

  test("is not mixed with another one that takes its place", async () => {
    server.fault = async ({ headers }) => {
      if (headers.range === undefined) return { cutAfterBytes: 50_000 };
      await putObject(local.aws, { ...object, body: Buffer.alloc(200_000, "x") });
      return undefined;
    };
    await expect(get(aws)).rejects.toMatchObject({ $metadata: { httpStatusCode: 412 } });
  });

  test("is told to be unreachable when it is cut again and again, by what was asked", async () => {
    server.fault = () => ({ cutAfterBytes: 0 });
    const error: unknown = await get(aws).catch((thrown: unknown) => thrown);
    expect(explain(error, {})?.message).toBe(
      `cannot reach ${server.url}: the connection was cut off (ECONNRESET)`,
    );
    expect(server.requests).toHaveLength(10);
  });

  test("is refused when a byte changed on the way", async () => {
    server.fault = () => "flip a byte";
    await expect(get(aws)).rejects.toThrow("the bytes received are not those that S3 holds (CRC32)");
  });
});

test("a range is read on within itself", async () => {
  first(1, { cutAfterBytes: 10 });
  const { bytes: part } = await getObjectBytes(aws, { ...object, range: { first: 5, last: 104 } });
  expect(part.equals(bytes.subarray(5, 105))).toBe(true);
  expect(ranges()).toEqual(["bytes=5-104", "bytes=15-104"]);
});

test("a server that begins anew instead of going on is not believed", async () => {
  first(1, { cutAfterBytes: 50_000 });
  const { body } = await getObject(aws, object);
  const reading = read(body);
  server.fault = () => ({ status: 200, body: "x".repeat(200_000) });
  await expect(reading).rejects.toMatchObject({ code: "ECONNRESET" });
});

describe("what anybody may ask for", () => {
  const url = () => `${server.url}/plain/folder/object`;

  test.each<[string, Fault]>([
    ["the connection is cut before an answer", "cut"],
    ["the answer is lost", "lose the answer"],
    ["the body breaks off", { cutAfterBytes: 10 }],
    ["the server asks for patience", { status: 503 }],
  ])("is asked for again when %s", async (_what, fault) => {
    first(4, fault);
    const answer = await anonymousGet(aws, url());
    expect(answer.status).toBe(403);
    expect(server.requests).toHaveLength(5);
  });

  test("is answered as busy by a server that stays so", async () => {
    server.fault = () => ({ status: 503 });
    expect((await anonymousGet(aws, url())).status).toBe(503);
    expect(server.requests).toHaveLength(10);
  });
});
