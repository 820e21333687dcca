import { significant } from "../aws/dynamodb/plain.ts";
import { canonicalJson, isRecord, timeOf, type JsonObject } from "../model/json.ts";

/**
 * Whether two items in DynamoDB's typed JSON are the same: sets and maps have no order, and 1.0 is 1. Everything else is
 * compared as text.
 */
export function sameItem(one: JsonObject, other: JsonObject): boolean {
  return canonicalItem(one) === canonicalItem(other);
}

/** The same text for the same attributes. */
export function canonicalItem(item: JsonObject): string {
  return canonicalJson(
    Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plainest(value)])),
  );
}

function plainest(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const { N, NS, SS, BS, L, M } = value;
  if (typeof N === "string") return { N: significant(N) };
  if (Array.isArray(NS)) return { NS: NS.map((number) => significant(String(number))).toSorted() };
  if (Array.isArray(SS)) return { SS: SS.map(String).toSorted() };
  if (Array.isArray(BS)) return { BS: BS.map(String).toSorted() };
  if (Array.isArray(L)) return { L: L.map(plainest) };
  if (isRecord(M))
    return { M: Object.fromEntries(Object.entries(M).map(([name, each]) => [name, plainest(each)])) };
  return value;
}

/** When the item says that it was changed last, in milliseconds since 1970; undefined when it does not say. */
export function changedAt(item: JsonObject): number | undefined {
  const { updatedAt } = item;
  return isRecord(updatedAt) ? timeOf(updatedAt["S"]) : undefined;
}
