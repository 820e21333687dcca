import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connect, type Aws } from "../../../src/aws/clients.ts";
import { getRawItems } from "../../../src/aws/raw/get-raw-items.ts";
import { putRawItems } from "../../../src/aws/raw/put-raw-items.ts";
import { writeRawItems, type LeftItem } from "../../../src/aws/raw/write-raw-items.ts";
import { requestHandler } from "@mawps/local-aws/src/request-handler.ts";
import { openStore, type LocalStore } from "@mawps/local-aws/src/store.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { throttled, type Strain } from "../../support/throttled.ts";
import { itemsOfEveryType } from "../../support/typed-items.ts";

let folder = "";
let store: LocalStore;
let strain: (operation: string, call: number) => Strain;
let operations: string[];
let aws: Aws;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-test-"));
  store = await openStore(join(folder, "store"), { region: "eu-central-1", now: () => new Date() });
  strain = () => "none";
  operations = [];
  aws = connect({
    region: "eu-central-1",
    endpointUrl: "http://127.0.0.1",
    credentials: store.credentials,
    limits: { firstDelayMs: 1 },
    end: async () =>
      requestHandler(
        throttled(await store.dynamodb(), (operation, call) => {
          operations.push(operation);
          return strain(operation, call);
        }),
      ),
  });
  await (
    await aws.dynamodb()
  ).send(
    new CreateTableCommand({
      TableName: "things",
      KeySchema: [{ AttributeName: "userId", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "userId", AttributeType: "S" }],
      BillingMode: "PAY_PER_REQUEST",
    }),
  );
});

afterEach(async () => {
  aws.close();
  await store.close();
  await rm(folder, { recursive: true });
});

async function* batchesOf(items: readonly JsonObject[], size = 7): AsyncGenerator<readonly JsonObject[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

const many = (count: number): JsonObject[] =>
  Array.from({ length: count }, (_, at) => ({
    userId: { S: `user-${at}` },
    text: { S: "x".repeat(at % 50) },
  }));

const keyOf = (item: JsonObject): JsonObject => ({ userId: item["userId"] });

async function stored(items: readonly JsonObject[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (let at = 0; at < items.length; at += 100) {
    const keys = items.slice(at, at + 100).map(keyOf);
    for (const item of await getRawItems(aws, { table: "things", keys }))
      found.set(JSON.stringify(item["userId"]), JSON.stringify(item));
  }
  return found;
}

async function write(
  items: readonly JsonObject[],
  attempts = 20,
): Promise<{ written: number; left: LeftItem[] }> {
  const left: LeftItem[] = [];
  let written = 0;
  await writeRawItems(aws, {
    table: "things",
    items: batchesOf(items),
    onWritten: (more) => (written += more),
    onLeft: (item) => left.push(item),
    attempts,
  });
  return { written, left };
}

async function expectAll(items: readonly JsonObject[]): Promise<void> {
  const found = await stored(items);
  expect(found).toEqual(new Map(items.map((item) => [JSON.stringify(item["userId"]), JSON.stringify(item)])));
}

describe("writing lines without looking", () => {
  it("keeps items of every type as their text was", async () => {
    const items = itemsOfEveryType();
    expect(await write(items)).toEqual({ written: items.length, left: [] });
    await expectAll(items);
  });

  it("sends at most 25 items and 16 MB a call", async () => {
    const large = Array.from({ length: 60 }, (_, at) => ({
      userId: { S: `large-${at}` },
      text: { S: "ä".repeat(200_000) },
    }));
    expect(await write([...many(60), ...large])).toEqual({ written: 120, left: [] });
    await expectAll(large);
  });

  it("brings all there although every third batch is put off, some by half, and others are answered 503", async () => {
    strain = (operation, call) =>
      operation !== "BatchWriteItem"
        ? "none"
        : call % 3 === 0
          ? "unprocessed"
          : call % 5 === 0
            ? "half"
            : call % 7 === 0
              ? "503"
              : "none";
    const items = many(500);
    const { written, left } = await write(items);
    expect({ written, left }).toEqual({ written: 500, left: [] });
    await expectAll(items);
  });

  it("tells what is put off to the end, and writes all the rest", async () => {
    let call = 0;
    // One lane's items never come through, whichever lane that is.
    strain = (operation) => (operation === "BatchWriteItem" && call++ % 2 === 0 ? "unprocessed" : "none");
    const { written, left } = await write(many(100), 1);
    expect(written + left.length).toBe(100);
    expect(left.length).toBeGreaterThan(0);
    expect((await stored(many(100))).size).toBe(written);
    expect(left[0]?.why).toContain("put it off 1 times");
  });

  it("tells the item that the table does not take, and writes its neighbours", async () => {
    const lines = [{ userId: { S: "a" } }, { userId: { N: "1" } }, { userId: { S: "b" } }];
    const { written, left } = await write(lines);
    expect(written).toBe(2);
    expect(left.map(({ item }) => item)).toEqual([{ userId: { N: "1" } }]);
  });

  it("ends with DynamoDB's error where the table is missing", async () => {
    const gone = writeRawItems(aws, {
      table: "gone",
      items: batchesOf(many(300)),
      onLeft: () => undefined,
    });
    await expect(gone).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });
});

describe("putting lines under conditions", () => {
  const put = (puts: readonly { item: JsonObject; over?: JsonObject }[]) =>
    putRawItems(aws, {
      table: "things",
      partition: "userId",
      puts: puts.map(({ item, over }) => ({ item, over })),
    });

  it("puts items of every type where none are", async () => {
    const items = itemsOfEveryType();
    expect(await put(items.map((item) => ({ item })))).toBe("written");
    await expectAll(items);
  });

  it("replaces what is as it was seen, whatever its types", async () => {
    const items = itemsOfEveryType().filter(({ userId }) => JSON.stringify(userId) !== '{"S":"large"}');
    await write(items);
    const changed = items.map((item) => ({ ...item, more: { N: "1" } }));
    expect(await put(changed.map((item, at) => ({ item, over: items[at] ?? {} })))).toBe("written");
    await expectAll(changed);
  });

  it.each([
    ["something stands where nothing was", undefined],
    ["another value stands there", { userId: { S: "a" }, n: { N: "1" } }],
  ])("puts none of them when %s", async (_name, over) => {
    await write([{ userId: { S: "a" }, n: { N: "2" } }]);
    const item = { userId: { S: "a" }, n: { N: "3" } };
    expect(
      await put([{ item: { userId: { S: "b" } } }, over === undefined ? { item } : { item, over }]),
    ).toBe("moved");
    await expectAll([{ userId: { S: "a" }, n: { N: "2" } }]);
    expect((await stored([{ userId: { S: "b" } }])).size).toBe(0);
  });

  it("waits while transactions are cancelled for throttling, and says so when that does not end", async () => {
    let calls = 0;
    strain = (operation) => (operation === "TransactWriteItems" && ++calls <= 2 ? "cancelled" : "none");
    expect(await put([{ item: { userId: { S: "a" } } }])).toBe("written");
    strain = (operation) => (operation === "TransactWriteItems" ? "cancelled" : "none");
    expect(await put([{ item: { userId: { S: "b" } } }])).toBe("busy");
  });
});
