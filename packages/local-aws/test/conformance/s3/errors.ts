import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { refused, refusedRaw, tag, type Check } from "./trial.ts";

export const errorChecks: readonly Check[] = [
  {
    name: "writes an error as XML with code, message, request id and what it is about",
    async run(t) {
      const bucket = await t.bucket();
      const answer = await t.signed({ method: "GET", bucket, key: "mis<s>&ing" });
      assert.equal(answer.status, 404);
      assert.equal(answer.headers["content-type"], "application/xml");
      assert.match(answer.text, /^<\?xml version="1\.0" encoding="UTF-8"\?>\s*<Error>/);
      assert.equal(tag(answer.text, "Code"), "NoSuchKey");
      assert.equal(tag(answer.text, "Message"), "The specified key does not exist.");
      assert.match(tag(answer.text, "Key") ?? "", /^mis&lt;s(&gt;|>)&amp;ing$/);
      assert.equal(tag(answer.text, "RequestId"), answer.headers["x-amz-request-id"]);
    },
  },
  {
    name: "gives every answer a request id of its own",
    async run(t) {
      const bucket = await t.bucket();
      const one = await t.signed({ method: "GET", bucket, query: { "list-type": "2" } });
      const two = await t.signed({ method: "HEAD", bucket });
      assert.ok(one.headers["x-amz-request-id"]);
      assert.ok(two.headers["x-amz-request-id"]);
      assert.notEqual(one.headers["x-amz-request-id"], two.headers["x-amz-request-id"]);
    },
  },
  {
    name: "refuses a document of more elements or levels than any request has, also from anybody",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "key", "content");
      const documents = [
        `<Delete>${"<Object/>".repeat(150_000)}</Delete>`,
        `<Delete>${"<Object>".repeat(20_000)}${"</Object>".repeat(20_000)}</Delete>`,
      ];
      for (const body of documents) {
        const headers = { "content-md5": md5Base64(body), "content-length": String(body.length) };
        refusedRaw(await t.anonymous("POST", `/${bucket}?delete`, { headers, body }), 400, "MalformedXML");
      }
      assert.equal(await t.read(bucket, "key"), "content");
    },
  },
  {
    name: "names the missing bucket in its error",
    async run(t) {
      const bucket = t.bucketName();
      const answer = await t.signed({ method: "GET", bucket, key: "key" });
      refusedRaw(answer, 404, "NoSuchBucket");
      assert.equal(tag(answer.text, "BucketName"), bucket);
    },
  },
  {
    name: "refuses a stranger's access key",
    async run(t) {
      const Bucket = await t.bucket();
      await t.put(Bucket, "key", "content");
      const s3 = t.client({ credentials: { accessKeyId: "AKIAIOSFODNN7STRANGE", secretAccessKey: "x" } });
      await refused(s3.getObject({ Bucket, Key: "key" }), 403, "InvalidAccessKeyId");
      await refused(s3.putObject({ Bucket, Key: "key", Body: "other" }), 403, "InvalidAccessKeyId");
      await refused(s3.headBucket({ Bucket }), 403);
      assert.equal(await t.read(Bucket, "key"), "content");
    },
  },
  {
    name: "refuses a wrong secret",
    async run(t) {
      const Bucket = await t.bucket();
      await t.put(Bucket, "key", "content");
      const { accessKeyId } = t.end.credentials;
      const s3 = t.client({ credentials: { accessKeyId, secretAccessKey: "not-the-secret" } });
      await refused(s3.getObject({ Bucket, Key: "key" }), 403, "SignatureDoesNotMatch");
      await refused(s3.deleteObject({ Bucket, Key: "key" }), 403, "SignatureDoesNotMatch");
      await refused(s3.putObject({ Bucket, Key: "key", Body: "other" }), 403, "SignatureDoesNotMatch");
      assert.equal(await t.read(Bucket, "key"), "content");
    },
  },
  {
    name: "refuses a request signed more than 15 minutes ago, or ahead",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "key", "content");
      for (const minutes of [-16, 16]) {
        const at = new Date(Date.now() + minutes * 60_000);
        refusedRaw(await t.signed({ method: "DELETE", bucket, key: "key", at }), 403, "RequestTimeTooSkewed");
      }
      const at = new Date(Date.now() - 10 * 60_000);
      assert.equal((await t.signed({ method: "GET", bucket, key: "key", at })).text, "content");
    },
  },
  {
    name: "refuses a request signed for another region, and names the right one",
    async run(t) {
      const bucket = await t.bucket();
      const answer = await t.signed({ method: "GET", bucket, region: "eu-west-3" });
      refusedRaw(answer, 400, "AuthorizationHeaderMalformed");
      assert.equal(tag(answer.text, "Region"), t.end.region);
    },
  },
  {
    name: "refuses an Authorization header that is none",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "key", "content");
      for (const authorization of ["AWS4-HMAC-SHA256 nonsense", "Bearer abc"]) {
        const answer = await t.anonymous("GET", `/${bucket}/key`, { headers: { authorization } });
        assert.ok([400, 403].includes(answer.status), String(answer.status));
        assert.doesNotMatch(answer.text, /^content$/);
      }
    },
  },
  {
    name: "refuses an XML body that is malformed",
    async run(t) {
      const bucket = await t.bucket();
      for (const body of ["<Tagging><TagSet>", "no XML", "<Other/>"]) {
        const answer = await t.signed({ method: "PUT", bucket, query: { versioning: "" }, body });
        refusedRaw(answer, 400, "MalformedXML");
      }
      assert.equal((await t.s3.getBucketVersioning({ Bucket: bucket })).Status, undefined);
    },
  },
];

function md5Base64(text: string): string {
  return createHash("md5").update(text).digest("base64");
}
