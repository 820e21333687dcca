import { errorName } from "../aws/setting.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { takeLock, type HeldLock } from "./lock.ts";
import type { LedgerPlace } from "./migration.ts";

/** Whoever has the lock, as the audit trail names them. */
export interface Holding {
  readonly lock: HeldLock;
  readonly by: string;
}

/** Works with the lock held and the trail open, and gives the lock back whatever comes. @throws CliError when somebody else is at it. */
export async function withLock<T>(
  context: Context,
  place: LedgerPlace,
  work: (holding: Holding) => Promise<T>,
): Promise<T> {
  await context.audit.open();
  const by = await context.actor();
  const lock = await lockOf(context, place, by);
  try {
    context.progress("migrating");
    return await work({ lock, by });
  } finally {
    await lock.release();
  }
}

async function lockOf(context: Context, place: LedgerPlace, actor: string): Promise<HeldLock> {
  try {
    return await takeLock(place, {
      owner: { id: context.randomHex(16), actor },
      here: context.machine,
      onWait: (holder, leftMs) =>
        context.progress(
          `${holder.actor} on ${holder.host} may have died: its lock ends in ${Math.ceil(leftMs / 1000)} s`,
        ),
    });
  } catch (error) {
    if (errorName(error) !== "ResourceNotFoundException") throw error;
    throw new CliError(`there is no table ${place.migrationsTable} to note migrations in`, {
      hint: "`mawps setup` makes it",
      cause: error,
    });
  }
}
