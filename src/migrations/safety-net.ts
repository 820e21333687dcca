import type { Aws } from "../aws/clients.ts";
import { readRecovery } from "../aws/dynamodb/table-settings.ts";
import type { Repository } from "../backup/repository.ts";
import { listSnapshots, readManifest } from "../backup/snapshots.ts";

/** How old the newest backup may be before stored data is changed. */
const mostAgeMs = 24 * 60 * 60_000;

/** Whether DynamoDB can bring the table back as it was a moment ago. */
export async function isRecoverable(aws: Aws, table: string, signal: AbortSignal): Promise<boolean> {
  const reading = await readRecovery(aws, table, signal);
  return reading !== undefined && reading !== "unsupported" && reading.enabled;
}

export interface BackedUp {
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
