import type { AuditTrail } from "../audit/trail.ts";
import { removeTableTag, makeTable } from "../aws/dynamodb/make-table.ts";
import { restoreSettings } from "../aws/dynamodb/restore-settings.ts";
import { writeCors } from "../aws/s3/bucket-settings.ts";
import { isUnsupported } from "../aws/setting.ts";
import { CliError } from "../errors.ts";
import { forgetNew } from "../migrations/new-store.ts";
import { planSetup } from "../setup/plan.ts";
import { applySetup } from "../setup/apply.ts";
import type { DatabasePlan } from "./database-restore.ts";
import { writeRows, type RestoredRows } from "./database-write.ts";
import { readNewIds } from "./remap.ts";
import { anchorRestored, growLedger, isBlankTrail } from "./restore-audit.ts";
import type { Planning } from "./restore-compare.ts";
import { type BucketPlan, planBucket } from "./restore-object-plan.ts";
import { writeBucket } from "./restore-object-write.ts";
import { conflictsOf, rowCounts } from "./restore-due.ts";
import { migrationsTable, namedFiles, planningOf, type RestorePlan, usersOf } from "./restore-plan.ts";
import type { Failure, RestoreSite } from "./restore-site.ts";
import { planTable, restoringTag, type TablePlan } from "./restore-table-plan.ts";
import { writeTable, type Writing } from "./restore-table-write.ts";
import { restoreUsers, type RestoredUsers } from "./users-restore.ts";
import { toolRoles } from "../model/tool-tables.ts";

export interface CarryOut {
  readonly isLedgerEmpty: boolean;
  /** Accounts that are made get new ids, and items and keys are to be written with them. */
  readonly remap: boolean;
  /**
   * Not used before its own table and entries are there, where these have to be restored: a trail cannot be written before
   * it is there.
   */
  readonly audit: AuditTrail;
  /** The table that this trail is kept in. */
  readonly trailTable: string;
}

export interface RestoreOutcome {
  /** Items and objects that this run has written. */
  readonly items: number;
  readonly objects: number;
  readonly users: RestoredUsers | undefined;
  /** Of databases; undefined where there are none to restore. */
  readonly rows: RestoredRows | undefined;
  readonly made: readonly string[];
  /** Settings given back to the tables that were made. */
  readonly settings: readonly {
    readonly table: string;
    readonly written: readonly string[];
    readonly unsupported: readonly string[];
  }[];
  /** Entries added to the erasure ledger of the audit table. */
  readonly erasures: number;
  readonly failures: readonly Failure[];
}

/**
 * Carries a plan out: missing buckets and tables, the audit trail, accounts, items, objects, and at last the settings of the
 * tables that were made. Nothing is deleted, and nothing written where something else stands than was seen. Ended at
 * any point, the same command again comes to the same end: what is there already counts as the same.
 */
export async function carryOutRestore(
  site: RestoreSite,
  plan: RestorePlan,
  options: CarryOut,
): Promise<RestoreOutcome> {
  const { userId = site.scope.item?.userId } = site.scope;
  const details = { backupId: site.manifest.id, steps: stepsOf(plan) };
  return writeAll(site, plan, {
    ...options,
    audited: (act) =>
      options.audit.irreversible(
        { action: "backup.restored", userId, details },
        act,
        ({ items, objects, rows, failures }) => ({
          items: items + (rows?.rows ?? 0),
          objects,
          failed: failures.length + (rows?.failed.length ?? 0),
        }),
      ),
  });
}

/** `profiles: 5 created, 2 overwritten`: for the trail. */
function stepsOf({ tables, buckets, databases }: RestorePlan): string[] {
  const rows = databases.map((plan) => ({ name: plan.name, counts: rowCounts(plan) }));
  return [...tables, ...buckets, ...rows].map(
    ({ name, counts }) => `${name}: ${counts.create} created, ${counts.overwrite} overwritten`,
  );
}

type Audited = (act: () => Promise<RestoreOutcome>) => Promise<RestoreOutcome>;

