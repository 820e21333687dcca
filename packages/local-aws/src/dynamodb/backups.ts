import { randomBytes, randomUUID } from "node:crypto";
import { under } from "../json-database.ts";
import { shaped } from "./dynalite.ts";
import { dynamodbFault } from "./fault.ts";
import { copyRows, restoreTable } from "./restore.ts";
import { existing } from "./settings.ts";
import type { Context, Counts, SecondaryIndex, TableDescription } from "./tables.ts";
import { countsOf, emptyTrash, keys, nameOfTable, nowSeconds } from "./tables.ts";

/* A backup is a table without a name: its items lie under an id of their own, next to those of the tables. */

const backupPrefix = "backup~";

interface Backup {
  readonly arn: string;
  readonly name: string;
  readonly id: string;
  readonly createdSeconds: number;
  readonly source: TableDescription;
  readonly timeToLive?: string;
  readonly counts: Counts;
}

interface ListInput {
  TableName?: string;
  Limit?: number;
  TimeRangeLowerBound?: number;
  TimeRangeUpperBound?: number;
  ExclusiveStartBackupArn?: string;
  BackupType?: string;
}

export async function createBackup(context: Context, input: object): Promise<object> {
  const { TableName, BackupName } = shaped("createBackup", input) as {
    TableName: string;
    BackupName: string;
  };
  return context.database.exclusive(async () => {
    const table = await existing(context, nameOfTable(TableName));
    const { description } = table;
    const createdSeconds = nowSeconds(context);
    const millis = String(context.now().getTime()).padStart(14, "0");
    const arn = `${description.TableArn}/backup/${millis}-${randomBytes(4).toString("hex")}`;
    const counts = await countsOf(context, description.TableId);
    const backup: Backup = {
      arn,
      name: BackupName,
      id: randomUUID(),
      createdSeconds,
      source: description,
      counts,
      timeToLive: table.timeToLive?.attribute,
    };
    await copyRows(context, { from: description.TableId, to: backup.id }, () => []);
    await context.database.write([
      { type: "put", key: backupPrefix + arn, value: backup },
      { type: "del", key: keys.trash(backup.id) },
    ]);
    return { BackupDetails: details(backup) };
  });
}

function details(backup: Backup): object {
  return {
    BackupArn: backup.arn,
    BackupName: backup.name,
    BackupSizeBytes: backup.counts.bytes,
    BackupStatus: "AVAILABLE",
    BackupType: "USER",
    BackupCreationDateTime: backup.createdSeconds,
  };
}

async function backupOf(context: Context, arn: string): Promise<Backup> {
  const backup = await context.database.get<Backup>(backupPrefix + arn);
  if (backup === undefined) throw dynamodbFault("BackupNotFoundException", `Backup not found: ${arn}`);
  return backup;
}

function described(backup: Backup): object {
  const { source } = backup;
  const plain = ({ IndexName, KeySchema, Projection }: SecondaryIndex) => ({
    IndexName,
    KeySchema,
    Projection,
  });
  return {
    BackupDetails: details(backup),
    SourceTableDetails: {
      TableName: source.TableName,
      TableId: source.TableId,
      TableArn: source.TableArn,
      TableSizeBytes: backup.counts.bytes,
      ItemCount: backup.counts.items,
      KeySchema: source.KeySchema,
      TableCreationDateTime: source.CreationDateTime,
      ProvisionedThroughput: source.ProvisionedThroughput,
      BillingMode: source.BillingModeSummary?.BillingMode ?? "PROVISIONED",
    },
    SourceTableFeatureDetails: {
      LocalSecondaryIndexes: (source.LocalSecondaryIndexes ?? []).map(plain),
      GlobalSecondaryIndexes: (source.GlobalSecondaryIndexes ?? []).map(plain),
      ...(source.StreamSpecification?.StreamEnabled === true
        ? { StreamDescription: source.StreamSpecification }
        : {}),
      ...(backup.timeToLive === undefined
        ? {}
        : { TimeToLiveDescription: { TimeToLiveStatus: "ENABLED", AttributeName: backup.timeToLive } }),
    },
  };
}

export async function describeBackup(context: Context, input: object): Promise<object> {
  const { BackupArn } = shaped("describeBackup", input) as { BackupArn: string };
  return { BackupDescription: described(await backupOf(context, BackupArn)) };
}

export async function deleteBackup(context: Context, input: object): Promise<object> {
  const { BackupArn } = shaped("deleteBackup", input) as { BackupArn: string };
  return context.database.exclusive(async () => {
    const backup = await backupOf(context, BackupArn);
    await context.database.write([
      { type: "del", key: backupPrefix + backup.arn },
      { type: "put", key: keys.trash(backup.id), value: true },
    ]);
    await emptyTrash(context);
    return { BackupDescription: described(backup) };
  });
}

export async function listBackups(context: Context, input: object): Promise<object> {
  const asked = shaped("listBackups", input) as ListInput;
  const limit = asked.Limit ?? 100;
  const wanted = asked.TableName === undefined ? undefined : nameOfTable(asked.TableName);
  const found: Backup[] = [];
  for await (const backup of context.database.values<Backup>(under(backupPrefix))) {
    const at = backup.createdSeconds;
    if (wanted !== undefined && backup.source.TableName !== wanted) continue;
    if (at < (asked.TimeRangeLowerBound ?? 0) || at >= (asked.TimeRangeUpperBound ?? Infinity)) continue;
    if (asked.BackupType === "SYSTEM" || asked.BackupType === "AWS_BACKUP") continue;
    if (asked.ExclusiveStartBackupArn !== undefined && backup.arn <= asked.ExclusiveStartBackupArn) continue;
    found.push(backup);
  }
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    BackupSummaries: page.map(summary),
    ...(found.length > limit && last !== undefined ? { LastEvaluatedBackupArn: last.arn } : {}),
  };
}

function summary(backup: Backup): object {
  const { TableName, TableId, TableArn } = backup.source;
  return { ...details(backup), TableName, TableId, TableArn };
}

export async function restoreTableFromBackup(context: Context, input: object): Promise<object> {
  const {
    BackupArn,
    TargetTableName: target,
    BillingModeOverride: billing,
  } = shaped("restoreTableFromBackup", input) as {
    BackupArn: string;
    TargetTableName: string;
    BillingModeOverride?: string;
  };
  return context.database.exclusive(async () => {
    const backup = await backupOf(context, BackupArn);
    const { id, source, counts } = backup;
    const from = { SourceBackupArn: backup.arn, RestoreDateTime: backup.createdSeconds };
    return restoreTable(context, { id, source, counts, target, billing, from });
  });
}
