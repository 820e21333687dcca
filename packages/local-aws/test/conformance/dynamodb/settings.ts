import {
  CreateTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  ListTagsOfResourceCommand,
  type PointInTimeRecoverySpecification,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { expect } from "vitest";
import { type Check, createInput, eventually, refused, untilActive } from "./check.ts";

/** What is set beside a table: expiry, continuous backups, tags. */
export const settingChecks: readonly Check[] = [
  {
    name: "has no TTL until it is switched on, and names the attribute then",
    async run({ client, table }) {
      const TableName = await table();
      const before = await client.send(new DescribeTimeToLiveCommand({ TableName }));
      expect(before.TimeToLiveDescription).toEqual({ TimeToLiveStatus: "DISABLED" });
      const answer = await client.send(
        new UpdateTimeToLiveCommand({
          TableName,
          TimeToLiveSpecification: { Enabled: true, AttributeName: "expiresAt" },
        }),
      );
      expect(answer.TimeToLiveSpecification).toEqual({ Enabled: true, AttributeName: "expiresAt" });
      const after = await client.send(new DescribeTimeToLiveCommand({ TableName }));
      expect(["ENABLING", "ENABLED"]).toContain(after.TimeToLiveDescription?.TimeToLiveStatus);
      expect(after.TimeToLiveDescription?.AttributeName).toBe("expiresAt");
    },
  },
  {
    name: "refuses to switch TTL on twice and keeps the first attribute",
    async run({ client, table }) {
      const TableName = await table();
      const enable = (AttributeName: string) =>
        client.send(
          new UpdateTimeToLiveCommand({
            TableName,
            TimeToLiveSpecification: { Enabled: true, AttributeName },
          }),
        );
      await enable("expiresAt");
      await refused(enable("other"), "ValidationException");
      const after = await client.send(new DescribeTimeToLiveCommand({ TableName }));
      expect(after.TimeToLiveDescription?.AttributeName).toBe("expiresAt");
    },
  },
  {
    name: "refuses to switch off a TTL that is off",
    async run({ client, table }) {
      const TableName = await table();
      await refused(
        client.send(
          new UpdateTimeToLiveCommand({
            TableName,
            TimeToLiveSpecification: { Enabled: false, AttributeName: "expiresAt" },
          }),
        ),
        "ValidationException",
        /already disabled/i,
      );
    },
  },
  {
    name: "says ResourceNotFoundException for the TTL of a table that is not there",
    async run({ client, newName }) {
      const TableName = newName();
      await refused(client.send(new DescribeTimeToLiveCommand({ TableName })), "ResourceNotFoundException");
      await refused(
        client.send(
          new UpdateTimeToLiveCommand({
            TableName,
            TimeToLiveSpecification: { Enabled: true, AttributeName: "expiresAt" },
          }),
        ),
        "ResourceNotFoundException",
      );
    },
  },
  {
    name: "has point-in-time recovery off until it is switched on, for 35 days by default",
    async run({ client, table }) {
      const TableName = await table();
      const before = await client.send(new DescribeContinuousBackupsCommand({ TableName }));
      expect(before.ContinuousBackupsDescription).toMatchObject({
        ContinuousBackupsStatus: "ENABLED",
        PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: "DISABLED" },
      });
      await recover(client, TableName, { PointInTimeRecoveryEnabled: true });
      expect(await recovery(client, TableName)).toMatchObject({
        PointInTimeRecoveryStatus: "ENABLED",
        RecoveryPeriodInDays: 35,
      });
    },
  },
  {
    name: "keeps the recovery period that was asked for, and switches recovery off again",
    async run({ client, table }) {
      const TableName = await table();
      await recover(client, TableName, { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 7 });
      expect(await recovery(client, TableName)).toMatchObject({
        PointInTimeRecoveryStatus: "ENABLED",
        RecoveryPeriodInDays: 7,
      });
      await recover(client, TableName, { PointInTimeRecoveryEnabled: false });
      expect((await recovery(client, TableName))?.PointInTimeRecoveryStatus).toBe("DISABLED");
    },
  },
  {
    name: "refuses a recovery period outside 1 to 35 days",
    async run({ client, table }) {
      const TableName = await table();
      for (const RecoveryPeriodInDays of [0, 36])
        await refused(
          recover(client, TableName, { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays }),
          "ValidationException",
        );
      expect((await recovery(client, TableName))?.PointInTimeRecoveryStatus).toBe("DISABLED");
    },
  },
  {
    name: "says TableNotFoundException for the continuous backups of a table that is not there",
    async run({ client, newName }) {
      const TableName = newName();
      await refused(
        client.send(new DescribeContinuousBackupsCommand({ TableName })),
        "TableNotFoundException",
      );
      await refused(
        client.send(
          new UpdateContinuousBackupsCommand({
            TableName,
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          }),
        ),
        "TableNotFoundException",
      );
    },
  },
  {
    name: "adds, replaces and removes tags one by one",
    async run({ client, table }) {
      const arn = await arnOf(client, await table());
      await client.send(
        new TagResourceCommand({
          ResourceArn: arn,
          Tags: [
            { Key: "project", Value: "mawps" },
            { Key: "stufe", Value: "größer" },
          ],
        }),
      );
      await client.send(
        new TagResourceCommand({ ResourceArn: arn, Tags: [{ Key: "project", Value: "other" }] }),
      );
      expect(await tagsOf(client, arn, 2)).toEqual(["project=other", "stufe=größer"]);
      await client.send(new UntagResourceCommand({ ResourceArn: arn, TagKeys: ["stufe", "absent"] }));
      expect(await tagsOf(client, arn, 1)).toEqual(["project=other"]);
    },
  },
  {
    name: "keeps the tags given at creation",
    async run({ client, newName }) {
      const name = newName();
      await client.send(new CreateTableCommand(createInput(name, { Tags: [{ Key: "empty", Value: "" }] })));
      await untilActive(client, name);
      expect(await tagsOf(client, await arnOf(client, name), 1)).toEqual(["empty="]);
    },
  },
  {
    name: "refuses tags for a table that is not there",
    async run({ client, table }) {
      const arn = `${await arnOf(client, await table())}-absent`;
      await refused(
        client.send(new TagResourceCommand({ ResourceArn: arn, Tags: [{ Key: "a", Value: "b" }] })),
        "ResourceNotFoundException",
      );
    },
  },
];

