import { createHash } from "node:crypto";
import type { Aws } from "../aws/clients.ts";
import { exportLines } from "../aws/raw/export-lines.ts";
import {
  beginExport,
  type ExportPlace,
  type ExportState,
  exportsUnderWay,
  manifestKey,
  readExport,
  readExportFiles,
} from "../aws/dynamodb/table-export.ts";
import { readRecoveryWindow } from "../aws/dynamodb/table-recovery.ts";
import { CliError } from "../errors.ts";
import type { AuditEvent } from "../model/audit.ts";
import type { AuditDetails } from "../model/audit-details.ts";
import type { Declaration } from "../model/declaration.ts";
import type { NativeContext } from "./native-tables.ts";
import { waitUntil, wholeSecond } from "./native-tables.ts";
import type { TableExport } from "./snapshot.ts";

/** What has been begun: saved at once, so that a run that was broken off begins nothing twice. */
export interface BegunExports {
  /** ISO 8601, to the second; the same for all tables. */
  readonly at: string;
  /** ARN of a table's export, by the table's name. */
  readonly arns: Readonly<Record<string, string>>;
  /** Exports that failed: one more than that is another export, not the failed one again. */
  readonly failures: number;
}

export interface ExportTables {
  readonly tables: readonly string[];
  readonly place: ExportPlace;
  /** Stands for these exports: the same one begins none of them a second time within eight hours. */
  readonly token: string;
  readonly begun?: BegunExports;
  readonly save: (begun: BegunExports) => Promise<void>;
}

/** One table's finished export, for its place in a snapshot. */
export interface FinishedExport {
  readonly table: string;
  readonly items: number;
  readonly export: TableExport;
}

/**
 * Lets DynamoDB export tables to S3, all as they were at one and the same moment, some five minutes ago. Their capacity is not
 * used. Waits however long it takes; interrupted, the exports go on by themselves and a second call with what was saved
 * waits on.
 * @throws CliError when a table has no recovery, or an export fails.
 */
export async function exportTables(context: NativeContext, ask: ExportTables): Promise<FinishedExport[]> {
  const { tables, place, token, save } = ask;
  assertMayHold(context.declaration, place);
  let begun = ask.begun;
  if (begun === undefined) {
    begun = { at: (await commonMoment(context, tables)).toISOString(), arns: {}, failures: 0 };
    await save(begun);
  }
  for (const table of tables) {
    context.signal?.throwIfAborted();
    if (begun.arns[table] !== undefined) continue;
    const { arn } = await beginExport(context.aws, {
      table,
      ...place,
      at: new Date(begun.at),
      token: tokenOf(token, table, begun.failures),
    });
    begun = { ...begun, arns: { ...begun.arns, [table]: arn } };
    await save(begun);
  }
  const finished: FinishedExport[] = [];
  for (const table of tables) {
    const state = await untilDone(context, { table, arn: begun.arns[table] ?? "" });
    if (state?.status !== "COMPLETED") {
      const { [table]: _failed, ...others } = begun.arns;
      await save({ ...begun, arns: others, failures: begun.failures + 1 });
      throw failureOf(table, state);
    }
    const files = await readExportFiles(context.aws, { ...state, ...place }, context.signal);
    finished.push({
      table,
      items: files.reduce((sum, { items }) => sum + items, 0),
      export: {
        arn: state.arn,
        bucket: place.bucket,
        manifest: manifestKey({ arn: state.arn, prefix: place.prefix }),
        at: begun.at,
        bytes: state.bytes ?? 0,
        files,
      },
    });
  }
  return finished;
}

/** The same for somebody who wants the files themselves: what leaves the tables is told to the trail. */
export async function exportToPlace(
  context: NativeContext,
  ask: Omit<ExportTables, "save">,
): Promise<FinishedExport[]> {
  const eventOf = (details: AuditDetails): AuditEvent => ({
    action: "backup.created",
    details: { engine: "export", bucket: ask.place.bucket, ...details },
  });
  return context.audit.change(
    ask.tables.map((table) => eventOf({ table })),
    () => exportTables(context, { ...ask, save: () => Promise.resolve() }),
    (finished) =>
      finished.map(({ table, items, export: { bytes, manifest, arn } }) =>
        eventOf({ table, items, bytes, key: manifest, backupId: arn }),
      ),
  );
}

