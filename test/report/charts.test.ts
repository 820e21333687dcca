import { expect, test } from "vitest";
import { timeChart } from "../../src/report/charts.ts";

const unit = (value: number) => value.toLocaleString("en", { maximumFractionDigits: 3 });

test.each<[string, number, readonly string[]]>([
  ["of next to nothing goes up to what people tell apart", 5e-9, ["0", "0.002", "0.01"]],
  ["of more goes up to that", 12, ["0", "12"]],
])("an axis %s", (_name, value, labels) => {
  const series = [{ name: "USD", color: "first", values: [value] }] as const;
  const drawn = timeChart("cost", ["2026-03-01"], { series, unit, least: 0.01 });
  const shown = new Set(Array.from(drawn.matchAll(/>([^<>]+)<\/text>/g), ([, text]) => text));
  expect([...labels].filter((label) => !shown.has(label))).toEqual([]);
  expect([...shown].filter((text) => /e-/.test(text ?? ""))).toEqual([]);
});
