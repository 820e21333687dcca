import assert from "node:assert/strict";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { absent, refusedRaw, type Check, type Trial } from "./trial.ts";

/** A bucket with "key", and a link to read it. */
async function readLink(t: Trial, options: Parameters<typeof getSignedUrl>[2] = {}) {
  const Bucket = await t.bucket();
  await t.put(Bucket, "key", "content");
  return { Bucket, link: await getSignedUrl(t.s3, new GetObjectCommand({ Bucket, Key: "key" }), options) };
}

/** Without the checksum of an empty body that the SDK's defaults would sign into the link. */
function putLink(t: Trial, input: ConstructorParameters<typeof PutObjectCommand>[0], signed: string[] = []) {
  const s3 = t.client({ requestChecksumCalculation: "WHEN_REQUIRED" });
  return getSignedUrl(s3, new PutObjectCommand(input), { signableHeaders: new Set(["host", ...signed]) });
}

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);

export const presignedChecks: readonly Check[] = [
  {
    name: "gives an object to whoever has the link",
    async run(t) {
      const { link } = await readLink(t);
      const answer = await t.open(link);
      assert.equal(answer.status, 200);
      assert.equal(answer.text, "content");
    },
  },
  {
    name: "gives a range of an object to whoever has the link",
    async run(t) {
      const { link } = await readLink(t);
      const answer = await t.open(link, { headers: { range: "bytes=2-3" } });
      assert.equal(answer.status, 206);
      assert.equal(answer.text, "nt");
    },
  },
  {
    name: "stores what is sent to a link for an upload",
    async run(t) {
      const Bucket = await t.bucket();
      const link = await putLink(t, { Bucket, Key: "größe 1+1.txt" });
      const answer = await t.open(link, {
        method: "PUT",
        body: "uploaded",
        headers: { "content-type": "text/plain", "content-length": "8" },
      });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(await t.read(Bucket, "größe 1+1.txt"), "uploaded");
      const head = await t.s3.headObject({ Bucket, Key: "größe 1+1.txt" });
      assert.equal(head.ContentType, "text/plain");
    },
  },
  {
    name: "takes metadata that stands in the query of an upload link",
    async run(t) {
      const Bucket = await t.bucket();
      const link = await putLink(t, { Bucket, Key: "key", Metadata: { name: "from-the-link" } });
      const answer = await t.open(link, { method: "PUT", body: "x", headers: { "content-length": "1" } });
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual((await t.s3.headObject({ Bucket, Key: "key" })).Metadata, { name: "from-the-link" });
    },
  },
  {
    name: "refuses an upload whose content type is not the one that was signed",
    async run(t) {
      const Bucket = await t.bucket();
      const link = await putLink(t, { Bucket, Key: "key", ContentType: "image/jpeg" }, ["content-type"]);
      const send = (type: string) =>
        t.open(link, { method: "PUT", body: "x", headers: { "content-type": type, "content-length": "1" } });
      refusedRaw(await send("text/html"), 403, "SignatureDoesNotMatch");
      assert.deepEqual(await t.keys(Bucket), []);
      assert.equal((await send("image/jpeg")).status, 200);
    },
  },
  {
    name: "answers HEAD and DELETE by links of their own",
    async run(t) {
      const { Bucket } = await readLink(t);
      const head = await t.open(await getSignedUrl(t.s3, new HeadObjectCommand({ Bucket, Key: "key" })), {
        method: "HEAD",
      });
      assert.equal(head.status, 200);
      assert.equal(head.headers["content-length"], "7");
      assert.equal(head.body.length, 0);
      const gone = await t.open(await getSignedUrl(t.s3, new DeleteObjectCommand({ Bucket, Key: "key" })), {
        method: "DELETE",
      });
      assert.equal(gone.status, 204);
      await absent(t, Bucket, "key");
    },
  },
  {
    name: "names the download as the link says, umlauts and all",
    async run(t) {
      const { Bucket } = await readLink(t);
      const disposition = `attachment; filename="Lebenslauf.pdf"; filename*=UTF-8''L%C3%A4bensl%C3%A4ufe%20%2B.pdf`;
      const link = await getSignedUrl(
        t.s3,
        new GetObjectCommand({
          Bucket,
          Key: "key",
          ResponseContentDisposition: disposition,
          ResponseContentType: "application/pdf",
        }),
      );
      const answer = await t.open(link);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers["content-disposition"], disposition);
      assert.equal(answer.headers["content-type"], "application/pdf");
    },
  },
  {
    name: "refuses a link with a changed signature",
    async run(t) {
      const { link } = await readLink(t);
      const changed = link.replace(
        /(X-Amz-Signature=)(.)/,
        (_, name: string, digit: string) => name + (digit === "0" ? "1" : "0"),
      );
      assert.notEqual(changed, link);
      const answer = await t.open(changed);
      refusedRaw(answer, 403, "SignatureDoesNotMatch");
      assert.doesNotMatch(answer.text, /content</);
    },
  },
  {
    name: "refuses a link whose key, method or parameters were changed",
    async run(t) {
      const { Bucket, link } = await readLink(t);
      await t.put(Bucket, "kez", "secret");
      const changes: [string, string][] = [
        [link.replace("/key?", "/kez?"), "GET"],
        [link, "DELETE"],
        [link, "PUT"],
        [link.replace("X-Amz-Expires=900", "X-Amz-Expires=901"), "GET"],
        [`${link}&response-content-type=text%2Fhtml`, "GET"],
        [`${link}&versionId=null`, "GET"],
      ];
      for (const [changed, method] of changes) {
        refusedRaw(await t.open(changed, { method }), 403, "SignatureDoesNotMatch");
      }
      assert.equal(await t.read(Bucket, "key"), "content");
    },
  },
  {
    name: "refuses a link after its end",
    async run(t) {
      const { link } = await readLink(t, { expiresIn: 60, signingDate: minutesAgo(2) });
      const answer = await t.open(link);
      refusedRaw(answer, 403, "AccessDenied");
      assert.match(answer.text, /Request has expired/);
    },
  },
  {
    name: "takes an older link until its end",
    async run(t) {
      const { link } = await readLink(t, { expiresIn: 7 * 24 * 3600, signingDate: minutesAgo(60 * 24) });
      assert.equal((await t.open(link)).text, "content");
    },
  },
  {
    name: "refuses a link that is not valid yet",
    async run(t) {
      const { link } = await readLink(t, { signingDate: minutesAgo(-60) });
      const answer = await t.open(link);
      refusedRaw(answer, 403, "AccessDenied");
      assert.match(answer.text, /not yet valid/);
    },
  },
  {
    name: "refuses a link for longer than a week",
    async run(t) {
      const { link } = await readLink(t);
      const week = 7 * 24 * 3600;
      const longer = link.replace("X-Amz-Expires=900", `X-Amz-Expires=${String(week + 1)}`);
      refusedRaw(await t.open(longer), 400, "AuthorizationQueryParametersError");
    },
  },
  {
    name: "refuses a link without all of its parameters",
    async run(t) {
      const { link } = await readLink(t);
      for (const name of ["X-Amz-Expires", "X-Amz-Date", "X-Amz-SignedHeaders"]) {
        const without = link.replace(new RegExp(`&${name}=[^&]*`), "");
        assert.notEqual(without, link);
        refusedRaw(await t.open(without), 400, "AuthorizationQueryParametersError");
      }
    },
  },
  {
    name: "refuses a link of a stranger, or made with a wrong secret",
    async run(t) {
      const { Bucket } = await readLink(t);
      const command = new GetObjectCommand({ Bucket, Key: "key" });
      const stranger = t.client({
        credentials: { accessKeyId: "AKIAIOSFODNN7STRANGE", secretAccessKey: "x" },
      });
      refusedRaw(await t.open(await getSignedUrl(stranger, command)), 403, "InvalidAccessKeyId");
      const { accessKeyId } = t.end.credentials;
      const wrong = t.client({ credentials: { accessKeyId, secretAccessKey: "not-the-secret" } });
      refusedRaw(await t.open(await getSignedUrl(wrong, command)), 403, "SignatureDoesNotMatch");
    },
  },
];
