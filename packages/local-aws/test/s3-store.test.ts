import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type OpenStore, openStore } from "./s3-client.ts";

const Bucket = "store-bucket";
const mebibyte = 1024 ** 2;

let dir = "";
let store: OpenStore;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "mawps-s3-"));
  store = await openStore(dir);
  await store.s3.createBucket({ Bucket });
});

afterEach(async () => {
  await store.close();
  await rm(dir, { recursive: true, force: true });
});

async function read(Key: string): Promise<string | undefined> {
  return await (await store.s3.getObject({ Bucket, Key })).Body?.transformToString();
}

function blobs(): Promise<string[]> {
  return readdir(join(dir, "blobs"));
}

/** A body that promises `bytes` and breaks after half of them. */
function breaking(bytes: number): Readable {
  return Readable.from(
    (async function* half() {
      yield Buffer.alloc(bytes / 2);
      throw new Error("the disk of the sender failed");
    })(),
    { objectMode: false },
  );
}

test("a body that breaks off leaves the old object and no file", async () => {
  await store.s3.putObject({ Bucket, Key: "key", Body: "old" });
  const ContentLength = 4 * mebibyte;
  const upload = store.s3.putObject({ Bucket, Key: "key", Body: breaking(ContentLength), ContentLength });
  await expect(upload).rejects.toThrow("the disk of the sender failed");
  expect(await read("key")).toBe("old");
  expect((await blobs()).length).toBe(1);
});

test("an aborted upload rejects with AbortError, and leaves the old object and no file", async () => {
  await store.s3.putObject({ Bucket, Key: "key", Body: "old" });
  const controller = new AbortController();
  const body = Readable.from(
    (async function* endless() {
      for (let sent = 0; ; sent++) {
        if (sent === 4) controller.abort();
        yield Buffer.alloc(mebibyte);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })(),
    { objectMode: false },
  );
  const upload = store.s3.putObject(
    { Bucket, Key: "key", Body: body, ContentLength: 1000 * mebibyte },
    { abortSignal: controller.signal },
  );
  await expect(upload).rejects.toMatchObject({ name: "AbortError" });
  expect(await read("key")).toBe("old");
  await expect.poll(async () => (await blobs()).length).toBe(1);
});

test("a reader keeps what it began to read while the object is replaced and deleted", async () => {
  const body = Buffer.alloc(3 * mebibyte, "before");
  await store.s3.putObject({ Bucket, Key: "key", Body: body });
  const { Body } = await store.s3.getObject({ Bucket, Key: "key" });
  await store.s3.putObject({ Bucket, Key: "key", Body: "after" });
  await store.s3.deleteObject({ Bucket, Key: "key" });
  const got = Buffer.from((await Body?.transformToByteArray()) ?? []);
  expect(got.equals(body)).toBe(true);
  await expect.poll(blobs).toEqual([]);
});

test("of many who create a key at once, one wins", async () => {
  const writers = Array.from({ length: 20 }, (_, at) =>
    store.s3.putObject({ Bucket, Key: "key", Body: String(at), IfNoneMatch: "*" }).then(
      () => String(at),
      (error: unknown) => (error as Error).name,
    ),
  );
  const outcomes = await Promise.all(writers);
  const winners = outcomes.filter((outcome) => outcome !== "PreconditionFailed");
  expect(winners).toEqual([await read("key")]);
  expect((await blobs()).length).toBe(1);
});

test("of many who replace the same state at once, one wins", async () => {
  const { ETag = "" } = await store.s3.putObject({ Bucket, Key: "key", Body: "first" });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 10 }, (_, at) =>
      store.s3.putObject({ Bucket, Key: "key", Body: `next ${at}`, IfMatch: ETag }),
    ),
  );
  expect(outcomes.filter(({ status }) => status === "fulfilled").length).toBe(1);
});

