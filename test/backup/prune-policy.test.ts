import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decidePrune,
  isEmptyPolicy,
  isoWeek,
  type Aged,
  type PrunePolicy,
} from "../../src/backup/prune-policy.ts";

const hour = 60 * 60_000;

function aged(...times: string[]): Aged[] {
  return times.map((time) => ({ id: time, startedAt: new Date(time) }));
}

/** What is kept, with the reasons. */
function kept(all: readonly Aged[], policy: PrunePolicy): Record<string, readonly string[]> {
  return Object.fromEntries(
    decidePrune(all, policy)
      .filter(({ isKept }) => isKept)
      .map(({ id, reasons }) => [id, reasons]),
  );
}

describe("what a policy keeps", () => {
  test("those that leave something out count among their like", () => {
    const all = aged(
      "2026-11-21T04:00:00Z",
      "2026-11-21T03:00:00Z",
      "2026-11-20T04:00:00Z",
      "2026-11-20T03:00:00Z",
    );
    const mixed = all.map((one, at) => (at % 2 === 0 ? { ...one, left: "bucket files" } : one));
    expect(kept(mixed, { last: 1 })).toEqual({
      "2026-11-21T04:00:00Z": ["newest (--only)", "last (--only)"],
      "2026-11-21T03:00:00Z": ["newest", "last"],
    });
  });

  const nightly = aged(
    "2026-11-21T03:00:00Z",
    "2026-11-20T03:00:00Z",
    "2026-11-19T23:00:00Z",
    "2026-11-19T03:00:00Z",
    "2026-11-15T03:00:00Z",
    "2026-10-31T03:00:00Z",
    "2025-12-31T03:00:00Z",
  );
  const newest = "2026-11-21T03:00:00Z";

  test.each<[string, PrunePolicy, Record<string, string[]>]>([
    ["the last ones", { last: 2 }, { [newest]: ["newest", "last"], "2026-11-20T03:00:00Z": ["last"] }],
    [
      "the newest of a day, of days that have one",
      { daily: 4 },
      {
        [newest]: ["newest", "daily 2026-11-21"],
        "2026-11-20T03:00:00Z": ["daily 2026-11-20"],
        "2026-11-19T23:00:00Z": ["daily 2026-11-19"],
        "2026-11-15T03:00:00Z": ["daily 2026-11-15"],
      },
    ],
    [
      "the newest of a week: Sunday the 15th is of the week before",
      { weekly: 2 },
      { [newest]: ["newest", "weekly 2026-W47"], "2026-11-15T03:00:00Z": ["weekly 2026-W46"] },
    ],
    [
      "the newest of a month",
      { monthly: 12 },
      {
        [newest]: ["newest", "monthly 2026-11"],
        "2026-10-31T03:00:00Z": ["monthly 2026-10"],
        "2025-12-31T03:00:00Z": ["monthly 2025-12"],
      },
    ],
    [
      "what is within a time of the newest, the very edge too",
      { withinMs: 48 * hour },
      {
        [newest]: ["newest", "within"],
        "2026-11-20T03:00:00Z": ["within"],
        "2026-11-19T23:00:00Z": ["within"],
        "2026-11-19T03:00:00Z": ["within"],
      },
    ],
    [
      "all that any rule keeps, with every reason",
      { last: 1, daily: 1, weekly: 1, monthly: 1, withinMs: hour },
      { [newest]: ["newest", "last", "daily 2026-11-21", "weekly 2026-W47", "monthly 2026-11", "within"] },
    ],
    ["the newest, whatever it says", {}, { [newest]: ["newest"] }],
  ])("is %s", (_, policy, expected) => {
    expect(kept(nightly, policy)).toEqual(expected);
  });

  test("is never without the newest that was verified", () => {
    const [newer, older, oldest] = aged(
      "2026-03-03T00:00:00Z",
      "2026-03-02T00:00:00Z",
      "2026-03-01T00:00:00Z",
    );
    const verified = { verifiedAt: new Date("2026-03-04T00:00:00Z"), lastCheck: { outcome: "ok" } } as const;
    const all = [newer, { ...older, ...verified }, { ...oldest, ...verified }] as Aged[];
    expect(kept(all, { last: 1 })).toEqual({
      "2026-03-03T00:00:00Z": ["newest", "last"],
      "2026-03-02T00:00:00Z": ["newest verified"],
    });
  });

  test("takes a successful drill for as good as a look at every byte", () => {
    const [newer, older] = aged("2026-03-03T00:00:00Z", "2026-03-02T00:00:00Z");
    const all = [newer, { ...older, drilledAt: new Date("2026-03-04T00:00:00Z") }] as Aged[];
    expect(Object.keys(kept(all, { last: 1 }))).toEqual(["2026-03-03T00:00:00Z", "2026-03-02T00:00:00Z"]);
  });

  test("holds on to an older one where the newest verified has failed since", () => {
    const at = new Date("2026-03-04T00:00:00Z");
    const [newer, older, oldest] = aged(
      "2026-03-03T00:00:00Z",
      "2026-03-02T00:00:00Z",
      "2026-03-01T00:00:00Z",
    );
    const all = [
      newer,
      { ...older, verifiedAt: at, lastCheck: { outcome: "failed" } },
      { ...oldest, verifiedAt: at, lastCheck: { outcome: "ok" } },
    ] as Aged[];
    expect(kept(all, { last: 1 })).toEqual({
      "2026-03-03T00:00:00Z": ["newest", "last"],
      "2026-03-02T00:00:00Z": ["newest verified"],
      "2026-03-01T00:00:00Z": ["newest verified that did not fail since"],
    });
  });
});

