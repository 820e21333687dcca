import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { computeOverall, recompute } from "../../../src/site/progress/overall.ts";
import { readProgress } from "../../../src/site/progress/read.ts";

const first = "2025-11-13T19:00:00.000Z";
const last = "2025-11-13T19:30:00.000Z";
const dates = { firstVisit: first, lastVisit: last };

function problems(progressData: unknown, lastProgressUpdate?: unknown): string[] {
  return readProgress(progressData, lastProgressUpdate).problems.map(
    ({ path, problem }) => `${path} ${problem}`,
  );
}

describe("reading progress", () => {
  test("gives the model's example in numbers, steps in natural order", () => {
    const read = readProgress(
      {
        pages: {
          ikigai: {
            ...dates,
            visitCount: 3,
            completed: false,
            completionPercentage: 45,
            formData: { "wofür-bezahlt-wird": "Erfolgreiche Projekte" },
            steps: { "step-10": { completed: false }, "step-2": { completed: true, completedAt: last } },
          },
          mbti: {
            ...dates,
            visitCount: 1,
            completed: true,
            completionPercentage: 100,
            results: [{ type: "INTJ" }],
          },
        },
        sections: { bewerbungsmanager: { "step-1": { data: {}, updatedAt: last } } },
        overallStats: { totalPages: 15, visitedPages: 15, completedPages: 7, completionPercentage: 47 },
      },
      "2025-11-15T15:00:00.000Z",
    );
    expect(read.problems).toStrictEqual([]);
    expect(read.pages[0]).toStrictEqual({
      name: "ikigai",
      visited: true,
      completed: false,
      percent: 45,
      visitCount: 3,
      firstVisit: Date.parse(first),
      lastVisit: Date.parse(last),
      lastActivity: Date.parse(last),
      completedAt: undefined,
      steps: [
        { name: "step-2", completed: true, completedAt: Date.parse(last) },
        { name: "step-10", completed: false, completedAt: undefined },
      ],
      testResults: undefined,
    });
    expect(read.pages[1]?.testResults).toStrictEqual([{ type: "INTJ" }]);
    expect(read.sections).toStrictEqual([
      { name: "bewerbungsmanager", steps: [{ name: "step-1", updatedAt: Date.parse(last) }] },
    ]);
    expect(read.stored?.completionPercentage).toBe(47);
    expect(read.lastActivity).toBe(Date.parse("2025-11-15T15:00:00.000Z"));
  });

  test("the newest of pages and sections is the last activity", () => {
    const updatedAt = "2026-02-01T10:00:00.000Z";
    const sections = { bewerbungsmanager: { "step-1": { data: {}, updatedAt } } };
    const pages = { ikigai: { firstVisit: first, lastVisit: last, visitCount: 1 } };
    expect(readProgress({ pages, sections }, last).lastActivity).toBe(Date.parse(updatedAt));
  });

  test.each<[string, unknown, string[]]>([
    ["a text for all of it", "kaputt", ["progressData is a text where a map should be"]],
    ["a text where the pages should be", { pages: "kaputt" }, ["pages is a text where a map should be"]],
    ["a list where a page should be", { pages: { a: [] } }, ["pages.a is a list where a map should be"]],
    ["a page without dates", { pages: { a: { visitCount: 1 } } }, ["pages.a has no dates"]],
    [
      "NaN and infinity",
      { pages: { a: { ...dates, completionPercentage: Number.NaN, visitCount: Number.POSITIVE_INFINITY } } },
      [
        "pages.a.completionPercentage is NaN where a number should be",
        "pages.a.visitCount is Infinity where a number should be",
      ],
    ],
    [
      "120 %",
      { pages: { a: { ...dates, completionPercentage: 120 } } },
      ["pages.a.completionPercentage is outside 0-100"],
    ],
    [
      "a date in words and a day that does not exist",
      { pages: { a: { firstVisit: "gestern", lastVisit: "2025-02-30T00:00:00Z" } } },
      ["pages.a.firstVisit is no date", "pages.a.lastVisit is no date"],
    ],
    [
      "visits in the wrong order",
      { pages: { a: { firstVisit: last, lastVisit: first } } },
      ["pages.a has a last visit before the first"],
    ],
    [
      "a step that is true",
      { pages: { a: { ...dates, steps: { s: true } } } },
      ["pages.a.steps.s is true or false where a map should be"],
    ],
    [
      "300 KB of form data",
      { pages: { a: { ...dates, formData: { text: "x".repeat(300_000) } } } },
      ["pages.a.formData takes 300 KB of the item's 400"],
    ],
    ["a section that is a number", { sections: { b: 5 } }, ["sections.b is a number where a map should be"]],
    ["null for the stats", { overallStats: null }, ["overallStats is null where a map should be"]],
  ])("names %s and goes on", (_name, progressData, expected) => {
    expect(problems(progressData)).toStrictEqual(expected);
  });

  test("lists at most 20 problems of a user and counts them all", () => {
    const pages = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`p${index}`, {}]));
    const read = readProgress({ pages });
    expect([read.problems.length, read.problemCount]).toStrictEqual([20, 50]);
  });

  test("never throws, and its numbers can be relied on, whatever the value", () => {
    const page = fc.dictionary(
      fc.constantFrom(
        "firstVisit",
        "lastVisit",
        "visitCount",
        "completionPercentage",
        "steps",
        "formData",
        "completed",
      ),
      fc.anything(),
    );
    const value = fc.oneof(
      fc.anything(),
      fc.record({ pages: fc.dictionary(fc.string(), page), sections: fc.anything() }),
    );
    fc.assert(
      fc.property(value, fc.anything(), (progressData, lastUpdate) => {
        const read = readProgress(progressData, lastUpdate);
        for (const { percent, visitCount } of read.pages) {
          expect(percent >= 0 && percent <= 100 && Number.isFinite(visitCount)).toBe(true);
        }
        const { model, tracker } = computeOverall(read);
        expect([model, tracker].every((stats) => Object.values(stats).every(Number.isFinite))).toBe(true);
        expect(recompute(progressData).after["completionPercentage"]).toBeTypeOf("number");
      }),
      { numRuns: 1000 },
    );
  });
});

