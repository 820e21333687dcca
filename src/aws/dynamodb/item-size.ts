import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { CliError } from "../../errors.ts";
import { maxItemBytes } from "../../model/item-size.ts";
import type { Item } from "./items.ts";

/**
 * The size by which DynamoDB measures an item: names and strings in UTF-8, binary as it is, a byte for two digits of a
 * number and one more, a byte for booleans and null, three for a list or map and one for each of its elements.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function itemSizeBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + attributeBytes(name, value), 0);
}

/** Fails with CliError when the item is too large, naming its size and the attributes that take most of the room. */
export function assertItemFits(item: Item, what: string): void {
  const sizeBytes = itemSizeBytes(item);
  if (sizeBytes <= maxItemBytes) return;
  const largest = Object.entries(item)
    .map(([name, value]) => ({ name, bytes: attributeBytes(name, value) }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, 3)
    .map(({ name, bytes }) => `${name} ${inKb(bytes)}`);
  throw new CliError(`${what} would be ${inKb(sizeBytes)}; DynamoDB holds at most 400 KB an item`, {
    hint: `Most of it is: ${largest.join(", ")}.`,
  });
}

function attributeBytes(name: string, value: AttributeValue | undefined): number {
  return Buffer.byteLength(name) + valueBytes(value);
}

/** Without a value: what the SDK could not read. */
function valueBytes(value: AttributeValue | undefined): number {
  if (value === undefined) return 0;
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return numberBytes(value.N);
  if (value.B !== undefined) return value.B.byteLength;
  if (value.SS !== undefined) return sum(value.SS, (text) => Buffer.byteLength(text));
  if (value.NS !== undefined) return sum(value.NS, numberBytes);
  if (value.BS !== undefined) return sum(value.BS, (bytes) => bytes.byteLength);
  if (value.L !== undefined) return 3 + sum(value.L, (element) => 1 + valueBytes(element));
  if (value.M !== undefined) {
    return 3 + sum(Object.entries(value.M), ([name, element]) => 1 + attributeBytes(name, element));
  }
  return 1;
}

/** Zeros in front and behind do not count; a sign takes a byte. */
function numberBytes(text: string): number {
  const digits = text
    .replace(/e.*$/i, "")
    .replaceAll(/[^0-9]/g, "")
    .replaceAll(/^0+|0+$/g, "");
  return Math.ceil(digits.length / 2) + 1 + (text.startsWith("-") ? 1 : 0);
}

function sum<T>(elements: readonly T[], bytes: (element: T) => number): number {
  return elements.reduce((total, element) => total + bytes(element), 0);
}

function inKb(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}
