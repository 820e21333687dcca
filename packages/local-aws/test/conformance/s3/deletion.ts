import assert from "node:assert/strict";
import { md5Of } from "./digests.ts";
import { sha256 } from "./signing.ts";
import { absent, refused, refusedRaw, type Check, type Trial } from "./trial.ts";

/** Puts many small objects, some at a time. */
export async function putMany(t: Trial, bucket: string, keys: readonly string[]): Promise<void> {
  const rest = keys.values();
  const worker = async () => {
    for (const key of rest) await t.put(bucket, key, "");
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

export const deletionChecks: readonly Check[] = [
  {
    name: "deletes an object, and says the same of a key that is not there",
    async run(t) {
      const Bucket = await t.bucket();
      await t.put(Bucket, "key", "content");
      await t.put(Bucket, "key2", "content");
      for (const Key of ["key", "key", "never"]) {
        const answer = await t.s3.deleteObject({ Bucket, Key });
        assert.equal(answer.$metadata.httpStatusCode, 204);
      }
      await absent(t, Bucket, "key");
      assert.deepEqual(await t.keys(Bucket), ["key2"]);
    },
  },
  {
    name: "deletes 1,000 keys at once and leaves the others",
    async run(t) {
      const Bucket = await t.bucket();
      const keys = Array.from({ length: 1000 }, (_, index) => `many/${String(index).padStart(4, "0")} ä&<`);
      await putMany(t, Bucket, [...keys, "other"]);
      const full = await t.s3.listObjectsV2({ Bucket, MaxKeys: 5000 });
      assert.equal(full.KeyCount, 1000);
      assert.equal(full.MaxKeys, 1000);
      assert.equal(full.IsTruncated, true);
      const answer = await t.s3.deleteObjects({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } });
      assert.equal(answer.Deleted?.length, 1000);
      assert.deepEqual(new Set(answer.Deleted.map((entry) => entry.Key)), new Set(keys));
      assert.equal(answer.Errors, undefined);
      assert.deepEqual(await t.keys(Bucket), ["other"]);
    },
  },
  {
    name: "refuses to delete 1,001 keys at once, and deletes none",
    async run(t) {
      const Bucket = await t.bucket();
      await t.put(Bucket, "0", "content");
      const Objects = Array.from({ length: 1001 }, (_, index) => ({ Key: String(index) }));
      await refused(t.s3.deleteObjects({ Bucket, Delete: { Objects } }), 400, "MalformedXML");
      assert.deepEqual(await t.keys(Bucket), ["0"]);
    },
  },
  {
    name: "names in a quiet batch delete only what failed",
    async run(t) {
      const Bucket = await t.bucket();
      await t.put(Bucket, "a", "content");
      const answer = await t.s3.deleteObjects({
        Bucket,
        Delete: { Objects: [{ Key: "a" }, { Key: "missing" }], Quiet: true },
      });
      assert.equal(answer.Deleted, undefined);
      assert.equal(answer.Errors, undefined);
      assert.deepEqual(await t.keys(Bucket), []);
    },
  },
  {
    name: "counts a missing key of a batch delete as deleted",
    async run(t) {
      const Bucket = await t.bucket();
      const answer = await t.s3.deleteObjects({ Bucket, Delete: { Objects: [{ Key: "missing" }] } });
      assert.deepEqual(
        answer.Deleted?.map((entry) => entry.Key),
        ["missing"],
      );
    },
  },
  {
    name: "deletes in a batch only the entries whose ETag fits",
    async run(t) {
      const Bucket = await t.bucket();
      const a = await t.putWith(Bucket, "a", { Body: "content a" });
      await t.put(Bucket, "b", "content b");
      const answer = await t.s3.deleteObjects({
        Bucket,
        Delete: {
          Objects: [
            { Key: "a", ETag: a.ETag },
            { Key: "b", ETag: a.ETag },
          ],
        },
      });
      assert.deepEqual(
        answer.Errors?.map((entry) => `${entry.Key ?? ""} ${entry.Code ?? ""}`),
        ["b PreconditionFailed"],
      );
      assert.deepEqual(await t.keys(Bucket), ["b"]);
    },
  },
  {
    name: "deletes single versions and markers in a batch",
    async run(t) {
      const Bucket = await t.versionedBucket();
      const first = await t.putWith(Bucket, "a", { Body: "first" });
      await t.put(Bucket, "a", "second");
      await t.put(Bucket, "b", "content");
      const marked = await t.s3.deleteObjects({ Bucket, Delete: { Objects: [{ Key: "b" }] } });
      const marker = marked.Deleted?.[0];
      assert.equal(marker?.DeleteMarker, true);
      assert.ok(marker.DeleteMarkerVersionId);
      const answer = await t.s3.deleteObjects({
        Bucket,
        Delete: {
          Objects: [
            { Key: "a", VersionId: first.VersionId },
            { Key: "b", VersionId: marker.DeleteMarkerVersionId },
          ],
        },
      });
      const a = answer.Deleted?.find((entry) => entry.Key === "a");
      assert.equal(a?.VersionId, first.VersionId);
      assert.notEqual(a?.DeleteMarker, true);
      const b = answer.Deleted?.find((entry) => entry.Key === "b");
      assert.equal(b?.DeleteMarker, true);
      assert.equal(b.DeleteMarkerVersionId, marker.DeleteMarkerVersionId);
      assert.equal(await t.read(Bucket, "a"), "second");
      assert.equal(await t.read(Bucket, "b"), "content");
      const { Versions = [], DeleteMarkers } = await t.s3.listObjectVersions({ Bucket });
      assert.equal(Versions.length, 2);
      assert.equal(DeleteMarkers, undefined);
    },
  },
  {
    name: "refuses a batch delete without a checksum of its body, or with a wrong one",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "key", "content");
      const body = "<Delete><Object><Key>key</Key></Object></Delete>";
      const request = { method: "POST", bucket, query: { delete: "" }, body, payloadHash: sha256(body) };
      refusedRaw(await t.signed(request), 400, "InvalidRequest");
      const wrong = await t.signed({ ...request, headers: { "content-md5": md5Of("other") } });
      refusedRaw(wrong, 400, "BadDigest");
      assert.deepEqual(await t.keys(bucket), ["key"]);
      const right = await t.signed({ ...request, headers: { "content-md5": md5Of(body) } });
      assert.equal(right.status, 200, right.text);
      assert.deepEqual(await t.keys(bucket), []);
    },
  },
  {
    name: "refuses a batch delete of nothing, or that is not XML",
    async run(t) {
      const bucket = await t.bucket();
      for (const body of ["<Delete></Delete>", "<Delete><Object>", "{}"]) {
        const answer = await t.signed({
          method: "POST",
          bucket,
          query: { delete: "" },
          body,
          headers: { "content-md5": md5Of(body) },
        });
        refusedRaw(answer, 400, "MalformedXML");
      }
    },
  },
];
