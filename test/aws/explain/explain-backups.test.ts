import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Aws } from "../../../src/aws/clients.ts";
import { explain } from "../../../src/aws/explain/explain.ts";
import { beginNativeBackup, beginRestoreFromBackup } from "../../../src/aws/dynamodb/native-backups.ts";
import { beginRestoreToTime } from "../../../src/aws/dynamodb/table-recovery.ts";
import { startFaultyServer, type FaultyServer } from "../../support/faulty-server.ts";

let server: FaultyServer;

beforeEach(async () => {
  server = await startFaultyServer();
});

afterEach(() => server.close());

const restoreToTime = (aws: Aws) =>
  beginRestoreToTime(aws, { source: "profiles", target: "before", at: "latest" });
const restoreFromBackup = (aws: Aws) => beginRestoreFromBackup(aws, { arn: "arn:x", target: "before" });
const create = (aws: Aws) => beginNativeBackup(aws, { table: "profiles", name: "nightly" });

/** What a person reads when DynamoDB answers with this error. */
async function explained(type: string, message: string, call: (aws: Aws) => Promise<unknown>) {
  server.fault = () => ({
    status: 400,
    headers: { "content-type": "application/x-amz-json-1.0" },
    body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message }),
  });
  const error = await call(server.aws()).then(
    () => expect.unreachable("the call should have failed"),
    (thrown: unknown) => thrown,
  );
  const told = explain(error, { region: "eu-central-1" });
  return `${told?.message ?? "nothing"} | ${told?.hint ?? ""}`;
}

describe("what DynamoDB refuses of its own backups", () => {
  test.for([
    [
      "TableNotFoundException",
      "Table not found: profiles",
      create,
      /^table profiles does not exist \|.*native list/,
    ],
    ["TableNotFoundException", "Table not found: profiles", restoreToTime, /^the table does not exist \|/],
    [
      "BackupNotFoundException",
      "Backup not found: arn:x",
      restoreFromBackup,
      /^DynamoDB has no such backup \|/,
    ],
    [
      "PointInTimeRecoveryUnavailableException",
      "Point in time recovery is not enabled for table 'profiles'",
      restoreToTime,
      /^point-in-time recovery of the table is off \|.*mawps backup pitr enable/,
    ],
    [
      "InvalidRestoreTimeException",
      "An invalid restore time was specified.",
      restoreToTime,
      /^DynamoDB does not have that moment: An invalid restore time was specified\. \|.*pitr status/,
    ],
    [
      "TableAlreadyExistsException",
      "Table already exists: before",
      restoreFromBackup,
      /^a table of that name already exists; nothing was changed \|/,
    ],
    ["BackupInUseException", "in use", create, /^DynamoDB is busy with this table or backup \|/],
  ] as const)("is told: %s", async ([type, message, call, told]) => {
    expect(await explained(type, message, call)).toMatch(told);
  });
});
