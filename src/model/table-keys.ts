import { own } from "./json.ts";
import type { Entity, FieldType, Model, ModelTable } from "./schema.ts";
import { toolTables } from "./tool-tables.ts";

/** Partition and sort key of a new table. */
export function keyOf({ key, shapes }: ModelTable): readonly string[] {
  return [key ?? shapes?.[0]?.key ?? []].flat();
}

/** Key attributes of a table and of its indexes, by their names; of the tool's own tables too. */
export function tableKeysOf(table: ModelTable): {
  readonly primary: readonly string[];
  readonly indexes: Readonly<Record<string, readonly string[]>>;
} {
  if (table.tool !== undefined) {
    const { keys, indexes } = toolTables[table.tool];
    const names = (each: typeof keys) => [each.partition, each.sort].flatMap((part) => part?.name ?? []);
    return {
      primary: names(keys),
      indexes: Object.fromEntries(indexes.map((index) => [index.name, names(index.keys)])),
    };
  }
  const indexes = Object.entries(table.indexes ?? {}).map(([name, { key }]) => [name, [key].flat()] as const);
  return { primary: keyOf(table), indexes: Object.fromEntries(indexes) };
}

/** What type the model gives a field of an entity. */
export function fieldTypeOf({ fields = {} }: Pick<Entity, "fields">, name: string): FieldType | undefined {
  const field = own(fields, name);
  return typeof field === "object" ? field.type : field;
}

/** What a field of this type is as a key; undefined where DynamoDB takes none. */
export function keyTypeOf(type: FieldType): "S" | "N" | "B" | undefined {
  if (type === "text" || type === "isoTime") return "S";
  if (type === "number" || type === "epochSeconds" || type === "epochMs") return "N";
  return type === "binary" ? "B" : undefined;
}

/** Every field that a model names of an entity: those it declares, those of its templates and of its table's keys. */
export function fieldNamesOf(model: Model, entity: Entity): string[] {
  const names = new Set(Object.keys(entity.fields ?? {}));
  const { from, key = [] } = entity;
  const kind = "bucket" in from ? "object" : "attribute";
  const texts = typeof key === "string" || Array.isArray(key) ? [key].flat() : Object.values(key).flat();
  for (const text of texts) for (const field of text.matchAll(/\{(\w+)\+?\}/g)) names.add(field[1] ?? kind);
  const table = "bucket" in from || "database" in from ? undefined : own(model.tables, from.table);
  if (table !== undefined) {
    const { primary, indexes } = tableKeysOf(table);
    for (const name of [...primary, ...Object.values(indexes).flat()]) names.add(name);
  }
  return [...names];
}
