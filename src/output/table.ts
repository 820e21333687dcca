import type { HorizontalAlignment } from "cli-table3";
import stringWidth from "string-width";
import { paint, type Layout, type Tone } from "./layout.ts";
import { visible, visiblePainted } from "./text.ts";
import { wrapped, type Hanging } from "./wrapped.ts";

export interface Column<Row> {
  readonly title: string;
  cell(row: Row): string;
  readonly align?: "left" | "right";
  /** Down to which width the texts may be shortened, in the middle. Without it they never are: ids, keys, dates, sizes. */
  readonly least?: number;
  /** Of the last column: sentences, which are never shortened, but go on below in their column, or below their row. */
  readonly folds?: true;
  /** What a cell's colour is to say, besides its words. */
  tone?(row: Row): Tone | undefined;
}

const gap = 2;

/**
 * A table for people: no lines, foreign text made visible, widths by display width. On a terminal it fits: sentences go on below, the
 * widest text is shortened, and where that does not do, each row becomes lines of `name  value`.
 */
export async function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  layout: Layout,
): Promise<string> {
  const { heading, body } = await laidOut(rows, { columns, layout });
  return heading === undefined ? body : [heading, ...(body === "" ? [] : [body])].join("\n");
}

/** Rows of a list without an end in sight by which the widths of its columns are chosen. */
const rowsLookedAt = 100;

/** The same for a list without an end in sight, in parts as its rows come: a longer text further down moves its row alone. */
export async function* tableParts<Row>(
  rows: AsyncIterable<Row>,
  columns: readonly Column<Row>[],
  layout: Layout,
): AsyncGenerator<string> {
  let part: Row[] = [];
  let needed: readonly number[] | undefined;
  const drawn = async () => {
    const isFirst = needed === undefined;
    const laid = await laidOut(part, { columns, layout, atLeast: needed });
    ({ needed } = laid);
    part = [];
    if (laid.heading === undefined) return isFirst ? laid.body : `\n${laid.body}`;
    return isFirst ? `${laid.heading}\n${laid.body}` : laid.body;
  };
  for await (const row of rows) {
    part.push(row);
    if (part.length === rowsLookedAt) yield await drawn();
  }
  if (part.length > 0) yield await drawn();
}

interface Laying<Row> {
  readonly columns: readonly Column<Row>[];
  readonly layout: Layout;
  /** Widths of the part before. */
  readonly atLeast?: readonly number[];
}

interface LaidOut {
  /** Undefined where each row is a block that has the titles in it. */
  readonly heading?: string;
  readonly body: string;
  /** Widths in which nothing of the columns were shortened. */
  readonly needed: readonly number[];
}

async function laidOut<Row>(
  rows: readonly Row[],
  { columns, layout, atLeast = [] }: Laying<Row>,
): Promise<LaidOut> {
  const texts = rows.map((row) => columns.map((column) => visible(column.cell(row))));
  const titles = columns.map(({ title }) => title);
  const needed = columns.map((_column, at) =>
    [titles, ...texts].reduce(
      (widest, line) => Math.max(widest, stringWidth(line[at] ?? "")),
      atLeast[at] ?? 0,
    ),
  );
  const last = columns.length - 1;
  const sentences = texts.map((line) => line[last] ?? "");
  const room = layout.fits && columns[last]?.folds === true ? roomFor(needed, layout.columns) : undefined;
  const isBelow = room !== undefined && !sentences.every((text) => isFoldable(text, room));
  const widths = layout.fits ? fitted(needed, columns, { available: layout.columns, room, isBelow }) : needed;
  const toneAt = (row: number, column: number) => {
    const of = rows[row];
    return of === undefined ? undefined : columns[column]?.tone?.(of);
  };
  if (widths === undefined) {
    const blocks = texts.map((line, row) =>
      facts(
        line
          .map((text, at) => [titles[at] ?? "", paint(text, toneAt(row, at), layout)] as const)
          .filter(([, text]) => text !== ""),
      ),
    );
    return { body: blocks.join("\n\n"), needed };
  }
  const shown = texts.map((line, row) =>
    line.slice(0, widths.length).map((text, at) => {
      const parts =
        room !== undefined && at === last
          ? wrapped(text, room, stringWidth)
          : [shortened(text, widths[at] ?? 0)];
      return parts.map((part) => paint(part, toneAt(row, at), layout)).join("\n");
    }),
  );
  const aligns = columns.slice(0, widths.length).map(({ align = "left" }) => align);
  const [heading = "", ...lines] = await draw([titles.slice(0, widths.length), ...shown], widths, aligns);
  if (!isBelow) return { heading, body: lines.join("\n"), needed };
  const indented = (sentence: string, row: number) =>
    wrapped(sentence, layout.columns - below.length, stringWidth)
      .filter((part) => part !== "")
      .map((part) => `${below}${paint(part, toneAt(row, last), layout)}`);
  const body = lines.flatMap((line, row) => [line, ...indented(sentences[row] ?? "", row)]);
  return { heading, body: body.join("\n"), needed };
}

