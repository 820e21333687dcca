import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readSource } from "../../../src/browser-storage/source.ts";
import { progressIn, progressKey } from "../../../src/model/progress.ts";
import { siteSecrets } from "../../../src/model/mawps.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { planImport as plan } from "../../../src/site/progress/import-plan.ts";

const [monday, tuesday] = ["2025-11-10T10:00:00.000Z", "2025-11-11T10:00:00.000Z"];

function page(visit: string, completionPercentage: number) {
  const completed = completionPercentage === 100;
  return { firstVisit: monday, lastVisit: visit, visitCount: 1, completed, completionPercentage };
}

const stored = {
  pages: { ikigai: page(monday, 50), mbti: page(tuesday, 100) },
  overallStats: { totalPages: 15, visitedPages: 2, completedPages: 1, completionPercentage: 7, streak: 3 },
};

const planImport = (before: JsonObject | undefined, source: JsonObject) => plan(before, source, siteSecrets);

describe("the plan of an import", () => {
  test("merges, computes the overall numbers anew and names what changes", () => {
    const source = {
      pages: { ikigai: page(tuesday, 100), mbti: page(monday, 10), goals: page(tuesday, 20) },
      sections: { bewerbungsmanager: { "step-1": { updatedAt: monday } } },
      overallStats: { totalPages: 3, completionPercentage: 43 },
    };
    expect(planImport(stored, source)).toEqual({
      action: "write",
      value: {
        pages: { ikigai: source.pages.ikigai, mbti: stored.pages.mbti, goals: source.pages.goals },
        sections: source.sections,
        overallStats: {
          totalPages: 15,
          visitedPages: 3,
          completedPages: 2,
          completionPercentage: 13,
          streak: 3,
        },
      },
      newPages: ["goals"],
      changedPages: ["ikigai"],
      changedSections: ["bewerbungsmanager"],
    });
  });

  test("does nothing for an older device, nor for stale numbers alone", () => {
    const older = { pages: { mbti: page(monday, 10) }, overallStats: { totalPages: 99 } };
    expect(planImport(stored, older)).toStrictEqual({ action: "nothing-to-do" });
    const stale = { ...stored, overallStats: { ...stored.overallStats, completionPercentage: 99 } };
    expect(planImport(stale, stored)).toStrictEqual({ action: "nothing-to-do" });
  });

  test("keeps stored secrets, of which a source has none", () => {
    const keys = { openai: "sk-1" };
    const withKeys = {
      ...stored,
      ai: { apiKey: "sk-2", model: "a" },
      pages: { x: { ...page(monday, 1), apiKeys: keys } },
    };
    const source = { ai: { model: "b" }, pages: { x: page(tuesday, 2) } };
    expect(planImport(withKeys, source)).toMatchObject({
      value: { ai: { apiKey: "sk-2", model: "b" }, pages: { x: { apiKeys: keys, lastVisit: tuesday } } },
    });
    expect(planImport(withKeys, { pages: { x: page(monday, 1) } })).toStrictEqual({
      action: "nothing-to-do",
    });
  });

  test("takes the source where nothing is stored yet", () => {
    expect(planImport(undefined, stored)).toMatchObject({
      action: "write",
      value: stored,
      newPages: ["ikigai", "mbti"],
    });
  });

  test("is done once carried out, whatever the two", () => {
    const progress = fc.dictionary(fc.constantFrom("pages", "sections", "overallStats", "x"), fc.jsonValue());
    fc.assert(
      fc.property(progress, progress, (before, source) => {
        const planned = planImport(before, source);
        const after = planned.action === "write" ? planned.value : before;
        expect(planImport(after, source).action).toBe("nothing-to-do");
      }),
      { numRuns: 500 },
    );
  });
});

describe("the progress in a source", () => {
  const query = {
    key: progressKey("user-123"),
    what: "progress",
    fits: (value: unknown) => progressIn(value) !== undefined,
  };

  test.each([
    ["the cache's value", JSON.stringify(stored)],
    [
      "the value wrapped as on the profile item",
      JSON.stringify({ progressData: stored, lastProgressUpdate: monday }),
    ],
    [
      "a dump of localStorage",
      JSON.stringify({
        idToken: "FAKE",
        userProgress_other: "{}",
        "userProgress_user-123": JSON.stringify(stored),
      }),
    ],
  ])("is found in %s", (_name, text) => {
    expect(progressIn(readSource(text, query).value)).toStrictEqual(stored);
  });

  test("is not found in another user's dump", () => {
    const text = JSON.stringify({ userProgress_other: JSON.stringify(stored) });
    expect(() => readSource(text, query)).toThrow(/holds neither a progress nor a key userProgress_user-123/);
  });
});

test("progress in which the pages stand side by side is read as pages, and keeps what stands beside them", () => {
  const ikigai = { visitCount: 2, lastVisit: "2026-01-01T10:00:00.000Z" };
  expect(progressIn({ ikigai, theme: "dark", answers: { one: 1 } })).toStrictEqual({
    pages: { ikigai },
    theme: "dark",
    answers: { one: 1 },
  });
  expect(progressIn({ theme: "dark", answers: { one: 1 } })).toBeUndefined();
});
