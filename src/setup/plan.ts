import type { Aws } from "../aws/clients.ts";
import type { StoredTable } from "../aws/dynamodb/table-settings.ts";
import type { Declaration, TableDeclaration } from "../model/declaration.ts";
import { type ActualTable, readActualBucket, readActualTable } from "./actual.ts";
import { inParallel } from "../concurrency.ts";
import { decideBucket } from "./decide-bucket.ts";
import { decideTables } from "./decide-table.ts";
import type { SetupPlan } from "./step.ts";

/** Buckets and tables read at a time; each takes up to six calls. */
const readersAtOnce = 16;

export interface PlanOptions {
  readonly signal?: AbortSignal;
  /** Called with each table that is there, once it was read. */
  readonly onTable?: (table: TableDeclaration, stored: StoredTable) => void;
  /**
   * Called with what a resource could not be read for; its steps are then left out. Without it the first such error
   * rejects. A missing permission is not one of them: it becomes a step.
   */
  readonly onUnreadable?: (resource: { kind: "bucket" | "table"; name: string }, error: unknown) => void;
}

/**
 * Compares the declared buckets and tables with what is there, and returns the steps in the order in which they have
 * to be carried out: buckets, then tables, as declared. What the site keeps itself is left alone. Only reads.
 */
export async function planSetup(
  aws: Aws,
  declaration: Declaration,
  options: PlanOptions = {},
): Promise<SetupPlan> {
  const onUnreadable =
    options.onUnreadable ??
    ((_resource: unknown, error: unknown) => {
      throw error;
    });
  const place = { region: declaration.region, isPlainHttp: aws.endpointUrl?.startsWith("http:") === true };
  const own = {
    ...declaration,
    buckets: declaration.buckets.filter(({ keptBy }) => keptBy !== "site"),
    tables: declaration.tables.filter(({ keptBy }) => keptBy !== "site"),
  };
  const tables = new Map<string, ActualTable>();
  const reads = [
    ...own.buckets.map((bucket) => async () => {
      try {
        return decideBucket(bucket, await readActualBucket(aws, bucket, options.signal), place);
      } catch (error) {
        onUnreadable({ kind: "bucket", name: bucket.name }, error);
        return [];
      }
    }),
    ...own.tables.map((table) => async () => {
      try {
        const actual = await readActualTable(aws, table, options.signal);
        tables.set(table.name, actual);
        if (typeof actual.table === "object") options.onTable?.(table, actual.table);
      } catch (error) {
        onUnreadable({ kind: "table", name: table.name }, error);
      }
      return [];
    }),
  ];
  const bucketSteps = await inParallel(reads, readersAtOnce, (read) => {
    options.signal?.throwIfAborted();
    return read();
  });
  return [...bucketSteps.flat(), ...decideTables(own, tables)];
}
