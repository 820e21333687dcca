import { randomUUID } from "node:crypto";
import { validated } from "./dynalite.ts";
import { dynamodbFault, invalidParameter, validationFault } from "./fault.ts";
import { tagMap } from "./settings.ts";
import type { Context, SecondaryIndex, TableDescription, TableRecord, Throughput } from "./tables.ts";
import {
  countsOf,
  emptyTrash,
  findTable,
  keys,
  nameOfTable,
  namedTable,
  nowSeconds,
  putRecord,
  tableArn,
  tableNames,
} from "./tables.ts";

/** Parameters of a table that dynalite does not know. */
export interface LaterSettings {
  DeletionProtectionEnabled?: boolean;
  TableClass?: string;
  SSESpecification?: { Enabled?: boolean; KMSMasterKeyId?: string };
  StreamSpecification?: { StreamEnabled: boolean; StreamViewType?: string };
}

interface CreateInput extends LaterSettings {
  TableName: string;
  KeySchema: TableDescription["KeySchema"];
  AttributeDefinitions: TableDescription["AttributeDefinitions"];
  BillingMode?: string;
  ProvisionedThroughput?: Throughput;
  LocalSecondaryIndexes?: SecondaryIndex[];
  GlobalSecondaryIndexes?: SecondaryIndex[];
  Tags?: { Key: string; Value: string }[];
}

export const noThroughput: Throughput = { ReadCapacityUnits: 0, WriteCapacityUnits: 0 };

/** The table is there at once; the answer says CREATING, as AWS's does. */
export async function createTable(context: Context, input: object): Promise<object> {
  const data = await validated<CreateInput>("createTable", input);
  checkDefinitions(data);
  const onDemand = data.BillingMode === "PAY_PER_REQUEST";
  const description = withLater(
    context,
    {
      TableName: data.TableName,
      TableId: randomUUID(),
      TableArn: tableArn(context, data.TableName),
      TableStatus: "ACTIVE",
      CreationDateTime: nowSeconds(context),
      KeySchema: data.KeySchema,
      AttributeDefinitions: data.AttributeDefinitions,
      ProvisionedThroughput: throughput(data.ProvisionedThroughput),
      DeletionProtectionEnabled: false,
      ...(onDemand ? { BillingModeSummary: onDemandSummary(context) } : {}),
      ...listed(context, data, "LocalSecondaryIndexes"),
      ...listed(context, data, "GlobalSecondaryIndexes"),
    },
    data,
  );
  const table: TableRecord = { description, tags: tagMap(data.Tags ?? []) };
  return context.database.exclusive(async () => {
    if ((await findTable(context, data.TableName)) !== undefined) {
      throw dynamodbFault("ResourceInUseException", `Table already exists: ${data.TableName}`);
    }
    await context.database.write([putRecord(table)]);
    return { TableDescription: await shown(context, table, "CREATING") };
  });
}

function listed(
  context: Context,
  data: CreateInput,
  kind: "LocalSecondaryIndexes" | "GlobalSecondaryIndexes",
) {
  const indexes = data[kind];
  if (indexes === undefined) return {};
  const global = kind === "GlobalSecondaryIndexes";
  return { [kind]: indexes.map((index) => describedIndex(context, data.TableName, { index, global })) };
}

export function describedIndex(
  context: Context,
  tableName: string,
  made: { readonly index: Omit<SecondaryIndex, "IndexArn">; readonly global: boolean },
): SecondaryIndex {
  const { index, global } = made;
  return {
    ...index,
    IndexArn: `${tableArn(context, tableName)}/index/${index.IndexName}`,
    ...(global
      ? { IndexStatus: "ACTIVE", ProvisionedThroughput: throughput(index.ProvisionedThroughput) }
      : {}),
  };
}

export function throughput(asked: Throughput | undefined): Throughput {
  return { NumberOfDecreasesToday: 0, ...(asked ?? noThroughput) };
}

export function onDemandSummary(context: Context) {
  return { BillingMode: "PAY_PER_REQUEST", LastUpdateToPayPerRequestDateTime: nowSeconds(context) };
}

