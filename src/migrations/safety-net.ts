import type { Aws } from "../aws/clients.ts";
import { readRecovery } from "../aws/table-settings.ts";

/** How old the newest backup may be before stored data is changed. */
export const mostBackupAgeMs = 24 * 60 * 60_000;

/** Those of the tables that DynamoDB cannot bring back as they were a moment ago. */
export async function unrecoverable(
  aws: Aws,
  tables: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const readings = await Promise.all(tables.map((table) => readRecovery(aws, table, signal)));
  return tables.filter((_table, at) => {
    const reading = readings[at];
    return reading === undefined || reading === "unsupported" || !reading.enabled;
  });
}
