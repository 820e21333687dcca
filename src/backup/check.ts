import { isDenied } from "../aws/setting.ts";
import type { Context, Unconnected } from "../context.ts";
import { explainSystem } from "../explain-system.ts";
import { markDamage } from "./damage.ts";
import { openBackups } from "./open.ts";
import { findSnapshot, isCommitted, recordCheck } from "./snapshots.ts";
import { verifySnapshot, type Verification } from "./verify.ts";

export interface Verifying {
  readonly snapshot: string;
  readonly repo: string | undefined;
  /** Of the objects that are read, from 0 to 1. */
  readonly share: number;
}

/** Verifies the backup that is meant, and keeps the outcome beside it; `isKept` is false where that was not possible. */
export async function verifyBackup(
  context: Unconnected,
  { snapshot, repo, share }: Verifying,
): Promise<{ readonly found: Verification; readonly isKept: boolean }> {
  const { signal, backups } = context;
  const repository = await openBackups(context, repo);
  const { id } = await findSnapshot(repository, snapshot, { now: context.now(), signal });
  context.progress(`verifying ${id}`);
  const found = await verifySnapshot(repository, id, {
    share,
    seed: context.randomHex(8),
    aws: () => context.connect(),
    spool: backups.spool,
    onProgress: context.progress,
    signal,
  });
  const faults = found.faults.length;
  const check = {
    snapshot: id,
    kind: "verify",
    at: context.now().toISOString(),
    outcome: faults === 0 ? "ok" : "failed",
    share,
    faults,
  } as const;
  const keep = async () => {
    // Of a backup that a prune has removed meanwhile nothing is wanted any more.
    const isThere = await isCommitted(repository, id, signal);
    if (found.isReadable && isThere) await markDamage(repository, found.damaged, signal);
    await recordCheck(repository, check, signal);
  };
  return { found, isKept: !context.dryRun && (await keepOutcome(context, keep)) };
}

/**
 * Keeps what a look at a backup has found, by `keep`. What was found counts as well where the repository can only be read:
 * then this is false, after a warning.
 */
export async function keepOutcome(
  context: Pick<Context, "warn">,
  keep: () => Promise<void>,
): Promise<boolean> {
  try {
    await keep();
    return true;
  } catch (error) {
    const why = isDenied(error) ? "writing to it is denied" : explainSystem(error)?.message;
    if (why === undefined) throw error;
    context.warn(`the outcome cannot be kept in the repository, and is in no list: ${why}`);
    return false;
  }
}
