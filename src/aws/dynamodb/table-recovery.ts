import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  RestoreTableToPointInTimeCommand,
  UpdateContinuousBackupsCommand,
} from "@aws-sdk/client-dynamodb";
import type { Aws } from "../clients.ts";
import { abortable } from "../s3/objects.ts";
import { retry } from "../../retry.ts";
import { errorName, noTable, type Reading, reading, settling, type WaitOptions } from "../setting.ts";

/** Point-in-time recovery of a table, and from when to when it reaches. */
export interface RecoveryWindow {
  readonly enabled: boolean;
  /** Undefined from a server that does not tell; AWS's own default is 35. */
  readonly days?: number;
  /** Only while it is enabled. */
  readonly earliest?: Date;
  /** AWS lags about five minutes behind. */
  readonly latest?: Date;
}

/** Undefined where there is no such table. */
export async function readRecoveryWindow(
  aws: Aws,
  table: string,
  signal?: AbortSignal,
): Promise<Reading<RecoveryWindow>> {
  const dynamodb = await aws.dynamodb();
  return reading(
    async () => {
      const answer = await dynamodb.send(
        new DescribeContinuousBackupsCommand({ TableName: table }),
        abortable(signal),
      );
      const described = answer.ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
      if (described?.PointInTimeRecoveryStatus !== "ENABLED") return { enabled: false };
      const {
        RecoveryPeriodInDays: days,
        EarliestRestorableDateTime: earliest,
        LatestRestorableDateTime: latest,
      } = described;
      return {
        enabled: true,
        days,
        earliest,
        latest,
      };
    },
    ...noTable,
  );
}

/**
 * Point-in-time recovery over the last `days` (1 to 35). A table just made is not ready for it for some seconds. Gives the period as
 * the server tells it; undefined where it tells none.
 */
export async function enableRecovery(
  aws: Aws,
  table: string,
  days: number,
  wait: WaitOptions = {},
): Promise<number | undefined> {
  const dynamodb = await aws.dynamodb();
  const input = {
    TableName: table,
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: days },
  };
  const notReady = (error: unknown) => errorName(error) === "ContinuousBackupsUnavailableException";
  const { ContinuousBackupsDescription: described } = await retry(
    () => dynamodb.send(new UpdateContinuousBackupsCommand(input)),
    notReady,
    { ...settling, ...wait },
  );
  return described?.PointInTimeRecoveryDescription?.RecoveryPeriodInDays;
}

/**
 * Begins a new table with the state of another one at a moment (to the second), or the latest there is. It goes on by
 * itself; `readRestored` tells how far it is. Refused over a table that is there, outside the window, and without recovery.
 */
export async function beginRestoreToTime(
  aws: Aws,
  { source, target, at }: { source: string; target: string; at: Date | "latest" },
): Promise<void> {
  const dynamodb = await aws.dynamodb();
  await dynamodb.send(
    new RestoreTableToPointInTimeCommand({
      SourceTableName: source,
      TargetTableName: target,
      ...(at === "latest" ? { UseLatestRestorableTime: true } : { RestoreDateTime: at }),
    }),
  );
}

/** A table, and where it came from if it was restored. */
export interface RestoredTable {
  /** It and all its indexes can be used, and no restore is under way. */
  readonly isReady: boolean;
  /** DynamoDB's word for its state. */
  readonly status: string;
  /** As DynamoDB counts, which it does every six hours. */
  readonly items: number;
  readonly restored?: {
    /** Name of the table. */
    readonly from: string | undefined;
    /** ARN, when it came from a backup. */
    readonly backup: string | undefined;
    /** The moment whose state it has; of a backup the moment of its making. */
    readonly at: Date | undefined;
  };
}

/** A table as far as a restore concerns it; undefined where there is none. */
export async function readRestored(
  aws: Aws,
  table: string,
  signal?: AbortSignal,
): Promise<RestoredTable | undefined> {
  const dynamodb = await aws.dynamodb();
  try {
    const answer = await dynamodb.send(new DescribeTableCommand({ TableName: table }), abortable(signal));
    const {
      TableStatus = "ACTIVE",
      RestoreSummary: summary,
      GlobalSecondaryIndexes = [],
    } = answer.Table ?? {};
    const areIndexesReady = GlobalSecondaryIndexes.every(
      ({ IndexStatus = "ACTIVE" }) => IndexStatus === "ACTIVE",
    );
    return {
      isReady: TableStatus === "ACTIVE" && areIndexesReady && summary?.RestoreInProgress !== true,
      status: TableStatus,
      items: answer.Table?.ItemCount ?? 0,
      ...(summary === undefined
        ? {}
        : {
            restored: {
              from: tableOfArn(summary.SourceTableArn),
              backup: summary.SourceBackupArn,
              at: summary.RestoreDateTime,
            },
          }),
    };
  } catch (error) {
    if (errorName(error) === "ResourceNotFoundException") return undefined;
    throw error;
  }
}

/** `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME`, also with something behind the name. */
export function tableOfArn(arn: string | undefined): string | undefined {
  return arn?.split(":table/").at(1)?.split("/")[0];
}
