import { own, type JsonObject } from "./json.ts";
import { momentOf } from "./moments.ts";
import type { Entity } from "./schema.ts";
import { build, parseTemplate, type Template } from "./template.ts";

/**
 * What an item has besides its fields, by the model: key attributes by their templates, and attributes that are derived from
 * others. What a field is missing for is left out: an item without it is not in that index.
 * @param changed only what follows from one of these fields.
 */
export function derivedAttributes(
  entity: Pick<Entity, "key" | "fields">,
  fields: JsonObject,
  changed?: readonly string[],
): Record<string, string | number> {
  const found: Record<string, string | number> = {};
  const isMeant = (sources: readonly string[]) =>
    changed === undefined || sources.some((name) => changed.includes(name));
  for (const [attribute, templates] of keyTemplates(entity)) {
    const template = templates.find((each) => valuesOf(each, fields) !== undefined);
    if (template !== undefined && isMeant(template.fields))
      found[attribute] = build(template, valuesOf(template, fields) ?? {});
  }
  for (const [attribute, field] of Object.entries(entity.fields ?? {})) {
    if (typeof field !== "object" || field.derive === undefined) continue;
    if (typeof field.derive === "string") {
      const template = parseTemplate(field.derive, "attribute");
      const values = valuesOf(template, fields);
      if (values !== undefined && isMeant(template.fields)) found[attribute] = build(template, values);
      continue;
    }
    const { epochSecondsOf } = field.derive;
    const ms = momentOf(entity, epochSecondsOf, own(fields, epochSecondsOf));
    if (ms !== undefined && isMeant([epochSecondsOf])) found[attribute] = Math.floor(ms / 1000);
  }
  return found;
}

/** Templates of the key attributes of items, by these. */
export function keyTemplates({ key }: Pick<Entity, "key">): [string, Template[]][] {
  if (key === undefined || typeof key === "string" || Array.isArray(key)) return [];
  return Object.entries(key).map(([attribute, texts]) => [
    attribute,
    [texts].flat().map((text) => parseTemplate(text, "attribute")),
  ]);
}

/** Whether a field is part of a key and no attribute of its own. */
export function isInKeyOnly(entity: Pick<Entity, "key" | "fields">, name: string): boolean {
  if (own(entity.fields ?? {}, name) !== undefined) return false;
  return keyTemplates(entity).some(
    ([attribute, templates]) => attribute !== name && templates.some(({ fields }) => fields.includes(name)),
  );
}

function valuesOf(template: Template, fields: JsonObject): Record<string, string> | undefined {
  const values: Record<string, string> = {};
  for (const name of template.fields) {
    const value = own(fields, name);
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean")
      return undefined;
    if (value === "") return undefined;
    values[name] = String(value);
  }
  return values;
}
