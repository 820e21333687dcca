import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyObject } from "../../../src/aws/s3/copy.ts";
import { deleteAllVersions, deleteObjects } from "../../../src/aws/s3/deletion.ts";
import { listObjects, listVersions } from "../../../src/aws/s3/listing.ts";
import {
  deleteObject,
  getObject,
  getObjectBytes,
  headObject,
  objectTags,
  putObject,
  setObjectTags,
} from "../../../src/aws/s3/objects.ts";
import type { Aws } from "../../../src/aws/clients.ts";
import { openLocalAws, type LocalAws } from "../../support/local-aws.ts";

let local: LocalAws;
let aws: Aws;

beforeAll(async () => {
  local = await openLocalAws();
  ({ aws } = local);
});

afterAll(() => local.close());

const body = Buffer.from("Grüße aus dem Bucket");
const put = (key: string, options: { bucket?: string; body?: Buffer } = {}) =>
  putObject(aws, { bucket: "plain", key, body, ...options });

async function keys(prefix: string, pageSize?: number): Promise<string[]> {
  const found: string[] = [];
  for await (const page of listObjects(aws, { bucket: "plain", prefix, pageSize })) {
    found.push(...page.objects.map((object) => object.key));
  }
  return found;
}

async function versions(prefix: string, pageSize?: number) {
  const found = [];
  for await (const page of listVersions(aws, { bucket: "versioned", prefix, pageSize })) found.push(...page);
  return found;
}