test("a bucket that is deleted while objects are written ends empty or stays", async () => {
  const outcomes = await Promise.allSettled([
    ...Array.from({ length: 10 }, (_, at) => store.s3.putObject({ Bucket, Key: `key ${at}`, Body: "x" })),
    store.s3.deleteBucket({ Bucket }),
  ]);
  const deleted = outcomes.at(-1)?.status === "fulfilled";
  if (deleted) await store.s3.createBucket({ Bucket });
  const { KeyCount } = await store.s3.listObjectsV2({ Bucket });
  const written = outcomes.slice(0, -1).filter(({ status }) => status === "fulfilled").length;
  expect(KeyCount).toBe(deleted ? 0 : written);
});

test("what was written is there after the store was closed and opened again", async () => {
  await store.s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
  await store.s3.putObject({ Bucket, Key: "key", Body: "one", Metadata: { name: "Groesse" } });
  await store.s3.putObject({ Bucket, Key: "key", Body: "two" });
  await store.close();
  store = await openStore(dir);
  expect(await read("key")).toBe("two");
  const { Versions = [] } = await store.s3.listObjectVersions({ Bucket });
  expect(Versions.map((version) => version.IsLatest)).toEqual([true, false]);
  const { Body } = await store.s3.getObject({ Bucket, Key: "key", VersionId: Versions[1]?.VersionId });
  expect(await Body?.transformToString()).toBe("one");
});

test.each(["link", "pipe"])("what is not a blob is not read in its place: a %s", async (what) => {
  await store.s3.putObject({ Bucket, Key: "key", Body: "twelve bytes" });
  const [blob = ""] = await blobs();
  const path = join(dir, "blobs", blob);
  const secret = join(dir, "secret");
  await writeFile(secret, "twelve other");
  await rm(path);
  if (what === "link") await symlink(secret, path);
  else execFileSync("mkfifo", [path]);
  await expect(read("key")).rejects.toThrow(what === "link" ? "ELOOP" : "ESPIPE");
});

test("a multipart object is the list of its parts' files, and reads across them", async () => {
  const { UploadId } = await store.s3.createMultipartUpload({ Bucket, Key: "key" });
  const Parts = [];
  for (const [at, body] of [
    Buffer.alloc(5 * mebibyte, "a"),
    Buffer.alloc(5 * mebibyte, "b"),
    "end",
  ].entries()) {
    const PartNumber = at * 3 + 1;
    const { ETag } = await store.s3.uploadPart({ Bucket, Key: "key", UploadId, PartNumber, Body: body });
    Parts.push({ ETag, PartNumber });
  }
  const before = (await blobs()).sort();
  await store.s3.completeMultipartUpload({ Bucket, Key: "key", UploadId, MultipartUpload: { Parts } });
  expect((await blobs()).sort()).toEqual(before);
  const Range = `bytes=${10 * mebibyte - 2}-${10 * mebibyte + 1}`;
  const { Body } = await store.s3.getObject({ Bucket, Key: "key", Range });
  expect(await Body?.transformToString()).toBe("bben");
  await store.s3.deleteObject({ Bucket, Key: "key" });
  expect(await blobs()).toEqual([]);
});

