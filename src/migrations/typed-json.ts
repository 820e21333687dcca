import type { AttributeValue, Item } from "../aws/dynamodb/items.ts";
import { canonicalJson, type JsonObject } from "../model/json.ts";

/** An item in DynamoDB's typed JSON, as its own exports have it: binary in base64. Every type and digit survives. */
export function encodeItem(item: Item): JsonObject {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, encoded(value)]));
}

/** What `encodeItem` made, as an item again. */
export function decodeItem(json: JsonObject): Item {
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [name, decoded(value as JsonObject)]),
  );
}

/**
 * Whether two attributes hold the same; neither the order of a map's names nor that of a set's elements counts.
 * Numbers are compared by their text: DynamoDB gives each in one notation.
 */
export function sameValue(one: AttributeValue | undefined, other: AttributeValue | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return canonicalJson(ordered(encoded(one))) === canonicalJson(ordered(encoded(other)));
}

function encoded(value: AttributeValue): JsonObject {
  if (value.B !== undefined) return { B: base64(value.B) };
  if (value.BS !== undefined) return { BS: value.BS.map(base64) };
  if (value.L !== undefined) return { L: value.L.map(encoded) };
  if (value.M !== undefined) return { M: encodeItem(value.M) };
  return { ...value };
}

function decoded(value: JsonObject): AttributeValue {
  const { B, BS, L, M } = value;
  if (typeof B === "string") return { B: Buffer.from(B, "base64") };
  if (Array.isArray(BS)) return { BS: BS.map((each) => Buffer.from(String(each), "base64")) };
  if (Array.isArray(L)) return { L: L.map((each) => decoded(each as JsonObject)) };
  if (M !== undefined) return { M: decodeItem(M as JsonObject) };
  return value as unknown as AttributeValue;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function ordered(value: JsonObject): JsonObject {
  const [type = "", inner] = Object.entries(value)[0] ?? [];
  if (type === "L") return { L: (inner as JsonObject[]).map(ordered) };
  if (type === "M") {
    return {
      M: Object.fromEntries(
        Object.entries(inner as JsonObject).map(([name, each]) => [name, ordered(each as JsonObject)]),
      ),
    };
  }
  return type.endsWith("S") && Array.isArray(inner) ? { [type]: inner.map(String).toSorted(byText) } : value;
}

function byText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
