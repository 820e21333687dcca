import assert from "node:assert/strict";
import { refused, type Check, type Trial } from "./trial.ts";

const minuteMs = 60_000;
const wrongTag = '"00000000000000000000000000000000"';

/** An object "key" with the content "content", its bucket, ETag and time. */
async function stored(t: Trial) {
  const Bucket = await t.bucket();
  await t.put(Bucket, "key", "content");
  const head = await t.s3.headObject({ Bucket, Key: "key" });
  const time = head.LastModified ?? new Date();
  return {
    Bucket,
    at: { Bucket, Key: "key" },
    tag: head.ETag ?? "",
    time,
    before: new Date(time.getTime() - minuteMs),
    after: new Date(time.getTime() + minuteMs),
  };
}

export const conditionChecks: readonly Check[] = [
  {
    name: "reads with If-Match only the object that it names",
    async run(t) {
      const { at, tag } = await stored(t);
      const got = await t.s3.getObject({ ...at, IfMatch: tag });
      assert.equal(await got.Body?.transformToString(), "content");
      await refused(t.s3.getObject({ ...at, IfMatch: wrongTag }), 412, "PreconditionFailed");
      await refused(t.s3.headObject({ ...at, IfMatch: wrongTag }), 412);
    },
  },
  {
    name: "takes an If-Match without quotation marks",
    async run(t) {
      const { at, tag } = await stored(t);
      const got = await t.s3.getObject({ ...at, IfMatch: tag.replaceAll('"', "") });
      assert.equal(got.$metadata.httpStatusCode, 200);
    },
  },
  {
    name: "answers If-None-Match of the same object with 304, its ETag and no body",
    async run(t) {
      const { Bucket, at, tag } = await stored(t);
      await refused(t.s3.getObject({ ...at, IfNoneMatch: tag }), 304);
      await refused(t.s3.headObject({ ...at, IfNoneMatch: tag }), 304);
      const raw = await t.signed({
        method: "GET",
        bucket: Bucket,
        key: "key",
        headers: { "if-none-match": tag },
      });
      assert.equal(raw.status, 304);
      assert.equal(raw.headers["etag"], tag);
      assert.equal(raw.body.length, 0);
      const other = await t.s3.getObject({ ...at, IfNoneMatch: wrongTag });
      assert.equal(await other.Body?.transformToString(), "content");
    },
  },
  {
    name: "answers If-Modified-Since by the time of the object",
    async run(t) {
      const { at, time, before } = await stored(t);
      await refused(t.s3.getObject({ ...at, IfModifiedSince: time }), 304);
      const got = await t.s3.getObject({ ...at, IfModifiedSince: before });
      assert.equal(await got.Body?.transformToString(), "content");
    },
  },
  {
    name: "answers If-Unmodified-Since by the time of the object",
    async run(t) {
      const { at, time, before } = await stored(t);
      await refused(t.s3.getObject({ ...at, IfUnmodifiedSince: before }), 412, "PreconditionFailed");
      const got = await t.s3.getObject({ ...at, IfUnmodifiedSince: time });
      assert.equal(await got.Body?.transformToString(), "content");
    },
  },
  {
    name: "lets a true If-Match outweigh a false If-Unmodified-Since",
    async run(t) {
      const { at, tag, before } = await stored(t);
      const got = await t.s3.getObject({ ...at, IfMatch: tag, IfUnmodifiedSince: before });
      assert.equal(got.$metadata.httpStatusCode, 200);
    },
  },
  {
    name: "lets a false If-None-Match outweigh a true If-Modified-Since",
    async run(t) {
      const { at, tag, before } = await stored(t);
      await refused(t.s3.getObject({ ...at, IfNoneMatch: tag, IfModifiedSince: before }), 304);
    },
  },
  {
    name: "creates an object with If-None-Match: * when the key is free",
    async run(t) {
      const Bucket = await t.bucket();
      await t.putWith(Bucket, "key", { Body: "first", IfNoneMatch: "*" });
      assert.equal(await t.read(Bucket, "key"), "first");
    },
  },
  {
    name: "refuses a PutObject with If-None-Match: * when the key exists",
    async run(t) {
      const { Bucket, tag } = await stored(t);
      await refused(
        t.putWith(Bucket, "key", { Body: "second", IfNoneMatch: "*", Metadata: { a: "b" } }),
        412,
        "PreconditionFailed",
      );
      const head = await t.s3.headObject({ Bucket, Key: "key" });
      assert.equal(head.ETag, tag);
      assert.deepEqual(head.Metadata, {});
      assert.equal(await t.read(Bucket, "key"), "content");
    },
  },
  {
    name: "refuses to write with an If-None-Match other than *",
    async run(t) {
      const { Bucket, tag } = await stored(t);
      await refused(t.putWith(Bucket, "key", { Body: "second", IfNoneMatch: tag }), 501, "NotImplemented");
      assert.equal(await t.read(Bucket, "key"), "content");
    },
  },
  {
    name: "replaces with If-Match only the object that it names",
    async run(t) {
      const { Bucket, tag } = await stored(t);
      await refused(
        t.putWith(Bucket, "key", { Body: "second", IfMatch: wrongTag }),
        412,
        "PreconditionFailed",
      );
      assert.equal(await t.read(Bucket, "key"), "content");
      await t.putWith(Bucket, "key", { Body: "second", IfMatch: tag });
      assert.equal(await t.read(Bucket, "key"), "second");
      await refused(t.putWith(Bucket, "key", { Body: "third", IfMatch: tag }), 412, "PreconditionFailed");
      assert.equal(await t.read(Bucket, "key"), "second");
    },
  },
  {
    name: "refuses a PutObject with If-Match when the key is free",
    async run(t) {
      const Bucket = await t.bucket();
      await refused(t.putWith(Bucket, "key", { Body: "x", IfMatch: wrongTag }), 404, "NoSuchKey");
      assert.deepEqual(await t.keys(Bucket), []);
    },
  },
  {
    name: "counts a key behind a delete marker as free for conditional writes",
    async run(t) {
      const Bucket = await t.versionedBucket();
      const first = await t.putWith(Bucket, "key", { Body: "first" });
      await t.s3.deleteObject({ Bucket, Key: "key" });
      await refused(t.putWith(Bucket, "key", { Body: "second", IfMatch: first.ETag }), 404, "NoSuchKey");
      await t.putWith(Bucket, "key", { Body: "second", IfNoneMatch: "*" });
      assert.equal(await t.read(Bucket, "key"), "second");
    },
  },
  {
    name: "lets exactly one of 20 parallel PutObjects with If-None-Match: * win",
    async run(t) {
      const Bucket = await t.bucket();
      const bodies = Array.from({ length: 20 }, (_, index) => `writer ${String(index)}`);
      const results = await Promise.allSettled(
        bodies.map((Body) => t.putWith(Bucket, "key", { Body, IfNoneMatch: "*" })),
      );
      const winners = bodies.filter((_, index) => results[index]?.status === "fulfilled");
      assert.equal(winners.length, 1);
      assert.equal(await t.read(Bucket, "key"), winners[0]);
      for (const result of results) {
        if (result.status === "rejected") {
          await refusedEither(result.reason);
        }
      }
    },
  },
  {
    name: "lets exactly one of 10 parallel PutObjects with the same If-Match win",
    async run(t) {
      const { Bucket, tag } = await stored(t);
      const bodies = Array.from({ length: 10 }, (_, index) => `writer ${String(index)}`);
      const results = await Promise.allSettled(
        bodies.map((Body) => t.putWith(Bucket, "key", { Body, IfMatch: tag })),
      );
      const winners = bodies.filter((_, index) => results[index]?.status === "fulfilled");
      assert.equal(winners.length, 1);
      assert.equal(await t.read(Bucket, "key"), winners[0]);
    },
  },
  {
    name: "deletes with If-Match only the object that it names",
    async run(t) {
      const { Bucket, at, tag } = await stored(t);
      await refused(t.s3.deleteObject({ ...at, IfMatch: wrongTag }), 412, "PreconditionFailed");
      assert.equal(await t.read(Bucket, "key"), "content");
      await t.s3.deleteObject({ ...at, IfMatch: tag });
      assert.deepEqual(await t.keys(Bucket), []);
    },
  },
];

/** The loser of a race is told either that the condition failed or that another write was under way. */
async function refusedEither(reason: unknown): Promise<void> {
  const error = reason instanceof Error ? reason : new Error(String(reason));
  const status = error.name === "PreconditionFailed" ? 412 : 409;
  await refused(Promise.reject(error), status, "PreconditionFailed", "ConditionalRequestConflict");
}
