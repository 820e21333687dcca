import { DeleteItemCommand, DeleteTableCommand, UpdateTableCommand } from "@aws-sdk/client-dynamodb";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Aws } from "../../../src/aws/clients.ts";
import { getItem, queryItems, type Item } from "../../../src/aws/dynamodb/items.ts";
import { plain, typed } from "../../../src/aws/dynamodb/plain.ts";
import { updateAttributes } from "../../../src/aws/dynamodb/update-item.ts";
import { canonicalJson } from "../../../src/model/json.ts";
import { twinHistoryType, twinType } from "../../../src/model/twin.ts";
import { foreignAttributes, ownerItem, putOwnerItem, type Shape } from "../../support/owner-item.ts";
import { makeHome, type Outcome, type TestHome } from "../../support/world.ts";

const profiles = "mawps-user-profiles";
const fakeToken = "FAKE-TOKEN-6b1f0c";

/** Every field of the model, each kind of JSON value, and fields of nobody's. */
const full = {
  personality: {
    traits: "neugierig, präzise 😀",
    values: "Offenheit",
    philosophy: "Zuerst fragen",
    communicationStyle: "klar\nund freundlich",
  },
  experience: { anecdotes: "eins\n\nzwei", insights: "drei", methods: "vier", stories: "fünf" },
  communication: { samples: "a", phrases: "b", patterns: "c", questions: "d?" },
  analytics: {
    progress: 75,
    personalityScore: 85.5,
    anecdotesCount: 2,
    insightsCount: 1,
    lastTraining: "2025-11-16T10:00:00.000Z",
  },
  userId: "not the key",
  type: { nested: [1, -0.0000001, 12_345_678_901_234, true, null, "", [], {}] },
};

type Twin = Record<string, unknown>;

function trained(lastTraining: string, traits: string): Twin {
  return {
    ...full,
    personality: { ...full.personality, traits },
    analytics: { ...full.analytics, lastTraining },
  };
}

const older = trained("2025-11-10T10:00:00.000Z", "older");
const newer = trained("2025-11-20T10:00:00.000Z", "newer");

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
  for (const [name, twin] of Object.entries({ full, older, newer })) await save(`${name}.json`, twin);
});

afterEach(() => home.remove());

async function save(name: string, content: unknown): Promise<void> {
  await writeFile(join(home.folder, name), JSON.stringify(content));
}

function json(outcome: Outcome): Record<string, unknown> {
  expect({ exitCode: outcome.exitCode, stderr: outcome.stderr }).toEqual({ exitCode: 0, stderr: "" });
  return JSON.parse(outcome.stdout) as Record<string, unknown>;
}

