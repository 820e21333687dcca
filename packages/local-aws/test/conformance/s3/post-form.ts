import assert from "node:assert/strict";
import { amzDate, scope, signText } from "./signing.ts";
import { refusedRaw, tag, type Check, type Trial } from "./trial.ts";

type Condition = Record<string, string> | readonly (string | number)[];

interface Form {
  readonly bucket: string;
  readonly conditions: readonly Condition[];
  readonly fields: Readonly<Record<string, string>>;
  readonly file?: string;
  readonly fileName?: string;
  readonly expiresInMs?: number;
  /** Changes what is sent after it was signed. */
  readonly forge?: Readonly<Record<string, string>>;
}

const boundary = "----conformance-boundary-7MA4YWxkTrZu0gW";

/** Sends a browser's form with a policy signed by our own signer. */
function postForm(t: Trial, form: Form) {
  const signer = t.signer();
  const signing = {
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": `${signer.credentials.accessKeyId}/${scope(signer)}`,
    "x-amz-date": amzDate(signer.at),
  };
  const policy = {
    expiration: new Date(Date.now() + (form.expiresInMs ?? 60_000)).toISOString(),
    conditions: [{ bucket: form.bucket }, signing, ...form.conditions].flatMap((each) =>
      Array.isArray(each)
        ? [each]
        : Object.entries(each).map(([name, value]) => ({ [name]: value as string })),
    ),
  };
  const encoded = Buffer.from(JSON.stringify(policy)).toString("base64");
  const fields = {
    ...form.fields,
    ...signing,
    policy: encoded,
    "x-amz-signature": signText(signer, encoded),
    ...form.forge,
  };
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const file = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${form.fileName ?? "a.txt"}"\r\nContent-Type: text/plain\r\n\r\n${form.file ?? "content"}\r\n`;
  const body = Buffer.from(`${parts.join("")}${file}--${boundary}--\r\n`);
  return t.anonymous("POST", `/${form.bucket}`, {
    headers: {
      "content-type": `multipart/form-data; boundary=${boundary}`,
      "content-length": String(body.length),
    },
    body,
  });
}

export const postFormChecks: readonly Check[] = [
  {
    name: "stores the file of a form with a signed policy",
    async run(t) {
      const bucket = await t.bucket();
      const answer = await postForm(t, {
        bucket,
        conditions: [
          ["starts-with", "$key", "up/"],
          ["starts-with", "$Content-Type", "text/"],
          { "x-amz-meta-name": "form" },
        ],
        fields: { key: "up/größe.txt", "Content-Type": "text/csv", "x-amz-meta-name": "form" },
        file: "a;b\r\n--not the boundary\r\n",
      });
      assert.equal(answer.status, 204, answer.text);
      assert.equal(await t.read(bucket, "up/größe.txt"), "a;b\r\n--not the boundary\r\n");
      const head = await t.s3.headObject({ Bucket: bucket, Key: "up/größe.txt" });
      assert.equal(head.ContentType, "text/csv");
      assert.deepEqual(head.Metadata, { name: "form" });
      assert.equal(answer.headers["etag"], head.ETag);
    },
  },
  {
    name: "puts the file's name into the key of a form",
    async run(t) {
      const bucket = await t.bucket();
      const answer = await postForm(t, {
        bucket,
        conditions: [["starts-with", "$key", "up/"]],
        fields: { key: "up/${filename}" },
        fileName: "photo.jpg",
      });
      assert.equal(answer.status, 204, answer.text);
      assert.deepEqual(await t.keys(bucket), ["up/photo.jpg"]);
    },
  },
  {
    name: "answers a form with the status or the redirect that it asks for",
    async run(t) {
      const bucket = await t.bucket();
      const created = await postForm(t, {
        bucket,
        conditions: [{ key: "a" }, { success_action_status: "201" }],
        fields: { key: "a", success_action_status: "201" },
      });
      assert.equal(created.status, 201, created.text);
      assert.equal(tag(created.text, "Bucket"), bucket);
      assert.equal(tag(created.text, "Key"), "a");
      assert.ok(tag(created.text, "Location"));
      const redirected = await postForm(t, {
        bucket,
        conditions: [{ key: "b" }, { success_action_redirect: "https://www.example.com/done" }],
        fields: { key: "b", success_action_redirect: "https://www.example.com/done" },
      });
      assert.equal(redirected.status, 303);
      assert.match(redirected.headers["location"] ?? "", /^https:\/\/www\.example\.com\/done\?.*key=b/);
      assert.deepEqual(await t.keys(bucket), ["a", "b"]);
    },
  },
  {
    name: "refuses a form whose file is larger or smaller than the policy allows",
    async run(t) {
      const bucket = await t.bucket();
      const form = {
        bucket,
        conditions: [{ key: "a" }, ["content-length-range", 3, 5] as const],
        fields: { key: "a" },
      };
      refusedRaw(await postForm(t, { ...form, file: "123456" }), 400, "EntityTooLarge");
      refusedRaw(await postForm(t, { ...form, file: "12" }), 400, "EntityTooSmall");
      assert.deepEqual(await t.keys(bucket), []);
      assert.equal((await postForm(t, { ...form, file: "12345" })).status, 204);
      assert.equal(await t.read(bucket, "a"), "12345");
    },
  },
  {
    name: "refuses a form whose fields the policy does not allow",
    async run(t) {
      const bucket = await t.bucket();
      const conditions = [["starts-with", "$key", "up/"], { "Content-Type": "text/plain" }] as const;
      const good = { key: "up/a", "Content-Type": "text/plain" };
      const bad = [
        { ...good, key: "elsewhere/a" },
        { ...good, "Content-Type": "text/html" },
        { key: "up/a" },
        { ...good, "x-amz-meta-extra": "1" },
      ];
      for (const fields of bad) {
        refusedRaw(await postForm(t, { bucket, conditions, fields }), 403, "AccessDenied");
      }
      assert.deepEqual(await t.keys(bucket), []);
    },
  },
  {
    name: "refuses a form after the end of its policy",
    async run(t) {
      const bucket = await t.bucket();
      const answer = await postForm(t, {
        bucket,
        conditions: [{ key: "a" }],
        fields: { key: "a" },
        expiresInMs: -1000,
      });
      refusedRaw(answer, 403, "AccessDenied");
      assert.match(answer.text, /expired/i);
      assert.deepEqual(await t.keys(bucket), []);
    },
  },
  {
    name: "refuses a form whose policy or signature was forged",
    async run(t) {
      const bucket = await t.bucket();
      const form = { bucket, conditions: [{ key: "a" }], fields: { key: "a" } };
      refusedRaw(
        await postForm(t, { ...form, forge: { "x-amz-signature": "0".repeat(64) } }),
        403,
        "SignatureDoesNotMatch",
      );
      const policy = Buffer.from(
        JSON.stringify({ expiration: "2999-01-01T00:00:00Z", conditions: [] }),
      ).toString("base64");
      refusedRaw(await postForm(t, { ...form, forge: { policy } }), 403, "SignatureDoesNotMatch");
      assert.deepEqual(await t.keys(bucket), []);
    },
  },
];
