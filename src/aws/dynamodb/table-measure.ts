import type { Aws } from "../clients.ts";
import { findTable } from "./restore-settings.ts";
import { isOnDemand } from "./table-settings.ts";

/** How large something is, as DynamoDB last counted: some six hours ago at most. */
interface Measured {
  readonly items: number;
  readonly bytes: number;
}

export interface MeasuredTable extends Measured {
  readonly indexes: readonly (Measured & { readonly name: string })[];
  readonly class: "STANDARD" | "STANDARD_INFREQUENT_ACCESS";
  /** Units of the table and its global indexes together, as they are now. */
  readonly billing: "on-demand" | { readonly readUnits: number; readonly writeUnits: number };
}

/** The sizes of a table and of its global indexes, in one call; undefined when there is no such table. */
export async function measureTable(
  aws: Aws,
  table: string,
  signal?: AbortSignal,
): Promise<MeasuredTable | undefined> {
  const stored = await findTable(aws, table, signal);
  if (stored === undefined) return undefined;
  const indexes = stored.GlobalSecondaryIndexes ?? [];
  const units = (kind: "ReadCapacityUnits" | "WriteCapacityUnits") =>
    [stored, ...indexes].reduce((sum, each) => sum + (each.ProvisionedThroughput?.[kind] ?? 0), 0);
  const isRare = stored.TableClassSummary?.TableClass === "STANDARD_INFREQUENT_ACCESS";
  return {
    items: stored.ItemCount ?? 0,
    bytes: stored.TableSizeBytes ?? 0,
    indexes: indexes.map((index) => ({
      name: index.IndexName ?? "",
      items: index.ItemCount ?? 0,
      bytes: index.IndexSizeBytes ?? 0,
    })),
    class: isRare ? "STANDARD_INFREQUENT_ACCESS" : "STANDARD",
    billing: isOnDemand(stored)
      ? "on-demand"
      : { readUnits: units("ReadCapacityUnits"), writeUnits: units("WriteCapacityUnits") },
  };
}
