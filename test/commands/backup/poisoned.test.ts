import { ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { ListBucketsCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { forgeBackup } from "../../support/forged-backup.ts";
import { linesOf } from "../../support/typed-items.ts";
import { putTyped, removeUsers, textOf } from "../../support/typed-tables.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

const profiles = "mawps-user-profiles";
const audit = "mawps-audit-log";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
  await putTyped(home, profiles, [
    { userId: { S: "user-1" }, type: { S: "user-profile" } },
    { userId: { S: "user-2" }, type: { S: "user-profile" } },
  ]);
  await home.run(["backup", "create"]);
});
afterEach(() => home.remove());

async function tables(): Promise<string[]> {
  return home.look(async (aws) => {
    const dynamodb = await aws.dynamodb();
    return (await dynamodb.send(new ListTablesCommand({}))).TableNames ?? [];
  });
}

async function buckets(): Promise<string[]> {
  return home.look(async (aws) => {
    const { Buckets = [] } = await (await aws.s3()).send(new ListBucketsCommand({}));
    return Buckets.map(({ Name = "" }) => Name);
  });
}

/** A newer backup that holds these lines in the table of profiles, behind whole ones; looked at two hours later, as one of the future counts for nothing. */
function poison(...lines: (string | Buffer)[]): Promise<void> {
  home.laterMs = 2 * 3_600_000;
  return forgeBackup(home, "20260301T130000Z-abcdef", async (newest, { write }) => {
    const whole = linesOf([{ userId: { S: "user-1" }, type: { S: "user-profile" } }]);
    const parts = await write([...whole, ...lines]);
    const items = parts.reduce((sum, part) => sum + part.lines, 0);
    return {
      ...newest,
      tables: newest.tables.map((table) => (table.name === profiles ? { ...table, items, parts } : table)),
    };
  });
}

const nested = `{"Item":{"userId":{"S":"x"},"deep":${'{"L":['.repeat(20_000)}${"]}".repeat(20_000)}}}`;

describe.each<[string, string | Buffer]>([
  [
    "goes on behind its item with a deletion in another table",
    `{"Item":{"userId":{"S":"x"}}}],"${profiles}":[{"DeleteRequest":{"Key":{"userId":{"S":"user-1"}}}},{"PutRequest":{"Item":{"userId":{"S":"y"}}}`,
  ],
  ["names another table", `{"Item":{"userId":{"S":"x"}},"TableName":"${audit}"}`],
  ["names another condition", `{"Item":{"userId":{"S":"user-1"}},"ConditionExpression":"userId = userId"}`],
  ["has no item", '{"item":{"userId":{"S":"x"}}}'],
  ["is a list", '[{"Item":{"userId":{"S":"x"}}}]'],
  ["has a list for an item", '{"Item":[]}'],
  ["is no JSON", '{"Item":{"userId":{"S":"x"}}'],
  ["is empty", ""],
  [
    "is no UTF-8",
    Buffer.concat([Buffer.from('{"Item":{"userId":{"S":"'), Buffer.from([0xff]), Buffer.from('"}}}')]),
  ],
  ["is nested beyond what DynamoDB takes", nested],
  ["has no key", '{"Item":{"name":{"S":"x"}}}'],
  ["has a key of another type", '{"Item":{"userId":{"N":"1"}}}'],
  ["has a key of two types", '{"Item":{"userId":{"S":"x","N":"1"}}}'],
  ["has an empty key", '{"Item":{"userId":{"S":""}}}'],
  [
    "has attributes inside that are no attributes",
    '{"Item":{"userId":{"S":"x"},"a":{"M":{"b":{"L":[{"S":1}]}}}}}',
  ],
  ["has more than DynamoDB takes", `{"Item":{"userId":{"S":"x"},"a":{"S":"${"x".repeat(400 * 1024)}"}}}`],
])("a line that %s", (_, line) => {
  it("is found by verify, and restored nowhere", async () => {
    await poison(line);
    await removeUsers(home, profiles, ["user-2"]);
    const state = async () => [await textOf(home, profiles), await tables()];
    const before = await state();
    const verified = await home.run(["backup", "verify", "latest"]);
    expect(verified.exitCode).toBe(4);
    expect(verified.stdout + verified.stderr).toContain(`a line of table ${profiles} is no item`);
    for (const where of [
      [],
      ["--into-prefix", "test-"],
      ["--on-conflict", "replace"],
      ["--user", "user-1"],
    ]) {
      const { exitCode, stderr } = await home.run(["backup", "restore", ...where, "--yes"]);
      expect([exitCode, stderr]).toEqual([4, expect.stringContaining("is no item")]);
    }
    expect(await state()).toEqual(before);
  });
});

it("a table that is there twice is found by verify, and no dry run promises what no run does", async () => {
  home.laterMs = 2 * 3_600_000;
  await forgeBackup(home, "20260301T130000Z-abcdef", (newest) => ({
    ...newest,
    tables: newest.tables.flatMap((table) => (table.name === profiles ? [table, table] : [table])),
  }));
  const lines = [
    ["backup", "verify", "latest"],
    ["backup", "restore", "--dry-run"],
    ["backup", "restore", "--yes"],
  ];
  for (const line of lines) expect([line, (await home.run(line)).exitCode]).toEqual([line, 4]);
});

it("a member that comes twice counts once, and what is written is what was compared", async () => {
  await poison('{"Item":{"userId":{"S":"user-1"}},"Item":{"userId":{"S":"user-9"}}}');
  const { exitCode } = await home.run(["backup", "restore", "--into-prefix", "test-", "--yes"]);
  expect(exitCode).toBe(0);
  expect(await textOf(home, `test-${profiles}`)).toEqual([
    '{"Item":{"userId":{"S":"user-1"},"type":{"S":"user-profile"}}}',
    '{"Item":{"userId":{"S":"user-9"}}}',
  ]);
});

describe.each([
  { what: "a table of a bucket's role", kind: "tables", role: "userFiles" },
  { what: "a bucket of a table's role", kind: "buckets", role: "userProfiles" },
] as const)("a forged backup with $what", ({ kind, role }) => {
  it.each(["", "--into-prefix test-", "--into-table elsewhere"])(
    "makes nothing under the name it chose: restore %s",
    async (where) => {
      home.laterMs = 2 * 3_600_000;
      await forgeBackup(home, "20260301T130000Z-abcdef", (newest) => ({
        ...newest,
        tables: [],
        buckets: [],
        [kind]: newest[kind].slice(0, 1).map((each) => ({ ...each, role, name: "of-somebody-else" })),
      }));
      const before = [await tables(), await buckets()];
      const { exitCode, stderr } = await home.run([
        "backup",
        "restore",
        ...where.split(" ").filter(Boolean),
        "--yes",
      ]);
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/declares no of-somebody-else|takes one table, not 0/);
      expect([await tables(), await buckets()]).toEqual(before);
    },
  );
});
