import {
  DeleteBucketCommand,
  DeleteBucketCorsCommand,
  DeleteObjectsCommand,
  GetBucketCorsCommand,
  GetPublicAccessBlockCommand,
  ListObjectsV2Command,
  PutBucketCorsCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from "vitest";
import type { Aws } from "../../src/aws/clients.ts";
import { forgeBackup } from "../support/forged-backup.ts";
import { profileImages, userFiles } from "./objects.ts";
import { makeLiveSite, type LiveSite } from "./world.ts";

let built: LiveSite;
let site: LiveSite;

beforeAll(async () => {
  built = await makeLiveSite();
  const { exitCode, stderr } = await built.run(["backup", "create", "--with-secrets"]);
  if (exitCode !== 0) throw new Error(stderr);
});
afterAll(() => built.remove());
beforeEach(async () => {
  site = await built.copy();
});
afterEach(() => site.remove());

/** Keys and ETags, and what browsers may do. */
async function stateOf(aws: Aws, Bucket: string) {
  const s3 = await aws.s3();
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  const { CORSRules } = await s3.send(new GetBucketCorsCommand({ Bucket }));
  return { objects: Contents.map(({ Key, ETag }) => ({ Key, ETag })), CORSRules };
}

async function empty(aws: Aws, Bucket: string): Promise<void> {
  const s3 = await aws.s3();
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  const Objects = Contents.map(({ Key }) => ({ Key }));
  await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
}

describe("the bucket of the website's uploads of today", () => {
  test("comes back whole when it is lost, with its CORS, closed, and the loss of what was open is told", async () => {
    const before = await site.look((aws) => stateOf(aws, profileImages));
    expect(before.objects.length).toBeGreaterThan(3);
    await site.look(async (aws) => {
      await empty(aws, profileImages);
      await (await aws.s3()).send(new DeleteBucketCommand({ Bucket: profileImages }));
    });
    const planned = await site.run(["backup", "restore", "--dry-run"]);
    expect(planned.stdout).toContain(`${profileImages} gets its CORS rules back`);
    expect(planned.stdout).toContain(`what the website had opened of ${profileImages} to the public`);
    const { exitCode, stdout } = await site.run(["backup", "restore", "--yes", "--json"]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      made: [profileImages],
      written: { objects: before.objects.length },
    });
    expect(await site.look((aws) => stateOf(aws, profileImages))).toEqual(before);
    const { PublicAccessBlockConfiguration } = await site.look(async (aws) =>
      (await aws.s3()).send(new GetPublicAccessBlockCommand({ Bucket: profileImages })),
    );
    expect(PublicAccessBlockConfiguration).toMatchObject({ BlockPublicPolicy: true, IgnorePublicAcls: true });
    const again = await site.run(["backup", "restore", "--yes", "--json"]);
    expect(JSON.parse(again.stdout)).toMatchObject({ made: [], written: { items: 0, objects: 0 } });
  });

  test("and the pages of the backup and its drill know it", async () => {
    const shown = await site.run(["backup", "show", "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      buckets: expect.arrayContaining([expect.objectContaining({ name: profileImages, objects: 6 })]),
    });
    expect(await site.run(["backup", "verify", "--all"])).toMatchObject({ exitCode: 0 });
    const { stdout } = await site.run(["backup", "drill", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ faults: [] });
  });

  test("is left to the website by setup, doctor and retention", async () => {
    const before = await site.picture();
    const outcomes = [await site.run(["setup", "--yes"]), await site.run(["retention", "run", "--yes"])];
    const doctor = await site.run(["doctor", "--json"]);
    expect(outcomes.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    for (const { stdout } of [...outcomes, doctor]) expect(stdout).not.toContain(`"${profileImages}"`);
    expect((await site.changedSince(before)).filter((line) => line.includes(profileImages))).toEqual([]);
  });
});

test("a restore beside the site changes nothing of it, and makes the bucket of the uploads beside, too", async () => {
  const before = await site.picture();
  const { exitCode, stdout } = await site.run([
    "backup",
    "restore",
    "--into-prefix",
    "t-",
    "--yes",
    "--json",
  ]);
  expect(exitCode).toBe(0);
  expect((JSON.parse(stdout) as { made: string[] }).made).toContain(`t-${profileImages}`);
  const changed = await site.changedSince(before);
  expect(changed.filter((line) => !/ t-/.test(line))).toEqual([]);
  const beside = await site.look((aws) => stateOf(aws, `t-${profileImages}`));
  expect(beside).toEqual(await site.look((aws) => stateOf(aws, profileImages)));
});

describe("CORS rules", () => {
  const others = [{ AllowedOrigins: ["https://other.example"], AllowedMethods: ["GET"] }];

  test("come back where there are none, and others stay and are told", async () => {
    const before = await site.look((aws) => stateOf(aws, userFiles));
    await site.look(async (aws) => {
      const s3 = await aws.s3();
      await s3.send(new DeleteBucketCorsCommand({ Bucket: userFiles }));
      await s3.send(
        new PutBucketCorsCommand({ Bucket: profileImages, CORSConfiguration: { CORSRules: others } }),
      );
    });
    const { exitCode, stdout } = await site.run(["backup", "restore", "--dry-run"]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`${userFiles} gets its CORS rules back`);
    expect(stdout).toContain(`${profileImages} has other CORS rules than the backup; they stay as they are`);
    expect((await site.run(["backup", "restore", "--yes"])).exitCode).toBe(0);
    const rules = (bucket: string) => site.look(async (aws) => (await stateOf(aws, bucket)).CORSRules);
    expect(await rules(userFiles)).toEqual(before.CORSRules);
    expect(await rules(profileImages)).toEqual(others);
  });

  test("are told of by the page that needs no mawps", async () => {
    const { readdir, readFile } = await import("node:fs/promises");
    const folder = `${site.home.folder}/store/backups/snapshots`;
    const [id = ""] = await readdir(folder);
    const text = await readFile(`${folder}/${id}/RECOVERY.md`, "utf8");
    expect(text).toMatch(
      new RegExp(`aws s3api put-bucket-cors --bucket ${userFiles} --cors-configuration '\\{"CORSRules":`),
    );
  });

  test("and buckets that an older backup does not have are left alone by its restore and drill", async () => {
    await forgeBackup(site.home, "20260301T130000Z-0a1b2c", (newest) => ({
      ...newest,
      buckets: newest.buckets
        .filter(({ name }) => name !== profileImages)
        .map(({ cors: _cors, ...bucket }) => bucket),
    }));
    site.home.laterMs = 2 * 3_600_000;
    await site.look(async (aws) => {
      const s3 = await aws.s3();
      await s3.send(new DeleteBucketCorsCommand({ Bucket: userFiles }));
      await empty(aws, profileImages);
    });
    const older = "20260301T130000Z-0a1b2c";
    const { exitCode, stdout, stderr } = await site.run(["backup", "restore", older, "--yes", "--json"]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toMatchObject({ written: { items: 0, objects: 0 } });
    const drilled = await site.run(["backup", "drill", older, "--json"]);
    expect(JSON.parse(drilled.stdout)).toMatchObject({ faults: [] });
  });
});
