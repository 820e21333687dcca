import type { Database, Range, Write } from "../json-database.ts";
import { under } from "../json-database.ts";
import { dynamodbFault } from "./fault.ts";
import type { Item } from "./values.ts";

/** The account of a local store; no real one has it. */
const accountId = "000000000000";

export interface KeyElement {
  readonly AttributeName: string;
  readonly KeyType: "HASH" | "RANGE";
}

export interface Throughput {
  ReadCapacityUnits: number;
  WriteCapacityUnits: number;
  NumberOfDecreasesToday?: number;
  LastIncreaseDateTime?: number;
  LastDecreaseDateTime?: number;
}

export interface SecondaryIndex {
  readonly IndexName: string;
  readonly KeySchema: readonly KeyElement[];
  readonly Projection: { readonly ProjectionType?: string; readonly NonKeyAttributes?: readonly string[] };
  readonly ProvisionedThroughput?: Throughput;
  readonly IndexStatus?: string;
  readonly IndexArn: string;
}

/** What DescribeTable shows, without what is counted when asked. Times are seconds. */
export interface TableDescription {
  TableName: string;
  TableId: string;
  TableArn: string;
  TableStatus: string;
  CreationDateTime: number;
  KeySchema: readonly KeyElement[];
  AttributeDefinitions: readonly {
    readonly AttributeName: string;
    readonly AttributeType: "S" | "N" | "B";
  }[];
  ProvisionedThroughput: Throughput;
  BillingModeSummary?: { BillingMode: string; LastUpdateToPayPerRequestDateTime?: number };
  DeletionProtectionEnabled: boolean;
  LocalSecondaryIndexes?: readonly SecondaryIndex[];
  GlobalSecondaryIndexes?: readonly SecondaryIndex[];
  StreamSpecification?: { StreamEnabled: boolean; StreamViewType?: string };
  LatestStreamArn?: string;
  LatestStreamLabel?: string;
  SSEDescription?: { Status: string; SSEType: string; KMSMasterKeyArn: string };
  TableClassSummary?: { TableClass: string };
  RestoreSummary?: object;
}

/** All that is kept of a table beside its items. */
export interface TableRecord {
  readonly description: TableDescription;
  readonly timeToLive?: { readonly attribute: string; readonly sinceSeconds: number };
  readonly recovery?: { readonly sinceSeconds: number; readonly days: number };
  readonly tags: Readonly<Record<string, string>>;
}

/** How many there are; kept in the same batch as the items. */
export interface Counts {
  items: number;
  bytes: number;
  indexes: Record<string, number>;
}

/** What every operation works on. */
export interface Context {
  readonly database: Database;
  readonly region: string;
  readonly now: () => Date;
  /** As the client addressed this end. */
  readonly host: string;
  /** Writes to the S3 end of the same store. Throws that end's faults. */
  readonly putObject: PutObject;
}

export type PutObject = (put: {
  readonly bucket: string;
  readonly key: string;
  readonly body: Buffer;
}) => Promise<void>;

/*
 * Keys. Items lie under their table's id, not its name, so that a table made anew under an old name never sees
 * what a broken-off deletion left; `trash` names the ids whose rows still have to go.
 */
const recordPrefix = "table~";
const trashPrefix = "trash~";

export const keys = {
  record: (tableName: string) => recordPrefix + tableName,
  counts: (tableId: string) => `counts~${tableId}`,
  items: (tableId: string) => `item~${tableId}~`,
  index: (tableId: string, indexName: string) => `index~${tableId}~${indexName}~`,
  trash: (tableId: string) => trashPrefix + tableId,
};

export function nowSeconds(context: Context): number {
  return context.now().getTime() / 1000;
}

export function tableArn(context: Context, tableName: string): string {
  return `arn:aws:dynamodb:${context.region}:${accountId}:table/${tableName}`;
}

/** A table may be named by its ARN, too. */
export function nameOfTable(nameOrArn: string): string {
  return nameOrArn.startsWith("arn:")
    ? (nameOrArn.split(":table/").at(1)?.split("/")[0] ?? nameOrArn)
    : nameOrArn;
}

export async function findTable(context: Context, tableName: string): Promise<TableRecord | undefined> {
  return context.database.get<TableRecord>(keys.record(tableName));
}

/** The table for an operation on items. Throws ResourceNotFoundException. */
export async function tableOf(context: Context, tableName: string): Promise<TableRecord> {
  const table = await findTable(context, tableName);
  if (table === undefined) throw dynamodbFault("ResourceNotFoundException", "Requested resource not found");
  return table;
}

/** The table for an operation on the table itself; DynamoDB then names it. */
export async function namedTable(context: Context, tableName: string): Promise<TableRecord> {
  const table = await findTable(context, tableName);
  if (table === undefined) {
    throw dynamodbFault(
      "ResourceNotFoundException",
      `Requested resource not found: Table: ${tableName} not found`,
    );
  }
  return table;
}

export function putRecord(table: TableRecord): Write {
  return { type: "put", key: keys.record(table.description.TableName), value: table };
}

/** Names after `start`, in order. */
export async function tableNames(
  context: Context,
  start: string | undefined,
  limit: number,
): Promise<string[]> {
  const all: Range = under(recordPrefix);
  const range =
    start === undefined ? all : { gt: recordPrefix + start, ...(all.lt === undefined ? {} : { lt: all.lt }) };
  const found = await context.database.keys({ ...range, limit });
  return found.map((key) => key.slice(recordPrefix.length));
}

/** Every index of a table. */
export function indexesOf(table: TableDescription): readonly SecondaryIndex[] {
  return [...(table.LocalSecondaryIndexes ?? []), ...(table.GlobalSecondaryIndexes ?? [])];
}

export async function countsOf(context: Context, tableId: string): Promise<Counts> {
  return (await context.database.get<Counts>(keys.counts(tableId))) ?? { items: 0, bytes: 0, indexes: {} };
}

/** Items of a table in the order of a scan. */
export function itemsOf(context: Context, table: TableDescription): AsyncGenerator<Item, void, undefined> {
  return context.database.values<Item>(under(keys.items(table.TableId)));
}

/** Removes the rows of tables that are gone; also of those whose removal was broken off. Runs under the queue. */
export async function emptyTrash(context: Context): Promise<void> {
  for (const key of await context.database.keys(under(trashPrefix))) {
    const tableId = key.slice(trashPrefix.length);
    await context.database.clear(under(keys.items(tableId)));
    await context.database.clear(under(`index~${tableId}~`));
    await context.database.write([
      { type: "del", key },
      { type: "del", key: keys.counts(tableId) },
    ]);
  }
}
