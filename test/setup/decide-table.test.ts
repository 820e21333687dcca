import { describe, expect, it } from "vitest";
import type { StoredTable } from "../../src/aws/dynamodb/table-settings.ts";
import type { TableKeys } from "../../src/model/declaration.ts";
import { defaultNames, mawps } from "../../src/model/mawps.ts";
import type { ActualTable } from "../../src/setup/actual.ts";
import { decideTables } from "../../src/setup/decide-table.ts";
import { dueSteps } from "../../src/setup/step.ts";

const declaration = mawps(defaultNames);
const { userProfiles, digitalTwin, auditLog, migrations } = defaultNames.tables;

const simple: TableKeys = { partition: { name: "userId", type: "S" } };
const composite: TableKeys = { ...simple, sort: { name: "type", type: "S" } };
const missing: ActualTable = { table: undefined };

function asDeclared(
  name: string,
  differing: Partial<StoredTable> = {},
  more: Partial<ActualTable> = {},
): ActualTable {
  const wanted = declaration.tables.find((table) => table.name === name);
  if (wanted === undefined) throw new Error(`no table ${name}`);
  return {
    table: {
      status: "ACTIVE",
      keys: wanted.keys,
      indexes: wanted.indexes.map(({ name, keys }) => ({ name, keys, status: "ACTIVE", projection: "ALL" })),
      billing: "on-demand",
      deletionProtection: true,
      ...differing,
    },
    expiry: { status: "ENABLED", attribute: "ttl" },
    recovery: { enabled: true, days: 35 },
    ...more,
  };
}

function all(differing: Readonly<Record<string, ActualTable>> = {}): ReadonlyMap<string, ActualTable> {
  const names = [userProfiles, digitalTwin, auditLog, migrations];
  return new Map(names.map((name) => [name, differing[name] ?? asDeclared(name)]));
}

function off(differing: Readonly<Record<string, ActualTable>>): string[] {
  return decideTables(declaration, all(differing))
    .filter(({ kind }) => kind !== "ok")
    .map(({ kind, name, aspect }) => `${kind} ${name} ${aspect}`);
}

describe("the tables", () => {
  it("as declared need nothing", () => {
    expect(off({})).toEqual([]);
  });

  it("that are missing are made with what belongs to them", () => {
    const none = {
      [userProfiles]: missing,
      [digitalTwin]: missing,
      [auditLog]: missing,
      [migrations]: missing,
    };
    expect(off(none)).toEqual([
      `create ${userProfiles} table`,
      `add ${userProfiles} recovery`,
      `create ${digitalTwin} table`,
      `add ${digitalTwin} recovery`,
      `create ${auditLog} table`,
      `add ${auditLog} expiry`,
      `add ${auditLog} recovery`,
      `create ${migrations} table`,
      `add ${migrations} recovery`,
    ]);
  });

  it.each([simple, composite])("are right with either shape of the profile table: %j", (keys) => {
    expect(off({ [userProfiles]: asDeclared(userProfiles, { keys }) })).toEqual([]);
  });

  it("have one for the digital twin beside the simple shape only", () => {
    const withTwin = off({ [digitalTwin]: missing });
    expect(withTwin).toContain(`create ${digitalTwin} table`);
    const profiles = asDeclared(userProfiles, { keys: composite });
    expect(off({ [userProfiles]: profiles, [digitalTwin]: missing })).toEqual([]);
  });

  it.each<[string, Partial<StoredTable>, Partial<ActualTable>, string]>([
    ["provisioned capacity", { billing: "provisioned" }, {}, "change capacity"],
    ["no deletion protection", { deletionProtection: false }, {}, "add deletion protection"],
    ["no recovery", {}, { recovery: { enabled: false } }, "add recovery"],
    ["recovery never asked for", {}, { recovery: undefined }, "add recovery"],
    ["a shorter recovery", {}, { recovery: { enabled: true, days: 7 } }, "change recovery"],
    ["no expiry", {}, { expiry: { status: "DISABLED" } }, "add expiry"],
    [
      "an expiry being switched off",
      {},
      { expiry: { status: "DISABLING", attribute: "ttl" } },
      "note expiry",
    ],
    ["an expiry by something else", {}, { expiry: { status: "ENABLED", attribute: "x" } }, "problem expiry"],
    ["a server without protection", { deletionProtection: "unsupported" }, {}, "note deletion protection"],
    ["a server without recovery", {}, { recovery: "unsupported" }, "note recovery"],
    ["a recovery that may not be read", {}, { recovery: "denied" }, "problem recovery"],
    ["keys nobody knows", { keys: { partition: { name: "pk", type: "S" } } }, {}, "problem keys"],
    [
      "a key of another type",
      { keys: { partition: { name: "chain", type: "S" }, sort: { name: "sequence", type: "S" } } },
      {},
      "problem keys",
    ],
  ])("with %s", (_name, differing, more, step) => {
    const [kind, ...aspect] = step.split(" ");
    const expected = `${kind} ${auditLog} ${aspect.join(" ")}`;
    expect(off({ [auditLog]: asDeclared(auditLog, differing, more) })).toEqual([expected]);
  });

  it("are left alone entirely where the keys are not understood", () => {
    const keys: TableKeys = { partition: { name: "pk", type: "S" }, sort: { name: "sk", type: "S" } };
    const profiles = asDeclared(
      userProfiles,
      { keys, deletionProtection: false },
      { recovery: { enabled: false } },
    );
    const steps = decideTables(declaration, all({ [userProfiles]: profiles }));
    const [step, ...others] = steps.filter(({ name }) => name === userProfiles);
    expect(step).toMatchObject({ kind: "problem", from: "pk (S) + sk (S)" });
    expect(step?.to).toContain("userId (S), or userId (S) + type (S)");
    expect(others).toEqual([]);
    expect(dueSteps(steps, true)).toEqual([]);
  });

  it("get the index that is missing, and no other", () => {
    const [first] = declaration.tables.find(({ name }) => name === auditLog)?.indexes ?? [];
    if (first === undefined) throw new Error("the audit table has no index");
    const indexes = [{ ...first, status: "CREATING", projection: "ALL" }];
    const steps = decideTables(declaration, all({ [auditLog]: asDeclared(auditLog, { indexes }) }));
    const made = steps.filter(({ aspect }) => aspect === "index").map(({ kind, to }) => `${kind} ${to}`);
    expect(made).toEqual([
      "note UserId-Timestamp-Index: userId (S) + timestamp (S) is being filled",
      "add Action-Timestamp-Index: action (S) + timestamp (S)",
    ]);
  });

  it("keep an index of another make, and say what to do", () => {
    const indexes = declaration.tables
      .flatMap((table) => table.indexes)
      .map(({ name, keys }) => ({ name, keys, status: "ACTIVE", projection: "KEYS_ONLY" }));
    expect(off({ [auditLog]: asDeclared(auditLog, { indexes }) })).toEqual([
      `problem ${auditLog} index`,
      `problem ${auditLog} index`,
    ]);
  });

  it("that could not be read have no steps", () => {
    const actual = new Map(all());
    actual.delete(migrations);
    expect(decideTables(declaration, actual).filter(({ name }) => name === migrations)).toEqual([]);
  });
});
