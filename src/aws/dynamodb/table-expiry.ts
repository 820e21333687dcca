import { DescribeTimeToLiveCommand, UpdateTimeToLiveCommand } from "@aws-sdk/client-dynamodb";
import type { Aws } from "../clients.ts";
import { abortable } from "../s3/objects.ts";
import { errorName, isRepeated, type Reading, reading } from "../setting.ts";

/** When items expire: `ENABLED`, `ENABLING`, `DISABLED`, `DISABLING`, and by which attribute. */
export interface StoredExpiry {
  readonly status: string;
  readonly attribute?: string;
}

export async function readExpiry(
  aws: Aws,
  table: string,
  signal?: AbortSignal,
): Promise<Reading<StoredExpiry>> {
  const dynamodb = await aws.dynamodb();
  return reading(async () => {
    const answer = await dynamodb.send(
      new DescribeTimeToLiveCommand({ TableName: table }),
      abortable(signal),
    );
    const { TimeToLiveStatus, AttributeName } = answer.TimeToLiveDescription ?? {};
    return {
      status: TimeToLiveStatus ?? "DISABLED",
      attribute: AttributeName,
    };
  }, "ResourceNotFoundException");
}

/** Items expire some time (days at most) after the epoch second in `attribute`. Once an hour and table at most. */
export async function enableExpiry(aws: Aws, table: string, attribute: string): Promise<void> {
  const dynamodb = await aws.dynamodb();
  const input = { TableName: table, TimeToLiveSpecification: { Enabled: true, AttributeName: attribute } };
  try {
    await dynamodb.send(new UpdateTimeToLiveCommand(input));
  } catch (error) {
    // It refuses what a first attempt of ours, whose answer was lost, has switched on.
    const mayBeDone = errorName(error) === "ValidationException" && isRepeated(error);
    if (!mayBeDone || !(await expiresBy(aws, table, attribute))) throw error;
  }
}

/** Whether items expire by this attribute, or are about to. */
export async function expiresBy(
  aws: Aws,
  table: string,
  attribute: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const stored = await readExpiry(aws, table, signal);
  return typeof stored === "object" && stored.attribute === attribute && stored.status.startsWith("ENABL");
}
