import { assertItemFits } from "../aws/dynamodb/item-size.ts";
import { getItem, type AttributeValue, type Item } from "../aws/dynamodb/items.ts";
import { typed } from "../aws/dynamodb/plain.ts";
import { updateAttributes } from "../aws/dynamodb/update-item.ts";
import { CliError } from "../errors.ts";
import { entriesAttribute as list } from "../model/mawps.ts";
import { backOff } from "../retry.ts";
import { documentItemKey, entriesIn, storedEntry } from "./entries.ts";
import { attempts, removeEntries, restless } from "./entry-changes.ts";
import type { NewEntry, StoredEntry, UserDocuments } from "./entry.ts";
import { addRows, addRowsUnlessPresent } from "./rows.ts";
import type { DocumentSite } from "./site.ts";

/** In a crowd so large that somebody always is quicker, an entry that is there twice is better than none. */
const guardedAttempts = 12;

/**
 * Appends entries to the profile's list in one UpdateItem: what others append or change at the same time stays.
 * The profile item must be there; as read it serves the check of the size alone. Answers the entries as they stand now.
 * @throws CliError when the item would grow over DynamoDB's 400 KB, is gone, or has something else than a list.
 */
export async function addEntries(
  site: DocumentSite,
  { userId, profile: known }: Pick<UserDocuments, "userId" | "profile">,
  added: readonly NewEntry[],
): Promise<readonly StoredEntry[]> {
  if (site.rows !== undefined) return addRows(site.rows, userId, added);
  return appendEntries(site, { userId, profile: known }, { values: added.map(typed) });
}

/** What came of adding entries unless there are others of the same documents. */
export interface Added {
  readonly entries: readonly StoredEntry[];
  /** Those that were there already, by the ids of the new entries that so were not added. */
  readonly present: ReadonlyMap<string, StoredEntry>;
}

/**
 * Adds entries as `addEntries` does, except those of documents of which somebody else has added an entry since the profile was
 * read: of all who add the same document at the same time one does. No call more than `addEntries` makes, unless somebody did.
 */
export async function addUnlessPresent(
  site: DocumentSite,
  user: Pick<UserDocuments, "userId" | "profile">,
  { added, isSame }: { added: readonly NewEntry[]; isSame: (one: NewEntry, other: StoredEntry) => boolean },
): Promise<Added> {
  const present = new Map<string, StoredEntry>();
  if (site.rows !== undefined) return addRowsUnlessPresent(site.rows, user.userId, added);
  const entries = await appendEntries(site, user, {
    values: added.map(typed),
    unless(now) {
      for (const entry of added) {
        const same = now.find((other) => isSame(entry, other));
        if (same !== undefined) present.set(entry.id, same);
      }
      return added.filter(({ id }) => !present.has(id)).map(typed);
    },
  });
  return { entries, present };
}

interface Append {
  readonly values: readonly AttributeValue[];
  /** Asked when somebody has appended since the item was read: what is still to be appended to these entries. */
  readonly unless?: (now: readonly StoredEntry[]) => readonly AttributeValue[];
}

/** Appends entries in DynamoDB's own form, as `addEntries` does: for one that is moved and must stay what it is. */
export async function appendEntries(
  site: DocumentSite,
  { userId, profile: known }: Pick<UserDocuments, "userId" | "profile">,
  { values: wanted, unless }: Append,
): Promise<readonly StoredEntry[]> {
  const key = documentItemKey(site, userId, "profile");
  const tries = backOff({ attempts, signal: site.signal });
  let values = wanted;
  let profile = known;
  for (let attempt = 1; ; attempt += 1) {
    if (values.length === 0) return [];
    profile ??= await getItem(site.aws, { table: site.table, key, signal: site.signal });
    if (profile === undefined) throw goneProfile(userId);
    assertEntriesFit(userId, profile, values);
    const before = profile[list];
    const isNull = before?.NULL === true;
    const outcome = await updateAttributes(site.aws, {
      table: site.table,
      key,
      ...(isNull
        ? { set: [{ path: list, value: { L: [...values] } }] }
        : { append: [{ path: list, values }] }),
      conditions: [
        { path: "userId", is: "present" },
        // `null` is what the website leaves of an empty list; nothing can be appended to it.
        ...(isNull ? [{ path: list, is: "equal" as const, to: before }] : []),
        // Nobody has appended: then there is nothing at the place of the first one.
        ...(unless === undefined || isNull || attempt > guardedAttempts
          ? []
          : [{ path: [list, before?.L?.length ?? 0] as const, is: "absent" as const }]),
      ],
      // The item may be large; what was appended is known.
      returns: "none",
      signal: site.signal,
    });
    if (!outcome.applied) {
      profile = outcome.found;
      if (outcome.isRepeated && holdsAny(profile, values)) return withoutDoubles(site, userId, values);
      values = unless?.(entriesIn(site, { userId, place: "profile", item: profile })) ?? values;
      if (!(await tries.again())) throw restless(userId);
      continue;
    }
    if (outcome.isRepeated) return withoutDoubles(site, userId, values);
    const first = before?.L?.length ?? 0;
    return values.flatMap(({ M: raw }, at) =>
      raw === undefined ? [] : [storedEntry(site, { userId, place: "profile", index: first + at, raw })],
    );
  }
}

/** One call appends all of them: any of them is there by the first attempt of it. */
function holdsAny(profile: Item | undefined, values: readonly AttributeValue[]): boolean {
  const ids = new Set(values.flatMap(({ M: entry }) => entry?.["id"]?.S ?? []));
  return (profile?.[list]?.L ?? []).some(({ M: entry }) => ids.has(entry?.["id"]?.S ?? ""));
}

/**
 * The entries that were appended when the SDK had to send the update again, because an answer was lost on the way:
 * where they stand there twice, the second ones are taken away.
 */
async function withoutDoubles(
  site: DocumentSite,
  userId: string,
  values: readonly AttributeValue[],
): Promise<readonly StoredEntry[]> {
  const key = documentItemKey(site, userId, "profile");
  const item = await getItem(site.aws, { table: site.table, key, signal: site.signal });
  const ids = new Set(values.map(({ M: entry }) => entry?.["id"]?.S));
  const ours = entriesIn(site, { userId, place: "profile", item }).filter(({ document }) =>
    ids.has(document.id),
  );
  const first = ours.filter((entry, at) => ours.findIndex((each) => sameDocument(each, entry)) === at);
  await removeEntries(
    site,
    ours.filter((entry) => !first.includes(entry)).map((entry) => ({ entry })),
  );
  return first;
}

function sameDocument(one: StoredEntry, other: StoredEntry): boolean {
  return one.document.id === other.document.id && one.document.s3Key === other.document.s3Key;
}

/** Fails with CliError when the profile item cannot take these entries beside what it holds. */
export function assertEntriesFit(userId: string, profile: Item, added: readonly AttributeValue[]): void {
  const before = profile[list];
  if (before !== undefined && before.L === undefined && before.NULL !== true) {
    throw new CliError(`the attribute "documents" of ${userId} is no list`, {
      hint: "look at the item: something else than the website or this tool wrote it",
    });
  }
  assertItemFits({ ...profile, [list]: { L: [...(before?.L ?? []), ...added] } }, `the item of ${userId}`);
}

export function goneProfile(userId: string): CliError {
  return new CliError(`${userId} has no profile item`, {
    hint: "--create-profile makes one; check the id first, `mawps doc list --all` shows the users with documents",
  });
}
