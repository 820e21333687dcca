import { scanItems, type Item } from "../aws/dynamodb/items.ts";
import { plain } from "../aws/dynamodb/plain.ts";
import { itemOf } from "../documents/entry-changes.ts";
import { entriesIn, itemPlace, readDocuments, readRemoved } from "../documents/entries.ts";
import type { StoredEntry, UserDocuments } from "../documents/entry.ts";
import { namedBy } from "../documents/named-by.ts";
import { legalHold } from "../model/documents.ts";
import { parseKey } from "../model/keys.ts";
import { judgedAttributes, nobodyIn } from "../model/nobodies.ts";
import { pictureAttributes } from "../model/mawps.ts";
import { inParallel } from "../concurrency.ts";
import type { DocumentDue } from "./plan-entry.ts";
import { noteStrangers } from "./references.ts";
import {
  day,
  agesOf,
  decideDocument,
  deciding,
  endMs,
  isPast,
  purgedBehind,
  type DocumentVerdict,
} from "./rules.ts";
import type { ProfileSite } from "./site.ts";
import { bytesOf, newestBytesMs, placeText, plannedVersion, versionsOf } from "./stored-versions.ts";
import { entriesAttribute } from "../model/mawps.ts";

/** How many old pictures under a prefix of a bucket nothing says anything of. */
export interface UnknownPictures {
  readonly bucket: string;
  readonly prefix: string;
  readonly count: number;
}

/** What one part of a plan has to know of another; small, however large the site. */
export interface Noticed {
  /** Objects and versions that were looked at. */
  there: number;
  /** Where files under a legal hold lie (`placeText`): none of their versions may go. */
  readonly held: Set<string>;
  /** Where files lie that go whole: no other rule need tell of these. */
  readonly purgedWhole: Set<string>;
  /** Where files lie that would go by a rule of their own, and that a row names which stays. */
  readonly named: Set<string>;
  /** Pictures as old as those that go, of which nothing says what they are: they stay. By their places, as text. */
  readonly unknownPictures: Map<string, UnknownPictures>;
  /** Pictures that somebody else's item points to. */
  readonly strangers: Set<string>;
}

/** Users that are looked up at once. */
const sideBySide = 8;
/** A page of 1 MB is ten times as much once it is parsed, and all of it lives until its last user was looked up. */
const itemsPerPage = 50;

/**
 * The documents that are due, and those kept from it, by one scan of the profiles: a page of items is in memory, and
 * the versions of the due documents of a few users.
 */
export async function* findDocuments(site: ProfileSite, noticed: Noticed): AsyncGenerator<DocumentDue> {
  const { documents } = site;
  const pages = scanItems(site.aws, {
    table: documents.table,
    attributes: [...judgedAttributes, entriesAttribute, ...pictureAttributes],
    pageSize: itemsPerPage,
    signal: site.signal,
  });
  for await (const page of pages) {
    for (let start = 0; start < page.length; start += sideBySide) {
      const items = page.slice(start, start + sideBySide);
      for (const due of (await inParallel(items, sideBySide, (item) => dueOf(site, item, noticed))).flat()) {
        if (due.key !== undefined && due.versions.length > 1)
          noticed.purgedWhole.add(placeText(due.bucket, due.key));
        yield due;
      }
    }
  }
  yield* findRemoved(site, noticed);
}

/** What is due of the entries that the website does not list any more. */
async function* findRemoved(site: ProfileSite, noticed: Noticed): AsyncGenerator<DocumentDue> {
  const { documents, rules } = site;
  const removed = await readRemoved(documents, undefined);
  for (const { document } of removed) {
    if (legalHold(document.attributes) !== undefined)
      noticed.held.add(placeText(documents.bucket, document.s3Key));
  }
  const decided = removed.filter(({ document }) => decideDocument(document, rules) !== undefined);
  for (const userId of new Set(decided.map((entry) => entry.userId))) {
    for (const { entry, due } of await judge(site, await readDocuments(documents, userId))) {
      if (entry.place !== "removed") continue;
      if (due.key !== undefined && due.versions.length > 1)
        noticed.purgedWhole.add(placeText(due.bucket, due.key));
      yield due;
    }
  }
}

/** What is due of the entries of one item; what others have to know of it is noted. */
async function dueOf(site: ProfileSite, item: Item, noticed: Noticed): Promise<DocumentDue[]> {
  const { documents, rules } = site;
  const userId = item["userId"]?.S ?? "";
  noteStrangers(noticed.strangers, userId, item);
  const place = itemPlace(site.documents, item);
  if (userId === "" || place === undefined || nobodyIn(item) !== undefined) return [];
  const entries = entriesIn(documents, { userId, place, item });
  for (const { document } of entries) {
    if (legalHold(document.attributes) !== undefined)
      noticed.held.add(placeText(documents.bucket, document.s3Key));
  }
  if (!entries.some(({ document }) => decideDocument(document, rules) !== undefined)) return [];
  // Another place of the user's may name the same object.
  const judged = await judge(site, await readDocuments(documents, userId));
  return judged.flatMap((each) => (each.entry.place === place ? [each.due] : []));
}

/** An entry as it is stored and what is to be done about it. */
export interface Judged {
  readonly entry: StoredEntry;
  readonly due: DocumentDue;
}

