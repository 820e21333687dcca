import { CliError } from "../../errors.ts";
import type { MigrationSite } from "../../migrations/migration.ts";
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
  const { isRecoverable, youngBackup } = await import("../../migrations/safety-net.ts");
  if (await isRecoverable(aws, table, signal)) return;
  const why = await missingBackup();
  if (why === undefined) return;
  throw new CliError(`${table} has no point-in-time recovery, and ${why}; nothing was changed`, {
    hint: "`mawps backup create`, or `mawps backup pitr enable`; --no-backup-check goes without",
  });

  async function missingBackup(): Promise<string | undefined> {
    if (repo === undefined && run.config.backup.repository === undefined)
      return "no repository for backups is named";
    const { openBackups } = await import("../backup/repository.ts");
    try {
      const repository = await openBackups(run, repo);
      const { region } = run.config;
      const found = await youngBackup(repository, { table, region, now: run.world.now(), signal });
      if (found === undefined) return `no backup of it in ${repository.store.where} is younger than 24 hours`;
      if (!found.isSeen) run.warn(`backup ${found.id} cannot be read here: it counts by its time alone`);
      return undefined;
    } catch (error) {
      if (error instanceof CliError) return error.message;
      throw error;
    }
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
