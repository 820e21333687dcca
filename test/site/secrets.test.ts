import { DeleteItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeAll, afterAll, beforeEach, describe, expect, test } from "vitest";
import { scanItems } from "../../src/aws/dynamodb/items.ts";
import { typed } from "../../src/aws/dynamodb/plain.ts";
import { soundTwin } from "../support/twins.ts";
import { nobodies, profiles, secrets } from "./items.ts";
import { makeLiveSite, type LiveSite } from "./world.ts";

let built: LiveSite;
let site: LiveSite;

/** Keys in what the browser of somebody holds. */
const browserKeys = ["sk-test-browser-9999999999999999", "sk-test-twin-0000000000000000"] as const;
const all: readonly string[] = [...secrets, ...browserKeys];

beforeAll(async () => {
  built = await makeLiveSite();
  await built.run(["hero", "show"]);
});

afterAll(() => built.remove());

beforeEach(async () => {
  site = await built.copy();
  const put = (name: string, value: unknown) =>
    writeFile(join(site.home.folder, name), JSON.stringify(value));
  const ikigai = { visitCount: 9, lastVisit: "2026-02-20T10:00:00.000Z" };
  const coach = { apiKey: browserKeys[0] };
  await put("progress.json", { pages: { ikigai: { ...ikigai, formData: { neu: "ja", coach } } } });
  await put("twin.json", { ...soundTwin, ai: { apiKey: browserKeys[1], model: "a" } });
});

afterEach(() => site.remove());

function secretsIn(bytes: Uint8Array | string): string[] {
  const text = Buffer.from(bytes);
  return all.filter((secret) => text.includes(secret));
}

/** Of the files that commands have written into the folder in which they ran. */
async function secretsInFiles(): Promise<string[]> {
  const files = await readdir(site.home.folder, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const { parentPath, name } of files.filter((each) => each.isFile())) {
    const path = join(parentPath, name);
    if (path.startsWith(join(site.home.folder, "store/")) || ["progress.json", "twin.json"].includes(name))
      continue;
    const bytes = await readFile(path);
    const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
    found.push(...secretsIn(isPacked ? gunzipSync(bytes) : bytes).map((secret) => `${path}: ${secret}`));
  }
  return found;
}

/** Of the tables that are the tool's own. */
async function secretsInTables(): Promise<string[]> {
  return site.look(async (aws) => {
    const found: string[] = [];
    for (const table of ["mawps-migrations", "mawps-audit-log", "mawps-digital-twin"]) {
      for await (const page of scanItems(aws, { table })) {
        for (const item of page) {
          const data = item["data"]?.B;
          const text = JSON.stringify(item) + (data === undefined ? "" : String(gunzipSync(data)));
          found.push(...secretsIn(text).map((secret) => `${table}: ${secret}`));
        }
      }
    }
    return found;
  });
}

const former = { MAWPS_USER_DOCUMENTS_TABLE: "not-there" };
const passphrase = { MAWPS_BACKUP_PASSPHRASE: "correct horse battery staple" };

