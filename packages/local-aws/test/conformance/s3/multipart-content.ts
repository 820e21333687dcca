import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { crc32Of, digests, md5Hex } from "./digests.ts";
import { begin, bigPart, complete, part, partBytes } from "./multipart.ts";
import { encode } from "./signing.ts";
import { absent, refused, type Check, type Trial } from "./trial.ts";

const tail = Buffer.from("the end");
const whole = Buffer.concat([bigPart, tail]);
const crc64 = (bytes: Uint8Array) =>
  digests.find(({ algorithm }) => algorithm === "CRC64NVME")?.of(bytes) ?? "";

/** A finished object of two parts, with the SDK's default checksums. */
async function twoParts(t: Trial) {
  const upload = await begin(t, { ChecksumAlgorithm: "CRC32" });
  const parts = [await part(t, upload, { n: 1, body: bigPart }), await part(t, upload, { n: 2, body: tail })];
  const done = await complete(t, upload, parts);
  return { Bucket: upload.Bucket, done };
}

function compositeCrc32(): string {
  const sums = [bigPart, tail].map((bytes) => Buffer.from(crc32Of(bytes), "base64"));
  return `${crc32Of(Buffer.concat(sums))}-2`;
}

export const multipartContentChecks: readonly Check[] = [
  {
    name: "gives a multipart object a checksum over the checksums of its parts",
    async run(t) {
      const { Bucket, done } = await twoParts(t);
      assert.equal(done.ChecksumCRC32, compositeCrc32());
      assert.equal(done.ChecksumType, "COMPOSITE");
      const head = await t.s3.headObject({ Bucket, Key: "key", ChecksumMode: "ENABLED" });
      assert.equal(head.ChecksumCRC32, compositeCrc32());
      assert.equal(head.ChecksumType, "COMPOSITE");
    },
  },
  {
    name: "gives a multipart object a checksum over all of its bytes where the upload says FULL_OBJECT",
    async run(t) {
      const upload = await begin(t, { ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" });
      const parts = [
        await part(t, upload, { n: 1, body: bigPart }),
        await part(t, upload, { n: 2, body: tail }),
      ];
      const done = await t.s3.completeMultipartUpload({
        ...upload,
        ChecksumType: "FULL_OBJECT",
        ChecksumCRC32: crc32Of(whole),
        MultipartUpload: { Parts: parts },
      });
      assert.equal(done.ChecksumCRC32, crc32Of(whole));
      assert.equal(done.ChecksumType, "FULL_OBJECT");
    },
  },
  {
    name: "refuses to complete when the bytes do not fit the checksum of the whole",
    async run(t) {
      const upload = await begin(t, { ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" });
      const one = await part(t, upload, { n: 1, body: "content" });
      await refused(
        t.s3.completeMultipartUpload({
          ...upload,
          ChecksumType: "FULL_OBJECT",
          ChecksumCRC32: crc32Of(tail),
          MultipartUpload: { Parts: [one] },
        }),
        400,
        "BadDigest",
      );
      await absent(t, upload.Bucket, "key");
    },
  },
  {
    name: "adds a CRC64NVME over all bytes to a multipart object that comes without checksums",
    async run(t) {
      const s3 = t.client({ requestChecksumCalculation: "WHEN_REQUIRED" });
      const plain = { ...t, s3 };
      const upload = await begin(plain);
      await complete(plain, upload, [await part(plain, upload, { n: 1, body: "content" })]);
      const head = await t.s3.headObject({ Bucket: upload.Bucket, Key: "key", ChecksumMode: "ENABLED" });
      assert.equal(head.ChecksumCRC64NVME, crc64(Buffer.from("content")));
      assert.equal(head.ChecksumType, "FULL_OBJECT");
    },
  },
  {
    name: "refuses a part that does not fit its checksum, and does not list it",
    async run(t) {
      const upload = await begin(t);
      const wrong = { ...upload, PartNumber: 1, Body: "content" };
      await refused(t.s3.uploadPart({ ...wrong, ChecksumCRC32: crc32Of(tail) }), 400, "BadDigest");
      const ContentMD5 = createHash("md5").update(tail).digest("base64");
      await refused(t.s3.uploadPart({ ...wrong, ContentMD5 }), 400, "BadDigest");
      assert.equal((await t.s3.listParts(upload)).Parts, undefined);
    },
  },
  {
    name: "refuses to complete with another checksum than a part has",
    async run(t) {
      const upload = await begin(t, { ChecksumAlgorithm: "CRC32" });
      const one = await part(t, upload, { n: 1, body: "content" });
      await refused(
        complete(t, upload, [{ ...one, ChecksumCRC32: crc32Of(tail) }]),
        400,
        "InvalidPart",
        "BadDigest",
      );
      await absent(t, upload.Bucket, "key");
    },
  },
  {
    name: "gives single parts of a multipart object by number",
    async run(t) {
      const { Bucket, done } = await twoParts(t);
      const second = await t.s3.getObject({ Bucket, Key: "key", PartNumber: 2 });
      assert.equal(second.$metadata.httpStatusCode, 206);
      assert.equal(await second.Body?.transformToString(), tail.toString());
      assert.equal(second.PartsCount, 2);
      assert.equal(second.ETag, done.ETag);
      assert.equal(
        second.ContentRange,
        `bytes ${String(partBytes)}-${String(whole.length - 1)}/${String(whole.length)}`,
      );
      const first = await t.s3.headObject({ Bucket, Key: "key", PartNumber: 1 });
      assert.equal(first.ContentLength, partBytes);
      assert.equal(first.PartsCount, 2);
      await refused(t.s3.getObject({ Bucket, Key: "key", PartNumber: 3 }), 416, "InvalidPartNumber");
    },
  },
  {
    name: "gives ranges across the parts of a multipart object",
    async run(t) {
      const { Bucket } = await twoParts(t);
      const Range = `bytes=${String(partBytes - 3)}-${String(partBytes + 2)}`;
      const got = await t.s3.getObject({ Bucket, Key: "key", Range });
      assert.equal(await got.Body?.transformToString(), "defthe");
    },
  },
  {
    name: "makes of a copied multipart object one with a plain ETag",
    async run(t) {
      const { Bucket } = await twoParts(t);
      const copy = await t.s3.copyObject({ Bucket, Key: "copy", CopySource: `${Bucket}/key` });
      assert.equal(copy.CopyObjectResult?.ETag, `"${md5Hex(whole)}"`);
      assert.equal((await t.s3.headObject({ Bucket, Key: "copy" })).ContentLength, whole.length);
    },
  },
  {
    name: "copies whole objects and ranges into parts",
    async run(t) {
      const upload = await begin(t);
      const { Bucket } = upload;
      await t.put(Bucket, "Größe 1+1", bigPart);
      await t.put(Bucket, "small", "0123456789");
      const CopySource = `${Bucket}/${encode("Größe 1+1")}`;
      const one = await t.s3.uploadPartCopy({ ...upload, PartNumber: 1, CopySource });
      const two = await t.s3.uploadPartCopy({
        ...upload,
        PartNumber: 2,
        CopySource: `${Bucket}/small`,
        CopySourceRange: "bytes=2-4",
      });
      assert.equal(two.CopyPartResult?.ETag, `"${md5Hex("234")}"`);
      await complete(t, upload, [
        { PartNumber: 1, ETag: one.CopyPartResult?.ETag },
        { PartNumber: 2, ETag: two.CopyPartResult.ETag },
      ]);
      const got = await t.s3.getObject({ Bucket, Key: "key", Range: "bytes=-5" });
      assert.equal(await got.Body?.transformToString(), "ef234");
    },
  },
  {
    name: "refuses to copy into a part what is not there or lies outside the source",
    async run(t) {
      const upload = await begin(t);
      await t.put(upload.Bucket, "small", "0123456789");
      const to = { ...upload, PartNumber: 1 };
      await refused(t.s3.uploadPartCopy({ ...to, CopySource: `${upload.Bucket}/missing` }), 404, "NoSuchKey");
      const outside = { ...to, CopySource: `${upload.Bucket}/small`, CopySourceRange: "bytes=5-10" };
      await refused(t.s3.uploadPartCopy(outside), 400, "InvalidArgument", "InvalidRequest");
      assert.equal((await t.s3.listParts(upload)).Parts, undefined);
    },
  },
  {
    name: "tells the attributes of an object that are asked for, and no others",
    async run(t) {
      const Bucket = await t.bucket();
      const put = await t.putWith(Bucket, "key", { Body: "content", ChecksumAlgorithm: "SHA256" });
      const all = await t.s3.getObjectAttributes({
        Bucket,
        Key: "key",
        ObjectAttributes: ["ETag", "Checksum", "ObjectSize", "StorageClass", "ObjectParts"],
      });
      assert.equal(all.ETag, md5Hex("content"));
      assert.equal(all.ObjectSize, 7);
      assert.equal(all.StorageClass, "STANDARD");
      assert.equal(all.Checksum?.ChecksumSHA256, put.ChecksumSHA256);
      assert.equal(all.ObjectParts, undefined);
      const size = await t.s3.getObjectAttributes({ Bucket, Key: "key", ObjectAttributes: ["ObjectSize"] });
      assert.equal(size.ObjectSize, 7);
      assert.equal(size.ETag, undefined);
      assert.equal(size.StorageClass, undefined);
      const missing = { Bucket, Key: "missing", ObjectAttributes: ["ETag" as const] };
      await refused(t.s3.getObjectAttributes(missing), 404, "NoSuchKey");
    },
  },
  {
    name: "tells the parts of a multipart object with their checksums, in pages",
    async run(t) {
      const { Bucket } = await twoParts(t);
      const ask = { Bucket, Key: "key", ObjectAttributes: ["ObjectParts" as const], MaxParts: 1 };
      const first = await t.s3.getObjectAttributes(ask);
      assert.equal(first.ObjectParts?.TotalPartsCount, 2);
      assert.equal(first.ObjectParts.IsTruncated, true);
      assert.deepEqual(first.ObjectParts.Parts, [
        { PartNumber: 1, Size: partBytes, ChecksumCRC32: crc32Of(bigPart) },
      ]);
      const second = await t.s3.getObjectAttributes({ ...ask, PartNumberMarker: "1" });
      assert.deepEqual(second.ObjectParts?.Parts, [
        { PartNumber: 2, Size: tail.length, ChecksumCRC32: crc32Of(tail) },
      ]);
      assert.equal(second.ObjectParts.IsTruncated, false);
    },
  },
];
