import { findTable } from "../aws/dynamodb/restore-settings.ts";
import { valueAt, type Condition } from "../aws/dynamodb/expressions.ts";
import { queryItems, scanItems, type Item } from "../aws/dynamodb/items.ts";
import { attributeTypes } from "../aws/dynamodb/table-settings.ts";
import { listVersions } from "../aws/s3/listing.ts";
import { listUnfinishedUploads, type UnfinishedUpload } from "../aws/s3/open-uploads.ts";
import { plainIfDamaged } from "../aws/dynamodb/plain.ts";
import { whereThere } from "../aws/setting.ts";
import type { Aws } from "../aws/clients.ts";
import { inParallel } from "../concurrency.ts";
import type { Declaration } from "../model/declaration.ts";
import { legalHold } from "../model/documents.ts";
import { groupedBy } from "../model/graph.ts";
import { itemParts, partsIn, type ItemPart } from "../model/item-parts.ts";
import { own, type JsonObject } from "../model/json.ts";
import {
  isAbout,
  isTaken,
  personalBuckets,
  personalTables,
  replacedAt,
  tablesThrough,
  type FoundLink,
  type Named,
  type PersonalBucket,
  type PersonalLink,
  type PersonalTable,
  type TableKeysThere,
} from "../model/links.ts";
import type { Model } from "../model/schema.ts";
import type { PeopleRows } from "../stores/person-rows.ts";
import type { RowErasure } from "../stores/row-erasure.ts";
import { findRowTraces, rowsLeft, type Kept, type RowFile, type RowTraces } from "./row-traces.ts";

/** Where everything of people is looked for: what the site's model says is linked to them. */
export interface PeopleSite {
  readonly aws: Aws;
  readonly model: Model;
  readonly declaration: Declaration;
  /** The keys of a table and of its indexes that have whole items, as they are; undefined where there is no such table by now. */
  readonly keysOf: (table: string) => Promise<TableKeysThere | undefined>;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** Where people are in databases. */
  readonly rows?: PeopleRows | undefined;
}

/** Somebody, by what stands for them. */
export interface Sought {
  readonly ids: readonly string[];
  /** Of which kind they are, where another kind may have the same ids. */
  readonly subject?: string | undefined;
  /** What was theirs and is no more: what goes by it still does. */
  readonly gone?: readonly OwnedItem[];
}

/** An item of a person, by its key. */
export interface OwnedItem {
  readonly what: string;
  readonly entity: string;
  readonly table: string;
  readonly key: Item;
  /** Why it is theirs. */
  readonly links: readonly FoundLink[];
  /** When it expires by itself, in epoch seconds, where it does. */
  readonly expiresAt: number | undefined;
  /** Why it may not be touched, where it or a part of it is under a legal hold. */
  readonly held: string | undefined;
  /** What must be as it was found when it is touched: that nothing holds it or, where that matters, lets it expire. */
  readonly guards: readonly Condition[];
  /** What it has in the fields by which others refer to it. */
  readonly referredBy: Readonly<Record<string, string>>;
}

/** An attribute that names the person in something that is not theirs alone, and what it is to be then; undefined: taken away. */
export interface PlannedChange extends OwnedItem {
  readonly attribute: string;
  readonly from: Named;
  readonly to: Named | undefined;
}

/** One version of an object of a person, or a delete marker. */
export interface OwnedVersion {
  readonly what: string;
  readonly entity: string;
  readonly bucket: string;
  readonly key: string;
  readonly version: string;
  readonly etag: string;
  readonly bytes: number;
  readonly isDeleteMarker: boolean;
  readonly isLatest: boolean;
  readonly modifiedAt: Date | undefined;
}

/** All that the stores have of a person but the account. */
export interface Holdings {
  readonly items: readonly OwnedItem[];
  readonly versions: readonly OwnedVersion[];
  readonly uploads: readonly UnfinishedUpload[];
}