test("no command prints, writes or keeps a secret", async () => {
  const { lena, tomas } = site.people;
  const asPeopleAndMachines = (...argv: string[]) => [argv, [...argv, "--json"]];
  const commands: readonly (readonly [argv: readonly string[], env?: Record<string, string>])[] = [
    ...[
      ...asPeopleAndMachines("progress", "show", lena),
      ...asPeopleAndMachines("progress", "export"),
      ...asPeopleAndMachines("progress", "stats"),
      ...asPeopleAndMachines("doc", "list", "--all"),
      ...asPeopleAndMachines("doc", "list", lena),
      ...asPeopleAndMachines("doc", "show", lena, "1757000000010"),
      ...asPeopleAndMachines("doc", "check"),
      ...asPeopleAndMachines("hero", "list", "--unknown"),
      ...asPeopleAndMachines("retention", "plan"),
      ...asPeopleAndMachines("doctor"),
      ["progress", "export", lena, "-o", "one.json"],
      ["progress", "export", "--format", "ndjson", "-o", "all.ndjson"],
      ["progress", "export", "--format", "csv", "-o", "all.csv"],
      ["progress", "stats", "--html", "stats.html"],
      ["progress", "import", lena, "progress.json", "--dry-run"],
      ["progress", "import", lena, "progress.json"],
      ["progress", "recompute"],
      ["twin", "validate", "twin.json", "--json"],
      ["twin", "migrate", "twin.json", "--dry-run"],
      ["twin", "migrate", "twin.json"],
      ...asPeopleAndMachines("twin", "show"),
      ["doc", "get", lena, "1757000000010", "-o", "got"],
      ["doc", "rm", lena, "1757000000010", "--hard", "--yes"],
      ["doc", "rename", lena, "1757000000010", "anders.txt"],
      ["doc", "rm", lena, "1757000000010", "--yes"],
      ["retention", "plan", "--output", "due.json"],
      ["backup", "create", "--repo", "open"],
      ["backup", "create", "--repo", "open", "--dry-run"],
      ["backup", "create", "--repo", "open", "--json"],
      ["backup", "native", "create"],
      ["backup", "native", "export", "--to", "s3://mawps-resumes/exports", "--yes"],
    ].map((argv) => [argv] as const),
    ...[
      ...asPeopleAndMachines("migrate", "plan"),
      ["migrate", "up", "--yes"],
      ["migrate", "down", "--yes"],
    ].map((argv) => [argv, former] as const),
    [["backup", "create", "--repo", "closed"], passphrase],
    [["doc", "rm", tomas, "doc-tomas-1", "--yes"]],
    [["backup", "create", "--repo", "closed"], passphrase],
    [["backup", "diff", "today", "latest", "--repo", "closed"], passphrase],
    [["backup", "show", "--repo", "closed", "--json"], passphrase],
    [["backup", "restore", "--repo", "closed", "--on-conflict", "replace", "--dry-run"], passphrase],
    [["backup", "restore", "--repo", "closed", "--on-conflict", "replace", "--yes"], passphrase],
    [["audit", "export", "-o", "audit.ndjson"]],
    [["audit", "list", "--json"]],
  ];
  const found: string[] = [];
  const refused: string[] = [];
  for (const [argv, env = {}] of commands) {
    const { exitCode, stdout, stderr } = await site.run(argv, { env });
    if (stderr.includes("this is a bug")) refused.push(`${argv.join(" ")}: ${stderr}`);
    if (![0, 4].includes(exitCode)) refused.push(`${argv.slice(0, 3).join(" ")}: ${exitCode}`);
    found.push(...secretsIn(stdout + stderr).map((secret) => `${argv.join(" ")}: ${secret}`));
  }
  expect(refused).toEqual([
    `doc rm ${lena}: 1`,
    ...["create", "create", "create"].map((verb) => `backup ${verb} --repo: 1`),
    "backup native export: 1",
  ]);
  expect([...found, ...(await secretsInFiles()), ...(await secretsInTables())]).toEqual([]);
});

test("what is left out is told, by its place, and a re-import leaves what is stored", async () => {
  const { lena } = site.people;
  const exported = await site.run(["progress", "export", lena, "-o", "one.json"]);
  expect(exported.stderr).toContain(
    `left out, as they are secret: ${lena} progressData.pages.ikigai.formData.coach.openaiApiKey`,
  );
  const shown = await site.run(["progress", "show", lena, "--json"]);
  expect(shown.stdout).toContain(`"openaiApiKey":"(secret, ${secrets[6].length} characters)"`);
  const before = await site.picture();
  expect((await site.run(["progress", "import", lena, "one.json"])).stdout).toContain("nothing to do");
  const imported = await site.run(["progress", "import", lena, "progress.json"]);
  expect(imported.stderr).toContain("left out, as they are secret: pages.ikigai.formData.coach.apiKey");
  expect(await site.changedSince(before)).toEqual([
    `changed item ${profiles} ${JSON.stringify({ userId: lena })}`,
  ]);
  const item = (await site.picture()).get(`item ${profiles} ${JSON.stringify({ userId: lena })}`) ?? "";
  expect(item).toContain(secrets[6]);
  expect(item).toContain('"neu":{"S":"ja"}');
});

