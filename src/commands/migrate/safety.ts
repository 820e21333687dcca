import { CliError } from "../../errors.ts";
import type { MigrationSite } from "../../migrations/migration.ts";
import type { BackedUp } from "../../migrations/safety-net.ts";
import type { Run } from "../run.ts";
import { visible } from "../../output/text.ts";
import type { BackupPlan } from "../../backup/native.ts";
import type { NativeContext } from "../../backup/native-tables.ts";

/**
 * On AWS stored data is changed only where it can be had back: by point-in-time recovery of the table, or from a backup of
 * the last 24 hours. The local store is for trying out.
 * @throws CliError
 */
export async function assertSafetyNet(
  run: Run,
  repo: string | undefined,
  { aws, table, signal }: MigrationSite,
): Promise<void> {
  if (run.config.target === "local") return;
  const { isRecoverable } = await import("../../migrations/safety-net.ts");
  if (await isRecoverable(aws, table, signal)) return;
  const why = await missingBackup(run, repo, { table, region: run.config.region });
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
  run: Run,
  repo: string | undefined,
  { database, would }: { readonly database: string; readonly would: readonly string[] },
): Promise<void> {
  if (would.length === 0) return;
  const why = await missingBackup(run, repo, { database });
  if (why === undefined) return;
  throw new CliError(`${why}; nothing was changed. What would go of ${database}:`, {
    details: would,
    hint: "`mawps backup create`; --no-backup-check goes without",
  });
}

/** Why no backup of the last 24 hours is known; undefined where there is one. */
async function missingBackup(
  run: Run,
  repo: string | undefined,
  what: BackedUp["what"],
): Promise<string | undefined> {
  const [{ openBackups }, { youngBackup }] = await Promise.all([
    import("../backup/repository.ts"),
    import("../../migrations/safety-net.ts"),
  ]);
  try {
    const repository = await openBackups(run, repo);
    const found = await youngBackup(repository, { what, now: run.world.now(), signal: run.world.signal });
    if (found === undefined) return `no backup of it in ${repository.store.where} is younger than 24 hours`;
    if (!found.isSeen) run.warn(`backup ${found.id} cannot be read here: it counts by its time alone`);
    return undefined;
  } catch (error) {
    if (error instanceof CliError) return error.message;
    throw error;
  }
}

/** What DynamoDB is to back up before a table is changed. */
export async function planTableBackup(context: NativeContext, table: string): Promise<readonly BackupPlan[]> {
  const { planBackups } = await import("../../backup/native.ts");
  const tables = context.declaration.tables.filter(({ name }) => name === table);
  return planBackups(context, tables, undefined);
}

/** Lets DynamoDB make these backups, and waits until it has. */
export async function backUp(context: NativeContext, plans: readonly BackupPlan[]): Promise<void> {
  const { makeBackups } = await import("../../backup/native.ts");
  for (const { table } of plans) context.progress(`DynamoDB backs up ${table}`);
  await makeBackups(context, plans);
}

/** Them as JSON has them, beside what is done behind them. */
export function backupsJson(plans: readonly BackupPlan[]): object {
  return plans.length === 0 ? {} : { backups: plans.map(({ table, name }) => ({ table, name })) };
}

export function backupLines(plans: readonly BackupPlan[], isDone: boolean): string[] {
  const done = isDone ? "DynamoDB backed up" : "DynamoDB backs up";
  return plans.map(
    ({ table, name }) => `${done} ${visible(table)}${isDone ? "" : " first"}, as ${visible(name)}`,
  );
}
