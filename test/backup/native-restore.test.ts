import { UpdateTableCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { scanItems } from "../../src/aws/dynamodb/items.ts";
import { readNativeBackup } from "../../src/aws/dynamodb/native-backups.ts";
import { readSettings, restoreSettings } from "../../src/aws/dynamodb/restore-settings.ts";
import {
  readRecoveryWindow,
  readRestored,
  type RestoredTable,
} from "../../src/aws/dynamodb/table-recovery.ts";
import {
  carryOutRestore,
  decideStep,
  momentWithin,
  planRestore,
  type RestoreSource,
} from "../../src/backup/native-restore.ts";
import { makeBackups, planBackups } from "../../src/backup/native.ts";
import type { TableDeclaration } from "../../src/model/declaration.ts";
import { makeNativeWorld, type NativeWorld, profiles, putUser } from "./native-world.ts";

const at = new Date("2026-03-01T12:00:00Z");
const backup = {
  arn: "arn:aws:dynamodb:eu-central-1:1:table/profiles/backup/1",
  name: "nightly",
  table: "profiles",
  status: "AVAILABLE",
  type: "USER",
  createdAt: at,
  expiresAt: undefined,
  bytes: 1,
  items: 1,
  expiryAttribute: undefined,
  stream: undefined,
};
const named: RestoreSource = { kind: "time", table: "profiles", at, isNamed: true };
const relative: RestoreSource = { kind: "time", table: "profiles", at, isNamed: false };
const latest: RestoreSource = { kind: "time", table: "profiles", at: "latest", isNamed: false };
const fromBackup: RestoreSource = { kind: "backup", backup };

function table(isReady: boolean, restored?: Partial<RestoredTable["restored"]>): RestoredTable {
  const base = { isReady, status: isReady ? "ACTIVE" : "CREATING", items: 0 };
  return restored === undefined
    ? base
    : { ...base, restored: { from: "profiles", backup: undefined, at, ...restored } };
}

const other = new Date("2026-03-01T11:00:00Z");

describe("what is done about the new table", () => {
  it.each<[string, RestoredTable | undefined, RestoreSource, string]>([
    ["is begun where there is none", undefined, named, "begin"],
    ["waits for a restore of the same moment", table(false, {}), named, "wait"],
    ["completes the settings after one", table(true, {}), named, "settle"],
    ["waits for one of a moment that was not named", table(false, { at: other }), relative, "wait"],
    ["waits for one of the latest moment", table(false, { at: other }), latest, "wait"],
    ["waits for a restore from the same backup", table(false, { backup: backup.arn }), fromBackup, "wait"],
    ["completes one from the same backup", table(true, { backup: backup.arn }), fromBackup, "settle"],
  ])("%s", (_name, found, source, step) => {
    expect(decideStep(found, source, "target")).toBe(step);
  });

  it.each<[string, RestoredTable, RestoreSource]>([
    ["a table that was never restored", table(true), named],
    ["one from another table", table(true, { from: "others" }), named],
    ["one of another moment", table(true, { at: other }), named],
    ["one of another moment, under way", table(false, { at: other }), named],
    ["a finished one, when no moment was named", table(true, { at: other }), latest],
    ["one from a backup, when a moment is wanted", table(false, { backup: backup.arn }), relative],
    ["one from another backup", table(true, { backup: "arn:other" }), fromBackup],
  ])("refuses %s", (_name, found, source) => {
    expect(() => decideStep(found, source, "target")).toThrow(
      "table target already exists; nothing was changed",
    );
  });
});

describe("the moment", () => {
  const window = { enabled: true, earliest: new Date("2026-02-01T00:00:00.500Z"), latest: at };
  it.each<[string, Date | "latest", Date | undefined]>([
    ["the last one, to the second", "latest", at],
    ["the first second of the window", new Date("2026-02-01T00:00:00Z"), new Date("2026-02-01T00:00:00Z")],
    ["one in between", other, other],
  ])("can be %s", (_name, asked, moment) => {
    expect(momentWithin({ table: "profiles", at: asked }, window)).toEqual(moment);
  });

  it("is left to DynamoDB when the window is open for less than a second", () => {
    const open = { enabled: true, earliest: at, latest: new Date("2026-03-01T11:59:59.900Z") };
    expect(momentWithin({ table: "profiles", at: "latest" }, open)).toBeUndefined();
  });

  it.each([new Date("2026-01-31T23:59:59Z"), new Date("2026-03-01T12:00:01Z")])(
    "is refused outside the window: %s",
    (asked) => {
      expect(() => momentWithin({ table: "profiles", at: asked }, window)).toThrow(
        "its recovery reaches from 2026-02-01T00:00:00.500Z to 2026-03-01T12:00:00.000Z",
      );
    },
  );

  it("is refused where recovery is off", () => {
    expect(() => momentWithin({ table: "profiles", at: "latest" }, { enabled: false })).toThrow(
      "point-in-time recovery of profiles is off",
    );
  });
});

describe("a restore", () => {
  let world: NativeWorld;
  const source: RestoreSource = { kind: "time", table: profiles, at: "latest", isNamed: false };
  const everything = {
    tags: { owner: "Änne", stage: "prod" },
    expiryAttribute: "ttl",
    recoveryDays: 14,
    stream: "NEW_AND_OLD_IMAGES",
    deletionProtection: true,
  };

  beforeEach(async () => {
    world = await makeNativeWorld();
    await putUser(world.aws, "user-1", { name: "Änne", progress: 12345678901234 });
    await putUser(world.aws, "user-2");
  });

  afterEach(() => world.close());

  async function users(target: string): Promise<string[]> {
    const found: string[] = [];
    for await (const page of scanItems(world.aws, { table: target }))
      found.push(...page.map((item) => item["userId"]?.S ?? ""));
    return found.sort();
  }

  it("makes a new table with the items and gives back tags, expiry, recovery, stream and protection", async () => {
    await restoreSettings(world.aws, profiles, everything);
    const before = await readSettings(world.aws, profiles);
    expect(before).toEqual({ ...everything, recoveryDays: 35 });
    world.slowLooks = 3;
    const outcome = await carryOutRestore(
      world.site,
      await planRestore(world.site, { source, target: "profiles-before" }),
    );
    expect(outcome).toMatchObject({
      table: "profiles-before",
      from: profiles,
      settings: [
        "tags",
        "expiry by ttl",
        "recovery of 35 days",
        "stream NEW_AND_OLD_IMAGES",
        "deletion protection",
      ],
      unsupported: [],
    });
    expect(await readSettings(world.aws, "profiles-before")).toEqual(before);
    expect(await users("profiles-before")).toEqual(["user-1", "user-2"]);
    expect(await users(profiles)).toEqual(["user-1", "user-2"]);
    expect(world.told).toContain("DynamoDB restores profiles-before: CREATING, 0 min");
    expect(world.events.map(({ action, details }) => [action, details])).toEqual([
      ["table.restored", expect.objectContaining({ phase: "begun", table: profiles, to: "profiles-before" })],
      ["table.restored", expect.objectContaining({ phase: "done", table: profiles, to: "profiles-before" })],
    ]);
  });

  /** Every first answer of a kind of call is lost; which kinds those were. */
  async function loseAnswersOnce(): Promise<ReadonlySet<string>> {
    const lost = new Set<string>();
    const dynamodb = await world.aws.dynamodb();
    dynamodb.middlewareStack.add(
      (next, { commandName = "" }) =>
        async (args) => {
          const answer = await next(args);
          if (lost.has(commandName)) return answer;
          lost.add(commandName);
          throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
        },
      { step: "finalizeRequest", priority: "low" },
    );
    return lost;
  }

  it.each(["a moment", "a backup"])(
    "to %s is known as begun where every answer was lost once",
    async (of) => {
      await restoreSettings(world.aws, profiles, everything);
      const tables = world.site.declaration.tables.filter(({ name }) => name === profiles);
      const kept = await readNativeBackup(world.aws, await oneBackup(tables));
      if (kept === undefined) throw new Error("there is no backup");
      const from: RestoreSource = of === "a moment" ? source : { kind: "backup", backup: kept };
      const plan = await planRestore(world.site, { source: from, target: "profiles-before" });
      const lost = await loseAnswersOnce();
      await carryOutRestore(world.site, plan);
      expect([...lost]).toEqual(
        expect.arrayContaining([
          of === "a moment" ? "RestoreTableToPointInTimeCommand" : "RestoreTableFromBackupCommand",
          "UpdateTimeToLiveCommand",
          "UpdateTableCommand",
        ]),
      );
      expect(await readSettings(world.aws, "profiles-before")).toEqual(
        await readSettings(world.aws, profiles),
      );
      expect(await users("profiles-before")).toEqual(["user-1", "user-2"]);
    },
  );

  it("of another moment is not taken for the one whose answer was lost", async () => {
    const window = await readRecoveryWindow(world.aws, profiles);
    const moment = (window !== "unsupported" && window?.latest) || new Date();
    const wanted: RestoreSource = { kind: "time", table: profiles, at: moment, isNamed: true };
    const plan = await planRestore(world.site, { source: wanted, target: "profiles-before" });
    await loseAnswersOnce();
    const dynamodb = await world.aws.dynamodb();
    dynamodb.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        const { Table } = result.output as { Table?: { RestoreSummary?: { RestoreDateTime?: Date } } };
        if (Table?.RestoreSummary !== undefined) Table.RestoreSummary.RestoreDateTime = other;
        return result;
      },
      { step: "initialize" },
    );
    await expect(carryOutRestore(world.site, plan)).rejects.toThrow(/already exists/);
    expect(world.events.map(({ details }) => details?.["phase"])).toEqual(["begun", "failed"]);
    expect((await readSettings(world.aws, "profiles-before"))?.deletionProtection).toBe(false);
  });

  it("that was broken off is waited for and completed by the next run, and not begun again", async () => {
    const stop = new AbortController();
    const site = {
      ...world.site,
      signal: stop.signal,
      progress: (text: string) => (/CREATING/.test(text) ? stop.abort(new Error("stopped")) : undefined),
    };
    world.slowLooks = 1;
    await expect(
      carryOutRestore(site, await planRestore(site, { source, target: "profiles-before" })),
    ).rejects.toThrow("stopped");
    expect((await readSettings(world.aws, "profiles-before"))?.deletionProtection).toBe(false);

    world.slowLooks = 2;
    const plan = await planRestore(world.site, { source, target: "profiles-before" });
    expect(plan.step).toBe("wait");
    await carryOutRestore(world.site, plan);
    expect(await readSettings(world.aws, "profiles-before")).toEqual(await readSettings(world.aws, profiles));
    expect(world.calls.get("RestoreTableToPointInTimeCommand")).toBe(1);
  });

  it("that left settings undone is completed by its moment", async () => {
    const first = await planRestore(world.site, { source, target: "profiles-before" });
    await carryOutRestore(world.site, { ...first, settings: { tags: {}, deletionProtection: false } });
    await expect(planRestore(world.site, { source, target: "profiles-before" })).rejects.toThrow(
      "table profiles-before already exists",
    );
    const moment = (await readRestored(world.aws, "profiles-before"))?.restored?.at ?? new Date(0);
    const again = await planRestore(world.site, {
      source: { kind: "time", table: profiles, at: moment, isNamed: true },
      target: "profiles-before",
    });
    expect(again.step).toBe("settle");
    const outcome = await carryOutRestore(world.site, again);
    expect(outcome.settings).toEqual(["recovery of 35 days", "deletion protection"]);
  });

  it("into a table that is there changes nothing", async () => {
    const before = await users(profiles);
    await expect(planRestore(world.site, { source, target: profiles })).rejects.toThrow(
      `table ${profiles} already exists; nothing was changed`,
    );
    expect(await users(profiles)).toEqual(before);
    expect(world.events).toEqual([]);
  });

  it("from a backup of a table that is gone takes the settings from the backup and the model", async () => {
    await restoreSettings(world.aws, profiles, everything);
    const tables = world.site.declaration.tables.filter(({ name }) => name === profiles);
    const arn = await oneBackup(tables);
    const dynamodb = await world.aws.dynamodb();
    await dynamodb.send(new UpdateTableCommand({ TableName: profiles, DeletionProtectionEnabled: false }));
    const { DeleteTableCommand } = await import("@aws-sdk/client-dynamodb");
    await dynamodb.send(new DeleteTableCommand({ TableName: profiles }));

    const kept = await readNativeBackup(world.aws, arn);
    if (kept === undefined) throw new Error("the backup is gone");
    const plan = await planRestore(world.site, {
      source: { kind: "backup", backup: kept },
      target: profiles,
    });
    expect(plan.step).toBe("begin");
    await carryOutRestore(world.site, plan);
    expect(await users(profiles)).toEqual(["user-1", "user-2"]);
    expect(await readSettings(world.aws, profiles)).toEqual({
      tags: {},
      expiryAttribute: "ttl",
      recoveryDays: 35,
      stream: "NEW_AND_OLD_IMAGES",
      deletionProtection: true,
    });
  });

  async function oneBackup(tables: readonly TableDeclaration[]): Promise<string> {
    const [made] = await makeBackups(world.site, await planBackups(world.site, tables, "before"));
    return made?.arn ?? "none";
  }
});

describe("a backup that DynamoDB makes", () => {
  it("is waited for, recorded, and not begun again while it is under way", async () => {
    const world = await makeNativeWorld();
    try {
      const tables = world.site.declaration.tables;
      world.slowLooks = 2;
      const plans = await planBackups(world.site, tables, undefined);
      expect(plans.map(({ table }) => table).sort()).toEqual(["mawps-migrations", "mawps-user-profiles"]);
      expect(plans.every(({ name }) => /^mawps-\d{8}T\d{6}Z$/.test(name))).toBe(true);
      const made = await makeBackups(world.site, plans);
      expect(made.map(({ name, status }) => `${name} ${status}`)).toEqual(
        plans.map(({ name }) => `${name} AVAILABLE`),
      );
      expect(world.told.length).toBeGreaterThan(3);
      expect(world.events.map(({ action }) => action)).toEqual(["backup.created", "backup.created"]);

      const arn = String(world.events[0]?.details?.backupId);
      const underWay = { role: "userProfiles", table: profiles, name: "nightly", underWay: arn };
      expect(await makeBackups(world.site, [underWay])).toMatchObject([{ arn }]);
      expect(world.calls.get("CreateBackupCommand")).toBe(2);
    } finally {
      await world.close();
    }
  });
});