function jsonLines(outcome: Outcome): Record<string, unknown>[] {
  expect(outcome.exitCode).toBe(0);
  const lines = outcome.stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe.each(["simple", "composite"] as const)("twin beside the %s table", (shape: Shape) => {
  const env = { MAWPS_NEW_TABLE_SHAPE: shape };
  const table = shape === "simple" ? "mawps-digital-twin" : profiles;
  const run = (...argv: string[]) => home.run(argv, { env });
  const look = <T>(what: (aws: Aws) => Promise<T>) => home.look(what, env);
  const show = async () => json(await run("twin", "show", "--json"));

  it("takes sections and fields of any name, and merges them", async () => {
    const odd = (note: string, lastTraining: string) => ({
      ...full,
      constructor: { b: note },
      personality: {
        ...full.personality,
        constructor: note,
        toString: note,
        hasOwnProperty: { valueOf: [note] },
      },
      analytics: { ...full.analytics, lastTraining },
    });
    await save("odd.json", odd("one", "2025-11-20T10:00:00.000Z"));
    await run("twin", "migrate", "full.json");
    json(await run("twin", "migrate", "odd.json", "--json"));
    expect(canonicalJson(await show())).toBe(canonicalJson(odd("one", "2025-11-20T10:00:00.000Z")));
    await save("odder.json", odd("two", "2025-11-21T10:00:00.000Z"));
    json(await run("twin", "migrate", "odder.json", "--merge", "--json"));
    expect(canonicalJson(await show())).toBe(canonicalJson(odd("two", "2025-11-21T10:00:00.000Z")));
    expect((await run("twin", "diff", "1", "3")).stdout).toContain("constructor");
    const report = await run("twin", "validate", "odder.json");
    expect([report.exitCode, report.stdout]).toEqual([0, expect.stringContaining("personality.constructor")]);
  });

  it.each([
    ["a field named __proto__", '{"personality":{"__proto__":{"a":1}}}'],
    ["a section named __proto__", '{"personality":{"a":1},"__proto__":{"a":1}}'],
    ["20,000 levels", `{"personality":{"a":${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}}}`],
    ["40 levels", `{"personality":{"a":${"[".repeat(40)}${"]".repeat(40)}}}`],
  ])("refuses %s before anything is changed", async (_what, text) => {
    await run("twin", "migrate", "full.json");
    await writeFile(join(home.folder, "bad.json"), text);
    for (const argv of [
      ["migrate", "bad.json"],
      ["migrate", "bad.json", "--force"],
      ["validate", "bad.json"],
    ]) {
      const outcome = await run("twin", ...argv);
      expect([outcome.exitCode, outcome.stderr]).not.toEqual([0, expect.anything()]);
      expect(outcome.stderr).not.toMatch(/a bug|at \w+ \(/);
    }
    expect(await show()).toStrictEqual(full);
  });

  it.each([
    ["as PowerShell writes it", (text: string) => Buffer.from(`\ufeff${text}\r\n`, "utf16le")],
    ["without a mark", (text: string) => Buffer.from(text, "utf16le")],
    ["from large to small", (text: string) => Buffer.from(`\ufeff${text}`, "utf16le").swap16()],
    ["in UTF-8 with a mark", (text: string) => Buffer.from(`\ufeff${text}`)],
  ])("takes a twin in UTF-16: %s", async (_name, encode) => {
    await writeFile(join(home.folder, "encoded.json"), encode(JSON.stringify(full)));
    json(await run("twin", "migrate", "encoded.json", "--json"));
    expect(await show()).toStrictEqual(full);
  });

  const keyOf = (type: string): Item => ({ userId: { S: "owner" }, type: { S: type } });
  const itemOf = (type: string) => look((aws) => getItem(aws, { table, key: keyOf(type) }));

  /** Versions of the history as they are stored, with what each says of its traits. */
  async function stored(): Promise<Record<string, unknown>> {
    return look(async (aws) => {
      const found: Record<string, unknown> = {};
      const partition = { attribute: "userId", value: { S: "owner" } };
      const sort = { attribute: "type", beginsWith: { S: twinType } };
      for await (const page of queryItems(aws, { table, partition, sort })) {
        for (const item of page) {
          const traits = item["digitalTwin"]?.M?.["personality"]?.M?.["traits"]?.S;
          found[String(item["type"]?.S)] = [Number(item["version"]?.N), traits];
        }
      }
      return found;
    });
  }

  it("brings every field there and back, and says on which item", async () => {
    const outcome = json(await run("twin", "migrate", "full.json", "--json"));
    expect(outcome).toMatchObject({ changed: true, table, version: 1 });
    expect(await show()).toStrictEqual(full);
    const item = await itemOf(twinType);
    expect(Object.keys(item ?? {}).toSorted()).toEqual([
      "digitalTwin",
      "type",
      "updatedAt",
      "userId",
      "version",
    ]);
    expect(plain(item ?? {})["digitalTwin"]).toStrictEqual(full);
    const exported = await run("twin", "export");
    expect(JSON.parse(exported.stdout)).toStrictEqual(full);
    const text = await run("twin", "show");
    expect(text.stdout).toContain(`1 in ${table}`);
    expect(text.stdout).toContain('"klar\\x0aund freundlich"');
  });

  it("does nothing the second time, and says so", async () => {
    await run("twin", "migrate", "full.json");
    const before = await stored();
    home.calls.length = 0;
    const again = await run("twin", "migrate", "full.json");
    expect([again.exitCode, again.stdout]).toEqual([0, "nothing to do: version 1 is the same\n"]);
    const writes = home.calls.filter(({ command }) => /^(Put|Update|Delete|Transact)/.test(command));
    // Whether the trail can be written is asked by a put whose condition cannot hold.
    expect(writes).toEqual([{ service: "dynamodb", command: "PutItemCommand" }]);
    expect(json(await run("twin", "migrate", "full.json", "--json"))).toMatchObject({ changed: false });
    expect(await stored()).toEqual(before);
  });

  it("refuses an older source: exit 1, both times shown, nothing changed", async () => {
    await run("twin", "migrate", "newer.json");
    const before = await itemOf(twinType);
    const { exitCode, stdout, stderr } = await run("twin", "migrate", "older.json");
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("2025-11-10T10:00:00.000Z");
    expect(stderr).toContain("2025-11-20T10:00:00.000Z");
    expect(await itemOf(twinType)).toEqual(before);
    expect(await stored()).toEqual({ [twinType]: [1, "newer"] });
  });

  it("takes the source of any age with --force, and keeps the state before", async () => {
    await run("twin", "migrate", "newer.json");
    expect(json(await run("twin", "migrate", "older.json", "--force", "--json"))).toMatchObject({
      version: 2,
    });
    expect(await show()).toStrictEqual(older);
    expect(await stored()).toEqual({ [twinType]: [2, "older"], [twinHistoryType(1)]: [1, "newer"] });
  });

  it("takes the newer of each section with --merge", async () => {
    await run("twin", "migrate", "newer.json");
    await save("part.json", { ...older, communication: {}, learned: "only here" });
    expect(json(await run("twin", "migrate", "part.json", "--merge", "--json"))).toMatchObject({
      changed: true,
      changes: [{ path: "learned", kind: "added" }],
    });
    expect(await show()).toStrictEqual({ ...newer, learned: "only here" });
    expect(json(await run("twin", "migrate", "part.json", "--merge", "--json"))).toMatchObject({
      changed: false,
    });
  });

  it("shows the difference field by field before it writes, and alone with --dry-run", async () => {
    await run("twin", "migrate", "older.json");
    const before = await stored();
    const dry = await run("twin", "migrate", "newer.json", "--dry-run");
    expect(dry.exitCode).toBe(0);
    expect(dry.stdout).toContain('~ personality.traits      "older" -> "newer"');
    expect(dry.stdout).toContain("2 fields would change");
    expect(await stored()).toEqual(before);
    const wet = await run("twin", "migrate", "newer.json");
    expect(wet.stderr).toContain('~ personality.traits      "older" -> "newer"');
    expect(wet.stdout).toContain("version 2");
  });

  it("lists, compares and brings back versions; bringing back is a new one", async () => {
    for (const name of ["older", "full", "newer"]) await run("twin", "migrate", `${name}.json`);
    const rows = jsonLines(await run("twin", "history", "--json"));
    expect(rows.map(({ version, current, trainedAt }) => [version, current, trainedAt])).toEqual([
      [3, true, "2025-11-20T10:00:00.000Z"],
      [2, false, "2025-11-16T10:00:00.000Z"],
      [1, false, "2025-11-10T10:00:00.000Z"],
    ]);
    expect(json(await run("twin", "diff", "1", "3", "--json"))).toEqual({
      from: 1,
      to: 3,
      changes: [
        {
          path: "analytics.lastTraining",
          kind: "changed",
          before: "2025-11-10T10:00:00.000Z",
          after: "2025-11-20T10:00:00.000Z",
        },
        { path: "personality.traits", kind: "changed", before: "older", after: "newer" },
      ],
    });
    expect(json(await run("twin", "diff", "--json"))).toMatchObject({ from: 2, to: 3 });
    expect(json(await run("twin", "diff", "1", "--json"))).toMatchObject({ from: 1, to: 3 });

    expect(json(await run("twin", "rollback", "1", "--json"))).toMatchObject({ changed: true, version: 4 });
    expect(await show()).toStrictEqual(older);
    expect((await run("twin", "diff", "1", "4")).stdout).toBe("version 1 and version 4 are the same\n");
    expect(json(await run("twin", "rollback", "1", "--json"))).toMatchObject({ changed: false, version: 4 });
    expect(json(await run("twin", "rollback", "--json"))).toMatchObject({ changed: true, version: 5 });
    expect(await show()).toStrictEqual(newer);
    expect(await stored()).toEqual({
      [twinHistoryType(1)]: [1, "older"],
      [twinHistoryType(2)]: [2, full.personality.traits],
      [twinHistoryType(3)]: [3, "newer"],
      [twinHistoryType(4)]: [4, "older"],
      [twinType]: [5, "newer"],
    });
    expect((await run("twin", "rollback", "99")).stderr).toContain("there is no version 99");
  });

  it("refuses what cannot be stored before anything is written, also with --force", async () => {
    await run("twin", "migrate", "full.json");
    const before = await stored();
    await save("flat.json", { ...newer, personality: "a text" });
    await save("large.json", { ...newer, experience: { stories: "x".repeat(420_000) } });
    for (const source of ["flat.json", "large.json"]) {
      const { exitCode, stdout, stderr } = await run("twin", "migrate", source, "--force");
      expect([exitCode, stdout]).toEqual([4, ""]);
      expect(stderr).toContain("this twin cannot be stored");
    }
    expect(await stored()).toEqual(before);
  });

  it("lets one of two migrations at once win and tells the other", async () => {
    await run("twin", "migrate", "older.json");
    home.beforeUpdate = async (aws) => {
      home.beforeUpdate = undefined;
      // What the other one does, between this one's history entry and its update.
      await updateAttributes(aws, {
        table,
        key: keyOf(twinType),
        set: [
          { path: "digitalTwin", value: typed(full) },
          { path: "version", value: { N: "2" } },
        ],
      });
    };
    const first = await run("twin", "migrate", "newer.json");
    expect([first.exitCode, first.stdout]).toEqual([1, ""]);
    expect(first.stderr).toContain("somebody else stored another state of the digital twin meanwhile");
    expect(await show()).toStrictEqual(full);
    expect(await stored()).toEqual({
      [twinHistoryType(1)]: [1, "older"],
      [twinType]: [2, full.personality.traits],
    });
  });

  it("lets one of two first migrations at once win", async () => {
    home.beforeUpdate = async (aws) => {
      home.beforeUpdate = undefined;
      await updateAttributes(aws, {
        table,
        key: keyOf(twinType),
        set: [
          { path: "digitalTwin", value: typed(full) },
          { path: "version", value: { N: "1" } },
        ],
      });
    };
    expect((await run("twin", "migrate", "newer.json")).exitCode).toBe(1);
    expect(await show()).toStrictEqual(full);
  });

  it("comes to the same end when it was killed between the history and the update", async () => {
    await run("twin", "migrate", "older.json");
    home.beforeUpdate = async () => {
      home.beforeUpdate = undefined;
      throw new Error("killed");
    };
    expect((await run("twin", "migrate", "newer.json")).exitCode).not.toBe(0);
    expect(await stored()).toEqual({ [twinHistoryType(1)]: [1, "older"], [twinType]: [1, "older"] });
    expect(jsonLines(await run("twin", "history", "--json")).map(({ version }) => version)).toEqual([1]);
    expect(json(await run("twin", "migrate", "newer.json", "--json"))).toMatchObject({ version: 2 });
    expect(await stored()).toEqual({ [twinHistoryType(1)]: [1, "older"], [twinType]: [2, "newer"] });
    expect(jsonLines(await run("twin", "history", "--json")).map(({ version }) => version)).toEqual([2, 1]);
  });

  it("gives a state that another tool put there a number, and never a number twice", async () => {
    for (const name of ["older", "full"]) await run("twin", "migrate", `${name}.json`);
    await look(async (aws) => {
      await (await aws.dynamodb()).send(new DeleteItemCommand({ TableName: table, Key: keyOf(twinType) }));
      const set = [{ path: "digitalTwin", value: typed(trained("2025-11-18T10:00:00.000Z", "foreign")) }];
      await updateAttributes(aws, { table, key: keyOf(twinType), set });
    });
    expect(json(await run("twin", "migrate", "newer.json", "--json"))).toMatchObject({ version: 3 });
    expect(await stored()).toEqual({
      [twinHistoryType(1)]: [1, "older"],
      [twinHistoryType(2)]: [2, "foreign"],
      [twinType]: [3, "newer"],
    });
  });

  it("records what was changed, and nothing of the content", async () => {
    await run("twin", "migrate", "older.json");
    await run("twin", "migrate", "newer.json");
    await run("twin", "rollback");
    const { stdout } = await run("audit", "list", "--json");
    expect(stdout).not.toContain("neugierig");
    expect(stdout).not.toContain("Offenheit");
    const entries = stdout
      .split("\n")
      .filter((line) => line.includes('"twin.'))
      .map((line) => JSON.parse(line) as { action: string; userId: string; details: object });
    expect(entries.map(({ action, userId, details }) => [action, userId, details])).toEqual([
      ["twin.rolled-back", "owner", expect.objectContaining({ table, version: "3", method: "version 1" })],
      ["twin.migrated", "owner", expect.objectContaining({ table, version: "2", method: "newer" })],
      ["twin.migrated", "owner", expect.objectContaining({ table, version: "1", items: expect.any(Number) })],
    ]);
  });

  it("leaves the owner item as it is, and outlives the website's PutItem with the hero", async () => {
    const image = sharp({ create: { width: 640, height: 480, channels: 3, background: "#336699" } });
    await writeFile(join(home.folder, "photo.jpg"), await image.jpeg().toBuffer());
    const foreign = { type: { S: "website-images" }, ...foreignAttributes };
    await look((aws) => putOwnerItem(aws, profiles, foreign));
    const hero = json(await run("hero", "set", "photo.jpg", "--json"));
    const before = await look((aws) => ownerItem(aws, profiles, shape));
    for (const command of [
      ["migrate", "older.json"],
      ["migrate", "newer.json"],
      ["rollback"],
      ["show"],
      ["history"],
      ["diff"],
      ["export"],
    ]) {
      expect((await run("twin", ...command)).exitCode).toBe(0);
      expect(await look((aws) => ownerItem(aws, profiles, shape))).toEqual(before);
    }
    await look((aws) =>
      putOwnerItem(aws, profiles, {
        profileImageDefault: { S: String(hero["url"]) },
        profileImageHover: { NULL: true },
        type: { S: "website-images" },
        updatedAt: { S: "2026-03-02T00:00:00.000Z" },
      }),
    );
    expect(await show()).toStrictEqual(older);
    expect(json(await run("hero", "show", "--json"))["profileImageDefault"]).toBe(hero["url"]);
  });

  it("takes only its own key of a dump, and prints no other one", async () => {
    const dump = {
      digitalTwinTraining: JSON.stringify(full),
      idToken: fakeToken,
      apiKey: `${fakeToken}-2`,
    };
    await save("dump.json", dump);
    await save("broken.json", { ...dump, digitalTwinTraining: `{"x": "${fakeToken}` });
    const outputs: string[] = [];
    for (const command of [
      ["validate", "dump.json", "--verbose"],
      ["migrate", "dump.json", "--verbose"],
      ["migrate", "broken.json", "--verbose"],
      ["validate", "broken.json", "--json"],
      ["show", "--json"],
      ["export", "--format", "localstorage"],
      ["history", "--json"],
    ]) {
      const { stdout, stderr } = await run("twin", ...command);
      outputs.push(stdout, stderr);
    }
    outputs.push((await run("audit", "list", "--json")).stdout);
    expect(outputs.filter((text) => text.includes(fakeToken))).toEqual([]);
    expect(await show()).toStrictEqual(full);
  });
});

describe("twin", () => {
  const run = (...argv: string[]) => home.run(argv);

  it("makes its own table when it is missing, after asking", async () => {
    const TableName = "mawps-digital-twin";
    await home.look(async (aws) => {
      const dynamodb = await aws.dynamodb();
      await dynamodb.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: false }));
      await dynamodb.send(new DeleteTableCommand({ TableName }));
    });
    expect((await run("twin", "show")).stderr).toContain("there is no digital twin");
    expect((await run("twin", "history")).stdout).toContain("no digital twin yet");
    expect((await run("twin", "migrate", "full.json", "--dry-run")).exitCode).toBe(0);
    const unasked = await run("twin", "migrate", "full.json");
    expect([unasked.exitCode, unasked.stderr.includes("--yes")]).toEqual([1, true]);
    expect((await home.run(["twin", "migrate", "full.json"], { answers: [false] })).exitCode).toBe(1);
    expect((await run("twin", "history")).stdout).toContain("no digital twin yet");

    expect((await home.run(["twin", "migrate", "full.json", "--quiet"], { answers: [true] })).exitCode).toBe(
      0,
    );
    expect(json(await run("twin", "show", "--json"))).toStrictEqual(full);
    const setup = jsonLines(await run("setup", "--dry-run", "--json"));
    expect(setup.filter(({ name, result }) => name === TableName && result !== "none")).toEqual([]);
  });

  it("takes stdin, an export and a console line as sources", async () => {
    const stdin = Buffer.from(JSON.stringify(JSON.stringify(older)));
    expect((await home.run(["twin", "migrate", "-"], { stdin })).exitCode).toBe(0);
    const file = join(home.folder, "line.js");
    const written = json(await run("twin", "export", "--format", "localstorage", "-o", "line.js", "--json"));
    expect(written).toMatchObject({ file, version: 1, format: "localstorage" });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, "utf8")).toMatch(/^localStorage\.setItem\("digitalTwinTraining", "/);
    expect((await run("twin", "migrate", "line.js")).stdout).toContain("nothing to do");
    const again = await run("twin", "export", "-o", "line.js");
    expect([again.exitCode, again.stderr.includes("already exists")]).toEqual([1, true]);
    await run("twin", "export", "-o", "export.json");
    expect(JSON.parse(await readFile(join(home.folder, "export.json"), "utf8"))).toStrictEqual(older);
    expect((await run("twin", "migrate", "export.json")).stdout).toContain("nothing to do");
  });

  it("validates without storing: exit 4 on findings, 0 without", async () => {
    const fine = await run("twin", "validate", "full.json");
    expect(fine.exitCode).toBe(0);
    expect(fine.stdout).toContain("userId, type (kept)");
    await save("odd.json", { ...full, analytics: { ...full.analytics, progress: 175, anecdotesCount: 9 } });
    const odd = await run("twin", "validate", "odd.json", "--json");
    expect(odd.exitCode).toBe(4);
    expect(JSON.parse(odd.stdout)).toMatchObject({
      findings: [{ path: "analytics.progress" }, { path: "analytics.anecdotesCount" }],
      counts: { anecdotes: 2, insights: 1 },
    });
    expect(home.calls).toEqual([]);
  });

  it.each([
    [[], "no source given"],
    [["full.json", "--from-browser", "chrome"], "two sources"],
    [["--from-browser", "chrome"], "--origin"],
    [["full.json", "--origin", "https://www.example.com"], "--from-browser"],
    [["full.json", "--merge", "--force"], "--force"],
    [["--from-browser", "netscape"], "netscape"],
  ])("refuses %j with exit 2", async (argv, why) => {
    const { exitCode, stdout, stderr } = await run("twin", "migrate", ...argv);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(why);
  });

  it("says what to do where there is no twin, no version before, and no file", async () => {
    expect((await run("twin", "show")).stderr).toContain("mawps twin migrate");
    expect((await run("twin", "rollback")).exitCode).toBe(1);
    expect((await run("twin", "migrate", "nowhere.json")).stderr).toContain("there is no file");
    await run("twin", "migrate", "full.json");
    expect((await run("twin", "rollback")).stderr).toContain("no version before 1");
    expect((await run("twin", "diff")).stderr).toContain("no version before 1");
  });

  it("prints the line for another computer's browser without looking at anything", async () => {
    const { stdout } = await run("twin", "snippet");
    expect(stdout).toContain("digitalTwinTraining");
    expect(home.calls).toEqual([]);
  });
});