async function writeAll(
  site: RestoreSite,
  plan: RestorePlan,
  { isLedgerEmpty, remap, audited, trailTable }: CarryOut & { readonly audited: Audited },
): Promise<RestoreOutcome> {
  const done = { items: 0, objects: 0, erasures: 0, failures: [] as Failure[] };
  const planning = planningOf(
    site,
    {
      isLedgerEmpty,
      erasedOf: plan.erasedOf,
      countedOff: plan.countedOff,
      named: namedFiles(plan.databases),
    },
    () => undefined,
  );
  const totals = { items: dueIn(plan.tables), objects: dueIn(plan.buckets) };
  const writing = (count: "items" | "objects", name: string): Writing => ({
    planning,
    onWritten(written) {
      done[count] += written;
      site.onProgress(`restoring ${name}`, { done: done[count], total: totals[count], of: count });
    },
    onFailed: (failure) => done.failures.push(failure),
  });

  const trail = plan.tables.filter((table) => table.role === toolRoles.audit && isWritten(table));
  const writeTrail = async () => {
    const made = await makeMissing(site, plan);
    for (const table of trail) {
      const isNew = table.state !== "there" || (await isBlankTrail(site, table));
      await writeTable(site, table, writing("items", table.name));
      if (isNew && done.failures.length === 0) await anchorRestored(site, table);
    }
    return made;
  };
  const writeRest = async (made: readonly string[]): Promise<RestoreOutcome> => {
    for (const table of plan.tables.filter(
      ({ role, state }) => role === toolRoles.audit && state !== "missing",
    ))
      done.erasures += await growLedger(site, table.name);

    const accounts = { done: 0, total: plan.users?.steps.length ?? 0, of: "accounts" };
    const users =
      plan.users === undefined
        ? undefined
        : await restoreUsers(site.aws, plan.users, {
            signal: site.signal,
            now: () => site.now(),
            onDone() {
              accounts.done += 1;
              site.onProgress("restoring accounts", accounts);
            },
          });
    const rest = plan.tables.filter((table) => !trail.includes(table));
    const [where, tables, buckets] =
      remap && (users?.created ?? 0) > 0
        ? await planAnew(site, { ...plan, tables: rest }, planning)
        : ([site, rest, plan.buckets] as const);
    const noted = migrationsTable(site.declaration);
    if (noted !== undefined && plan.dueAgain.length > 0)
      await forgetNew(site.aws, { table: noted, ids: plan.dueAgain, signal: site.signal });
    for (const table of tables) await writeTable(where, table, writing("items", table.name));
    for (const bucket of buckets) {
      await writeBucket(where, bucket, writing("objects", bucket.name));
      if (bucket.cors === "write") await giveCors(site, bucket);
    }
    const rows = plan.databases.length === 0 ? undefined : await writeDatabases(site, plan.databases);
    const settings = [];
    for (const table of plan.tables.filter(({ state }) => state !== "there")) {
      // What an unfinished table is still to get shows by its mark.
      if (done.failures.some(({ left }) => "table" in left && left.table === table.name)) continue;
      settings.push({ table: table.name, ...(await settle(site, table)) });
    }
    return { ...done, users, rows, made, settings };
  };

  if (!trail.some(({ name }) => name === trailTable))
    return audited(async () => writeRest(await writeTrail()));
  const made = await writeTrail();
  return audited(() => writeRest(made));
}

async function writeDatabases(site: RestoreSite, plans: readonly DatabasePlan[]): Promise<RestoredRows> {
  const counts = plans.map(rowCounts);
  const total = counts.reduce((sum, { create, overwrite }) => sum + create + overwrite, 0);
  let done = 0;
  const failed: RestoredRows["failed"][number][] = [];
  for (const plan of plans) {
    const written = await writeRows(site, plan, (rows) => {
      done += rows;
      site.onProgress(`restoring ${plan.name}`, { done, total, of: "rows" });
    });
    failed.push(...written.failed);
  }
  return { rows: done, failed };
}

/** What is to be written in all. */
function dueIn(places: readonly Pick<TablePlan, "counts">[]): number {
  return places.reduce((sum, { counts }) => sum + counts.create + counts.overwrite, 0);
}

/** Whether anything of the table is to be written. */
function isWritten({ state, counts }: TablePlan): boolean {
  return state !== "there" || counts.create > 0;
}

