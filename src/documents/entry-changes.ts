import type { Path } from "../aws/dynamodb/expressions.ts";
import { assertItemFits } from "../aws/dynamodb/item-size.ts";
import { getItem, type AttributeValue, type Item } from "../aws/dynamodb/items.ts";
import { typed } from "../aws/dynamodb/plain.ts";
import { transact, type TransactStep } from "../aws/dynamodb/transact.ts";
import { updateAttributes } from "../aws/dynamodb/update-item.ts";
import { CliError } from "../errors.ts";
import { restoredStatus } from "../model/documents.ts";
import { backOff } from "../retry.ts";
import { apiEntry, documentItemKey, entriesIn, removedEntry, removedKey, storedEntry } from "./entries.ts";
import type { ChangeOutcome, EntryChange, NewEntry, StoredEntry, UserDocuments } from "./entry.ts";
import { addRows, addRowsUnlessPresent, changeRows, removeRows } from "./rows.ts";
import type { DocumentSite } from "./site.ts";
import { entriesAttribute as list } from "../model/mawps.ts";

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

/**
 * Changes single attributes of several entries of one user, all of an item in one UpdateItem (split only where
 * DynamoDB's limits of an expression want it), each on condition that its id still stands at its index; an
 * entry that moved is looked for and the change tried again. May be called twice with the same values.
 */
export async function changeEntries(
  site: DocumentSite,
  changes: readonly EntryChange[],
): Promise<ChangeOutcome> {
  if (site.rows !== undefined) return changeRows(site.rows, changes);
  return perBatch(changes, (batch) => applyBatch(site, batch, { express: changeOf }));
}

/**
 * Removes entries (not their objects), in one UpdateItem an item, with the same conditions as `changeEntries`; those of
 * documents-api, which are items of their own, one by one.
 */
export async function removeEntries(
  site: DocumentSite,
  changes: readonly Pick<EntryChange, "entry" | "unchanged">[],
): Promise<ChangeOutcome> {
  if (site.rows !== undefined) return removeRows(site.rows, changes);
  // From the end on: what one batch removes moves only entries that were dealt with.
  const last = changes.toSorted((one, other) => other.entry.index - one.entry.index);
  return perBatch(last, (batch) => applyBatch(site, batch, { express: removalOf }));
}

/**
 * Takes entries away from where the website sees them and keeps them in the tool's own table, with their deletion: both in
 * one transaction, with the conditions of `changeEntries`.
 */
export async function putAway(
  site: DocumentSite,
  changes: readonly Pick<EntryChange, "entry" | "unchanged">[],
  deletion: { readonly deletedAt: string; readonly deletedBy: string },
): Promise<ChangeOutcome> {
  const last = changes.toSorted((one, other) => other.entry.index - one.entry.index);
  const outcome = await perBatch(last, (batch) =>
    applyBatch(site, batch, {
      express: removalOf,
      beside: (open) => open.map(({ entry }) => keeping(site, entry, deletion)),
    }),
  );
  const put = outcome.changed.map(
    (entry) => removedEntry(site, keeping(site, entry, deletion).item) ?? entry,
  );
  return { ...outcome, changed: put };
}

/** The step that keeps an entry among the removed ones; one that was deleted before keeps the time of that. */
export function keeping(
  site: Pick<DocumentSite, "ownTable">,
  entry: StoredEntry,
  deletion: { readonly deletedAt: string; readonly deletedBy: string },
) {
  const { userId, place, raw, document } = entry;
  const { deletedAt = deletion.deletedAt, deletedBy = deletion.deletedBy } =
    document.status === "DELETED" ? document : {};
  return {
    kind: "put" as const,
    table: site.ownTable,
    item: {
      ...removedKey(entry),
      userId: { S: userId },
      place: { S: place },
      document: { M: { ...raw } },
      deletedAt: { S: deletedAt },
      deletedBy: { S: deletedBy },
    },
  };
}

