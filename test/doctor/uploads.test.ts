import { CreateMultipartUploadCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { uploadFindings } from "../../src/doctor/uploads.ts";
import { documentBucket } from "../support/documents.ts";
import { makeHome, testStart, type TestHome } from "../support/world.ts";

let home: TestHome;

beforeAll(async () => {
  home = await makeHome();
  await home.look(async (aws) => {
    await (
      await aws.s3()
    ).send(new CreateMultipartUploadCommand({ Bucket: documentBucket, Key: "half.bin" }));
  });
});
afterAll(() => home.remove());

it.each<[string, number, number | undefined, readonly string[]]>([
  ["within the days that the site gives them", 2, 3, []],
  ["for longer than these", 4, 3, ["1 lies open for more than 3 days"]],
  ["for longer than a week where the site says nothing", 8, undefined, ["1 lies open for more than 7 days"]],
])("an upload that lies open %s", async (_name, age, days, messages) => {
  const lifecycle = days === undefined ? [] : [{ id: "uploads", abortMultipartAfterDays: days }];
  const now = new Date(testStart.getTime() + age * 86_400_000);
  const found = await home.look((aws) => uploadFindings(aws, { name: documentBucket, lifecycle }, { now }));
  expect(found).toMatchObject(messages.map((message) => ({ status: "warning", message })));
});

it("more than are looked at are told as such", async () => {
  const now = new Date(testStart.getTime() + 8 * 86_400_000);
  const found = await home.look((aws) =>
    uploadFindings(aws, { name: documentBucket, lifecycle: [] }, { now, most: 1 }),
  );
  const message = "1 lies open for more than 7 days, of the first 1; there may be more";
  expect(found).toMatchObject([{ status: "warning", message }]);
});

it("is told by doctor", async () => {
  home.laterMs = 30 * 86_400_000;
  const { stdout } = await home.run(["doctor", "--json"]);
  expect(stdout).toMatch(new RegExp(`"check":"uploads","subject":"${documentBucket}","status":"warning"`));
});