function pages(...percents: number[]): Record<string, object> {
  return Object.fromEntries(
    percents.map((completionPercentage, index) => [
      `page-${index}`,
      { ...dates, visitCount: 1, completionPercentage, completed: completionPercentage === 100 },
    ]),
  );
}

describe("overall progress", () => {
  const byModel = { totalPages: 4, visitedPages: 3, completedPages: 2, completionPercentage: 50 };
  const byTracker = { totalPages: 3, visitedPages: 3, completedPages: 2, completionPercentage: 70 };
  const both = { totalPages: 2, visitedPages: 2, completedPages: 1, completionPercentage: 50 };

  test.each([
    ["the model's", pages(100, 100, 10), byModel, { matches: ["model"], formula: "model" }],
    ["the tracker's", pages(100, 100, 10), byTracker, { matches: ["tracker"], formula: "tracker" }],
    ["both alike", pages(100, 0), both, { matches: ["model", "tracker"], formula: "model" }],
    [
      "the model's, stale",
      pages(100, 100, 10),
      { ...byModel, completionPercentage: 25 },
      { matches: [], formula: "model" },
    ],
    [
      "the tracker's, stale",
      pages(100, 100, 10),
      { ...byTracker, completionPercentage: 3 },
      { matches: [], formula: "tracker" },
    ],
    ["none", pages(100, 100, 10), undefined, { matches: [], formula: "tracker" }],
  ])("knows stored numbers as %s", (_name, pages, overallStats, expected) => {
    expect(computeOverall(readProgress({ pages, overallStats }))).toMatchObject(expected);
  });

  test("computes by both formulas", () => {
    const stored = { totalPages: 15, visitedPages: 15, completedPages: 7, completionPercentage: 47 };
    const overall = computeOverall(readProgress({ pages: pages(100, 45, 0), overallStats: stored }));
    expect(overall.model).toStrictEqual({
      totalPages: 15,
      visitedPages: 3,
      completedPages: 1,
      completionPercentage: 7,
    });
    expect(overall.tracker).toStrictEqual({
      totalPages: 3,
      visitedPages: 3,
      completedPages: 1,
      completionPercentage: 48,
    });
  });

  test("leaves a page that was never visited out of the tracker's formula", () => {
    const never = { visitCount: 0, completionPercentage: 0 };
    const { tracker, model } = computeOverall(readProgress({ pages: { ...pages(50), never } }));
    expect([tracker.totalPages, tracker.completionPercentage, model.totalPages]).toStrictEqual([1, 50, 2]);
  });

  test("is recomputed in the formula it was in, keeping what else is stored, and then is right", () => {
    const overallStats = { ...byModel, completionPercentage: 25, streak: 4 };
    const progressData = { pages: pages(100, 100, 10), overallStats };
    const found = recompute(progressData);
    expect(found).toMatchObject({ formula: "model", changed: true, after: { ...byModel, streak: 4 } });
    expect(recompute({ ...progressData, overallStats: found.after }).changed).toBe(false);
    expect(recompute(progressData, "tracker").after).toStrictEqual({ ...byTracker, streak: 4 });
  });
});
