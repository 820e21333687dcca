import { isUtf8 } from "node:buffer";
import type { TableKeys } from "../model/declaration.ts";
import { maxItemBytes, maxItemDepth } from "../model/item-size.ts";
import { isRecord, own, type JsonObject } from "../model/json.ts";
import { DamagedError } from "./damage.ts";

/** A table, and the keys that each of its items has. */
export interface ItemTable {
  readonly name: string;
  readonly described: TableKeys;
}

/**
 * The item of a table's line, in DynamoDB's typed JSON. Whoever can write to a repository can write any line: only the
 * value that is given here may go on, written anew, and never the line's own text.
 * @throws DamagedError unless the line is JSON with the one member `Item`, which has the table's keys and which DynamoDB would take.
 */
export function parseItemLine(line: Buffer, { name, described }: ItemTable): JsonObject {
  return onlyMember(line, "Item", {
    what: `a line of table ${name} is no item`,
    isRight: (item) =>
      hasKeys(item, described) &&
      Object.values(item).every((value) => isTyped(value, maxItemDepth)) &&
      // A line is longer than its item.
      (line.length <= maxItemBytes || bytesOf({ M: item }) <= maxItemBytes),
  });
}

function hasKeys(item: JsonObject, { partition, sort }: TableKeys): boolean {
  return [partition, sort].every((key) => {
    if (key === undefined) return true;
    const value = own(item, key.name);
    if (!isRecord(value) || Object.keys(value).length !== 1) return false;
    const text = own(value, key.type);
    return typeof text === "string" && text !== "";
  });
}

/** The object that is the one member of a line. @throws DamagedError, which says what it is not, for any other line. */
export function onlyMember(
  line: Buffer,
  member: string,
  { what, isRight }: { readonly what: string; readonly isRight: (value: JsonObject) => boolean },
): JsonObject {
  if (!isUtf8(line)) throw new DamagedError(what);
  let found: unknown;
  try {
    found = JSON.parse(line.toString());
  } catch (cause) {
    throw new DamagedError(what, cause);
  }
  const value = isRecord(found) && Object.keys(found).length === 1 ? found[member] : undefined;
  if (!isRecord(value) || !isRight(value)) throw new DamagedError(what);
  return value;
}

/** Whether it is an attribute in typed JSON; goes no deeper than it is asked to. */
function isTyped(value: unknown, levels: number): boolean {
  if (!isRecord(value)) return false;
  const [type, ...others] = Object.keys(value);
  if (type === undefined || others.length > 0) return false;
  const inner = value[type];
  switch (type) {
    case "S":
    case "N":
    case "B":
      return isScalar(type, inner);
    case "SS":
    case "NS":
    case "BS":
      return (
        Array.isArray(inner) && inner.length > 0 && inner.every((each) => isScalar(type.charAt(0), each))
      );
    case "BOOL":
      return typeof inner === "boolean";
    case "NULL":
      return inner === true;
    case "L":
      return levels > 0 && Array.isArray(inner) && inner.every((each) => isTyped(each, levels - 1));
    case "M":
      return levels > 0 && isRecord(inner) && Object.values(inner).every((each) => isTyped(each, levels - 1));
    default:
      return false;
  }
}

function isScalar(type: string, value: unknown): boolean {
  return typeof value === "string" && (type !== "N" || /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value));
}

/** What an attribute in typed JSON takes, by DynamoDB's published rules: see `attributeBytes`. */
function bytesOf(attribute: unknown): number {
  const [[type, value] = ["", undefined]] = isRecord(attribute) ? Object.entries(attribute) : [];
  if (typeof value === "string") return scalarBytes(type, value);
  if (type === "L" && Array.isArray(value)) return sum(value, (each) => 1 + bytesOf(each)) + 3;
  if (Array.isArray(value)) return sum(value, (each) => scalarBytes(type.charAt(0), String(each)));
  if (!isRecord(value)) return 1;
  return sum(Object.entries(value), ([name, each]) => 1 + Buffer.byteLength(name) + bytesOf(each)) + 3;
}

function scalarBytes(type: string, text: string): number {
  if (type === "N") return Math.min(21, Math.ceil(text.replaceAll(/[^\d]/g, "").length / 2) + 1);
  return type === "B" ? Buffer.byteLength(text, "base64") : Buffer.byteLength(text);
}

function sum<T>(all: readonly T[], of: (each: T) => number): number {
  return all.reduce((total, each) => total + of(each), 0);
}
