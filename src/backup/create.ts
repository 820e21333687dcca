import { findBucket } from "../aws/s3/bucket.ts";
import { describeTable, type TableMeasure } from "../aws/dynamodb/table-description.ts";
import { sideBySide } from "../concurrency.ts";
import type { ExportPlace } from "../aws/dynamodb/table-export.ts";
import { CliError, exitCodes } from "../errors.ts";
import { schemaVersion } from "../migrations/state.ts";
import { readCatalogue } from "../sql/catalogue.ts";
import type { Database } from "../sql/database.ts";
import {
  sameKeys,
  type BucketDeclaration,
  type Declaration,
  type TableDeclaration,
} from "../model/declaration.ts";
import { readBucket, roomForObjects } from "./create-files.ts";
import { largeBytes, readTable, type Cost, type Reading } from "./create-tables.ts";
import { countsOf, type Counts } from "./manifest.ts";
import { readDatabase } from "./database-read.ts";
import { damageMarks, markDamage } from "./damage.ts";
import { exportForSnapshot } from "./native-engine.ts";
import { partWriter, type WrittenPart } from "./parts.ts";
import { goOnBehind, type Pending } from "./pending.ts";
import { rateOf, type Rate } from "./rate.ts";
import { recoveryText } from "./recovery-text.ts";
import { withSignal, type BackupSite } from "./site.ts";
import type { ChangedObject, Manifest, TableDescription, TableSnapshot, UsersSnapshot } from "./snapshot.ts";
import { commitSnapshot, listSnapshots, readManifest, removeSnapshot } from "./snapshots.ts";
import { readUsers } from "./users-read.ts";
import { toolRoles } from "../model/tool-tables.ts";

/** The databases of a site's model, and how to open those that are wanted. */
export interface DatabaseChoice {
  readonly declared: readonly {
    readonly role: string;
    readonly name: string;
    /** Those that entities of the model are in. */
    readonly tables: ReadonlySet<string>;
  }[];
  open(
    wants: (declared: { readonly role: string; readonly name: string }) => boolean,
  ): Promise<readonly Database[]>;
}

/** What a backup is to hold: kinds, roles or names; all when there is none. */
export type Only = readonly string[];

export interface PlannedTable {
  readonly role: string;
  readonly name: string;
  readonly description: TableDescription;
  readonly measure: TableMeasure;
}

/** What a backup would read. */
export interface BackupPlan {
  readonly tables: readonly PlannedTable[];
  readonly buckets: readonly BucketDeclaration[];
  readonly userPoolId: string | undefined;
  /** Undefined where the site has none. */
  readonly databases?: readonly Database[];
  /** Declared, and not there. */
  readonly missing: readonly string[];
  /** Of these the tables of databases that are there. */
  readonly lacking: readonly string[];
  /** There, and left out by `only`. */
  readonly left: readonly string[];
}

/**
 * Looks at what there is to back up. Reads nothing of it.
 * @throws CliError (usage) for a word in `only` that means nothing.
 */
export async function planBackup(
  { aws, declaration, signal }: Pick<BackupSite, "aws" | "declaration" | "signal">,
  only: Only,
  databases?: DatabaseChoice,
): Promise<BackupPlan> {
  assertKnown(declaration, only, databases);
  const wants = (kind: string, { role, name }: { role: string; name: string }) =>
    only.length === 0 || only.some((word) => [kind, role, name].includes(word));
  const plan = { tables: [] as PlannedTable[], buckets: [] as BucketDeclaration[] };
  const missing: string[] = [];
  const left: string[] = [];
  const seen = new Map<string, TableDescription>();
  const asked = declaration.tables.filter(({ backedUp }) => backedUp);
  const wantedBuckets = declaration.buckets.filter(({ backedUp }) => backedUp);
  const [described, presences] = await Promise.all([
    Promise.all(asked.map(({ name }) => describeTable(aws, name, signal))),
    Promise.all(wantedBuckets.map(({ name }) => findBucket(aws, name, signal))),
  ]);
  for (const [at, table] of asked.entries()) {
    const found = described[at];
    if (found !== undefined) seen.set(table.role, found.description);
    if (found === undefined) {
      if (isWanted(table, seen)) missing.push(`table ${table.name}`);
    } else if (wants("tables", table)) plan.tables.push({ role: table.role, name: table.name, ...found });
    else left.push(`table ${table.name}`);
  }
  for (const [at, bucket] of wantedBuckets.entries()) {
    const state = presences[at]?.state;
    if (state === "missing") {
      if (bucket.keptBy !== "site") missing.push(`bucket ${bucket.name}`);
    } else if (!wants("files", bucket)) left.push(`bucket ${bucket.name}`);
    else if (bucket.keptBy === "site" && state !== "here")
      left.push(`bucket ${bucket.name} (${unread(state)})`);
    else plan.buckets.push(bucket);
  }
  const pool = declaration.userPool?.backedUp === true ? declaration.userPool.id : undefined;
  const takesUsers =
    pool !== undefined && (only.length === 0 || only.includes("users") || only.includes(pool));
  if (pool !== undefined && !takesUsers) left.push(`user pool ${pool}`);
  const opened = await databases?.open(({ role, name }) => wants("databases", { role, name }));
  for (const { role, name } of databases?.declared ?? [])
    if (!wants("databases", { role, name })) left.push(`database ${name}`);
  const chosen = (opened ?? []).filter(({ isThere }) => isThere);
  const lacking: string[] = [];
  for (const database of opened ?? [])
    if (database.isThere) lacking.push(...(await lackingIn(database, databases)));
    else missing.push(`database ${database.name}`);
  return {
    ...plan,
    userPoolId: takesUsers ? pool : undefined,
    ...(opened === undefined ? {} : { databases: chosen }),
    missing: [...missing, ...lacking],
    lacking,
    left,
  };
}

