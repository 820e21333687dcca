import { findTable } from "../aws/dynamodb/restore-settings.ts";
import { queryItems, scanItems, type Item } from "../aws/dynamodb/items.ts";
import { listVersions } from "../aws/s3/listing.ts";
import { listUnfinishedUploads, type UnfinishedUpload } from "../aws/s3/open-uploads.ts";
import { whereThere } from "../aws/setting.ts";
import type { Declaration, Owned } from "../model/declaration.ts";
import type { AccountSite } from "./pool.ts";

/** Where everything of one person is looked for: the pool, and what the site's model says is owned. */
export interface PeopleSite extends AccountSite {
  readonly declaration: Declaration;
}

/** An item of a person, by its key. */
export interface OwnedItem {
  readonly what: string;
  readonly table: string;
  readonly key: Item;
}

/** One version of an object of a person, or a delete marker. */
export interface OwnedVersion {
  readonly what: string;
  readonly bucket: string;
  readonly key: string;
  readonly version: string;
  readonly bytes: number;
  readonly isDeleteMarker: boolean;
}

/** All that the stores have of a person but the account. */
export interface Traces {
  readonly items: readonly OwnedItem[];
  /** What there is a duty to keep, by kind. */
  readonly kept: readonly { readonly what: string; readonly table: string; readonly items: number }[];
  readonly versions: readonly OwnedVersion[];
  readonly uploads: readonly UnfinishedUpload[];
}

export function isNothing({ items, versions, uploads }: Traces): boolean {
  return items.length + versions.length + uploads.length === 0;
}

/**
 * Looks for everything of a person, under each of these ids: user id, user name, address. Files by their folders, in all versions;
 * an id that another one begins with is another. Tables and buckets that are not there hold nothing.
 */
export async function findTraces(site: PeopleSite, ids: readonly string[]): Promise<Traces> {
  const { owned } = site.declaration;
  const objects = owned.filter((each) => each.kind === "objects");
  const items = owned.filter((each) => each.kind === "items");
  const [inTables, inBuckets] = await Promise.all([
    Promise.all(items.map((each) => itemsOf(site, each, ids))),
    Promise.all(objects.flatMap((each) => ids.map((id) => objectsOf(site, each, id)))),
  ]);
  return {
    items: unique(
      inTables.flatMap(({ owned: { erasure }, found }) => (erasure === "delete" ? found : [])),
      ({ table, key }) => `${table} ${JSON.stringify(key)}`,
    ),
    kept: inTables.flatMap(({ owned: { erasure, what }, table, found }) =>
      erasure === "keep" && found.length > 0 ? [{ what, table, items: found.length }] : [],
    ),
    versions: unique(
      inBuckets.flatMap(({ versions }) => versions),
      ({ bucket, key, version }) => `${bucket} ${version} ${key}`,
    ),
    uploads: unique(
      inBuckets.flatMap(({ uploads }) => uploads),
      ({ uploadId }) => uploadId,
    ),
  };
}

function unique<T>(all: readonly T[], nameOf: (each: T) => string): T[] {
  return [...new Map(all.map((each) => [nameOf(each), each])).values()];
}

type OwnedItems = Extract<Owned, { kind: "items" }>;
type OwnedObjects = Extract<Owned, { kind: "objects" }>;

async function itemsOf(site: PeopleSite, owned: OwnedItems, ids: readonly string[]) {
  const { aws, signal, declaration } = site;
  const table = declaration.tables.find(({ role }) => role === owned.table)?.name ?? owned.table;
  const found: OwnedItem[] = [];
  const keys = (await findTable(aws, table, signal))?.KeySchema ?? [];
  const names = keys.map(({ AttributeName = "" }) => AttributeName);
  const partition = keys.find(({ KeyType }) => KeyType === "HASH")?.AttributeName;
  const take = (page: readonly Item[]) => {
    for (const item of page) {
      const key = Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name)));
      found.push({ what: owned.what, table, key });
    }
  };
  if (partition === undefined) return { owned, table, found };
  if (owned.index === undefined && owned.attribute !== partition) {
    const attributes = [...new Set([...names, owned.attribute])];
    for await (const page of scanItems(aws, { table, attributes, consistent: true, signal }))
      take(page.filter((item) => ids.includes(item[owned.attribute]?.S ?? "")));
    return { owned, table, found };
  }
  for (const id of ids) {
    const pages = queryItems(aws, {
      table,
      index: owned.index,
      attributes: names,
      partition: { attribute: owned.attribute, value: { S: id } },
      consistent: owned.index === undefined,
      signal,
    });
    for await (const page of pages) take(page);
  }
  return { owned, table, found };
}

async function objectsOf(site: PeopleSite, owned: OwnedObjects, id: string) {
  const { aws, signal, declaration } = site;
  const bucket = declaration.buckets.find(({ role }) => role === owned.bucket)?.name ?? owned.bucket;
  const prefix = owned.prefix.replace("{userId}", () => id);
  const versions: OwnedVersion[] = [];
  const uploads: UnfinishedUpload[] = [];
  await whereThere(async () => {
    for await (const page of listVersions(aws, { bucket, prefix, signal })) {
      for (const { key, version, sizeBytes, isDeleteMarker } of page)
        versions.push({ what: owned.what, bucket, key, version, bytes: sizeBytes, isDeleteMarker });
    }
    for await (const upload of listUnfinishedUploads(aws, { bucket, prefix, signal })) uploads.push(upload);
  });
  return { versions, uploads };
}
