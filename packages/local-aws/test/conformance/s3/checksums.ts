import assert from "node:assert/strict";
import { digests, md5Of } from "./digests.ts";
import { refused, refusedRaw, type Check } from "./trial.ts";

const content = Buffer.from("Größe: 12 Pt");
const other = Buffer.from("something else");

export const checksumChecks: readonly Check[] = [
  ...digests.flatMap(({ algorithm, header, of }): Check[] => {
    const field = `Checksum${algorithm}` as const;
    return [
      {
        name: `keeps a ${algorithm} and gives it back when asked`,
        async run(t) {
          const Bucket = await t.bucket();
          const put = await t.putWith(Bucket, "key", { Body: content, [field]: of(content) });
          assert.equal(put[field], of(content));
          const head = await t.s3.headObject({ Bucket, Key: "key", ChecksumMode: "ENABLED" });
          assert.equal(head[field], of(content));
          assert.equal(head.ChecksumType, "FULL_OBJECT");
          const unasked = await t.s3.headObject({ Bucket, Key: "key" });
          assert.equal(unasked[field], undefined);
          const { Contents = [] } = await t.s3.listObjectsV2({ Bucket });
          assert.deepEqual(Contents[0]?.ChecksumAlgorithm, [algorithm]);
        },
      },
      {
        name: `refuses a body that does not fit its ${algorithm}, and keeps the old object`,
        async run(t) {
          const bucket = await t.bucket();
          await t.put(bucket, "key", "old");
          const wrong = await t.signed({
            method: "PUT",
            bucket,
            key: "key",
            body: content,
            headers: { [header]: of(other) },
          });
          refusedRaw(wrong, 400, "BadDigest");
          assert.equal(await t.read(bucket, "key"), "old");
        },
      },
    ];
  }),
  {
    name: "adds a CRC64NVME to an object that comes without a checksum",
    async run(t) {
      const bucket = await t.bucket();
      await t.signed({ method: "PUT", bucket, key: "key", body: content });
      const head = await t.s3.headObject({ Bucket: bucket, Key: "key", ChecksumMode: "ENABLED" });
      const crc64 = digests.find(({ algorithm }) => algorithm === "CRC64NVME");
      assert.equal(head.ChecksumCRC64NVME, crc64?.of(content));
      assert.equal(head.ChecksumType, "FULL_OBJECT");
    },
  },
  {
    name: "refuses a checksum that is none",
    async run(t) {
      const bucket = await t.bucket();
      for (const value of ["AAAA", "not base64!"]) {
        const answer = await t.signed({
          method: "PUT",
          bucket,
          key: "key",
          body: content,
          headers: { "x-amz-checksum-crc32": value },
        });
        refusedRaw(answer, 400, "InvalidRequest");
      }
      assert.deepEqual(await t.keys(bucket), []);
    },
  },
  {
    name: "refuses two checksums of one body",
    async run(t) {
      const bucket = await t.bucket();
      const headers = Object.fromEntries(digests.slice(0, 2).map(({ header, of }) => [header, of(content)]));
      const answer = await t.signed({ method: "PUT", bucket, key: "key", body: content, headers });
      refusedRaw(answer, 400, "InvalidRequest");
      assert.deepEqual(await t.keys(bucket), []);
    },
  },
  {
    name: "takes a body that fits its Content-MD5",
    async run(t) {
      const Bucket = await t.bucket();
      await t.putWith(Bucket, "key", { Body: content, ContentMD5: md5Of(content) });
      assert.equal(await t.read(Bucket, "key"), content.toString());
    },
  },
  {
    name: "refuses a body that does not fit its Content-MD5, and keeps the old object",
    async run(t) {
      const Bucket = await t.bucket();
      await t.put(Bucket, "key", "old");
      await refused(t.putWith(Bucket, "key", { Body: content, ContentMD5: md5Of(other) }), 400, "BadDigest");
      assert.equal(await t.read(Bucket, "key"), "old");
    },
  },
  {
    name: "refuses a Content-MD5 that is none",
    async run(t) {
      const Bucket = await t.bucket();
      await refused(t.putWith(Bucket, "key", { Body: content, ContentMD5: "short" }), 400, "InvalidDigest");
      assert.deepEqual(await t.keys(Bucket), []);
    },
  },
  {
    name: "refuses a body that does not fit the hash that was signed, and keeps the old object",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "key", "old");
      const answer = await t.signed({
        method: "PUT",
        bucket,
        key: "key",
        body: content,
        payloadHash: Buffer.from(
          digests.find(({ algorithm }) => algorithm === "SHA256")?.of(other) ?? "",
          "base64",
        ).toString("hex"),
      });
      refusedRaw(answer, 400, "XAmzContentSHA256Mismatch");
      assert.equal(await t.read(bucket, "key"), "old");
    },
  },
];