/** Tables that are not there, or may not be seen, of a database that is. */
async function lackingIn(
  { role, name, sql, place }: Database,
  databases: DatabaseChoice | undefined,
): Promise<string[]> {
  const catalogue = await readCatalogue(sql, place);
  const declared = databases?.declared.find((each) => each.role === role)?.tables ?? [];
  return [...declared].flatMap((table) =>
    catalogue.has(`table ${table}`) ? [] : [`table ${table} of database ${name}`],
  );
}

/** Of a bucket that the site has made where it wanted: why it is not read. */
function unread(state: "denied" | "elsewhere" | undefined): string {
  return state === "elsewhere" ? "in another region" : "may not be read";
}

function assertKnown(
  { tables, buckets, userPool }: Declaration,
  only: Only,
  databases: DatabaseChoice | undefined,
): void {
  const known = new Set(["tables", "files", "users", ...(userPool === undefined ? [] : [userPool.id])]);
  for (const { role, name } of [...tables, ...buckets]) known.add(role).add(name);
  if (databases !== undefined) known.add("databases");
  for (const { role, name } of databases?.declared ?? []) known.add(role).add(name);
  const unknown = only.filter((word) => !known.has(word));
  if (unknown.length === 0) return;
  throw new CliError(`--only ${unknown.join(", ")}: there is nothing of that name`, {
    exitCode: exitCodes.usage,
    hint: `it can be ${[...known].join(", ")}`,
  });
}

/** Whether a table that is not there ought to be: some are wanted beside certain others only. */
function isWanted({ when, keptBy }: TableDeclaration, seen: ReadonlyMap<string, TableDescription>): boolean {
  if (keptBy === "site") return false;
  if (when === undefined) return true;
  const beside = seen.get(when.role);
  return beside !== undefined && sameKeys(beside.keys, when.keys);
}

export interface CreateOptions {
  readonly plan: BackupPlan;
  readonly pending: Pending;
  readonly rate: Rate | undefined;
  readonly tool: string;
  /** Of the site's model. */
  readonly modelHash: string;
  readonly account: string | undefined;
  /** Where DynamoDB exports the tables to, instead of their being read here. */
  readonly exportTo: ExportPlace | undefined;
  readonly onProgress: (progress: CreateProgress) => void;
}

export interface CreateProgress {
  /** What is being read. */
  readonly what: string;
  readonly items: number;
  readonly objects: number;
  /** Of the objects. */
  readonly bytes: number;
  readonly users: number;
  /** Of databases. */
  readonly rows: number;
}

export interface CreatedBackup extends Counts {
  readonly id: string;
  /** Written to the repository: what it did not have yet. */
  readonly storedBytes: number;
  /** Goes on from a run that was broken off. */
  readonly resumed: boolean;
  /** Objects that are not in it, because they changed or were deleted while they were read. */
  readonly changed: number;
  /** Objects that are not in it, because they cannot be read: `bucket/key`. */
  readonly unreadable: readonly string[];
  readonly missing: readonly string[];
  /** Of these the tables of databases that are there: one at an older version, or of which the account does not see all. */
  readonly lacking: readonly string[];
  /** Left out by `only`, or because it may not be read. */
  readonly left: readonly string[];
  /** Contents that were marked as damaged and are written again: every backup that refers to them has them back. */
  readonly mended: number;
  /** Contents that are still damaged, as nothing that was read has their bytes. This backup does not refer to them. */
  readonly damaged: number;
  /** From begin to end, in this run. */
  readonly seconds: number;
}

