import { tableRole } from "../model/database.ts";
import { erasedOwners, personalTables, tablesThrough, type ErasedOwners } from "../model/links.ts";
import { own } from "../model/json.ts";
import { keyNames } from "../aws/dynamodb/make-table.ts";
import { parseItemLine } from "./item-line.ts";
import { isErased, sourcesOf } from "./restore-items.ts";
import type { RestoreSite } from "./restore-site.ts";

/**
 * Whom an erasure takes an item of a snapshot from, also where it goes by something of theirs in the same snapshot: that is read first
 * where the model has such links, one table behind the other.
 */
export async function erasedInSnapshot(site: RestoreSite, isLedgerEmpty: boolean): Promise<ErasedOwners> {
  const { model, manifest } = site;
  const all = tablesThrough(model);
  let erasedOf = erasedOwners(model);
  if (isLedgerEmpty) return erasedOf;
  for (const through of all) {
    const { entity, field } = through.parent;
    const from = own(model.entities, entity)?.from;
    const role = from === undefined ? undefined : tableRole(from);
    const parents = [...personalTables(model), ...all].find((each) => each.role === role);
    const snapshot = manifest.tables.find((table) => table.role === role);
    if (role === undefined || parents === undefined || snapshot === undefined) continue;
    const primary = keyNames(snapshot.description.keys);
    /** Whose what children refer to was. */
    const owners = new Map<string, string>();
    for (const source of sourcesOf(site, snapshot)) {
      for await (const lines of source.open()) {
        for (const line of lines) {
          const item = parseItemLine(line, snapshot.name);
          const value = parents.kindOf(item) === entity ? parents.referredBy(item, entity)[field] : undefined;
          const erased = erasedOf(role, item, primary).find((id) => isErased(site, id));
          if (value !== undefined && erased !== undefined) owners.set(value, erased);
        }
      }
    }
    if (owners.size === 0) continue;
    const before = erasedOf;
    erasedOf = (of, item, keys) => {
      if (of !== through.role) return before(of, item, keys);
      const place = { primary: keys, indexes: {}, types: new Map() };
      const values = through.ownersOf(item, place, ({ link: { erase } }) => erase === "delete");
      return [...before(of, item, keys), ...values.flatMap((value) => owners.get(value) ?? [])];
    };
  }
  return erasedOf;
}
