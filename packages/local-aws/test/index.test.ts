import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateTableCommand, DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { S3Client, CreateBucketCommand, ListBucketsCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { localClosed, localCredentials, localDynamoDb, localS3, openStore } from "../src/index.ts";

const region = "eu-central-1";
let dir: string;

beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), "local-aws-")), "store");
});

afterEach(() => rm(join(dir, ".."), { recursive: true, force: true }));

/** Clients as another project makes them. */
function clients() {
  const credentials = localCredentials(dir);
  return {
    s3: new S3Client({ region, credentials, requestHandler: localS3(dir) }),
    dynamodb: new DynamoDBClient({ region, credentials, requestHandler: localDynamoDb(dir) }),
  };
}

test("clients share a folder, and find there what others left, once those are destroyed", async () => {
  const first = clients();
  await Promise.all([
    first.s3.send(new CreateBucketCommand({ Bucket: "pictures" })),
    first.dynamodb.send(
      new CreateTableCommand({
        TableName: "people",
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
        AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      }),
    ),
  ]);
  first.s3.destroy();
  // The other one still has the folder.
  expect((await first.dynamodb.send(new ListTablesCommand())).TableNames).toEqual(["people"]);
  await expect(openStore(dir, { region, now: () => new Date(), waitMs: 0 })).rejects.toMatchObject({
    fault: "in-use",
    pid: process.pid,
  });
  first.dynamodb.destroy();
  const second = clients();
  const { Buckets } = await second.s3.send(new ListBucketsCommand());
  expect(Buckets?.map(({ Name }) => Name)).toEqual(["pictures"]);
  second.s3.destroy();
  second.dynamodb.destroy();
  await localClosed(dir);
  await (await openStore(dir, { region, now: () => new Date(), waitMs: 0 })).close();
});
