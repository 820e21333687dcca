import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { digests, md5Hex } from "./digests.ts";
import { amzDate, objectPath, signedChunks, signRequest, unsignedChunks } from "./signing.ts";
import { refusedRaw, type Check, type Trial } from "./trial.ts";

const unsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const chunks = [
  Buffer.from("first chunk, "),
  Buffer.from("1e\r\nlooks like framing\r\n0\r\n\r\n"),
  Buffer.from("end"),
];
const content = Buffer.concat(chunks);
const [crc32] = digests;

/** Sends an `aws-chunked` body without chunk signatures; `claim` overrides what the headers say of it. */
function putChunked(
  t: Trial,
  bucket: string,
  upload: { body: Buffer; trailerName?: string; claim?: number },
) {
  const trailer: Record<string, string> =
    upload.trailerName === undefined ? {} : { "x-amz-trailer": upload.trailerName };
  return t.signed({
    method: "PUT",
    bucket,
    key: "key",
    payloadHash: unsignedTrailer,
    headers: {
      "content-encoding": "aws-chunked",
      "x-amz-decoded-content-length": String(upload.claim ?? content.length),
      ...trailer,
    },
    body: upload.body,
  });
}

/** Sends a body whose chunks are signed one by one; `tamper` changes the bytes on their way. */
function putSigned(
  t: Trial,
  bucket: string,
  upload: { trailer?: string; tamper?: (body: Buffer) => Buffer },
) {
  const signer = t.signer();
  const word = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
  const named: Record<string, string> =
    upload.trailer === undefined ? {} : { "x-amz-trailer": upload.trailer.split(":")[0] ?? "" };
  const path = objectPath(bucket, "key");
  const { headers, signature } = signRequest(signer, {
    method: "PUT",
    path,
    query: {},
    headers: {
      host: new URL(t.end.endpoint).host,
      "content-encoding": "aws-chunked",
      "x-amz-decoded-content-length": String(content.length),
      "x-amz-date": amzDate(signer.at),
      ...named,
    },
    payloadHash: upload.trailer === undefined ? word : `${word}-TRAILER`,
  });
  const plain = signedChunks(signer, signature, {
    chunks,
    trailer: upload.trailer,
  });
  const body = upload.tamper?.(plain) ?? plain;
  return t.end.send({
    method: "PUT",
    path,
    headers: { ...headers, "content-length": String(body.length) },
    body,
  });
}

async function* brokenOff(): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(70_000, "x");
  await new Promise((resolve) => setTimeout(resolve, 50));
  throw new Error("the line went dead");
}

async function assertKept(t: Trial, bucket: string, keys: readonly string[]): Promise<void> {
  assert.deepEqual(await t.keys(bucket), keys);
  for (const key of keys) assert.equal(await t.read(bucket, key), "old");
}