test.each([
  ["2026-01-01T00:00:00Z", "2026-W01"],
  ["2025-12-29T00:00:00Z", "2026-W01"],
  ["2027-01-03T23:59:59Z", "2026-W53"],
  ["2027-01-04T00:00:00Z", "2027-W01"],
  ["2024-12-30T12:00:00Z", "2025-W01"],
  ["2026-11-22T23:59:59Z", "2026-W47"],
])("%s is in the ISO week %s", (time, week) => {
  expect(isoWeek(new Date(time))).toBe(week);
});

test.each<[PrunePolicy, boolean]>([
  [{}, true],
  [{ last: 0, daily: 0 }, true],
  [{ withinMs: 0 }, true],
  [{ monthly: 1 }, false],
  [{ withinMs: 1 }, false],
])("the policy %o is empty: %s", (policy, isEmpty) => {
  expect(isEmptyPolicy(policy)).toBe(isEmpty);
});

describe("for any backups and any policy", () => {
  const time = fc.date({ min: new Date("2020-01-01"), max: new Date("2030-01-01"), noInvalidDate: true });
  const check = fc.record(
    { verifiedAt: time, drilledAt: time, lastCheck: fc.record({ outcome: fc.constantFrom("ok", "failed") }) },
    { requiredKeys: [] },
  );
  const snapshots = fc
    .array(fc.tuple(time, check), { maxLength: 40 })
    .map((all) => all.map(([startedAt, checks], index) => ({ id: `s${index}`, startedAt, ...checks })));
  const amount = fc.option(fc.nat(6), { nil: undefined });
  const policies = fc.record({
    last: amount,
    daily: amount,
    weekly: amount,
    monthly: amount,
    withinMs: fc.option(fc.nat(400 * 24 * hour), { nil: undefined }),
  });
  const idsOf = (all: readonly Aged[], policy: PrunePolicy) => new Set(Object.keys(kept(all, policy)));

  test("every backup gets one verdict, and is kept exactly when something keeps it", () => {
    fc.assert(
      fc.property(snapshots, policies, (all, policy) => {
        const verdicts = decidePrune(all, policy);
        expect(verdicts.map(({ id }) => id).sort()).toEqual(all.map(({ id }) => id).sort());
        expect(verdicts.map(({ isKept }) => isKept)).toEqual(
          verdicts.map(({ reasons }) => reasons.length > 0),
        );
      }),
    );
  });

  test("the newest stays, and so does the newest that was verified", () => {
    fc.assert(
      fc.property(snapshots, policies, (all, policy) => {
        const ids = idsOf(all, policy);
        const newestFirst = decidePrune(all, {}).map(({ id }) => all.find((one) => one.id === id));
        const isProven = (one: Aged | undefined) =>
          one?.verifiedAt !== undefined || one?.drilledAt !== undefined;
        const expected = [newestFirst[0], newestFirst.find(isProven)].flatMap((one) =>
          one === undefined ? [] : [one.id],
        );
        expect([...ids]).toEqual(expect.arrayContaining(expected));
      }),
    );
  });

  test("pruning again with the same policy removes nothing more", () => {
    fc.assert(
      fc.property(snapshots, policies, (all, policy) => {
        const once = idsOf(all, policy);
        const left = all.filter(({ id }) => once.has(id));
        expect(idsOf(left, policy)).toEqual(once);
      }),
    );
  });

  test("asking for more keeps all that was kept before", () => {
    fc.assert(
      fc.property(snapshots, policies, fc.nat(3), (all, policy, more) => {
        const wider = {
          last: (policy.last ?? 0) + more,
          daily: (policy.daily ?? 0) + more,
          weekly: (policy.weekly ?? 0) + more,
          monthly: (policy.monthly ?? 0) + more,
          withinMs: (policy.withinMs ?? 0) + more * hour,
        };
        const ids = idsOf(all, wider);
        expect([...ids]).toEqual(expect.arrayContaining([...idsOf(all, policy)]));
      }),
    );
  });
});
