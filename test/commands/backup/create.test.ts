import { PutBucketPolicyCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Aws } from "../../../src/aws/clients.ts";
import { putObject } from "../../../src/aws/s3/objects.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

const files = "mawps-user-files-1760106396";
const cv = "public/documents/user-1/cv/1-cv.pdf";
const letter = "public/documents/user-1/cv/2-letter.pdf";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

async function deny(aws: Aws, action: string, key: string): Promise<void> {
  const Resource = `arn:aws:s3:::${files}/${key}`;
  const Statement = [{ Effect: "Deny", Principal: "*", Action: action, Resource }];
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  await (await aws.s3()).send(new PutBucketPolicyCommand({ Bucket: files, Policy }));
}

const fill = (aws: Aws, tags?: Record<string, string>) =>
  Promise.all(
    [cv, letter].map((key) => putObject(aws, { bucket: files, key, body: Buffer.from(key), tags })),
  );

/** The audit trail's anchor lies in the bucket too. */
async function shown() {
  const { stdout } = await home.run(["backup", "show", "--json"]);
  const { buckets } = JSON.parse(stdout) as {
    buckets: { role: string; objects: number; changed: unknown }[];
  };
  return buckets.find(({ role }) => role === "userFiles");
}

test("an object that may not be read is named, is left out, and the backup counts as done in part", async () => {
  await home.look(async (aws) => {
    await fill(aws);
    await deny(aws, "s3:GetObject", cv);
  });
  const { exitCode, stdout, stderr } = await home.run(["backup", "create"]);
  expect(exitCode).toBe(3);
  expect(stdout).not.toContain("changed while being read");
  expect(stderr).toContain(`${files}/${cv}`);
  expect(await shown()).toMatchObject({ objects: 3, changed: [{ key: cv, what: "unreadable" }] });
});

test("an object in an archive is left out like one that may not be read, and the others are kept", async () => {
  await home.look(async (aws) => {
    await fill(aws);
    await putObject(aws, { bucket: files, key: cv, body: Buffer.from("cold"), storageClass: "GLACIER" });
  });
  const { exitCode, stderr } = await home.run(["backup", "create"]);
  expect([exitCode, stderr]).toEqual([3, expect.stringContaining(`${files}/${cv}`)]);
  expect(await shown()).toMatchObject({ objects: 3, changed: [{ key: cv, what: "unreadable" }] });
});

test("where tags may not be read there is no backup, instead of one without objects", async () => {
  await home.look(async (aws) => {
    await fill(aws);
    await deny(aws, "s3:GetObject*Tagging", "*");
  });
  const { exitCode, stderr } = await home.run(["backup", "create"]);
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("GetObjectTagging")]);
  expect((await home.run(["backup", "list", "--json"])).stdout).toBe("");
});
