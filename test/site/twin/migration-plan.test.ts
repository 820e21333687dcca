import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sameJson } from "../../../src/model/json.ts";
import { twinHistoryType, twinHistoryVersion } from "../../../src/model/twin.ts";
import { diffTwin } from "../../../src/site/twin/difference.ts";
import { compareAge, mergeTwin, twinAge } from "../../../src/site/twin/merge.ts";
import { type MigrationMode, planMigration, planWrite } from "../../../src/site/twin/migration-plan.ts";

const monday = "2025-11-10T10:00:00.000Z";
const tuesday = "2025-11-11T10:00:00.000Z";

function twin(traits: string, lastTraining?: string, rest: object = {}) {
  return {
    personality: { traits },
    ...(lastTraining === undefined ? {} : { analytics: { lastTraining } }),
    ...rest,
  };
}

const [old, newer, undated] = [twin("old", monday), twin("newer", tuesday), twin("undated")];

describe("the plan of a migration", () => {
  test.each<[string, object | undefined, object, MigrationMode, string, object?]>([
    ["nothing is stored", undefined, old, "newer", "write", old],
    ["nothing is stored and merged", undefined, old, "merge", "write", old],
    ["nothing is stored and forced", undefined, old, "force", "write", old],
    ["the same is stored", old, old, "newer", "nothing-to-do"],
    [
      "the same is stored in another order",
      old,
      Object.fromEntries(Object.entries(old).reverse()),
      "newer",
      "nothing-to-do",
    ],
    ["the same is stored and merged", old, old, "merge", "nothing-to-do"],
    ["the same is stored and forced", old, old, "force", "nothing-to-do"],
    ["the source is newer", old, newer, "newer", "write", newer],
    ["the source is older", newer, old, "newer", "refuse-newer"],
    ["the source is older and forced", newer, old, "force", "write", old],
    ["the source is older and merged, with nothing of its own", newer, old, "merge", "nothing-to-do"],
    ["the source is newer and merged", old, newer, "merge", "write", newer],
    ["both are of the same time", old, twin("other", monday), "newer", "write", twin("other", monday)],
    ["the source has no date", old, undated, "newer", "refuse-newer"],
    ["the stored one has no date", undated, old, "newer", "write", old],
    ["neither has a date", undated, twin("other"), "newer", "write", twin("other")],
    ["a stored date is none", twin("x", "yesterday"), undated, "newer", "write", undated],
  ])("when %s", (_name, stored, source, mode, action, value) => {
    const plan = planMigration({
      stored: stored === undefined ? undefined : { value: { ...stored }, version: 7 },
      source: { ...source },
      mode,
    });
    expect(plan.action).toBe(action);
    if (plan.action !== "write") return;
    expect(plan.value).toStrictEqual(value);
    expect(plan.version).toBe(stored === undefined ? 1 : 8);
    expect(plan.history).toStrictEqual(stored === undefined ? undefined : { value: stored, version: 7 });
    expect(plan.changes).toStrictEqual(diffTwin(stored ?? {}, value));
  });

  test("shows both ages when it refuses", () => {
    const updated = { ...undated, updatedAt: tuesday };
    expect(
      planMigration({ stored: { value: updated, version: 1 }, source: old, mode: "newer" }),
    ).toMatchObject({
      action: "refuse-newer",
      stored: { date: tuesday, field: "updatedAt" },
      source: { date: monday, field: "analytics.lastTraining" },
    });
  });

  test("is done once carried out, in every mode", () => {
    const modes = fc.constantFrom<MigrationMode>("newer", "merge", "force");
    fc.assert(
      fc.property(twins, twins, modes, (value, source, mode) => {
        const plan = planMigration({ stored: { value, version: 1 }, source, mode });
        if (plan.action !== "write") return;
        const again = planMigration({ stored: { value: plan.value, version: plan.version }, source, mode });
        expect(again.action).toBe("nothing-to-do");
      }),
    );
  });

  test("of a rollback makes a new version with the old content, once", () => {
    const plan = planWrite({ value: newer, version: 3 }, old);
    expect(plan).toMatchObject({
      action: "write",
      value: old,
      version: 4,
      history: { value: newer, version: 3 },
    });
    expect(planWrite({ value: old, version: 4 }, old)).toStrictEqual({ action: "nothing-to-do" });
  });
});

