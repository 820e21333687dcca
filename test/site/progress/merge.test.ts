import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isRecord, type JsonObject, sameJson } from "../../../src/model/json.ts";
import { mergeProgress } from "../../../src/site/progress/merge.ts";

const [monday, tuesday, wednesday] = ["10", "11", "12"].map((day) => `2025-11-${day}T10:00:00.000Z`);

const phone = {
  pages: {
    ikigai: {
      firstVisit: monday,
      lastVisit: wednesday,
      visitCount: 2,
      completed: false,
      completionPercentage: 30,
      formData: { love: "phone" },
      steps: {
        "step-1": { completed: true, completedAt: monday },
        "step-3": { completed: true, completedAt: wednesday },
      },
      pageType: "test",
    },
    mbti: { firstVisit: monday, lastVisit: monday, visitCount: 1, completionPercentage: 10 },
  },
  sections: { bewerbungsmanager: { "step-1": { data: { a: "phone" }, updatedAt: tuesday } } },
  overallStats: { totalPages: 2, completionPercentage: 20 },
};
const laptop = {
  pages: {
    ikigai: {
      firstVisit: tuesday,
      lastVisit: tuesday,
      visitCount: 5,
      completed: true,
      completedAt: tuesday,
      completionPercentage: 100,
      formData: { love: "laptop", can: "laptop" },
      steps: {
        "step-1": { completed: true, completedAt: tuesday },
        "step-2": { completed: true, completedAt: tuesday },
      },
      theme: "dark",
    },
  },
  sections: {
    bewerbungsmanager: {
      "step-1": { data: { a: "laptop" }, updatedAt: monday },
      "step-2": { data: { b: "laptop" }, updatedAt: monday },
    },
  },
  overallStats: { totalPages: 1, completionPercentage: 100 },
  device: "laptop",
};

describe("merging the progress of two devices", () => {
  test("takes the best of each page and never the older form", () => {
    const merged = {
      pages: {
        ikigai: {
          firstVisit: monday,
          lastVisit: wednesday,
          visitCount: 5,
          completed: true,
          completedAt: tuesday,
          completionPercentage: 100,
          formData: { love: "phone" },
          steps: {
            "step-1": { completed: true, completedAt: tuesday },
            "step-2": { completed: true, completedAt: tuesday },
            "step-3": { completed: true, completedAt: wednesday },
          },
          pageType: "test",
          theme: "dark",
        },
        mbti: phone.pages.mbti,
      },
      sections: {
        bewerbungsmanager: {
          "step-1": { data: { a: "phone" }, updatedAt: tuesday },
          "step-2": { data: { b: "laptop" }, updatedAt: monday },
        },
      },
      overallStats: phone.overallStats,
      device: "laptop",
    };
    expect(mergeProgress(phone, laptop)).toEqual(merged);
    expect(mergeProgress(laptop, phone)).toEqual(merged);
  });

  test("lets a readable value win over a broken one and keeps what is broken on both sides", () => {
    const a = { pages: { p: { visitCount: "3", lastVisit: "never", steps: "none" }, q: "broken" } };
    const b = {
      pages: { p: { visitCount: 2, lastVisit: monday, steps: { s: {} } }, q: "broken" },
      sections: 7,
    };
    expect(mergeProgress(a, b)).toEqual({ ...b });
    expect(mergeProgress(b, a)).toEqual({ ...b });
  });

  test("keeps the one date of each of two steps of the same time, and so takes neither for newer again", () => {
    const [a, b] = [
      { updatedAt: monday, completedAt: "never" },
      { updatedAt: "never", completedAt: monday },
    ].map((step) => ({ sections: { s: { step } }, pages: { p: { steps: { step } } } }));
    const step = { updatedAt: monday, completedAt: monday };
    const merged = { sections: { s: { step } }, pages: { p: { steps: { step } } } };
    for (const [one, other] of [
      [a, b],
      [b, a],
      [merged, a],
      [merged, b],
    ])
      expect(mergeProgress(one ?? {}, other ?? {})).toEqual(merged);
  });

  test("does not change what it is given", () => {
    const [before, other] = [structuredClone(phone), structuredClone(laptop)];
    mergeProgress(phone, laptop);
    expect([phone, laptop]).toStrictEqual([before, other]);
  });
});

const time = fc.oneof(
  fc.constantFrom(monday, tuesday, wednesday, "2025-11-10T10:00:00Z"),
  fc.constantFrom("never", null, 5),
);
const number = fc.oneof(
  fc.nat(120),
  fc.double({ noNaN: true, min: 0, max: 100 }),
  fc.constantFrom("7", null, -1),
);
const anything = fc.jsonValue({ maxDepth: 2 });
const step = fc.oneof(
  fc.record(
    { completed: fc.boolean(), completedAt: time, updatedAt: time, data: anything },
    { requiredKeys: [] },
  ),
  anything,
);
const steps = fc.oneof(fc.dictionary(fc.constantFrom("step-1", "step-2", "__proto__"), step), anything);
const page = fc.oneof(
  fc.record(
    {
      firstVisit: time,
      lastVisit: time,
      lastUpdate: time,
      completedAt: time,
      visitCount: number,
      completionPercentage: number,
      completed: fc.oneof(fc.boolean(), anything),
      formData: anything,
      results: anything,
      steps,
    },
    { requiredKeys: [] },
  ),
  anything,
);
const progress: fc.Arbitrary<JsonObject> = fc.record(
  {
    pages: fc.oneof(fc.dictionary(fc.constantFrom("ikigai", "mbti"), page), anything),
    sections: fc.oneof(fc.dictionary(fc.constantFrom("a", "b"), steps), anything),
    overallStats: anything,
    unknown: anything,
  },
  { requiredKeys: [] },
);
const runs = { numRuns: 1000 };

/** Every visitCount and completionPercentage by its page. */
function counters(value: JsonObject): Map<string, number> {
  const pages = isRecord(value["pages"]) ? Object.entries(value["pages"]) : [];
  return new Map(
    pages.flatMap(([name, fields]) => {
      return ["visitCount", "completionPercentage"].flatMap((field): [string, number][] => {
        const counter = isRecord(fields) ? fields[field] : undefined;
        return typeof counter === "number" ? [[`${name} ${field}`, counter]] : [];
      });
    }),
  );
}

describe("any merge of any two states, broken ones too", () => {
  test("does not depend on their order", () => {
    fc.assert(
      fc.property(progress, progress, (a, b) => {
        expect(sameJson(mergeProgress(a, b), mergeProgress(b, a))).toBe(true);
      }),
      runs,
    );
  });

  test("changes nothing when done again with either", () => {
    fc.assert(
      fc.property(progress, progress, (a, b) => {
        const merged = mergeProgress(a, b);
        for (const again of [a, b, merged]) expect(sameJson(mergeProgress(merged, again), merged)).toBe(true);
      }),
      runs,
    );
  });

  test("with itself is itself", () => {
    fc.assert(
      fc.property(progress, (a) => {
        expect(sameJson(mergeProgress(a, structuredClone(a)), a)).toBe(true);
      }),
      runs,
    );
  });

  test("never lowers visitCount or completionPercentage and loses no page", () => {
    fc.assert(
      fc.property(progress, progress, (a, b) => {
        const merged = counters(mergeProgress(a, b));
        for (const [name, counter] of [...counters(a), ...counters(b)]) {
          expect(merged.get(name)).toBeGreaterThanOrEqual(counter);
        }
      }),
      runs,
    );
  });
});
