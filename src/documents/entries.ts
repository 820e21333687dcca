import { createHash } from "node:crypto";
import { getItem, queryItems, type Item } from "../aws/dynamodb/items.ts";
import { plain } from "../aws/dynamodb/plain.ts";
import { whereThere } from "../aws/setting.ts";
import { CliError } from "../errors.ts";
import { addressFields, parseDocument } from "../model/documents.ts";
import { entriesAttribute, itemTypes } from "../model/mawps.ts";
import { nobodyIn } from "../model/nobodies.ts";
import { parsePublicUrl } from "../model/urls.ts";
import type { ItemPlace, Place, StoredEntry, UserDocuments } from "./entry.ts";
import { rowsOfUser } from "./rows.ts";
import type { DocumentSite } from "./site.ts";

/** Which of a user's items this is: on composite keys there are further ones, and only two hold documents. Pure. */
export function itemPlace({ shape }: Pick<DocumentSite, "shape">, item: Item): ItemPlace | undefined {
  if (shape.kind === "simple") return "profile";
  const type = item["type"]?.S;
  return (["profile", "document"] as const).find((place) => itemTypes[place] === type);
}

/** Key of a user's item. On the simple shape both places are the same item. */
export function documentItemKey(
  { shape }: Pick<DocumentSite, "shape">,
  userId: string,
  place: ItemPlace,
): Item {
  const key: Item = { userId: { S: userId } };
  if (shape.kind === "simple") return key;
  return { ...key, type: { S: itemTypes[place] } };
}

/**
 * What an id stands for is somebody's.
 * @throws CliError when the item under it is no person's: a command that took it for one would write into the site's settings.
 */
export function refuseNobody(userId: string, item: Item | undefined): void {
  const what = item === undefined ? undefined : nobodyIn(item);
  if (what !== undefined) throw notAUser(userId, what);
}

export function notAUser(userId: string, what: string): CliError {
  return new CliError(`${JSON.stringify(userId)} is no user: the item with this id is ${what}`, {
    hint: "nothing was changed; give a sub, a user name or an e-mail address",
  });
}

/**
 * Reads a user's entries, as they stand now. A user without items has none and is not known.
 * @throws CliError when the item is no person's.
 */
export async function readDocuments(site: DocumentSite, userId: string): Promise<UserDocuments> {
  if (site.rows !== undefined) {
    const entries = await rowsOfUser(site.rows, userId);
    return { userId, profile: undefined, isKnown: entries.length > 0, entries, strange: [] };
  }
  const read = (place: ItemPlace, attributes?: readonly string[]) =>
    getItem(site.aws, {
      table: site.table,
      key: documentItemKey(site, userId, place),
      attributes,
      signal: site.signal,
    });
  const [profile, older, api, removed] = await Promise.all([
    read("profile"),
    site.shape.kind === "composite" ? read("document", ["userId", entriesAttribute]) : undefined,
    readApiEntries(site, userId),
    readRemoved(site, userId),
  ]);
  refuseNobody(userId, profile);
  const items = [
    ["profile", profile],
    ["document", older],
  ] as const;
  return {
    userId,
    profile,
    isKnown: profile !== undefined || older !== undefined || api.length + removed.length > 0,
    entries: [
      ...items.flatMap(([place, item]) => entriesIn(site, { userId, place, item })),
      ...api,
      ...removed,
    ],
    strange: items.flatMap(([place, item]) => strangeIn(place, item)),
  };
}

/** What the website's documents-api says of a user's documents; nothing where it has no table. */
async function readApiEntries(site: Omit<DocumentSite, "shape">, userId: string): Promise<StoredEntry[]> {
  const pages = queryItems(site.aws, {
    table: site.apiTable,
    partition: { attribute: "userId", value: { S: userId } },
    consistent: true,
    signal: site.signal,
  });
  const entries: StoredEntry[] = [];
  await whereThere(async () => {
    for await (const page of pages) entries.push(...page.flatMap((item) => apiEntry(site, item) ?? []));
  });
  return entries;
}

/** The `id` of the tool's own items that hold removed entries. */
const removedId = "removed-documents";

/** The item in which a removed entry is kept: one for each document of a user. */
export function removedKey({ userId, document: { id, s3Key } }: StoredEntry): Item {
  const name = createHash("sha256").update(`${id}\n${s3Key}`).digest("hex");
  return { id: { S: removedId }, entry: { S: `${userId}/${name}` } };
}

/** The entries that were removed from where the website sees them, of one user or of all. */
export async function readRemoved(
  site: Omit<DocumentSite, "shape">,
  userId: string | undefined,
): Promise<StoredEntry[]> {
  const entries: StoredEntry[] = [];
  const pages = queryItems(site.aws, {
    table: site.ownTable,
    partition: { attribute: "id", value: { S: removedId } },
    sort: userId === undefined ? undefined : { attribute: "entry", beginsWith: { S: `${userId}/` } },
    consistent: true,
    signal: site.signal,
  });
  await whereThere(async () => {
    for await (const page of pages) entries.push(...page.flatMap((item) => removedEntry(site, item) ?? []));
  });
  return entries;
}