/** The same by what an erasure does with it: `items` are deleted. */
export interface Traces extends Holdings {
  /** What there is a duty to keep, by kind. */
  readonly kept: readonly Kept[];
  /** Of databases: what is deleted, and what gets other values. */
  readonly rows: readonly RowErasure[];
  /** Files among `versions` that go with rows, and only with these. */
  readonly rowFiles: readonly RowFile[];
  /** Names in what stays. */
  readonly changes: readonly PlannedChange[];
  /** Why nothing of this may be done: rows that are somebody else's too. */
  readonly shared: readonly string[];
  /** Why nothing of this may be done: the reasons of the legal holds on it, each once. */
  readonly held: readonly string[];
  /** What goes by itself, by kind, and when the last of it does. */
  readonly expiring: readonly {
    readonly what: string;
    readonly table: string;
    readonly items: number;
    readonly until: Date;
  }[];
}

export function isNothing({ items, versions, uploads }: Holdings): boolean {
  return items.length + versions.length + uploads.length === 0;
}

/** What there still is to do. */
export function isErased(traces: Traces): boolean {
  return isNothing(traces) && traces.changes.length === 0 && rowsLeft(traces.rows) === 0;
}

/** What `findHoldings` finds, by what an erasure does with it. @param pseudonym stands for the person where the model wants one. */
export async function findTraces(
  site: PeopleSite,
  { ids, subject, gone }: Sought,
  pseudonym: string,
): Promise<Traces> {
  const { rows } = site;
  const [{ items, ...all }, ofRows] = await Promise.all([
    findHoldings(site, ids, { subject, gone }),
    rows === undefined ? noRows : findRowTraces({ ...site, rows }, { ids, subject }, pseudonym),
  ]);
  const { files, staying: named } = await unnamed(rows, ofRows, all);
  const beside = await filesOfRows(site, ofRows.rowFiles, files);
  const now = Math.floor(site.now().getTime() / 1000);
  const isDeleted = ({ links, expiresAt }: OwnedItem) =>
    links.some(({ link }) => isTaken(link, expiresAt !== undefined));
  const going = items.filter(isDeleted);
  const staying = items.filter((item) => !isDeleted(item));
  const changes = staying.map((item) => ({ item, own: changesOf(item, pseudonym) }));
  const touched = [...going, ...changes.flatMap(({ item, own }) => (own.length > 0 ? [item] : []))];
  const kept = new Map<string, Traces["kept"][number]>();
  const expiring = new Map<string, Traces["expiring"][number]>();
  for (const { what, table, links, expiresAt = now } of staying) {
    const name = `${table} ${what}`;
    const duties = links.map(({ link: { erase } }) => erase);
    // An item counts once, by whichever of its links comes first.
    const duty = duties.find((erase) => typeof erase === "object" && "keep" in erase);
    if (typeof duty === "object" && "keep" in duty) {
      const { basis, days = null } = duty.keep;
      kept.set(name, { what, table, items: (kept.get(name)?.items ?? 0) + 1, basis, days });
    }
    if (duties.some((erase) => typeof erase === "object" && "expires" in erase)) {
      const before = expiring.get(name);
      const until = new Date(Math.max(expiresAt * 1000, before?.until.getTime() ?? 0));
      expiring.set(name, { what, table, items: (before?.items ?? 0) + 1, until });
    }
  }
  return {
    items: going,
    kept: [...kept.values(), ...ofRows.kept, ...named],
    changes: changes.flatMap(({ own }) => own),
    rows: ofRows.rows,
    rowFiles: ofRows.rowFiles,
    shared: ofRows.shared,
    held: [...new Set([...touched.flatMap(({ held }) => held ?? []), ...ofRows.held])],
    expiring: [...expiring.values()],
    versions: [...files.versions, ...beside.versions],
    uploads: [...files.uploads, ...beside.uploads],
  };
}

const noRows: RowTraces = { rows: [], rowFiles: [], kept: [], held: [], staying: [], shared: [] };

/** Files in folders of the person without those that rows name which stay, and how many these are. */
async function unnamed(
  rows: PeopleRows | undefined,
  { rows: going, staying }: RowTraces,
  files: Files,
): Promise<{ readonly files: Files; readonly staying: readonly Kept[] }> {
  const keys = new Set([...files.versions, ...files.uploads].map(({ key }) => key));
  const others = (await rows?.namedByOthers(going, [...keys])) ?? new Set<string>();
  const isNamed = ({ key }: { readonly key: string }) => others.has(key);
  const named = [...staying, ...files.versions.filter(isNamed), ...files.uploads.filter(isNamed)];
  const byBucket = groupedBy(named, ({ bucket }) => bucket);
  return {
    files: {
      versions: files.versions.filter((each) => !isNamed(each)),
      uploads: files.uploads.filter((each) => !isNamed(each)),
    },
    staying: [...byBucket].map(([table, some]) => ({
      what: "files",
      table,
      items: new Set(some.map(({ key }) => key)).size,
      basis: "an entry that stays names them",
      days: null,
    })),
  };
}

