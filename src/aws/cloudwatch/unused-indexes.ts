import type { Aws } from "../clients.ts";
import { isDenied, isUnsupported } from "../setting.ts";
import { readSeries, type Sample, type Span } from "./metrics.ts";

/** So long nobody reads from an index that is unused. */
export const unreadDays = 30;
const daySeconds = 86_400;

export interface UnusedIndex {
  readonly index: string;
  /** What was written into it in these days. */
  readonly writeUnits: number;
}

/**
 * Those of some indexes of a table from which nobody has read for 30 days. CloudWatch is asked only where there are any; where it may not be
 * asked, nothing is known of them.
 */
export async function findUnusedIndexes(
  aws: Aws,
  { table, indexes }: { readonly table: string; readonly indexes: readonly string[] },
  { now, signal }: { readonly now: Date; readonly signal: AbortSignal },
): Promise<UnusedIndex[]> {
  if (indexes.length === 0) return [];
  const common = { namespace: "AWS/DynamoDB", statistic: "Sum" } as const;
  const ofIndex = (name: string) => (index: string) => ({
    ...common,
    name,
    dimensions: { TableName: table, GlobalSecondaryIndexName: index },
  });
  const series = [
    { ...common, name: "ConsumedWriteCapacityUnits", dimensions: { TableName: table } },
    ...indexes.map(ofIndex("ConsumedReadCapacityUnits")),
    ...indexes.map(ofIndex("ConsumedWriteCapacityUnits")),
  ];
  try {
    const found = await readSeries(aws, series, { ...lastDays(now, unreadDays), signal });
    const [writes = [], ...others] = found;
    return indexes.flatMap((index, at) =>
      isUnused(writes, others[at] ?? [])
        ? [{ index, writeUnits: unitsOf(others[indexes.length + at] ?? []) }]
        : [],
    );
  } catch (error) {
    if (isDenied(error) || isUnsupported(error)) return [];
    throw error;
  }
}

/** The last days up to the end of this one, day by day. Pure. */
export function lastDays(now: Date, days: number): Omit<Span, "signal"> {
  const to = new Date(Math.ceil(now.getTime() / (daySeconds * 1000)) * daySeconds * 1000);
  return { from: new Date(to.getTime() - days * daySeconds * 1000), to, periodSeconds: daySeconds };
}

/** Without a sign that CloudWatch knows the table, that nobody read says nothing. */
export function isUnused(writesOfTable: readonly Sample[], readsOfIndex: readonly Sample[]): boolean {
  return unitsOf(writesOfTable) > 0 && unitsOf(readsOfIndex) === 0;
}

function unitsOf(samples: readonly Sample[]): number {
  return samples.reduce((sum, { value }) => sum + value, 0);
}

/** The command that drops an index; no item is lost with it. */
export function dropIndexCommand(table: string, index: string): string {
  return `aws dynamodb update-table --table-name ${table} --global-secondary-index-updates '[{"Delete":{"IndexName":"${index}"}}]'`;
}
