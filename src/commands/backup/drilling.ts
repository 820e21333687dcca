import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keepOutcome } from "../../backup/check.ts";
import { drill, secondsSince, type Drilled } from "../../backup/drill.ts";
import { countsOf, type Counts } from "../../backup/manifest.ts";
import { chosenSnapshot, openBackups, refuseOtherModel } from "../../backup/open.ts";
import type { Repository } from "../../backup/repository.ts";
import type { Manifest } from "../../backup/snapshot.ts";
import { recordCheck } from "../../backup/snapshots.ts";
import type { Context } from "../../context.ts";
import type { Database } from "../../sql/database.ts";
import { trialName } from "../../sql/scratch.ts";
import { runShell } from "../../shell.ts";
import { connectThrowaway } from "../../target.ts";
import { follow } from "../follow.ts";
import type { Run } from "../run.ts";

export interface DrillFlags {
  readonly snapshot: string;
  readonly repo?: string;
  /** A command line of the owner's own. */
  readonly check?: string;
}

export interface DrillReport extends Counts, Omit<Drilled, "counts" | "isRestored" | "poolId"> {
  readonly snapshot: string;
  readonly outcome: "ok" | "failed";
}

/** What a drill would restore. */
export async function plannedDrill(
  run: Run,
  flags: DrillFlags,
): Promise<{ readonly snapshot: string } & Counts> {
  const { manifest } = await chosen(await run.context("reads"), flags);
  return { snapshot: manifest.id, ...countsOf(manifest) };
}

/** Restores the backup in a temporary folder, which is gone afterwards whatever happens, and records the outcome. */
export async function drilledBackup(run: Run, flags: DrillFlags): Promise<DrillReport> {
  const context = await run.context("writes");
  const { audit, signal } = context;
  const [{ repository, manifest }] = await Promise.all([chosen(context, flags), audit.open()]);
  const folder = await mkdtemp(join(tmpdir(), "mawps-drill-"));
  try {
    const { poolId, ...drilled } = await inFolder(run, context, { folder, repository, manifest });
    const env = { MAWPS_HOME: storeIn(folder), MAWPS_USER_POOL_ID: poolId };
    const checked = await withCheck(run, { env, drilled, command: flags.check });
    const { counts, isRestored: _, ...rest } = checked;
    const outcome = rest.faultCount === 0 ? "ok" : "failed";
    const check = {
      snapshot: manifest.id,
      kind: "drill",
      at: context.now().toISOString(),
      outcome,
      share: 1,
      faults: rest.faultCount,
    } as const;
    await keepOutcome(context, () => recordCheck(repository, check, signal));
    const details = { backupId: manifest.id, status: outcome, failed: rest.faultCount };
    await audit.record({ action: "backup.drilled", details });
    return { snapshot: manifest.id, outcome, ...counts, ...rest };
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function chosen(
  context: Context,
  { snapshot, repo }: DrillFlags,
): Promise<{ repository: Repository; manifest: Manifest }> {
  const repository = await openBackups(context, repo);
  const { manifest } = await chosenSnapshot(context, repository, snapshot);
  refuseOtherModel(context, manifest);
  return { repository, manifest };
}

/** The store is closed afterwards: one process at a time has it open, next the owner's. */
async function inFolder(
  run: Run,
  context: Context,
  { folder, repository, manifest }: { folder: string; repository: Repository; manifest: Manifest },
): Promise<Drilled & { readonly poolId: string }> {
  const { config, world } = run;
  const { aws: live, model, declaration, tables, signal } = context;
  const working = await run.progress(`restoring ${manifest.id} on trial`);
  const store = await connectThrowaway(config, storeIn(folder), world);
  let onTrial: readonly Database[] = [];
  try {
    const databases = await trialDatabases(context, manifest);
    onTrial = databases ?? [];
    const drilled = await drill({
      databases,
      live,
      auditTable: tables.auditLog,
      into: store.aws,
      model,
      declaration,
      repository,
      manifest,
      spool: join(folder, "spool"),
      signal,
      now: () => context.now(),
      onProgress: follow(run, working),
    });
    return { ...drilled, poolId: drilled.poolId ?? store.poolId };
  } finally {
    working.stop();
    const dropped = await Promise.allSettled(onTrial.map((database) => database.drop()));
    await store.close();
    for (const each of dropped)
      if (each.status === "rejected") context.warn(`a database of the drill is left: ${String(each.reason)}`);
  }
}

/** Databases of their own on the servers of the site's, which are dropped in the end; undefined where the backup has none. */
async function trialDatabases(
  context: Context,
  manifest: Manifest,
): Promise<readonly Database[] | undefined> {
  const roles = new Set((manifest.databases ?? []).map(({ role }) => role));
  if (roles.size === 0) return undefined;
  const prefix = `${trialName({ now: context.now(), random: context.randomHex(4) })}_`;
  return context.databasesNamed(({ role }) => roles.has(role), { prefix });
}

function storeIn(folder: string): string {
  return join(folder, "store");
}

async function withCheck(
  { world, config }: Run,
  {
    env,
    drilled,
    command,
  }: {
    env: Record<string, string>;
    drilled: Omit<Drilled, "poolId">;
    command: string | undefined;
  },
): Promise<Omit<Drilled, "poolId">> {
  if (command === undefined || !drilled.isRestored) return drilled;
  const begun = world.now().getTime();
  const exitCode = await runShell(command, {
    cwd: world.cwd,
    env: { ...world.env, MAWPS_TARGET: "local", AWS_REGION: config.region, ...env },
    signal: world.signal,
    // stdout is for the report.
    onOutput: (bytes) => void world.stderr.write(bytes),
  });
  const steps = [...drilled.steps, { step: "check" as const, seconds: secondsSince(begun, world.now()) }];
  if (exitCode === 0) return { ...drilled, steps };
  const fault = { what: "your check", why: `ended with ${exitCode}` };
  return { ...drilled, steps, faults: [...drilled.faults, fault], faultCount: drilled.faultCount + 1 };
}
