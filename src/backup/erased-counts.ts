import { keyNames } from "../aws/dynamodb/make-table.ts";
import { countsOf } from "../model/counts.ts";
import { itemsOf, textOf } from "../model/items.ts";
import { isRecord, own, type JsonObject } from "../model/json.ts";
import { canonicalItem } from "./same-item.ts";
import { parseItemLine } from "./item-line.ts";
import { erasedOwner, keyOf, sourcesOf, type CountedOff, type Erasing } from "./restore-items.ts";
import type { RestoreSite } from "./restore-site.ts";

/**
 * What is counted beside items of erased people (`"counts": "teamMembers"`) comes back without those that stay away, as their erasure
 * counted them off: one less for each, where it is a whole number and says so many. Where nobody was erased, or the model counts nothing,
 * nothing is read; else each table whose items are counted, once. Memory: a number for each item that counts erased ones.
 */
export async function countedInSnapshot(
  site: RestoreSite,
  { isLedgerEmpty, ...erasing }: Erasing & { readonly isLedgerEmpty: boolean },
): Promise<CountedOff> {
  const { model, manifest } = site;
  const counted = new Map(
    Object.keys(model.entities).flatMap((name) => {
      const places = isLedgerEmpty ? [] : countsOf(model, name);
      return places.length === 0 ? [] : [[name, places] as const];
    }),
  );
  const roleOf = (name: string) => {
    const from = own(model.entities, name)?.from;
    return from !== undefined && "table" in from ? from.table : undefined;
  };
  const roles = new Set([...counted.keys()].map(roleOf));
  /** By table, key and attribute of what counts them. */
  const gone = new Map<string, number>();
  const placeOf = (table: string, key: JsonObject, attribute: string) =>
    JSON.stringify([table, canonicalItem(key), attribute]);
  for (const snapshot of manifest.tables.filter(({ role }) => roles.has(role))) {
    const { role, name, description } = snapshot;
    const keys = keyNames(description.keys);
    const find = itemsOf(model, role);
    for (const source of sourcesOf(site, snapshot))
      for await (const lines of source.open())
        for (const line of lines) {
          const item = parseItemLine(line, { name, described: description.keys });
          const places = counted.get(find(item)?.name ?? "") ?? [];
          if (places.length === 0 || erasedOwner(site, erasing, { role, keys, item }) === undefined) continue;
          const texts = Object.fromEntries(keys.map((each) => [each, textOf(own(item, each)) ?? ""]));
          for (const { table, attribute, keyOf: parentOf } of places) {
            const parent = parentOf(texts);
            if (parent === undefined) continue;
            const place = placeOf(table, parent, attribute);
            gone.set(place, (gone.get(place) ?? 0) + 1);
          }
        }
  }
  const attributes = new Set([...counted.values()].flat().map(({ attribute }) => attribute));
  return (role, item, keys) => {
    if (gone.size === 0) return item;
    const key = keyOf(item, keys);
    const less = [...attributes].flatMap((attribute) => {
      const count = gone.get(placeOf(role, key, attribute));
      const value = own(item, attribute);
      const said = isRecord(value) ? Number(value["N"]) : Number.NaN;
      if (count === undefined || !Number.isSafeInteger(said) || said < count) return [];
      return [[attribute, { N: String(said - count) }] as const];
    });
    return less.length === 0 ? item : { ...item, ...Object.fromEntries(less) };
  };
}