/**
 * Makes a backup: reads tables, buckets and accounts, side by side where the tables are small, saves how far it is, and makes the
 * snapshot visible with its last write. Broken off anywhere, the next call with a `pending` of the same options goes on. The site is only
 * read; the record of it in the audit trail comes last.
 */
export async function createBackup(site: BackupSite, options: CreateOptions): Promise<CreatedBackup> {
  const { plan, pending } = options;
  const cost: Cost = { storedBytes: 0 };
  const beganAt = site.now().getTime();
  let progress: CreateProgress = { what: "", items: 0, objects: 0, bytes: 0, users: 0, rows: 0 };
  const reading = (what: string, kind: "items" | "objects" | "users" | "rows"): Reading => {
    progress = { ...progress, what };
    options.onProgress(progress);
    return {
      pending,
      cost,
      onRead(count, bytes = 0) {
        progress = { ...progress, [kind]: progress[kind] + count, bytes: progress.bytes + bytes };
        options.onProgress(progress);
      },
    };
  };
  await goOnBehind(site, pending);
  const { distrusted } = site.repository;
  const before = await newestReadable(site);
  const { exportTo } = options;
  const together = isSmallAndFar(site, options) ? sideBySide : inTurn;
  const room = roomForObjects();
  const [tables, buckets, userPool, databases, schema] = await together(site.signal, [
    (signal) =>
      exportTo === undefined
        ? together(
            signal,
            plan.tables.map(
              ({ measure, ...table }) =>
                (within: AbortSignal) =>
                  readTable(
                    withSignal(site, within),
                    { ...table, bytes: measure.bytes, rate: rateOf(site, measure, options.rate) },
                    reading(`table ${table.name}`, "items"),
                  ),
            ),
          )
        : exported(withSignal(site, signal), { ...options, exportTo }),
    (signal) =>
      together(
        signal,
        plan.buckets.map(
          ({ role, name }) =>
            (within: AbortSignal) =>
              readBucket(
                withSignal(site, within),
                { role, name, room, before: before?.buckets.find((bucket) => bucket.name === name) },
                reading(`bucket ${name}`, "objects"),
              ),
        ),
      ),
    async (signal) =>
      plan.userPoolId === undefined
        ? undefined
        : readPool(
            withSignal(site, signal),
            plan.userPoolId,
            reading(`user pool ${plan.userPoolId}`, "users"),
          ),
    (signal) =>
      inTurn(
        signal,
        (plan.databases ?? []).map(
          (database) => (within: AbortSignal) =>
            readDatabase(withSignal(site, within), database, reading(`database ${database.name}`, "rows")),
        ),
      ),
    (signal) => versionOf(withSignal(site, signal)),
  ]);
  const mended = pending.damaged.length - distrusted.size;
  const damaged = await stillDamaged(site);
  const manifest: Manifest = {
    format: 1,
    id: pending.id,
    tool: options.tool,
    model: site.declaration.name,
    modelHash: options.modelHash,
    schemaVersion: schema,
    target: site.target,
    account: options.account,
    region: site.aws.region,
    startedAt: pending.startedAt.toISOString(),
    endedAt: site.now().toISOString(),
    engine: options.exportTo === undefined ? "scan" : "aws",
    tables,
    buckets,
    userPool,
    ...(plan.databases === undefined ? {} : { databases }),
    ...(plan.left.length === 0 ? {} : { left: plan.left }),
  };
  await pending.assertOwner();
  const recovery = recoveryText({ manifest, repository: site.repository });
  const counts = countsOf(manifest);
  await commitSnapshot(site.repository, { manifest, recovery }, site.signal);
  try {
    await pending.assertOwner();
  } catch (error) {
    // A prune that took this for abandoned may have removed contents in the meantime.
    await removeSnapshot(site.repository, manifest.id);
    throw error;
  }
  const { items, objects, bytes } = counts;
  const details = { backupId: manifest.id, items, objects, bytes };
  // Until it is told of it stays pending, and the next backup tells of it.
  await site.audit.record({ action: "backup.created", details });
  await pending.end();
  const isUnreadable = ({ what }: ChangedObject) => what === "unreadable";
  return {
    id: manifest.id,
    ...counts,
    storedBytes: cost.storedBytes,
    resumed: pending.resumed,
    changed: buckets.flatMap(({ changed }) => changed.filter((one) => !isUnreadable(one))).length,
    unreadable: buckets.flatMap(({ name, changed }) =>
      changed.filter(isUnreadable).map(({ key }) => `${name}/${key}`),
    ),
    missing: plan.missing,
    lacking: plan.lacking,
    left: plan.left,
    mended,
    damaged,
    seconds: (site.now().getTime() - beganAt) / 1000,
  };
}

