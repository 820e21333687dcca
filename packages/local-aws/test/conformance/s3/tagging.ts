import assert from "node:assert/strict";
import { refused, type Check } from "./trial.ts";

const tags = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ Key: `key ${String(index)}`, Value: String(index) }));

export const taggingChecks: readonly Check[] = [
  {
    name: "takes tags with the upload and counts them",
    async run(t) {
      const Bucket = await t.bucket();
      await t.putWith(Bucket, "key", {
        Body: "x",
        Tagging: "kind=cv&stra%C3%9Fe=gr%C3%B6%C3%9Fer+%2B+1&empty=",
      });
      const { TagSet = [] } = await t.s3.getObjectTagging({ Bucket, Key: "key" });
      assert.deepEqual(
        new Map(TagSet.map((each) => [each.Key, each.Value])),
        new Map([
          ["kind", "cv"],
          ["straße", "größer + 1"],
          ["empty", ""],
        ]),
      );
      const got = await t.s3.getObject({ Bucket, Key: "key" });
      assert.equal(await got.Body?.transformToString(), "x");
      assert.equal(got.TagCount, 3);
    },
  },
  {
    name: "changes the tags of an object and nothing else of it",
    async run(t) {
      const Bucket = await t.bucket();
      await t.putWith(Bucket, "key", { Body: "content", ContentType: "text/plain", Metadata: { a: "b" } });
      const before = await t.s3.headObject({ Bucket, Key: "key", ChecksumMode: "ENABLED" });
      await t.s3.putObjectTagging({ Bucket, Key: "key", Tagging: { TagSet: tags(2) } });
      const after = await t.s3.headObject({ Bucket, Key: "key", ChecksumMode: "ENABLED" });
      for (const name of [
        "ETag",
        "LastModified",
        "ContentType",
        "ContentLength",
        "Metadata",
        "ChecksumCRC32",
      ] as const) {
        assert.deepEqual(after[name], before[name], name);
      }
      assert.equal(await t.read(Bucket, "key"), "content");
      assert.deepEqual((await t.s3.getObjectTagging({ Bucket, Key: "key" })).TagSet, tags(2));
    },
  },
  {
    name: "adds no version when tags change",
    async run(t) {
      const Bucket = await t.versionedBucket();
      const first = await t.putWith(Bucket, "key", { Body: "first" });
      const second = await t.putWith(Bucket, "key", { Body: "second" });
      const { VersionId } = first;
      const tagged = await t.s3.putObjectTagging({
        Bucket,
        Key: "key",
        VersionId,
        Tagging: { TagSet: tags(1) },
      });
      assert.equal(tagged.VersionId, VersionId);
      assert.deepEqual((await t.s3.getObjectTagging({ Bucket, Key: "key", VersionId })).TagSet, tags(1));
      const current = await t.s3.getObjectTagging({ Bucket, Key: "key" });
      assert.deepEqual(current.TagSet, []);
      assert.equal(current.VersionId, second.VersionId);
      assert.equal((await t.s3.listObjectVersions({ Bucket })).Versions?.length, 2);
    },
  },
  {
    name: "replaces all tags, and deletes them",
    async run(t) {
      const Bucket = await t.bucket();
      await t.putWith(Bucket, "key", { Body: "x", Tagging: "a=b&c=d" });
      await t.s3.putObjectTagging({ Bucket, Key: "key", Tagging: { TagSet: [{ Key: "e", Value: "f" }] } });
      assert.deepEqual((await t.s3.getObjectTagging({ Bucket, Key: "key" })).TagSet, [
        { Key: "e", Value: "f" },
      ]);
      const gone = await t.s3.deleteObjectTagging({ Bucket, Key: "key" });
      assert.equal(gone.$metadata.httpStatusCode, 204);
      assert.deepEqual((await t.s3.getObjectTagging({ Bucket, Key: "key" })).TagSet, []);
      assert.equal(await t.read(Bucket, "key"), "x");
    },
  },
  {
    name: "forgets the tags of an object that is replaced",
    async run(t) {
      const Bucket = await t.bucket();
      await t.putWith(Bucket, "key", { Body: "x", Tagging: "a=b" });
      await t.put(Bucket, "key", "y");
      assert.deepEqual((await t.s3.getObjectTagging({ Bucket, Key: "key" })).TagSet, []);
    },
  },
  {
    name: "refuses more than ten tags, and keeps the old ones",
    async run(t) {
      const Bucket = await t.bucket();
      await t.putWith(Bucket, "key", { Body: "x", Tagging: "a=b" });
      const at = { Bucket, Key: "key" };
      await refused(
        t.s3.putObjectTagging({ ...at, Tagging: { TagSet: tags(11) } }),
        400,
        "BadRequest",
        "InvalidTag",
      );
      const eleven = tags(11).map((each) => `${each.Value}=x`);
      await refused(t.putWith(Bucket, "key", { Body: "y", Tagging: eleven.join("&") }), 400);
      assert.deepEqual((await t.s3.getObjectTagging(at)).TagSet, [{ Key: "a", Value: "b" }]);
      assert.equal(await t.read(Bucket, "key"), "x");
      await t.s3.putObjectTagging({ ...at, Tagging: { TagSet: tags(10) } });
      assert.equal((await t.s3.getObjectTagging(at)).TagSet?.length, 10);
    },
  },
  {
    name: "refuses a tag twice, or with a key or value that is too long",
    async run(t) {
      const Bucket = await t.bucket();
      await t.put(Bucket, "key", "x");
      const bad = [
        [
          { Key: "a", Value: "1" },
          { Key: "a", Value: "2" },
        ],
        [{ Key: "k".repeat(129), Value: "" }],
        [{ Key: "k", Value: "v".repeat(257) }],
      ];
      for (const TagSet of bad) {
        await refused(t.s3.putObjectTagging({ Bucket, Key: "key", Tagging: { TagSet } }), 400, "InvalidTag");
      }
      assert.deepEqual((await t.s3.getObjectTagging({ Bucket, Key: "key" })).TagSet, []);
    },
  },
  {
    name: "answers tag calls on a missing key with NoSuchKey",
    async run(t) {
      const Bucket = await t.bucket();
      await refused(t.s3.getObjectTagging({ Bucket, Key: "missing" }), 404, "NoSuchKey");
      await refused(
        t.s3.putObjectTagging({ Bucket, Key: "missing", Tagging: { TagSet: tags(1) } }),
        404,
        "NoSuchKey",
      );
      assert.deepEqual(await t.keys(Bucket), []);
    },
  },
];
