import { queryItems } from "../aws/dynamodb/items.ts";
import { listObjects } from "../aws/s3/listing.ts";
import { whereThere } from "../aws/setting.ts";
import { inParallel } from "../concurrency.ts";
import type { Owned } from "../model/declaration.ts";
import { progressAttributes } from "../model/mawps.ts";
import type { RestoreSite } from "./restore-site.ts";
import { documentPlaces, twinTable } from "../model/feature-places.ts";
import { twinType } from "../model/twin.ts";
import { entriesAttribute } from "../model/mawps.ts";

/** What lies under ids that accounts do not have any more; a restore with new ids deletes none of it. */
export interface Staying {
  readonly users: number;
  readonly items: number;
  /** Entries of documents in those items. */
  readonly documents: number;
  /** Users with progress. */
  readonly progress: number;
  readonly twins: number;
  readonly objects: number;
}

const usersAtOnce = 8;

/**
 * Counts what there is under the old ids of accounts that have others now, or get them. Only reads. Undefined where nothing is. A
 * table or bucket that is not there holds nothing.
 */
export async function countStaying(site: RestoreSite): Promise<Staying | undefined> {
  if (site.ids === undefined) return undefined;
  const only = site.scope.userId ?? site.scope.item?.userId;
  const old = [...site.ids.newIds.keys(), ...site.ids.missing].filter(
    (id) => only === undefined || id === only,
  );
  const each = await inParallel(old, usersAtOnce, (userId) => countOf(site, userId));
  const found = each.filter(({ items, objects }) => items + objects > 0);
  if (found.length === 0) return undefined;
  const sum = (name: keyof Counted) => found.reduce((total, one) => total + one[name], 0);
  return {
    users: found.length,
    items: sum("items"),
    documents: sum("documents"),
    progress: sum("progress"),
    twins: sum("twins"),
    objects: sum("objects"),
  };
}

type Counted = Omit<{ -readonly [name in keyof Staying]: number }, "users">;

async function countOf(site: RestoreSite, userId: string): Promise<Counted> {
  const counted: Counted = { items: 0, documents: 0, progress: 0, twins: 0, objects: 0 };
  for (const owned of site.declaration.owned) {
    site.signal.throwIfAborted();
    await whereThere(() =>
      (owned.kind === "items" ? countItems : countObjects)(site, { owned, userId, counted }),
    );
  }
  return counted;
}

interface Counting {
  readonly owned: Owned;
  readonly userId: string;
  readonly counted: Counted;
}

/** Only where the id is the key: an entry of the audit trail or of the journal tells what was. */
async function countItems(
  { aws, model, declaration, signal }: RestoreSite,
  { owned, userId, counted }: Counting,
) {
  if (owned.kind !== "items") return;
  const table = declaration.tables.find(({ role }) => role === owned.table);
  if (table === undefined || table.keys.partition.name !== owned.attribute) return;
  const partition = { attribute: owned.attribute, value: { S: userId } };
  const isOfFiles = documentPlaces(model)?.tablesBeside.includes(owned.table) === true;
  const attributes = [owned.attribute, "type", entriesAttribute, progressAttributes.data];
  for await (const page of queryItems(aws, { table: table.name, partition, attributes, signal })) {
    counted.items += page.length;
    for (const item of page) {
      counted.documents += isOfFiles ? 1 : (item[entriesAttribute]?.L?.length ?? 0);
      if (item[progressAttributes.data] !== undefined) counted.progress += 1;
      if (owned.table === twinTable(model) || item["type"]?.S === twinType) counted.twins += 1;
    }
  }
}

async function countObjects({ aws, declaration, signal }: RestoreSite, { owned, userId, counted }: Counting) {
  if (owned.kind !== "objects") return;
  const bucket = declaration.buckets.find(({ role }) => role === owned.bucket)?.name;
  if (bucket === undefined) return;
  const prefix = owned.prefix.replace("{userId}", () => userId);
  for await (const { objects } of listObjects(aws, { bucket, prefix, signal }))
    counted.objects += objects.length;
}