test("any keys come back from a listing once each, in the order of their UTF-8 bytes, whatever the page size", async () => {
  const letter = fc.constantFrom(
    "a",
    "b",
    "/",
    ".",
    "\0",
    "\u{1}",
    "\u{2}",
    "ä",
    "a\u0308",
    "😀",
    "\uFFFD",
    " ",
    "+",
    "%",
  );
  const key = fc.array(letter, { minLength: 1, maxLength: 5 }).map((letters) => letters.join(""));
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(key, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      async (keys, MaxKeys) => {
        await Promise.all(keys.map((Key) => store.s3.putObject({ Bucket, Key, Body: Key })));
        const listed: string[] = [];
        const prefixes: string[] = [];
        for (const Delimiter of [undefined, "/"]) {
          let ContinuationToken: string | undefined;
          do {
            const page = await store.s3.listObjectsV2({
              Bucket,
              MaxKeys,
              Delimiter,
              ContinuationToken,
              EncodingType: "url",
            });
            const decode = (text = "") => decodeURIComponent(text.replaceAll("+", "%20"));
            if (Delimiter === undefined)
              listed.push(...(page.Contents ?? []).map((entry) => decode(entry.Key)));
            else prefixes.push(...(page.CommonPrefixes ?? []).map((entry) => decode(entry.Prefix)));
            ContinuationToken = page.NextContinuationToken;
          } while (ContinuationToken !== undefined);
        }
        const ordered = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(listed).toEqual(ordered);
        const folders = ordered
          .filter((each) => each.includes("/"))
          .map((each) => each.slice(0, each.indexOf("/") + 1));
        expect(prefixes).toEqual([...new Set(folders)]);
        await Promise.all(keys.map((Key) => store.s3.deleteObject({ Bucket, Key })));
      },
    ),
    { numRuns: 25 },
  );
});

test("a lock is taken by a bucket with Object Lock alone, told of the version, and keeps it", async () => {
  const lock = {
    Key: "key",
    Body: "kept",
    ObjectLockMode: "GOVERNANCE",
    ObjectLockRetainUntilDate: new Date("2999-01-01T00:00:00Z"),
  } as const;
  await expect(store.s3.putObject({ Bucket, ...lock })).rejects.toMatchObject({
    name: "InvalidRequest",
    message: "Bucket is missing Object Lock Configuration",
  });
  await expect(read("key")).rejects.toMatchObject({ name: "NoSuchKey" });
  await expect(store.s3.getObjectLockConfiguration({ Bucket })).rejects.toMatchObject({
    name: "ObjectLockConfigurationNotFoundError",
  });

  const vault = { Bucket: "vault-bucket" };
  await store.s3.createBucket({ ...vault, ObjectLockEnabledForBucket: true });
  const { ObjectLockConfiguration } = await store.s3.getObjectLockConfiguration(vault);
  expect(ObjectLockConfiguration).toEqual({ ObjectLockEnabled: "Enabled" });
  const { VersionId } = await store.s3.putObject({ ...vault, ...lock });
  expect(await store.s3.headObject({ ...vault, Key: "key" })).toMatchObject({
    ObjectLockMode: "GOVERNANCE",
    ObjectLockRetainUntilDate: lock.ObjectLockRetainUntilDate,
  });
  const version = { ...vault, Key: "key", VersionId };
  await expect(store.s3.deleteObject(version)).rejects.toMatchObject({ name: "AccessDenied" });
  const { Errors } = await store.s3.deleteObjects({
    ...vault,
    Delete: { Objects: [{ Key: "key", VersionId }] },
  });
  expect(Errors).toMatchObject([{ Code: "AccessDenied" }]);
  await store.s3.deleteObject({ ...vault, Key: "key" });
  expect(await (await store.s3.getObject(version)).Body?.transformToString()).toBe("kept");
  await store.s3.deleteObject({ ...version, BypassGovernanceRetention: true });
  await expect(store.s3.getObject(version)).rejects.toMatchObject({ name: "NoSuchVersion" });
});

test("Object Lock is put on a versioned bucket, which stays versioned", async () => {
  const configured = { Bucket, ObjectLockConfiguration: { ObjectLockEnabled: "Enabled" } } as const;
  await expect(store.s3.putObjectLockConfiguration(configured)).rejects.toMatchObject({
    name: "InvalidBucketState",
  });
  const versioned = (Status: "Enabled" | "Suspended") =>
    store.s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status } });
  await versioned("Enabled");
  await store.s3.putObjectLockConfiguration(configured);
  await expect(versioned("Suspended")).rejects.toMatchObject({ name: "InvalidBucketState" });
});
