import stringWidth from "string-width";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bar, percentBar } from "../../src/output/bar.ts";
import { barChart } from "../../src/output/charts.ts";
import { csvLine } from "../../src/output/csv.ts";

describe("a bar", () => {
  test.each([
    [0, ""],
    [0.001, "▏"],
    [0.5, "█████"],
    [0.51, "█████"],
    [0.5125, "█████▏"],
    [0.999, "█████████▉"],
    [1, "██████████"],
    [7, "██████████"],
    [-1, ""],
    [Number.NaN, ""],
  ])("of %d is %s", (share, expected) => {
    expect(bar(share, 10)).toBe(expected);
  });

  test("on a track always takes the whole width", () => {
    expect(percentBar(45, 10)).toBe("████▌░░░░░");
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 100, noNaN: true }),
        fc.integer({ min: 1, max: 40 }),
        (percent, width) => {
          expect(percentBar(percent, width)).toHaveLength(width);
        },
      ),
    );
  });
});

describe("a bar chart", () => {
  test("aligns labels by display width and scales to the largest value", () => {
    const rows = [
      { label: "größte", value: 10 },
      { label: "😀", value: 5, note: "5 users" },
      { label: "none", value: 0 },
    ];
    expect(barChart(rows, 30)).toBe(
      ["größte  ███████████▉ 10", "😀      █████▉ 5 users", "none    0"]
        .join("\n")
        .replace("███████████▉", "█".repeat(13))
        .replace("█████▉", "██████▌"),
    );
  });

  test("keeps to the width, cuts long labels and makes control characters visible", () => {
    const label = fc.oneof(fc.string({ unit: "grapheme", maxLength: 60 }), fc.constant("\u001B[31mred\n"));
    fc.assert(
      fc.property(
        fc.array(fc.record({ label, value: fc.nat() })),
        fc.integer({ min: 40, max: 100 }),
        (rows, width) => {
          const lines = rows.length === 0 ? [] : barChart(rows, width).split("\n");
          expect(lines).toHaveLength(rows.length);
          for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(width);
          expect(lines.join("")).not.toMatch(/\p{Cc}/u);
        },
      ),
    );
  });
});

describe("a line of CSV", () => {
  test.each([
    ["plain cells", ["a", 1, true, null], "a,1,true,\r\n"],
    ["quotes, commas and line breaks", ['say "a, b"', "c\nd"], '"say ""a, b""","c\nd"\r\n'],
    ["what a spreadsheet would run", ["=1+1", "@x", "+1", "-1", -1], "'=1+1,'@x,'+1,'-1,-1\r\n"],
  ])("holds %s", (_name, cells, expected) => {
    expect(csvLine(cells)).toBe(expected);
  });
});
