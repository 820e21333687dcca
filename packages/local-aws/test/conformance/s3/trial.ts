import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  S3,
  type PutObjectCommandInput,
  type PutObjectCommandOutput,
  type S3ClientConfig,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import type { Account, End, RawAnswer, RawRequest } from "../ends.ts";
import { objectPath, queryString, sha256, signRequest, type Signer } from "./signing.ts";

/** One statement about S3, written from AWS's API reference. It fails by throwing. */
export interface Check {
  readonly name: string;
  run(t: Trial): Promise<void>;
}

export interface SignedRequest {
  readonly method: string;
  readonly bucket: string;
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RawRequest["body"];
  /** Default: the hash of the body. */
  readonly payloadHash?: string;
  readonly credentials?: Account;
  readonly region?: string;
  readonly at?: Date;
}

/** What a check works with: a client with the SDK's defaults, plain HTTP, and buckets that go away afterwards. */
export interface Trial {
  readonly s3: S3;
  readonly end: End;
  /** A further client of the same end. */
  client(overrides: S3ClientConfig): S3;
  /** A fresh bucket. */
  bucket(): Promise<string>;
  /** A name for a bucket that the check makes itself; removed all the same. */
  bucketName(): string;
  /** A fresh bucket with versioning on. */
  versionedBucket(): Promise<string>;
  put(bucket: string, key: string, body: string | Uint8Array): Promise<void>;
  putWith(bucket: string, key: string, more: Partial<PutObjectCommandInput>): Promise<PutObjectCommandOutput>;
  /** The object's bytes as text. */
  read(bucket: string, key: string, versionId?: string): Promise<string>;
  /** All keys of the bucket (at most 1,000), in the order of the listing. */
  keys(bucket: string): Promise<string[]>;
  /** A request with a signature of our own in the header. */
  signed(request: SignedRequest): Promise<RawAnswer>;
  /** A request without any signature. */
  anonymous(method: string, path: string, more?: Omit<RawRequest, "method" | "path">): Promise<RawAnswer>;
  /** What a link gives: a presigned URL of this end. */
  open(url: string, more?: Partial<Omit<RawRequest, "path">>): Promise<RawAnswer>;
  signer(): Signer;
}

/** Runs one check on an end, in buckets of its own which are removed afterwards, whatever the outcome. */
export async function runCheck(check: Check, end: End): Promise<void> {
  const { trial, cleanUp } = makeTrial(end);
  try {
    await check.run(trial);
  } finally {
    await cleanUp();
  }
}

function makeTrial(end: End): { trial: Trial; cleanUp: () => Promise<void> } {
  const clients: S3[] = [];
  const buckets: string[] = [];

  function client(overrides: S3ClientConfig): S3 {
    const made = new S3({
      endpoint: end.endpoint,
      region: end.region,
      credentials: end.credentials,
      forcePathStyle: true,
      // The SDK types its handler by its own classes; an in-process end speaks the same shapes.
      ...(end.requestHandler === undefined ? {} : { requestHandler: end.requestHandler as never }),
      ...overrides,
    });
    clients.push(made);
    return made;
  }

  const s3 = client({});
  const signer = (): Signer => ({ credentials: end.credentials, region: end.region, at: new Date() });
  const { host } = new URL(end.endpoint);

  const trial: Trial = {
    s3,
    end,
    client,
    signer,
    bucketName() {
      const name = `conformance-${randomBytes(8).toString("hex")}`;
      buckets.push(name);
      return name;
    },
    async bucket() {
      const name = trial.bucketName();
      await s3.createBucket({ Bucket: name });
      return name;
    },
    async versionedBucket() {
      const name = await trial.bucket();
      await s3.putBucketVersioning({ Bucket: name, VersioningConfiguration: { Status: "Enabled" } });
      return name;
    },
    async put(bucket, key, body) {
      await s3.putObject({ Bucket: bucket, Key: key, Body: body });
    },
    putWith: (bucket, key, more) => s3.putObject({ Bucket: bucket, Key: key, Body: "", ...more }),
    async read(bucket, key, versionId) {
      const version = versionId === undefined ? {} : { VersionId: versionId };
      const { Body } = await s3.getObject({ Bucket: bucket, Key: key, ...version });
      return (await Body?.transformToString()) ?? "";
    },
    async keys(bucket) {
      const { Contents = [] } = await s3.listObjectsV2({ Bucket: bucket });
      return Contents.map((entry) => entry.Key ?? "");
    },
    signed(request) {
      const query = request.query ?? {};
      const path = objectPath(request.bucket, request.key);
      const { body } = request;
      const bytes =
        body === undefined || typeof body === "string" || body instanceof Uint8Array ? (body ?? "") : "";
      const length: Record<string, string> =
        bytes.length === 0 ? {} : { "content-length": String(Buffer.byteLength(bytes)) };
      const { headers } = signRequest(
        {
          credentials: request.credentials ?? end.credentials,
          region: request.region ?? end.region,
          at: request.at ?? new Date(),
        },
        {
          method: request.method,
          path,
          query,
          headers: { host, ...request.headers },
          payloadHash: request.payloadHash ?? sha256(bytes),
        },
      );
      const suffix = Object.keys(query).length === 0 ? "" : `?${queryString(query)}`;
      return end.send({
        method: request.method,
        path: path + suffix,
        headers: { ...length, ...headers },
        ...(body === undefined ? {} : { body }),
      });
    },
    anonymous: (method, path, more = {}) =>
      end.send({ method, path, ...more, headers: { host, ...more.headers } }),
    open(url, more = {}) {
      assert.ok(url.startsWith(end.endpoint), "the link leads to this end");
      return trial.anonymous(more.method ?? "GET", url.slice(end.endpoint.length), more);
    },
  };

  async function cleanUp() {
    for (const bucket of buckets) await removeBucket(s3, bucket);
    for (const made of clients) made.destroy();
  }

  return { trial, cleanUp };
}

