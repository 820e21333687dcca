import assert from "node:assert/strict";
import { md5Hex } from "./digests.ts";
import { absent, refused, refusedRaw, type Check } from "./trial.ts";

export const objectChecks: readonly Check[] = [
  {
    name: "gives back the bytes that were put, with ETag, length, time and type",
    async run(t) {
      const Bucket = await t.bucket();
      const bytes = Buffer.from([0, 255, 13, 10, 128, 7]);
      const put = await t.putWith(Bucket, "key", { Body: bytes, ContentType: "image/jpeg" });
      assert.equal(put.ETag, `"${md5Hex(bytes)}"`);
      const got = await t.s3.getObject({ Bucket, Key: "key" });
      assert.deepEqual(Buffer.from((await got.Body?.transformToByteArray()) ?? []), bytes);
      assert.equal(got.ETag, put.ETag);
      assert.equal(got.ContentLength, bytes.length);
      assert.equal(got.ContentType, "image/jpeg");
      assert.equal(got.AcceptRanges, "bytes");
      assert.ok(Math.abs((got.LastModified?.getTime() ?? 0) - Date.now()) < 600_000);
    },
  },
  {
    name: "stores an empty object",
    async run(t) {
      const Bucket = await t.bucket();
      const put = await t.putWith(Bucket, "empty", { Body: "" });
      assert.equal(put.ETag, '"d41d8cd98f00b204e9800998ecf8427e"');
      assert.equal((await t.s3.headObject({ Bucket, Key: "empty" })).ContentLength, 0);
      assert.equal(await t.read(Bucket, "empty"), "");
    },
  },
  {
    name: "takes a header's value as bytes, and gives them back",
    async run(t) {
      const bucket = await t.bucket();
      const value = Buffer.from('attachment; filename="Lebenslauf für à.pdf"; x=à').toString("latin1");
      const headers = { "content-disposition": value };
      const put = await t.signed({ method: "PUT", bucket, key: "key", headers, body: "content" });
      assert.equal(put.status, 200, put.text);
      const got = await t.signed({ method: "GET", bucket, key: "key" });
      assert.equal(got.headers["content-disposition"], value);
    },
  },
  {
    name: "gives an object without content type binary/octet-stream",
    async run(t) {
      const bucket = await t.bucket();
      const put = await t.signed({ method: "PUT", bucket, key: "key", body: "content" });
      assert.equal(put.status, 200);
      const head = await t.s3.headObject({ Bucket: bucket, Key: "key" });
      assert.equal(head.ContentType, "binary/octet-stream");
    },
  },
  {
    name: "keeps user metadata under lower-case names",
    async run(t) {
      const bucket = await t.bucket();
      await t.signed({
        method: "PUT",
        bucket,
        key: "key",
        body: "content",
        headers: { "x-amz-meta-original-name": "Gr%C3%B6%C3%9Fe.pdf", "x-amz-meta-empty": "" },
      });
      await t.putWith(bucket, "sdk", { Metadata: { "Upper-Case": "Some Value", "document-id": "1=2; 3" } });
      const raw = await t.s3.headObject({ Bucket: bucket, Key: "key" });
      assert.equal(raw.Metadata?.["original-name"], "Gr%C3%B6%C3%9Fe.pdf");
      const sdk = await t.s3.getObject({ Bucket: bucket, Key: "sdk" });
      assert.deepEqual(sdk.Metadata, { "upper-case": "Some Value", "document-id": "1=2; 3" });
    },
  },
  {
    name: "refuses more than 2 KB of user metadata, and stores nothing",
    async run(t) {
      const Bucket = await t.bucket();
      await t.putWith(Bucket, "fits", { Metadata: { name: "x".repeat(2044) } });
      await refused(
        t.putWith(Bucket, "key", { Metadata: { name: "x".repeat(2045) } }),
        400,
        "MetadataTooLarge",
      );
      assert.deepEqual(await t.keys(Bucket), ["fits"]);
    },
  },
  {
    name: "keeps the content headers and gives them to GET and HEAD alike",
    async run(t) {
      const Bucket = await t.bucket();
      const wanted = {
        CacheControl: "public, max-age=31536000, immutable",
        ContentDisposition: "attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe.pdf",
        ContentEncoding: "gzip",
        ContentLanguage: "de-DE",
        ContentType: "application/pdf; charset=x",
        ExpiresString: "Wed, 21 Oct 2026 07:28:00 GMT",
        Metadata: { a: "b" },
      };
      const { ExpiresString, ...sent } = wanted;
      await t.putWith(Bucket, "key", { Body: "zip", ...sent, Expires: new Date(ExpiresString) });
      const got = await t.s3.getObject({ Bucket, Key: "key" });
      assert.equal(await got.Body?.transformToString(), "zip");
      const head = await t.s3.headObject({ Bucket, Key: "key" });
      for (const [name, value] of Object.entries(wanted)) {
        assert.deepEqual(got[name as keyof typeof wanted], value, `GET ${name}`);
        assert.deepEqual(head[name as keyof typeof wanted], value, `HEAD ${name}`);
      }
      assert.equal(head.ContentLength, 3);
      assert.equal(head.ETag, got.ETag);
    },
  },
  {
    name: "replaces an object wholly, metadata and all",
    async run(t) {
      const Bucket = await t.bucket();
      await t.putWith(Bucket, "key", { Body: "old", Metadata: { a: "b" }, CacheControl: "no-store" });
      await t.putWith(Bucket, "key", { Body: "new content" });
      const got = await t.s3.getObject({ Bucket, Key: "key" });
      assert.equal(await got.Body?.transformToString(), "new content");
      assert.deepEqual(got.Metadata, {});
      assert.equal(got.CacheControl, undefined);
      assert.deepEqual(await t.keys(Bucket), ["key"]);
    },
  },
  {
    name: "answers GET of a missing key with NoSuchKey",
    async run(t) {
      const bucket = await t.bucket();
      await absent(t, bucket, "missing");
      const error = await refused(t.s3.getObject({ Bucket: bucket, Key: "miss & <ing>" }), 404, "NoSuchKey");
      assert.equal((error as { Key?: string }).Key, "miss & <ing>");
    },
  },
  {
    name: "answers HEAD of a missing key with 404 and no body",
    async run(t) {
      const bucket = await t.bucket();
      await refused(t.s3.headObject({ Bucket: bucket, Key: "missing" }), 404, "NotFound");
      const answer = await t.signed({ method: "HEAD", bucket, key: "missing" });
      assert.equal(answer.status, 404);
      assert.equal(answer.body.length, 0);
    },
  },
  {
    name: "answers HEAD with the length of the object and no body",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "key", "content");
      const answer = await t.signed({ method: "HEAD", bucket, key: "key" });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers["content-length"], "7");
      assert.equal(answer.body.length, 0);
    },
  },
  {
    name: "lets a signed reader override the headers of the answer",
    async run(t) {
      const Bucket = await t.bucket();
      await t.putWith(Bucket, "key", { Body: "x", ContentType: "text/plain", CacheControl: "no-store" });
      const got = await t.s3.getObject({
        Bucket,
        Key: "key",
        ResponseContentType: "text/html; charset=utf-8",
        ResponseCacheControl: "max-age=5",
        ResponseContentDisposition: 'attachment; filename="a b.txt"',
        ResponseContentLanguage: "de",
        ResponseContentEncoding: "identity",
      });
      assert.equal(got.ContentType, "text/html; charset=utf-8");
      assert.equal(got.CacheControl, "max-age=5");
      assert.equal(got.ContentDisposition, 'attachment; filename="a b.txt"');
      assert.equal(got.ContentLanguage, "de");
      assert.equal(got.ContentEncoding, "identity");
      assert.equal((await t.s3.headObject({ Bucket, Key: "key" })).ContentType, "text/plain");
    },
  },
  {
    name: "keeps the storage class, names it on HEAD and in the listing, and leaves STANDARD unsaid on HEAD",
    async run(t) {
      const Bucket = await t.bucket();
      await t.putWith(Bucket, "a", { StorageClass: "STANDARD_IA" });
      await t.putWith(Bucket, "b", {});
      assert.equal((await t.s3.headObject({ Bucket, Key: "a" })).StorageClass, "STANDARD_IA");
      assert.equal((await t.s3.headObject({ Bucket, Key: "b" })).StorageClass, undefined);
      const { Contents = [] } = await t.s3.listObjectsV2({ Bucket });
      assert.deepEqual(
        Contents.map((entry) => entry.StorageClass),
        ["STANDARD_IA", "STANDARD"],
      );
    },
  },
  {
    name: "refuses a storage class that does not exist",
    async run(t) {
      const Bucket = await t.bucket();
      await refused(
        t.putWith(Bucket, "key", { StorageClass: "CELLAR" as never }),
        400,
        "InvalidStorageClass",
      );
      assert.deepEqual(await t.keys(Bucket), []);
    },
  },
  ...(
    [
      ["the first bytes", "bytes=0-3", "0123", "bytes 0-3/10"],
      ["one byte", "bytes=9-9", "9", "bytes 9-9/10"],
      ["from an offset to the end", "bytes=7-", "789", "bytes 7-9/10"],
      ["the last bytes", "bytes=-2", "89", "bytes 8-9/10"],
      ["past the end", "bytes=8-99", "89", "bytes 8-9/10"],
      ["more last bytes than there are", "bytes=-99", "0123456789", "bytes 0-9/10"],
    ] as const
  ).map(([what, Range, body, contentRange]): Check => ({
    name: `gives a range: ${what}`,
    async run(t) {
      const Bucket = await t.bucket();
      await t.put(Bucket, "key", "0123456789");
      const got = await t.s3.getObject({ Bucket, Key: "key", Range });
      assert.equal(got.$metadata.httpStatusCode, 206);
      assert.equal(await got.Body?.transformToString(), body);
      assert.equal(got.ContentRange, contentRange);
      assert.equal(got.ContentLength, body.length);
      const head = await t.s3.headObject({ Bucket, Key: "key", Range });
      assert.equal(head.ContentLength, body.length);
    },
  })),
  {
    name: "refuses a range that starts behind the end, and any of an empty object",
    async run(t) {
      const Bucket = await t.bucket();
      await t.put(Bucket, "key", "0123456789");
      await t.put(Bucket, "empty", "");
      await refused(t.s3.getObject({ Bucket, Key: "key", Range: "bytes=10-" }), 416, "InvalidRange");
      await refused(t.s3.getObject({ Bucket, Key: "key", Range: "bytes=-0" }), 416, "InvalidRange");
      await refused(t.s3.getObject({ Bucket, Key: "empty", Range: "bytes=0-" }), 416, "InvalidRange");
    },
  },
  {
    name: "ignores a range that it does not understand, and gives the whole object",
    async run(t) {
      const Bucket = await t.bucket();
      await t.put(Bucket, "key", "0123456789");
      for (const Range of ["bytes=5-2", "bytes=a-b", "lines=1-2"]) {
        const got = await t.s3.getObject({ Bucket, Key: "key", Range });
        assert.equal(got.$metadata.httpStatusCode, 200, Range);
        assert.equal(await got.Body?.transformToString(), "0123456789");
      }
    },
  },
  {
    name: "gives a large object back byte for byte, and any part of it",
    async run(t) {
      const Bucket = await t.bucket();
      const bytes = Buffer.alloc(3_000_001, "0123456789abcdefghijklmnopqrstuvwxyz-");
      const put = await t.putWith(Bucket, "large", { Body: bytes });
      assert.equal(put.ETag, `"${md5Hex(bytes)}"`);
      const got = await t.s3.getObject({ Bucket, Key: "large" });
      assert.equal(md5Hex((await got.Body?.transformToByteArray()) ?? ""), md5Hex(bytes));
      const part = await t.s3.getObject({ Bucket, Key: "large", Range: "bytes=1048570-2097160" });
      const partBytes = Buffer.from((await part.Body?.transformToByteArray()) ?? []);
      assert.ok(partBytes.equals(bytes.subarray(1_048_570, 2_097_161)));
    },
  },
  {
    name: "refuses methods that an object does not know",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "key", "content");
      refusedRaw(await t.signed({ method: "PATCH", bucket, key: "key" }), 405, "MethodNotAllowed");
      refusedRaw(await t.signed({ method: "POST", bucket, key: "key" }), 405, "MethodNotAllowed");
      assert.equal(await t.read(bucket, "key"), "content");
    },
  },
];
