import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  RestoreTableToPointInTimeCommand,
  UpdateContinuousBackupsCommand,
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

/** Point-in-time recovery: the window it names, and new tables made from it. */
export const recoveryChecks: readonly Check[] = [
  {
    name: "names the first and the last moment that can be restored",
    async run(scope) {
      const TableName = await scope.table();
      await recoverable(scope, TableName);
      const { ContinuousBackupsDescription: described } = await scope.client.send(
        new DescribeContinuousBackupsCommand({ TableName }),
      );
      const window = described?.PointInTimeRecoveryDescription;
      expect(window?.PointInTimeRecoveryStatus).toBe("ENABLED");
      const earliest = window?.EarliestRestorableDateTime?.getTime() ?? Number.NaN;
      const latest = window?.LatestRestorableDateTime?.getTime() ?? Number.NaN;
      // A table just made: AWS names a last moment that is a little later than the first.
      expect(latest).toBeGreaterThanOrEqual(earliest);
      expect(Math.abs(latest - Date.now())).toBeLessThan(15 * 60_000);
    },
  },
  {
    name: "restores the latest state into a new table, without TTL, recovery and deletion protection",
    async run(scope) {
      const TableName = await scope.table({ sort: "N", DeletionProtectionEnabled: true });
      await scope.client.send(
        new UpdateTimeToLiveCommand({
          TableName,
          TimeToLiveSpecification: { Enabled: true, AttributeName: "expiresAt" },
        }),
      );
      const item = {
        pk: text("a"),
        sk: number(1),
        long: number("12345678901234567890123456789012345678"),
        set: { SS: ["x", "ä"] },
        bytes: { B: Uint8Array.of(0, 255) },
      };
      await put(scope, TableName, item);
      await recoverable(scope, TableName);
      const target = scope.newName();
      await restoreLatest(scope, TableName, target);
      await untilActive(scope.client, target);
      expect((await allByScan(scope, target)).length).toBe(1);
      expect(inOrder(await get(scope, target, { pk: text("a"), sk: number(1) }))).toEqual(inOrder(item));
      const { Table: table } = await scope.client.send(new DescribeTableCommand({ TableName: target }));
      expect(table).toMatchObject({
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "sk", KeyType: "RANGE" },
        ],
        DeletionProtectionEnabled: false,
        RestoreSummary: { RestoreInProgress: false },
      });
      expect(table?.RestoreSummary?.SourceTableArn).toMatch(new RegExp(`:table/${TableName}$`));
      expect(table?.RestoreSummary?.RestoreDateTime).toBeInstanceOf(Date);
      const ttl = await scope.client.send(new DescribeTimeToLiveCommand({ TableName: target }));
      expect(ttl.TimeToLiveDescription?.TimeToLiveStatus).toBe("DISABLED");
      const { ContinuousBackupsDescription: recovery } = await scope.client.send(
        new DescribeContinuousBackupsCommand({ TableName: target }),
      );
      expect(recovery?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus).toBe("DISABLED");
    },
  },
  {
    name: "does not restore a table to a point in time while its recovery is off",
    async run(scope) {
      const source = await scope.table();
      const target = scope.newName();
      await refused(restoreLatest(scope, source, target), "PointInTimeRecoveryUnavailableException");
      await refused(
        scope.client.send(new DescribeTableCommand({ TableName: target })),
        "ResourceNotFoundException",
      );
    },
  },
  {
    name: "refuses to restore a time before recovery was switched on, and one to come",
    async run(scope) {
      const source = await scope.table();
      await recoverable(scope, source);
      for (const ms of [-24 * 3_600_000, 3_600_000]) {
        await refused(
          scope.client.send(
            new RestoreTableToPointInTimeCommand({
              SourceTableName: source,
              TargetTableName: scope.newName(),
              RestoreDateTime: new Date(Date.now() + ms),
            }),
          ),
          "InvalidRestoreTimeException",
        );
      }
    },
  },
  {
    name: "does not restore to a point in time over a table that is there",
    async run(scope) {
      const source = await scope.table();
      const standing = await scope.table();
      await put(scope, standing, { pk: text("stays") });
      await recoverable(scope, source);
      await refused(restoreLatest(scope, source, standing), "TableAlreadyExistsException");
      expect(await allByScan(scope, standing)).toEqual([{ pk: text("stays") }]);
    },
  },
  {
    name: "says TableNotFoundException for the restore of a table that is not there",
    async run(scope) {
      await refused(restoreLatest(scope, scope.newName(), scope.newName()), "TableNotFoundException");
    },
  },
];

function restoreLatest(scope: Scope, source: string, target: string): Promise<unknown> {
  return scope.client.send(
    new RestoreTableToPointInTimeCommand({
      SourceTableName: source,
      TargetTableName: target,
      UseLatestRestorableTime: true,
    }),
  );
}

/** AWS needs some seconds after a table's creation, and some more until there is a moment to restore. */
const recoveryMs = 300_000;

/** Switches recovery on and waits until the present can be restored. */
export async function recoverable({ client }: Scope, TableName: string): Promise<void> {
  const change = new UpdateContinuousBackupsCommand({
    TableName,
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  });
  await eventually(
    () =>
      client.send(change).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Error && error.name === "ContinuousBackupsUnavailableException") return false;
          throw error;
        },
      ),
    (isOn) => isOn,
    recoveryMs,
  );
}
