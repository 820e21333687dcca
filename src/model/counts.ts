import { keyTemplates } from "./derived.ts";
import { groupedBy, referencesOf } from "./graph.ts";
import { own } from "./json.ts";
import type { Entity, Model } from "./schema.ts";
import { fieldTypeOf, keyTypeOf, tableKeysOf } from "./table-keys.ts";
import { build, fieldsOf, type Fields, type Template } from "./template.ts";

/** An attribute of a parent that says how many of an entity refer to it. */
export interface CountPlace {
  /** Entity of the parent. */
  readonly parent: string;
  /** Role of its table. */
  readonly table: string;
  readonly attribute: string;
  /** Key of the parent by the texts in that of who refers to it; undefined where these do not tell. */
  readonly keyOf: (key: Fields) => TypedKey | undefined;
}

/** A key in DynamoDB's typed JSON. */
export type TypedKey = Readonly<Record<string, { readonly S: string } | { readonly N: string }>>;

type Stored = Pick<Model, "entities" | "tables">;

/** Where it is counted how many of an entity there are, in items. Pure. */
export function countsOf(model: Stored, name: string): CountPlace[] {
  const child = own(model.entities, name);
  const parents = groupedBy(referencesOf(name, child ?? {}), ({ to }) => to).keys();
  return [...parents].flatMap((parent) => {
    const { from = { table: "" }, fields = {} } = own(model.entities, parent) ?? {};
    const counting = Object.entries(fields).filter(
      ([, each]) => typeof each === "object" && each.counts === name,
    );
    if (counting.length === 0 || !("table" in from)) return [];
    const keyOf = parentKey(model, { name, parent });
    return counting.map(([attribute]) => ({ parent, table: from.table, attribute, keyOf }));
  });
}

/** The key of the parent by that of the child; undefined where it does not tell. Pure. */
export function parentKey(
  model: Stored,
  { name, parent }: { readonly name: string; readonly parent: string },
): CountPlace["keyOf"] {
  const [childKey, key] = [primaryOf(model, name), primaryOf(model, parent)];
  const references = referencesOf(name, own(model.entities, name) ?? {}).filter(({ to }) => to === parent);
  return (given) => {
    const told = fieldsIn(childKey, given);
    for (const { field, parentField } of references) {
      const value = own(told, field);
      if (value === undefined || parentField === undefined) continue;
      const fields = { [parentField]: value };
      const parts = key.flatMap((part) => {
        const typed = typedPart(part, valueOf(part.name, part.templates, fields));
        return typed === undefined ? [] : [[part.name, typed] as const];
      });
      if (parts.length > 0 && parts.length === key.length) return Object.fromEntries(parts);
    }
    return undefined;
  };
}

interface KeyPart {
  readonly name: string;
  /** None where the attribute is a field itself. */
  readonly templates: readonly Template[];
  readonly type: ReturnType<typeof keyTypeOf>;
}

/** The primary key of an entity's items; nothing where it is none of a table of DynamoDB. */
function primaryOf({ entities, tables }: Stored, name: string): KeyPart[] {
  const { from, key = {}, fields = {} }: Partial<Entity> = own(entities, name) ?? {};
  if (from === undefined || !("table" in from) || "database" in from) return [];
  const table = own(tables, from.table);
  if (table === undefined || typeof key === "string" || Array.isArray(key)) return [];
  const { primary } = tableKeysOf(table);
  const written = primary.flatMap((part) => {
    const texts = own(key, part);
    return texts === undefined ? [] : [[part, texts] as const];
  });
  const templates = new Map(keyTemplates({ key: Object.fromEntries(written) }));
  return primary.map((part) => ({
    name: part,
    templates: templates.get(part) ?? [],
    type: keyTypeOf(fieldTypeOf({ fields }, part) ?? "text"),
  }));
}

function typedPart({ type }: KeyPart, text: string | undefined): TypedKey[string] | undefined {
  if (text === undefined) return undefined;
  if (type === "N") return text.trim() === "" || Number.isNaN(Number(text)) ? undefined : { N: text };
  return type === "S" ? { S: text } : undefined;
}

/** What a key says: its attributes, and the fields of their templates. */
function fieldsIn(key: readonly KeyPart[], given: Fields): Fields {
  const read = key.map(({ name, templates }) => {
    const text = own(given, name) ?? "";
    return templates.map((each) => fieldsOf(each, text)).find((fields) => fields !== undefined) ?? {};
  });
  return Object.fromEntries([given, ...read].flatMap((each) => Object.entries(each)));
}

function valueOf(name: string, templates: readonly Template[], fields: Fields): string | undefined {
  if (templates.length === 0) return own(fields, name);
  const fit = templates.find((each) => each.fields.every((field) => Object.hasOwn(fields, field)));
  return fit === undefined ? undefined : build(fit, fields);
}