/**
 * Brings removed entries back to where they stood, as they stood, and forgets them, in one transaction each. Those that are not among
 * the removed ones any more are `missing`.
 * @throws CliError when the profile has no room, is gone, or has something else than a list.
 */
export async function bringBack(
  site: DocumentSite,
  { userId, profile }: Pick<UserDocuments, "userId" | "profile">,
  entries: readonly StoredEntry[],
): Promise<ChangeOutcome> {
  const changed: StoredEntry[] = [];
  const missing: StoredEntry[] = [];
  let isNull = profile?.[list]?.NULL === true;
  for (const entry of entries) {
    const { place = "profile", raw: whole = entry.raw } = entry.before ?? {};
    // One that was deleted softly before it was removed comes back as it was before both.
    const { deletedAt: _at, deletedBy: _by, status, ...rest } = whole;
    const raw = status?.S === "DELETED" ? { ...rest, status: { S: restoredStatus(entry.document) } } : whole;
    const forget = {
      kind: "delete" as const,
      table: site.ownTable,
      key: removedKey(entry),
      conditions: [{ path: "id", is: "present" as const }],
    };
    const stands = storedEntry(site, { userId, place, index: 0, raw });
    if (place === "profile") {
      if (profile === undefined) throw goneProfile(userId);
      assertEntriesFit(userId, profile, [{ M: raw }]);
    }
    const back: TransactStep =
      place === "api"
        ? { kind: "put", table: site.apiTable, item: raw, conditions: [{ path: "userId", is: "absent" }] }
        : {
            kind: "update",
            table: site.table,
            key: documentItemKey(site, userId, "profile"),
            change: isNull
              ? { set: [{ path: list, value: { L: [{ M: raw }] } }] }
              : { append: [{ path: list, values: [{ M: raw }] }] },
            conditions: [
              { path: "userId", is: "present" },
              ...(isNull ? [{ path: list, is: "equal" as const, to: { NULL: true } }] : []),
            ],
          };
    const refusal = await transact(site.aws, [back, forget], site.signal);
    if (refusal !== undefined) {
      missing.push(entry);
      continue;
    }
    changed.push(stands);
    if (place !== "api") isNull = false;
  }
  return { changed, missing, refused: [] };
}

/** @throws CliError where somebody has changed an entry since it was read. What is gone is no fault. */
export function assertNoneRefused({ refused }: ChangeOutcome): void {
  const [first] = refused;
  if (first !== undefined) throw changedMeanwhile(first.entry);
}

export function changedMeanwhile({ document }: StoredEntry): CliError {
  return new CliError(`${document.id}: somebody else changed its entry meanwhile`, {
    hint: "run the command again",
  });
}

/**
 * Assignments and conditions of an update. An expression takes 300 operators and 4 KB of text, about 25 bytes for each of
 * these: this stays below both.
 */
const partsPerUpdate = 150;
/** The entry's id, which is written too, and what tells an entry: id and key. */
const partsPerEntry = 3;
const attempts = 20;
/** In a crowd so large that somebody always is quicker, an entry that is there twice is better than none. */
const guardedAttempts = 12;

async function perBatch(
  changes: readonly EntryChange[],
  apply: (batch: readonly EntryChange[]) => Promise<ChangeOutcome>,
): Promise<ChangeOutcome> {
  const outcomes: ChangeOutcome[] = [];
  for (const batch of batches(changes)) outcomes.push(await apply(batch));
  return {
    changed: outcomes.flatMap(({ changed }) => changed),
    missing: outcomes.flatMap(({ missing }) => missing),
    refused: outcomes.flatMap(({ refused }) => refused),
  };
}

