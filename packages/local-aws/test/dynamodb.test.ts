import {
  CreateBackupCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  paginateQuery,
  PutItemCommand,
  QueryCommand,
  RestoreTableFromBackupCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDatabase, under } from "../src/json-database.ts";
import { openDynamoDb } from "../src/dynamodb/open.ts";
import type { LocalService } from "../src/service.ts";
import { clientOf, credentials, makeTable, region } from "./dynamodb-client.ts";

const TableName = "things";
let dir: string;
let service: LocalService;
let client: DynamoDBClient;

async function openAgain(): Promise<void> {
  await service.close();
  await open();
}

async function open(): Promise<void> {
  service = await openDynamoDb(dir, {
    region,
    credentials,
    now: () => new Date(),
    putObject: () => Promise.reject(new Error("there is no S3 end beside this one")),
  });
  client = clientOf(service);
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "mawps-dynamodb-"));
  await open();
  await makeTable(client, TableName);
});

afterEach(async () => {
  await service.close();
  await rm(dir, { recursive: true });
});

async function put(pk: string, group = "all"): Promise<void> {
  await client.send(new PutItemCommand({ TableName, Item: { pk: { S: pk }, group: { S: group } } }));
}

async function keysIn(group: string, Limit = 7): Promise<string[]> {
  const found: string[] = [];
  const input = {
    TableName,
    IndexName: "group",
    Limit,
    KeyConditionExpression: "#g = :g",
    ExpressionAttributeNames: { "#g": "group" },
    ExpressionAttributeValues: { ":g": { S: group } },
  };
  for await (const page of paginateQuery({ client }, input)) {
    for (const item of page.Items ?? []) found.push(item["pk"]?.S ?? "");
  }
  return found.sort();
}

/** All keys that the closed database holds. */
async function storedKeys(): Promise<string[]> {
  await service.close();
  const database = await openDatabase(dir, { sync: false });
  const keys = await database.keys({});
  await database.close();
  await open();
  return keys;
}

describe("what outlives the process", () => {
  test("items, index rows, counts and settings are there after opening again", async () => {
    await put("a", "one");
    await put("b", "two");
    await client.send(
      new UpdateTimeToLiveCommand({
        TableName,
        TimeToLiveSpecification: { AttributeName: "until", Enabled: true },
      }),
    );
    await openAgain();
    expect(await keysIn("two")).toEqual(["b"]);
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    expect(Table).toMatchObject({
      TableStatus: "ACTIVE",
      ItemCount: 2,
      TableArn: `arn:aws:dynamodb:eu-central-1:000000000000:table/${TableName}`,
      GlobalSecondaryIndexes: [{ IndexName: "group", IndexStatus: "ACTIVE", ItemCount: 2 }],
    });
  });

  test("a table made anew under an old name is empty, and nothing of the old one stays on the disk", async () => {
    await put("a");
    await client.send(new DeleteTableCommand({ TableName }));
    await makeTable(client, TableName);
    expect((await client.send(new ScanCommand({ TableName }))).Items).toEqual([]);
    expect(await keysIn("all")).toEqual([]);
    expect((await storedKeys()).filter((key) => !key.startsWith("table~"))).toEqual([]);
  });

  test("the next deletion finishes one that was broken off", async () => {
    await put("a");
    await service.close();
    const database = await openDatabase(dir, { sync: false });
    const [tableId] = (await database.keys(under("item~"))).map((key) => key.split("~")[1] ?? "");
    await database.write([
      { type: "del", key: `table~${TableName}` },
      { type: "put", key: `trash~${tableId ?? ""}`, value: true },
    ]);
    await database.close();
    await open();
    await makeTable(client, "another");
    await client.send(new DeleteTableCommand({ TableName: "another" }));
    expect(await storedKeys()).toEqual([]);
  });

  test("the token of a transaction is still known after opening again", async () => {
    await put("a");
    const transaction = new TransactWriteItemsCommand({
      ClientRequestToken: "the-same-token",
      TransactItems: [
        {
          Update: {
            TableName,
            Key: { pk: { S: "a" } },
            UpdateExpression: "ADD n :one",
            ExpressionAttributeValues: { ":one": { N: "1" } },
          },
        },
      ],
    });
    await client.send(transaction);
    await openAgain();
    await client.send(transaction);
    const { Item } = await client.send(new GetItemCommand({ TableName, Key: { pk: { S: "a" } } }));
    expect(Item?.["n"]).toEqual({ N: "1" });
  });
});