/** Exports of these tables to this place that AWS is at already: what a run that was broken off has begun. */
export async function findBegun(
  { aws, signal }: NativeContext,
  { tables, place }: Pick<ExportTables, "tables" | "place">,
): Promise<BegunExports | undefined> {
  const arns: Record<string, string> = {};
  let at: string | undefined;
  for (const table of tables) {
    for (const arn of await exportsUnderWay(aws, table, signal)) {
      const state = await readExport(aws, arn, signal);
      if (state === undefined || state.bucket !== place.bucket || state.prefix !== place.prefix) continue;
      const moment = state.at === undefined ? undefined : wholeSecond(state.at).toISOString();
      if (moment === undefined || (at !== undefined && moment !== at)) continue;
      at = moment;
      arns[table] = arn;
    }
  }
  return at === undefined ? undefined : { at, arns, failures: 0 };
}

/** @throws CliError for a bucket that anybody may read: no place for a table. */
export function assertMayHold({ buckets }: Declaration, { bucket }: ExportPlace): void {
  if (buckets.some(({ name, access }) => name === bucket && access === "public")) {
    throw new CliError(`bucket ${bucket} is public: a table is not exported there`, {
      hint: "choose a private one",
    });
  }
}

/** The latest moment that all of them can be had at. */
async function commonMoment({ aws, signal }: NativeContext, tables: readonly string[]): Promise<Date> {
  const windows = await Promise.all(
    tables.map(async (table) => ({ table, window: await readRecoveryWindow(aws, table, signal) })),
  );
  const without = windows.filter(({ window }) => typeof window !== "object" || !window.enabled);
  if (without.length > 0) {
    throw new CliError(
      `DynamoDB exports only tables with point-in-time recovery; without: ${without.map(({ table }) => table).join(", ")}`,
      { hint: "mawps backup pitr enable switches it on" },
    );
  }
  const moments = windows.flatMap(({ window }) => (typeof window === "object" ? [window] : []));
  const latest = Math.min(...moments.map((window) => (window.latest ?? new Date(0)).getTime()));
  const earliest = Math.max(...moments.map((window) => (window.earliest ?? new Date(0)).getTime()));
  // Whole seconds: rounding down must not leave a window that is only just open.
  const at = new Date(Math.max(wholeSecond(new Date(latest)).getTime(), Math.ceil(earliest / 1000) * 1000));
  if (at.getTime() > latest + 1000) {
    throw new CliError("the tables' recovery has no moment in common yet", {
      hint: "recovery of one was switched on just now: try again in some minutes",
    });
  }
  return at;
}

/** As a UUID is written, from what stands for the whole, the table and the attempt. */
function tokenOf(token: string, table: string, failures: number): string {
  const hex = createHash("sha256").update(`${token}\n${table}\n${failures}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    "-",
  );
}

async function untilDone(
  context: NativeContext,
  { table, arn }: { table: string; arn: string },
): Promise<ExportState | undefined> {
  const began = context.now().getTime();
  return waitUntil(
    context,
    () => {
      const minutes = Math.floor((context.now().getTime() - began) / 60_000);
      context.progress(`DynamoDB exports ${table}, ${minutes} min`);
      return readExport(context.aws, arn, context.signal);
    },
    (seen) => seen?.status !== "IN_PROGRESS",
  );
}

function failureOf(table: string, state: ExportState | undefined): CliError {
  if (state === undefined) {
    return new CliError(`DynamoDB knows nothing of the export of ${table} any more`, {
      hint: "run the same command again: it begins another one",
    });
  }
  return new CliError(`the export of ${table} failed: ${state.failure ?? "without a reason"}`, {
    hint: `the bucket must exist, and this identity must be allowed s3:PutObject in ${state.bucket}`,
  });
}

/**
 * The lines of a table that DynamoDB exported, `{"Item": …}` each, without newlines, in batches; in no order. Every file's MD5
 * is compared before its first line is given. `spool` is a folder that holds one file at a time.
 * @throws CliError when a file is damaged.
 */
export async function* exportedLines(
  aws: Aws,
  exported: TableExport,
  { spool, signal }: { spool: string; signal?: AbortSignal },
): AsyncGenerator<readonly Buffer[]> {
  const { bucket } = exported;
  for (const file of exported.files) yield* exportLines(aws, { bucket, file, spool, signal });
}
