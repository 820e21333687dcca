import {
  type BackupDetails,
  type BackupSummary,
  CreateBackupCommand,
  DeleteBackupCommand,
  DescribeBackupCommand,
  type DescribeBackupCommandOutput,
  ListBackupsCommand,
  type ListBackupsCommandOutput,
  RestoreTableFromBackupCommand,
} from "@aws-sdk/client-dynamodb";
import type { Aws } from "../clients.ts";
import { abortable } from "../s3/objects.ts";
import { errorName, type WaitOptions, settling } from "../setting.ts";
import { retry } from "../../retry.ts";

/** A backup that DynamoDB keeps itself. */
export interface NativeBackup {
  readonly arn: string;
  readonly name: string;
  readonly table: string;
  /** `CREATING`, `AVAILABLE`, `DELETED`. */
  readonly status: string;
  /** `USER`: made on demand. `SYSTEM`: by DynamoDB for a deleted table with recovery, for 35 days. `AWS_BACKUP`. */
  readonly type: string;
  readonly createdAt: Date | undefined;
  readonly expiresAt: Date | undefined;
  readonly bytes: number | undefined;
}

/** What a backup knows of the table's settings, which a restore from it leaves out. */
export interface NativeBackupContents extends NativeBackup {
  readonly items: number | undefined;
  readonly expiryAttribute: string | undefined;
  readonly stream: string | undefined;
}

/**
 * Begins a backup of a table; it can be restored when it is `AVAILABLE`. A table just made is not ready for some seconds. Where an
 * answer is lost, the one that was begun is looked for before another is.
 */
export async function beginNativeBackup(
  aws: Aws,
  { table, name }: { table: string; name: string },
  wait: WaitOptions = {},
): Promise<NativeBackup> {
  const dynamodb = await aws.dynamodb();
  const input = { TableName: table, BackupName: name };
  const notReady = (error: unknown) => errorName(error) === "ContinuousBackupsUnavailableException";
  const since = aws.serverTime();
  const begin = async () => {
    const command = new CreateBackupCommand(input);
    const found = lookBeforeRepeating(command, () => begunSince(aws, { table, name, since }));
    try {
      return backupOf((await dynamodb.send(command)).BackupDetails, table);
    } catch (error) {
      const backup = found();
      if (backup === undefined) throw error;
      return backup;
    }
  };
  return retry(begin, notReady, { ...settling, ...wait });
}

/** The server tells its time in whole seconds, and the time of a backup may be that of another of its machines. */
const clockDifferenceMs = 2000;

async function begunSince(
  aws: Aws,
  { table, name, since }: { table: string; name: string; since: Date | undefined },
): Promise<NativeBackup | undefined> {
  if (since === undefined) return undefined;
  for await (const backups of listNativeBackups(aws, table)) {
    const ours = backups.find(
      (backup) =>
        backup.name === name && (backup.createdAt?.getTime() ?? 0) >= since.getTime() - clockDifferenceMs,
    );
    if (ours !== undefined) return ours;
  }
  return undefined;
}

/** Has a command not sent again when `look` finds what it makes; the answer tells what was found once it has failed. */
function lookBeforeRepeating<T>(
  command: CreateBackupCommand,
  look: () => Promise<T | undefined>,
): () => T | undefined {
  let tries = 0;
  let found: T | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      tries += 1;
      if (tries > 1) found = await look();
      if (found !== undefined) throw new Error("it was done before");
      return next(args);
    },
    { step: "finalizeRequest", priority: "low", name: "lookBeforeRepeating" },
  );
  return () => found;
}

/** A backup with what it says of the table; undefined where there is none. */
export async function readNativeBackup(
  aws: Aws,
  arn: string,
  signal?: AbortSignal,
): Promise<NativeBackupContents | undefined> {
  const dynamodb = await aws.dynamodb();
  let answer: DescribeBackupCommandOutput;
  try {
    answer = await dynamodb.send(new DescribeBackupCommand({ BackupArn: arn }), abortable(signal));
  } catch (error) {
    if (errorName(error) === "BackupNotFoundException") return undefined;
    throw error;
  }
  const {
    BackupDetails: details,
    SourceTableDetails: table,
    SourceTableFeatureDetails: features,
  } = answer.BackupDescription ?? {};
  const expiry = features?.TimeToLiveDescription;
  return {
    ...backupOf(details, table?.TableName),
    items: table?.ItemCount,
    expiryAttribute: expiry?.TimeToLiveStatus === "ENABLED" ? expiry.AttributeName : undefined,
    stream: features?.StreamDescription?.StreamViewType,
  };
}

/** The backups of a table, of every kind, page by page; also of one that is gone. */
export async function* listNativeBackups(
  aws: Aws,
  table: string,
  signal?: AbortSignal,
): AsyncGenerator<readonly NativeBackup[]> {
  const dynamodb = await aws.dynamodb();
  let start: string | undefined;
  do {
    const page: ListBackupsCommandOutput = await dynamodb.send(
      new ListBackupsCommand({ TableName: table, BackupType: "ALL", ExclusiveStartBackupArn: start }),
      abortable(signal),
    );
    yield (page.BackupSummaries ?? []).map((summary) => backupOf(summary, summary.TableName));
    start = page.LastEvaluatedBackupArn;
  } while (start !== undefined);
}

/** Whether there was such a backup. */
export async function deleteNativeBackup(aws: Aws, arn: string): Promise<boolean> {
  const dynamodb = await aws.dynamodb();
  try {
    await dynamodb.send(new DeleteBackupCommand({ BackupArn: arn }));
    return true;
  } catch (error) {
    if (errorName(error) === "BackupNotFoundException") return false;
    throw error;
  }
}

/** Begins a new table from a backup; it goes on by itself. Refused over a table that is there. */
export async function beginRestoreFromBackup(
  aws: Aws,
  { arn, target }: { arn: string; target: string },
): Promise<void> {
  const dynamodb = await aws.dynamodb();
  await dynamodb.send(new RestoreTableFromBackupCommand({ BackupArn: arn, TargetTableName: target }));
}

function backupOf(details: BackupDetails | BackupSummary | undefined, table = ""): NativeBackup {
  return {
    arn: details?.BackupArn ?? "",
    name: details?.BackupName ?? "",
    table,
    status: details?.BackupStatus ?? "CREATING",
    type: details?.BackupType ?? "USER",
    createdAt: details?.BackupCreationDateTime,
    expiresAt: details?.BackupExpiryDateTime,
    bytes: details?.BackupSizeBytes,
  };
}
