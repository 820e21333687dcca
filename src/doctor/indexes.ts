import type { Aws } from "../aws/clients.ts";
import { findUnusedIndexes, unreadDays } from "../aws/cloudwatch/unused-indexes.ts";
import type { StoredTable } from "../aws/dynamodb/table-settings.ts";
import type { TableDeclaration } from "../model/declaration.ts";
import { told, type DoctorFinding } from "./finding.ts";

/** A table as declared and as it is. */
interface SeenTable {
  readonly table: Pick<TableDeclaration, "name" | "indexes">;
  readonly stored: Pick<StoredTable, "indexes">;
}

/** A finding for each index that the model does not name and nobody reads: everything that is written is written into it, too. */
export async function indexFindings(
  aws: Aws,
  { table: { name: table, indexes: declared }, stored }: SeenTable,
  options: { readonly now: Date; readonly signal: AbortSignal },
): Promise<DoctorFinding[]> {
  const indexes = stored.indexes.flatMap(({ name }) =>
    declared.some((each) => each.name === name) ? [] : [name],
  );
  const unused = await findUnusedIndexes(aws, { table, indexes }, options);
  return unused.map(({ index }) => ({
    check: "index",
    subject: `${table} ${index}`,
    ...told("warning", "index-unused", { table, index, days: unreadDays }),
  }));
}