/** Files that are listed at once. */
const sideBySide = 8;

/** The files of rows that are not known yet. */
async function filesOfRows(
  site: PeopleSite,
  rowFiles: readonly RowFile[],
  { versions: known }: Pick<Holdings, "versions">,
): Promise<Files> {
  const seen = new Set(known.map(({ bucket, key }) => `${bucket}/${key}`));
  const places = new Map(
    rowFiles.flatMap(({ place }) => {
      const name = `${place.bucket}/${place.key}`;
      return seen.has(name) ? [] : [[name, place] as const];
    }),
  );
  const found = await inParallel(places.values(), sideBySide, ({ bucket, key, kind: entity }) => {
    const kind = { entity, what: own(site.model.entities, entity)?.what ?? entity };
    return filesUnder(site, { bucket, prefix: key }, (each) => (each === key ? kind : undefined));
  });
  return {
    versions: found.flatMap(({ versions }) => versions),
    uploads: found.flatMap(({ uploads }) => uploads),
  };
}

/** Pure. */
function changesOf(item: OwnedItem, pseudonym: string): PlannedChange[] {
  const { key, links } = item;
  return links.flatMap(({ link: { erase }, place, named: from }) => {
    const { attribute } = place;
    if (attribute in key) return [];
    if (erase === "null") return [{ ...item, attribute, from, to: undefined }];
    const value = erase === "pseudonym" ? pseudonym : undefined;
    const name = typeof erase === "object" && "set" in erase ? erase.set : value;
    return name === undefined ? [] : [{ ...item, attribute, from, to: replacedAt(place, from, name) }];
  });
}

/**
 * Looks for everything of a person, under each of these ids: user id, user name, address. Files by their folders, in all versions;
 * an id that another one begins with is another. Tables and buckets that are not there hold nothing.
 */
export async function findHoldings(
  site: PeopleSite,
  ids: readonly string[],
  { subject, gone = [] }: Omit<Sought, "ids"> = {},
): Promise<Holdings> {
  const [items, inBuckets] = await Promise.all([
    allItems(site, { ids, subject, gone }),
    Promise.all(personalBuckets(site.model, subject).map((each) => objectsOf(site, each, ids))),
  ]);
  return {
    items,
    versions: inBuckets.flatMap(({ versions }) => versions),
    uploads: inBuckets.flatMap(({ uploads }) => uploads),
  };
}

/** What names somebody, then what goes by things of theirs, each item once with all its links. */
async function allItems(
  site: PeopleSite,
  { ids, subject, gone }: Sought & Required<Pick<Sought, "gone">>,
): Promise<OwnedItem[]> {
  const direct = personalTables(site.model, subject).map((each) => itemsOf(site, each, ids));
  const all = new Map<string, OwnedItem>();
  const nameOf = ({ table, key }: OwnedItem) => JSON.stringify([table, key]);
  for (const item of (await Promise.all(direct)).flat()) all.set(nameOf(item), item);
  for (const through of tablesThrough(site.model, subject)) {
    const { entity, field } = through.parent;
    const values = [...all.values(), ...gone].flatMap((item) =>
      item.entity === entity && item.links.some(({ link }) => isAbout(link))
        ? [item.referredBy[field] ?? []].flat()
        : [],
    );
    if (values.length === 0) continue;
    for (const item of await itemsOf(site, through, [...new Set(values)])) {
      const known = all.get(nameOf(item));
      all.set(nameOf(item), known === undefined ? item : joined(known, item));
    }
  }
  return [...all.values()];
}

