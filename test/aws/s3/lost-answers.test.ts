import { UploadPartCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Aws } from "../../../src/aws/clients.ts";
import { deleteObjects } from "../../../src/aws/s3/deletion.ts";
import { beginUpload } from "../../../src/aws/s3/multipart.ts";
import { listUnfinishedUploads } from "../../../src/aws/s3/open-uploads.ts";
import { deleteObject, getObjectBytes, headObject, putObject } from "../../../src/aws/s3/objects.ts";
import { uploadStream } from "../../../src/aws/s3/upload.ts";
import { s3Store } from "../../../src/backup/s3-store.ts";
import type { FaultyServer } from "../../support/faulty-server.ts";
import { openLocalAws, type LocalAws } from "../../support/local-aws.ts";

/*
 * A change is done and its answer lost; the SDK sends it again, and now the condition does not hold. What stands there is the change's
 * own work, or somebody else's.
 */

let local: LocalAws;
let server: FaultyServer;
let aws: Aws;
let key = "";
let keys = 0;

beforeAll(async () => {
  local = await openLocalAws();
});
beforeEach(async () => {
  ({ server, aws } = await local.faulty());
  keys += 1;
  key = `object-${keys}`;
});
afterEach(() => server.close());
afterAll(() => local.close());

const body = Buffer.from("ours");
const name = () => ({ bucket: "plain", key });
const content = async () => (await getObjectBytes(local.aws, name())).bytes.toString();

/** The first request of the method is done, and its answer lost; `then` happens before it comes again. */
function loseAnswer(method: string, then: () => Promise<unknown> = async () => undefined): void {
  let seen = 0;
  server.fault = async (request) => {
    if (request.method !== method || request.query.has("partNumber") || request.query.has("uploads")) {
      return undefined;
    }
    seen += 1;
    if (seen === 1) return "lose the answer";
    if (seen === 2) await then();
    return undefined;
  };
}

test("an object that was to be new is there, and ours", async () => {
  loseAnswer("PUT");
  const metadata = { "sha-256": "0f" };
  const stored = await putObject(aws, { ...name(), body, metadata, ifNoneMatch: "*" });
  const head = await headObject(local.aws, name());
  expect(stored).toMatchObject({ etag: head?.etag, isCompared: true });
  expect(await content()).toBe("ours");
});

test("an object that was to take the place of another is there, and ours", async () => {
  const { etag } = await putObject(local.aws, { ...name(), body: Buffer.from("former") });
  loseAnswer("PUT");
  await putObject(aws, { ...name(), body, ifMatch: etag });
  expect(await content()).toBe("ours");
});

test.each([
  ["of other bytes", { body: Buffer.from("theirs") }],
  ["with other metadata", { body, metadata: { by: "them" } }],
])("an object %s, which took the place of ours meanwhile, is somebody else's", async (_what, theirs) => {
  loseAnswer("PUT", () => putObject(local.aws, { ...name(), ...theirs }));
  await expect(putObject(aws, { ...name(), body, ifNoneMatch: "*" })).rejects.toMatchObject({
    name: "PreconditionFailed",
  });
  expect(await content()).toBe(theirs.body.toString());
});

test("the same bytes of somebody else are not taken for ours where no answer was lost", async () => {
  await putObject(local.aws, { ...name(), body });
  await expect(putObject(aws, { ...name(), body, ifNoneMatch: "*" })).rejects.toMatchObject({
    name: "PreconditionFailed",
  });
});

test("an object of several parts is there, and ours", async () => {
  const source = [Buffer.alloc(6 * 1024 ** 2, "a"), Buffer.alloc(1024, "b")];
  loseAnswer("POST");
  const partSizeBytes = 5 * 1024 ** 2;
  const upload = { ...name(), source: streamOf(source), partSizeBytes, ifNoneMatch: "*" as const };
  const { verified } = await uploadStream(aws, upload);
  expect(verified).toBe("object");
  expect((await headObject(local.aws, name()))?.sizeBytes).toBe(6 * 1024 ** 2 + 1024);
});

test("an upload that was begun twice stays once, and one with parts is somebody else's", async () => {
  const theirs = await beginUpload(local.aws, name());
  const s3 = await local.aws.s3();
  const part = { Bucket: "plain", Key: key, UploadId: theirs.uploadId, PartNumber: 1 };
  await s3.send(new UploadPartCommand({ ...part, Body: body }));
  let begun = 0;
  server.fault = ({ method, query }) =>
    method === "POST" && query.has("uploads") && (begun += 1) === 1 ? "lose the answer" : undefined;
  const source = streamOf([Buffer.alloc(6 * 1024 ** 2, "a")]);
  await uploadStream(aws, { ...name(), source, partSizeBytes: 5 * 1024 ** 2 });
  expect(begun).toBe(2);
  const left: string[] = [];
  for await (const each of listUnfinishedUploads(local.aws, { bucket: "plain", prefix: key }))
    left.push(each.uploadId);
  expect(left).toEqual([theirs.uploadId]);
});

async function* streamOf(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

test("a file of a repository is created, not found there", async () => {
  loseAnswer("PUT");
  expect(await s3Store(aws, { bucket: "plain", prefix: "" }).create(key, body)).toBe("created");
});

test("an object is deleted that was to be deleted", async () => {
  const { etag } = await putObject(local.aws, { ...name(), body });
  loseAnswer("DELETE");
  await deleteObject(aws, { ...name(), ifMatch: etag });
  expect(await headObject(local.aws, name())).toBeUndefined();
});

test("an object that somebody put there after it was deleted stays, and is told", async () => {
  const { etag } = await putObject(local.aws, { ...name(), body });
  loseAnswer("DELETE", () => putObject(local.aws, { ...name(), body: Buffer.from("theirs") }));
  await expect(deleteObject(aws, { ...name(), ifMatch: etag })).rejects.toMatchObject({
    name: "PreconditionFailed",
  });
  expect(await content()).toBe("theirs");
});

test("objects are deleted that were to be deleted, beside one that was not as expected", async () => {
  const { etag } = await putObject(local.aws, { ...name(), body });
  const other = { bucket: "plain", key: `${key}-other` };
  await putObject(local.aws, { ...other, body });
  loseAnswer("POST");
  const doomed = [
    { key, ifMatch: etag },
    { key: other.key, ifMatch: '"0123"' },
  ];
  const { deleted, failures } = await deleteObjects(aws, "plain", doomed);
  expect([deleted, failures.map((failure) => failure.key)]).toEqual([1, [other.key]]);
  expect(await headObject(local.aws, name())).toBeUndefined();
  expect(await headObject(local.aws, other)).toBeDefined();
});
