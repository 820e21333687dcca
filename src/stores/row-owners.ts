import { groupedBy, referencesOf } from "../model/graph.ts";
import { own } from "../model/json.ts";
import type { Model } from "../model/schema.ts";
import type { EntityStore, Stored } from "./store.ts";

interface Site {
  readonly model: Model;
  readonly store: Pick<EntityStore, "find">;
}

/** Whom each of these rows names as `ownersOf` tells it; nobody, and nothing is asked for, while nobody is held. */
export async function ownersWhereHeld(
  site: Site & { readonly holding: { readonly isEmpty: boolean } },
  rows: readonly Stored[],
): Promise<ReadonlyMap<Stored, readonly string[]>> {
  const owners = site.holding.isEmpty ? [] : await ownersOf(site, rows);
  return new Map(rows.map((row, at) => [row, owners[at] ?? []]));
}

/** Whom a row names by the links of its entity, in whichever role, addresses also in small letters; not whose a row is that it goes by. Pure. */
export function namedIn(
  { model }: Pick<Site, "model">,
  { entity, fields }: Pick<Stored, "entity" | "fields">,
): string[] {
  const { links = [] } = own(model.entities, entity) ?? {};
  const ids = links.flatMap(({ by }) => {
    const id = typeof by === "string" ? own(fields, by) : undefined;
    return typeof id === "string" || typeof id === "number" ? [String(id)] : [];
  });
  return [...new Set(ids.flatMap((id) => (id.includes("@") ? [id, id.toLowerCase()] : [id])))];
}

/**
 * Whom each of these rows names, and whom those name by which it is somebody's (`{"via": …}`), in the order of the rows. Others are
 * read where there are such, all at once for each field.
 */
export async function ownersOf(
  site: Site,
  rows: readonly Pick<Stored, "entity" | "fields">[],
): Promise<readonly (readonly string[])[]> {
  const owners = rows.map((row) => new Set(namedIn(site, row)));
  const parents = rows.flatMap((row, at) => parentsOf(site, row).map((parent) => ({ ...parent, at })));
  for (const some of groupedBy(parents, ({ to, field }) => JSON.stringify([to, field])).values()) {
    const [first] = some;
    if (first === undefined) continue;
    const { to, field } = first;
    const values = [...new Set(some.map(({ value }) => value))];
    const found: Stored[] = [];
    for await (const page of site.store.find(to, { field, values })) found.push(...page);
    const theirs = await ownersOf(site, found);
    const byValue = groupedBy(found.entries(), ([, { fields }]) => String(own(fields, field)));
    for (const { at, value } of some)
      for (const [parent] of byValue.get(value) ?? [])
        for (const id of theirs[parent] ?? []) owners[at]?.add(id);
  }
  return owners.map((ids) => [...ids]);
}

interface Parent {
  readonly to: string;
  readonly field: string;
  readonly value: string;
}

/** What a row goes by; a reference to its own kind says nothing of whose it is. */
function parentsOf({ model }: Site, { entity: name, fields }: Pick<Stored, "entity" | "fields">): Parent[] {
  const entity = own(model.entities, name);
  const ways = new Set((entity?.links ?? []).flatMap(({ by }) => (typeof by === "string" ? [] : [by.via])));
  if (entity === undefined || ways.size === 0) return [];
  return referencesOf(name, entity).flatMap(({ field: way, to, parentField: field }) => {
    const value = own(fields, way);
    const isValue = (typeof value === "string" && value !== "") || typeof value === "number";
    return ways.has(way) && field !== undefined && to !== name && isValue
      ? [{ to, field, value: String(value) }]
      : [];
  });
}