/** AWS refuses for up to some minutes after a table's creation, while it prepares the backups. */
const preparationMs = 300_000;

async function recover(
  client: DynamoDBClient,
  TableName: string,
  PointInTimeRecoverySpecification: PointInTimeRecoverySpecification,
): Promise<void> {
  const update = new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification });
  const done = await eventually(
    () =>
      client.send(update).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Error && error.name === "ContinuousBackupsUnavailableException") return false;
          throw error;
        },
      ),
    (sent) => sent,
    preparationMs,
  );
  expect(done).toBe(true);
}

async function recovery(client: DynamoDBClient, TableName: string) {
  const answer = await client.send(new DescribeContinuousBackupsCommand({ TableName }));
  return answer.ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
}

async function arnOf(client: DynamoDBClient, TableName: string): Promise<string> {
  const { Table: table } = await client.send(new DescribeTableCommand({ TableName }));
  return table?.TableArn ?? "";
}

/** Sorted `key=value`, once there are as many as expected. */
async function tagsOf(client: DynamoDBClient, arn: string, count: number): Promise<string[]> {
  const tags = await eventually(
    async () => (await client.send(new ListTagsOfResourceCommand({ ResourceArn: arn }))).Tags ?? [],
    (found) => found.length === count,
  );
  return tags.map((tag) => `${tag.Key}=${tag.Value}`).toSorted();
}
