import assert from "node:assert/strict";
import { digests, md5Hex } from "./digests.ts";
import { encode } from "./signing.ts";
import { absent, refused, type Check, type Trial } from "./trial.ts";

/** A bucket with the object "source": content, type, metadata and a tag. */
async function withSource(t: Trial) {
  const Bucket = await t.bucket();
  const put = await t.putWith(Bucket, "source", {
    Body: "content",
    ContentType: "text/plain",
    CacheControl: "no-cache",
    Metadata: { a: "b" },
    Tagging: "kind=cv",
  });
  const head = await t.s3.headObject({ Bucket, Key: "source" });
  const time = head.LastModified ?? new Date();
  return { Bucket, CopySource: `${Bucket}/source`, tag: put.ETag ?? "", time };
}

export const copyChecks: readonly Check[] = [
  {
    name: "copies bytes, headers and metadata",
    async run(t) {
      const { Bucket, CopySource, tag } = await withSource(t);
      const copy = await t.s3.copyObject({ Bucket, Key: "copy", CopySource });
      assert.equal(copy.CopyObjectResult?.ETag, tag);
      assert.ok(copy.CopyObjectResult.LastModified instanceof Date);
      const got = await t.s3.getObject({ Bucket, Key: "copy" });
      assert.equal(await got.Body?.transformToString(), "content");
      assert.equal(got.ContentType, "text/plain");
      assert.equal(got.CacheControl, "no-cache");
      assert.deepEqual(got.Metadata, { a: "b" });
      assert.equal(await t.read(Bucket, "source"), "content");
    },
  },
  {
    name: "replaces headers and metadata where the copy says so",
    async run(t) {
      const { Bucket, CopySource } = await withSource(t);
      await t.s3.copyObject({
        Bucket,
        Key: "copy",
        CopySource,
        MetadataDirective: "REPLACE",
        ContentType: "text/html",
        Metadata: { c: "d" },
      });
      const got = await t.s3.headObject({ Bucket, Key: "copy" });
      assert.equal(got.ContentType, "text/html");
      assert.equal(got.CacheControl, undefined);
      assert.deepEqual(got.Metadata, { c: "d" });
    },
  },
  {
    name: "ignores headers and metadata of a copy that does not say REPLACE",
    async run(t) {
      const { Bucket, CopySource } = await withSource(t);
      await t.s3.copyObject({
        Bucket,
        Key: "copy",
        CopySource,
        ContentType: "text/html",
        Metadata: { c: "d" },
      });
      const got = await t.s3.headObject({ Bucket, Key: "copy" });
      assert.equal(got.ContentType, "text/plain");
      assert.deepEqual(got.Metadata, { a: "b" });
    },
  },
  {
    name: "refuses to copy an object onto itself without a change",
    async run(t) {
      const { Bucket, CopySource } = await withSource(t);
      await refused(t.s3.copyObject({ Bucket, Key: "source", CopySource }), 400, "InvalidRequest");
      assert.equal(await t.read(Bucket, "source"), "content");
    },
  },
  {
    name: "copies an object onto itself to change its metadata",
    async run(t) {
      const { Bucket, CopySource } = await withSource(t);
      await t.s3.copyObject({
        Bucket,
        Key: "source",
        CopySource,
        MetadataDirective: "REPLACE",
        Metadata: { c: "d" },
      });
      const got = await t.s3.getObject({ Bucket, Key: "source" });
      assert.deepEqual(got.Metadata, { c: "d" });
      assert.equal(await got.Body?.transformToString(), "content");
    },
  },
  {
    name: "copies tags, or replaces them where the copy says so",
    async run(t) {
      const { Bucket, CopySource } = await withSource(t);
      await t.s3.copyObject({ Bucket, Key: "copy", CopySource });
      await t.s3.copyObject({ Bucket, Key: "new", CopySource, TaggingDirective: "REPLACE", Tagging: "x=y" });
      const copied = await t.s3.getObjectTagging({ Bucket, Key: "copy" });
      assert.deepEqual(copied.TagSet, [{ Key: "kind", Value: "cv" }]);
      const replaced = await t.s3.getObjectTagging({ Bucket, Key: "new" });
      assert.deepEqual(replaced.TagSet, [{ Key: "x", Value: "y" }]);
    },
  },
  {
    name: "copies only while the source's conditions hold",
    async run(t) {
      const { Bucket, CopySource, tag, time } = await withSource(t);
      const to = { Bucket, Key: "copy", CopySource };
      const wrong = '"00000000000000000000000000000000"';
      const before = new Date(time.getTime() - 60_000);
      const failed = "PreconditionFailed";
      await refused(t.s3.copyObject({ ...to, CopySourceIfMatch: wrong }), 412, failed);
      await refused(t.s3.copyObject({ ...to, CopySourceIfNoneMatch: tag }), 412, failed);
      await refused(t.s3.copyObject({ ...to, CopySourceIfModifiedSince: time }), 412, failed);
      await refused(t.s3.copyObject({ ...to, CopySourceIfUnmodifiedSince: before }), 412, failed);
      await absent(t, Bucket, "copy");
      await t.s3.copyObject({
        ...to,
        CopySourceIfMatch: tag,
        CopySourceIfUnmodifiedSince: before,
      });
      assert.equal(await t.read(Bucket, "copy"), "content");
    },
  },
  {
    name: "refuses a copy with If-None-Match: * when the destination exists",
    async run(t) {
      const { Bucket, CopySource } = await withSource(t);
      await t.put(Bucket, "copy", "old");
      await refused(
        t.s3.copyObject({ Bucket, Key: "copy", CopySource, IfNoneMatch: "*" }),
        412,
        "PreconditionFailed",
      );
      assert.equal(await t.read(Bucket, "copy"), "old");
      await t.s3.copyObject({ Bucket, Key: "free", CopySource, IfNoneMatch: "*" });
      assert.equal(await t.read(Bucket, "free"), "content");
    },
  },
  {
    name: "copies from another bucket, and with a slash before the source",
    async run(t) {
      const { CopySource } = await withSource(t);
      const Bucket = await t.bucket();
      await t.s3.copyObject({ Bucket, Key: "one", CopySource });
      await t.s3.copyObject({ Bucket, Key: "two", CopySource: `/${CopySource}` });
      assert.equal(await t.read(Bucket, "one"), "content");
      assert.equal(await t.read(Bucket, "two"), "content");
    },
  },
  {
    name: "copies a certain version, and says which",
    async run(t) {
      const Bucket = await t.versionedBucket();
      const first = await t.putWith(Bucket, "source", { Body: "first" });
      const second = await t.putWith(Bucket, "source", { Body: "second" });
      const old = await t.s3.copyObject({
        Bucket,
        Key: "old",
        CopySource: `${Bucket}/source?versionId=${encode(first.VersionId ?? "")}`,
      });
      assert.equal(old.CopySourceVersionId, first.VersionId);
      assert.equal(await t.read(Bucket, "old", old.VersionId), "first");
      const current = await t.s3.copyObject({ Bucket, Key: "new", CopySource: `${Bucket}/source` });
      assert.equal(current.CopySourceVersionId, second.VersionId);
      assert.equal(await t.read(Bucket, "new"), "second");
    },
  },
  {
    name: "brings an old version back by copying it onto the key",
    async run(t) {
      const Bucket = await t.versionedBucket();
      const first = await t.putWith(Bucket, "key", { Body: "first" });
      await t.put(Bucket, "key", "second");
      await t.s3.copyObject({
        Bucket,
        Key: "key",
        CopySource: `${Bucket}/key?versionId=${encode(first.VersionId ?? "")}`,
      });
      assert.equal(await t.read(Bucket, "key"), "first");
      const { Versions = [] } = await t.s3.listObjectVersions({ Bucket });
      assert.equal(Versions.length, 3);
    },
  },
  {
    name: "refuses to copy what is not there, or a delete marker",
    async run(t) {
      const Bucket = await t.versionedBucket();
      const to = { Bucket, Key: "copy" };
      await refused(t.s3.copyObject({ ...to, CopySource: `${Bucket}/missing` }), 404, "NoSuchKey");
      const nowhere = `${t.bucketName()}/key`;
      await refused(t.s3.copyObject({ ...to, CopySource: nowhere }), 404, "NoSuchBucket");
      await t.put(Bucket, "key", "content");
      const marker = await t.s3.deleteObject({ Bucket, Key: "key" });
      await refused(t.s3.copyObject({ ...to, CopySource: `${Bucket}/key` }), 404, "NoSuchKey");
      const ofMarker = `${Bucket}/key?versionId=${encode(marker.VersionId ?? "")}`;
      await refused(t.s3.copyObject({ ...to, CopySource: ofMarker }), 400, "InvalidRequest");
      await absent(t, Bucket, "copy");
    },
  },
  {
    name: "copies odd keys by their encoded names",
    async run(t) {
      const Bucket = await t.bucket();
      for (const key of ["Größe 1+1.txt", "a%20b", "what?versionId=1", "a//b/../c", "😀&<>'\"#"]) {
        await t.put(Bucket, key, key);
        const source = key.split("/").map(encode).join("/");
        await t.s3.copyObject({ Bucket, Key: `copy/${key}`, CopySource: `${Bucket}/${source}` });
        assert.equal(await t.read(Bucket, `copy/${key}`), key);
      }
    },
  },
  {
    name: "computes the checksum that a copy asks for",
    async run(t) {
      const { Bucket, CopySource } = await withSource(t);
      const copy = await t.s3.copyObject({ Bucket, Key: "copy", CopySource, ChecksumAlgorithm: "SHA256" });
      const sha256 = digests.find(({ algorithm }) => algorithm === "SHA256")?.of(Buffer.from("content"));
      assert.equal(copy.CopyObjectResult?.ChecksumSHA256, sha256);
      const head = await t.s3.headObject({ Bucket, Key: "copy", ChecksumMode: "ENABLED" });
      assert.equal(head.ChecksumSHA256, sha256);
      assert.equal(head.ETag, `"${md5Hex("content")}"`);
    },
  },
];
