import type { BackupPlan } from "../../backup/native.ts";
import { visible } from "../../output/text.ts";

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
