import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newIdentity } from "../../src/backup/encryption.ts";
import { putObject } from "../../src/aws/s3/objects.ts";
import { putProfile } from "../support/documents.ts";
import { makeHome, type TestHome } from "../support/world.ts";
import { localPoolId } from "@mawps/local-aws/src/service.ts";
import { makeGroups, makeUsers } from "./user-pools.ts";

const bucket = "mawps-user-files-1760106396";
let home: TestHome;
let repository: string;

beforeEach(async () => {
  home = await makeHome();
  repository = join(home.folder, "repository");
  await home.look(async (aws) => {
    await putProfile(aws, "zebra-user-id", { name: "Zebra Name" });
    await putObject(aws, {
      bucket,
      key: "public/documents/zebra-user-id/zebra-key.pdf",
      body: Buffer.from("zebra document, longer than a block of any cipher would have to be"),
      metadata: { original: "zebra-original" },
      tags: { zebra: "tag" },
    });
    await makeGroups(aws, localPoolId("eu-central-1"), ["zebras"]);
    await makeUsers(aws, localPoolId("eu-central-1"), {
      "zebra@example.com": { attributes: { email: "zebra@example.com" }, groups: ["zebras"] },
    });
  });
});
afterEach(() => home.remove());

/** Every file's path and bytes as one text; what is readable in them shows. */
async function shown(): Promise<string> {
  const found = await readdir(repository, { recursive: true, withFileTypes: true });
  const paths = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = paths.map(async (path) => `${path}\n${await readFile(path, "latin1")}`);
  return (await Promise.all(texts)).join("\n");
}

const names = [/zebra/i, /mawps-user-files/, /mawps-user-profiles/, /userId/, /"Item"/, /eu-central-1/];

test("an encrypted backup shows no key, id, address, group or name of what is in it, an open one all", async () => {
  const open = join(home.folder, "open");
  expect((await home.run(["backup", "create", "--repo", open])).exitCode).toBe(0);
  const recipient = await identityToRecipient(await generateX25519Identity());
  const made = await home.run(["backup", "create", "--repo", repository, "--encrypt-to", recipient]);
  expect(made.exitCode).toBe(0);
  const text = await shown();
  for (const name of names) expect(text).not.toMatch(name);
  repository = open;
  expect(await shown()).toMatch(/zebra document/);
});

test("one that was broken off shows nothing either", async () => {
  const stopping = new AbortController();
  const env = { MAWPS_BACKUP_PASSPHRASE: "correct horse" };
  // The tables are read before the files.
  home.beforeCall = async (command, input) => {
    const { Key = "" } = input as { Key?: string };
    if (command === "GetObjectCommand" && Key.endsWith("/zebra-key.pdf")) stopping.abort();
  };
  const broken = await home.run(["backup", "create", "--repo", repository], { env, signal: stopping.signal });
  home.beforeCall = undefined;
  expect(broken.exitCode).toBe(130);
  const left = await readdir(join(repository, "pending"), { recursive: true });
  expect(left.filter((name) => name.includes("/step-table-")).length).toBeGreaterThan(0);
  const text = await shown();
  for (const name of names) expect(text).not.toMatch(name);
  // What is left of it is of use to the same command.
  const next = await home.run(["backup", "create", "--repo", repository, "--json"], { env });
  expect(JSON.parse(next.stdout)).toMatchObject({ resumed: true });
});

test.skipIf(!existsSync("/usr/bin/age"))(
  "its manifest and its RECOVERY.md open with the age of others",
  async () => {
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    await home.run(["backup", "create", "--repo", repository, "--encrypt-to", recipient]);
    const key = join(home.folder, "identity.txt");
    await writeFile(key, `${identity}\n`);
    const [id = ""] = await readdir(join(repository, "snapshots"));
    const opened = async (name: string) => {
      const path = join(repository, "snapshots", id, name);
      return (await promisify(execFile)("/usr/bin/age", ["-d", "-i", key, path])).stdout;
    };
    expect(JSON.parse(await opened("manifest.json.age"))).toMatchObject({ id });
    expect(await opened("RECOVERY.md.age")).toContain("mawps-user-profiles");
  },
);

test("a passphrase costs as much to guess as age asks for", async () => {
  expect(String((await newIdentity("correct horse")).sealed)).toMatch(/^-> scrypt \S+ 18$/m);
});
