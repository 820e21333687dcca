import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand, PutBucketVersioningCommand, UploadPartCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { beginUpload } from "../../../src/aws/s3/multipart.ts";
import { putObject } from "../../../src/aws/s3/objects.ts";
import { documentBucket, putProfile } from "../../support/documents.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

interface Amount {
  readonly count: number;
  readonly bytes: number;
}

interface Backups {
  readonly where: string;
  readonly isAmongFiles: boolean;
  readonly objects: Amount;
  readonly noncurrent: Amount;
  readonly unfinished: Amount;
}

const bucket = "backups-of-my-site";
let home: TestHome;

beforeAll(async () => {
  home = await makeHome();
  await home.look(async (aws) => {
    await putProfile(aws, "user-1");
    const s3 = await aws.s3();
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
    const put = (key: string, bytes: number) => putObject(aws, { bucket, key, body: Buffer.alloc(bytes) });
    await put("mawps/data/ab/abc", 1000);
    await put("mawps/snapshots/1/manifest.json", 300);
    await put("mawps/snapshots/1/manifest.json", 400);
    await put("mawps-of-another-site/data/ab/abc", 7_000_000);
    const upload = { Bucket: bucket, Key: "mawps/data/cd/cde" };
    for (const { Key } of [upload, { Key: "mawps-of-another-site/data/x" }]) {
      const { uploadId: UploadId } = await beginUpload(aws, { bucket, key: Key });
      await s3.send(
        new UploadPartCommand({ ...upload, Key, UploadId, PartNumber: 1, Body: Buffer.alloc(60) }),
      );
    }
  });
});
afterAll(() => home.remove());

const usage = ["storage", "usage", "--no-record"];

async function told(env: Record<string, string> = {}): Promise<Backups | undefined> {
  const { exitCode, stdout } = await home.run([...usage, "--json"], { env });
  expect(exitCode).toBe(0);
  return (JSON.parse(stdout) as { readonly backups?: Backups }).backups;
}

async function filesIn(folder: string): Promise<number[]> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = all.filter((entry) => entry.isFile());
  return Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size));
}

describe("backups in mawps storage usage", () => {
  it("are those in the bucket that is named, with old versions and open parts, and no other's beside them", async () => {
    const env = { MAWPS_BACKUP_REPOSITORY: `s3://${bucket}/mawps` };
    expect(await told(env)).toEqual({
      where: `s3://${bucket}/mawps/`,
      isAmongFiles: false,
      objects: { count: 2, bytes: 1400 },
      noncurrent: { count: 1, bytes: 300 },
      markers: { count: 0, bytes: 0 },
      unfinished: { count: 1, bytes: 60 },
    });
    const text = await home.run(usage, { env });
    expect(text.stdout).toContain(
      `2 files, 1.4 KB in s3://${bucket}/mawps/; 1 old version, 300 B; 1 unfinished upload, 60 B\n`,
    );
    const csv = await home.run([...usage, "--csv"], { env });
    expect(csv.stdout).toContain(`backups,s3://${bucket}/mawps/,,2,1400,1,300,0,0,1,60\r\n`);
    const cost = await home.run(["storage", "cost", "--json"], { env });
    const { lines } = JSON.parse(cost.stdout) as { readonly lines: readonly { readonly code: string }[] };
    expect(lines.filter(({ code }) => code === "backups")).toMatchObject([
      { what: "backups, STANDARD", quantity: 1760 / 1024 ** 3 },
    ]);
    const user = await home.run([...usage, "--json", "--user", "user-1"], { env });
    expect(JSON.parse(user.stdout)).not.toHaveProperty("backups");
  });

  it("are those in a folder, without what else lies in it", async () => {
    const folder = join(home.folder, "kept");
    const env = { MAWPS_BACKUP_REPOSITORY: folder };
    expect(await told(env)).toBeUndefined();
    expect((await home.run(["backup", "create"], { env })).exitCode).toBe(0);
    const sizes = await filesIn(folder);
    await writeFile(join(folder, "notes.txt"), "no backup");
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    expect(sizes.length).toBeGreaterThan(3);
    expect(await told(env)).toMatchObject({ objects: { count: sizes.length, bytes }, isAmongFiles: false });
    const cost = await home.run(["storage", "cost", "--json"], { env });
    expect(cost.stdout).not.toContain('"code":"backups"');
  });

  it("in a bucket of the site are told apart, and cost nothing twice", async () => {
    const env = { MAWPS_BACKUP_REPOSITORY: `s3://${documentBucket}/backups` };
    await home.look((aws) =>
      putObject(aws, { bucket: documentBucket, key: "backups/data/ab/abc", body: Buffer.alloc(500) }),
    );
    expect(await told(env)).toMatchObject({ isAmongFiles: true, objects: { count: 1, bytes: 500 } });
    const cost = await home.run(["storage", "cost", "--json"], { env });
    expect(cost.stdout).not.toContain('"code":"backups"');
  });

  it("in a bucket that is not there are missing", async () => {
    const env = { MAWPS_BACKUP_REPOSITORY: "s3://nowhere-at-all/mawps" };
    const { exitCode, stdout } = await home.run([...usage, "--json"], { env });
    const { missing, backups } = JSON.parse(stdout) as { missing: string[]; backups?: Backups };
    expect([exitCode, backups]).toEqual([0, undefined]);
    expect(missing).toContain("backups in s3://nowhere-at-all/mawps/");
  });
});
