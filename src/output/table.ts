import { visible } from "./text.ts";

export interface Column<Row> {
  readonly title: string;
  cell(row: Row): string;
  readonly align?: "left" | "right";
}

/** A table for people: no lines, a gap of two columns, foreign text made visible, widths by display width. */
export async function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): Promise<string> {
  const texts = columns.map((column) => [column.title, ...rows.map((row) => visible(column.cell(row)))]);
  const widthOf = await measure(texts.flat());
  const drawn = columns.map(({ align }, at) => {
    const cells = (texts[at] ?? []).map((text) => ({ text, width: widthOf(text) }));
    const columnWidth = cells.reduce((widest, { width }) => Math.max(widest, width), 0);
    return cells.map(({ text, width }) => {
      const gap = " ".repeat(columnWidth - width);
      return align === "right" ? gap + text : text + gap;
    });
  });
  const lines = Array.from({ length: rows.length + 1 }, (_, at) =>
    drawn.map((cells) => cells[at]).join("  "),
  );
  return lines.map((line) => line.trimEnd()).join("\n");
}

/** What tells the columns that each of these texts takes. The library for that takes 20 ms to load. */
async function measure(texts: readonly string[]): Promise<(text: string) => number> {
  if (texts.every((text) => /^[ -~]*$/.test(text))) return ({ length }) => length;
  return (await import("string-width")).default;
}

/** Names and values below each other, the values in one column: `bucket  manuel-weiss-public-media`. */
export function facts(pairs: readonly (readonly [name: string, value: string | undefined])[]): string {
  const shown = pairs.filter((pair): pair is [string, string] => pair[1] !== undefined);
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}