/** An item that keeps a removed entry, as that entry. */
export function removedEntry(site: EntrySite, item: Item): StoredEntry | undefined {
  const { userId, document, deletedAt, deletedBy, place } = item;
  if (userId?.S === undefined || document?.M === undefined) return undefined;
  const deletion = {
    status: { S: "DELETED" },
    ...(deletedAt === undefined ? {} : { deletedAt }),
    ...(deletedBy === undefined ? {} : { deletedBy }),
  };
  const raw = { ...document.M, ...deletion };
  const entry = storedEntry(site, { userId: userId.S, place: "removed", index: 0, raw });
  return { ...entry, before: { place: place?.S === "api" ? "api" : "profile", raw: document.M } };
}

/** An item of documents-api as an entry. */
export function apiEntry(site: EntrySite, item: Item): StoredEntry | undefined {
  const userId = item["userId"]?.S;
  return userId === undefined ? undefined : storedEntry(site, { userId, place: "api", index: 0, raw: item });
}

/** What of a site tells where the object of an entry lies. */
export type EntrySite = Pick<DocumentSite, "aws" | "bucket" | "uploadsBucket">;

/** The entries of one item as it was read by whatever call. */
export function entriesIn(
  site: EntrySite,
  { userId, place, item }: { userId: string; place: ItemPlace; item: Item | undefined },
): StoredEntry[] {
  return (item?.[entriesAttribute]?.L ?? []).flatMap((element, index): StoredEntry[] =>
    element.M === undefined ? [] : [storedEntry(site, { userId, place, index, raw: element.M })],
  );
}

/** An entry, read from the attributes at its place. */
export function storedEntry(site: EntrySite, at: Omit<StoredEntry, "document" | "bucket">): StoredEntry {
  const attributes = plain(at.raw);
  const { key, bucket } = objectOf(site, attributes);
  const parsed = parseDocument(key === undefined ? attributes : { ...attributes, s3Key: key });
  return { ...at, bucket, document: { ...parsed, attributes } };
}

/** Folders of the bucket of today, which the private one does not have. */
const uploadFolders = /^(profile|document|resume|voice)\//;

/** The object that an entry names: by its key, else by an address, which some entries of the website have alone. */
function objectOf(
  site: EntrySite,
  entry: Readonly<Record<string, unknown>>,
): { key: unknown; bucket: string } {
  const { s3Key } = entry;
  const addresses = Object.keys(addressFields("")).flatMap((name) => {
    const text = entry[name];
    const found =
      typeof text === "string" ? parsePublicUrl(text, { endpointUrl: site.aws.endpointUrl }) : undefined;
    return found !== undefined && [site.bucket, site.uploadsBucket].includes(found.bucket) ? [found] : [];
  });
  if (s3Key === undefined) {
    const [first] = addresses;
    return { key: first?.key, bucket: first?.bucket ?? site.bucket };
  }
  const bucket = addresses.find(({ key }) => key === s3Key)?.bucket;
  const byFolder = typeof s3Key === "string" && uploadFolders.test(s3Key) ? site.uploadsBucket : site.bucket;
  return { key: s3Key, bucket: bucket ?? byFolder };
}

function strangeIn(
  place: ItemPlace,
  item: Item | undefined,
): { place: ItemPlace; index: number | undefined }[] {
  const value = item?.[entriesAttribute];
  if (value === undefined || value.NULL === true) return [];
  if (value.L === undefined) return [{ place, index: undefined }];
  return value.L.flatMap((element, index) => (element.M === undefined ? [{ place, index }] : []));
}

/** Which of several entries with the same id is meant: what the website lists counts, a removed one is the last. */
const rank: Readonly<Record<Place, number>> = { profile: 0, document: 0, row: 0, api: 1, removed: 2 };

/**
 * The user's entry with this id; where several places have the same document, that of the profile, then that of
 * documents-api, then the removed one.
 * @throws CliError when there is none, or when several have it.
 */
export function entryWithId({ userId, entries }: UserDocuments, id: string): StoredEntry {
  const all = entries.filter(({ document }) => document.id === id);
  const least = Math.min(...all.map(({ place }) => rank[place]));
  const found = all.filter(({ place }) => rank[place] === least);
  const [only] = found;
  if (only === undefined) {
    throw new CliError(`${userId} has no document with the id ${JSON.stringify(id)}`, {
      hint: "`mawps doc list` shows the ids",
    });
  }
  if (found.length > 1) {
    throw new CliError(`${userId} has ${found.length} documents with the id ${JSON.stringify(id)}`, {
      hint: `\`mawps doc check ${userId}\` shows them, and what helps`,
    });
  }
  return only;
}
