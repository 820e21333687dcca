import { inParallel } from "../concurrency.ts";
import { forgetRecords, recordsBackwards, type StoredRecord } from "./journal.ts";
import type { JournalRecord, Left, Migration } from "./migration.ts";
import { peopleAtOnce, saveState, type Runner } from "./runner.ts";
import { noCounts, type Counts, type MigrationState } from "./state.ts";

/** What came of taking one migration back. */
export interface Reverted {
  readonly id: string;
  readonly counts: Counts;
  /** Who changed since and was left; their records stay in the journal. Empty: all is as it was before. */
  readonly conflicts: readonly Left[];
}

/**
 * Takes a migration back by its journal, the newest batch first; also one that was broken off. A batch that is done leaves the
 * journal, so that a run after a crash goes on where this one was: what it had restored already needs nothing more.
 *
 * A person may have several records, where something was tried again: from the newest on, each that fits takes them one step
 * further back. An older record that does not fit behind a newer one that did was overtaken by somebody's change, which is
 * where they are now.
 */
export async function revertMigration(
  runner: Runner,
  migration: Migration,
  known: MigrationState,
): Promise<Reverted> {
  const { site } = runner;
  const state: MigrationState = {
    ...known,
    status: "reverting",
    startedAt: site.now().toISOString(),
    endedAt: undefined,
    by: runner.by,
    tool: runner.tool,
    counts: noCounts,
    cursor: undefined,
  };
  await saveState(runner, state);

  let looked = 0;
  let objects = 0;
  const counted = (): Counts => ({
    ...noCounts,
    looked,
    objects,
    changed: restored.size,
    conflicts: conflicts.size,
  });
  const restored = new Set<string>();
  const conflicts = new Map<string, { left: Left; entries: string[] }>();
  for await (const batch of batches(recordsBackwards(site, migration.id))) {
    site.signal.throwIfAborted();
    const gone = batch.flatMap(({ record, entries }) => (record === undefined ? entries : []));
    const whole = batch.filter((each): each is Whole => each.record !== undefined);
    const outcomes = await inParallel(whole, peopleAtOnce, ({ record }) => {
      runner.lock.assertHeld();
      return migration.down(site, record);
    });
    for (const [at, { record, entries }] of whole.entries()) {
      const { userId } = record;
      const outcome = outcomes[at];
      if (outcome !== undefined && "conflict" in outcome && !restored.has(userId)) {
        const before = conflicts.get(userId);
        const left = before?.left ?? { userId, what: "item", why: outcome.conflict };
        conflicts.set(userId, { left, entries: [...(before?.entries ?? []), ...entries] });
        continue;
      }
      gone.push(...entries, ...(conflicts.get(userId)?.entries ?? []));
      conflicts.delete(userId);
      if (outcome === undefined || !("outcome" in outcome) || outcome.outcome !== "restored") continue;
      restored.add(userId);
      objects += record.moves.length;
    }
    await forgetRecords(site, runner.lock, { migration: migration.id, entries: gone });
    looked += whole.length;
    runner.onProgress(migration.id, counted());
  }
  const left = [...conflicts.values()].map((conflict) => conflict.left);
  const counts = counted();
  const end = { endedAt: site.now().toISOString() };
  await saveState(runner, { ...state, ...end, counts, ...(left.length === 0 ? { status: "reverted" } : {}) });
  return { id: migration.id, counts, conflicts: left };
}

type Whole = StoredRecord & { readonly record: JournalRecord };

async function* batches(records: AsyncIterable<StoredRecord>): AsyncGenerator<StoredRecord[]> {
  let batch: StoredRecord[] = [];
  for await (const record of records) {
    if (batch[0] !== undefined && batch[0].batch !== record.batch) {
      yield batch;
      batch = [];
    }
    batch.push(record);
  }
  if (batch.length > 0) yield batch;
}
