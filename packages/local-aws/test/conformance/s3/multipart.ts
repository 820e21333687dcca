import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { CompletedPart, CreateMultipartUploadCommandInput } from "@aws-sdk/client-s3";
import { md5Hex } from "./digests.ts";
import { absent, refused, type Check, type Trial } from "./trial.ts";

/** The smallest size of any part but the last. */
export const partBytes = 5 * 1024 * 1024;
export const bigPart = Buffer.alloc(partBytes, "0123456789abcdef");

export interface Upload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
  /** Where the upload was begun with one: its completion then names the checksum of every part. */
  readonly ChecksumAlgorithm?: "CRC32";
}

/** Begins an upload of "key" in a new bucket, or where it is told to. */
export async function begin(
  t: Trial,
  more: Partial<CreateMultipartUploadCommandInput> & Pick<Upload, "ChecksumAlgorithm"> = {},
): Promise<Upload> {
  const { Key = "key", ChecksumAlgorithm } = more;
  const Bucket = more.Bucket ?? (await t.bucket());
  const { UploadId } = await t.s3.createMultipartUpload({ ...more, Bucket, Key });
  assert.ok(UploadId);
  return { Bucket, Key, UploadId, ChecksumAlgorithm };
}

/** Uploads a part and gives what the completion needs to name it. */
export async function part(
  t: Trial,
  upload: Upload,
  content: { n: number; body: string | Uint8Array },
): Promise<CompletedPart> {
  const { n, body } = content;
  const answer = await t.s3.uploadPart({ ...upload, PartNumber: n, Body: body });
  return {
    PartNumber: n,
    ETag: answer.ETag,
    ...(upload.ChecksumAlgorithm === undefined ? {} : { ChecksumCRC32: answer.ChecksumCRC32 }),
  };
}

export function complete(t: Trial, upload: Upload, Parts: CompletedPart[]) {
  return t.s3.completeMultipartUpload({ ...upload, MultipartUpload: { Parts } });
}

