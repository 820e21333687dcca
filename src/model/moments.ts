import { timeOf } from "./json.ts";
import type { Entity, FieldType } from "./schema.ts";
import { fieldTypeOf } from "./table-keys.ts";

/** The moment that a field holds, in milliseconds since 1970, by its type in the model: an ISO time where it has none. */
export function momentOf(entity: Pick<Entity, "fields">, field: string, value: unknown): number | undefined {
  return momentIn(fieldTypeOf(entity, field), value);
}

/** The same of a value of a type. */
export function momentIn(type: FieldType | undefined, value: unknown): number | undefined {
  if (type !== "epochSeconds" && type !== "epochMs") return timeOf(value);
  const number = typeof value === "string" && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  if (typeof number !== "number") return undefined;
  const ms = type === "epochMs" ? number : number * 1000;
  return Math.abs(ms) <= latestMs ? ms : undefined;
}

/** The last moment that a Date can tell. */
const latestMs = 8.64e15;
