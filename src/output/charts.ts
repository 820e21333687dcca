import stringWidth from "string-width";
import { bar } from "./bar.ts";
import { visible } from "./text.ts";

export interface ChartRow {
  readonly label: string;
  readonly value: number;
  /** What stands behind the bar; the value when absent. */
  readonly note?: string;
}

/**
 * A bar chart with one line a row, at most `width` columns wide: labels, bars to the scale of the largest value, notes.
 * Labels that take more than a third of the width are cut.
 */
export function barChart(rows: readonly ChartRow[], width: number): string {
  const labels = rows.map(({ label }) => cut(visible(label), Math.max(8, Math.floor(width / 3))));
  const notes = rows.map(({ note, value }) => note ?? String(value));
  const labelWidth = Math.max(0, ...labels.map((label) => stringWidth(label)));
  const noteWidth = Math.max(0, ...notes.map((note) => stringWidth(note)));
  const barWidth = Math.max(4, width - labelWidth - noteWidth - 4);
  const largest = Math.max(0, ...rows.map(({ value }) => value));
  return rows
    .map(({ value }, index) => {
      const label = labels[index] ?? "";
      const drawn = largest === 0 ? "" : bar(value / largest, barWidth);
      return `${label}${" ".repeat(labelWidth - stringWidth(label))}  ${drawn}${drawn === "" ? "" : " "}${notes[index] ?? ""}`;
    })
    .join("\n");
}

function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = "";
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (stringWidth(kept + segment) > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
