import type { Item } from "../dynamodb/items.ts";

/** A page of a scan, split without being parsed. */
interface Page {
  /** `{"Item":…}` and a newline for each item. */
  readonly lines: Buffer;
  readonly count: number;
  /** `LastEvaluatedKey`. */
  readonly next: Item | undefined;
  /** `ConsumedCapacity`; empty where it was not told. */
  readonly consumed: Readonly<Record<string, unknown>>;
}

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;
const colon = 0x3a;
const newline = 0x0a;

const before = Buffer.from('{"Item":');
const after = Buffer.from("}\n");

/**
 * Splits the JSON text of a Scan or Query answer by item: only brackets and strings are told apart, which takes a small part of
 * the time of parsing. Members may come in any order.
 * @throws Error when the text is no such answer; nothing is then given of it.
 */
export function splitPage(text: Buffer): Page {
  const items: number[] = [];
  let next: Item | undefined;
  let consumed: Record<string, unknown> = {};
  let at = expect(text, skipBlank(text, 0), openBrace);
  at = skipBlank(text, at);
  while (text[at] !== closeBrace) {
    const keyEnd = endOfValue(text, at);
    const key = text.toString("utf8", at + 1, keyEnd - 1);
    at = skipBlank(text, expect(text, skipBlank(text, keyEnd), colon));
    const end = key === "Items" ? splitItems(text, at, items) : endOfValue(text, at);
    if (key === "LastEvaluatedKey") next = valueOf(text, at, end) as Item | undefined;
    if (key === "ConsumedCapacity") consumed = (valueOf(text, at, end) as typeof consumed | undefined) ?? {};
    at = skipBlank(text, end);
    if (text[at] === comma) at = skipBlank(text, at + 1);
  }
  return { lines: linesOf(text, items), count: items.length / 2, next, consumed };
}

/** Notes where each item begins and ends; answers where the list ends. */
function splitItems(text: Buffer, from: number, items: number[]): number {
  let at = skipBlank(text, expect(text, from, openBracket));
  while (text[at] !== closeBracket) {
    if (text[at] !== openBrace) throw noPage();
    const end = endOfValue(text, at);
    items.push(at, end);
    at = skipBlank(text, end);
    if (text[at] === comma) at = skipBlank(text, at + 1);
  }
  return at + 1;
}

function linesOf(text: Buffer, items: readonly number[]): Buffer {
  // A server may lay its JSON out in lines. Numbers are strings in it, so parsing loses nothing but the layout.
  const plain = text.includes(newline) ? (from: number, to: number) => compact(text, from, to) : undefined;
  if (plain !== undefined) {
    const lines: Buffer[] = [];
    for (let n = 0; n < items.length; n += 2)
      lines.push(before, plain(items[n] ?? 0, items[n + 1] ?? 0), after);
    return Buffer.concat(lines);
  }
  let bytes = 0;
  for (let n = 0; n < items.length; n += 2) {
    bytes += (items[n + 1] ?? 0) - (items[n] ?? 0) + before.length + after.length;
  }
  const lines = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (let n = 0; n < items.length; n += 2) {
    at += before.copy(lines, at);
    at += text.copy(lines, at, items[n], items[n + 1]);
    at += after.copy(lines, at);
  }
  return lines;
}

function compact(text: Buffer, from: number, to: number): Buffer {
  return Buffer.from(JSON.stringify(JSON.parse(text.toString("utf8", from, to))));
}

/** Behind the value that begins at `from`. */
function endOfValue(text: Buffer, from: number): number {
  let depth = 0;
  let at = from;
  const length = text.length;
  do {
    const byte = text[at];
    at += 1;
    if (byte === quote) {
      while (at < length && text[at] !== quote) at += text[at] === backslash ? 2 : 1;
      at += 1;
    } else if (byte === openBrace || byte === openBracket) depth += 1;
    else if (byte === closeBrace || byte === closeBracket) depth -= 1;
    else if (depth === 0) {
      // A number, true, false or null.
      while (at < length && !endsBareword(text[at])) at += 1;
    }
    if (at > length) throw noPage();
  } while (depth > 0);
  return at;
}

function endsBareword(byte: number | undefined): boolean {
  return byte === comma || byte === closeBrace || byte === closeBracket || byte === undefined || byte <= 0x20;
}

function skipBlank(text: Buffer, from: number): number {
  let at = from;
  while (at < text.length && (text[at] ?? 0) <= 0x20) at += 1;
  if (at >= text.length) throw noPage();
  return at;
}

function expect(text: Buffer, at: number, byte: number): number {
  if (text[at] !== byte) throw noPage();
  return at + 1;
}

function valueOf(text: Buffer, from: number, to: number): unknown {
  return JSON.parse(text.toString("utf8", from, to)) ?? undefined;
}

function noPage(): Error {
  return new Error("the server's answer is no page of items");
}
