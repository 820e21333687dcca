import { noAudit } from "../audit/audit.ts";
import { makeUserPool } from "../aws/cognito/user-pool.ts";
import { CliError } from "../errors.ts";
import { restoredFaults, type Drill, type Fault } from "./drill-invariants.ts";
import { erasedUsers } from "./erasures.ts";
import { countsOf, type Counts } from "./manifest.ts";
import { readLedger } from "./restore-audit.ts";
import { planRestore, usersOf } from "./restore-plan.ts";
import type { RestoreSite } from "./restore-site.ts";
import { carryOutRestore } from "./restore.ts";

export interface Step {
  readonly step: "restore" | "invariants" | "check";
  readonly seconds: number;
}

export interface Drilled {
  /** Of the accounts that were restored; undefined without any, or where they could not be read. */
  readonly poolId: string | undefined;
  readonly counts: Counts;
  /** Whether all of it came back: only then is there something to look at. */
  readonly isRestored: boolean;
  /** People who were erased and left out. */
  readonly suppressed: number;
  /** What no restore brings back, in sentences. */
  readonly lost: readonly string[];
  readonly steps: readonly Step[];
  /** The first of them. */
  readonly faults: readonly Fault[];
  readonly faultCount: number;
}

/** So many faults are named; more say nothing new, and there may be one for each item. */
const mostNamed = 200;

/**
 * Restores a backup into an empty store and looks whether what it holds fits together. A restore that fails is a fault like
 * the others: that is what a drill is for. Rejects on abort and on bugs.
 */
export async function drill(site: Drill): Promise<Drilled> {
  const { manifest } = site;
  const steps: Step[] = [];
  const faults: Fault[] = [];
  let faultCount = 0;
  const note = (fault: Fault) => {
    faultCount += 1;
    if (faults.length < mostNamed) faults.push(fault);
  };
  const timed = async <T>(step: Step["step"], work: () => Promise<T>): Promise<T> => {
    const begun = site.now().getTime();
    const result = await work();
    steps.push({ step, seconds: secondsSince(begun, site.now()) });
    return result;
  };
  const restored = await timed("restore", () => restore(site, note));
  const isRestored = restored?.isComplete === true;
  if (isRestored) {
    await timed("invariants", async () => {
      for await (const fault of restoredFaults(site, restored.plan)) note(fault);
    });
  }
  return {
    poolId: restored?.plan.users?.poolId,
    counts: countsOf(manifest),
    isRestored,
    suppressed: restored?.plan.suppressed ?? 0,
    lost: restored?.plan.lost ?? [],
    steps,
    faults,
    faultCount,
  };
}

/** To the tenth of a second. */
export function secondsSince(begunMs: number, now: Date): number {
  return Math.round((now.getTime() - begunMs) / 100) / 10;
}

async function restore(site: Drill, note: (fault: Fault) => void) {
  const { repository, manifest, spool, signal, live, auditTable } = site;
  const what = `backup ${manifest.id}`;
  try {
    const ledger = await readLedger({ aws: live, repository, manifest, spool, signal }, [auditTable]);
    const into: RestoreSite = {
      aws: site.into,
      exportsAt: live,
      repository,
      databases: site.databases,
      manifest,
      model: site.model,
      declaration: site.declaration,
      prefix: "",
      onConflict: "fail",
      scope: { only: [] },
      isErased: erasedUsers(ledger),
      spool,
      signal,
      now: () => site.now(),
      onProgress: site.onProgress,
    };
    const isLedgerEmpty = ledger.length === 0;
    const plan = await planRestore(into, { poolId: await poolLike(into), isLedgerEmpty });
    const outcome = await carryOutRestore(into, plan, {
      isLedgerEmpty,
      remap: false,
      // The drill is recorded in the trail of the site, not in the one that it restores.
      audit: noAudit,
      trailTable: "",
    });
    for (const { left, why } of outcome.failures) note({ what: JSON.stringify(left), why });
    for (const fault of [...(outcome.users?.failed ?? []), ...(outcome.rows?.failed ?? [])]) note(fault);
    for (const { username, why } of plan.users?.left ?? []) note({ what: `account ${username}`, why });
    const failed =
      outcome.failures.length + (outcome.users?.failed.length ?? 0) + (outcome.rows?.failed.length ?? 0);
    return { plan, isComplete: failed === 0 };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    note({ what, why: `cannot be restored: ${error.message}` });
    return undefined;
  }
}

/** A pool with every custom attribute that an account of the snapshot has; undefined where it has no accounts. */
async function poolLike(into: RestoreSite): Promise<string | undefined> {
  const { aws, manifest, signal } = into;
  if (manifest.userPool === undefined) return undefined;
  const custom = new Set<string>();
  for await (const { put } of usersOf(into))
    for (const { Name } of put.UserAttributes) if (/^(dev:)?custom:/.test(Name)) custom.add(Name);
  return makeUserPool(aws, { name: "mawps-drill", custom: [...custom], signal });
}
