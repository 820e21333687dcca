import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { AuditEntry } from "../../../src/model/audit.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import {
  deleteObject,
  getObjectBytes,
  objectTags,
  putObject,
  setObjectTags,
} from "../../../src/aws/s3/objects.ts";
import { headWhole } from "../../../src/aws/s3/stored-object.ts";
import { ledgerEntry, writeErasure } from "../../../src/backup/erasures.ts";
import { makeHome, type TestHome } from "../../support/world.ts";
import { itemsOfEveryType } from "../../support/typed-items.ts";
import { putTyped, removeUsers, textOf } from "../../support/typed-tables.ts";

const profiles = "mawps-user-profiles";
const files = "mawps-user-files-1760106396";
const documentKey = "public/documents/user-1/cv/1734384121711-0a1b2c3d.pdf";

let home: TestHome;

const put = (table: string, items: readonly JsonObject[]) => putTyped(home, table, items);
const remove = (table: string, ...userIds: string[]) => removeUsers(home, table, userIds);

const user = (userId: string, more: JsonObject = {}): JsonObject => ({
  userId: { S: userId },
  type: { S: "user-profile" },
  updatedAt: { S: "2026-01-01T00:00:00.000Z" },
  ...more,
});

async function run(...argv: string[]) {
  const { exitCode, stdout, stderr } = await home.run(["backup", ...argv, "--json", "--yes"]);
  return {
    exitCode,
    stderr,
    result: stdout === "" ? undefined : (JSON.parse(stdout) as Record<string, never>),
  };
}

const tableIn = (result: unknown, name: string) =>
  (result as { tables: { name: string }[] }).tables.find((each) => each.name === name);

beforeEach(async () => {
  home = await makeHome();
  await put(profiles, [...itemsOfEveryType(), user("user-1"), user("user-2")]);
  await home.look(async (aws) => {
    await putObject(aws, {
      bucket: files,
      key: documentKey,
      body: Buffer.from("Lebenslauf"),
      contentType: "application/pdf",
      cacheControl: "private, max-age=60",
      contentDisposition: 'attachment; filename="cv.pdf"',
      contentEncoding: "identity",
      contentLanguage: "de",
      metadata: { "original-name": "Lebenslauf.pdf", sha256: "00" },
      tags: { checked: "yes + no = 1", ä: "1" },
    });
    await putObject(aws, {
      bucket: files,
      key: "public/documents/user-2/cv/1-a.txt",
      body: Buffer.from("zwei"),
    });
    await putObject(aws, {
      bucket: files,
      key: "users/user-1/large.bin",
      body: Buffer.alloc(9 * 1024 ** 2, "x"),
    });
  });
});

afterEach(() => home.remove());

it.each([
  ["another value", { checked: "no", ä: "1" }],
  ["none of its tags", {}],
])("sees that an object has %s, and gives it those of the backup", async (_, now) => {
  const tags = () => home.look((aws) => objectTags(aws, { bucket: files, key: documentKey }));
  const before = await tags();
  expect((await run("create")).exitCode).toBe(0);
  await home.look((aws) => setObjectTags(aws, { bucket: files, key: documentKey }, now));
  const refused = await run("restore", "--only", "files", "--on-conflict", "fail");
  expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining(documentKey)]);
  expect(await tags()).toEqual(now);
  const { exitCode } = await run("restore", "--only", "files", "--on-conflict", "replace");
  expect([exitCode, await tags()]).toEqual([0, before]);
});

it("brings every item back byte for byte, and every object with all that it carries", async () => {
  const before = await textOf(home, profiles);
  const head = await home.look((aws) => headWhole(aws, { bucket: files, key: documentKey }));
  expect((await run("create")).exitCode).toBe(0);
  await remove(
    profiles,
    ...itemsOfEveryType().map(({ userId }) => (userId as { S: string }).S),
    "user-1",
    "user-2",
  );
  await home.look(async (aws) => {
    for (const key of [documentKey, "users/user-1/large.bin"])
      await deleteObject(aws, { bucket: files, key });
  });
  expect(await textOf(home, profiles)).toEqual([]);
  const { exitCode, result, stderr } = await run("restore");
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(result?.["written"]).toMatchObject({ items: before.length, objects: 2 });
  expect(await textOf(home, profiles)).toEqual(before);
  await home.look(async (aws) => {
    const found = await headWhole(aws, { bucket: files, key: documentKey });
    expect(found.put).toEqual(head.put);
    expect(await objectTags(aws, { bucket: files, key: documentKey })).toEqual({
      checked: "yes + no = 1",
      ä: "1",
    });
    const large = await getObjectBytes(aws, { bucket: files, key: "users/user-1/large.bin" });
    expect(large.bytes.equals(Buffer.alloc(9 * 1024 ** 2, "x"))).toBe(true);
  });
  const again = await run("restore");
  expect(again.result?.["written"]).toMatchObject({ items: 0, objects: 0 });
  expect((await home.run(["audit", "verify"])).exitCode).toBe(0);
});