describe("indexes", () => {
  test("hold both of two items whose keys have the same hash, and pages end between them", async () => {
    // dynalite tells the rows of one index key apart by 24 bits of a hash; these two share them.
    const names = ["item-10782", "item-11308"];
    for (const pk of names) await put(pk);
    expect(await keysIn("all", 1)).toEqual(names);
    expect(await keysIn("all", 100)).toEqual(names);
  });

  test("read backwards from where a page ended", async () => {
    for (const pk of ["a", "b", "c", "d", "e"]) await put(pk);
    const query = {
      TableName,
      IndexName: "group",
      ScanIndexForward: false,
      KeyConditionExpression: "#g = :g",
      ExpressionAttributeNames: { "#g": "group" },
      ExpressionAttributeValues: { ":g": { S: "all" } },
    };
    const whole = await client.send(new QueryCommand(query));
    const first = await client.send(new QueryCommand({ ...query, Limit: 2 }));
    const rest = await client.send(
      new QueryCommand({
        ...query,
        ExclusiveStartKey: first.LastEvaluatedKey,
      }),
    );
    expect([...(first.Items ?? []), ...(rest.Items ?? [])]).toEqual(whole.Items);
  });

  test("come back with a restored backup", async () => {
    await put("a", "one");
    const { BackupDetails } = await client.send(new CreateBackupCommand({ TableName, BackupName: "before" }));
    await put("a", "two");
    const BackupArn = BackupDetails?.BackupArn;
    await client.send(new RestoreTableFromBackupCommand({ BackupArn, TargetTableName: "restored" }));
    const { Items } = await client.send(new ScanCommand({ TableName: "restored", IndexName: "group" }));
    expect(Items).toEqual([{ pk: { S: "a" }, group: { S: "one" } }]);
  });
});

describe("one step at a time", () => {
  test("increments that arrive together all count", async () => {
    const increment = () =>
      client.send(
        new UpdateItemCommand({
          TableName,
          Key: { pk: { S: "counter" } },
          UpdateExpression: "SET n = if_not_exists(n, :none) + :one",
          ExpressionAttributeValues: { ":none": { N: "0" }, ":one": { N: "1" } },
        }),
      );
    await Promise.all(Array.from({ length: 50 }, increment));
    const { Item } = await client.send(new GetItemCommand({ TableName, Key: { pk: { S: "counter" } } }));
    expect(Item?.["n"]).toEqual({ N: "50" });
  });

  test("an update sees the item as it was before it, lists included", async () => {
    const letters = (...names: string[]) => ({ L: names.map((name) => ({ S: name })) });
    await client.send(
      new PutItemCommand({ TableName, Item: { pk: { S: "a" }, list: letters("p", "q", "r", "s") } }),
    );
    const { Attributes } = await client.send(
      new UpdateItemCommand({
        TableName,
        Key: { pk: { S: "a" } },
        UpdateExpression: "SET kept = #l REMOVE #l[0], #l[2]",
        ExpressionAttributeNames: { "#l": "list" },
        ReturnValues: "ALL_NEW",
      }),
    );
    expect(Attributes).toEqual({
      pk: { S: "a" },
      list: letters("q", "s"),
      kept: letters("p", "q", "r", "s"),
    });
  });
});

describe("conditions", () => {
  const item = {
    pk: { S: "a" },
    map: { M: { x: { L: [{ N: "1" }, { NULL: true as const }] } } },
    set: { SS: ["a", "b"] },
    bytes: { B: Uint8Array.of(0xff, 0xfe, 0x00) },
    empty: { S: "" },
    n: { N: "-1.5" },
  };
  const cases: readonly (readonly [string, boolean, Record<string, object>])[] = [
    ["#a = :v", true, { map: { M: { x: { L: [{ N: "1" }, { NULL: true }] } } } }],
    ["#a = :v", false, { map: { M: { x: { L: [{ N: "1" }] } } } }],
    ["#a = :v", true, { set: { SS: ["b", "a"] } }],
    ["#a = :v", false, { set: { SS: ["a", "c"] } }],
    ["begins_with(#a, :v)", true, { bytes: { B: Uint8Array.of(0xff) } }],
    ["begins_with(#a, :v)", false, { bytes: { B: Uint8Array.of(0xfe) } }],
    ["contains(#a, :v)", true, { bytes: { B: Uint8Array.of(0xfe, 0) } }],
    ["size(#a) = :v", true, { empty: { N: "0" } }],
    ["#a < :v", true, { n: { N: "-1.49" } }],
    ["#a < :v", false, { n: { S: "9" } }],
    ["#a <> :v", true, { missing: { S: "x" } }],
    ["#a BETWEEN :v AND pk", false, { n: { N: "-2" } }],
  ];

  test.each(cases)("%s is %s for %j", async (FilterExpression, expected, named) => {
    await client.send(new PutItemCommand({ TableName, Item: item }));
    const [[name, value] = []] = Object.entries(named);
    const { Count } = await client.send(
      new ScanCommand({
        TableName,
        FilterExpression,
        ExpressionAttributeNames: { "#a": name ?? "" },
        ExpressionAttributeValues: { ":v": value as never },
      }),
    );
    expect(Count).toBe(expected ? 1 : 0);
  });
});
