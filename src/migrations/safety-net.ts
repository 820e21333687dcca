import type { Aws } from "../aws/clients.ts";
import { readRecoveryWindow } from "../aws/dynamodb/table-recovery.ts";
import { planBackups, type BackupPlan } from "../backup/native.ts";
import type { NativeContext } from "../backup/native-tables.ts";
import { openBackups } from "../backup/open.ts";
import type { Repository } from "../backup/repository.ts";
import { listSnapshots, readManifest } from "../backup/snapshots.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";

/** How old the newest backup may be before stored data is changed. */
const mostAgeMs = 24 * 60 * 60_000;

/** Whether DynamoDB can bring the table back as it was a moment ago. */
async function isRecoverable(aws: Aws, table: string, signal: AbortSignal): Promise<boolean> {
  const reading = await readRecoveryWindow(aws, table, signal);
  return reading !== undefined && reading !== "unsupported" && reading.enabled;
}

interface BackedUp {
  /** A table of DynamoDB in a region, or a database. */
  readonly what: { readonly table: string; readonly region: string } | { readonly database: string };
  readonly now: Date;
  readonly signal: AbortSignal;
}

/**
 * The newest backup of the last 24 hours that has the table or database and was not found damaged; undefined when there is none. Of an
 * encrypted repository that cannot be read here the times alone are known: `isSeen` is false then.
 */
export async function youngBackup(
  repository: Repository,
  { what, now, signal }: BackedUp,
): Promise<{ readonly id: string; readonly isSeen: boolean } | undefined> {
  const { snapshots } = await listSnapshots(repository, { now, signal });
  for (const { id, startedAt, lastCheck, isArchive } of snapshots) {
    if (now.getTime() - startedAt.getTime() > mostAgeMs) return undefined;
    if (lastCheck?.outcome === "failed") continue;
    if (!repository.canRead && isArchive) continue;
    if (!repository.canRead) return { id, isSeen: false };
    const { tables, databases = [], region, archive } = await readManifest(repository, id, signal);
    if (archive !== undefined) continue;
    const isThere =
      "database" in what
        ? databases.some(({ name }) => name === what.database)
        : region === what.region && tables.some(({ name }) => name === what.table);
    if (isThere) return { id, isSeen: true };
  }
  return undefined;
}

/**
 * On AWS stored data is changed only where it can be had back: by point-in-time recovery of the table, or from a backup of
 * the last 24 hours. The local store is for trying out.
 * @throws CliError
 */
export async function assertSafetyNet(
  context: Context,
  repo: string | undefined,
  table: string,
): Promise<void> {
  const { aws, signal, target } = context;
  if (target === "local") return;
  if (await isRecoverable(aws, table, signal)) return;
  const why = await missingBackup(context, repo, { table, region: aws.region });
  if (why === undefined) return;
  throw new CliError(`${table} has no point-in-time recovery, and ${why}; nothing was changed`, {
    hint: "`mawps backup create`, or `mawps backup pitr enable`; --no-backup-check goes without",
  });
}

/**
 * Rows of a database go with their tables and columns only where a backup of the last 24 hours has it: on every target, as its server
 * is the user's own.
 * @param would what would go, in words.
 * @throws CliError
 */
export async function assertDatabaseBackup(
  context: Context,
  repo: string | undefined,
  { database, would }: { readonly database: string; readonly would: readonly string[] },
): Promise<void> {
  if (would.length === 0) return;
  const why = await missingBackup(context, repo, { database });
  if (why === undefined) return;
  throw new CliError(`${why}; nothing was changed. What would go of ${database}:`, {
    details: would,
    hint: "`mawps backup create`; --no-backup-check goes without",
  });
}

/** Why no backup of the last 24 hours is known; undefined where there is one. */
async function missingBackup(
  context: Context,
  repo: string | undefined,
  what: BackedUp["what"],
): Promise<string | undefined> {
  try {
    const repository = await openBackups(context, repo);
    const found = await youngBackup(repository, { what, now: context.now(), signal: context.signal });
    if (found === undefined) return `no backup of it in ${repository.store.where} is younger than 24 hours`;
    if (!found.isSeen) context.warn(`backup ${found.id} cannot be read here: it counts by its time alone`);
    return undefined;
  } catch (error) {
    if (error instanceof CliError) return error.message;
    throw error;
  }
}

/** What DynamoDB is to back up before a table is changed. */
export async function planTableBackup(context: NativeContext, table: string): Promise<readonly BackupPlan[]> {
  const tables = context.declaration.tables.filter(({ name }) => name === table);
  return planBackups(context, tables, undefined);
}