describe("beside existing data", () => {
  const older = user("user-1", { updatedAt: { S: "2025-01-01T00:00:00.000Z" }, n: { N: "1" } });
  const newer = user("user-2", { updatedAt: { S: "2027-01-01T00:00:00.000Z" }, n: { N: "2" } });

  beforeEach(async () => {
    await run("create");
    await put(profiles, [older, newer, user("user-3")]);
    await remove(profiles, "sets");
    await home.look(async (aws) => {
      await putObject(aws, { bucket: files, key: documentKey, body: Buffer.from("changed") });
    });
  });

  const lineOf = (item: JsonObject) => JSON.stringify({ Item: item });

  it("fail: names what differs and changes nothing", async () => {
    const before = await textOf(home, profiles);
    const planned = await run("restore", "--on-conflict", "fail", "--dry-run");
    expect([planned.exitCode, planned.result]).toEqual([0, expect.objectContaining({ exitCode: 1 })]);
    const { exitCode, stderr, result } = await run("restore", "--on-conflict", "fail");
    expect({ exitCode, result }).toEqual({ exitCode: 1, result: undefined });
    expect(stderr).toMatch(/mawps-user-profiles: 2 \(user-[12], user-[12]\)/);
    expect(stderr).toContain(documentKey);
    expect(await textOf(home, profiles)).toEqual(before);
  });

  it.each([
    ["skip", [older, newer], "changed"],
    ["newer", [user("user-1"), newer], "changed"],
    ["replace", [user("user-1"), user("user-2")], "Lebenslauf"],
  ] as const)("%s: what is missing comes back, the rest as told", async (policy, expected, content) => {
    const { exitCode, result } = await run("restore", "--on-conflict", policy);
    expect(exitCode).toBe(0);
    const lines = await textOf(home, profiles);
    for (const item of [...expected, user("user-3")]) expect(lines).toContain(lineOf(item));
    expect(lines.filter((line) => line.includes('"sets"'))).toHaveLength(1);
    expect(tableIn(result, profiles)).toMatchObject({
      create: 1,
      overwrite: policy === "skip" ? 0 : policy === "newer" ? 1 : 2,
    });
    const { bytes } = await home.look((aws) => getObjectBytes(aws, { bucket: files, key: documentKey }));
    expect(bytes.toString()).toBe(content);
  });

  it("by default brings back what is missing, and tells what differs and stays", async () => {
    const planned = await home.run(["backup", "restore", "--dry-run"]);
    expect([planned.exitCode, planned.stdout]).toEqual([0, expect.stringContaining("with exit code 0")]);
    const { exitCode, stdout } = await home.run(["backup", "restore", "--yes"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/restored 1 item, .*3 differ and stay as they are/);
    expect(stdout).toMatch(/mawps-user-profiles: 2 \(user-[12], user-[12]\)/);
    expect(stdout).toContain(documentKey);
    const lines = await textOf(home, profiles);
    for (const item of [older, newer, user("user-3")]) expect(lines).toContain(lineOf(item));
    expect(lines.filter((line) => line.includes('"sets"'))).toHaveLength(1);
    const again = await home.run(["backup", "restore", "--yes"]);
    expect([again.exitCode, again.stdout]).toEqual([0, expect.stringMatching(/^nothing of .* is missing/)]);
  });

  it("--dry-run: counts, and changes nothing", async () => {
    const before = await textOf(home, profiles);
    const { exitCode, result } = await run("restore", "--dry-run", "--on-conflict", "replace");
    expect(exitCode).toBe(0);
    expect(tableIn(result, profiles)).toMatchObject({ create: 1, conflict: 0, overwrite: 2, same: 8 });
    expect(await textOf(home, profiles)).toEqual(before);
  });
});

describe("a person who was erased", () => {
  it("stays away, and is counted", async () => {
    await run("create");
    await remove(profiles, "user-1");
    await home.look(async (aws) => {
      for (const key of [documentKey, "users/user-1/large.bin"])
        await deleteObject(aws, { bucket: files, key });
      const entry = ledgerEntry("user-1", "00ff", new Date("2026-03-01T12:00:00Z"));
      await writeErasure(entry, { aws, table: "mawps-audit-log" });
    });
    await remove(profiles, "user-2");
    const { stdout, exitCode } = await home.run(["backup", "restore", "--yes"]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("1 suppressed");
    const lines = (await textOf(home, profiles)).join("\n");
    expect(lines).not.toContain("user-1");
    expect(lines).toContain("user-2");
    const gone = home.look((aws) => headWhole(aws, { bucket: files, key: documentKey }));
    await expect(gone).rejects.toMatchObject({ name: "NotFound" });
  });
});

it("--into-prefix makes tables and buckets beside, with their settings, and a trail that can be verified", async () => {
  await run("create");
  const before = await textOf(home, profiles);
  const { exitCode, result, stderr } = await run("restore", "--into-prefix", "test-");
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(await textOf(home, `test-${profiles}`)).toEqual(before);
  expect(result?.["made"]).toContain(`test-${profiles}`);
  expect(JSON.stringify(result?.["settings"])).toContain("recovery of 35 days");
  const again = await run("restore", "--into-prefix", "test-");
  expect(again.result?.["written"]).toMatchObject({ items: 0, objects: 0 });
  const env = { MAWPS_TABLES_AUDIT_LOG: "test-mawps-audit-log", MAWPS_BUCKETS_USER_FILES: `test-${files}` };
  const verified = await home.run(["audit", "verify"], { env });
  expect(verified).toMatchObject({ exitCode: 0 });
});

it("--into-table restores one table under another name", async () => {
  await run("create");
  const { exitCode } = await run("restore", "--only", "userProfiles", "--into-table", "profiles-then");
  expect(exitCode).toBe(0);
  expect(await textOf(home, "profiles-then")).toEqual(await textOf(home, profiles));
});

it("--user brings back what one person owns, --item one item", async () => {
  await run("create");
  await remove(profiles, "user-1", "user-2");
  await home.look((aws) => deleteObject(aws, { bucket: files, key: documentKey }));
  expect((await run("restore", "--item", "user-2/user-profile")).result?.["written"]).toMatchObject({
    items: 1,
    objects: 0,
  });
  const before = await textOf(home, profiles);
  expect((await run("restore", "--item", "user-2/other")).exitCode).toBe(1);
  expect(await textOf(home, profiles)).toEqual(before);
  expect((await run("restore", "--user", "user-1")).result?.["written"]).toMatchObject({
    items: 1,
    objects: 1,
  });
  const { stdout } = await home.run(["audit", "list", "--action", "backup.restored", "--json"]);
  const entries = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as AuditEntry);
  expect(entries.map(({ userId, details }) => [userId, details["phase"]])).toEqual([
    ["user-1", "done"],
    ["user-1", "begun"],
    ["user-2", "done"],
    ["user-2", "begun"],
  ]);
});

it("refuses a damaged part and a damaged content with 4, and changes nothing", async () => {
  await run("create");
  await remove(profiles, "user-1");
  const { readdir, writeFile } = await import("node:fs/promises");
  const data = join(home.folder, "store", "backups", "data");
  const names = (await readdir(data, { recursive: true })).filter((name) => name.length > 60);
  for (const name of names) {
    const path = join(data, name);
    const bytes = await readFile(path);
    // The trail's anchors and announcements, which are empty, are in no restore.
    if (bytes.length === 0 || bytes.toString().startsWith('{"sequence"')) continue;
    const flipped = Buffer.from(bytes);
    flipped[flipped.length - 1] = (flipped[flipped.length - 1] ?? 0) ^ 1;
    await writeFile(path, flipped);
    const before = await textOf(home, profiles);
    const { exitCode } = await run("restore", "--into-prefix", "test-");
    expect({ name, exitCode }).toEqual({ name, exitCode: 4 });
    expect(await textOf(home, profiles)).toEqual(before);
    await writeFile(path, bytes);
  }
  expect(names.length).toBeGreaterThan(3);
  expect((await run("restore")).exitCode).toBe(0);
});
