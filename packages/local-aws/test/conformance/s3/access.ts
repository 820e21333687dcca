import assert from "node:assert/strict";
import { absent, refused, refusedRaw, type Check, type Trial } from "./trial.ts";

interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: object;
}

/** Takes the public access block away and puts a policy for everybody. */
async function putPolicy(t: Trial, bucket: string, statements: readonly Statement[]): Promise<void> {
  await t.s3.deletePublicAccessBlock({ Bucket: bucket });
  const Statement = statements.map((each) => ({ ...each, Principal: "*" }));
  await t.s3.putBucketPolicy({
    Bucket: bucket,
    Policy: JSON.stringify({ Version: "2012-10-17", Statement }),
  });
}

/** Everybody may read the objects below the prefix. */
export function allowPublicRead(t: Trial, bucket: string, prefix = ""): Promise<void> {
  const Resource = `arn:aws:s3:::${bucket}/${prefix}*`;
  return putPolicy(t, bucket, [{ Effect: "Allow", Action: "s3:GetObject", Resource }]);
}

export const accessChecks: readonly Check[] = [
  {
    name: "lets no anonymous reader into a bucket without a policy",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "key", "content");
      refusedRaw(await t.anonymous("GET", `/${bucket}/key`), 403, "AccessDenied");
      refusedRaw(await t.anonymous("GET", `/${bucket}?list-type=2`), 403, "AccessDenied");
      refusedRaw(await t.anonymous("GET", `/${bucket}?policy`), 403, "AccessDenied");
      const head = await t.anonymous("HEAD", `/${bucket}/key`);
      assert.equal(head.status, 403);
      assert.equal(head.body.length, 0);
    },
  },
  {
    name: "lets no anonymous writer in",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "key", "content");
      const put = await t.anonymous("PUT", `/${bucket}/key`, {
        body: "other",
        headers: { "content-length": "5" },
      });
      refusedRaw(put, 403, "AccessDenied");
      refusedRaw(await t.anonymous("DELETE", `/${bucket}/key`), 403, "AccessDenied");
      assert.equal(await t.read(bucket, "key"), "content");
    },
  },
  {
    name: "lets anonymous readers in where the policy does, and only there",
    async run(t) {
      const bucket = await t.bucket();
      await t.putWith(bucket, "open/größe 1.txt", { Body: "content", ContentType: "text/plain" });
      await t.put(bucket, "closed", "secret");
      await allowPublicRead(t, bucket, "open/");
      const path = `/${bucket}/open/gr%C3%B6%C3%9Fe%201.txt`;
      const got = await t.anonymous("GET", path);
      assert.equal(got.status, 200);
      assert.equal(got.text, "content");
      assert.equal(got.headers["content-type"], "text/plain");
      assert.equal((await t.anonymous("HEAD", path)).status, 200);
      refusedRaw(await t.anonymous("GET", `/${bucket}/closed`), 403, "AccessDenied");
      refusedRaw(await t.anonymous("GET", `/${bucket}?list-type=2`), 403, "AccessDenied");
      refusedRaw(await t.anonymous("DELETE", path), 403, "AccessDenied");
    },
  },
  {
    name: "hides from anonymous readers who may not list whether a key exists",
    async run(t) {
      const bucket = await t.bucket();
      await allowPublicRead(t, bucket);
      refusedRaw(await t.anonymous("GET", `/${bucket}/missing`), 403, "AccessDenied");
      await putPolicy(t, bucket, [
        { Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/*` },
        { Effect: "Allow", Action: "s3:ListBucket", Resource: `arn:aws:s3:::${bucket}` },
      ]);
      refusedRaw(await t.anonymous("GET", `/${bucket}/missing`), 404, "NoSuchKey");
    },
  },
  {
    name: "lets anonymous readers list where the policy does",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "key", "content");
      await putPolicy(t, bucket, [
        { Effect: "Allow", Action: "s3:ListBucket", Resource: `arn:aws:s3:::${bucket}` },
      ]);
      const list = await t.anonymous("GET", `/${bucket}?list-type=2`);
      assert.equal(list.status, 200);
      assert.match(list.text, /<Key>key<\/Key>/);
      refusedRaw(await t.anonymous("GET", `/${bucket}/key`), 403, "AccessDenied");
    },
  },
  {
    name: "lets a Deny win over an Allow",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "open", "content");
      await t.put(bucket, "closed/key", "secret");
      await putPolicy(t, bucket, [
        { Effect: "Allow", Action: "s3:Get*", Resource: `arn:aws:s3:::${bucket}/*` },
        { Effect: "Deny", Action: ["s3:GetObject"], Resource: [`arn:aws:s3:::${bucket}/closed/*`] },
      ]);
      assert.equal((await t.anonymous("GET", `/${bucket}/open`)).text, "content");
      refusedRaw(await t.anonymous("GET", `/${bucket}/closed/key`), 403, "AccessDenied");
    },
  },
  {
    name: "binds the owner to a Deny as well",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "kept", "content");
      await putPolicy(t, bucket, [
        { Effect: "Deny", Action: "s3:DeleteObject", Resource: `arn:aws:s3:::${bucket}/kept` },
      ]);
      await refused(t.s3.deleteObject({ Bucket: bucket, Key: "kept" }), 403, "AccessDenied");
      assert.equal(await t.read(bucket, "kept"), "content");
      await t.s3.deleteBucketPolicy({ Bucket: bucket });
      await t.s3.deleteObject({ Bucket: bucket, Key: "kept" });
      await absent(t, bucket, "kept");
    },
  },
  {
    name: "closes a public bucket again when RestrictPublicBuckets is put or the policy goes",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "key", "content");
      await allowPublicRead(t, bucket);
      assert.equal((await t.anonymous("GET", `/${bucket}/key`)).status, 200);
      await t.s3.putPublicAccessBlock({
        Bucket: bucket,
        PublicAccessBlockConfiguration: { RestrictPublicBuckets: true },
      });
      refusedRaw(await t.anonymous("GET", `/${bucket}/key`), 403, "AccessDenied");
      await t.s3.deletePublicAccessBlock({ Bucket: bucket });
      assert.equal((await t.anonymous("GET", `/${bucket}/key`)).status, 200);
      await t.s3.deleteBucketPolicy({ Bucket: bucket });
      refusedRaw(await t.anonymous("GET", `/${bucket}/key`), 403, "AccessDenied");
    },
  },
  {
    name: "refuses response-… parameters to anonymous readers",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "key", "content");
      await allowPublicRead(t, bucket);
      const answer = await t.anonymous("GET", `/${bucket}/key?response-content-type=text%2Fhtml`);
      refusedRaw(answer, 400, "InvalidRequest");
    },
  },
];