/** The same item, found in two ways: what held it at either time holds it. Pure. */
function joined(one: OwnedItem, other: OwnedItem): OwnedItem {
  return {
    ...other,
    links: [...one.links, ...other.links],
    held: one.held ?? other.held,
    guards: unique([...one.guards, ...other.guards], (guard) => JSON.stringify(guard)),
    referredBy: { ...one.referredBy, ...other.referredBy },
  };
}

async function itemsOf(
  site: PeopleSite,
  personal: PersonalTable,
  ids: readonly string[],
): Promise<OwnedItem[]> {
  const table = nameOfTable(site, personal.role);
  const keys = await site.keysOf(table);
  if (keys === undefined) return [];
  const expiry = site.declaration.tables.find(({ role }) => role === personal.role)?.expiryAttribute;
  const found = new Map<string, OwnedItem>();
  // Entries that the tool keeps for the website are what the attribute `document` holds.
  const kept = { path: ["document"], isList: false } as const;
  const parts = [kept, ...itemParts(site.model, personal.role)];
  const held = ["legalHold", ...parts.map(({ path: [first] }) => first)];
  const attributes = [...personal.attributes, ...[expiry ?? []].flat(), ...held];
  for await (const page of pagesOf(site, { table, personal, ids, keys, attributes })) {
    for (const item of page) {
      const links = personal.linksOf(item, ids, keys);
      const [first] = links;
      if (first === undefined) continue;
      const { link } = first;
      // In one order: the same item, found twice, is one.
      const key = Object.fromEntries(
        keys.primary.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])),
      );
      const ends = expiry === undefined ? undefined : Number(item[expiry]?.N ?? Number.NaN);
      const expiresAt = ends !== undefined && Number.isFinite(ends) ? ends : undefined;
      found.set(JSON.stringify(key), {
        what: link.what,
        entity: link.entity,
        table,
        key,
        links,
        expiresAt,
        held: heldIn(plainIfDamaged(item), parts),
        guards: [...holdGuards(item, parts), ...expiryGuards(item, links, expiry)],
        referredBy: personal.referredBy(item, link.entity),
      });
    }
  }
  return [...found.values()];
}

/** Asks for the keys of each table once: they never change while it lives. One that is not there may be the next time. */
export function keysOnce(place: Pick<PeopleSite, "aws" | "signal">): PeopleSite["keysOf"] {
  const known = new Map<string, Promise<TableKeysThere | undefined>>();
  return async (table) => {
    const asked = known.get(table) ?? keysOf(place, table);
    known.set(table, asked);
    let there: TableKeysThere | undefined;
    try {
      there = await asked;
      return there;
    } finally {
      if (there === undefined) known.delete(table);
    }
  };
}

async function keysOf(
  { aws, signal }: Pick<PeopleSite, "aws" | "signal">,
  table: string,
): Promise<TableKeysThere | undefined> {
  const described = await findTable(aws, table, signal);
  if (described === undefined) return undefined;
  const namesIn = (keys: typeof described.KeySchema = []) => [
    ...keys.filter(({ KeyType }) => KeyType === "HASH").map(({ AttributeName = "" }) => AttributeName),
    ...keys.filter(({ KeyType }) => KeyType !== "HASH").map(({ AttributeName = "" }) => AttributeName),
  ];
  // What an index does not have whole cannot be judged by it.
  const indexes = (described.GlobalSecondaryIndexes ?? []).flatMap(
    ({ IndexName = "", KeySchema, Projection }) =>
      (Projection?.ProjectionType ?? "ALL") === "ALL" ? [[IndexName, namesIn(KeySchema)] as const] : [],
  );
  const types = attributeTypes(described.AttributeDefinitions);
  return { primary: namesIn(described.KeySchema), indexes: Object.fromEntries(indexes), types };
}

