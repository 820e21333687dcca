import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listObjects } from "../../src/aws/listing.ts";
import { makeHome, type TestHome } from "../support/world.ts";

const userFiles = "mawps-user-files-1760106396";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

async function keysIn(bucket: string): Promise<string[]> {
  return home.look(async (aws) => {
    const keys: string[] = [];
    for await (const { objects } of listObjects(aws, { bucket })) keys.push(...objects.map(({ key }) => key));
    return keys;
  });
}

describe("the place of a repository", () => {
  it.each([
    ["", "--repo is empty"],
    [" ", "--repo is empty"],
    ["S3://my-backups/mawps", "neither a folder nor s3://bucket/prefix"],
    ["https://my-backups.s3.amazonaws.com/mawps", "neither a folder nor s3://bucket/prefix"],
    ["file:///var/backups", "neither a folder nor s3://bucket/prefix"],
    ["s3:/my-backups/mawps", "is no s3://bucket/prefix"],
    ["s3://My_Backups/mawps", "is no s3://bucket/prefix"],
    ["s3://my-backups", "names no prefix of its own"],
    ["s3://my-backups/../mawps", "names no prefix of its own"],
    ["s3://manuel-weiss-public-media/backups", "is public"],
  ])("is never %j: no command makes or reads anything there", async (repo, why) => {
    for (const argv of [["create"], ["create", "--dry-run"], ["list"], ["prune", "--keep-last", "1"]]) {
      const { exitCode, stdout, stderr } = await home.run(["backup", ...argv, "--repo", repo]);
      expect([exitCode, stdout]).toEqual([2, ""]);
      expect(stderr).toContain(why);
    }
    expect(await readdir(home.folder)).toEqual(expect.not.arrayContaining(["mawps-repository.json", "data"]));
    expect(await readdir(home.folder)).toEqual(expect.not.arrayContaining(["S3:", "https:", "file:"]));
  });

  it("is no bucket that is backed up: every backup would hold those before it", async () => {
    const repo = ["--repo", `s3://${userFiles}/backups`];
    const { exitCode, stdout, stderr } = await home.run(["backup", "create", ...repo]);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(`bucket ${userFiles} is to be backed up`);
    expect((await keysIn(userFiles)).filter((key) => key.startsWith("backups/"))).toEqual([]);
    const tables = await home.run(["backup", "create", ...repo, "--only", "tables"]);
    expect(tables.exitCode).toBe(0);
    expect((await keysIn(userFiles)).filter((key) => key.startsWith("backups/snapshots/"))).toHaveLength(2);
  });
});

describe("files with keys", () => {
  it.each(["MAWPS_BACKUP_IDENTITY_FILE", "MAWPS_BACKUP_PASSPHRASE_FILE"])(
    "a %s that is not there, or a folder, is told and no bug",
    async (variable) => {
      await mkdir(join(home.folder, "folder"));
      for (const [path, why] of [
        ["none.txt", "none.txt does not exist"],
        ["folder", "folder is a folder"],
      ] as const) {
        const env = { [variable]: path };
        const { exitCode, stderr } = await home.run(["backup", "create", "--json"], { env });
        expect(exitCode).toBe(1);
        expect(JSON.parse(stderr)).toMatchObject({ error: why });
      }
      expect(await readdir(join(home.folder, "store"))).not.toContain("backups");
    },
  );
});