async function makeMissing(site: RestoreSite, plan: RestorePlan): Promise<string[]> {
  const { aws, signal, manifest, firstDelayMs } = site;
  const wait = { signal, firstDelayMs };
  const made: string[] = [];
  const missing = plan.buckets.filter(({ state }) => state === "missing");
  if (missing.length > 0) await makeBuckets(site, missing, wait);
  made.push(...missing.map(({ name }) => name));
  for (const table of plan.tables.filter(({ state }) => state === "missing")) {
    signal.throwIfAborted();
    site.onProgress(`making table ${table.name}`);
    const { description } = table.snapshot;
    const tags = { [restoringTag]: manifest.id };
    if ((await makeTable(aws, { ...description, name: table.name, tags }, wait)) === "exists") {
      throw new CliError(`table ${table.name} was made by somebody else meanwhile`, {
        hint: "run the command again: it compares with what is there now",
      });
    }
    made.push(table.name);
  }
  return made;
}

/** As the declaration wants them; a bucket that it does not know must be made by hand. */
async function makeBuckets(
  { aws, declaration }: RestoreSite,
  missing: readonly BucketPlan[],
  wait: { readonly signal: AbortSignal },
): Promise<void> {
  const names = new Set(missing.map(({ name }) => name));
  const given = new Set(missing.flatMap(({ name, cors }) => (cors === "write" ? [name] : [])));
  const buckets = declaration.buckets
    .filter(({ name }) => names.has(name))
    .map(({ keptBy: _keptBy, ...bucket }) => (given.has(bucket.name) ? { ...bucket, cors: [] } : bucket));
  const unknown = missing.find(({ name }) => !buckets.some((bucket) => bucket.name === name));
  if (unknown !== undefined) {
    throw new CliError(`bucket ${unknown.name} is missing, and the model does not say what it is like`, {
      hint: "make it, or leave it out with --only",
    });
  }
  const setup = await planSetup(aws, { ...declaration, buckets, tables: [] }, { signal: wait.signal });
  const { failed } = await applySetup(aws, setup, { ...wait, fix: false });
  for (const { step, error } of failed) {
    if (step.kind === "create") throw error;
  }
}

/** The plan once more, with the ids that the accounts have now got. */
async function planAnew(
  site: RestoreSite,
  plan: RestorePlan,
  planning: Planning,
): Promise<readonly [RestoreSite, readonly TablePlan[], readonly BucketPlan[]]> {
  const { aws, signal } = site;
  const poolId = plan.users?.poolId ?? "";
  const found = await readNewIds({ aws, poolId, users: usersOf(site), signal, now: () => site.now() });
  const where = { ...site, ids: { newIds: found.newIds, missing: new Set(found.missing) } };
  const tables: TablePlan[] = [];
  for (const { snapshot } of plan.tables) tables.push(await planTable(where, snapshot, planning));
  const buckets: BucketPlan[] = [];
  for (const { snapshot } of plan.buckets) buckets.push(await planBucket(where, snapshot, planning));
  const conflicts = conflictsOf({ ...plan, users: undefined, tables, buckets });
  if (site.onConflict === "fail" && conflicts.length > 0) {
    throw new CliError("the accounts are restored; under their new ids something else is there:", {
      details: conflicts,
      hint: "look at it; --on-conflict skip, newer or replace says what to do",
    });
  }
  return [where, tables, buckets];
}

/** Of a server that knows no CORS nothing can be had back. */
async function giveCors({ aws, signal, firstDelayMs }: RestoreSite, { name, snapshot }: BucketPlan) {
  const wait = { signal, firstDelayMs };
  await writeCors(aws, name, snapshot.cors ?? [], wait).catch((error: unknown) => {
    if (!isUnsupported(error)) throw error;
  });
}

async function settle(site: RestoreSite, { name, snapshot }: TablePlan) {
  const { aws, signal, firstDelayMs } = site;
  const wait = { signal, firstDelayMs };
  site.onProgress(`settings of ${name}`);
  const settings = await restoreSettings(aws, name, snapshot.description, wait);
  await removeTableTag(aws, { table: name, tag: restoringTag }, wait);
  return settings;
}
