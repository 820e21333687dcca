import { CliError } from "../errors.ts";
import type { MigrationSite } from "../migrations/migration.ts";
import { unrecoverable } from "../migrations/safety-net.ts";
import type { Run } from "./run.ts";

/**
 * On AWS stored data is changed only where it can be had back: by point-in-time recovery of the table, or from a backup of
 * the last 24 hours. The local store is for trying out.
 * @throws CliError
 */
export async function assertSafetyNet(run: Run, { aws, table, signal }: MigrationSite): Promise<void> {
  if (run.config.target === "local") return;
  const tables = await unrecoverable(aws, [table], signal);
  if (tables.length === 0) return;
  throw new CliError(`${tables.join(", ")} has no point-in-time recovery; nothing was changed`, {
    hint: "`mawps setup --fix` turns it on, or pass --no-backup-check",
  });
}
