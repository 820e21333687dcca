import {
  CreateBackupCommand,
  DeleteBackupCommand,
  DescribeBackupCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  ListBackupsCommand,
  type ListBackupsCommandOutput,
  RestoreTableFromBackupCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { expect } from "vitest";
import {
  allByScan,
  type Check,
  eventually,
  get,
  inOrder,
  number,
  put,
  refused,
  type Scope,
  text,
  untilActive,
} from "./check.ts";

/** On-demand backups: made, listed, restored into a new table, deleted. */
export const backupChecks: readonly Check[] = [
  {
    name: "makes, describes and lists a backup of one table",
    async run(scope) {
      const TableName = await scope.table({ sort: "S" });
      const other = await scope.table();
      await put(scope, TableName, { pk: text("a"), sk: text("1") });
      const arn = await backup(scope, TableName, "nightly");
      try {
        const { BackupDescription: described } = await scope.client.send(
          new DescribeBackupCommand({ BackupArn: arn }),
        );
        expect(described?.BackupDetails).toMatchObject({
          BackupArn: arn,
          BackupName: "nightly",
          BackupStatus: "AVAILABLE",
          BackupType: "USER",
        });
        expect(described?.BackupDetails?.BackupCreationDateTime).toBeInstanceOf(Date);
        expect(described?.SourceTableDetails).toMatchObject({
          TableName,
          KeySchema: [
            { AttributeName: "pk", KeyType: "HASH" },
            { AttributeName: "sk", KeyType: "RANGE" },
          ],
          BillingMode: "PAY_PER_REQUEST",
        });
        expect(await backupsOf(scope, TableName)).toEqual([arn]);
        expect(await backupsOf(scope, other)).toEqual([]);
      } finally {
        await scope.client.send(new DeleteBackupCommand({ BackupArn: arn }));
      }
    },
  },
  {
    name: "restores items of every type as they stood when the backup was made",
    async run(scope) {
      const TableName = await scope.table();
      const item = {
        pk: text("a"),
        long: number("12345678901234567890123456789012345678"),
        set: { SS: ["x", "ä"] },
        bytes: { B: Uint8Array.of(0, 255) },
        empty: text(""),
      };
      await put(scope, TableName, item, { pk: text("b") });
      const arn = await backup(scope, TableName, "before");
      try {
        await put(scope, TableName, { pk: text("a"), changed: text("later") }, { pk: text("c") });
        const target = await restore(scope, arn);
        expect((await allByScan(scope, target)).map((found) => found["pk"]?.S ?? "").toSorted()).toEqual([
          "a",
          "b",
        ]);
        expect(inOrder(await get(scope, target, { pk: text("a") }))).toEqual(inOrder(item));
        expect(await get(scope, TableName, { pk: text("a") })).toEqual({
          pk: text("a"),
          changed: text("later"),
        });
      } finally {
        await scope.client.send(new DeleteBackupCommand({ BackupArn: arn }));
      }
    },
  },
  {
    name: "restores keys and indexes, but neither TTL nor deletion protection",
    async run(scope) {
      const TableName = await scope.table({
        sort: "N",
        attributes: [{ AttributeName: "gk", AttributeType: "S" }],
        GlobalSecondaryIndexes: [
          {
            IndexName: "global",
            KeySchema: [{ AttributeName: "gk", KeyType: "HASH" }],
            Projection: { ProjectionType: "ALL" },
          },
        ],
        DeletionProtectionEnabled: true,
      });
      await scope.client.send(
        new UpdateTimeToLiveCommand({
          TableName,
          TimeToLiveSpecification: { Enabled: true, AttributeName: "expiresAt" },
        }),
      );
      const arn = await backup(scope, TableName, "with-index");
      try {
        const target = await restore(scope, arn);
        const { Table: table } = await scope.client.send(new DescribeTableCommand({ TableName: target }));
        expect(table).toMatchObject({
          KeySchema: [
            { AttributeName: "pk", KeyType: "HASH" },
            { AttributeName: "sk", KeyType: "RANGE" },
          ],
          GlobalSecondaryIndexes: [{ IndexName: "global" }],
          DeletionProtectionEnabled: false,
        });
        const ttl = await scope.client.send(new DescribeTimeToLiveCommand({ TableName: target }));
        expect(ttl.TimeToLiveDescription?.TimeToLiveStatus).toBe("DISABLED");
      } finally {
        await scope.client.send(new DeleteBackupCommand({ BackupArn: arn }));
      }
    },
  },
  {
    name: "does not restore over a table that is there",
    async run(scope) {
      const TableName = await scope.table();
      const standing = await scope.table();
      await put(scope, standing, { pk: text("stays") });
      const arn = await backup(scope, TableName, "other");
      try {
        await refused(
          scope.client.send(new RestoreTableFromBackupCommand({ BackupArn: arn, TargetTableName: standing })),
          "TableAlreadyExistsException",
        );
        expect(await allByScan(scope, standing)).toEqual([{ pk: text("stays") }]);
      } finally {
        await scope.client.send(new DeleteBackupCommand({ BackupArn: arn }));
      }
    },
  },
  {
    name: "keeps no backup after it was deleted",
    async run(scope) {
      const TableName = await scope.table();
      const arn = await backup(scope, TableName, "short-lived");
      await scope.client.send(new DeleteBackupCommand({ BackupArn: arn }));
      expect(
        await eventually(
          () => backupsOf(scope, TableName),
          (arns) => arns.length === 0,
        ),
      ).toEqual([]);
      for (const call of [
        () => scope.client.send(new DescribeBackupCommand({ BackupArn: arn })),
        () => scope.client.send(new DeleteBackupCommand({ BackupArn: arn })),
        () =>
          scope.client.send(
            new RestoreTableFromBackupCommand({ BackupArn: arn, TargetTableName: scope.newName() }),
          ),
      ])
        await refused(call(), "BackupNotFoundException");
    },
  },
  {
    name: "says TableNotFoundException for a backup of a table that is not there",
    async run(scope) {
      await refused(
        scope.client.send(new CreateBackupCommand({ TableName: scope.newName(), BackupName: "nothing" })),
        "TableNotFoundException",
      );
    },
  },
];

/** AWS takes up to some minutes, local servers no time. */
const backupMs = 300_000;

/** Makes a backup and waits until it can be restored. */
async function backup(scope: Scope, TableName: string, BackupName: string): Promise<string> {
  const arn = await eventually(
    () =>
      scope.client.send(new CreateBackupCommand({ TableName, BackupName })).then(
        (answer) => answer.BackupDetails?.BackupArn ?? "",
        (error: unknown) => {
          // AWS needs some seconds after a table's creation before it can be backed up.
          if (error instanceof Error && error.name === "ContinuousBackupsUnavailableException")
            return undefined;
          throw error;
        },
      ),
    (made) => made !== undefined,
    backupMs,
  );
  if (arn === undefined) throw new Error("no backup could be made");
  await eventually(
    async () => {
      const answer = await scope.client.send(new DescribeBackupCommand({ BackupArn: arn }));
      return answer.BackupDescription?.BackupDetails?.BackupStatus;
    },
    (status) => status === "AVAILABLE",
    backupMs,
  );
  return arn;
}

async function restore(scope: Scope, arn: string): Promise<string> {
  const target = scope.newName();
  await scope.client.send(new RestoreTableFromBackupCommand({ BackupArn: arn, TargetTableName: target }));
  await untilActive(scope.client, target);
  return target;
}

async function backupsOf(scope: Scope, TableName: string): Promise<string[]> {
  const arns: string[] = [];
  let start: string | undefined;
  do {
    const page: ListBackupsCommandOutput = await scope.client.send(
      new ListBackupsCommand({ TableName, ExclusiveStartBackupArn: start }),
    );
    for (const summary of page.BackupSummaries ?? []) arns.push(summary.BackupArn ?? "");
    start = page.LastEvaluatedBackupArn;
  } while (start !== undefined);
  return arns;
}