/** Best effort: a server that fails here is found out by the check about the very call, not by all of them. */
async function removeBucket(s3: S3, bucket: string): Promise<void> {
  try {
    await s3.deleteBucketPolicy({ Bucket: bucket });
    const { Uploads = [] } = await s3.listMultipartUploads({ Bucket: bucket, EncodingType: "url" });
    for (const upload of Uploads) {
      await s3.abortMultipartUpload({ Bucket: bucket, Key: plain(upload.Key), UploadId: upload.UploadId });
    }
    for (;;) {
      const page = await s3.listObjectVersions({ Bucket: bucket, EncodingType: "url" });
      const found = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(({ Key, VersionId }) => ({
        Key: plain(Key),
        VersionId,
      }));
      // One by one where they are few: a batch is XML, which cannot name control characters.
      if (found.length > 30)
        await s3.deleteObjects({ Bucket: bucket, Delete: { Objects: found, Quiet: true } });
      else for (const version of found) await s3.deleteObject({ Bucket: bucket, ...version });
      if (page.IsTruncated !== true) break;
    }
    await s3.deleteBucket({ Bucket: bucket });
  } catch (error) {
    // URIError: a server that does not encode what it lists.
    if (!(error instanceof S3ServiceException || error instanceof URIError)) throw error;
  }
}

/** A key of a listing with `encoding-type=url`. */
function plain(key: string | undefined): string {
  return decodeURIComponent((key ?? "").replaceAll("+", " "));
}

/** The call is refused with this status and, where given, one of these codes. Gives the error for more. */
export async function refused(
  call: Promise<unknown>,
  status: number,
  ...codes: readonly string[]
): Promise<S3ServiceException> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error !== undefined, `refused with ${String(status)} ${codes.join(" or ")}, but it succeeded`);
  if (!(error instanceof S3ServiceException)) throw error;
  const got = `${String(error.$metadata.httpStatusCode)} ${error.name}`;
  assert.equal(
    error.$metadata.httpStatusCode,
    status,
    `expected ${String(status)} ${codes.join(" or ")}, got ${got}`,
  );
  if (codes.length > 0) assert.ok(codes.includes(error.name), `expected ${codes.join(" or ")}, got ${got}`);
  return error;
}

/** The answer is an error document with this status and one of these codes. */
export function refusedRaw(answer: RawAnswer, status: number, ...codes: readonly string[]): void {
  const code = tag(answer.text, "Code") ?? "no code";
  assert.equal(
    answer.status,
    status,
    `expected ${String(status)} ${codes.join(" or ")}, got ${String(answer.status)} ${code}`,
  );
  if (codes.length > 0) assert.ok(codes.includes(code), `expected ${codes.join(" or ")}, got ${code}`);
}

/** No object stands at the key. */
export async function absent(t: Trial, bucket: string, key: string): Promise<void> {
  await refused(t.s3.getObject({ Bucket: bucket, Key: key }), 404, "NoSuchKey");
}

/** The text of the first element of that name in an XML document. */
export function tag(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}(?: [^>]*)?>([^<]*)</${name}>`).exec(xml)?.[1];
}
