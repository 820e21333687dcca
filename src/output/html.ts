import type { Language } from "../model/sentences.ts";
import type { Tone } from "./layout.ts";

/** Text as it may stand in HTML, in an element or in an attribute between quotes. */
export function escapedHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** Foreign text, which keeps its direction of writing to itself. */
export function foreignHtml(text: string): string {
  return `<bdi>${escapedHtml(text)}</bdi>`;
}

/**
 * The beginning of a page that is all in itself: no script runs in it, and nothing is loaded. Light and dark as the reader's
 * system has it, light on paper, readable on a phone.
 */
export function pageHead(language: Language, title: string): string {
  return (
    `<!doctype html>\n<html lang="${language}"><head><meta charset="utf-8">` +
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">` +
    `<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">` +
    `<title>${escapedHtml(title)}</title><style>${style}</style></head><body>\n`
  );
}

export const pageEnd = "</body></html>\n";

/** A time on a page, whose reader may be anywhere. */
export function pageTime(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** Numbers that are to be seen first. Values are text. */
export function tiles(facts: readonly (readonly [name: string, value: string, tone?: Tone])[]): string {
  const all = facts.map(
    ([name, value, tone]) =>
      `<div><dt>${escapedHtml(name)}</dt><dd${classOf(tone)}>${escapedHtml(value)}</dd></div>`,
  );
  return `<dl class="tiles">${all.join("")}</dl>\n`;
}

export interface HtmlColumn<Row> {
  readonly title: string;
  /** Text; what is longer than a few lines is cut, unless the column is for whole texts. */
  readonly cell: (row: Row) => string;
  readonly isNumber?: boolean;
  /** Stays on one line: a word, a time. */
  readonly isShort?: boolean;
  readonly isWhole?: boolean;
  readonly tone?: (row: Row) => Tone | undefined;
}

/** A table of foreign text, each row under the name in its first column; a broad one falls into lines on a phone. Without rows there is none. */
export function htmlTable<Row>(rows: readonly Row[], columns: readonly HtmlColumn<Row>[]): string {
  if (rows.length === 0) return "";
  const isBroad = columns.length > 2;
  const classes = ({ isNumber, isShort }: HtmlColumn<Row>) => [
    isNumber === true && "n",
    isShort === true && "s",
  ];
  const heads = columns.map(
    (column) => `<th scope="col"${classOf(...classes(column))}>${escapedHtml(column.title)}</th>`,
  );
  const lines = rows.map((row) => {
    const cells = columns.map((column, at) => {
      const text = foreignHtml(column.isWhole === true ? column.cell(row) : cut(column.cell(row), 300));
      const its = classOf(...classes(column), column.tone?.(row));
      if (at === 0) return `<th scope="row"${its}>${text}</th>`;
      const title = isBroad ? ` data-title="${escapedHtml(column.title)}"` : "";
      return `<td${its}${title}>${text}</td>`;
    });
    return `<tr>${cells.join("")}</tr>`;
  });
  return `<table${classOf(isBroad && "broad")}><thead><tr>${heads.join("")}</tr></thead>\n<tbody>${lines.join("\n")}</tbody></table>\n`;
}

/** A drawing with what it shows. */
export function figure(heading: string, caption: string, drawing: string): string {
  return `<figure><figcaption><strong>${escapedHtml(heading)}</strong> ${escapedHtml(caption)}</figcaption>${drawing}</figure>\n`;
}

/** At most so many characters, whole ones. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const characters = Array.from(text);
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}

function classOf(...names: readonly (string | false | undefined)[]): string {
  const given = names.filter((name) => name !== undefined && name !== false);
  return given.length === 0 ? "" : ` class="${given.join(" ")}"`;
}

/** Paper gets the light colours, whatever the system prefers. */
const style = `
:root { --page: #fff; --text: #1c2733; --muted: #5a6b7b; --line: #dce3ea; --first: #2f6fb0; --second: #1d9a6c; --third: #c9772a; --fourth: #8a5fbf; --fifth: #b5487d; --rest: #7b8894; --on-bar: #fff; --good: #14784f; --warning: #9a5a10; --bad: #b3261e; }
@media screen and (prefers-color-scheme: dark) {
  :root { --page: #12181f; --text: #e6edf3; --muted: #9fb0c0; --line: #2c3844; --first: #5aa0e6; --second: #3cc492; --third: #e59a52; --fourth: #b08be0; --fifth: #e386b3; --rest: #8a98a6; --on-bar: #12181f; --good: #3cc492; --warning: #e59a52; --bad: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.6rem; } h2 { margin: 2.5rem 0 .5rem; font-size: 1.25rem; break-after: avoid; } p { margin: .5rem 0; } a { color: var(--first); }
header p, figcaption, footer, small, .dim { color: var(--muted); } header p { margin: .2rem 0 0; } figcaption strong { color: var(--text); }
.good { color: var(--good); } .warning { color: var(--warning); } .bad { color: var(--bad); font-weight: 600; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 1rem 0; }
.tiles div { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; }
dt { color: var(--muted); font-size: .85rem; } dd { margin: 0; font-size: 1.4rem; font-weight: 600; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0 2rem; break-inside: avoid; }
figure svg { display: block; width: 100%; height: auto; } svg.narrow { display: none; max-width: 34rem; }
table { width: 100%; margin: .5rem 0 1.5rem; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; } td { min-width: 3.5rem; }
th { font-weight: 500; } thead th { font-weight: 600; overflow-wrap: normal; } tr { break-inside: avoid; } .n { text-align: right; } .n, .s { white-space: nowrap; } thead .n { white-space: normal; }
table.calendar { width: auto; border-collapse: separate; border-spacing: 2px; } .calendar th, .calendar td { border: 0; padding: 0 .2rem; font-size: .8rem; text-align: center; }
.calendar td { min-width: 0; width: 1.6rem; height: 1.4rem; border-radius: .2rem; background: var(--line); } .calendar td.made { background: var(--first); color: var(--on-bar); } .calendar td.none { background: none; }
@media screen and (max-width: 34rem) { svg.wide { display: none !important; } figure svg.narrow { display: block; } body { padding: 1rem .625rem; } th, td { padding: .3rem .25rem; font-size: .75rem; } dd { font-size: 1.2rem; } .calendar td { width: 1.15rem; } .calendar th, .calendar td { padding: 0; }
  .broad thead { display: none; } .broad tr { display: block; padding: .4rem 0; border-bottom: 1px solid var(--line); } .broad th, .broad td { display: flex; justify-content: space-between; gap: 1rem; padding: .05rem 0; border: 0; font-size: .85rem; white-space: normal; } .broad td { text-align: right; } .broad td::before { content: attr(data-title); color: var(--muted); font-weight: 400; text-align: left; flex: none; max-width: 40%; } }
footer { margin-top: 1.5rem; font-size: .9rem; } footer p { margin: 0; }
@media print { body { max-width: none; padding: 0; font-size: 11pt; } * { print-color-adjust: exact; } }
`;
