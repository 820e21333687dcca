import { whereThere } from "../aws/setting.ts";
import { scanItems, type Item } from "../aws/dynamodb/items.ts";
import { newestFirst, type DocumentEntry, type DocumentStatus } from "../model/documents.ts";
import { timeOf } from "../model/json.ts";
import { pluralFileType } from "../model/keys.ts";
import { isPassedOver, judgedAttributes, type Nobodies } from "../model/nobodies.ts";
import { apiEntry, entriesIn, itemPlace, readDocuments } from "./entries.ts";
import type { StoredEntry } from "./entry.ts";
import { rowsOfAll } from "./rows.ts";
import type { DocumentSite } from "./site.ts";
import { entriesAttribute } from "../model/mawps.ts";

/** Which documents are wanted; what is undefined does not matter. */
export interface DocumentFilter {
  readonly type?: string;
  readonly status?: DocumentStatus;
  /** Only the deleted ones; else, unless `status` says so, none of them. */
  readonly deleted?: boolean;
  /** Uploaded then or later; entries without a readable time are left out. */
  readonly since?: Date;
  /** At the end of their life then or earlier; entries without a readable end are left out. */
  readonly expiringBy?: Date;
}

/** Whether a document is among those wanted. */
function isWanted(document: DocumentEntry, filter: DocumentFilter): boolean {
  const { type, status, deleted, since, expiringBy } = filter;
  const isDeleted = document.status === "DELETED";
  if (deleted === true ? !isDeleted : isDeleted && status !== "DELETED") return false;
  if (status !== undefined && document.status !== status) return false;
  if (type !== undefined && document.type !== pluralFileType(type)) return false;
  if (expiringBy !== undefined && !((timeOf(document.expiresAt) ?? Number.NaN) <= expiringBy.getTime()))
    return false;
  return since === undefined || (timeOf(document.uploadedAt) ?? Number.NEGATIVE_INFINITY) >= since.getTime();
}

/**
 * The documents of all users as the tables give them: user by user in no order, each one's newest first; then those that
 * documents-api keeps, the same way. What is in memory is one page of a table.
 */
export async function* listAllDocuments(
  site: DocumentSite,
  { filter, nobodies }: { readonly filter: DocumentFilter; readonly nobodies: Nobodies },
): AsyncGenerator<StoredEntry> {
  for await (const { entries } of usersWithDocuments(site, nobodies)) yield* wanted(entries, filter);
}

/** Every user whose items hold entries, with these; the profile item and an older one of the same user together. */
async function* usersWithDocuments(
  site: DocumentSite,
  nobodies: Nobodies,
): AsyncGenerator<{ userId: string; entries: StoredEntry[] }> {
  if (site.rows !== undefined) {
    for await (const entry of rowsOfAll(site.rows)) yield { userId: entry.userId, entries: [entry] };
    return;
  }
  const { aws, table, signal } = site;
  const kept = apiUsers(site);
  // Asked for beside the first page of the profiles: most sites have none.
  const firstKept = kept.next();
  firstKept.catch(() => undefined);
  let last: { userId: string; entries: StoredEntry[] } | undefined;
  for await (const page of scanItems(aws, {
    table,
    attributes: [...judgedAttributes, entriesAttribute],
    signal,
  })) {
    for (const item of page) {
      const userId = item["userId"]?.S;
      if (userId === undefined || isPassedOver(nobodies, item) || item[entriesAttribute] === undefined)
        continue;
      const place = itemPlace(site, item);
      if (place === undefined) continue;
      const entries = entriesIn(site, { userId, place, item });
      // Items of one user stand next to each other: the table is laid out by its partition key.
      if (last?.userId === userId) last.entries.push(...entries);
      else {
        if (last !== undefined) yield last;
        last = { userId, entries };
      }
    }
  }
  if (last !== undefined) yield last;
  const { done, value } = await firstKept;
  if (done === true) return;
  yield value;
  yield* kept;
}

/** What documents-api keeps, user by user. */
async function* apiUsers(
  site: DocumentSite,
): AsyncGenerator<{ userId: string; entries: StoredEntry[] }, undefined> {
  const pages = scanItems(site.aws, { table: site.apiTable, signal: site.signal });
  let last: { userId: string; entries: StoredEntry[] } | undefined;
  for (;;) {
    let page: IteratorResult<readonly Item[]> | undefined;
    await whereThere(async () => {
      page = await pages.next();
    });
    if (page === undefined || page.done === true) break;
    for (const item of page.value) {
      const entry = apiEntry(site, item);
      if (entry === undefined) continue;
      if (last?.userId === entry.userId) last.entries.push(entry);
      else {
        if (last !== undefined) yield last;
        last = { userId: entry.userId, entries: [entry] };
      }
    }
  }
  if (last !== undefined) yield last;
  return undefined;
}

/** The entries of one user, or of all users, one user at a time. What is no person's is counted in `nobodies`. */
export async function* entriesByUser(
  site: DocumentSite,
  userId: string | undefined,
  nobodies: Nobodies,
): AsyncGenerator<readonly StoredEntry[]> {
  if (userId !== undefined) yield (await readDocuments(site, userId)).entries;
  else for await (const { entries } of usersWithDocuments(site, nobodies)) yield entries;
}

/** Those that are wanted, newest first. */
export function wanted(entries: readonly StoredEntry[], filter: DocumentFilter): StoredEntry[] {
  return entries
    .filter(({ document }) => isWanted(document, filter))
    .toSorted((one, other) => newestFirst(one.document, other.document));
}
