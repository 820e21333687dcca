import assert from "node:assert/strict";
import { absent, refused, type Check, type Trial } from "./trial.ts";

/** Every version and marker of a bucket as one line each: `key [*]version-or-marker`. */
async function history(t: Trial, Bucket: string): Promise<string[]> {
  const { Versions = [], DeleteMarkers = [] } = await t.s3.listObjectVersions({ Bucket });
  const line = (kind: string) => (entry: { Key?: string; IsLatest?: boolean }) =>
    `${entry.Key ?? ""} ${kind}${entry.IsLatest === true ? " latest" : ""}`;
  return [...Versions.map(line("version")), ...DeleteMarkers.map(line("marker"))];
}

export const versionChecks: readonly Check[] = [
  {
    name: "keeps every version under an id of its own, newest first",
    async run(t) {
      const Bucket = await t.versionedBucket();
      const first = await t.putWith(Bucket, "key", { Body: "first", Metadata: { n: "1" } });
      const second = await t.putWith(Bucket, "key", { Body: "second" });
      assert.ok(first.VersionId !== undefined && first.VersionId !== second.VersionId);
      assert.equal(await t.read(Bucket, "key"), "second");
      assert.equal(await t.read(Bucket, "key", first.VersionId), "first");
      const head = await t.s3.headObject({ Bucket, Key: "key", VersionId: first.VersionId });
      assert.deepEqual(head.Metadata, { n: "1" });
      assert.equal(head.VersionId, first.VersionId);
      const { Versions = [] } = await t.s3.listObjectVersions({ Bucket });
      assert.deepEqual(
        Versions.map((version) => [version.VersionId, version.IsLatest, version.ETag, version.Size]),
        [
          [second.VersionId, true, second.ETag, 6],
          [first.VersionId, false, first.ETag, 5],
        ],
      );
    },
  },
  {
    name: "answers without a version id in a bucket that never had versioning",
    async run(t) {
      const Bucket = await t.bucket();
      const put = await t.putWith(Bucket, "key", { Body: "x" });
      assert.equal(put.VersionId, undefined);
      assert.equal((await t.s3.headObject({ Bucket, Key: "key" })).VersionId, undefined);
      const { Versions = [] } = await t.s3.listObjectVersions({ Bucket });
      assert.deepEqual(
        Versions.map((version) => version.VersionId),
        ["null"],
      );
      assert.equal(await t.read(Bucket, "key", "null"), "x");
    },
  },
  {
    name: "hides an object behind a delete marker and keeps its versions",
    async run(t) {
      const Bucket = await t.versionedBucket();
      const put = await t.putWith(Bucket, "key", { Body: "content" });
      const marker = await t.s3.deleteObject({ Bucket, Key: "key" });
      assert.equal(marker.DeleteMarker, true);
      assert.ok(marker.VersionId);
      await absent(t, Bucket, "key");
      assert.deepEqual(await t.keys(Bucket), []);
      assert.equal(await t.read(Bucket, "key", put.VersionId), "content");
      assert.deepEqual(await history(t, Bucket), ["key version", "key marker latest"]);
    },
  },
  {
    name: "says that it is a delete marker that hides the object",
    async run(t) {
      const bucket = await t.versionedBucket();
      await t.put(bucket, "key", "content");
      const marker = await t.s3.deleteObject({ Bucket: bucket, Key: "key" });
      for (const method of ["GET", "HEAD"]) {
        const answer = await t.signed({ method, bucket, key: "key" });
        assert.equal(answer.status, 404);
        assert.equal(answer.headers["x-amz-delete-marker"], "true");
        assert.equal(answer.headers["x-amz-version-id"], marker.VersionId);
      }
    },
  },
  {
    name: "refuses to read a delete marker",
    async run(t) {
      const Bucket = await t.versionedBucket();
      await t.put(Bucket, "key", "content");
      const { VersionId } = await t.s3.deleteObject({ Bucket, Key: "key" });
      await refused(t.s3.getObject({ Bucket, Key: "key", VersionId }), 405, "MethodNotAllowed");
      await refused(t.s3.headObject({ Bucket, Key: "key", VersionId }), 405);
      const raw = await t.signed({
        method: "GET",
        bucket: Bucket,
        key: "key",
        query: { versionId: VersionId ?? "" },
      });
      assert.equal(raw.headers["x-amz-delete-marker"], "true");
      assert.match(raw.headers["allow"] ?? "", /DELETE/);
    },
  },
  {
    name: "brings an object back when its delete marker is deleted",
    async run(t) {
      const Bucket = await t.versionedBucket();
      await t.put(Bucket, "key", "content");
      const marker = await t.s3.deleteObject({ Bucket, Key: "key" });
      const undo = await t.s3.deleteObject({ Bucket, Key: "key", VersionId: marker.VersionId });
      assert.equal(undo.DeleteMarker, true);
      assert.equal(undo.VersionId, marker.VersionId);
      assert.equal(await t.read(Bucket, "key"), "content");
      assert.deepEqual(await history(t, Bucket), ["key version latest"]);
    },
  },
  {
    name: "adds a marker for a key that never was, and another on every delete",
    async run(t) {
      const Bucket = await t.versionedBucket();
      await t.s3.deleteObject({ Bucket, Key: "never" });
      await t.s3.deleteObject({ Bucket, Key: "never" });
      assert.deepEqual(await history(t, Bucket), ["never marker latest", "never marker"]);
    },
  },
  {
    name: "deletes one version for good and falls back to the one before",
    async run(t) {
      const Bucket = await t.versionedBucket();
      await t.put(Bucket, "key", "first");
      const second = await t.putWith(Bucket, "key", { Body: "second" });
      const gone = await t.s3.deleteObject({ Bucket, Key: "key", VersionId: second.VersionId });
      assert.equal(gone.VersionId, second.VersionId);
      assert.notEqual(gone.DeleteMarker, true);
      assert.equal(await t.read(Bucket, "key"), "first");
      assert.deepEqual(await history(t, Bucket), ["key version latest"]);
      await refused(
        t.s3.getObject({ Bucket, Key: "key", VersionId: second.VersionId }),
        404,
        "NoSuchVersion",
      );
    },
  },
  {
    name: "refuses a version id that cannot be one",
    async run(t) {
      const Bucket = await t.versionedBucket();
      await t.put(Bucket, "key", "content");
      await refused(
        t.s3.getObject({ Bucket, Key: "key", VersionId: "no such thing" }),
        400,
        "InvalidArgument",
      );
    },
  },
  {
    name: "answers the version id of another key with NoSuchVersion",
    async run(t) {
      const Bucket = await t.versionedBucket();
      await t.put(Bucket, "key", "content");
      const { VersionId } = await t.putWith(Bucket, "other", { Body: "other" });
      await refused(t.s3.getObject({ Bucket, Key: "key", VersionId }), 404, "NoSuchVersion");
      await t.s3.deleteObject({ Bucket, Key: "key", VersionId });
      assert.equal(await t.read(Bucket, "key"), "content");
      assert.equal(await t.read(Bucket, "other"), "other");
    },
  },
  {
    name: "keeps objects from before versioning as the version null",
    async run(t) {
      const Bucket = await t.bucket();
      await t.put(Bucket, "key", "before");
      await t.s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
      await t.put(Bucket, "key", "after");
      assert.equal(await t.read(Bucket, "key"), "after");
      assert.equal(await t.read(Bucket, "key", "null"), "before");
      const { Versions = [] } = await t.s3.listObjectVersions({ Bucket });
      assert.equal(Versions.length, 2);
      assert.equal(Versions[1]?.VersionId, "null");
      await t.s3.deleteObject({ Bucket, Key: "key", VersionId: "null" });
      assert.deepEqual(await history(t, Bucket), ["key version latest"]);
    },
  },
  {
    name: "replaces only the version null while versioning is suspended",
    async run(t) {
      const Bucket = await t.versionedBucket();
      const first = await t.putWith(Bucket, "key", { Body: "first" });
      await t.s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Suspended" } });
      await t.put(Bucket, "key", "second");
      await t.put(Bucket, "key", "third");
      assert.equal(await t.read(Bucket, "key"), "third");
      assert.equal(await t.read(Bucket, "key", "null"), "third");
      assert.equal(await t.read(Bucket, "key", first.VersionId), "first");
      assert.deepEqual(await history(t, Bucket), ["key version latest", "key version"]);
    },
  },
  {
    name: "puts a marker in the place of the version null while versioning is suspended",
    async run(t) {
      const Bucket = await t.versionedBucket();
      const first = await t.putWith(Bucket, "key", { Body: "first" });
      await t.s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Suspended" } });
      await t.put(Bucket, "key", "second");
      const marker = await t.s3.deleteObject({ Bucket, Key: "key" });
      assert.equal(marker.DeleteMarker, true);
      assert.equal(marker.VersionId, "null");
      await absent(t, Bucket, "key");
      assert.equal(await t.read(Bucket, "key", first.VersionId), "first");
      assert.deepEqual(await history(t, Bucket), ["key version", "key marker latest"]);
    },
  },
  {
    name: "lists versions in pages that lose nothing and repeat nothing",
    async run(t) {
      const Bucket = await t.versionedBucket();
      const put: string[] = [];
      for (const key of ["a", "b/x", "b/y", "ä"]) {
        for (let n = 0; n < 3; n += 1) {
          const { VersionId } = await t.putWith(Bucket, key, { Body: String(n) });
          put.push(`${key} ${VersionId ?? ""}`);
        }
      }
      const marker = await t.s3.deleteObject({ Bucket, Key: "b/x" });
      put.push(`b/x ${marker.VersionId ?? ""}`);
      const found: string[] = [];
      let from: { KeyMarker?: string; VersionIdMarker?: string } = {};
      for (let pages = 0; pages < 20; pages += 1) {
        const page = await t.s3.listObjectVersions({ Bucket, MaxKeys: 2, ...from });
        const entries = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
        assert.ok(entries.length <= 2);
        for (const entry of entries) found.push(`${entry.Key ?? ""} ${entry.VersionId ?? ""}`);
        if (page.IsTruncated !== true) break;
        assert.ok(page.NextKeyMarker);
        from = {
          KeyMarker: page.NextKeyMarker,
          VersionIdMarker: page.NextVersionIdMarker,
        };
      }
      assert.equal(found.length, put.length);
      assert.deepEqual(new Set(found), new Set(put));
    },
  },
  {
    name: "lists versions below a prefix, grouped by a delimiter",
    async run(t) {
      const Bucket = await t.versionedBucket();
      for (const key of ["p/a", "p/a", "p/sub/1", "p/sub/2", "q"]) await t.put(Bucket, key, "x");
      const page = await t.s3.listObjectVersions({ Bucket, Prefix: "p/", Delimiter: "/" });
      assert.deepEqual(
        page.Versions?.map((version) => version.Key),
        ["p/a", "p/a"],
      );
      assert.deepEqual(page.CommonPrefixes, [{ Prefix: "p/sub/" }]);
    },
  },
  {
    name: "refuses a version marker without a key marker",
    async run(t) {
      const Bucket = await t.versionedBucket();
      const { VersionId } = await t.putWith(Bucket, "key", { Body: "x" });
      await refused(t.s3.listObjectVersions({ Bucket, VersionIdMarker: VersionId }), 400, "InvalidArgument");
    },
  },
];
