import assert from "node:assert/strict";
import { allowPublicRead } from "./access.ts";
import { refused, refusedRaw, type Check, type Trial } from "./trial.ts";

const rules = [
  {
    AllowedOrigins: ["https://www.example.com", "https://*.example.org"],
    AllowedMethods: ["GET", "PUT"],
    AllowedHeaders: ["content-type", "x-amz-*"],
    ExposeHeaders: ["ETag", "x-amz-version-id"],
    MaxAgeSeconds: 600,
  },
  { AllowedOrigins: ["*"], AllowedMethods: ["HEAD"] },
];

async function corsBucket(t: Trial): Promise<string> {
  const Bucket = await t.bucket();
  await t.s3.putBucketCors({ Bucket, CORSConfiguration: { CORSRules: rules } });
  return Bucket;
}

function preflight(t: Trial, bucket: string, headers: Record<string, string>) {
  return t.anonymous("OPTIONS", `/${bucket}/key`, { headers });
}

export const corsChecks: readonly Check[] = [
  {
    name: "keeps a CORS configuration, until it is deleted",
    async run(t) {
      const Bucket = await t.bucket();
      await refused(t.s3.getBucketCors({ Bucket }), 404, "NoSuchCORSConfiguration");
      await t.s3.putBucketCors({ Bucket, CORSConfiguration: { CORSRules: rules } });
      assert.deepEqual((await t.s3.getBucketCors({ Bucket })).CORSRules, rules);
      await t.s3.deleteBucketCors({ Bucket });
      await refused(t.s3.getBucketCors({ Bucket }), 404, "NoSuchCORSConfiguration");
    },
  },
  {
    name: "refuses a CORS rule with a method that cannot be allowed",
    async run(t) {
      const Bucket = await t.bucket();
      const CORSRules = [{ AllowedOrigins: ["*"], AllowedMethods: ["PATCH"] }];
      await refused(t.s3.putBucketCors({ Bucket, CORSConfiguration: { CORSRules } }), 400, "InvalidRequest");
      await refused(t.s3.getBucketCors({ Bucket }), 404, "NoSuchCORSConfiguration");
    },
  },
  {
    name: "answers a preflight of an allowed origin, method and headers",
    async run(t) {
      const answer = await preflight(t, await corsBucket(t), {
        origin: "https://www.example.com",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "content-type, x-amz-meta-name",
      });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers["access-control-allow-origin"], "https://www.example.com");
      assert.match(answer.headers["access-control-allow-methods"] ?? "", /PUT/);
      assert.match(answer.headers["access-control-allow-headers"] ?? "", /content-type/i);
      assert.match(answer.headers["access-control-allow-headers"] ?? "", /x-amz-meta-name/i);
      assert.equal(answer.headers["access-control-max-age"], "600");
      assert.match(answer.headers["vary"] ?? "", /origin/i);
    },
  },
  {
    name: "matches a CORS origin with a wildcard in its host",
    async run(t) {
      const bucket = await corsBucket(t);
      const ask = { "access-control-request-method": "GET" };
      const allowed = await preflight(t, bucket, { ...ask, origin: "https://shop.example.org" });
      assert.equal(allowed.status, 200);
      assert.equal(allowed.headers["access-control-allow-origin"], "https://shop.example.org");
      const other = await preflight(t, bucket, { ...ask, origin: "http://shop.example.org" });
      refusedRaw(other, 403, "AccessForbidden");
    },
  },
  {
    name: "refuses a preflight of a foreign origin, method or header",
    async run(t) {
      const bucket = await corsBucket(t);
      const origin = "https://www.example.com";
      const cases: Record<string, string>[] = [
        { origin: "https://www.example.net", "access-control-request-method": "GET" },
        { origin, "access-control-request-method": "DELETE" },
        { origin, "access-control-request-method": "PUT", "access-control-request-headers": "x-other" },
      ];
      for (const headers of cases) {
        const answer = await preflight(t, bucket, headers);
        refusedRaw(answer, 403, "AccessForbidden");
        assert.equal(answer.headers["access-control-allow-origin"], undefined);
      }
    },
  },
  {
    name: "refuses every preflight of a bucket without CORS",
    async run(t) {
      const answer = await preflight(t, await t.bucket(), {
        origin: "https://www.example.com",
        "access-control-request-method": "GET",
      });
      refusedRaw(answer, 403, "AccessForbidden");
    },
  },
  {
    name: "adds CORS headers to the answer of an allowed origin only",
    async run(t) {
      const bucket = await corsBucket(t);
      await t.put(bucket, "key", "content");
      await allowPublicRead(t, bucket);
      const allowed = await t.anonymous("GET", `/${bucket}/key`, {
        headers: { origin: "https://www.example.com" },
      });
      assert.equal(allowed.text, "content");
      assert.equal(allowed.headers["access-control-allow-origin"], "https://www.example.com");
      assert.match(allowed.headers["access-control-expose-headers"] ?? "", /etag/i);
      const foreign = await t.anonymous("GET", `/${bucket}/key`, {
        headers: { origin: "https://www.example.net" },
      });
      assert.equal(foreign.text, "content");
      assert.equal(foreign.headers["access-control-allow-origin"], undefined);
      const plain = await t.anonymous("GET", `/${bucket}/key`);
      assert.equal(plain.headers["access-control-allow-origin"], undefined);
    },
  },
];
