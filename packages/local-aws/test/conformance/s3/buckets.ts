import assert from "node:assert/strict";
import { absent, refused, type Check } from "./trial.ts";

export const bucketChecks: readonly Check[] = [
  {
    name: "lists a new bucket with its creation date",
    async run(t) {
      const name = await t.bucket();
      const { Buckets = [] } = await t.s3.listBuckets({});
      const found = Buckets.find((bucket) => bucket.Name === name);
      assert.ok(found?.CreationDate instanceof Date);
      assert.ok(Math.abs(found.CreationDate.getTime() - Date.now()) < 600_000);
    },
  },
  {
    name: "lists the buckets of a prefix in pages",
    async run(t) {
      const stem = t.bucketName();
      const names = [`${stem}-a`, `${stem}-b`, `${stem}-c`];
      for (const name of names) await t.s3.createBucket({ Bucket: name });
      try {
        const found: string[] = [];
        let token: string | undefined;
        let pages = 0;
        do {
          const page = await t.s3.listBuckets({
            Prefix: stem,
            MaxBuckets: 1,
            ContinuationToken: token,
          });
          for (const bucket of page.Buckets ?? []) found.push(bucket.Name ?? "");
          token = page.ContinuationToken;
          pages += 1;
        } while (token !== undefined && pages < 9);
        assert.deepEqual(found, names);
        assert.ok(pages >= 3);
      } finally {
        for (const name of names) await t.s3.deleteBucket({ Bucket: name });
      }
    },
  },
  {
    name: "answers HeadBucket with the bucket's region",
    async run(t) {
      const head = await t.s3.headBucket({ Bucket: await t.bucket() });
      assert.equal(head.BucketRegion, t.end.region);
    },
  },
  {
    name: "answers HeadBucket of a missing bucket with 404",
    async run(t) {
      await refused(t.s3.headBucket({ Bucket: t.bucketName() }), 404, "NotFound");
    },
  },
  {
    name: "tells the location of a bucket",
    async run(t) {
      const { LocationConstraint } = await t.s3.getBucketLocation({ Bucket: await t.bucket() });
      assert.equal(LocationConstraint, t.end.region === "us-east-1" ? undefined : t.end.region);
    },
  },
  {
    name: "refuses to create a bucket that one owns already, and keeps its objects",
    async run(t) {
      const name = await t.bucket();
      await t.put(name, "kept", "yes");
      await refused(t.s3.createBucket({ Bucket: name }), 409, "BucketAlreadyOwnedByYou");
      assert.equal(await t.read(name, "kept"), "yes");
    },
  },
  {
    name: "refuses a bucket for another region than the endpoint's",
    async run(t) {
      const name = t.bucketName();
      const other = t.end.region === "eu-west-1" ? "eu-west-2" : "eu-west-1";
      await refused(
        t.s3.createBucket({ Bucket: name, CreateBucketConfiguration: { LocationConstraint: other } }),
        400,
        "IllegalLocationConstraintException",
      );
      await refused(t.s3.headBucket({ Bucket: name }), 404);
    },
  },
  ...[
    "ab",
    "a".repeat(64),
    "Upper-case-name",
    "under_score",
    "two..dots",
    "-hyphen-first",
    "hyphen-last-",
    "192.168.5.4",
  ].map((name): Check => ({
    name: `refuses the bucket name ${name.length > 40 ? "of 64 characters" : name}`,
    async run(t) {
      await refused(t.s3.createBucket({ Bucket: name }), 400, "InvalidBucketName");
      const { Buckets = [] } = await t.s3.listBuckets({});
      assert.ok(Buckets.every((bucket) => bucket.Name !== name));
    },
  })),
  {
    name: "refuses bucket names with a reserved prefix or suffix",
    async run(t) {
      for (const name of [
        "xn--conformance",
        "sthree-conformance",
        "conformance-s3alias",
        "conformance--ol-s3",
      ]) {
        await refused(t.s3.createBucket({ Bucket: name }), 400, "InvalidBucketName");
      }
    },
  },
  {
    name: "takes bucket names with dots, digits and hyphens",
    async run(t) {
      const name = `1.${t.bucketName()}.9`;
      await t.s3.createBucket({ Bucket: name });
      await t.put(name, "key", "content");
      assert.equal(await t.read(name, "key"), "content");
      await t.s3.deleteObject({ Bucket: name, Key: "key" });
      await t.s3.deleteBucket({ Bucket: name });
    },
  },
  {
    name: "deletes an empty bucket",
    async run(t) {
      const name = await t.bucket();
      const answer = await t.s3.deleteBucket({ Bucket: name });
      assert.equal(answer.$metadata.httpStatusCode, 204);
      await refused(t.s3.headBucket({ Bucket: name }), 404);
      const { Buckets = [] } = await t.s3.listBuckets({});
      assert.ok(Buckets.every((bucket) => bucket.Name !== name));
    },
  },
  {
    name: "starts over with a bucket that was deleted and made again",
    async run(t) {
      const name = await t.bucket();
      await t.s3.putBucketVersioning({ Bucket: name, VersioningConfiguration: { Status: "Enabled" } });
      await t.s3.putBucketTagging({ Bucket: name, Tagging: { TagSet: [{ Key: "a", Value: "b" }] } });
      await t.s3.deleteBucket({ Bucket: name });
      await t.s3.createBucket({ Bucket: name });
      assert.equal((await t.s3.getBucketVersioning({ Bucket: name })).Status, undefined);
      await refused(t.s3.getBucketTagging({ Bucket: name }), 404, "NoSuchTagSet");
    },
  },
  {
    name: "refuses to delete a bucket that holds an object",
    async run(t) {
      const name = await t.bucket();
      await t.put(name, "key", "content");
      await refused(t.s3.deleteBucket({ Bucket: name }), 409, "BucketNotEmpty");
      assert.equal(await t.read(name, "key"), "content");
    },
  },
  {
    name: "refuses to delete a bucket that holds nothing but old versions and delete markers",
    async run(t) {
      const name = await t.versionedBucket();
      await t.put(name, "key", "content");
      await t.s3.deleteObject({ Bucket: name, Key: "key" });
      await absent(t, name, "key");
      await refused(t.s3.deleteBucket({ Bucket: name }), 409, "BucketNotEmpty");
    },
  },
  {
    name: "answers every call on a missing bucket with NoSuchBucket",
    async run(t) {
      const Bucket = t.bucketName();
      const Key = "key";
      await refused(t.s3.deleteBucket({ Bucket }), 404, "NoSuchBucket");
      await refused(t.s3.putObject({ Bucket, Key, Body: "x" }), 404, "NoSuchBucket");
      await refused(t.s3.getObject({ Bucket, Key }), 404, "NoSuchBucket");
      await refused(t.s3.deleteObject({ Bucket, Key }), 404, "NoSuchBucket");
      await refused(t.s3.listObjectsV2({ Bucket }), 404, "NoSuchBucket");
      await refused(t.s3.listObjectVersions({ Bucket }), 404, "NoSuchBucket");
      await refused(t.s3.createMultipartUpload({ Bucket, Key }), 404, "NoSuchBucket");
      await refused(t.s3.getBucketVersioning({ Bucket }), 404, "NoSuchBucket");
      await refused(t.s3.getBucketPolicy({ Bucket }), 404, "NoSuchBucket");
      await refused(t.s3.getBucketLifecycleConfiguration({ Bucket }), 404, "NoSuchBucket");
    },
  },
  {
    name: "refuses a call that expects another account to own the bucket",
    async run(t) {
      const Bucket = await t.bucket();
      await t.put(Bucket, "key", "content");
      const ExpectedBucketOwner = "999999999999";
      await refused(t.s3.getObject({ Bucket, Key: "key", ExpectedBucketOwner }), 403, "AccessDenied");
      await refused(t.s3.deleteObject({ Bucket, Key: "key", ExpectedBucketOwner }), 403, "AccessDenied");
      assert.equal(await t.read(Bucket, "key"), "content");
    },
  },
];
