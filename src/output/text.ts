import { count, grouped, groupedTo } from "../model/count.ts";
import { paintCodes, type Layout } from "./layout.ts";

export { count, grouped };

/** Control characters, line breaks and tabs among them, and the invisible ones that turn the direction of writing. */
const unseen = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu;

/**
 * Makes control characters of foreign text visible (names, keys and a server's words are other people's data): a terminal
 * must not be steered by an object's key. For one line; a line break is shown, too.
 */
export function visible(text: string): string {
  return text.replaceAll(unseen, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, "0")}`
      : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** The same for one line in colours of our own, where colours are shown. */
export function visiblePainted(text: string, { color }: Pick<Layout, "color">): string {
  return color ? exceptPaint(text, visible) : visible(text);
}

/** The same for lines of our own, which stay lines, in colours of our own. What is foreign in them was made visible before. */
export function visibleLines(text: string, { color }: Pick<Layout, "color"> = { color: false }): string {
  if (color) return exceptPaint(text, (part) => visibleLines(part));
  return text.split("\n").map(visible).join("\n");
}

function exceptPaint(text: string, show: (part: string) => string): string {
  return text
    .split(paintCodes)
    .map((part, at) => (at % 2 === 1 ? part : show(part)))
    .join("");
}

/** JSON that can be shown on a terminal: what JSON itself leaves as it is among those characters is escaped, too. */
export function json(value: unknown, indent?: number): string {
  return (JSON.stringify(value, undefined, indent) ?? "").replaceAll(unseen, (character) =>
    character === "\n" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Whole, or to a thousandth. */
export function quantityText(quantity: number): string {
  if (Number.isInteger(quantity)) return grouped(quantity);
  return quantity < 0.001 ? "under 0.001" : groupedTo(3, quantity);
}

/** To the cent; what is less than half of one is told as such, for nothing is not it. */
export function dollars(usd: number): string {
  if (usd !== 0 && Math.abs(usd) < 0.005) return `${usd < 0 ? "-" : ""}under 0.01 USD`;
  return `${groupedTo(2, usd)} USD`;
}
