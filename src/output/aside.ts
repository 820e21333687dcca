import { paint, type Layout, type Tone } from "./layout.ts";
import { wrapped } from "./wrapped.ts";

/**
 * A remark on stderr as a terminal shows it, with a line break: one that is too long goes on below, between two words, indented. Elsewhere it
 * is one line. Whatever is foreign in it was made visible before. Pure.
 */
export function asideText(
  text: string,
  layout: Layout,
  { label = "", tone }: { readonly label?: string; readonly tone?: Tone } = {},
): string {
  const head = label === "" ? "" : `${label} `;
  const whole = head + text;
  const indent = whole.search(/\S|$/) + 2;
  const lines = layout.fits
    ? wrapped(whole, layout.columns, mostColumns, { head, indent }).join("\n")
    : whole;
  return `${paint(label, tone, layout)}${lines.slice(label.length)}\n`;
}

/** The columns that a text takes, or more: what tells them exactly takes 20 ms to load, and an error is told at once. */
function mostColumns(text: string): number {
  let columns = 0;
  for (const letter of text) columns += letter < "\u1100" ? 1 : 2;
  return columns;
}
