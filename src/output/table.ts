import { visible } from "./text.ts";

export interface Column<Row> {
  readonly title: string;
  cell(row: Row): string;
  readonly align?: "left" | "right";
}

/** A table for people: no lines, a gap of two columns, foreign text made visible, widths by display width. */
export async function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): Promise<string> {
  const { default: Table } = await import("cli-table3");
  const blank = {
    top: "",
    "top-mid": "",
    "top-left": "",
    "top-right": "",
    bottom: "",
    "bottom-mid": "",
    "bottom-left": "",
    "bottom-right": "",
    left: "",
    "left-mid": "",
    mid: "",
    "mid-mid": "",
    right: "",
    "right-mid": "",
    middle: "  ",
  };
  const made = new Table({
    head: columns.map(({ title }) => title),
    chars: blank,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
    colAligns: columns.map(({ align }) => align ?? "left"),
  });
  made.push(...rows.map((row) => columns.map((column) => visible(column.cell(row)))));
  return made.toString().replaceAll(/[ \t]+$/gm, "");
}

/** Names and values below each other, the values in one column: `bucket  manuel-weiss-public-media`. */
export function facts(pairs: readonly (readonly [name: string, value: string | undefined])[]): string {
  const shown = pairs.filter((pair): pair is [string, string] => pair[1] !== undefined);
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}
