import { CliError } from "../../errors.ts";
import { maxItemDepth } from "../../model/item-size.ts";
import { isDeeperThan } from "../../model/json.ts";
import type { AttributeValue, Item } from "./items.ts";

/**
 * An item as plain JavaScript values, for reading attributes that the model knows. A number that JavaScript cannot hold
 * exactly stays a string of its digits. Never write the result back: sets, binary and long numbers have lost their type.
 *
 * Both ways take every name for what it is: the SDK's own conversion takes a map with an attribute `constructor` for
 * something else, and loses one named `__proto__`.
 * @throws CliError for what the SDK could not read.
 */
export function plain(item: Item): Record<string, unknown> {
  return plainFields(item, assertRead);
}

/** The same of what others may have damaged: what the SDK could not read is null, and stops nobody. */
export function plainIfDamaged(item: Item): Record<string, unknown> {
  return plainFields(item, () => undefined);
}

type Check = (value: AttributeValue | undefined) => void;

function plainFields(item: Item, check: Check): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plainValue(value, check)]));
}

function plainValue(value: AttributeValue | undefined, check: Check): unknown {
  check(value);
  if (value === undefined) return null;
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return plainNumber(value.N);
  if (value.M !== undefined) return plainFields(value.M, check);
  if (value.L !== undefined) return value.L.map((each) => plainValue(each, check));
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.SS !== undefined) return new Set(value.SS);
  if (value.NS !== undefined) return new Set(value.NS.map(plainNumber));
  if (value.BS !== undefined) return new Set(value.BS);
  return value.B ?? null;
}

/**
 * The SDK reads an attribute named `__proto__` as one without a value (@smithy/core 3.41). What would be lost is not used.
 * @throws CliError
 */
export function assertRead(value: AttributeValue | undefined): void {
  if (value !== undefined) return;
  throw new CliError(`something stored has a field named ${lostName}, which cannot be read`, {
    hint: "nothing was changed; remove that field with another program",
  });
}

/** Refuses to store a field that `assertRead` would miss. @throws CliError */
export function assertComesBack(name: string): void {
  if (name !== lostName) return;
  throw new CliError(`a field named ${lostName} is not stored: it would not come back`, {
    hint: "remove it from the source, then run the command again; nothing was changed",
  });
}

const lostName = "__proto__";

/** A number that JavaScript does not hold exactly stays text. */
function plainNumber(digits: string): number | string {
  return isExact(digits) ? Number(digits) : digits;
}

/**
 * A JSON value in DynamoDB's typed form. Attributes of `undefined` are left out. A number is written as JavaScript has it,
 * also beyond 2^53.
 * @throws CliError for what is nested deeper than DynamoDB takes, or would not come back; TypeError for what JSON does not know.
 */
export function typed(value: unknown): AttributeValue {
  if (isDeeperThan(value, maxItemDepth)) {
    throw new CliError(`what is to be stored is nested deeper than the ${maxItemDepth} levels of DynamoDB`);
  }
  return typedValue(value);
}

function typedValue(value: unknown): AttributeValue {
  if (value === null) return { NULL: true };
  if (typeof value === "string") return { S: value };
  if (typeof value === "boolean") return { BOOL: value };
  if (typeof value === "bigint" || (typeof value === "number" && Number.isFinite(value))) {
    return { N: String(value) };
  }
  if (Array.isArray(value)) return { L: value.filter((each) => each !== undefined).map(typedValue) };
  if (value instanceof Uint8Array) return { B: value };
  if (typeof value !== "object")
    throw new TypeError(`DynamoDB does not store a value of type ${typeof value}`);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  for (const [name] of fields) assertComesBack(name);
  return { M: Object.fromEntries(fields.map(([name, field]) => [name, typedValue(field)])) };
}

/** Whether JavaScript gives the same number back, in whichever notation: 1e-7 comes back as 0.0000001. */
function isExact(digits: string): boolean {
  return significant(String(Number(digits))) === significant(digits);
}

/** Sign, digits without zeros at either end, and the power of ten that they are multiplied by. */
export function significant(number: string): string {
  const [, sign = "", whole = "", fraction = "", power = "0"] =
    /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(number) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const short = digits.replace(/0+$/, "");
  if (short === "") return "0";
  return `${sign.replace("+", "")}${short}e${Number(power) - fraction.length + digits.length - short.length}`;
}
