import { randomUUID } from "node:crypto";
import type { Write } from "../json-database.ts";
import { under } from "../json-database.ts";
import { shaped } from "./dynalite.ts";
import { dynamodbFault, validationFault } from "./fault.ts";
import { rowsOf } from "./indexes.ts";
import { existing, presentSeconds } from "./settings.ts";
import type { Context, Counts, SecondaryIndex, TableDescription, TableRecord } from "./tables.ts";
import {
  countsOf,
  findTable,
  indexesOf,
  keys,
  nameOfTable,
  nowSeconds,
  putRecord,
  tableArn,
} from "./tables.ts";
import type { Item } from "./values.ts";

const batchRows = 500;

/** Items that lie under an id, and the table that is to be made of them. */
interface Restore {
  readonly id: string;
  readonly source: TableDescription;
  readonly counts: Counts;
  readonly target: string;
  readonly billing: string | undefined;
  /** Of its summary: where it came from. */
  readonly from: object;
}

/**
 * Makes a new table; as with AWS, tags, TTL, streams and recovery settings do not come along. Runs under the queue.
 * Throws TableAlreadyExistsException.
 */
export async function restoreTable(context: Context, restore: Restore): Promise<object> {
  if ((await findTable(context, restore.target)) !== undefined) {
    throw dynamodbFault("TableAlreadyExistsException", `Table already exists: ${restore.target}`);
  }
  const table = restored(context, restore);
  const { description } = table;
  const indexes = indexesOf(description);
  await copyRows(context, { from: restore.id, to: description.TableId }, (item) =>
    rowsOf(table, indexes, item),
  );
  await context.database.write([
    putRecord(table),
    { type: "put", key: keys.counts(description.TableId), value: restore.counts },
    { type: "del", key: keys.trash(description.TableId) },
  ]);
  return { TableDescription: { ...description, TableStatus: "CREATING" } };
}

/** Copies items; until their owner is written, the copy is marked as rubbish, should the process end here. */
export async function copyRows(
  context: Context,
  ids: { readonly from: string; readonly to: string },
  more: (item: Item) => Write[],
): Promise<void> {
  const from = keys.items(ids.from);
  let writes: Write[] = [{ type: "put", key: keys.trash(ids.to), value: true }];
  for await (const [key, item] of context.database.entries<Item>(under(from))) {
    writes.push(
      { type: "put", key: keys.items(ids.to) + key.slice(from.length), value: item },
      ...more(item),
    );
    if (writes.length < batchRows) continue;
    await context.database.write(writes);
    writes = [];
  }
  await context.database.write(writes);
}

function restored(context: Context, { source, target, billing, from }: Restore): TableRecord {
  const arn = tableArn(context, target);
  const renamed = (index: SecondaryIndex) => ({ ...index, IndexArn: `${arn}/index/${index.IndexName}` });
  const {
    StreamSpecification: _stream,
    LatestStreamArn: _streamArn,
    LatestStreamLabel: _label,
    LocalSecondaryIndexes: local,
    GlobalSecondaryIndexes: global,
    ...kept
  } = source;
  return {
    tags: {},
    description: {
      ...kept,
      TableName: target,
      TableId: randomUUID(),
      TableArn: arn,
      CreationDateTime: nowSeconds(context),
      DeletionProtectionEnabled: false,
      ...(billing === "PAY_PER_REQUEST" ? { BillingModeSummary: { BillingMode: billing } } : {}),
      LocalSecondaryIndexes: local?.map(renamed),
      GlobalSecondaryIndexes: global?.map(renamed),
      RestoreSummary: { SourceTableArn: source.TableArn, RestoreInProgress: false, ...from },
    },
  };
}

/**
 * Restores the present: a time of the last minutes, or the latest. Any other time that AWS could give is refused as
 * AWS refuses one that it cannot: this store keeps no past.
 */
export async function restoreTableToPointInTime(context: Context, input: object): Promise<object> {
  const asked = shaped("restoreTableToPointInTime", input) as {
    SourceTableArn?: string;
    SourceTableName?: string;
    TargetTableName: string;
    UseLatestRestorableTime?: boolean;
    RestoreDateTime?: number;
    BillingModeOverride?: string;
  };
  const source = asked.SourceTableArn ?? asked.SourceTableName;
  if (source === undefined) throw validationFault("Either SourceTableArn or SourceTableName must be set");
  const isLatest = asked.UseLatestRestorableTime === true;
  if (isLatest === (asked.RestoreDateTime !== undefined)) {
    throw validationFault("Exactly one of RestoreDateTime and UseLatestRestorableTime must be set");
  }
  return context.database.exclusive(async () => {
    const table = await existing(context, nameOfTable(source));
    const { description } = table;
    const at = asked.RestoreDateTime ?? nowSeconds(context);
    assertRecoverable(context, table, { at, fault: "InvalidRestoreTimeException" });
    return restoreTable(context, {
      id: description.TableId,
      source: description,
      counts: await countsOf(context, description.TableId),
      target: asked.TargetTableName,
      billing: asked.BillingModeOverride,
      from: { RestoreDateTime: at },
    });
  });
}

/** Throws when the state of a table at a time (epoch seconds) cannot be had. */
export function assertRecoverable(
  context: Context,
  { description, recovery }: TableRecord,
  { at, fault }: { at: number; fault: "InvalidRestoreTimeException" | "InvalidExportTimeException" },
): void {
  if (recovery === undefined) {
    throw dynamodbFault(
      "PointInTimeRecoveryUnavailableException",
      `Point in time recovery is not enabled for table '${description.TableName}'`,
    );
  }
  const now = nowSeconds(context);
  const earliest = Math.max(recovery.sinceSeconds, now - presentSeconds);
  // A client's clock may be a little ahead, and its times are whole seconds.
  if (at >= Math.floor(earliest) && at <= now + 1) return;
  throw dynamodbFault(
    fault,
    `the time must lie between EarliestRestorableDateTime (${iso(earliest)}) and LatestRestorableDateTime (${iso(now)}); the local store keeps no past`,
  );
}

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
