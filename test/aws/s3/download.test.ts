import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { readFile, readdir, stat, writeFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Aws } from "../../../src/aws/clients.ts";
import { crc64Nvme } from "../../../src/aws/s3/crc64-nvme.ts";
import { downloadFile } from "../../../src/aws/s3/download.ts";
import { putObject, type ObjectHead } from "../../../src/aws/s3/objects.ts";
import { verificationOf } from "../../../src/aws/s3/verification.ts";
import type { FaultyServer } from "../../support/faulty-server.ts";
import { openLocalAws, type LocalAws } from "../../support/local-aws.ts";

const bytes = randomBytes(3 * 1024 ** 2 + 77);
const sha256 = createHash("sha256").update(bytes).digest("hex");
const object = { bucket: "plain", key: "downloads/ä" };

let local: LocalAws;
let aws: Aws;
let outside: Aws;
let server: FaultyServer;
let folder: string;
let path: string;
let count = 0;

beforeAll(async () => {
  local = await openLocalAws();
  ({ aws } = local);
  ({ server, aws: outside } = await local.faulty());
});

afterAll(() => local.close());

beforeEach(async () => {
  folder = join(local.folder, `downloads-${count++}`);
  await mkdir(folder);
  path = join(folder, "file");
  server.fault = undefined;
  server.requests.length = 0;
  await putObject(aws, { ...object, body: bytes });
});

const ranges = () =>
  server.requests.filter(({ method }) => method === "GET").map(({ headers }) => headers.range);

/** Leaves a part file of at least a megabyte behind. */
async function interrupt(): Promise<number> {
  const abort = new AbortController();
  const download = downloadFile(outside, {
    ...object,
    path,
    signal: abort.signal,
    onProgress: () => abort.abort(),
  });
  await expect(download).rejects.toMatchObject({ name: "AbortError" });
  server.requests.length = 0;
  const [part = "", ...others] = await readdir(folder);
  expect(part).toMatch(/^file\.[0-9a-f]{12}\.part$/);
  expect(others).toEqual([]);
  return (await stat(join(folder, part))).size;
}