export const bodyChecks: readonly Check[] = [
  {
    name: "stores a streamed body without its framing",
    async run(t) {
      const Bucket = await t.bucket();
      const bytes = Buffer.alloc(1_500_000, "streamed bytes\r\n");
      const pieces = [bytes.subarray(0, 1), bytes.subarray(1, 70_000), bytes.subarray(70_000)];
      const put = await t.putWith(Bucket, "key", {
        Body: Readable.from(pieces),
        ContentLength: bytes.length,
      });
      assert.equal(put.ETag, `"${md5Hex(bytes)}"`);
      const got = await t.s3.getObject({ Bucket, Key: "key" });
      assert.equal(got.ContentLength, bytes.length);
      assert.equal(got.ContentEncoding, undefined);
      assert.equal(md5Hex((await got.Body?.transformToByteArray()) ?? ""), md5Hex(bytes));
      const { Contents = [] } = await t.s3.listObjectsV2({ Bucket });
      assert.equal(Contents[0]?.Size, bytes.length);
    },
  },
  {
    name: "keeps the content encoding of a streamed body but for aws-chunked",
    async run(t) {
      const Bucket = await t.bucket();
      await t.putWith(Bucket, "key", {
        Body: Readable.from([Buffer.from("zip")]),
        ContentLength: 3,
        ContentEncoding: "gzip",
      });
      const head = await t.s3.headObject({ Bucket, Key: "key" });
      assert.equal(head.ContentEncoding, "gzip");
      assert.equal(head.ContentLength, 3);
    },
  },
  {
    name: "stores an empty streamed body",
    async run(t) {
      const Bucket = await t.bucket();
      await t.putWith(Bucket, "key", { Body: Readable.from([]), ContentLength: 0 });
      assert.equal((await t.s3.headObject({ Bucket, Key: "key" })).ContentLength, 0);
    },
  },
  ...digests.flatMap(({ algorithm, header, of }): Check[] => [
    {
      name: `keeps the ${algorithm} that trails a streamed body`,
      async run(t) {
        const bucket = await t.bucket();
        const body = unsignedChunks(chunks, [`${header}:${of(content)}`]);
        const put = await putChunked(t, bucket, { body, trailerName: header });
        assert.equal(put.status, 200);
        assert.equal(put.headers[header], of(content));
        assert.equal(await t.read(bucket, "key"), content.toString());
        const head = await t.s3.headObject({ Bucket: bucket, Key: "key", ChecksumMode: "ENABLED" });
        assert.equal(head[`Checksum${algorithm}`], of(content));
      },
    },
    {
      name: `refuses a streamed body that does not fit the ${algorithm} that trails it, and keeps the old object`,
      async run(t) {
        const bucket = await t.bucket();
        await t.put(bucket, "key", "old");
        const body = unsignedChunks(chunks, [`${header}:${of(Buffer.from("other"))}`]);
        refusedRaw(await putChunked(t, bucket, { body, trailerName: header }), 400, "BadDigest");
        await assertKept(t, bucket, ["key"]);
      },
    },
  ]),
  {
    name: "refuses a streamed body without the trailer that it announced",
    async run(t) {
      const bucket = await t.bucket();
      const trailerName = "x-amz-checksum-crc32";
      const answer = await putChunked(t, bucket, { body: unsignedChunks(chunks, []), trailerName });
      refusedRaw(answer, 400);
      await assertKept(t, bucket, []);
    },
  },
  {
    name: "refuses a streamed body that is shorter or longer than announced, and keeps the old object",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "key", "old");
      const body = unsignedChunks(chunks, [`x-amz-checksum-crc32:${crc32?.of(content) ?? ""}`]);
      const trailerName = "x-amz-checksum-crc32";
      for (const claim of [content.length + 1, content.length - 1]) {
        refusedRaw(await putChunked(t, bucket, { body, trailerName, claim }), 400);
      }
      await assertKept(t, bucket, ["key"]);
    },
  },
  {
    name: "refuses a streamed body with broken framing, and keeps the old object",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "key", "old");
      const good = unsignedChunks(chunks, [`x-amz-checksum-crc32:${crc32?.of(content) ?? ""}`]);
      const trailerName = "x-amz-checksum-crc32";
      const noSize = Buffer.concat([Buffer.from("zz\r\n"), good]);
      const cutOff = good.subarray(0, 40);
      for (const body of [noSize, cutOff])
        refusedRaw(await putChunked(t, bucket, { body, trailerName }), 400);
      await assertKept(t, bucket, ["key"]);
    },
  },
  {
    name: "stores a body whose chunks are signed",
    async run(t) {
      const bucket = await t.bucket();
      const answer = await putSigned(t, bucket, {});
      assert.equal(answer.status, 200, answer.text);
      assert.equal(await t.read(bucket, "key"), content.toString());
    },
  },
  {
    name: "stores a body whose chunks and trailer are signed",
    async run(t) {
      const bucket = await t.bucket();
      const trailer = `x-amz-checksum-crc32:${crc32?.of(content) ?? ""}`;
      const answer = await putSigned(t, bucket, { trailer });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(await t.read(bucket, "key"), content.toString());
    },
  },
  {
    name: "refuses a body with a chunk that was changed after signing, and keeps the old object",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "key", "old");
      const tamper = (body: Buffer) =>
        Buffer.from(body.toString("latin1").replace("first", "worst"), "latin1");
      refusedRaw(await putSigned(t, bucket, { tamper }), 403, "SignatureDoesNotMatch");
      await assertKept(t, bucket, ["key"]);
    },
  },
  {
    name: "keeps the old object when a body breaks off",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "key", "old");
      for (const key of ["key", "new"]) {
        const upload = t.signed({
          method: "PUT",
          bucket,
          key,
          payloadHash: "UNSIGNED-PAYLOAD",
          headers: { "content-length": "200000" },
          body: brokenOff(),
        });
        const status = await upload.then(
          (answer) => answer.status,
          () => "broken off",
        );
        assert.notEqual(status, 200);
      }
      await assertKept(t, bucket, ["key"]);
    },
  },
  {
    name: "keeps the old object when a chunked body breaks off between two chunks",
    async run(t) {
      const bucket = await t.bucket();
      await t.put(bucket, "key", "old");
      async function* half(): AsyncGenerator<Uint8Array> {
        yield Buffer.from(`11170\r\n`);
        yield* brokenOff();
      }
      const upload = t.signed({
        method: "PUT",
        bucket,
        key: "key",
        payloadHash: unsignedTrailer,
        headers: {
          "content-encoding": "aws-chunked",
          "content-length": "140100",
          "x-amz-decoded-content-length": "140000",
          "x-amz-trailer": "x-amz-checksum-crc32",
        },
        body: half(),
      });
      const status = await upload.then(
        (answer) => answer.status,
        () => "broken off",
      );
      assert.notEqual(status, 200);
      await assertKept(t, bucket, ["key"]);
    },
  },
  {
    name: "keeps the old object when the client aborts in the middle of its upload",
    async run(t) {
      const Bucket = await t.bucket();
      await t.put(Bucket, "key", "old");
      const abort = new AbortController();
      async function* slow() {
        yield Buffer.alloc(70_000, "x");
        abort.abort();
        await new Promise((resolve) => setTimeout(resolve, 50));
        yield Buffer.alloc(70_000, "x");
      }
      const upload = t.s3.putObject(
        { Bucket, Key: "key", Body: Readable.from(slow()), ContentLength: 140_000 },
        { abortSignal: abort.signal },
      );
      await assert.rejects(upload, { name: "AbortError" });
      await assertKept(t, Bucket, ["key"]);
    },
  },
];