const section = fc.record(
  { traits: fc.string(), updatedAt: fc.constantFrom(monday, tuesday, "never"), extra: fc.jsonValue() },
  { requiredKeys: [] },
);
const twins = fc.record(
  {
    personality: section,
    communication: section,
    analytics: fc.record({ lastTraining: fc.constantFrom(monday, tuesday), progress: fc.nat(100) }),
    unknown: fc.jsonValue({ maxDepth: 2 }),
    updatedAt: fc.constantFrom(monday, tuesday),
  },
  { requiredKeys: [] },
);

describe("merging two twins", () => {
  test.each([
    ["the newer twin's sections win", old, newer, newer],
    [
      "a section that only the older one has stays",
      { ...newer },
      { ...old, experience: { stories: "s" } },
      { ...newer, experience: { stories: "s" } },
    ],
    [
      "an emptied section of the newer one does not count",
      { ...old },
      { ...newer, personality: { traits: " " } },
      { ...newer, personality: { traits: "old" } },
    ],
    [
      "a section's own date counts more than the twin's",
      { ...old, experience: { stories: "late", updatedAt: tuesday } },
      { ...newer, experience: { stories: "early", updatedAt: monday } },
      { ...newer, experience: { stories: "late", updatedAt: tuesday } },
    ],
    ["at the same age the stored one stays", twin("a", monday), twin("b", monday), twin("a", monday)],
    ["unknown fields of both stay", { ...old, x: 1 }, { ...newer, y: 2 }, { ...newer, x: 1, y: 2 }],
  ])("%s", (_name, stored, source, expected) => {
    expect(mergeTwin(stored, source)).toStrictEqual(expected);
  });

  test("again with the same source changes nothing, and no field gets lost", () => {
    fc.assert(
      fc.property(twins, twins, (stored, source) => {
        const merged = mergeTwin(stored, source);
        expect(sameJson(mergeTwin(merged, source), merged)).toBe(true);
        expect(new Set(Object.keys(merged))).toStrictEqual(
          new Set([...Object.keys(stored), ...Object.keys(source)]),
        );
      }),
    );
  });

  test.each([
    ["lastTraining", { analytics: { lastTraining: monday }, updatedAt: tuesday }, monday],
    [
      "updatedAt where lastTraining is none",
      { analytics: { lastTraining: "x" }, updatedAt: tuesday },
      tuesday,
    ],
    ["nothing", { analytics: 3 }, undefined],
  ])("takes a twin's age from %s", (_name, value, date) => {
    expect(twinAge(value)?.date).toBe(date);
  });

  test("compares times and not their texts", () => {
    expect(compareAge(twin("a", "2025-11-10T12:00:00+02:00"), twin("b", monday))).toBe("same-age");
    expect(compareAge(twin("a", "2025-11-10T10:00:00Z"), twin("b", "2025-11-10T09:59:59.999Z"))).toBe(
      "stored-newer",
    );
  });
});

describe("the difference of two twins", () => {
  test("names each field that was added, removed or changed, down to single texts", () => {
    const before = { personality: { traits: "a", values: "v" }, list: [1, 2], gone: null };
    const after = {
      personality: { traits: "b", values: "v", "odd.name": 1 },
      list: [2, 1],
      new: { deep: {} },
    };
    expect(diffTwin(before, after)).toStrictEqual([
      { path: ["gone"], kind: "removed", before: null },
      { path: ["list"], kind: "changed", before: [1, 2], after: [2, 1] },
      { path: ["new"], kind: "added", after: { deep: {} } },
      { path: ["personality", "odd.name"], kind: "added", after: 1 },
      { path: ["personality", "traits"], kind: "changed", before: "a", after: "b" },
    ]);
  });

  test("is empty exactly when the content is the same", () => {
    fc.assert(
      fc.property(twins, twins, (a, b) => {
        expect(diffTwin(a, b).length === 0).toBe(sameJson(a, b));
      }),
    );
    fc.assert(
      fc.property(twins, (a) => {
        expect(diffTwin(a, structuredClone(a))).toStrictEqual([]);
      }),
    );
  });
});

describe("the name of a history entry", () => {
  test("sorts by version and gives it back", () => {
    const versions = [1, 2, 10, 99, 12_345];
    const names = versions.map(twinHistoryType);
    expect(names[0]).toBe("digital-twin#v00000001");
    expect(names.toSorted()).toStrictEqual(names);
    expect(names.map(twinHistoryVersion)).toStrictEqual(versions);
    expect(["digital-twin", "digital-twin#v1", "website-images"].map(twinHistoryVersion)).toStrictEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