/** Changes of the same item together, as many as an expression takes. */
function batches(changes: readonly EntryChange[]): EntryChange[][] {
  const open = new Map<string, { batch: EntryChange[]; weight: number }>();
  const all: EntryChange[][] = [];
  for (const change of changes) {
    const { entry, set = {}, remove = [], unchanged = [] } = change;
    const { place, userId, document } = entry;
    const isOwnItem = place === "api" || place === "removed";
    const item = isOwnItem ? `${place}:${userId}:${document.id}:${document.s3Key}` : `${place}:${userId}`;
    const conditions = unchanged.filter((name) => name !== "s3Key");
    const weight = partsPerEntry + Object.keys(set).length + remove.length + conditions.length;
    const current = open.get(item);
    if (current !== undefined && current.weight + weight <= partsPerUpdate) {
      current.batch.push(change);
      current.weight += weight;
      continue;
    }
    const batch = [change];
    open.set(item, { batch, weight });
    all.push(batch);
  }
  return all;
}

type Expressed = Pick<Parameters<typeof updateAttributes>[1], "set" | "remove" | "conditions"> & {
  /** The item itself is to go, not something in it. */
  readonly isWhole?: boolean;
};

/** The item in which an entry stands. */
export function itemOf(site: DocumentSite, entry: StoredEntry): { table: string; key: Item } {
  const { place, userId, raw } = entry;
  if (place === "removed") return { table: site.ownTable, key: removedKey(entry) };
  if (place === "row") throw new Error("a row stands in no item of a user's");
  if (place !== "api") return { table: site.table, key: documentItemKey(site, userId, place) };
  const { documentId = { S: "" } } = raw;
  return { table: site.apiTable, key: { userId: { S: userId }, documentId } };
}

async function applyBatch(
  site: DocumentSite,
  batch: readonly EntryChange[],
  {
    express,
    beside,
  }: {
    readonly express: (change: EntryChange) => Expressed;
    /** What is to happen in the same transaction. */
    readonly beside?: (open: readonly EntryChange[]) => readonly TransactStep[];
  },
): Promise<ChangeOutcome> {
  const done: EntryChange[] = [];
  const missing: StoredEntry[] = [];
  const refused: { entry: StoredEntry; found: StoredEntry }[] = [];
  const [first] = batch;
  if (first === undefined) return { changed: [], missing, refused };
  const { userId } = first.entry;
  const { table, key } = itemOf(site, first.entry);
  let open: readonly EntryChange[] = batch;
  const tries = backOff({ attempts, signal: site.signal });
  while (open.length > 0) {
    const parts = open.map(express);
    const change = {
      set: parts.flatMap(({ set }) => set ?? []),
      remove: parts.flatMap(({ remove }) => remove ?? []),
      conditions: parts.flatMap(({ conditions }) => conditions ?? []),
    };
    const isWhole = parts.some((part) => part.isWhole);
    const outcome =
      isWhole || beside !== undefined
        ? await inTransaction(site, [
            isWhole
              ? { kind: "delete", table, key, conditions: change.conditions }
              : { kind: "update", table, key, change, conditions: change.conditions },
            ...(beside?.(open) ?? []),
          ])
        : await updateAttributes(site.aws, { table, key, ...change, returns: "none", signal: site.signal });
    if (outcome.applied) {
      return { changed: [...done, ...open].map((each) => changedEntry(site, each)), missing, refused };
    }
    // What a lost answer said was done is not there to be removed any more.
    const gone = outcome.isRepeated && express === removalOf ? done : undefined;
    const item = outcome.found ?? (await getItem(site.aws, { table, key, signal: site.signal }));
    const now = entriesOf(site, first.entry, item);
    open = open.flatMap((change): EntryChange[] => {
      const found = locate(now, change.entry);
      if (found === undefined && gone !== undefined) gone.push(change);
      else if (found === undefined) missing.push(change.entry);
      else if (!isUnchanged(change, found)) refused.push({ entry: change.entry, found });
      else return [{ ...change, entry: found }];
      return [];
    });
    if (open.length > 0 && !(await tries.again())) throw restless(userId);
  }
  return { changed: done.map((each) => changedEntry(site, each)), missing, refused };
}

async function inTransaction(
  { aws, signal }: DocumentSite,
  steps: readonly TransactStep[],
): Promise<{ readonly applied: boolean; readonly found: Item | undefined; readonly isRepeated: boolean }> {
  const applied = (await transact(aws, steps, signal)) === undefined;
  return { applied, found: undefined, isRepeated: false };
}

