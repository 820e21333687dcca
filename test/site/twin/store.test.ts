import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { queryItems } from "../../../src/aws/dynamodb/items.ts";
import { planMigration } from "../../../src/site/twin/migration-plan.ts";
import { resolve } from "../../../src/config/config.ts";
import type { Context } from "../../../src/context.ts";
import { contextOn } from "../../support/context.ts";
import {
  findTwinPlace,
  readTwin,
  twinHistory,
  twinVersion,
  writeTwin,
  type ReadTwin,
} from "../../../src/site/twin/store.ts";
import { openLocalAws, type LocalAws } from "../../support/local-aws.ts";

const now = new Date("2026-03-01T12:00:00.000Z");

const told = { action: "twin.migrated", method: "test", changes: [] } as const;

let local: LocalAws;
let context: Context;
/** How many more calls go through before the run is killed. */
let callsLeft: number;

beforeEach(async () => {
  local = await openLocalAws();
  callsLeft = Number.POSITIVE_INFINITY;
  const made = contextOn(local.aws, resolve({}, {}, undefined).config, { now: () => now });
  context = { ...made, tables: { ...made.tables, userProfiles: "profiles", digitalTwin: "twins" } };
  const dynamodb = await local.aws.dynamodb();
  dynamodb.middlewareStack.add(
    (next) => async (args) => {
      if (callsLeft <= 0) throw new Error("killed");
      callsLeft -= 1;
      return next(args);
    },
    { step: "initialize", name: "killed" },
  );
});

afterEach(() => local.close());

async function makeTable(name: string, ...keys: string[]): Promise<void> {
  const dynamodb = await local.aws.dynamodb();
  await dynamodb.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      KeySchema: keys.map((AttributeName, at) => ({ AttributeName, KeyType: at === 0 ? "HASH" : "RANGE" })),
    }),
  );
}

function twin(day: number): Record<string, unknown> {
  return {
    personality: { traits: `day ${day}` },
    analytics: { lastTraining: `2025-11-${10 + day}T00:00:00Z` },
  };
}

async function migrate(source: Record<string, unknown>): Promise<string> {
  return migrateOver(await readTwin(context), source);
}

async function migrateOver(read: ReadTwin, source: Record<string, unknown>): Promise<string> {
  const plan = planMigration({ stored: read.current, source, mode: "newer" });
  if (plan.action === "write") await writeTwin(context, read, { ...plan, ...told });
  return plan.action;
}

async function items(table: string): Promise<unknown[]> {
  const found: unknown[] = [];
  const partition = { attribute: "userId", value: { S: "owner" } };
  for await (const page of queryItems(local.aws, { table, partition })) found.push(...page);
  return found;
}

async function historyVersions(): Promise<number[]> {
  const versions: number[] = [];
  for await (const { version } of twinHistory(context, await readTwin(context))) versions.push(version);
  return versions;
}

describe("the place of the twin", () => {
  it.each([
    { profiles: ["userId"], twins: ["userId", "type"], place: { table: "twins", exists: true } },
    { profiles: ["userId"], twins: undefined, place: { table: "twins", exists: false } },
    { profiles: ["userId", "type"], twins: undefined, place: { table: "profiles", exists: true } },
    { profiles: ["userId", "type"], twins: ["pk"], place: { table: "profiles", exists: true } },
  ])("is $place.table beside profiles with $profiles and twins with $twins", async (row) => {
    await makeTable("profiles", ...row.profiles);
    if (row.twins !== undefined) await makeTable("twins", ...row.twins);
    expect(await findTwinPlace(context)).toEqual(row.place);
  });

  it.each([
    { profiles: ["pk", "sk"], twins: ["userId", "type"], why: 'partition key "pk"' },
    { profiles: ["userId"], twins: ["userId"], why: 'no sort key "type"' },
    { profiles: ["userId"], twins: ["pk"], why: 'partition key "pk"' },
  ])("is refused beside profiles with $profiles and twins with $twins", async ({ profiles, twins, why }) => {
    await makeTable("profiles", ...profiles);
    await makeTable("twins", ...twins);
    await expect(findTwinPlace(context)).rejects.toThrow(why);
  });
});

describe.each([
  { shape: "simple", profiles: ["userId"], table: "twins" },
  { shape: "composite", profiles: ["userId", "type"], table: "profiles" },
])("the store beside a $shape table", ({ profiles, table }) => {
  beforeEach(async () => {
    await makeTable("profiles", ...profiles);
    if (table === "twins") await makeTable("twins", "userId", "type");
  });

  it("comes to the same end wherever a run was killed", async () => {
    for (const day of [1, 2, 3]) await migrate(twin(day));
    const before = await items(table);
    callsLeft = 1000;
    await migrate(twin(4));
    const calls = 1000 - callsLeft;
    callsLeft = Number.POSITIVE_INFINITY;
    const expected = await items(table);
    expect(expected).toHaveLength(before.length + 1);
    expect(calls).toBeGreaterThan(5);

    // Each later migration is killed before its call number `killed`, then run again.
    for (let killed = 0; killed < calls; killed += 1) {
      const day = 5 + killed;
      callsLeft = killed;
      await expect(migrate(twin(day))).rejects.toThrow("killed");
      callsLeft = Number.POSITIVE_INFINITY;
      await migrate(twin(day));
      const read = await readTwin(context);
      expect([read.current?.version, read.current?.value]).toEqual([day, twin(day)]);
      expect(await historyVersions()).toEqual(Array.from({ length: day - 1 }, (_, at) => day - 1 - at));
      expect((await twinVersion(context, read, day - 1)).value).toEqual(twin(day - 1));
    }
  });

  it("lets one of several writers at once win and tells each of the others", async () => {
    await migrate(twin(1));
    // Whoever reads behind the first write would be none of them.
    const read = await readTwin(context);
    const outcomes = await Promise.allSettled([2, 3, 4, 5].map((day) => migrateOver(read, twin(day))));
    const won = outcomes.filter(({ status }) => status === "fulfilled");
    const lost = outcomes.filter((each) => each.status === "rejected").map((each) => String(each.reason));
    expect(won).toHaveLength(1);
    for (const reason of lost) expect(reason).toContain("somebody else stored another state");
    expect([(await readTwin(context)).current?.version, await historyVersions()]).toEqual([2, [1]]);
  });

  it("says so when there is no such version", async () => {
    await migrate(twin(1));
    await expect(twinVersion(context, await readTwin(context), 7)).rejects.toThrow("there is no version 7");
  });

  it("refuses a state that would not fit before it writes anything", async () => {
    await migrate(twin(1));
    const before = await items(table);
    const read = await readTwin(context);
    const write = { value: { stories: "x".repeat(410_000) }, version: 2 };
    await expect(writeTwin(context, read, { ...write, ...told })).rejects.toThrow("at most 400 KB");
    expect(await items(table)).toEqual(before);
  });
});
