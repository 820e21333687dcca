import { PutBucketPolicyCommand } from "@aws-sdk/client-s3";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listObjects } from "../../../src/aws/s3/listing.ts";
import { makeHome, type TestHome, type WorldOptions } from "../../support/world.ts";

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
        expect(exitCode).toBe(2);
        expect(JSON.parse(stderr)).toMatchObject({ error: expect.stringContaining(why) as string });
      }
      expect(await readdir(join(home.folder, "store"))).not.toContain("backups");
    },
  );

  it("a passphrase that is set and empty makes no repository: it would not be encrypted", async () => {
    const env = { MAWPS_BACKUP_PASSPHRASE: "" };
    const { exitCode, stdout, stderr } = await home.run(["backup", "create"], { env });
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("MAWPS_BACKUP_PASSPHRASE is set, and empty");
    expect(await readdir(join(home.folder, "store"))).not.toContain("backups");
  });

  it("a recipient with a typo is wrong usage, and makes no repository", async () => {
    const { exitCode, stderr } = await home.run(["backup", "create", "--encrypt-to", "age1abc"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('"age1abc" is no age recipient');
    expect(await readdir(join(home.folder, "store"))).not.toContain("backups");
  });
});

describe("a passphrase", () => {
  it("with a line break in the variable, in a file and at the prompt is one secret", async () => {
    const made = await home.run(["backup", "create"], { env: { MAWPS_BACKUP_PASSPHRASE: "geheim\n" } });
    expect(made.exitCode).toBe(0);
    await writeFile(join(home.folder, "pw"), "geheim\n");
    const ways: WorldOptions[] = [
      { env: { MAWPS_BACKUP_PASSPHRASE: "geheim" } },
      { env: { MAWPS_BACKUP_PASSPHRASE_FILE: "pw" } },
      { answers: ["geheim"] },
    ];
    for (const options of ways) {
      const { exitCode, stdout } = await home.run(["backup", "verify"], options);
      expect([exitCode, stdout]).toEqual([0, expect.stringContaining("is whole")]);
    }
    const other = await home.run(["backup", "verify"], { answers: ["another"] });
    expect([other.exitCode, other.stderr]).toEqual([1, expect.stringContaining("passphrase does not open")]);
    const without = await home.run(["backup", "list"], { answers: [""] });
    expect([without.exitCode, without.stderr]).toEqual([0, expect.stringContaining("is encrypted")]);
  });

  it("refuses a repository that is not encrypted: anybody could have put it there", async () => {
    expect((await home.run(["backup", "create"])).exitCode).toBe(0);
    for (const argv of [["list"], ["verify"], ["restore"], ["create"], ["prune", "--keep-last", "1"]]) {
      const env = { MAWPS_BACKUP_PASSPHRASE: "geheim" };
      const { exitCode, stdout, stderr } = await home.run(["backup", ...argv, "--yes"], { env });
      expect([exitCode, stdout]).toEqual([1, ""]);
      expect(stderr).toContain("is not encrypted, and cannot become so");
    }
  });
});

it.each([
  ["in UTF-16", (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le"), "id.txt is in UTF-16"],
  [
    "that is itself encrypted",
    () => Buffer.from("age-encryption.org/v1\n-> scrypt ..."),
    "id.txt is itself encrypted",
  ],
])("an identity file %s is told", async (_, write, why) => {
  const identity = await generateX25519Identity();
  await home.run(["backup", "create", "--encrypt-to", await identityToRecipient(identity)]);
  await writeFile(join(home.folder, "id.txt"), write(identity));
  const env = { MAWPS_BACKUP_IDENTITY_FILE: "id.txt" };
  const { exitCode, stderr } = await home.run(["backup", "verify"], { env });
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining(why)]);
});

describe("a repository that somebody else made", () => {
  it("with a named pipe for its description is told, and not waited for", async () => {
    const repo = join(home.folder, "trap");
    await mkdir(repo);
    execFileSync("mkfifo", [join(repo, "mawps-repository.json")]);
    for (const argv of [["list"], ["create"]]) {
      const { exitCode, stderr } = await home.run(["backup", ...argv, "--repo", repo]);
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining("mawps-repository.json is no file")]);
    }
  });
});

describe("an encrypted repository without its key", () => {
  it("lists its backups, and says why it does not show what they hold", async () => {
    const recipient = await identityToRecipient(await generateX25519Identity());
    await home.run(["backup", "create", "--encrypt-to", recipient]);
    const { exitCode, stdout, stderr } = await home.run(["backup", "list"]);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/Z-[\da-f]{6} .* - +-/)]);
    expect(stderr).toContain("the repository is encrypted");
  });
});

describe("a repository that can only be read", () => {
  it.each([
    ["verify", "--all"],
    ["drill", "--json"],
  ])("still gets its answer from backup %s, and a warning that no list will know", async (verb, flag) => {
    await home.run(["backup", "create"]);
    const repository = join(home.folder, "store", "backups");
    // Nothing can be written where a file stands in the way of the folder for it.
    await writeFile(join(repository, "checks"), "");
    const { exitCode, stdout, stderr } = await home.run(["backup", verb, flag]);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/is whole|"outcome":"ok"/)]);
    expect(stderr).toContain("the outcome cannot be kept in the repository");
    expect((await stat(join(repository, "checks"))).isFile()).toBe(true);
    expect(await readdir(join(repository, "tmp"))).toEqual([]);
  });

  it("answers so from a bucket that denies writing", async () => {
    const repo = ["--repo", `s3://${userFiles}/backups`];
    await home.run(["backup", "create", ...repo, "--only", "tables"]);
    await home.look(async (aws) => {
      const s3 = await aws.s3();
      const Statement = [
        {
          Effect: "Deny",
          Principal: "*",
          Action: "s3:PutObject",
          Resource: `arn:aws:s3:::${userFiles}/backups/checks/*`,
        },
      ];
      const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
      await s3.send(new PutBucketPolicyCommand({ Bucket: userFiles, Policy }));
    });
    const { exitCode, stdout, stderr } = await home.run(["backup", "verify", "--all", ...repo]);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("is whole")]);
    expect(stderr).toContain("writing to it is denied");
  });
});