/** What stands now in the item in which an entry stood. */
function entriesOf(
  site: DocumentSite,
  { userId, place }: StoredEntry,
  item: Item | undefined,
): readonly StoredEntry[] {
  if (place === "profile" || place === "document") return entriesIn(site, { userId, place, item });
  if (item === undefined) return [];
  const entry = place === "api" ? apiEntry(site, item) : removedEntry(site, item);
  return entry === undefined ? [] : [entry];
}

/** The entry as a change left it. */
function changedEntry(site: DocumentSite, { entry, set = {}, remove = [] }: EntryChange): StoredEntry {
  const raw = { ...entry.raw };
  for (const name of remove) delete raw[name];
  for (const [name, value] of Object.entries(set)) {
    if (value !== undefined) raw[name] = typed(value);
  }
  return storedEntry(site, { ...entry, raw });
}

/** The entry where it stands now; of several with the same id the one that names the same object. */
function locate(now: readonly StoredEntry[], entry: StoredEntry): StoredEntry | undefined {
  const { document, index } = entry;
  const same = now.filter(
    (each) => each.document.id === document.id && each.document.s3Key === document.s3Key,
  );
  return (
    same.find((each) => each.index === index) ??
    same[0] ??
    now.find((each) => each.document.id === document.id && document.id !== "")
  );
}

function isUnchanged({ entry, unchanged = [] }: EntryChange, found: StoredEntry): boolean {
  return unchanged.every((name) => JSON.stringify(entry.raw[name]) === JSON.stringify(found.raw[name]));
}

/** Where an entry has an attribute, in its item. */
function pathOf({ place, index }: StoredEntry, name: string): Path {
  return place === "api" ? name : [list, index, name];
}

function changeOf(change: EntryChange): Expressed {
  const { entry } = change;
  const { raw, document } = entry;
  if (entry.place === "removed") {
    throw new CliError(`${document.id} (${document.name}) was removed from the website`, {
      hint: "`mawps doc restore` brings it back",
    });
  }
  const set = Object.entries(change.set ?? {}).filter(([, value]) => value !== undefined);
  return {
    set: [
      // Written as it stands: an answer that got lost is then known by the id, too, and not taken from another entry.
      ...(raw["id"] === undefined || "id" in (change.set ?? {})
        ? []
        : [{ path: pathOf(entry, "id"), value: raw["id"] }]),
      ...set.map(([name, value]) => ({ path: pathOf(entry, name), value: typed(value) })),
    ],
    remove: (change.remove ?? []).map((name) => pathOf(entry, name)),
    conditions: conditionsOf(change),
  };
}

function removalOf(change: EntryChange): Expressed {
  const { place } = change.entry;
  if (place === "api" || place === "removed") return { isWhole: true, conditions: conditionsOf(change) };
  return { remove: [[list, change.entry.index]], conditions: conditionsOf(change) };
}

/** The element at the index is the entry that was read: its id, or where it has none its object. */
function conditionsOf({ entry, unchanged = [] }: EntryChange): Expressed["conditions"] {
  const { raw, place } = entry;
  // Nothing changes a removed entry.
  if (place === "removed") return [{ path: "document", is: "present" }];
  const identity = place === "api" ? ["documentId"] : raw["id"] === undefined ? ["id", "s3Key"] : ["id"];
  return [...new Set([...identity, ...unchanged])].map((name) => {
    const path = pathOf(entry, name);
    const value = raw[name];
    return value === undefined ? { path, is: "absent" } : { path, is: "equal", to: value };
  });
}

function goneProfile(userId: string): CliError {
  return new CliError(`${userId} has no profile item`, {
    hint: "--create-profile makes one; check the id first, `mawps doc list --all` shows the users with documents",
  });
}

function restless(userId: string): CliError {
  return new CliError(`the item of ${userId} changed each of ${attempts} times that it was to be updated`, {
    hint: "run the same command again; if it stays so, something rewrites the item all the time",
  });
}