/** Why nothing may be done to an item, in plain values; undefined where nothing holds it. */
function heldIn(item: JsonObject, parts: readonly Pick<ItemPart, "path" | "isList">[]): string | undefined {
  for (const each of [item, ...parts.flatMap((part) => partsIn(item, part))]) {
    const reason = legalHold(each);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** That no hold has come to an item or a part of it, and no part that could be held. Pure. */
function holdGuards(item: Item, parts: readonly Pick<ItemPart, "path" | "isList">[]): Condition[] {
  const asItWas = (path: Condition["path"]): Condition => {
    const value = valueAt(item, path);
    return value === undefined ? { path, is: "absent" } : { path, is: "equal", to: value };
  };
  return [
    asItWas("legalHold"),
    ...parts.flatMap(({ path: [first, ...rest], isList }) =>
      first === undefined ? [] : [asItWas(isList ? [first, ...rest] : [first, ...rest, "legalHold"])],
    ),
  ];
}

/** That an item which goes because it does not expire still does not. Pure. */
function expiryGuards(item: Item, links: readonly FoundLink[], expiry: string | undefined): Condition[] {
  const waits = links.some(({ link: { erase } }) => typeof erase === "object" && "expires" in erase);
  return expiry !== undefined && waits && item[expiry] === undefined ? [{ path: expiry, is: "absent" }] : [];
}

export function nameOfTable({ declaration }: Pick<PeopleSite, "declaration">, role: string): string {
  return declaration.tables.find((table) => table.role === role)?.name ?? role;
}

export function nameOfBucket({ declaration }: Pick<PeopleSite, "declaration">, role: string): string {
  return declaration.buckets.find((bucket) => bucket.role === role)?.name ?? role;
}

interface Asked {
  readonly table: string;
  readonly personal: PersonalTable;
  readonly ids: readonly string[];
  readonly keys: TableKeysThere;
  readonly attributes: readonly string[];
}

async function* pagesOf(
  { aws, signal }: PeopleSite,
  { table, personal, ids, keys, attributes: wanted }: Asked,
): AsyncGenerator<readonly Item[]> {
  const attributes = [...new Set([...keys.primary, ...wanted])];
  const questions = ids.flatMap((id) => personal.questions(id, keys));
  if (questions.includes("scan")) {
    yield* scanItems(aws, { table, attributes, consistent: true, signal });
    return;
  }
  for (const question of questions) {
    if (question === "scan") continue;
    const { index, attribute, value } = question;
    const partition = { attribute, value };
    const asked = { table, index, partition, consistent: index === undefined, signal };
    yield* queryItems(aws, { ...asked, attributes });
  }
}

async function objectsOf(site: PeopleSite, personal: PersonalBucket, ids: readonly string[]): Promise<Files> {
  const bucket = nameOfBucket(site, personal.role);
  const link = (key: string): PersonalLink | undefined =>
    personal.ownersIn(key).find(({ id }) => ids.includes(id))?.link;
  const prefixes = [...new Set(ids.flatMap((id) => personal.prefixes(id)))];
  const found = await Promise.all(prefixes.map((prefix) => filesUnder(site, { bucket, prefix }, link)));
  return {
    versions: unique(
      found.flatMap(({ versions }) => versions),
      ({ key, version }) => `${version} ${key}`,
    ),
    uploads: unique(
      found.flatMap(({ uploads }) => uploads),
      ({ uploadId }) => uploadId,
    ),
  };
}

type Files = Pick<Holdings, "versions" | "uploads">;

/** All versions under a prefix, and uploads that are open, of keys that are of a kind. Where there is no bucket there are none. */
async function filesUnder(
  { aws, signal }: PeopleSite,
  at: { readonly bucket: string; readonly prefix: string },
  kindOf: (key: string) => Pick<OwnedVersion, "what" | "entity"> | undefined,
): Promise<Files> {
  const { bucket } = at;
  const versions: OwnedVersion[] = [];
  const uploads: UnfinishedUpload[] = [];
  await whereThere(async () => {
    for await (const page of listVersions(aws, { ...at, signal })) {
      for (const { key, version, etag, sizeBytes: bytes, isDeleteMarker, isLatest, lastModified } of page) {
        const { what, entity } = kindOf(key) ?? {};
        if (what === undefined || entity === undefined) continue;
        versions.push({
          what,
          entity,
          bucket,
          key,
          version,
          etag,
          bytes,
          isDeleteMarker,
          isLatest,
          modifiedAt: lastModified,
        });
      }
    }
    for await (const upload of listUnfinishedUploads(aws, { ...at, signal }))
      if (kindOf(upload.key) !== undefined) uploads.push(upload);
  });
  return { versions, uploads };
}

function unique<T>(all: readonly T[], nameOf: (each: T) => string): T[] {
  return [...new Map(all.map((each) => [nameOf(each), each])).values()];
}
