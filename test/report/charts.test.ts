import { expect, test } from "vitest";
import { distributionChart, timeChart } from "../../src/report/charts.ts";
import { english, german, type Figures } from "../../src/report/figures.ts";
import { wordsOf } from "../../src/report/words.ts";

test.each<[string, number, readonly string[], Figures?]>([
  ["of next to nothing goes up to what people tell apart", 5e-9, ["0", "0.002", "0.01"]],
  ["of more goes up to that", 12, ["0", "12"]],
  ["in German has its commas and its days", 5e-9, ["0", "0,002", "0,01", "01.03."], german],
  ["in German has its points", 4500, ["4.000"], german],
])("an axis %s", (_name, value, labels, figures = english) => {
  const series = [{ name: "USD", color: "first", values: [value] }] as const;
  const drawn = timeChart("cost", ["2026-03-01"], {
    series,
    figures,
    unit: figures.axis,
    least: 0.01,
  });
  const shown = new Set(Array.from(drawn.matchAll(/>([^<>]+)<\/text>/g), ([, text]) => text));
  expect([...labels].filter((label) => !shown.has(label))).toEqual([]);
  expect([...shown].filter((text) => /e-/.test(text ?? ""))).toEqual([]);
});

test.each([
  ["en", "12,345"],
  ["de", "12.345"],
] as const)("a number on a bar has its thousands grouped (%s)", (language, number) => {
  const drawn = distributionChart([{ from: 0, to: 10, users: 12_345 }], wordsOf(language));
  expect(drawn).toContain(`>${number}</text>`);
});
