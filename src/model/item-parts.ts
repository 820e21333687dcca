import { isRecord, own, type JsonObject } from "./json.ts";
import type { Entity, Model } from "./schema.ts";

/** What a model names as an entity of its own within the items of a table: `documents[]` of a profile. */
export interface ItemPart {
  readonly entity: string;
  readonly what: string;
  readonly declared: Entity;
  /** As the model has it. */
  readonly at: string;
  /** Names of attributes from outside in. */
  readonly path: readonly [string, ...string[]];
  readonly isList: boolean;
}

/** Pure. */
export function itemParts({ entities }: Pick<Model, "entities">, table: string): ItemPart[] {
  return Object.entries(entities).flatMap(([entity, declared]) => {
    const { from, at, what } = declared;
    if (at === undefined || !("table" in from) || "database" in from || from.table !== table) return [];
    const [first = "", ...names] = at.replace("[]", "").split(".");
    return [{ entity, what, declared, at, path: [first, ...names], isList: at.endsWith("[]") }];
  });
}

/** What an item, in plain values, has at the place of a part. Pure. */
export function partsIn(
  item: JsonObject,
  { path, isList }: { readonly path: readonly string[]; readonly isList: boolean },
): JsonObject[] {
  let at: unknown = item;
  for (const name of path) at = isRecord(at) ? own(at, name) : undefined;
  const all: readonly unknown[] = isList && Array.isArray(at) ? at : [at];
  return all.filter(isRecord);
}
