import type { Aws } from "../aws/clients.ts";
import { readSeries, type Sample } from "../aws/cloudwatch/metrics.ts";
import type { StoredTable } from "../aws/dynamodb/table-settings.ts";
import { isDenied, isUnsupported } from "../aws/setting.ts";
import type { TableDeclaration } from "../model/declaration.ts";
import { told, type DoctorFinding } from "./finding.ts";

/** So long nobody reads from an index that is unused. */
const lookedDays = 30;
const daySeconds = 86_400;

/** A table as declared and as it is. */
interface SeenTable {
  readonly table: Pick<TableDeclaration, "name" | "indexes">;
  readonly stored: Pick<StoredTable, "indexes">;
}

/**
 * A finding for each index that the model does not name and nobody reads: everything that is written is written into it, too. Asks
 * CloudWatch only where there are such indexes; where it may not be asked, nothing is known of them.
 */
export async function indexFindings(
  aws: Aws,
  { table: { name, indexes }, stored }: SeenTable,
  { now, signal }: { readonly now: Date; readonly signal: AbortSignal },
): Promise<DoctorFinding[]> {
  const extra = stored.indexes.flatMap((index) =>
    indexes.some((declared) => declared.name === index.name) ? [] : [index.name],
  );
  if (extra.length === 0) return [];
  const common = { namespace: "AWS/DynamoDB", statistic: "Sum" } as const;
  const series = [
    { ...common, name: "ConsumedWriteCapacityUnits", dimensions: { TableName: name } },
    ...extra.map((index) => ({
      ...common,
      name: "ConsumedReadCapacityUnits",
      dimensions: { TableName: name, GlobalSecondaryIndexName: index },
    })),
  ];
  const to = new Date(Math.ceil(now.getTime() / (daySeconds * 1000)) * daySeconds * 1000);
  const from = new Date(to.getTime() - lookedDays * daySeconds * 1000);
  try {
    const found = await readSeries(aws, series, { from, to, periodSeconds: daySeconds, signal });
    const [writes = [], ...reads] = found;
    return extra.flatMap((index, at) =>
      isUnused(writes, reads[at] ?? [])
        ? [
            {
              check: "index",
              subject: `${name} ${index}`,
              ...told("warning", "index-unused", { table: name, index, days: lookedDays }),
            },
          ]
        : [],
    );
  } catch (error) {
    if (isDenied(error) || isUnsupported(error)) return [];
    throw error;
  }
}

/** Without a sign that CloudWatch knows the table, that nobody read says nothing. */
export function isUnused(writesOfTable: readonly Sample[], readsOfIndex: readonly Sample[]): boolean {
  const units = (samples: readonly Sample[]) => samples.reduce((sum, { value }) => sum + value, 0);
  return units(writesOfTable) > 0 && units(readsOfIndex) === 0;
}
