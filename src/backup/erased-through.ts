import type { JsonObject } from "../model/json.ts";
import { tableRole } from "../model/database.ts";
import {
  goesByItself,
  isAbout,
  isTaken,
  namedOwners,
  personalTables,
  tablesThrough,
  type FoundLink,
  type OwnersOfItem,
  type TableThrough,
} from "../model/links.ts";
import { own } from "../model/json.ts";
import type { Model } from "../model/schema.ts";
import { keyNames } from "../aws/dynamodb/make-table.ts";
import { parseItemLine } from "./item-line.ts";
import { isErased, sourcesOf } from "./restore-items.ts";
import type { RestoreSite } from "./restore-site.ts";

/** What is known of erased people's items in a snapshot. */
export interface ErasedItems {
  /** From whom an erasure takes an item. */
  readonly erasedOf: OwnersOfItem;
  /** What goes by something that is not in the snapshot: the role of the table, and the kind in a few words. */
  readonly unknown: readonly { readonly role: string; readonly what: string }[];
}

/** The items of a table of a snapshot. */
export interface SnapshotItems {
  readonly primary: readonly string[];
  readonly items: () => AsyncIterable<JsonObject>;
}

interface Judging {
  readonly model: Model;
  readonly isErased: (id: string) => boolean;
  /** Undefined where the snapshot has no table of that role. */
  readonly tableOf: (role: string) => SnapshotItems | undefined;
}

/** `erasedThrough` for a restore. Where nobody was erased nothing is read. */
export async function erasedInSnapshot(site: RestoreSite, isLedgerEmpty: boolean): Promise<ErasedItems> {
  const { model, manifest } = site;
  if (isLedgerEmpty) return { erasedOf: namedOwners(model).taken, unknown: [] };
  return erasedThrough({
    model,
    isErased: (id) => isErased(site, id),
    tableOf(role) {
      const snapshot = manifest.tables.find((table) => table.role === role);
      if (snapshot === undefined) return undefined;
      async function* items(of: NonNullable<typeof snapshot>) {
        for (const source of sourcesOf(site, of))
          for await (const lines of source.open())
            for (const line of lines)
              yield parseItemLine(line, { name: of.name, described: of.description.keys });
      }
      return { primary: keyNames(snapshot.description.keys), items: () => items(snapshot) };
    },
  });
}

/**
 * From whom an erasure takes items, also where they go by something of somebody's in the same snapshot, as an erasure finds them: by what is
 * about the person, whether that itself is deleted or stays. What others go by is read first, one table behind the other.
 */
export async function erasedThrough({ model, isErased: isGone, tableOf }: Judging): Promise<ErasedItems> {
  const all = tablesThrough(model);
  const unknown = new Map<string, ErasedItems["unknown"][number]>();
  let { taken, about } = namedOwners(model);
  for (const through of all) {
    const { entity, field } = through.parent;
    const from = own(model.entities, entity)?.from;
    const role = from === undefined ? undefined : tableRole(from);
    const parents = [...personalTables(model), ...all].find((each) => each.role === role);
    if (role === undefined || parents === undefined) continue;
    const table = tableOf(role);
    if (table === undefined || unknown.has(entity)) {
      const { name } = through;
      unknown.set(name, { role: through.role, what: own(model.entities, name)?.what ?? name });
    }
    if (table === undefined) continue;
    /** Whose what children refer to was. */
    const owners = new Map<string, string>();
    for await (const item of table.items()) {
      const value = parents.kindOf(item) === entity ? parents.referredBy(item, entity)[field] : undefined;
      const owner = value === undefined ? undefined : about(role, item, table.primary).find(isGone);
      if (value !== undefined && owner !== undefined) owners.set(value, owner);
    }
    if (owners.size === 0) continue;
    taken = alsoThrough(taken, { through, owners }, ({ link }, item) =>
      isTaken(link, goesByItself(model, through.role, item)),
    );
    about = alsoThrough(about, { through, owners }, ({ link }) => isAbout(link));
  }
  return { erasedOf: taken, unknown: [...unknown.values()] };
}

function alsoThrough(
  before: OwnersOfItem,
  { through, owners }: { readonly through: TableThrough; readonly owners: ReadonlyMap<string, string> },
  isMeant: (found: FoundLink, item: JsonObject) => boolean,
): OwnersOfItem {
  return (role, item, primary) => {
    if (role !== through.role) return before(role, item, primary);
    const place = { primary, indexes: {}, types: new Map() };
    const values = through.ownersOf(item, place, (found) => isMeant(found, item));
    return [...before(role, item, primary), ...values.flatMap((value) => owners.get(value) ?? [])];
  };
}
