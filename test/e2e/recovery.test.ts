import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { DeleteTableCommand, UpdateTableCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Aws } from "../../src/aws/clients.ts";
import { openWhole } from "../../src/aws/s3/stored-object.ts";
import { objectTags, putObject } from "../../src/aws/s3/objects.ts";
import { localPoolId } from "@mawps/local-aws/src/service.ts";
import { makeGroups, makeUsers, snapshotOf, stateOf } from "../backup/user-pools.ts";
import { serveHome } from "../support/served.ts";
import { putTyped, textOf } from "../support/typed-tables.ts";
import { itemsOfEveryType } from "../support/typed-items.ts";
import { makeHome, testStart, type TestHome } from "../support/world.ts";

const run = promisify(execFile);
const profiles = "mawps-user-profiles";
const files = "mawps-user-files-1760106396";
const pool = localPoolId("eu-central-1");
const key = "public/documents/u/cv/ä 1+2 'x'.pdf";
// Debian's: one from elsewhere in the PATH may be another.
const path = "/usr/bin:/bin";

let lost: TestHome;
let home: TestHome;
let folder: string;

beforeEach(async () => {
  [lost, home] = await Promise.all([makeHome(), makeHome()]);
  // The AWS CLI signs by the machine's clock.
  home.laterMs = Date.now() - testStart.getTime();
  folder = await mkdtemp(join(tmpdir(), "mawps-recovery-"));
});

afterEach(async () => {
  await Promise.all([lost.remove(), home.remove()]);
  await rm(folder, { recursive: true, force: true });
});

async function object(aws: Aws) {
  const { put, body } = await openWhole(aws, { bucket: files, key });
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  const tags = await objectTags(aws, { bucket: files, key });
  return { put, tags, text: Buffer.concat(pieces).toString() };
}

async function fill(aws: Aws): Promise<void> {
  await putObject(aws, {
    bucket: files,
    key,
    body: Buffer.from("a document"),
    contentType: "application/pdf",
    cacheControl: "no-store",
    metadata: { "original-name": "L%C3%A4.pdf", braces: '{"a":"}"}' },
    tags: { kind: "cv", "a b": "c+d=e" },
  });
  await makeGroups(aws, pool, ["admins", "early-'birds'"]);
  await makeUsers(aws, pool, {
    "anna@example.com": {
      attributes: { email: "anna@example.com", name: 'A. "}" Ä' },
      groups: ["admins", "early-'birds'"],
    },
    "o'berta@example.com": { attributes: { email: "o'berta@example.com" }, disabled: true },
  });
}

/** The commands of the page: its indented lines. */
async function commandsIn(page: string): Promise<string> {
  const text = await readFile(page, "utf8");
  const lines = text.split("\n").filter((line) => line.startsWith("    "));
  return `set -e\n${lines.map((line) => line.slice(4)).join("\n")}\n`;
}

async function shell(script: string, cwd: string, env: Record<string, string> = {}) {
  return run("/bin/sh", ["-c", script], { cwd, env: { PATH: path, HOME: folder, ...env }, maxBuffer: 1e8 });
}

/** A repository with one backup of what `lost` holds, and the folder of that backup. */
async function backupInto(name: string, ...options: readonly string[]) {
  const repository = join(folder, name);
  const made = await lost.run(["backup", "create", "--repo", repository, "--json", ...options]);
  expect(made).toMatchObject({ exitCode: 0, stderr: "" });
  const { id } = JSON.parse(made.stdout) as { id: string };
  return { id, repository, page: join(repository, "snapshots", id, "RECOVERY.md") };
}

describe.skipIf(!existsSync("/usr/bin/aws"))("with nothing but a shell and the AWS CLI", () => {
  test("an encrypted backup, after age, comes back by the commands of its RECOVERY.md, to the last byte", async () => {
    const identity = await generateX25519Identity();
    await putTyped(lost, profiles, itemsOfEveryType());
    const items = await textOf(lost, profiles);
    const state = async (aws: Aws) => ({
      document: await object(aws),
      users: await stateOf(aws, pool),
      groups: (await snapshotOf(aws, pool)).groups,
    });
    const before = await lost.look(async (aws) => {
      await fill(aws);
      return state(aws);
    });
    // From here on the trail has entries, which each of the two backups holds.
    await backupInto("earlier");
    const { repository, page } = await backupInto(
      "repository",
      "--encrypt-to",
      await identityToRecipient(identity),
    );
    await writeFile(join(repository, "identity.txt"), `${identity}\n`);
    await shell(await commandsIn(page), repository);
    const begin = join(repository, "plain");
    const commands = await commandsIn(join(begin, "RECOVERY.md"));
    // What is not encrypted comes back by the same commands, from files of the same names.
    const plain = await backupInto("plain-repository");
    const comparable = (text: string) => text.replaceAll(/data\/[0-9a-f]{2}\/[0-9a-f]{64}/g, "content");
    expect(comparable(await commandsIn(plain.page))).toBe(comparable(commands));
    const data = join(plain.repository, "data");
    const files = (await readdir(data, { recursive: true, withFileTypes: true })).filter((file) =>
      file.isFile(),
    );
    expect(files.length).toBeGreaterThan(4);
    for (const file of files) {
      const bytes = await readFile(join(file.parentPath, file.name));
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(file.name);
    }
    // A table that was lost is made by the page's own command.
    await home.look(async (aws) => {
      const dynamodb = await aws.dynamodb();
      for (const TableName of [profiles, "mawps-digital-twin", "mawps-audit-log", "mawps-migrations"]) {
        await dynamodb.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: false }));
        await dynamodb.send(new DeleteTableCommand({ TableName }));
      }
    });
    const served = await serveHome(home);
    try {
      const { accessKeyId, secretAccessKey } = await home.look(async (aws) => {
        return (await aws.s3()).config.credentials();
      });
      // Debian's CLI takes the endpoint from a flag only.
      const there = `aws() { /usr/bin/aws --endpoint-url ${served.endpoint} "$@"; }\n`;
      const { stdout } = await shell(there + commands, begin, {
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_DEFAULT_REGION: "eu-central-1",
      });
      expect(stdout).not.toContain("damaged");
    } finally {
      await served.stop();
    }
    expect(await textOf(home, profiles)).toEqual(items);
    expect(await home.look(state)).toEqual(before);
  });
});
