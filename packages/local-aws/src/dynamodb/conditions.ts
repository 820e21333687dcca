import { db } from "./dynalite.ts";
import type { AttributeValue, Item } from "./values.ts";

/*
 * Evaluates what dynalite's parser made of a condition, filter or key condition. dynalite's own evaluation compares
 * lists and maps by identity, sets in one direction only and binary as UTF-8, and throws on bounds of mixed types.
 */

export type Path = readonly (string | number)[];

export type Operand = Path | AttributeValue | FunctionCall;

interface FunctionCall {
  readonly type: "function";
  readonly name: string;
  readonly args: readonly Operand[];
}

type OrderOperator = "<" | "<=" | ">" | ">=";

export type Expression = Combination | Comparison | FunctionCall;

interface Combination {
  readonly type: "and" | "or" | "not";
  readonly args: readonly Expression[];
}

interface Comparison {
  readonly type: OrderOperator | "=" | "<>" | "between" | "in";
  readonly args: readonly Operand[];
}

/** Whether `item` (empty when there is none) meets `expression`. */
export function meets(item: Item, expression: Expression): boolean {
  switch (expression.type) {
    case "and":
      return expression.args.every((part) => meets(item, part));
    case "or":
      return expression.args.some((part) => meets(item, part));
    case "not":
      return expression.args.every((part) => !meets(item, part));
    default:
      return judges(item, expression);
  }
}

function judges(item: Item, expression: Comparison | FunctionCall): boolean {
  const [value, ...others] = expression.args.map((operand) => resolve(operand, item));
  return expression.type === "function"
    ? holds(expression.name, value, others[0])
    : compares(expression.type, value, others);
}

function resolve(operand: Operand, item: Item): AttributeValue | undefined {
  if (isPath(operand)) return valueAt(operand, item);
  if (!("type" in operand)) return operand;
  const [argument] = operand.args;
  const value = argument === undefined ? undefined : resolve(argument, item);
  const length = value === undefined ? undefined : lengthOf(value);
  return length === undefined ? undefined : { N: String(length) };
}

/** Only what the item itself has: every object answers to `constructor`. */
function valueAt(path: Path, item: Item): AttributeValue | undefined {
  let value: AttributeValue | undefined = { M: item };
  for (const step of path) {
    if (typeof step === "number") value = value?.L?.[step];
    else value = value?.M !== undefined && Object.hasOwn(value.M, step) ? value.M[step] : undefined;
  }
  return value;
}

function isPath(operand: Operand): operand is Path {
  return Array.isArray(operand);
}

/** What `size()` gives: bytes of strings and binary, members of the rest. Numbers and such have none. */
function lengthOf(value: AttributeValue): number | undefined {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.B !== undefined) return Buffer.byteLength(value.B, "base64");
  if (value.M !== undefined) return Object.keys(value.M).length;
  return (value.L ?? value.SS ?? value.NS ?? value.BS)?.length;
}

const orders: Readonly<Record<OrderOperator, (order: number) => boolean>> = {
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

function compares(
  operator: OrderOperator | "=" | "<>" | "between" | "in",
  value: AttributeValue | undefined,
  others: readonly (AttributeValue | undefined)[],
): boolean {
  const [first, second] = others;
  if (operator === "=") return same(value, first);
  if (operator === "<>") return !same(value, first);
  if (operator === "in") return others.some((other) => same(value, other));
  if (operator === "between") {
    return ordered(first, value, orders["<="]) && ordered(value, second, orders["<="]);
  }
  return ordered(value, first, orders[operator]);
}

function holds(
  name: string,
  value: AttributeValue | undefined,
  argument: AttributeValue | undefined,
): boolean {
  if (name === "attribute_exists") return value !== undefined;
  if (name === "attribute_not_exists") return value === undefined;
  if (value === undefined || argument === undefined) return false;
  if (name === "attribute_type") return typeOf(value) === argument.S;
  if (name === "begins_with") return beginsWith(value, argument);
  if (name === "contains") return contains(value, argument);
  throw new Error(`no such function in a condition: ${name}`);
}

function beginsWith(value: AttributeValue, prefix: AttributeValue): boolean {
  if (value.S !== undefined && prefix.S !== undefined) return value.S.startsWith(prefix.S);
  if (value.B === undefined || prefix.B === undefined) return false;
  const start = Buffer.from(prefix.B, "base64");
  return Buffer.from(value.B, "base64").subarray(0, start.length).equals(start);
}

function contains(value: AttributeValue, part: AttributeValue): boolean {
  if (value.L !== undefined) return value.L.some((element) => same(element, part));
  if (part.S !== undefined) return value.S?.includes(part.S) ?? value.SS?.includes(part.S) ?? false;
  if (part.N !== undefined) return value.NS?.includes(part.N) ?? false;
  if (part.B === undefined) return false;
  if (value.B === undefined) return value.BS?.includes(part.B) ?? false;
  return Buffer.from(value.B, "base64").includes(Buffer.from(part.B, "base64"));
}

function typeOf(value: AttributeValue): keyof AttributeValue {
  return Object.keys(value)[0] as keyof AttributeValue;
}

/** Equal in type and value; sets in any order. Numbers were brought to one form when they came in. */
function same(one: AttributeValue | undefined, other: AttributeValue | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  if (one.L !== undefined) {
    const elements = other.L;
    return (
      elements?.length === one.L.length && one.L.every((element, index) => same(element, elements[index]))
    );
  }
  if (one.M !== undefined) {
    const members = other.M;
    const entries = Object.entries(one.M);
    return (
      members !== undefined &&
      Object.keys(members).length === entries.length &&
      entries.every(([name, value]) => same(value, members[name]))
    );
  }
  const set = one.SS ?? one.NS ?? one.BS;
  if (set !== undefined) {
    const members = typeOf(one) === typeOf(other) ? new Set(other.SS ?? other.NS ?? other.BS) : undefined;
    return members?.size === set.length && set.every((member) => members.has(member));
  }
  const type = typeOf(one);
  return type === typeOf(other) && one[type] === other[type];
}

/** Only strings, numbers and binary have an order, each among themselves. */
function ordered(
  one: AttributeValue | undefined,
  other: AttributeValue | undefined,
  fits: (order: number) => boolean,
): boolean {
  if (one === undefined || other === undefined) return false;
  if (one.S !== undefined && other.S !== undefined) {
    return fits(Buffer.compare(Buffer.from(one.S), Buffer.from(other.S)));
  }
  if (one.B !== undefined && other.B !== undefined) {
    return fits(Buffer.compare(Buffer.from(one.B, "base64"), Buffer.from(other.B, "base64")));
  }
  if (one.N === undefined || other.N === undefined) return false;
  const left = db.toLexiStr(one.N, "N");
  const right = db.toLexiStr(other.N, "N");
  if (left === right) return fits(0);
  return fits(left < right ? -1 : 1);
}
