import { derivedAttributes, keyTemplates } from "./derived.ts";
import { referencesOf } from "./graph.ts";
import { own } from "./json.ts";
import type { Entity, Model } from "./schema.ts";
import { tableKeysOf } from "./table-keys.ts";
import { fieldsOf, type Fields } from "./template.ts";

/** An attribute of a parent that says how many of an entity refer to it. */
export interface CountPlace {
  /** Entity of the parent. */
  readonly parent: string;
  /** Role of its table. */
  readonly table: string;
  readonly attribute: string;
  /** Key attributes of the parent by those of who refers to it; undefined where these do not tell. */
  readonly keyOf: (key: Fields) => Fields | undefined;
}

/** Where it is counted how many of an entity there are, in items. Pure. */
export function countsOf(
  { entities, tables }: Pick<Model, "entities" | "tables">,
  name: string,
): CountPlace[] {
  const child = own(entities, name);
  if (child === undefined) return [];
  return referencesOf(name, child).flatMap(({ field, to, parentField }) => {
    const parent = own(entities, to);
    if (parentField === undefined || parent === undefined) return [];
    const { from, fields = {} } = parent;
    const table = "table" in from && !("database" in from) ? own(tables, from.table) : undefined;
    if (table === undefined || !("table" in from)) return [];
    const { primary } = tableKeysOf(table);
    const keyOf = (key: Fields) => {
      const value = fieldInKey(child, field, key);
      if (value === undefined) return undefined;
      const known: Record<string, string | number> = {
        [parentField]: value,
        ...derivedAttributes(parent, { [parentField]: value }),
      };
      const parts = primary.map((each) => [each, own(known, each)] as const);
      return parts.every((part): part is [string, string] => typeof part[1] === "string")
        ? Object.fromEntries(parts)
        : undefined;
    };
    return Object.entries(fields).flatMap(([attribute, each]) =>
      typeof each === "object" && each.counts === name
        ? [{ parent: to, table: from.table, attribute, keyOf }]
        : [],
    );
  });
}

/** What a field is, where the key attributes tell it. */
function fieldInKey(entity: Pick<Entity, "key" | "fields">, field: string, key: Fields): string | undefined {
  for (const [name, templates] of keyTemplates(entity)) {
    const text = own(key, name);
    const read = text === undefined ? [] : templates.map((each) => fieldsOf(each, text)?.[field]);
    const value = read.find((each) => each !== undefined);
    if (value !== undefined) return value;
  }
  return own(key, field);
}