/** What a sentence has before it that stands below its row. */
const below = "    ";

/** What the columns before leave for sentences; undefined where they need no folding. */
function roomFor(needed: readonly number[], available: number): number | undefined {
  const before = needed.slice(0, -1).reduce((sum, width) => sum + width + gap, 0);
  return before + (needed.at(-1) ?? 0) <= available ? undefined : available - before;
}

/** Whether so much room will do for a text. */
function isFoldable(text: string, room: number): boolean {
  return room >= leastForValues && text.split(" ").every((word) => stringWidth(word) <= room);
}

interface Fitting {
  readonly available: number;
  /** For sentences in the last column. */
  readonly room: number | undefined;
  /** Whether these stand below their rows. */
  readonly isBelow: boolean;
}

/** Widths with which a row fits into so many columns; undefined where that would shorten a text too much. */
function fitted<Row>(
  needed: readonly number[],
  columns: readonly Column<Row>[],
  { available, room, isBelow }: Fitting,
): number[] | undefined {
  if (room !== undefined && !isBelow) return [...needed.slice(0, -1), room];
  const widths = room === undefined ? [...needed] : needed.slice(0, -1);
  let excess = widths.reduce((sum, width) => sum + width + gap, -gap) - available;
  while (excess > 0) {
    let widest: number | undefined;
    for (const [at, { least }] of columns.entries()) {
      const width = widths[at] ?? 0;
      if (least !== undefined && width > least && width > (widths[widest ?? -1] ?? 0)) widest = at;
    }
    if (widest === undefined) return undefined;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return widths;
}

/** The text with an ellipsis in its middle, where it is wider than that. */
function shortened(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  const letters = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
  const take = (from: readonly string[], most: number) => {
    let taken = 0;
    const end = from.findIndex((letter) => (taken += stringWidth(letter)) > most);
    return from.slice(0, end === -1 ? from.length : end);
  };
  const tail = take(letters.toReversed(), Math.floor((width - 1) / 2)).toReversed();
  return `${take(letters, Math.ceil((width - 1) / 2)).join("")}…${tail.join("")}`;
}

/** cli-table3 looks at every row above for each one: many at once take it long. */
const rowsAtOnce = 100;

async function draw(
  rows: readonly (readonly string[])[],
  widths: readonly number[],
  aligns: readonly HorizontalAlignment[],
): Promise<string[]> {
  const { default: Table } = await import("cli-table3");
  const chars = Object.fromEntries(borders.map((name) => [name, ""]));
  const drawn: string[] = [];
  for (let at = 0; at < rows.length; at += rowsAtOnce) {
    const part = new Table({
      chars,
      style: { "padding-left": 0, "padding-right": gap, head: [], border: [] },
      colWidths: widths.map((width) => width + gap),
      colAligns: [...aligns],
    });
    part.push(...rows.slice(at, at + rowsAtOnce).map((row) => [...row]));
    drawn.push(...part.toString().split("\n"));
  }
  return drawn.map((line) => line.trimEnd());
}

const borders =
  "top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle".split(
    " ",
  );

/** A line of a list without an end in sight: on a terminal it goes on below, indented, between two words. */
export function listLine(text: string, layout: Layout): string {
  const line = visiblePainted(text, layout);
  return layout.fits ? foldedLine(line, layout.columns, { head: "", indent: 4 }) : line;
}

/**
 * Lines for people as a terminal shows them: one that is too long goes on below, between two words, under where the value of
 * `name  value` begins. A word stays whole, however long it is: an address is to be copied.
 */
export function folded(text: string, { columns, fits }: Layout): string {
  if (!fits) return text;
  return text
    .split("\n")
    .map((line) => foldedLine(line, columns))
    .join("\n");
}

/** What is left of a line for values, that they may stand below each other. */
const leastForValues = 20;

function foldedLine(line: string, columns: number, given?: Hanging): string {
  if (stringWidth(line) <= columns) return line;
  const { head, indent } = given ?? hanging(line, columns);
  return wrapped(line, columns, stringWidth, { head, indent }).join("\n");
}

/** A name, two blanks or more, and the paint of name and value, behind which the value begins. */
// oxlint-disable-next-line no-control-regex
const valueStart = /^ *(?:\S| (?=\S))+ {2,}(?:\u001B\[\d+m *)*(?=\S)/;

function hanging(line: string, columns: number): Hanging {
  const [head = ""] = valueStart.exec(line) ?? [];
  const indent = stringWidth(head);
  if (head !== "" && indent + leastForValues <= columns) return { head, indent };
  return { head: "", indent: line.search(/\S/) + 2 };
}

/** Names and values below each other, the values in one column: `bucket  files`. */
export function facts(pairs: readonly (readonly [name: string, value: string | undefined])[]): string {
  const shown = pairs.filter((pair): pair is [string, string] => pair[1] !== undefined);
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}
