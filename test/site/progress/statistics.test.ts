import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Quantiles, sketchError } from "../../../src/site/progress/quantiles.ts";
import { readProgress } from "../../../src/site/progress/read.ts";
import { pageColumns, pageRows, progressColumns, progressRows } from "../../../src/site/progress/rows.ts";
import { ProgressTally, type StatisticsOptions } from "../../../src/site/progress/statistics.ts";

const now = new Date("2025-11-20T00:00:00.000Z");

function daysAgo(days: number, minutes = 0): string {
  return new Date(now.getTime() - days * 86_400_000 + minutes * 60_000).toISOString();
}

/** Three users of different kinds, small enough to be counted by hand. */
const users: readonly unknown[] = [
  {
    // Active today: one page completed after 30 minutes, one begun up to its second step.
    pages: {
      ikigai: {
        firstVisit: daysAgo(1),
        lastVisit: daysAgo(0),
        visitCount: 3,
        completed: true,
        completedAt: daysAgo(1, 30),
        completionPercentage: 100,
        steps: { "step-1": { completed: true } },
      },
      mbti: {
        firstVisit: daysAgo(1),
        lastVisit: daysAgo(1),
        visitCount: 1,
        completed: false,
        completionPercentage: 40,
        steps: {
          "step-1": { completed: true },
          "step-2": { completed: true },
          "step-3": { completed: false },
        },
      },
    },
  },
  {
    // Away for 20 days: completed in one visit of 50 minutes, without completedAt; the model's own numbers.
    pages: {
      ikigai: {
        firstVisit: daysAgo(20),
        lastVisit: daysAgo(20, 50),
        visitCount: 1,
        completed: true,
        completionPercentage: 100,
      },
    },
    overallStats: { totalPages: 4, visitedPages: 1, completedPages: 1, completionPercentage: 25 },
  },
  {
    // Away for 60 days, and a broken page beside one that was only looked at.
    pages: {
      ikigai: {
        firstVisit: daysAgo(60),
        lastVisit: daysAgo(60),
        visitCount: 1,
        completed: false,
        completionPercentage: 0,
      },
      mbti: "kaputt",
    },
  },
  undefined,
];

function statistics(options: Partial<StatisticsOptions> = {}) {
  const tally = new ProgressTally({ now, ...options });
  for (const user of users) tally.add(readProgress(user));
  return tally.result();
}

describe("the statistics over all users", () => {
  test("are what a person counts by hand", () => {
    const { completion, ...rest } = statistics();
    expect(rest).toStrictEqual({
      users: 4,
      usersWithProgress: 3,
      usersWithProblems: 1,
      active: { last7Days: 1, last30Days: 2, last90Days: 3 },
      pages: [
        {
          page: "ikigai",
          visitors: 3,
          completed: 2,
          meanPercent: 66.7,
          medianSecondsToComplete: 40 * 60,
          medianError: 0,
          steps: [{ step: "step-1", completed: 1 }],
          stops: [{ step: null, users: 1 }],
        },
        {
          page: "mbti",
          visitors: 1,
          completed: 0,
          meanPercent: 40,
          medianSecondsToComplete: null,
          medianError: 0,
          steps: [
            { step: "step-1", completed: 1 },
            { step: "step-2", completed: 1 },
          ],
          stops: [{ step: "step-2", users: 1 }],
        },
      ],
      leftOut: 0,
    });
    // 70 (mean of 100 and 40), 25 (one of four, as the user's own numbers have it) and 0.
    expect(completion.meanPercent).toBe(31.7);
    expect(completion.distribution.filter((bin) => bin.users > 0)).toStrictEqual([
      { from: 0, to: 10, users: 1 },
      { from: 20, to: 30, users: 1 },
      { from: 70, to: 80, users: 1 },
    ]);
    expect(completion.distribution).toHaveLength(10);
  });

  test("of one page count its visitors and its percentages only", () => {
    const result = statistics({ page: "mbti" });
    expect(result).toMatchObject({ users: 4, usersWithProgress: 1, completion: { meanPercent: 40 } });
    expect(result.pages.map(({ page }) => page)).toStrictEqual(["mbti"]);
  });

  test("since a day leave out who was not there", () => {
    expect(statistics({ since: new Date(daysAgo(30)) })).toMatchObject({
      users: 2,
      active: { last90Days: 2 },
    });
    expect(statistics({ since: now }).users).toBe(1);
  });

  test("put 100 % into the last bin", () => {
    const tally = new ProgressTally({ now });
    tally.add(
      readProgress({
        pages: {
          a: { firstVisit: daysAgo(1), lastVisit: daysAgo(1), visitCount: 1, completionPercentage: 100 },
        },
      }),
    );
    expect(tally.result().completion.distribution.at(-1)).toStrictEqual({ from: 90, to: 100, users: 1 });
  });

  test("keep at most 500 pages and 200 steps apart, and say what they left out", () => {
    const tally = new ProgressTally({ now });
    const steps = Object.fromEntries(
      Array.from({ length: 210 }, (_, index) => [`s${index}`, { completed: true }]),
    );
    const page = { firstVisit: daysAgo(1), lastVisit: daysAgo(1), visitCount: 1, completionPercentage: 0 };
    tally.add(readProgress({ pages: { first: { ...page, steps } } }));
    tally.add(
      readProgress({
        pages: Object.fromEntries(Array.from({ length: 510 }, (_, index) => [`p${index}`, page])),
      }),
    );
    const result = tally.result();
    expect(result.pages).toHaveLength(500);
    expect(result.leftOut).toBe(10 + 11);
  });
});

describe("the median of a stream", () => {
  function median(values: readonly number[]) {
    const quantiles = new Quantiles();
    for (const value of values) quantiles.add(value);
    return quantiles.median();
  }

  test("is exact for up to a thousand values", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 99 }), (values) => {
        const sorted = values.toSorted((a, b) => a - b);
        const middle = [
          sorted[Math.floor((sorted.length - 1) / 2)],
          sorted[Math.ceil((sorted.length - 1) / 2)],
        ];
        expect(median(values)).toStrictEqual({
          value: (Number(middle[0]) + Number(middle[1])) / 2,
          exact: true,
        });
      }),
    );
    expect(median([])).toBeUndefined();
  });

  test("is within its error beyond that", () => {
    const seconds = fc.oneof(
      fc.nat(100),
      fc.integer({ min: 1, max: 1_000_000_000 }),
      fc.double({ min: 1, max: 1e6, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(seconds, { minLength: 1001, maxLength: 1500 }), (values) => {
        const found = median(values);
        const exact = values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
        expect(found?.exact).toBe(false);
        expect(Math.abs((found?.value ?? Number.NaN) - exact)).toBeLessThanOrEqual(
          exact * (sketchError + 1e-9),
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe("rows for CSV", () => {
  test("have one cell a column", () => {
    const rows = progressRows("user-1", readProgress(users[0]).pages);
    expect(rows).toStrictEqual([
      ["user-1", "ikigai", true, 100, 3, daysAgo(1), daysAgo(0), 1, 1],
      ["user-1", "mbti", false, 40, 1, daysAgo(1), daysAgo(1), 2, 3],
    ]);
    expect(rows[0]).toHaveLength(progressColumns.length);
    expect(pageRows(statistics())).toStrictEqual([
      ["ikigai", 3, 2, 66.7, 2400],
      ["mbti", 1, 0, 40, null],
    ]);
    expect(pageColumns).toHaveLength(5);
  });
});