/**
 * Whether tables and buckets are read side by side, so that they wait for answers together. Large tables would share the same connection
 * and memory, and a local store does the work of all of them itself.
 */
function isSmallAndFar({ target }: BackupSite, { plan: { tables }, rate, exportTo }: CreateOptions): boolean {
  if (target === "local" || exportTo !== undefined || rate !== undefined) return false;
  if (tables.some(({ measure }) => measure.isProvisioned)) return false;
  return tables.reduce((sum, { measure }) => sum + measure.bytes, 0) <= largeBytes;
}

/** As `sideBySide` does, one after the other. */
async function inTurn<T extends readonly unknown[]>(
  signal: AbortSignal,
  work: { readonly [K in keyof T]: (signal: AbortSignal) => Promise<T[K]> },
): Promise<T> {
  const results: unknown[] = [];
  for (const part of work) results.push(await part(signal));
  // One for each part, in their order.
  return results as readonly unknown[] as T;
}

/** How many contents are left damaged. Some may be whole, if they can be read: mended by another command, or by hand. */
async function stillDamaged({ repository, signal }: BackupSite): Promise<number> {
  const { store, distrusted, canRead } = repository;
  if (distrusted.size === 0) return 0;
  if (canRead) await markDamage(repository, [], signal);
  return (await damageMarks(store, signal)).filter(({ name }) => distrusted.has(name)).length;
}

/** The newest backup whose manifest can be read here: what did not change since is not read again. */
async function newestReadable(site: BackupSite): Promise<Manifest | undefined> {
  const { repository, signal } = site;
  if (!repository.canRead) return undefined;
  const { snapshots } = await listSnapshots(repository, { now: site.now(), signal });
  const newest = snapshots.find(({ isArchive }) => !isArchive);
  if (newest === undefined) return undefined;
  try {
    return await readManifest(repository, newest.id, signal);
  } catch (error) {
    // A damaged one is nothing to go by; `backup verify` tells of it.
    if (error instanceof CliError) return undefined;
    throw error;
  }
}

async function versionOf({ aws, declaration, signal }: BackupSite): Promise<string | null> {
  const table = declaration.tables.find(({ role }) => role === toolRoles.migrations);
  return table === undefined ? null : schemaVersion(aws, table.name, signal);
}

interface PoolState {
  readonly snapshot: UsersSnapshot;
  readonly parts: readonly WrittenPart[];
}

async function readPool(
  site: BackupSite,
  poolId: string,
  { pending, cost, onRead }: Reading,
): Promise<UsersSnapshot> {
  const begun = pending.steps.get("users") as PoolState | undefined;
  if (begun !== undefined) {
    onRead(begun.snapshot.users);
    for (const { storedBytes } of begun.parts) cost.storedBytes += storedBytes;
    return begun.snapshot;
  }
  const from = site.now().toISOString();
  const writer = partWriter(site.repository, { signal: site.signal });
  const { users, groups } = await readUsers({
    aws: site.aws,
    poolId,
    signal: site.signal,
    now: () => site.now(),
    async add(lines) {
      await writer.add(lines);
      onRead(lines.toString().split("\n").length - 1);
    },
  });
  const parts = await writer.finish();
  for (const { storedBytes } of parts) cost.storedBytes += storedBytes;
  const snapshot: UsersSnapshot = {
    id: poolId,
    from,
    to: site.now().toISOString(),
    users,
    parts: parts.map(({ sha256, bytes, lines }) => ({ sha256, bytes, lines })),
    groups,
  };
  await pending.step("users", { snapshot, parts });
  return snapshot;
}

/** The tables as DynamoDB exports them, all of one moment. */
async function exported(
  site: BackupSite,
  { plan, pending, exportTo, onProgress }: CreateOptions & { readonly exportTo: ExportPlace },
): Promise<TableSnapshot[]> {
  const done = await exportForSnapshot(site, pending, {
    tables: plan.tables.map(({ name }) => name),
    place: exportTo,
    tell: (what) => onProgress({ what, items: 0, objects: 0, bytes: 0, users: 0, rows: 0 }),
  });
  return plan.tables.flatMap(({ role, name, description }) => {
    const items = done.get(name);
    return items === undefined ? [] : [{ role, name, description, ...items }];
  });
}