describe("one object", () => {
  test("comes back with its headers, metadata, tags and the checksum that S3 kept", async () => {
    await putObject(aws, {
      bucket: "plain",
      key: "one/ä b+c%20.jpg",
      body,
      contentType: "image/jpeg",
      cacheControl: "public, max-age=1",
      contentDisposition: "inline",
      metadata: { "original-name": "a%20b" },
      tags: { "a b": "c=d+e/@" },
    });
    const name = { bucket: "plain", key: "one/ä b+c%20.jpg" };
    expect(await headObject(aws, name)).toMatchObject({
      sizeBytes: body.byteLength,
      contentType: "image/jpeg",
      cacheControl: "public, max-age=1",
      contentDisposition: "inline",
      metadata: { "original-name": "a%20b" },
      checksum: { algorithm: "CRC32", type: "FULL_OBJECT" },
    });
    expect((await getObjectBytes(aws, name)).bytes).toEqual(body);
    expect(await objectTags(aws, name)).toEqual({ "a b": "c=d+e/@" });
    await setObjectTags(aws, name, { other: "1" });
    expect(await objectTags(aws, name)).toEqual({ other: "1" });
    expect((await getObjectBytes(aws, name)).bytes).toEqual(body);
  });

  test("that is not there is undefined to head and an error to get", async () => {
    expect(await headObject(aws, { bucket: "plain", key: "nowhere" })).toBeUndefined();
    await expect(getObject(aws, { bucket: "plain", key: "nowhere" })).rejects.toMatchObject({
      name: "NoSuchKey",
    });
  });

  test("is not taken for missing when access to it is denied", async () => {
    const { server, aws: outside } = await local.faulty();
    server.fault = () => ({ status: 403 });
    await expect(headObject(outside, { bucket: "plain", key: "nowhere" })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    });
  });

  test("is read in part", async () => {
    await put("range");
    const part = (first: number, last?: number) =>
      getObjectBytes(aws, { bucket: "plain", key: "range", range: { first, last } });
    expect((await part(1, 3)).bytes).toEqual(body.subarray(1, 4));
    expect((await part(5)).bytes).toEqual(body.subarray(5));
  });

  test("is not read when it has changed", async () => {
    const { etag } = await put("changing");
    await put("changing", { body: Buffer.from("other") });
    const read = getObject(aws, { bucket: "plain", key: "changing", ifMatch: etag });
    await expect(read).rejects.toMatchObject({ $metadata: { httpStatusCode: 412 } });
  });

  test("is not written over when it must be new or the same", async () => {
    const { etag } = await put("guarded");
    const guarded = { bucket: "plain", key: "guarded", body: Buffer.from("second") };
    await expect(putObject(aws, { ...guarded, ifNoneMatch: "*" })).rejects.toMatchObject({
      name: "PreconditionFailed",
    });
    await expect(putObject(aws, { ...guarded, ifMatch: '"0123"' })).rejects.toMatchObject({
      name: "PreconditionFailed",
    });
    expect((await getObjectBytes(aws, guarded)).bytes).toEqual(body);
    await putObject(aws, { ...guarded, ifMatch: etag });
    expect((await getObjectBytes(aws, guarded)).bytes.toString()).toBe("second");
  });

  test("is refused when its bytes change on the way", async () => {
    const s3 = await aws.s3();
    const { PutObjectCommand } = await import("@aws-sdk/client-s3");
    const wrong = new PutObjectCommand({
      Bucket: "plain",
      Key: "broken",
      Body: body,
      ChecksumCRC32: "AAAAAA==",
    });
    await expect(s3.send(wrong)).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    expect(await headObject(aws, { bucket: "plain", key: "broken" })).toBeUndefined();
  });

  test("is put again after SlowDown, with the same bytes", async () => {
    const { server, aws: outside } = await local.faulty();
    server.fault = () =>
      server.requests.length > 2 ? undefined : { status: 503, body: "<Error><Code>SlowDown</Code></Error>" };
    await putObject(outside, { bucket: "plain", key: "retried", body });
    expect(server.requests).toHaveLength(3);
    expect((await getObjectBytes(aws, { bucket: "plain", key: "retried" })).bytes).toEqual(body);
  });

  test("is sent with an unsigned payload only together with its checksum", async () => {
    const { server, aws: outside } = await local.faulty();
    await putObject(outside, { bucket: "plain", key: "unsigned", body });
    expect(server.requests[0]?.headers).toMatchObject({
      "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
      "x-amz-checksum-crc32": expect.any(String),
    });
    await deleteObject(outside, { bucket: "plain", key: "unsigned" });
    expect(server.requests[1]?.headers["x-amz-content-sha256"]).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("lists", () => {
  const names = ["l/1", "l/a b", "l/a+b", "l/a%2Bb", "l/dir/x", "l/dir/y", "l/ä", "l/\u0001control", "l/😀"];

  beforeAll(async () => {
    for (const name of names) await put(name);
  });

  test("go on to the last page, in the order of UTF-8 bytes", async () => {
    const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(await keys("l/", 2)).toEqual(sorted);
    expect(await keys("l/")).toEqual(sorted);
  });

  test("group keys by a delimiter", async () => {
    const page = (await listObjects(aws, { bucket: "plain", prefix: "l/", delimiter: "/" }).next()).value;
    expect(page?.prefixes).toEqual(["l/dir/"]);
  });

  test("give every version and marker, page by page", async () => {
    for (const text of ["1", "2", "3"]) await put("v/a", { bucket: "versioned", body: Buffer.from(text) });
    await put("v/b c", { bucket: "versioned" });
    await deleteObject(aws, { bucket: "versioned", key: "v/a" });
    const all = await versions("v/", 2);
    expect(all.filter(({ key }) => key === "v/a")).toHaveLength(4);
    expect(all.filter(({ isDeleteMarker }) => isDeleteMarker)).toMatchObject([
      { key: "v/a", isLatest: true },
    ]);
    expect(all.filter(({ key }) => key === "v/b c")).toMatchObject([
      { isLatest: true, sizeBytes: body.byteLength },
    ]);
  });
});

describe("deleting", () => {
  test("takes more keys than one call does, also those that XML cannot carry", async () => {
    const many = Array.from({ length: 1003 }, (_, at) => `many/${at}`);
    await put("many/0");
    await put("many/1002");
    await put("many/\u0002");
    const outcome = await deleteObjects(
      aws,
      "plain",
      [...many, "many/\u0002"].map((key) => ({ key })),
    );
    expect(outcome).toEqual({ deleted: 1004, failures: [] });
    expect(await keys("many/")).toEqual([]);
  });

  test("tells which keys S3 refused and deletes the others", async () => {
    const { server, aws: outside } = await local.faulty();
    server.fault = () => ({
      status: 200,
      body: "<DeleteResult><Error><Key>b</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>",
    });
    expect(await deleteObjects(outside, "plain", [{ key: "a" }, { key: "b" }])).toEqual({
      deleted: 1,
      failures: [{ key: "b", version: undefined, code: "AccessDenied", message: "no" }],
    });
  });

  test("of all versions leaves nothing of the key and everything of the others", async () => {
    for (const key of ["gone", "gone/too", "gone/three", "gonet"]) {
      await put(key, { bucket: "versioned" });
      await put(key, { bucket: "versioned" });
      await deleteObject(aws, { bucket: "versioned", key });
    }
    expect(await deleteAllVersions(aws, "versioned", { key: "gone" })).toEqual({ deleted: 3, failures: [] });
    expect(new Set((await versions("gone")).map(({ key }) => key))).toEqual(
      new Set(["gone/too", "gone/three", "gonet"]),
    );
    expect(await deleteAllVersions(aws, "versioned", { prefix: "gone/" })).toEqual({
      deleted: 6,
      failures: [],
    });
    expect(new Set((await versions("gone")).map(({ key }) => key))).toEqual(new Set(["gonet"]));
  });

  test.for(["", "/", "//", " "])("refuses the empty prefix %j before anything is sent", async (prefix) => {
    const { server, aws: outside } = await local.faulty();
    await expect(deleteAllVersions(outside, "plain", { prefix })).rejects.toThrow("empty prefix");
    await expect(deleteAllVersions(outside, "plain", { key: prefix })).rejects.toThrow("empty prefix");
    expect(server.requests).toEqual([]);
  });
});

describe("copying", () => {
  const source = {
    bucket: "plain",
    key: "copy/ä +%/source",
    contentType: "text/plain",
    metadata: { m: "1" },
    tags: { t: "1" },
  };
  const from = { bucket: source.bucket, key: source.key };
  const big = Buffer.alloc(11 * 1024 ** 2, "0123456789");
  const inParts = { singleCopyLimitBytes: 1, partSizeBytes: 5 * 1024 ** 2 };

  test.for([
    ["whole", {}],
    ["in parts", inParts],
  ] as const)("brings headers, metadata and tags along: %s", async ([, how]) => {
    await putObject(aws, { ...source, body: big });
    const to = { bucket: "versioned", key: "copy/target" };
    await copyObject(aws, { from, to, ...how });
    expect(await headObject(aws, to)).toMatchObject({ contentType: "text/plain", metadata: { m: "1" } });
    expect(await objectTags(aws, to)).toEqual({ t: "1" });
    expect((await getObjectBytes(aws, to)).bytes.equals(big)).toBe(true);
  });

  test.for([
    ["whole", {}],
    ["in parts", inParts],
  ] as const)("replaces what it is told to: %s", async ([, how]) => {
    await putObject(aws, { ...source, body: big });
    const to = { bucket: "plain", key: "copy/replaced" };
    await copyObject(aws, {
      from,
      to,
      replaceHeaders: { contentType: "text/html", metadata: { n: "2" } },
      replaceTags: { u: "2" },
      ...how,
    });
    expect(await headObject(aws, to)).toMatchObject({ contentType: "text/html", metadata: { n: "2" } });
    expect(await objectTags(aws, to)).toEqual({ u: "2" });
  });

  test.for([
    ["whole", {}],
    ["in parts", inParts],
  ] as const)("copies nothing of a source that has changed: %s", async ([, how]) => {
    await putObject(aws, { ...source, body: big });
    const to = { bucket: "plain", key: "copy/never" };
    await expect(copyObject(aws, { from, to, ifMatch: '"0123"', ...how })).rejects.toMatchObject({
      name: "PreconditionFailed",
    });
    expect(await headObject(aws, to)).toBeUndefined();
  });
});
