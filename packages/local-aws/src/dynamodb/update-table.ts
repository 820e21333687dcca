import { dynamodbFault, invalidParameter, validationFault } from "./fault.ts";
import type { LaterSettings } from "./admin.ts";
import {
  describedIndex,
  named,
  noThroughput,
  onDemandSummary,
  shown,
  throughput,
  withLater,
} from "./admin.ts";
import { addIndex, dropIndex } from "./indexes.ts";
import type { Context, SecondaryIndex, TableDescription, TableRecord, Throughput } from "./tables.ts";
import { namedTable, nowSeconds, putRecord } from "./tables.ts";

interface IndexUpdate {
  Create?: Omit<SecondaryIndex, "IndexArn">;
  Update?: { IndexName: string; ProvisionedThroughput: Throughput };
  Delete?: { IndexName: string };
}

interface UpdateInput extends LaterSettings {
  AttributeDefinitions?: TableDescription["AttributeDefinitions"];
  TableName: string;
  BillingMode?: string;
  ProvisionedThroughput?: Throughput;
  GlobalSecondaryIndexUpdates?: IndexUpdate[];
}

/** Done when it answers, an index's rows included; the answer says UPDATING, as AWS's does. */
export async function updateTable(context: Context, input: object): Promise<object> {
  const data = await named<UpdateInput>("updateTable", withIndexThroughput(input));
  checkUpdate(data);
  return context.database.exclusive(async () => {
    const table = await namedTable(context, data.TableName);
    const definitions = [...table.description.AttributeDefinitions];
    for (const definition of data.AttributeDefinitions ?? []) {
      if (!definitions.some((known) => known.AttributeName === definition.AttributeName))
        definitions.push(definition);
    }
    let changed: TableRecord = {
      ...table,
      description: withBilling(context, withLater(context, table.description, data), data),
    };
    for (const update of data.GlobalSecondaryIndexUpdates ?? []) {
      if (update.Create !== undefined) {
        const asked = unthrottled(changed.description) ? unprovisioned(update.Create) : update.Create;
        const index = describedIndex(context, data.TableName, { index: asked, global: true });
        const description = { ...changed.description, AttributeDefinitions: definitions };
        changed = await addIndex(context, { ...changed, description }, index);
      } else if (update.Delete !== undefined) {
        changed = await dropIndex(context, changed, update.Delete.IndexName);
      } else if (update.Update !== undefined) {
        changed = withIndexUpdate(changed, update.Update);
      }
    }
    await context.database.write([putRecord(changed)]);
    return { TableDescription: await shown(context, changed, "UPDATING") };
  });
}

/** On-demand tables' new indexes have no throughput, which dynalite still wants. */
function withIndexThroughput(input: object): object {
  const { GlobalSecondaryIndexUpdates: updates, ...rest } = input as UpdateInput;
  if (!Array.isArray(updates)) return input;
  const withThroughput = (update: IndexUpdate | null) =>
    update?.Create == null || update.Create.ProvisionedThroughput !== undefined
      ? update
      : {
          Create: {
            ...update.Create,
            ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 },
          },
        };
  return { ...rest, GlobalSecondaryIndexUpdates: updates.map(withThroughput) };
}

function checkUpdate(data: UpdateInput): void {
  const updates = data.GlobalSecondaryIndexUpdates ?? [];
  const given = [
    data.ProvisionedThroughput,
    data.BillingMode,
    updates[0],
    data.DeletionProtectionEnabled,
    data.TableClass,
    data.SSESpecification,
    data.StreamSpecification,
  ];
  if (given.every((value) => value === undefined)) {
    throw validationFault(
      "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or " +
        "SSESpecification or ReplicaUpdates is required",
    );
  }
  if (data.BillingMode === "PROVISIONED" && data.ProvisionedThroughput === undefined) {
    throw invalidParameter("ProvisionedThroughput must be specified when BillingMode is PROVISIONED");
  }
  if (updates.some((update) => (update.Create ?? update.Update ?? update.Delete) === undefined)) {
    throw invalidParameter(
      "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, " +
        "GlobalSecondaryIndexUpdate.Delete must not be null",
    );
  }
  if (updates.filter((update) => update.Update === undefined).length > 1) {
    throw dynamodbFault(
      "LimitExceededException",
      "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
    );
  }
}

function withBilling(context: Context, table: TableDescription, data: UpdateInput): TableDescription {
  const mode = data.BillingMode ?? table.BillingModeSummary?.BillingMode ?? "PROVISIONED";
  const asked = data.ProvisionedThroughput;
  if (mode === "PAY_PER_REQUEST") {
    if (asked !== undefined) {
      throw invalidParameter(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
      );
    }
    if (unthrottled(table)) return table;
    return {
      ...table,
      BillingModeSummary: onDemandSummary(context),
      ProvisionedThroughput: { ...table.ProvisionedThroughput, ...noThroughput },
      ...(table.GlobalSecondaryIndexes === undefined
        ? {}
        : { GlobalSecondaryIndexes: table.GlobalSecondaryIndexes.map(unprovisioned) }),
    };
  }
  if (asked === undefined) return table;
  const { BillingModeSummary: before, ...rest } = table;
  return {
    ...rest,
    ...(before === undefined ? {} : { BillingModeSummary: { ...before, BillingMode: "PROVISIONED" } }),
    ProvisionedThroughput: changedThroughput(context, table.ProvisionedThroughput, asked),
  };
}

function unthrottled(table: TableDescription): boolean {
  return table.BillingModeSummary?.BillingMode === "PAY_PER_REQUEST";
}

function unprovisioned<T extends Omit<SecondaryIndex, "IndexArn">>(index: T): T {
  return { ...index, ProvisionedThroughput: throughput(undefined) };
}

function changedThroughput(context: Context, before: Throughput, asked: Throughput): Throughput {
  const read = asked.ReadCapacityUnits - before.ReadCapacityUnits;
  const written = asked.WriteCapacityUnits - before.WriteCapacityUnits;
  if (read === 0 && written === 0) {
    throw validationFault(
      "The provisioned throughput for the table will not change. The requested value equals the current value. " +
        `Current ReadCapacityUnits provisioned for the table: ${String(before.ReadCapacityUnits)}. ` +
        `Requested ReadCapacityUnits: ${String(asked.ReadCapacityUnits)}. ` +
        `Current WriteCapacityUnits provisioned for the table: ${String(before.WriteCapacityUnits)}. ` +
        `Requested WriteCapacityUnits: ${String(asked.WriteCapacityUnits)}. ` +
        "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
    );
  }
  const now = nowSeconds(context);
  return {
    ...before,
    ...asked,
    ...(read > 0 || written > 0 ? { LastIncreaseDateTime: now } : {}),
    ...(read < 0 || written < 0
      ? { LastDecreaseDateTime: now, NumberOfDecreasesToday: (before.NumberOfDecreasesToday ?? 0) + 1 }
      : {}),
  };
}

function withIndexUpdate(table: TableRecord, update: NonNullable<IndexUpdate["Update"]>): TableRecord {
  const { description } = table;
  const indexes = description.GlobalSecondaryIndexes ?? [];
  if (!indexes.some((index) => index.IndexName === update.IndexName)) {
    throw dynamodbFault("ResourceNotFoundException", "Requested resource not found");
  }
  const changed = (index: SecondaryIndex) =>
    index.IndexName === update.IndexName
      ? { ...index, ProvisionedThroughput: throughput(update.ProvisionedThroughput) }
      : index;
  return { ...table, description: { ...description, GlobalSecondaryIndexes: indexes.map(changed) } };
}
