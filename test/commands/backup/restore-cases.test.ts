import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deleteObject, putObject } from "../../../src/aws/s3/objects.ts";
import { ledgerEntry, writeErasure } from "../../../src/backup/erasures.ts";
import { folderStore } from "../../../src/backup/folder-store.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { itemsOfEveryType } from "../../support/typed-items.ts";
import { putTyped, removeUsers, textOf } from "../../support/typed-tables.ts";
import { modelSite } from "../../support/model-site.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

const profiles = "mawps-user-profiles";
const trail = "mawps-audit-log";
const bucket = "mawps-user-files-1760106396";

let home: TestHome;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

async function run(argv: readonly string[], env: Record<string, string> = {}) {
  const outcome = await home.run(["backup", ...argv, "--json", "--yes"], { env });
  const { stdout } = outcome;
  return { ...outcome, result: stdout === "" ? undefined : (JSON.parse(stdout) as JsonObject) };
}

const userIds = (items: readonly JsonObject[]) => items.map(({ userId }) => (userId as { S: string }).S);

it("restores a table with two keys, item by item, with each policy", async () => {
  const env = { MAWPS_NEW_TABLE_SHAPE: "composite" };
  const composite = (
    userId: string,
    type: string,
    n: string,
    updatedAt = "2026-01-01T00:00:00Z",
  ): JsonObject => ({
    userId: { S: userId },
    type: { S: type },
    n: { N: n },
    updatedAt: { S: updatedAt },
  });
  const stored = ["a", "b", "c"].map((type) => composite("user-1", type, "1"));
  // The first look makes the tables, with two keys.
  await home.look(() => Promise.resolve(), env);
  const put = (items: readonly JsonObject[]) => putTyped(home, profiles, items);
  await put(stored);
  expect((await run(["create"], env)).exitCode).toBe(0);
  const later = composite("user-1", "a", "2", "2027-01-01T00:00:00Z");
  const earlier = composite("user-1", "b", "2", "2025-01-01T00:00:00Z");
  const n = async () =>
    (await textOf(home, profiles)).map((line) => /"n":\{"N":"(\d)"/.exec(line)?.[1]).join("");
  await put([later, earlier]);
  expect((await run(["restore", "--on-conflict", "fail"], env)).exitCode).toBe(1);
  expect((await run(["restore", "--on-conflict", "skip"], env)).exitCode).toBe(0);
  expect((await n()).split("").toSorted().join("")).toBe("122");
  expect((await run(["restore", "--on-conflict", "newer"], env)).exitCode).toBe(0);
  expect((await n()).split("").toSorted().join("")).toBe("112");
  const { result } = await run(["restore", "--item", "user-1/a", "--on-conflict", "replace"], env);
  expect(result?.["written"]).toMatchObject({ items: 1 });
  expect(await n()).toBe("111");
});

it("opens an encrypted repository, and without its passphrase changes nothing", async () => {
  const env = { MAWPS_BACKUP_PASSPHRASE: "correct horse battery staple" };
  await putTyped(home, profiles, itemsOfEveryType());
  const before = await textOf(home, profiles);
  expect((await run(["create"], env)).exitCode).toBe(0);
  await removeUsers(home, profiles, userIds(itemsOfEveryType()));
  expect((await run(["restore"])).exitCode).toBe(1);
  expect(await textOf(home, profiles)).toEqual([]);
  expect((await run(["restore"], env)).exitCode).toBe(0);
  expect(await textOf(home, profiles)).toEqual(before);
});

it("--resume-from takes up exactly what a file names, and refuses a file that names nothing", async () => {
  const items = ["user-1", "user-2"].map((userId) => ({ userId: { S: userId } }));
  await putTyped(home, profiles, items);
  const key = "users/user-1/a.txt";
  await home.look((aws) => putObject(aws, { bucket, key, body: Buffer.from("a") }));
  await run(["create"]);
  await removeUsers(home, profiles, userIds(items));
  await home.look((aws) => deleteObject(aws, { bucket, key }));
  const left = join(home.folder, "failed.ndjson");
  await writeFile(left, `${JSON.stringify({ table: profiles, key: { userId: { S: "user-2" } } })}\n`);
  expect((await run(["restore", "--resume-from", "failed.ndjson"])).result?.["written"]).toMatchObject({
    items: 1,
    objects: 0,
  });
  expect(await textOf(home, profiles)).toEqual(['{"Item":{"userId":{"S":"user-2"}}}']);
  await writeFile(left, `${JSON.stringify({ bucket, key })}\n`);
  expect((await run(["restore", "--resume-from", "failed.ndjson"])).result?.["written"]).toMatchObject({
    items: 0,
    objects: 1,
  });
  await writeFile(left, "{}\n");
  expect((await run(["restore", "--resume-from", "failed.ndjson"])).exitCode).toBe(1);
});

it("never sets the lock of the migrations back, under no policy", async () => {
  const migrations = "mawps-migrations";
  const lock = (fence: string) => ({ id: { S: "lock" }, entry: { S: "main" }, fence: { N: fence } });
  await putTyped(home, migrations, [lock("1")]);
  await run(["create"]);
  await putTyped(home, migrations, [lock("2")]);
  const before = await textOf(home, migrations);
  expect((await run(["restore"])).exitCode).toBe(0);
  expect((await run(["restore", "--on-conflict", "replace"])).exitCode).toBe(0);
  expect(await textOf(home, migrations)).toEqual(before);
  await home.look(async (aws) => {
    await (
      await aws.dynamodb()
    ).send(
      new DeleteItemCommand({ TableName: migrations, Key: { id: { S: "lock" }, entry: { S: "main" } } }),
    );
  });
  expect((await run(["restore"])).result?.["written"]).toMatchObject({ items: 1 });
  expect(await textOf(home, migrations)).toEqual(before.map((line) => line.replace('"N":"2"', '"N":"1"')));
});

it("refuses a user, an item and a file of keys that nothing in the backup is meant by", async () => {
  await putTyped(home, profiles, [{ userId: { S: "user-1" } }]);
  await run(["create"]);
  await removeUsers(home, profiles, ["user-1"]);
  await writeFile(
    join(home.folder, "failed.ndjson"),
    `${JSON.stringify({ table: "elsewhere", key: { userId: { S: "user-1" } } })}\n`,
  );
  for (const [argv, told, failure = 1] of [
    [["--user", "erika@example.com"], String.raw`\"erika@example.com\" is no user of the backup`],
    [["--user", ""], "names nothing", 2],
    [["--item", "user-1/user-profil"], String.raw`the item \"user-1/user-profil\"`],
    [["--resume-from", "failed.ndjson"], "what the file of --resume-from names"],
    [["--resume-from", "."], "is a folder", 2],
  ] as const) {
    const { exitCode, stdout, stderr } = await run(["restore", ...argv]);
    expect({ exitCode, stdout }).toEqual({ exitCode: failure, stdout: "" });
    expect(stderr).toContain(told);
  }
  expect(await textOf(home, profiles)).toEqual([]);
});

it("refuses what the backup left out, and names it where all else is there", async () => {
  await putTyped(home, profiles, [{ userId: { S: "user-1" } }]);
  await run(["create", "--only", "userProfiles"]);
  for (const word of ["files", "users", "userFiles"]) {
    const { exitCode, stdout, stderr } = await run(["restore", "--only", word]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain("--only takes: tables, userProfiles, mawps-user-profiles");
  }
  const { exitCode, stdout } = await home.run(["backup", "restore", "--yes"]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain(`does not come back: what the backup left out: `);
  expect(stdout).toContain(bucket);
});

it("leaves what the table refuses, with 3 and a file by which the next run takes it up", async () => {
  await putTyped(home, profiles, [
    { userId: { S: "user-1" }, place: { S: "1" } },
    { userId: { S: "user-2" }, place: { N: "2" } },
  ]);
  await run(["create"]);
  const key = (name: string) => [{ AttributeName: name, KeyType: "HASH" as const }];
  await home.look(async (aws) => {
    const command = new CreateTableCommand({
      TableName: "profiles-then",
      KeySchema: key("userId"),
      AttributeDefinitions: ["userId", "place"].map((name) => ({ AttributeName: name, AttributeType: "S" })),
      GlobalSecondaryIndexes: [
        { IndexName: "by-place", KeySchema: key("place"), Projection: { ProjectionType: "ALL" } },
      ],
      BillingMode: "PAY_PER_REQUEST",
    });
    await (await aws.dynamodb()).send(command);
  });
  const argv = ["restore", "--only", "userProfiles", "--into-table", "profiles-then"];
  const first = await run(argv);
  expect(first.exitCode).toBe(3);
  expect(first.stderr).toContain("--resume-from failed.ndjson");
  expect(await textOf(home, "profiles-then")).toHaveLength(1);
  const left = await readFile(join(home.folder, "failed.ndjson"), "utf8");
  expect(left).toBe('{"table":"profiles-then","key":{"userId":{"S":"user-2"}}}\n');
  expect((await run([...argv, "--resume-from", "failed.ndjson"])).stderr).toContain(
    "--resume-from failed-2.ndjson",
  );
});

describe("the audit trail", () => {
  it("that is longer than the backup's stays, also under replace", async () => {
    await run(["create"]);
    await run(["create"]);
    const before = await textOf(home, trail);
    expect((await run(["restore", "--on-conflict", "replace"])).exitCode).toBe(0);
    expect(await textOf(home, trail)).toEqual(expect.arrayContaining(before));
    expect((await home.run(["audit", "verify"])).exitCode).toBe(0);
  });

  it("of another history is left alone: no entry of the backup comes between or behind", async () => {
    for (let count = 0; count < 3; count += 1) await run(["create"]);
    const repo = join(home.folder, "store", "backups");
    const other = await makeHome();
    // Every one of these is of the past there, however often the clock was looked at here.
    other.laterMs = 3_600_000;
    await other.run(["backup", "create"]);
    const before = await textOf(other, trail);
    expect(before).toHaveLength(1);
    const argv = ["backup", "restore", "--repo", repo, "--yes", "--on-conflict"];
    expect((await other.run([...argv, "fail"])).exitCode).toBe(1);
    for (const policy of ["skip", "replace"]) expect((await other.run([...argv, policy])).exitCode).toBe(0);
    expect(await textOf(other, trail)).toEqual(before);
    expect((await other.run(["audit", "verify"])).exitCode).toBe(0);
    await other.remove();
  });

  it("of which an entry was removed gets it back, and can be verified", async () => {
    for (let count = 0; count < 3; count += 1) await run(["create"]);
    await home.look(async (aws) => {
      const Key = { chain: { S: "main" }, sequence: { N: "1" } };
      await (await aws.dynamodb()).send(new DeleteItemCommand({ TableName: trail, Key }));
    });
    expect((await home.run(["audit", "verify"])).exitCode).toBe(4);
    expect((await run(["restore"])).exitCode).toBe(0);
    expect((await home.run(["audit", "verify"])).exitCode).toBe(0);
  });
});

describe("a lost audit table", () => {
  it("comes back before the restore is recorded; what was newer than the backup shows as missing", async () => {
    await putTyped(home, profiles, [{ userId: { S: "user-1" } }]);
    for (let count = 0; count < 2; count += 1) await run(["create"]);
    const before = await textOf(home, trail);
    await home.look(async (aws) => {
      const dynamodb = await aws.dynamodb();
      await dynamodb.send(new UpdateTableCommand({ TableName: trail, DeletionProtectionEnabled: false }));
      await dynamodb.send(new DeleteTableCommand({ TableName: trail }));
    });
    expect((await run(["restore"])).result).toMatchObject({ made: [trail] });
    const after = await textOf(home, trail);
    // The entry of the last backup itself was written behind its snapshot; two more tell of the restore.
    expect(after.filter((line) => before.includes(line))).toHaveLength(before.length - 1);
    expect(after).toHaveLength(before.length + 1);
    const { exitCode, stdout } = await home.run(["audit", "verify", "--json"]);
    expect({ exitCode, faults: stdout.match(/"fault":"(\w+)"/g) }).toEqual({
      exitCode: 4,
      faults: ['"fault":"missing"'],
    });
  });
});

describe("the erasure ledger", () => {
  const erase = (userId: string, at: string) =>
    home.look((aws) => writeErasure(ledgerEntry(userId, "00ff", new Date(at)), { aws, table: trail }));

  it("in the backup counts too, and grows the table's own, which loses nothing", async () => {
    await putTyped(home, profiles, [{ userId: { S: "user-1" } }, { userId: { S: "user-2" } }]);
    await erase("user-1", "2026-03-01T12:00:00Z");
    await run(["create"]);
    await home.look(async (aws) => {
      const Key = { chain: { S: "erasures" }, sequence: { N: "1" } };
      await (await aws.dynamodb()).send(new DeleteItemCommand({ TableName: trail, Key }));
    });
    await removeUsers(home, profiles, ["user-1", "user-2"]);
    await erase("user-2", "2026-03-02T12:00:00Z");
    expect((await run(["restore"])).result).toMatchObject({ suppressed: 2, erasures: 1 });
    expect(await textOf(home, profiles)).toEqual([]);
    expect((await textOf(home, trail)).filter((line) => line.includes('"erasures"'))).toHaveLength(2);
    expect((await run(["restore"])).result).toMatchObject({ suppressed: 2, erasures: 0 });
  });

  it("beside the repository counts by itself, and a damaged entry in it stops the restore", async () => {
    await putTyped(home, profiles, [{ userId: { S: "user-1" } }]);
    await run(["create"]);
    await removeUsers(home, profiles, ["user-1"]);
    const store = folderStore(join(home.folder, "store", "backups"));
    const entry = ledgerEntry("user-1", "aa", new Date("2026-03-01T12:00:00Z"));
    expect(JSON.stringify(entry)).not.toContain("user-1");
    await store.create("erasures/1.json", Buffer.from(JSON.stringify(entry)));
    expect((await run(["restore"])).result).toMatchObject({ suppressed: 1, written: { items: 0 } });
    await store.create("erasures/2.json", Buffer.from('{"salt":"zz"}'));
    expect((await run(["restore"])).exitCode).toBe(4);
  });
});

it("says what cannot come back, before it asks", async () => {
  await run(["create"]);
  const { stdout } = await home.run(["backup", "restore", "--dry-run", "--into-prefix", "test-"]);
  expect(stdout).toContain("does not come back: accounts");
});

it("goes on with the trail of a lost store in a new and empty one, anchored as it was", async () => {
  const repository = join(home.folder, "repository");
  await putTyped(home, profiles, itemsOfEveryType());
  for (let n = 0; n < 3; n++) expect((await run(["create", "--repo", repository])).exitCode).toBe(0);
  const other = await makeHome();
  // The store was lost after all of them.
  other.laterMs = 24 * 3_600_000;
  try {
    const restored = await other.run(["backup", "restore", "--repo", repository, "--yes"]);
    expect(restored.exitCode).toBe(0);
    expect(await textOf(other, profiles)).toEqual(await textOf(home, profiles));
    expect(await textOf(other, trail)).toEqual(
      expect.arrayContaining(
        (await textOf(home, trail)).filter((line) => !line.includes('"sequence":{"N":"3"}')),
      ),
    );
    expect(await other.run(["audit", "verify"])).toMatchObject({ exitCode: 0 });
  } finally {
    await other.remove();
  }
});

it.each([
  ["prework", "prework-users", { id: "u-1" }],
  ["prework-guide", "pre-work-users", { PK: "USER#u-1", SK: "METADATA" }],
] as const)(
  "finds whom an address means in the table of accounts of %s, in whatever case",
  async (model, table, key) => {
    const site = modelSite(home, model);
    const account = { ...key, email: "Max@example.com", name: "Max" };
    await site.put(table, [account]);
    expect((await site.run("backup", "create")).exitCode).toBe(0);
    const { name: _, ...changed } = account;
    await site.put(table, [changed]);
    const restore = (user: string) =>
      site.run("backup", "restore", "--user", user, "--on-conflict", "replace", "--yes", "--json");
    const unknown = await restore("eva@example.com");
    expect([unknown.exitCode, JSON.parse(unknown.stderr)]).toEqual([
      1,
      expect.objectContaining({
        error: expect.stringContaining('is of the user "eva@example.com"; nothing was changed') as string,
      }),
    ]);
    expect(await site.rows(table)).toEqual([changed]);
    expect((await restore("max@EXAMPLE.com")).exitCode).toBe(0);
    expect(await site.rows(table)).toEqual([account]);
  },
);