function checkDefinitions(data: CreateInput): void {
  const indexes = [...(data.LocalSecondaryIndexes ?? []), ...(data.GlobalSecondaryIndexes ?? [])];
  const used = new Set(
    [data, ...indexes].flatMap(({ KeySchema }) => KeySchema.map((key) => key.AttributeName)),
  );
  const defined = data.AttributeDefinitions.map((definition) => definition.AttributeName);
  if (defined.every((name) => used.has(name))) return;
  throw invalidParameter(
    `Some AttributeDefinitions are not used. AttributeDefinitions: [${defined.join(", ")}], keys used: [${[...used].join(", ")}]`,
  );
}

export function withLater(context: Context, table: TableDescription, later: LaterSettings): TableDescription {
  const changed = { ...table };
  if (later.DeletionProtectionEnabled !== undefined) {
    changed.DeletionProtectionEnabled = later.DeletionProtectionEnabled;
  }
  if (later.TableClass !== undefined) {
    changed.TableClassSummary = { TableClass: later.TableClass };
  }
  if (later.SSESpecification?.Enabled === true) {
    const key = later.SSESpecification.KMSMasterKeyId ?? "alias/aws/dynamodb";
    changed.SSEDescription = { Status: "ENABLED", SSEType: "KMS", KMSMasterKeyArn: key };
  } else if (later.SSESpecification !== undefined) {
    delete changed.SSEDescription;
  }
  const stream = later.StreamSpecification;
  if (stream?.StreamEnabled === true) {
    if (stream.StreamViewType === undefined) {
      throw invalidParameter("StreamViewType is required when StreamEnabled is true");
    }
    changed.StreamSpecification = stream;
    changed.LatestStreamLabel = context.now().toISOString().slice(0, -1);
    changed.LatestStreamArn = `${table.TableArn}/stream/${changed.LatestStreamLabel}`;
  } else if (stream !== undefined) {
    delete changed.StreamSpecification;
  }
  return changed;
}

/** A description with what is counted when asked. AWS's counts lag by hours, these are exact. */
export async function shown(context: Context, table: TableRecord, status = "ACTIVE"): Promise<object> {
  const { description } = table;
  const counts = await countsOf(context, description.TableId);
  const counted = (index: SecondaryIndex) => ({
    ...index,
    ItemCount: counts.indexes[index.IndexName] ?? 0,
    IndexSizeBytes: 0,
  });
  const { LocalSecondaryIndexes: local, GlobalSecondaryIndexes: global } = description;
  return {
    ...description,
    TableStatus: status,
    ItemCount: counts.items,
    TableSizeBytes: counts.bytes,
    LocalSecondaryIndexes: local?.map(counted),
    GlobalSecondaryIndexes: global?.map(counted),
  };
}

export async function describeTable(context: Context, input: object): Promise<object> {
  const { TableName } = await named("describeTable", input);
  return { Table: await shown(context, await namedTable(context, TableName)) };
}

/** Checks an operation on a table that is named by its name or by its ARN. */
export async function named<T extends { TableName: string }>(
  operation: "describeTable" | "deleteTable" | "updateTable",
  input: object,
): Promise<T> {
  const { TableName, ...rest } = input as { TableName?: unknown };
  const name = typeof TableName === "string" ? nameOfTable(TableName) : TableName;
  return validated<T>(operation, { ...rest, TableName: name }, { lenient: true });
}

/** The record goes first, then the rows: a deletion that is broken off is finished by the next one. */
export async function deleteTable(context: Context, input: object): Promise<object> {
  const { TableName } = await named("deleteTable", input);
  return context.database.exclusive(async () => {
    const table = await namedTable(context, TableName);
    if (table.description.DeletionProtectionEnabled) {
      throw validationFault(
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
      );
    }
    const answer = await shown(context, table, "DELETING");
    await context.database.write([
      { type: "del", key: keys.record(TableName) },
      { type: "put", key: keys.trash(table.description.TableId), value: true },
    ]);
    await emptyTrash(context);
    return { TableDescription: answer };
  });
}

export async function listTables(context: Context, input: object): Promise<object> {
  const data = await validated<{ ExclusiveStartTableName?: string; Limit?: number }>("listTables", input);
  const limit = data.Limit ?? 100;
  const names = await tableNames(context, data.ExclusiveStartTableName, limit + 1);
  const page = names.slice(0, limit);
  const last = page.at(-1);
  return {
    TableNames: page,
    ...(names.length > limit && last !== undefined ? { LastEvaluatedTableName: last } : {}),
  };
}
