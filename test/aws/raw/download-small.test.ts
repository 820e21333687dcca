import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { smallDownloads, type SmallObject } from "../../../src/aws/raw/download-small.ts";
import { putObject } from "../../../src/aws/s3/objects.ts";
import { openSaver } from "../../../src/aws/raw/saver.ts";
import type { Fault, FaultyServer } from "../../support/faulty-server.ts";
import type { Aws } from "../../../src/aws/clients.ts";
import { openLocalAws, type LocalAws } from "../../support/local-aws.ts";

const bytes = randomBytes(300_000);
const bucket = "plain";
const key = "small/ä (1)'s +%20!*.pdf";

let local: LocalAws;
let outside: Aws;
let server: FaultyServer;
let folder: string;
let count = 0;

beforeAll(async () => {
  local = await openLocalAws();
  ({ server, aws: outside } = await local.faulty());
  await putObject(local.aws, { bucket, key, body: bytes });
});

afterAll(() => local.close());

beforeEach(async () => {
  folder = join(local.folder, `small-${count++}`);
  await mkdir(folder);
  server.fault = undefined;
  server.requests.length = 0;
});

function wanted(change: Partial<SmallObject> = {}): SmallObject {
  const sha256 = sha256Of(bytes);
  const path = join(folder, "file");
  return { key, path, overwrite: false, sizeBytes: bytes.byteLength, sha256, ...change };
}

function sha256Of(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}

function refusal(status: number, code: string): Fault {
  return { status, body: `<Error><Code>${code}</Code><Message>${code}</Message></Error>` };
}

async function download(aws: Aws, change?: Partial<SmallObject>): Promise<boolean> {
  const downloadSmall = await smallDownloads(aws, { bucket, saver: openSaver(undefined) });
  return downloadSmall(wanted(change));
}

test.each([
  ["over a socket", () => outside],
  ["in this process", () => local.aws],
])("a small object is there after one request, %s", async (_where, aws) => {
  expect(await download(aws())).toBe(true);
  expect(await readdir(folder)).toEqual(["file"]);
  expect((await readFile(join(folder, "file"))).equals(bytes)).toBe(true);
  expect(server.requests.length).toBeLessThanOrEqual(1);
});

describe("is left to `downloadFile`, and no file is left behind,", () => {
  const faults: [string, Fault, number][] = [
    ["the body breaks off", { cutAfterBytes: 100_000 }, 1],
    ["S3 sends a part of it", { status: 206, body: "%PDF" }, 2],
    ["a byte is another one", "flip a byte", 1],
  ];
  test.each(faults)("when %s", async (_name, fault, requests) => {
    server.fault = () => fault;
    expect(await download(outside)).toBe(false);
    expect(await readdir(folder)).toEqual([]);
    expect(server.requests).toHaveLength(requests);
  });

  test.each([
    ["it is longer than known", { sizeBytes: 299_999 }],
    ["its hash is another one", { sha256: "0".repeat(64) }],
  ])("when %s", async (_name, change) => {
    expect(await download(outside, change)).toBe(false);
    expect(await readdir(folder)).toEqual([]);
  });
});

test.each<[string, Fault]>([
  ["the connection is cut", "cut"],
  ["S3 is busy", refusal(503, "SlowDown")],
  ["the credentials have just expired", refusal(400, "ExpiredToken")],
])("a small object is asked for again when %s", async (_name, fault) => {
  server.fault = () => (server.requests.length === 1 ? fault : undefined);
  expect(await download(outside)).toBe(true);
  expect(await readdir(folder)).toEqual(["file"]);
  expect(server.requests.map(({ method }) => method)).toEqual(["GET", "GET"]);
});

test.each([
  [400, "ExpiredToken"],
  [403, "RequestTimeTooSkewed"],
  [403, "InvalidObjectState"],
  [404, "NoSuchBucket"],
])("what S3 refuses with %i is told by its reason: %s", async (status, reason) => {
  server.fault = () => refusal(status, reason);
  await expect(download(outside)).rejects.toMatchObject({ name: reason });
  expect(await readdir(folder)).toEqual([]);
});

test("an object that is not there is told, also where it is to be empty", async () => {
  const none = { key: "small/none", sizeBytes: 0, sha256: sha256Of("") };
  await expect(download(outside, none)).rejects.toMatchObject({ name: "NoSuchKey" });
  expect(await readdir(folder)).toEqual([]);
});

test("a file that is there is kept, or replaced where that is allowed", async () => {
  await writeFile(join(folder, "file"), "mine");
  await expect(download(outside)).rejects.toThrow("exists already");
  expect(await readdir(folder)).toEqual(["file"]);
  expect(await readFile(join(folder, "file"), "utf8")).toBe("mine");
  expect(await download(outside, { overwrite: true })).toBe(true);
  expect(await readdir(folder)).toEqual(["file"]);
  expect((await readFile(join(folder, "file"))).equals(bytes)).toBe(true);
});

test("a folder that is not there is told, not passed over", async () => {
  const path = join(folder, "none", "file");
  await expect(download(outside, { path })).rejects.toThrow("ENOENT");
});

test("an abort ends it", async () => {
  const stop = new AbortController();
  server.fault = () => {
    stop.abort();
    return "hang";
  };
  await expect(download(outside, { signal: stop.signal })).rejects.toMatchObject({ name: "AbortError" });
  expect(await readdir(folder)).toEqual([]);
});
