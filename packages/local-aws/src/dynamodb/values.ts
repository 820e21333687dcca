/** DynamoDB's typed JSON, as it travels: numbers as decimal text, binary as base64. Exactly one member is set. */
export interface AttributeValue {
  S?: string;
  N?: string;
  B?: string;
  BOOL?: boolean;
  NULL?: boolean;
  SS?: string[];
  NS?: string[];
  BS?: string[];
  L?: AttributeValue[];
  M?: Item;
}

export type Item = Record<string, AttributeValue>;

/** The largest item, names and values together: 400 KB. */
export const itemLimitBytes = 400 * 1024;

/** How many lists and maps may lie around a value: with itself that makes the documented 32 levels. */
const depthLimit = 31;

/** Digits that a number may have, and the exponent of the largest. */
const digitLimit = 38;
const exponentLimit = 125;

/**
 * Size of an item in bytes as DynamoDB counts it against the 400 KB limit: names and strings in UTF-8, two digits
 * of a number to a byte, 3 bytes for a list or map and 1 for each of its elements.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function itemSizeBytes(item: Item): number {
  let size = 0;
  for (const [name, value] of Object.entries(item)) size += Buffer.byteLength(name) + valueSizeBytes(value);
  return size;
}

function valueSizeBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return numberSizeBytes(value.N);
  if (value.B !== undefined) return Buffer.byteLength(value.B, "base64");
  if (value.SS !== undefined) return sum(value.SS, (text) => Buffer.byteLength(text));
  if (value.NS !== undefined) return sum(value.NS, numberSizeBytes);
  if (value.BS !== undefined) return sum(value.BS, (bytes) => Buffer.byteLength(bytes, "base64"));
  if (value.L !== undefined) return 3 + sum(value.L, (element) => 1 + valueSizeBytes(element));
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + itemSizeBytes(value.M);
  return 1;
}

function numberSizeBytes(number: string): number {
  return 1 + Math.ceil(digitsOf(number).length / 2) + (number.startsWith("-") ? 1 : 0);
}

function digitsOf(number: string): string {
  return number.replace(/^-|\./g, "").replace(/^0+|0+$/g, "");
}

function sum<T>(values: readonly T[], size: (value: T) => number): number {
  return values.reduce((total, value) => total + size(value), 0);
}

/** Whether lists and maps nest deeper than DynamoDB stores. */
export function nestsTooDeep(item: Item): boolean {
  return Object.values(item).some((value) => exceeds(value, depthLimit));
}

function exceeds(value: AttributeValue, levels: number): boolean {
  const children = value.L ?? (value.M === undefined ? undefined : Object.values(value.M));
  if (children === undefined) return false;
  return levels === 0 || children.some((child) => exceeds(child, levels - 1));
}

/** What is wrong with a number in the item that an update has calculated; undefined when all can be stored. */
export function numberFault(item: Item): string | undefined {
  return firstFault(Object.values(item));
}

function firstFault(values: readonly AttributeValue[]): string | undefined {
  for (const value of values) {
    const nested = value.L ?? (value.M === undefined ? undefined : Object.values(value.M));
    const fault = nested === undefined ? faultOfNumber(value.N) : firstFault(nested);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultOfNumber(number: string | undefined): string | undefined {
  if (number === undefined) return undefined;
  const whole = /^-?0*(\d*)/.exec(number)?.[1] ?? "";
  if (whole.length - 1 > exponentLimit) {
    return "Number overflow. Attempting to store a number with magnitude larger than supported range";
  }
  if (digitsOf(number).length > digitLimit) {
    return `Attempting to store more than ${String(digitLimit)} significant digits in a Number`;
  }
  return undefined;
}