/**
 * Judges all entries of one user: by the rules, by where their objects lie, by S3's times of these, and by each other.
 * Entries for which nothing is due are left out; one that is due by its own times, but whose object is younger, is kept.
 * What documents-api keeps is the website's: never due, and its objects are needed, as are those that another attribute of
 * the profile names.
 */
export async function judge(
  site: ProfileSite,
  { profile, entries }: Pick<UserDocuments, "profile" | "entries">,
): Promise<Judged[]> {
  const decided = entries.flatMap((entry) => {
    const verdict = entry.place === "api" ? undefined : decideDocument(entry.document, site.rules);
    return verdict === undefined ? [] : [{ entry, verdict: verdictOnPlace(site, entry, verdict) }];
  });
  const going = new Set(
    decided.filter(({ verdict }) => verdict.action === "purge").map(({ entry }) => entry),
  );
  const staying = new Set(entries.filter((entry) => !going.has(entry)).map(({ document }) => document.s3Key));
  const keys = [...going].map(({ document }) => document.s3Key).filter((key) => key !== "");
  const stored = await versionsOf(site, site.documents.bucket, keys);
  const named = new Set<string>();
  return decided.flatMap(({ entry, verdict }): Judged[] => {
    const { s3Key } = entry.document;
    if (verdict.action !== "purge") return [{ entry, due: dueEntry(site, entry, { verdict, versions: [] }) }];
    const versions = stored.get(s3Key) ?? [];
    const writtenMs = newestBytesMs(versions) ?? verdict.sinceMs;
    const sinceMs = Math.max(verdict.sinceMs, writtenMs);
    if (!isPast(verdict.rule, writtenMs, site.rules)) {
      // Told, since its entry alone would be due: a time that contradicts S3's is wrong, or invented.
      const reason = `${verdict.reason}, but its object is in S3 only since ${day(writtenMs)}, which counts`;
      const due = dueEntry(site, entry, {
        verdict: { ...verdict, action: "keep", sinceMs, reason },
        versions: [],
      });
      return [{ entry, due }];
    }
    // Of several entries that go and name the same object, the first one takes it along.
    const attribute = namedBy(profile, s3Key);
    const other = staying.has(s3Key) ? "another entry" : attribute && JSON.stringify(attribute);
    const isShared = other !== undefined || named.has(s3Key);
    named.add(s3Key);
    const reason =
      other !== undefined && versions.length > 0
        ? `${verdict.reason}; ${other} names its object, which stays`
        : verdict.reason;
    const due = dueEntry(site, entry, {
      verdict: { ...verdict, sinceMs, reason },
      versions: isShared ? [] : versions.map(plannedVersion),
    });
    return [{ entry, due }];
  });
}

/** An entry whose key leads out of its user's folders must not take anybody else's object along. */
function verdictOnPlace(
  { declaration, documents }: ProfileSite,
  { userId, bucket, document: { s3Key } }: StoredEntry,
  verdict: DocumentVerdict,
): DocumentVerdict {
  if (verdict.action !== "purge" || s3Key === "") return verdict;
  if (bucket !== documents.bucket) {
    return { ...verdict, action: "keep", reason: `its object lies in ${bucket}, which is the website's` };
  }
  const role = declaration.buckets.find(({ name }) => name === documents.bucket)?.role;
  const folders = declaration.owned.flatMap((owned) =>
    owned.kind === "objects" && owned.bucket === role ? [owned.prefix.replace("{userId}", () => userId)] : [],
  );
  const isOwn = folders.some((folder) => s3Key.startsWith(folder) && s3Key.length > folder.length);
  const isPicture = /avatar|hero/.test(parseKey(s3Key)?.layout ?? "");
  if (isOwn && !isPicture) return verdict;
  return { ...verdict, action: "keep", reason: `its object is in none of the user's folders: ${s3Key}` };
}

function dueEntry(
  { documents, rules, isAhead }: ProfileSite,
  entry: StoredEntry,
  { verdict, versions }: { verdict: DocumentVerdict; versions: DocumentDue["versions"] },
): DocumentDue {
  const { rule, action } = verdict;
  const { userId, document } = entry;
  const marked = {
    ...document,
    status: "DELETED" as const,
    deletedAt: new Date(endMs(verdict)).toISOString(),
  };
  const next = isAhead && action === "soft-delete" ? decideDocument(marked, rules) : undefined;
  const reason = `${verdict.reason}${purgedBehind(next)}`;
  const { table, key } = itemOf(documents, entry);
  return {
    kind: "document",
    action,
    rule: rule.id,
    by: rule.by,
    reason,
    userId,
    documentId: document.id,
    bucket: documents.bucket,
    ...(document.s3Key === "" ? {} : { key: document.s3Key }),
    table,
    item: plain(key) as DocumentDue["item"],
    bytes: action === "purge" ? bytesOf(versions) : (document.size ?? 0),
    ...agesOf(verdict, rules),
    versions,
    was: deciders(document.attributes),
  };
}

/** The attributes that decided, as they can stand in a file. */
function deciders(attributes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(Object.fromEntries(deciding.map((name) => [name, attributes[name] ?? null]))),
  ) as Record<string, unknown>;
}