export const multipartChecks: readonly Check[] = [
  {
    name: "puts parts together in the order of their numbers, with an ETag over their ETags",
    async run(t) {
      const upload = await begin(t, { ContentType: "text/plain", Metadata: { a: "b" }, Tagging: "kind=cv" });
      const second = await part(t, upload, { n: 2, body: "the end" });
      const first = await part(t, upload, { n: 1, body: bigPart });
      assert.equal(first.ETag, `"${md5Hex(bigPart)}"`);
      const done = await complete(t, upload, [first, second]);
      const md5s = [bigPart, Buffer.from("the end")].map((body) => createHash("md5").update(body).digest());
      assert.equal(done.ETag, `"${md5Hex(Buffer.concat(md5s))}-2"`);
      assert.equal(done.Bucket, upload.Bucket);
      assert.equal(done.Key, "key");
      const got = await t.s3.getObject({ Bucket: upload.Bucket, Key: "key" });
      assert.equal(got.ETag, done.ETag);
      assert.equal(got.ContentType, "text/plain");
      assert.deepEqual(got.Metadata, { a: "b" });
      assert.equal(got.TagCount, 1);
      const bytes = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
      assert.ok(bytes.equals(Buffer.concat([bigPart, Buffer.from("the end")])));
    },
  },
  {
    name: "shows nothing of an upload before it is complete, and keeps the old object until then",
    async run(t) {
      const upload = await begin(t);
      const { Bucket } = upload;
      const only = await part(t, upload, { n: 1, body: "new" });
      await absent(t, Bucket, "key");
      assert.deepEqual(await t.keys(Bucket), []);
      await t.put(Bucket, "key", "old");
      assert.equal(await t.read(Bucket, "key"), "old");
      await complete(t, upload, [only]);
      assert.equal(await t.read(Bucket, "key"), "new");
    },
  },
  {
    name: "takes the last upload of a part number",
    async run(t) {
      const upload = await begin(t);
      await part(t, upload, { n: 1, body: "first try" });
      const again = await part(t, upload, { n: 1, body: "second" });
      await complete(t, upload, [again]);
      assert.equal(await t.read(upload.Bucket, "key"), "second");
    },
  },
  {
    name: "leaves out parts that the completion does not name, and takes gaps in the numbers",
    async run(t) {
      const plain = t.client({ requestChecksumCalculation: "WHEN_REQUIRED" });
      const upload = await begin({ ...t, s3: plain });
      const one = await part({ ...t, s3: plain }, upload, { n: 3, body: bigPart });
      await part({ ...t, s3: plain }, upload, { n: 5, body: "left out" });
      const last = await part({ ...t, s3: plain }, upload, { n: 10_000, body: "end" });
      await complete({ ...t, s3: plain }, upload, [one, last]);
      const head = await t.s3.headObject({ Bucket: upload.Bucket, Key: "key" });
      assert.equal(head.ContentLength, partBytes + 3);
    },
  },
  {
    name: "refuses parts out of order, and keeps the upload",
    async run(t) {
      const upload = await begin(t);
      const one = await part(t, upload, { n: 1, body: bigPart });
      const two = await part(t, upload, { n: 2, body: "end" });
      await refused(complete(t, upload, [two, one]), 400, "InvalidPartOrder");
      await absent(t, upload.Bucket, "key");
      assert.equal((await t.s3.listParts(upload)).Parts?.length, 2);
      await complete(t, upload, [one, two]);
    },
  },
  {
    name: "refuses a part that was not uploaded or has another ETag",
    async run(t) {
      const upload = await begin(t);
      const one = await part(t, upload, { n: 1, body: "content" });
      const { ETag } = one;
      await refused(complete(t, upload, [{ PartNumber: 2, ETag }]), 400, "InvalidPart");
      const wrong = { ...one, ETag: `"${md5Hex("other")}"` };
      await refused(complete(t, upload, [wrong]), 400, "InvalidPart");
      await absent(t, upload.Bucket, "key");
    },
  },
  {
    name: "refuses a part below 5 MiB that is not the last, and keeps the upload",
    async run(t) {
      const upload = await begin(t);
      const one = await part(t, upload, { n: 1, body: bigPart.subarray(1) });
      const two = await part(t, upload, { n: 2, body: "end" });
      await refused(complete(t, upload, [one, two]), 400, "EntityTooSmall");
      await absent(t, upload.Bucket, "key");
      const again = await part(t, upload, { n: 1, body: bigPart });
      await complete(t, upload, [again, two]);
      assert.equal(
        (await t.s3.headObject({ Bucket: upload.Bucket, Key: "key" })).ContentLength,
        partBytes + 3,
      );
    },
  },
  {
    name: "refuses part numbers outside 1 to 10,000",
    async run(t) {
      const upload = await begin(t);
      for (const n of [0, 10_001]) {
        await refused(part(t, upload, { n, body: "x" }), 400, "InvalidArgument");
      }
      assert.equal((await t.s3.listParts(upload)).Parts, undefined);
    },
  },
  {
    name: "refuses to complete an upload without parts",
    async run(t) {
      const upload = await begin(t);
      await part(t, upload, { n: 1, body: "x" });
      await refused(complete(t, upload, []), 400, "MalformedXML", "InvalidRequest");
      await absent(t, upload.Bucket, "key");
    },
  },
  {
    name: "answers every call about an unknown upload with NoSuchUpload",
    async run(t) {
      const known = await begin(t);
      const unknown = { ...known, UploadId: `${known.UploadId.slice(0, -4)}AAAA` };
      const otherKey = { ...known, Key: "other" };
      for (const upload of [unknown, otherKey]) {
        await refused(part(t, upload, { n: 1, body: "x" }), 404, "NoSuchUpload");
        await refused(t.s3.listParts(upload), 404, "NoSuchUpload");
        await refused(t.s3.abortMultipartUpload(upload), 404, "NoSuchUpload");
        const Parts = [{ PartNumber: 1, ETag: `"${md5Hex("x")}"` }];
        await refused(complete(t, upload, Parts), 404, "NoSuchUpload");
      }
      assert.equal((await t.s3.listMultipartUploads({ Bucket: known.Bucket })).Uploads?.length, 1);
    },
  },
  {
    name: "forgets an aborted upload with all its parts",
    async run(t) {
      const upload = await begin(t);
      const one = await part(t, upload, { n: 1, body: "content" });
      const answer = await t.s3.abortMultipartUpload(upload);
      assert.equal(answer.$metadata.httpStatusCode, 204);
      await refused(t.s3.listParts(upload), 404, "NoSuchUpload");
      await refused(complete(t, upload, [one]), 404, "NoSuchUpload");
      assert.equal((await t.s3.listMultipartUploads({ Bucket: upload.Bucket })).Uploads, undefined);
      await absent(t, upload.Bucket, "key");
    },
  },
  {
    // S3 gives the first answer again for a while; later it no longer knows the upload. Both are right.
    name: "changes nothing when an upload is completed twice",
    async run(t) {
      const Bucket = await t.versionedBucket();
      const upload = await begin(t, { Bucket });
      const one = await part(t, upload, { n: 1, body: "content" });
      const done = await complete(t, upload, [one]);
      assert.ok(done.VersionId);
      await t.put(Bucket, "key", "newer");
      const again = await complete(t, upload, [one]).catch((error: unknown) => error);
      if (again instanceof Error) await refused(Promise.reject(again), 404, "NoSuchUpload");
      else assert.equal((again as typeof done).ETag, done.ETag);
      assert.equal(await t.read(Bucket, "key"), "newer");
      assert.equal((await t.s3.listObjectVersions({ Bucket })).Versions?.length, 2);
    },
  },
  {
    name: "refuses to complete with If-None-Match: * when the key exists",
    async run(t) {
      const upload = await begin(t);
      const one = await part(t, upload, { n: 1, body: "new" });
      await t.put(upload.Bucket, "key", "old");
      const completion = { ...upload, MultipartUpload: { Parts: [one] } };
      await refused(
        t.s3.completeMultipartUpload({ ...completion, IfNoneMatch: "*" }),
        412,
        "PreconditionFailed",
      );
      assert.equal(await t.read(upload.Bucket, "key"), "old");
    },
  },
  {
    name: "refuses to complete when the whole is not as long as was said",
    async run(t) {
      const upload = await begin(t);
      const one = await part(t, upload, { n: 1, body: "content" });
      await refused(
        t.s3.completeMultipartUpload({ ...upload, MultipartUpload: { Parts: [one] }, MpuObjectSize: 8 }),
        400,
        "InvalidRequest",
      );
      await absent(t, upload.Bucket, "key");
    },
  },
  {
    name: "lists the parts of an upload in pages",
    async run(t) {
      const upload = await begin(t);
      for (const n of [3, 1, 2]) await part(t, upload, { n, body: "x".repeat(n) });
      const first = await t.s3.listParts({ ...upload, MaxParts: 2 });
      assert.deepEqual(
        first.Parts?.map((each) => [each.PartNumber, each.Size, each.ETag]),
        [1, 2].map((n) => [n, n, `"${md5Hex("x".repeat(n))}"`]),
      );
      assert.ok(first.Parts[0]?.LastModified instanceof Date);
      assert.equal(first.IsTruncated, true);
      assert.equal(first.NextPartNumberMarker, "2");
      const rest = await t.s3.listParts({ ...upload, PartNumberMarker: first.NextPartNumberMarker });
      assert.deepEqual(
        rest.Parts?.map((each) => each.PartNumber),
        [3],
      );
      assert.equal(rest.IsTruncated, false);
    },
  },
  {
    name: "lists uploads in pages, by key and then by beginning",
    async run(t) {
      const Bucket = await t.bucket();
      const begun: string[] = [];
      for (const Key of ["b", "a/1", "b", "ä"]) {
        const { UploadId } = await begin(t, { Bucket, Key });
        begun.push(`${Key} ${UploadId}`);
      }
      const found: string[] = [];
      let from: { KeyMarker?: string; UploadIdMarker?: string } = {};
      for (let pages = 0; pages < 9; pages += 1) {
        const page = await t.s3.listMultipartUploads({ Bucket, MaxUploads: 1, ...from });
        assert.equal(page.Uploads?.length, 1);
        for (const each of page.Uploads) {
          assert.ok(each.Initiated instanceof Date);
          found.push(`${each.Key ?? ""} ${each.UploadId ?? ""}`);
        }
        if (page.IsTruncated !== true) break;
        from = { KeyMarker: page.NextKeyMarker ?? "", UploadIdMarker: page.NextUploadIdMarker ?? "" };
      }
      assert.deepEqual(
        found.map((line) => line.split(" ")[0]),
        ["a/1", "b", "b", "ä"],
      );
      assert.deepEqual(new Set(found), new Set(begun));
    },
  },
  {
    name: "lists uploads below a prefix, grouped by a delimiter",
    async run(t) {
      const Bucket = await t.bucket();
      for (const Key of ["p/a", "p/sub/1", "p/sub/2", "q"]) await begin(t, { Bucket, Key });
      const page = await t.s3.listMultipartUploads({ Bucket, Prefix: "p/", Delimiter: "/" });
      assert.deepEqual(
        page.Uploads?.map((each) => each.Key),
        ["p/a"],
      );
      assert.deepEqual(page.CommonPrefixes, [{ Prefix: "p/sub/" }]);
    },
  },
];
