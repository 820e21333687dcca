import { inParallel } from "../concurrency.ts";
import { backOff } from "../retry.ts";
import { lastBatch, recordsAfter, writeJournal } from "./journal.ts";
import type { JournalRecord, Left, Migration } from "./migration.ts";
import { copyMove, settleMoves } from "./object-moves.ts";
import { planFor, pointless } from "./plan-for.ts";
import type { Registered } from "./registry.ts";
import { peopleAtOnce, saveState, type Runner } from "./runner.ts";
import { beginSteps, noCounts, stateSteps, type Counts, type MigrationState } from "./state.ts";
import { surveyAll } from "./survey.ts";
import { sameValue } from "./typed-json.ts";
import { readUnit, scanUnits } from "./units.ts";
import { forward, touched, writeChanges } from "./write-changes.ts";

/** What came of one migration. */
export interface Applied {
  readonly id: string;
  readonly counts: Counts;
  /** What stays as it was, and why; the migration counts as applied all the same. */
  readonly left: readonly Left[];
  /** Who was still not migrated when this was given up, because their items kept changing. Empty: it is applied. */
  readonly unfinished: readonly Left[];
}

/** So often a person is tried again whose items somebody else changes meanwhile. */
const attempts = 5;
/** So often all is gone through again for those that a page of the website wrote back meanwhile. */
const passes = 3;
/** Pages without any change after which it is noted how far the run is. */
const quietPages = 20;

/**
 * Applies one migration, or goes on where a run was broken off.
 *
 * Each batch: plan, journal, objects copied, items changed on condition that they are as they were read, former objects
 * deleted, state. What dies in between leaves a batch that is in the journal and not in the state: the next run first
 * settles its objects, then goes through its items again, of which the changed ones need nothing more. A batch's number is
 * never used again, so that no pre-image is ever written over.
 */
export async function applyMigration(
  runner: Runner,
  { migration, checksum }: Registered,
  known: MigrationState | undefined,
): Promise<Applied> {
  const { site, lock } = runner;
  const goesOn = known?.status === "applying";
  let state: MigrationState = {
    id: migration.id,
    status: "applying",
    checksum,
    startedAt: goesOn ? known.startedAt : site.now().toISOString(),
    by: runner.by,
    tool: runner.tool,
    counts: goesOn ? known.counts : noCounts,
    batch: goesOn ? known.batch : known?.status === "reverting" ? 0 : await lastBatch(site, migration.id),
    cursor: goesOn ? known.cursor : undefined,
  };
  await lock.write([...stateSteps(site, state), ...(await beginSteps(site, migration.id))]);
  state = await settlePending(runner, state);

  let left: readonly Left[] = [];
  let unfinished: readonly Left[] = [];
  const most = pointless(migration, site) === undefined ? passes : 0;
  for (let pass = 0; pass < most; pass++) {
    state = await runPass(runner, migration, state);
    ({ left, unfinished } = await surveyAll(site, migration, runner.batchSize));
    if (unfinished.length === 0) break;
    // From the start: they may be anywhere.
    state = { ...state, cursor: undefined };
  }
  const counts = { ...state.counts, left: left.length };
  const isDone = unfinished.length === 0;
  await saveState(runner, {
    ...state,
    counts,
    cursor: undefined,
    ...(isDone ? { status: "applied", endedAt: site.now().toISOString() } : {}),
  });
  return { id: migration.id, counts, left, unfinished };
}

/** Deals with what is in the journal and not yet in the state: a batch during which a run died. */
async function settlePending(runner: Runner, state: MigrationState): Promise<MigrationState> {
  const { site } = runner;
  let { batch, counts } = state;
  for await (const stored of recordsAfter(site, state.id, state.batch)) {
    batch = stored.batch;
    if (stored.record === undefined) continue;
    runner.lock.assertHeld();
    await settleMoves(site, stored.record);
    if (await isApplied(runner, stored.record)) counts = plus(counts, { looked: 0, done: [stored.record] });
  }
  if (batch === state.batch) return state;
  const settled = { ...state, batch, counts };
  await saveState(runner, settled);
  return settled;
}

async function isApplied({ site }: Runner, { userId, changes }: JournalRecord): Promise<boolean> {
  const { items } = await readUnit(site, userId);
  return changes.every((change) => {
    const item = items.find(({ place }) => place === change.place)?.item;
    return touched(change).every((name) => sameValue(item?.[name], change.set[name]));
  });
}

function plus(
  counts: Counts,
  { looked, done }: { readonly looked: number; readonly done: readonly JournalRecord[] },
): Counts {
  return {
    ...counts,
    looked: counts.looked + looked,
    changed: counts.changed + done.length,
    objects: counts.objects + done.reduce((sum, { moves }) => sum + moves.length, 0),
  };
}

/** Goes once through all items from the state's cursor on. */
async function runPass(runner: Runner, migration: Migration, from: MigrationState): Promise<MigrationState> {
  const { site, batchSize: pageSize } = runner;
  let state = from;
  let { batch: lastOne, counts } = from;
  let quiet = 0;
  for await (const { items, cursor } of scanUnits(site, { after: from.cursor, pageSize })) {
    site.signal.throwIfAborted();
    const concerned = items.filter((unit) => migration.verify(unit, site).length > 0);
    const { done, batch } = await applyBatch(runner, migration, {
      userIds: [...new Set(concerned.map(({ userId }) => userId))],
      batch: lastOne,
    });
    counts = plus(counts, { looked: items.length, done });
    const isQuiet = batch === lastOne;
    lastOne = batch;
    state = { ...from, batch, cursor, counts };
    quiet = isQuiet ? quiet + 1 : 0;
    if (!isQuiet || quiet === quietPages) await saveState(runner, state);
    if (quiet === quietPages) quiet = 0;
    runner.onProgress(migration.id, counts);
  }
  return state;
}

/** Applies a migration to some people; whoever changes meanwhile is planned, journalled and tried again. */
async function applyBatch(
  runner: Runner,
  migration: Migration,
  { userIds, batch: lastOne }: { userIds: readonly string[]; batch: number },
): Promise<{ done: readonly JournalRecord[]; batch: number }> {
  const { site, lock } = runner;
  const done: JournalRecord[] = [];
  let batch = lastOne;
  let open = userIds;
  const tries = backOff({ attempts, signal: site.signal });
  while (open.length > 0) {
    const planned = await inParallel(open, peopleAtOnce, async (userId): Promise<JournalRecord[]> => {
      const { changes, moves } = await planFor(migration, await readUnit(site, userId), site);
      return changes.length === 0 ? [] : [{ userId, changes, moves }];
    });
    const records = planned.flat();
    if (records.length === 0) break;
    batch += 1;
    await writeJournal(site, lock, { migration: migration.id, batch, records });
    const outcomes = await inParallel(records, peopleAtOnce, (record) => applyRecord(runner, record));
    done.push(...records.filter((_record, at) => outcomes[at] === true));
    open = records.filter((_record, at) => outcomes[at] !== true).map(({ userId }) => userId);
    if (open.length > 0 && !(await tries.again())) break;
  }
  return { done, batch };
}

/** Does what was journalled for one person; false when something of it had changed since it was read. */
async function applyRecord({ site, lock }: Runner, record: JournalRecord): Promise<boolean> {
  let isThere = true;
  for (const move of record.moves) isThere &&= (await copyMove(site, move)) === "there";
  lock.assertHeld();
  const isWritten = isThere && (await writeChanges(site, record.userId, record.changes.map(forward)));
  await settleMoves(site, record);
  return isWritten;
}