describe("a download", () => {
  test("gives the bytes, and says what they were compared with", async () => {
    const progress: number[] = [];
    const downloaded = await downloadFile(aws, {
      ...object,
      path,
      onProgress: (received) => progress.push(received),
    });
    expect(downloaded).toMatchObject({
      verified: "CRC32",
      resumedBytes: 0,
      head: { sizeBytes: bytes.byteLength },
    });
    expect((await readFile(path)).equals(bytes)).toBe(true);
    expect(await readdir(folder)).toEqual(["file"]);
    expect(progress.at(-1)).toBe(bytes.byteLength);
  });

  test("of an empty object gives an empty file", async () => {
    await putObject(aws, { bucket: "plain", key: "empty", body: new Uint8Array() });
    await downloadFile(aws, { bucket: "plain", key: "empty", path });
    expect((await readFile(path)).byteLength).toBe(0);
  });

  test("gives the version that was asked for", async () => {
    const { version } = await putObject(aws, { ...object, bucket: "versioned", body: bytes });
    await putObject(aws, { ...object, bucket: "versioned", body: Buffer.from("newer") });
    await downloadFile(aws, { ...object, bucket: "versioned", version, path });
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  test("checks a SHA-256 that the caller knows", async () => {
    expect(await downloadFile(aws, { ...object, path, sha256 })).toMatchObject({ verified: "sha256" });
    const wrong = downloadFile(aws, { ...object, path: `${path}2`, sha256: "00".repeat(32) });
    await expect(wrong).rejects.toThrow("not those that S3 holds (sha256)");
    expect(await readdir(folder)).toEqual(["file"]);
  });

  test("keeps no byte that was changed on the way", async () => {
    server.fault = ({ method }) => (method === "GET" ? "flip a byte" : undefined);
    await expect(downloadFile(outside, { ...object, path })).rejects.toThrow(
      "not those that S3 holds (CRC32)",
    );
    expect(await readdir(folder)).toEqual([]);
  });

  test("keeps an existing file unless it may be overwritten", async () => {
    await writeFile(path, "mine");
    await expect(downloadFile(outside, { ...object, path })).rejects.toThrow("exists already");
    expect(server.requests).toEqual([]);
    expect(await readFile(path, "utf8")).toBe("mine");
    await downloadFile(outside, { ...object, path, overwrite: true });
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  test("keeps a file that came up while it ran", async () => {
    const download = downloadFile(aws, { ...object, path, onProgress: () => writeFileSync(path, "mine") });
    await expect(download).rejects.toThrow("exists already");
    expect(await readFile(path, "utf8")).toBe("mine");
  });

  test("of what is not there says so and leaves no file", async () => {
    await expect(downloadFile(aws, { ...object, key: "nowhere", path })).rejects.toThrow("no object nowhere");
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("a connection that breaks", () => {
  test("is taken up where it broke, again and again", async () => {
    let cuts = 0;
    server.fault = ({ method }) => (method === "GET" && cuts++ < 3 ? { cutAfterBytes: 700_000 } : undefined);
    expect(await downloadFile(outside, { ...object, path })).toMatchObject({ verified: "CRC32" });
    expect((await readFile(path)).equals(bytes)).toBe(true);
    expect(ranges()).toEqual([undefined, "bytes=700000-", "bytes=1400000-", "bytes=2100000-"]);
  });

  test("again and again without a byte ends the download, which can be resumed", async () => {
    server.fault = ({ method, headers }) => {
      if (method !== "GET") return undefined;
      return { cutAfterBytes: headers.range === undefined ? 700_000 : 0 };
    };
    await expect(downloadFile(outside, { ...object, path })).rejects.toMatchObject({ code: "ECONNRESET" });
    server.fault = undefined;
    expect(await downloadFile(outside, { ...object, path })).toMatchObject({ resumedBytes: 700_000 });
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });
});

describe("an interrupted download", () => {
  test("goes on with what is missing, and checks the whole", async () => {
    const received = await interrupt();
    expect(received).toBeGreaterThan(0);
    expect(await downloadFile(outside, { ...object, path })).toMatchObject({
      resumedBytes: received,
      verified: "CRC32",
    });
    expect(ranges()).toEqual([`bytes=${received}-`]);
    expect((await readFile(path)).equals(bytes)).toBe(true);
    expect(await readdir(folder)).toEqual(["file"]);
  });

  test("starts from the beginning when the object is another one, and leaves no old part", async () => {
    await interrupt();
    const other = Buffer.from(bytes).reverse();
    await putObject(aws, { ...object, body: other });
    expect(await downloadFile(outside, { ...object, path })).toMatchObject({ resumedBytes: 0 });
    expect((await readFile(path)).equals(other)).toBe(true);
    expect(await readdir(folder)).toEqual(["file"]);
  });

  test("finds out that its part was damaged, and begins anew the next time", async () => {
    await interrupt();
    const [part = ""] = await readdir(folder);
    const damaged = await readFile(join(folder, part));
    damaged[5] = (damaged[5] ?? 0) ^ 1;
    await writeFile(join(folder, part), damaged);
    await expect(downloadFile(outside, { ...object, path })).rejects.toThrow("not those that S3 holds");
    expect(await downloadFile(outside, { ...object, path })).toMatchObject({ resumedBytes: 0 });
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  test("starts from the beginning when it is told to", async () => {
    await interrupt();
    expect(await downloadFile(outside, { ...object, path, resume: false })).toMatchObject({
      resumedBytes: 0,
    });
    expect(ranges()).toEqual([undefined]);
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  test("does not mix two versions when the object changes while it runs", async () => {
    const other = Buffer.from(bytes).reverse();
    server.fault = async ({ method, headers }) => {
      if (method !== "GET") return undefined;
      if (headers.range === undefined) return { cutAfterBytes: 700_000 };
      await putObject(aws, { ...object, body: other });
      return undefined;
    };
    const download = downloadFile(outside, { ...object, path });
    await expect(download).rejects.toMatchObject({ $metadata: { httpStatusCode: 412 } });
    expect((await readdir(folder)).includes("file")).toBe(false);
  });
});

describe("what is compared", () => {
  const text = Buffer.from("123456789");
  const head = (given: Partial<ObjectHead>): ObjectHead => ({
    etag: '"25f9e794323b453885f5181f1b624d0b"',
    version: undefined,
    sizeBytes: 9,
    contentType: undefined,
    cacheControl: undefined,
    contentDisposition: undefined,
    lastModified: undefined,
    metadata: {},
    checksum: undefined,
    encryption: undefined,
    storageClass: undefined,
    tagCount: undefined,
    ...given,
  });
  const sum = (algorithm: NonNullable<ObjectHead["checksum"]>["algorithm"], value: string) =>
    ({ algorithm, value, type: "FULL_OBJECT" }) as const;
  const ofParts = '"25f9e794323b453885f5181f1b624d0b-2"';

  test.for([
    ["CRC32", { checksum: sum("CRC32", "y/Q5Jg==") }],
    ["SHA256", { checksum: sum("SHA256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=") }],
    ["SHA1", { checksum: sum("SHA1", "98O8HYCOBHMq32eZZczDTKeuNEE=") }],
    ["MD5", {}],
    ["MD5", { checksum: sum("CRC64NVME", "rosUhgoKhok=") }],
    ["CRC64NVME", { etag: ofParts, checksum: sum("CRC64NVME", "rosUhgp5mIg=") }],
    ["CRC64NVME", { encryption: "aws:kms", checksum: sum("CRC64NVME", "rosUhgp5mIg=") }],
    ["size", { encryption: "aws:kms" }],
    ["size", { etag: ofParts }],
    ["size", { etag: ofParts, checksum: { algorithm: "CRC32", value: "y/Q5Jg==-2", type: "COMPOSITE" } }],
  ] as const)("is %s for %j", ([by, given]) => {
    const verification = verificationOf(head(given));
    verification.update(text.subarray(0, 4));
    verification.update(text.subarray(4));
    expect(verification.by).toBe(by);
    expect(verification.matches()).toBe(true);
    const wrong = verificationOf(head(given));
    wrong.update(text.subarray(1));
    expect(wrong.matches()).toBe(by === "size");
  });

  test("is what the catalogue of CRCs gives for CRC-64/NVME", () => {
    const crc = crc64Nvme();
    crc.update(text);
    expect(crc.digest().toString("hex")).toBe("ae8b14860a799888");
  });
});
