import { describe, expect, test } from "vitest";
import { validateTwin } from "../../../src/site/twin/validate.ts";

const whole = {
  personality: { traits: "a", values: "b", philosophy: "c", communicationStyle: "d" },
  experience: { anecdotes: "eins\n\nzwei\nzweite Zeile", insights: "i", methods: "m", stories: "s" },
  communication: { samples: "s", phrases: "p", patterns: "p", questions: "q" },
  analytics: {
    progress: 75,
    personalityScore: 85,
    anecdotesCount: 2,
    insightsCount: 1,
    lastTraining: "2025-11-16T10:00:00.000Z",
  },
};

function analytics(change: object) {
  return { ...whole, analytics: { ...whole.analytics, ...change } };
}

function findings(value: unknown): string[] {
  return validateTwin(value).findings.map(({ severity, path, problem }) => `${severity} ${path}: ${problem}`);
}

describe("validating a twin", () => {
  test("finds nothing in one that follows the model, and counts and measures it", () => {
    const report = validateTwin(whole);
    expect(report).toMatchObject({
      findings: [],
      unknownFields: [],
      counts: { anecdotes: 3, insights: 1, filledFields: 17 },
    });
    expect(Object.keys(report.sizes)).toStrictEqual([
      "personality",
      "experience",
      "communication",
      "analytics",
    ]);
    expect(report.totalBytes).toBeGreaterThan(200);
  });

  test("lists unknown fields and finds no fault in them", () => {
    const twin = {
      ...whole,
      model: "v2",
      personality: { ...whole.personality, mood: 1 },
      updatedAt: "2025-11-16T10:00:00Z",
    };
    expect(validateTwin(twin)).toMatchObject({ findings: [], unknownFields: ["personality.mood", "model"] });
  });

  test.each<[string, unknown, string[]]>([
    ["a number above 100", analytics({ progress: 101 }), ["suspect analytics.progress: is above 100"]],
    [
      "a number below 0",
      analytics({ personalityScore: -1 }),
      ["suspect analytics.personalityScore: is below 0"],
    ],
    ["a text for a number", analytics({ progress: "75" }), ["suspect analytics.progress: is not a number"]],
    [
      "a day that does not exist",
      analytics({ lastTraining: "2025-02-30T10:00:00.000Z" }),
      ["suspect analytics.lastTraining: is not a date and time such as 2025-11-16T10:00:00.000Z"],
    ],
    [
      "a count that fits no way of counting",
      analytics({ anecdotesCount: 12, insightsCount: 0 }),
      [
        "suspect analytics.anecdotesCount: says 12, but anecdotes has 2 or 3",
        "suspect analytics.insightsCount: says 0, but insights has 1",
      ],
    ],
    ["a count of lines instead of paragraphs", analytics({ anecdotesCount: 3 }), []],
    [
      "a list of anecdotes",
      { ...whole, experience: { ...whole.experience, anecdotes: ["a", "b"] } },
      ["suspect experience.anecdotes: is not a text"],
    ],
    [
      "an empty section",
      { ...whole, communication: { samples: " ", phrases: "" } },
      ["suspect communication: is empty"],
    ],
    ["a missing section", { ...whole, communication: undefined }, ["suspect communication: is missing"]],
    ["a section that is a text", { ...whole, personality: "x" }, ["unusable personality: is not an object"]],
    [
      "half an emoji",
      { ...whole, personality: { ...whole.personality, traits: "\uD83D" } },
      ["suspect personality.traits: holds half a character, which would be lost"],
    ],
    [
      "a number beyond all limits",
      { ...whole, x: Number.POSITIVE_INFINITY },
      ["unusable x: is a number beyond the limits of DynamoDB"],
    ],
    [
      "a number too small",
      { ...whole, x: 1e-140 },
      ["unusable x: is a number beyond the limits of DynamoDB"],
    ],
    [
      "a long number",
      { ...whole, x: 2 ** 60 },
      ["suspect x: is a number with more digits than JavaScript keeps"],
    ],
  ])("tells %s", (_name, value, expected) => {
    expect(findings(value)).toStrictEqual(expected);
  });

  test("refuses what is too large for an item, and does not repeat it", () => {
    const twin = { ...whole, personality: { ...whole.personality, traits: "ä".repeat(210_000) } };
    const found = findings(twin);
    expect(found).toStrictEqual([expect.stringMatching(/^unusable : takes \d{3} KB of the 410 KB/)]);
    expect(found.join("")).not.toContain("ää");
  });

  test("refuses what is nested deeper than DynamoDB allows", () => {
    const nested = (levels: number): unknown => (levels === 0 ? "x" : { a: nested(levels - 1) });
    expect(findings({ ...whole, x: nested(29) })).toStrictEqual([]);
    expect(findings({ ...whole, x: nested(40) })).toStrictEqual([
      expect.stringMatching(/is nested deeper than the 32/),
    ]);
  });

  test.each([
    ["a list", [1]],
    ["null", null],
    ["a text", "twin"],
    ["an object without sections", { a: 1 }],
  ])("refuses %s", (_name, value) => {
    expect(findings(value)).toContain(
      "unusable : has none of the sections personality, experience, communication, analytics",
    );
  });
});
