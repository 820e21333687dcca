import type { Path } from "../aws/dynamodb/expressions.ts";
import { getItem, type Item } from "../aws/dynamodb/items.ts";
import { typed } from "../aws/dynamodb/plain.ts";
import { transact, type TransactStep } from "../aws/dynamodb/transact.ts";
import { updateAttributes } from "../aws/dynamodb/update-item.ts";
import { CliError } from "../errors.ts";
import { entriesAttribute as list } from "../model/mawps.ts";
import { backOff } from "../retry.ts";
import { apiEntry, documentItemKey, entriesIn, removedEntry, removedKey, storedEntry } from "./entries.ts";
import type { ChangeOutcome, EntryChange, StoredEntry } from "./entry.ts";
import { changeRows, removeRows } from "./rows.ts";
import type { DocumentSite } from "./site.ts";

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
/** How often an item is tried that others change at the same time. */
export const attempts = 20;

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

export function restless(userId: string): CliError {
  return new CliError(`the item of ${userId} changed each of ${attempts} times that it was to be updated`, {
    hint: "run the same command again; if it stays so, something rewrites the item all the time",
  });
}
