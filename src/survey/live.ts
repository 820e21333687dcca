import type { Aws } from "../aws/clients.ts";
import { discoverStores } from "../aws/discover.ts";
import { scanItems } from "../aws/dynamodb/items.ts";
import { listObjects } from "../aws/s3/listing.ts";
import { errorName } from "../aws/setting.ts";
import { readCatalogue } from "../sql/catalogue.ts";
import type { Database } from "../sql/database.ts";
import { rowTables } from "../sql/row-table.ts";
import type { Declaration } from "../model/declaration.ts";
import { itemsOf, textOf } from "../model/items.ts";
import { isRecord, type JsonObject } from "../model/json.ts";
import { objectsOf } from "../model/objects.ts";
import type { Model } from "../model/schema.ts";
import { countsRight, derivedThere, type Agreement } from "./agreement.ts";
import { sideChains, toolRoles } from "../model/tool-tables.ts";

/** What was found in one bucket or table of one entity, or of none. */
export interface Found {
  readonly store: "bucket" | "table" | "database";
  /** Of a database with its table: `lopez_it_welt.users`. */
  readonly name: string;
  /** Or `erasures` and `holds`, which mawps keeps beside its trail. Null where nothing in the model says what these are. */
  readonly entity: string | null;
  readonly count: number;
  /** Of what is of no entity: how the first three look, without what is in them. */
  readonly samples?: readonly string[];
  /** The bucket or table is not there. */
  readonly missing?: true;
  /** How these are not as the model says: `lack defaultKey: UserId-Default-Index does not show them`. They count among the entity's, too. */
  readonly wrong?: string;
  /** It is there, and the model does not name it: another site's, or forgotten. Nobody looked into it. */
  readonly unnamed?: true;
}

interface Surveyed {
  readonly model: Model;
  /** The same site with its names as configured. */
  readonly declaration: Declaration;
  /** Missing where the site has none, or no server is named. */
  readonly databases?: readonly Database[];
  readonly signal: AbortSignal;
  onProgress(name: string, looked: number): void;
  /** Of which buckets or tables of the account there is no list. */
  onUnlisted(what: string, why: string): void;
}

const mostSamples = 3;

/**
 * Looks at every object and item of the site and tells of which entity each is, store by store: of each entity how many, then
 * those that are of none; at the end names the account's other buckets and tables. Only reads; keeps counts and three samples, whatever
 * lies there.
 */
export async function* surveySite(aws: Aws, site: Surveyed): AsyncGenerator<Found> {
  for (const { role, name } of site.declaration.buckets)
    yield* counted({ store: "bucket", name }, () => objectKinds(aws, site, { role, name }));
  const { tables } = site.declaration;
  // Who is counted may be in another table than who counts.
  const counts = countsRight(site.model);
  for (const { role, name } of tables) {
    const derived = derivedThere(site.model, role);
    const agreements = [derived, counts];
    yield* counted({ store: "table", name }, () => itemKinds(aws, site, { role, name, agreements }));
    for (const { role: _, ...each } of derived.found()) yield { store: "table", name, ...each };
  }
  for (const { role, ...each } of counts.found())
    yield { store: "table", name: tables.find((table) => table.role === role)?.name ?? role, ...each };
  for (const database of site.databases ?? []) yield* rowKinds(site, database);
  yield* unnamedStores(aws, site);
}

/** What is in the account and region beside the model. */
async function* unnamedStores(aws: Aws, site: Surveyed): AsyncGenerator<Found> {
  const { buckets, tables, failures } = await discoverStores(aws, site.signal);
  for (const { what, why } of failures) site.onUnlisted(what, why);
  const named = new Set([...site.declaration.buckets, ...site.declaration.tables].map(({ name }) => name));
  const beside = (store: Found["store"], names: readonly string[]) =>
    names
      .filter((name) => !named.has(name))
      .map((name) => ({ store, name, entity: null, count: 0, unnamed: true }) as const);
  yield* [...beside("bucket", buckets), ...beside("table", tables)];
}

/** The tables of a database with their rows, and foreign keys that the model does not say: an erasure would fail on them. */
async function* rowKinds(site: Surveyed, database: Database): AsyncGenerator<Found> {
  const { sql, name, place, isThere, role } = database;
  if (!isThere) return yield { store: "database", name, entity: null, count: 0, missing: true };
  const catalogue = await readCatalogue(sql, place);
  const entities = Object.entries(site.model.entities).flatMap(([entity, { from, refs = {} }]) =>
    "database" in from && from.database === role ? [{ entity, table: from.table, refs }] : [],
  );
  const counted = async (table: string, condition = "") =>
    Number((await sql.rows(`SELECT COUNT(*) AS n FROM ${sql.quoted(table)}${condition}`))[0]?.["n"]);
  for (const table of rowTables(catalogue, sql.engine)) {
    site.signal.throwIfAborted();
    const store = { store: "database", name: `${name}.${table.name}` } as const;
    const known = entities.find((each) => each.table === table.name);
    const count = await counted(table.name);
    site.onProgress(store.name, count);
    const columns = table.columns.map((column) => `${column.name} ${column.type}`).slice(0, mostAttributes);
    yield known === undefined
      ? { ...store, entity: null, count, samples: [`{ ${columns.join(", ")} }`] }
      : { ...store, entity: known.entity, count };
    for (const { column, parent } of known === undefined ? [] : table.parents) {
      if (Object.hasOwn(known?.refs ?? {}, column)) continue;
      const pointing = await counted(table.name, ` WHERE ${sql.quoted(column)} IS NOT NULL`);
      if (pointing === 0) continue;
      const sample = `${column} points at ${parent}, and no "refs" of ${known?.entity ?? ""} says so`;
      yield { ...store, entity: null, count: pointing, samples: [sample] };
    }
  }
}