test("a twin's secrets, which another tool has stored, are masked and left out", async () => {
  for (const key of [browserKeys[0], browserKeys[1]]) {
    await site.run(["twin", "migrate", "twin.json", "--force"]);
    await site.look(async (aws) => {
      const dynamodb = await aws.dynamodb();
      await dynamodb.send(
        new UpdateItemCommand({
          TableName: "mawps-digital-twin",
          Key: { userId: { S: "owner" }, type: { S: "digital-twin" } },
          UpdateExpression: "SET digitalTwin.ai = :ai",
          ExpressionAttributeValues: { ":ai": typed({ apiKey: key, model: "a" }) },
        }),
      );
    });
    await writeFile(
      join(site.home.folder, "twin.json"),
      JSON.stringify({ ...soundTwin, ai: { model: key.length } }),
    );
  }
  const outcomes = [];
  for (const argv of [
    ["show"],
    ["diff"],
    ["diff", "1", "2", "--json"],
    ["export"],
    ["rollback", "--dry-run"],
  ])
    outcomes.push(await site.run(["twin", ...argv]));
  for (const { exitCode, stdout, stderr } of outcomes)
    expect([exitCode, secretsIn(stdout + stderr)]).toEqual([0, []]);
  expect(outcomes[0]?.stdout).toMatch(/ai\.apiKey +"\(secret, \d+ characters\)"/);
  expect(outcomes[1]?.stdout).toMatch(
    /~ ai\.apiKey +"\(secret, 32 characters\)" -> "\(secret, 29 characters\)"/,
  );
  expect(outcomes[3]?.stderr).toContain("left out, as they are secret: ai.apiKey");
});

describe("an unencrypted backup", () => {
  test.each([
    ["backup create", ["backup", "create", "--repo", "open"]],
    ["its dry run", ["backup", "create", "--repo", "open", "--dry-run"]],
    ["DynamoDB's export", ["backup", "native", "export", "--to", "s3://mawps-resumes/exports", "--yes"]],
    [
      "the dry run of that",
      ["backup", "native", "export", "--to", "s3://mawps-resumes/exports", "--dry-run"],
    ],
  ])(
    "names every item with a secret, also nested ones of people, before anything is written: %s",
    async (_, argv) => {
      const { lena } = site.people;
      const before = await site.picture();
      const { exitCode, stdout, stderr } = await site.run(argv);
      expect([exitCode, stdout]).toEqual([1, ""]);
      const named = [
        ...nobodies.map((id) => `${id} (`),
        `${lena} (documents[3].uploadToken, progressData.pages.ikigai.formData.coach.openaiApiKey, settings.ai.apiKey)`,
      ];
      expect(named.filter((name) => !stderr.includes(name))).toEqual([]);
      expect(stderr).toContain("--with-secrets");
      await expect(readdir(join(site.home.folder, "open"))).rejects.toThrow("ENOENT");
      expect(await site.changedSince(before)).toEqual([]);
    },
  );

  test("goes on where there is none, or where told, and brings back what it holds", async () => {
    const only = ["--only", "auditLog", "files", "users"];
    expect((await site.run(["backup", "create", "--repo", "open", ...only])).exitCode).toBe(0);
    expect((await site.run(["backup", "create", "--repo", "open"])).exitCode).toBe(1);
    expect((await site.run(["backup", "create", "--repo", "open", "--with-secrets"])).exitCode).toBe(0);
    const before = await site.picture();
    const keys = [nobodies[0], site.people.lena];
    await site.look(async (aws) => {
      const dynamodb = await aws.dynamodb();
      for (const userId of keys)
        await dynamodb.send(new DeleteItemCommand({ TableName: profiles, Key: { userId: { S: userId } } }));
    });
    expect(await site.changedSince(before)).toHaveLength(2);
    const restored = await site.run(["backup", "restore", "--repo", "open", "--only", "tables", "--yes"]);
    expect(restored).toMatchObject({ exitCode: 0 });
    expect(await site.changedSince(before)).toEqual([]);
    expect(secretsIn(restored.stdout + restored.stderr)).toEqual([]);
  });
});
