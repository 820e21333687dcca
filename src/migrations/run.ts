import { makeBackups } from "../backup/native.ts";
import type { Context } from "../context.ts";
import { count } from "../model/count.ts";
import { applyMigration, type Applied } from "./apply.ts";
import { changedCode, pending, revertible } from "./choose.ts";
import { withLock } from "./locked.ts";
import type { MigrationSite } from "./migration.ts";
import type { DownPlan, UpPlan } from "./planned.ts";
import { migrations } from "./registry.ts";
import { revertMigration, type Reverted } from "./revert.ts";
import { defaultBatchSize, saveState, type Runner } from "./runner.ts";
import { statesNow } from "./site.ts";
import type { MigrationState } from "./state.ts";

/**
 * Applies what is pending, in order, behind DynamoDB's backups, or goes on where a run was interrupted; ends behind one that could not be
 * finished, on which the next may build. What is pending is read again once nobody else can change it.
 * @throws CliError as `pending` does, and when somebody else is at it.
 */
export async function applyPending(
  context: Context,
  { site, wanted, backups }: UpPlan,
  batchSize: number,
): Promise<readonly Applied[]> {
  const { audit } = context;
  if (backups.length > 0) await makeBackups(context, backups);
  return withRunner(context, site, {
    batchSize,
    async work(runner) {
      const states = await statesNow(site);
      for (const { migration, checksum } of changedCode(migrations, states)) {
        const state = states.get(migration.id);
        if (state === undefined) continue;
        const details = { migration: migration.id, method: "accept-changed" };
        await audit.change({ action: "migration.applied", details }, () =>
          saveState(runner, { ...state, checksum }),
        );
      }
      const done: Applied[] = [];
      for (const registered of pending(migrations, states, wanted)) {
        const { id } = registered.migration;
        const outcome = await audit.irreversible(
          { action: "migration.applied", details: { migration: id } },
          () => applyMigration(runner, registered, states.get(id)),
          ({ counts, unfinished }) => ({
            items: counts.changed,
            objects: counts.objects,
            failed: unfinished.length,
          }),
        );
        done.push(outcome);
        if (outcome.unfinished.length > 0) break;
      }
      return done;
    },
  });
}

/**
 * Takes back the newest migration, or all behind `to`, the newest first.
 * @throws CliError as `revertible` does, and when somebody else is at it.
 */
export async function revertApplied(context: Context, { site, to }: DownPlan): Promise<readonly Reverted[]> {
  return withRunner(context, site, {
    batchSize: defaultBatchSize,
    async work(runner) {
      const states = await statesNow(site);
      const done: Reverted[] = [];
      for (const { migration } of revertible(migrations, states, to)) {
        // It is among those that were begun.
        const state = states.get(migration.id) as MigrationState;
        const outcome = await context.audit.irreversible(
          { action: "migration.reverted", details: { migration: migration.id } },
          () => revertMigration(runner, migration, state),
          ({ counts, conflicts }) => ({
            items: counts.changed,
            objects: counts.objects,
            failed: conflicts.length,
          }),
        );
        done.push(outcome);
      }
      return done;
    },
  });
}

async function withRunner<T>(
  context: Context,
  site: MigrationSite,
  { batchSize, work }: Pick<Runner, "batchSize"> & { readonly work: (runner: Runner) => Promise<T> },
): Promise<T> {
  return withLock(context, site, ({ lock, by }) =>
    work({
      site,
      lock,
      by,
      tool: `mawps/${context.version}`,
      batchSize,
      onProgress: (id, { looked, changed }) =>
        context.progress(`${id}: ${count(looked, "item")}, ${changed} changed`),
    }),
  );
}
