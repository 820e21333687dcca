import { getItem, type AttributeValue, type Item } from "../aws/dynamodb/items.ts";
import { plain } from "../aws/dynamodb/plain.ts";
import { CliError } from "../errors.ts";
import { parseDocument, type DocumentEntry } from "../model/documents.ts";
import { parsePublicUrl } from "../model/urls.ts";
import type { DocumentSite } from "./site.ts";

/** Which of a user's items: `profile` is written; `document` (composite keys only) holds older entries. */
export type Place = "profile" | "document";

/** An entry and where it stood when it was read. */
export interface StoredEntry {
  readonly userId: string;
  readonly place: Place;
  readonly index: number;
  /** As DynamoDB has it: conditions compare with exactly this. */
  readonly raw: Readonly<Record<string, AttributeValue>>;
  readonly document: DocumentEntry;
}

/** What a user's items say of documents. */
export interface UserDocuments {
  readonly userId: string;
  /** The profile item, whole (for its size); undefined when there is none. */
  readonly profile: Item | undefined;
  /** Whether any item of the user's was found. */
  readonly isKnown: boolean;
  /** In the order of the lists, those of the profile first. */
  readonly entries: readonly StoredEntry[];
  /** Elements of a list that are no map, and lists that are none. Nothing ever changes these. */
  readonly strange: readonly { readonly place: Place; readonly index: number | undefined }[];
}

/** The attribute with the list of entries. */
export const entriesAttribute = "documents";

/** Key of a user's item. On the simple shape both places are the same item. */
export function documentItemKey({ shape }: Pick<DocumentSite, "shape">, userId: string, place: Place): Item {
  const key: Item = { userId: { S: userId } };
  if (shape.kind === "simple") return key;
  return { ...key, type: { S: place === "profile" ? "user-profile" : "document" } };
}

/** Reads a user's entries, as they stand now. A user without items has none and is not known. */
export async function readDocuments(site: DocumentSite, userId: string): Promise<UserDocuments> {
  const read = (place: Place, attributes?: readonly string[]) =>
    getItem(site.aws, {
      table: site.table,
      key: documentItemKey(site, userId, place),
      attributes,
      signal: site.signal,
    });
  const [profile, older] = await Promise.all([
    read("profile"),
    site.shape.kind === "composite" ? read("document", ["userId", entriesAttribute]) : undefined,
  ]);
  const items = [
    ["profile", profile],
    ["document", older],
  ] as const;
  return {
    userId,
    profile,
    isKnown: profile !== undefined || older !== undefined,
    entries: items.flatMap(([place, item]) => entriesIn(site, { userId, place, item })),
    strange: items.flatMap(([place, item]) => strangeIn(place, item)),
  };
}

/** The entries of one item as it was read by whatever call. */
export function entriesIn(
  site: Pick<DocumentSite, "aws" | "bucket">,
  { userId, place, item }: { userId: string; place: Place; item: Item | undefined },
): StoredEntry[] {
  return (item?.[entriesAttribute]?.L ?? []).flatMap((element, index): StoredEntry[] =>
    element.M === undefined ? [] : [storedEntry(site, { userId, place, index, raw: element.M })],
  );
}

/** An entry, read from the attributes at its place. */
export function storedEntry(
  site: Pick<DocumentSite, "aws" | "bucket">,
  at: Omit<StoredEntry, "document">,
): StoredEntry {
  const attributes = plain(at.raw);
  const key = attributes["s3Key"] ?? keyOfUrl(site, attributes["s3Url"]);
  const parsed = parseDocument(key === undefined ? attributes : { ...attributes, s3Key: key });
  return { ...at, document: { ...parsed, attributes } };
}

/** Some entries of the website have the address of their object and no key. */
function keyOfUrl(site: Pick<DocumentSite, "aws" | "bucket">, url: unknown): string | undefined {
  if (typeof url !== "string") return undefined;
  const address = parsePublicUrl(url, { endpointUrl: site.aws.endpointUrl });
  return address?.bucket === site.bucket ? address.key : undefined;
}

function strangeIn(place: Place, item: Item | undefined): { place: Place; index: number | undefined }[] {
  const value = item?.[entriesAttribute];
  if (value === undefined || value.NULL === true) return [];
  if (value.L === undefined) return [{ place, index: undefined }];
  return value.L.flatMap((element, index) => (element.M === undefined ? [{ place, index }] : []));
}

/**
 * The user's entry with this id.
 * @throws CliError when there is none, or when several have it.
 */
export function entryWithId({ userId, entries }: UserDocuments, id: string): StoredEntry {
  const found = entries.filter(({ document }) => document.id === id);
  const [only] = found;
  if (only === undefined) {
    throw new CliError(`${userId} has no document with the id ${JSON.stringify(id)}`, {
      hint: "`mawps doc list` shows the ids",
    });
  }
  if (found.length > 1) {
    throw new CliError(`${userId} has ${found.length} documents with the id ${JSON.stringify(id)}`, {
      hint: `\`mawps doc check ${userId} --repair\` gives each its own`,
    });
  }
  return only;
}