interface Kind {
  readonly entity: string | null;
  readonly sample: () => string;
}

/** Counts what comes by its entity. A store that is not there holds nothing. */
async function* counted(
  store: Pick<Found, "store" | "name">,
  kinds: () => AsyncGenerator<Kind>,
): AsyncGenerator<Found> {
  const counts = new Map<string, number>();
  const samples: string[] = [];
  let unknown = 0;
  try {
    for await (const { entity, sample } of kinds()) {
      if (entity !== null) {
        counts.set(entity, (counts.get(entity) ?? 0) + 1);
        continue;
      }
      unknown += 1;
      if (samples.length < mostSamples) samples.push(sample());
    }
  } catch (error) {
    if (!["NoSuchBucket", "ResourceNotFoundException"].includes(errorName(error) ?? "")) throw error;
    yield { ...store, entity: null, count: 0, missing: true };
    return;
  }
  for (const [entity, count] of counts) yield { ...store, entity, count };
  if (unknown > 0 || counts.size === 0) yield { ...store, entity: null, count: unknown, samples };
}

interface Store {
  readonly role: string;
  readonly name: string;
}

async function* objectKinds(aws: Aws, site: Surveyed, { role, name }: Store): AsyncGenerator<Kind> {
  const known = objectsOf(site.model, role);
  let looked = 0;
  for await (const { objects } of listObjects(aws, { bucket: name, signal: site.signal })) {
    for (const { key } of objects)
      yield { entity: known.valueOf(key) ?? null, sample: () => redactedKey(key) };
    looked += objects.length;
    site.onProgress(name, looked);
  }
}

async function* itemKinds(
  aws: Aws,
  site: Surveyed,
  { role, name, agreements }: Store & { readonly agreements: readonly Agreement[] },
): AsyncGenerator<Kind> {
  const find = itemsOf(site.model, role);
  let looked = 0;
  for await (const items of scanItems(aws, { table: name, asSent: true, signal: site.signal })) {
    for (const item of items) {
      const known = find(item);
      if (known !== undefined) for (const agreement of agreements) agreement.look(item, known);
      yield { entity: known?.name ?? ownKind(role, item), sample: () => redactedItem(item) };
    }
    looked += items.length;
    site.onProgress(name, looked);
  }
}

/** What mawps itself keeps beside the entries of its trail: no model has to say that. */
function ownKind(role: string, { chain }: JsonObject): string | null {
  const name = role === toolRoles.audit ? textOf(chain) : undefined;
  return Object.values(sideChains).find((each) => each === name) ?? null;
}

/** A key as it may be shown: its first folder and its ending, and how long each part is. `users/(36)/(12).pdf` */
function redactedKey(key: string): string {
  const parts = key.split("/");
  return parts
    .map((part, at) => {
      const ending = at === parts.length - 1 ? (/\.[A-Za-z0-9]{1,5}$/.exec(part)?.[0] ?? "") : "";
      if (part === "" || (at === 0 && parts.length > 1)) return part.slice(0, 40);
      return `(${part.length - ending.length})${ending}`;
    })
    .join("/");
}

const mostAttributes = 12;

/** An item as it may be shown: its attributes with their types and lengths. `{ PK: S(41), SK: S(8), ttl: N }` */
function redactedItem(item: JsonObject): string {
  const names = Object.keys(item);
  const shown = names.slice(0, mostAttributes).map((name) => `${name.slice(0, 40)}: ${typeText(item[name])}`);
  const more = names.length - shown.length;
  return `{ ${shown.join(", ")}${more > 0 ? `, and ${more} more` : ""} }`;
}

function typeText(value: unknown): string {
  const [type = "?"] = isRecord(value) ? Object.keys(value) : [];
  const inner = isRecord(value) ? value[type] : undefined;
  if (typeof inner === "string" && type !== "N") return `${type}(${inner.length})`;
  if (Array.isArray(inner)) return `${type}(${inner.length})`;
  return isRecord(inner) ? `${type}(${Object.keys(inner).length})` : type;
}
