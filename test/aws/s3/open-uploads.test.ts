import { afterAll, beforeAll, expect, test } from "vitest";
import { beginUpload } from "../../../src/aws/s3/multipart.ts";
import { listUnfinishedUploads, removeUnfinishedUploads } from "../../../src/aws/s3/open-uploads.ts";
import { openLocalAws, type LocalAws } from "../../support/local-aws.ts";

const bucket = "plain";
const keys = ["open/a\u{1}b + c%20.pdf", "open/plain.pdf", "open/Ünïcode 😀.pdf"];

let local: LocalAws;

beforeAll(async () => {
  local = await openLocalAws();
  for (const key of keys) await beginUpload(local.aws, { bucket, key });
});

afterAll(() => local.close());

async function listed(): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of listUnfinishedUploads(local.aws, { bucket, prefix: "open/" })) found.push(key);
  return found;
}

test("keys with control characters, blanks and emoji are named as they are, and can be removed by that name", async () => {
  expect(await listed()).toEqual(keys);
  for (const key of keys) expect(await removeUnfinishedUploads(local.aws, { bucket, key })).toBe(1);
  expect(await listed()).toEqual([]);
});
