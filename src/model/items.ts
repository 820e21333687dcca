import { keyTemplates } from "./derived.ts";
import { storeText } from "./graph.ts";
import { isRecord, own, type JsonObject } from "./json.ts";
import type { Entity, Model } from "./schema.ts";
import { auditChain, toolRoles } from "./tool-tables.ts";
import { canBeEqual, fieldsOf, literalStart, rankOf, type Fields, type Template } from "./template.ts";

/** How the items of an entity are known among those of their table. */
export interface ItemKind {
  readonly entity: Entity;
  readonly templates: ReadonlyMap<string, readonly Template[]>;
  /** The smaller the text, the more the kind says. */
  readonly rank: string;
}

/** The kinds of items of one table, by the names of their entities; without those whose templates cannot be read. */
export function itemKinds(
  { entities }: Pick<Model, "entities">,
  table: string,
): (ItemKind & { readonly name: string })[] {
  return Object.entries(entities).flatMap(([name, entity]) => {
    if (storeText(entity.from) !== `table ${table}` || entity.at !== undefined) return [];
    try {
      const templates = new Map(keyTemplates(entity));
      const known = table === toolRoles.audit ? ofTrail(entity) : entity;
      return [{ name, entity: known, templates, rank: rankOfItem(known, templates) }];
    } catch (error) {
      if (error instanceof RangeError) return [];
      throw error;
    }
  });
}

/** Beside the trail lie records of legal holds and erasures, with salts and hashes: they are no entries of it. */
function ofTrail(entity: Entity): Entity {
  return { ...entity, when: { chain: auditChain, ...entity.when } };
}

/**
 * What says more is asked first: keys with more literals, then with more patterns, then those that begin with more, then more
 * conditions. An attribute without a template says as little as one that is a field.
 */
function rankOfItem({ when = {} }: Entity, templates: ItemKind["templates"]): string {
  const weakest = [...templates.values()].flatMap((each) =>
    each.toSorted((one, other) => (rankOf(one) < rankOf(other) ? 1 : -1)).slice(0, 1),
  );
  const count = (rank: string) => weakest.filter((template) => rankOf(template) === rank).length;
  const start = weakest.reduce((sum, template) => sum + literalStart(template).length, 0);
  const conditions = Object.keys(when).length;
  return [count("0"), count("1"), start, conditions].map((each) => String(99_999 - each)).join("");
}

/** Whether an item can be of both kinds, and neither says more than the other. */
export function areAlike(one: ItemKind, other: ItemKind): boolean {
  if (one.rank !== other.rank) return false;
  for (const [name, these] of one.templates) {
    const those = other.templates.get(name);
    if (those === undefined) continue;
    if (!these.some((each) => those.some((beside) => canBeEqual(each, beside)))) return false;
  }
  const [given, beside] = [one.entity.when ?? {}, other.entity.when ?? {}];
  for (const [name, value] of Object.entries(given)) {
    const against = own(beside, name);
    if (against !== undefined && areApart(value, against)) return false;
  }
  return true;
}

type Wanted = NonNullable<Entity["when"]>[string];

function areApart(one: Wanted, other: Wanted): boolean {
  const isExisting = (value: Wanted) => typeof value !== "object" || Array.isArray(value) || value.exists;
  if (isExisting(one) !== isExisting(other)) return true;
  const values = (value: Wanted) =>
    typeof value === "object" && !Array.isArray(value) ? undefined : [value].flat();
  const [these, those] = [values(one), values(other)];
  return these !== undefined && those !== undefined && !these.some((value) => those.includes(value));
}

/** Tells which entity an item of a table is of, and what its key attributes say; undefined when it is of none. */
export type FindEntity = (item: JsonObject) => { readonly name: string; readonly fields: Fields } | undefined;

/** Prepares the kinds of items of one table. Items are in DynamoDB's typed JSON. */
export function itemsOf(model: Pick<Model, "entities">, table: string): FindEntity {
  const kinds = itemKinds(model, table).toSorted((one, other) => (one.rank < other.rank ? -1 : 1));
  return (item) => {
    for (const { name, entity, templates } of kinds) {
      const fields = fieldsOfItem(templates, item);
      if (fields !== undefined && isAsWanted(entity.when, item, isTyped)) return { name, fields };
    }
    return undefined;
  };
}

/** The attributes by which `itemsOf` tells the items of a table apart: what reads them in part is to ask for these. */
export function attributesOfKinds(model: Pick<Model, "entities">, table: string): string[] {
  const names = itemKinds(model, table).flatMap(({ entity: { when = {} }, templates }) => [
    ...templates.keys(),
    ...Object.keys(when),
  ]);
  return [...new Set(names)];
}

function fieldsOfItem(templates: ItemKind["templates"], item: JsonObject): Fields | undefined {
  const found: Record<string, string> = {};
  for (const [name, each] of templates) {
    const value = textOf(own(item, name));
    // Of an index's keys an item may have none: it is not in that index then.
    if (value === undefined) continue;
    const fields = each.map((template) => fieldsOf(template, value)).find((read) => read !== undefined);
    if (fields === undefined) return undefined;
    Object.assign(found, fields);
  }
  return found;
}

/** A text, or the digits of a number, in typed JSON. */
export function textOf(value: unknown): string | undefined {
  if (!isRecord(value)) return undefined;
  const text = value["S"] ?? value["N"];
  return typeof text === "string" ? text : undefined;
}

/** Whether all that a predicate says holds for fields in plain values. */
export function holds(when: Entity["when"], fields: JsonObject): boolean {
  return isAsWanted(when, fields, (value, wanted) => value === wanted);
}

type Scalar = string | number | boolean;

function isAsWanted(
  when: Entity["when"],
  item: JsonObject,
  isValue: (value: unknown, wanted: Scalar) => boolean,
): boolean {
  return Object.entries(when ?? {}).every(([name, wanted]) => {
    const value = own(item, name);
    if (typeof wanted === "object" && !Array.isArray(wanted)) return wanted.exists === (value !== undefined);
    return [wanted].flat().some((each) => isValue(value, each));
  });
}

function isTyped(value: unknown, wanted: Scalar): boolean {
  if (!isRecord(value)) return false;
  if (typeof wanted === "string") return value["S"] === wanted;
  if (typeof wanted === "boolean") return value["BOOL"] === wanted;
  return typeof value["N"] === "string" && Number(value["N"]) === wanted;
}
