import assert from "node:assert/strict";
import { putMany } from "./deletion.ts";
import { md5Hex } from "./digests.ts";
import { refused, refusedRaw, tag, type Check, type Trial } from "./trial.ts";

async function bucketWith(t: Trial, keys: readonly string[]): Promise<string> {
  const bucket = await t.bucket();
  await putMany(t, bucket, keys);
  return bucket;
}

const tree = ["a", "b/1", "b/2", "c/d/1", "c/e", "z"];

export const listingChecks: readonly Check[] = [
  {
    name: "lists an empty bucket as empty",
    async run(t) {
      const page = await t.s3.listObjectsV2({ Bucket: await t.bucket() });
      assert.equal(page.KeyCount, 0);
      assert.equal(page.IsTruncated, false);
      assert.equal(page.Contents, undefined);
      assert.equal(page.NextContinuationToken, undefined);
    },
  },
  {
    name: "tells of every object its ETag, size, time and class",
    async run(t) {
      const Bucket = await t.bucket();
      await t.put(Bucket, "key", "content");
      const page = await t.s3.listObjectsV2({ Bucket, FetchOwner: true });
      const [entry] = page.Contents ?? [];
      assert.equal(page.Name, Bucket);
      assert.equal(entry?.Key, "key");
      assert.equal(entry.ETag, `"${md5Hex("content")}"`);
      assert.equal(entry.Size, 7);
      assert.equal(entry.StorageClass, "STANDARD");
      assert.ok(entry.LastModified instanceof Date);
      assert.ok(entry.Owner?.ID);
      const plain = await t.s3.listObjectsV2({ Bucket });
      assert.equal(plain.Contents?.[0]?.Owner, undefined);
    },
  },
  {
    name: "lists keys in the order of their UTF-8 bytes",
    async run(t) {
      const keys = ["Z", "a", "a b", "a/b", "a0", "aa", "Ä", "ä", "z", "a\u0308", "～", "😀", "B", "_", "~"];
      const bucket = await bucketWith(t, keys);
      const wanted = [...keys].sort((one, two) => Buffer.compare(Buffer.from(one), Buffer.from(two)));
      assert.deepEqual(await t.keys(bucket), wanted);
    },
  },
  {
    name: "lists only keys of the prefix",
    async run(t) {
      const Bucket = await bucketWith(t, ["a", "ab", "abc", "b", "a%b", "A"]);
      const page = await t.s3.listObjectsV2({ Bucket, Prefix: "a" });
      assert.deepEqual(
        page.Contents?.map((entry) => entry.Key),
        ["a", "a%b", "ab", "abc"],
      );
      assert.equal(page.Prefix, "a");
      const percent = await t.s3.listObjectsV2({ Bucket, Prefix: "a%" });
      assert.deepEqual(
        percent.Contents?.map((entry) => entry.Key),
        ["a%b"],
      );
    },
  },
  {
    name: "groups keys by a delimiter",
    async run(t) {
      const Bucket = await bucketWith(t, tree);
      const top = await t.s3.listObjectsV2({ Bucket, Delimiter: "/" });
      assert.deepEqual(
        top.Contents?.map((entry) => entry.Key),
        ["a", "z"],
      );
      assert.deepEqual(top.CommonPrefixes, [{ Prefix: "b/" }, { Prefix: "c/" }]);
      assert.equal(top.KeyCount, 4);
      const below = await t.s3.listObjectsV2({ Bucket, Delimiter: "/", Prefix: "c/" });
      assert.deepEqual(
        below.Contents?.map((entry) => entry.Key),
        ["c/e"],
      );
      assert.deepEqual(below.CommonPrefixes, [{ Prefix: "c/d/" }]);
    },
  },
  {
    name: "groups keys by a delimiter of several characters",
    async run(t) {
      const Bucket = await bucketWith(t, ["a--b--c", "a-b", "b--"]);
      const page = await t.s3.listObjectsV2({ Bucket, Delimiter: "--" });
      assert.deepEqual(
        page.Contents?.map((entry) => entry.Key),
        ["a-b"],
      );
      assert.deepEqual(page.CommonPrefixes, [{ Prefix: "a--" }, { Prefix: "b--" }]);
    },
  },
  {
    name: "lists in pages of one key",
    async run(t) {
      const Bucket = await bucketWith(t, ["a", "b", "ä", "😀"]);
      const found: (string | undefined)[] = [];
      let token: string | undefined;
      for (let pages = 0; pages < 9; pages += 1) {
        const from = token === undefined ? {} : { ContinuationToken: token };
        const page = await t.s3.listObjectsV2({ Bucket, MaxKeys: 1, ...from });
        assert.equal(page.KeyCount, 1);
        assert.equal(page.MaxKeys, 1);
        found.push(page.Contents?.[0]?.Key);
        token = page.NextContinuationToken;
        assert.equal(page.IsTruncated, token !== undefined);
        if (token === undefined) break;
      }
      assert.deepEqual(found, ["a", "b", "ä", "😀"]);
    },
  },
  {
    name: "counts a common prefix as one entry of a page, and never repeats it",
    async run(t) {
      const Bucket = await bucketWith(t, tree);
      const found: string[] = [];
      let token: string | undefined;
      for (let pages = 0; pages < 9; pages += 1) {
        const from = token === undefined ? {} : { ContinuationToken: token };
        const page = await t.s3.listObjectsV2({ Bucket, MaxKeys: 1, Delimiter: "/", ...from });
        for (const entry of page.Contents ?? []) found.push(entry.Key ?? "");
        for (const entry of page.CommonPrefixes ?? []) found.push(entry.Prefix ?? "");
        token = page.NextContinuationToken;
        if (token === undefined) break;
      }
      assert.deepEqual(found, ["a", "b/", "c/", "z"]);
    },
  },
  {
    name: "goes on with a listing although the last key was deleted meanwhile",
    async run(t) {
      const Bucket = await bucketWith(t, ["a", "b", "c"]);
      const first = await t.s3.listObjectsV2({ Bucket, MaxKeys: 2 });
      await t.s3.deleteObject({ Bucket, Key: "b" });
      const second = await t.s3.listObjectsV2({ Bucket, ContinuationToken: first.NextContinuationToken });
      assert.deepEqual(
        second.Contents?.map((entry) => entry.Key),
        ["c"],
      );
    },
  },
  {
    name: "starts behind start-after, whether or not that key exists",
    async run(t) {
      const Bucket = await bucketWith(t, ["a", "b", "c"]);
      const behindA = await t.s3.listObjectsV2({ Bucket, StartAfter: "a" });
      assert.deepEqual(
        behindA.Contents?.map((entry) => entry.Key),
        ["b", "c"],
      );
      assert.equal(behindA.StartAfter, "a");
      const behindGap = await t.s3.listObjectsV2({ Bucket, StartAfter: "b5" });
      assert.deepEqual(
        behindGap.Contents?.map((entry) => entry.Key),
        ["c"],
      );
    },
  },
  {
    name: "gives nothing when max-keys is 0",
    async run(t) {
      const Bucket = await bucketWith(t, ["a"]);
      const page = await t.s3.listObjectsV2({ Bucket, MaxKeys: 0 });
      assert.equal(page.KeyCount, 0);
      assert.equal(page.IsTruncated, false);
      assert.equal(page.Contents, undefined);
    },
  },
  {
    name: "refuses a max-keys that is no count, and an unknown encoding type",
    async run(t) {
      const bucket = await t.bucket();
      for (const [name, value] of [
        ["max-keys", "-1"],
        ["max-keys", "many"],
        ["encoding-type", "rot13"],
      ] as const) {
        const answer = await t.signed({ method: "GET", bucket, query: { "list-type": "2", [name]: value } });
        refusedRaw(answer, 400, "InvalidArgument");
      }
    },
  },
  {
    name: "refuses a continuation token that it never gave",
    async run(t) {
      const Bucket = await bucketWith(t, ["a"]);
      await refused(t.s3.listObjectsV2({ Bucket, ContinuationToken: "made up" }), 400, "InvalidArgument");
    },
  },
  {
    name: "encodes keys, prefixes and delimiter of a listing when asked",
    async run(t) {
      const Bucket = await bucketWith(t, ["a b+c/ä%&.txt", "a b+c/d/\u0001"]);
      const page = await t.s3.listObjectsV2({
        Bucket,
        Prefix: "a b+c/",
        Delimiter: "/",
        EncodingType: "url",
      });
      assert.equal(page.EncodingType, "url");
      assert.deepEqual(
        page.Contents?.map((entry) => entry.Key),
        ["a+b%2Bc/%C3%A4%25%26.txt"],
      );
      assert.deepEqual(page.CommonPrefixes, [{ Prefix: "a+b%2Bc/d/" }]);
      assert.equal(page.Prefix, "a+b%2Bc/");
      const all = await t.s3.listObjectsV2({ Bucket, EncodingType: "url" });
      assert.deepEqual(
        all.Contents?.map((entry) => entry.Key),
        ["a+b%2Bc/d/%01", "a+b%2Bc/%C3%A4%25%26.txt"],
      );
    },
  },
  {
    name: "writes a listing as XML with escaped keys",
    async run(t) {
      const bucket = await bucketWith(t, [`<a>&"b'`]);
      const answer = await t.signed({ method: "GET", bucket, query: { "list-type": "2" } });
      assert.equal(answer.headers["content-type"], "application/xml");
      assert.match(answer.text, /^<\?xml version="1\.0" encoding="UTF-8"\?>/i);
      assert.match(answer.text, /xmlns="http:\/\/s3\.amazonaws\.com\/doc\/2006-03-01\/"/);
      const key = tag(answer.text, "Key") ?? "";
      assert.match(key, /^&lt;a(&gt;|>)&amp;("|&quot;)b('|&apos;|&#39;)$/);
    },
  },
  {
    name: "lists by marker (version 1), without a next marker unless there is a delimiter",
    async run(t) {
      const Bucket = await bucketWith(t, ["a", "b", "c"]);
      const first = await t.s3.listObjects({ Bucket, MaxKeys: 2 });
      assert.deepEqual(
        first.Contents?.map((entry) => entry.Key),
        ["a", "b"],
      );
      assert.equal(first.IsTruncated, true);
      assert.equal(first.NextMarker, undefined);
      assert.ok(first.Contents[0]?.Owner?.ID);
      const second = await t.s3.listObjects({ Bucket, Marker: "b" });
      assert.deepEqual(
        second.Contents?.map((entry) => entry.Key),
        ["c"],
      );
      assert.equal(second.IsTruncated, false);
      assert.equal(second.Marker, "b");
    },
  },
  {
    name: "pages through common prefixes by next marker (version 1)",
    async run(t) {
      const Bucket = await bucketWith(t, tree);
      const found: string[] = [];
      let marker: string | undefined;
      for (let pages = 0; pages < 9; pages += 1) {
        const from = marker === undefined ? {} : { Marker: marker };
        const page = await t.s3.listObjects({ Bucket, MaxKeys: 1, Delimiter: "/", ...from });
        for (const entry of page.Contents ?? []) found.push(entry.Key ?? "");
        for (const entry of page.CommonPrefixes ?? []) found.push(entry.Prefix ?? "");
        if (page.IsTruncated !== true) break;
        marker = page.NextMarker;
        assert.ok(marker);
      }
      assert.deepEqual(found, ["a", "b/", "c/", "z"]);
    },
  },
];
