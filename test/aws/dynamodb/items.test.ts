import { CreateTableCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Aws } from "../../../src/aws/clients.ts";
import { assertItemFits, itemSizeBytes } from "../../../src/aws/dynamodb/item-size.ts";
import { getItem, queryItems, scanItems, tableShape, type Item } from "../../../src/aws/dynamodb/items.ts";
import { plain, typed } from "../../../src/aws/dynamodb/plain.ts";
import { updateAttributes } from "../../../src/aws/dynamodb/update-item.ts";
import { startFaultyServer } from "../../support/faulty-server.ts";
import { openLocalAws, type LocalAws } from "../../support/local-aws.ts";

let local: LocalAws;
let aws: Aws;

/** Everything that JavaScript's own values would lose. */
const exact: Item = {
  long: { N: "12345678901234567890123456789012345678" },
  numbers: { NS: ["1", "12345678901234567890123456789012345678"] },
  strings: { SS: ["a", "ü"] },
  binary: { B: new Uint8Array([0, 255]) },
  binaries: { BS: [new Uint8Array([1])] },
  empty: { S: "" },
  nothing: { NULL: true },
  list: { L: [{ M: { "a.b-c": { BOOL: false } } }, { L: [] }] },
};

beforeAll(async () => {
  local = await openLocalAws();
  ({ aws } = local);
  await createTable("simple", ["userId"]);
  await createTable("composite", ["userId", "type"]);
  await createTable("foreign", ["pk", "sk"]);
  await createTable("renamed", ["userId", "kind"]);
});

afterAll(() => local.close());

async function createTable(TableName: string, keys: readonly string[]): Promise<void> {
  const dynamodb = await aws.dynamodb();
  await dynamodb.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: keys.map((AttributeName, at) => ({ AttributeName, KeyType: at === 0 ? "HASH" : "RANGE" })),
      AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
    }),
  );
}

async function put(table: string, item: Item): Promise<void> {
  const dynamodb = await aws.dynamodb();
  await dynamodb.send(new PutItemCommand({ TableName: table, Item: item }));
}

const key = (userId: string): Item => ({ userId: { S: userId } });

describe("the shape of a table", () => {
  test("is simple with the user's id alone", async () => {
    expect(await tableShape(aws, "simple")).toEqual({ kind: "simple" });
  });

  test("is composite with user's id and type", async () => {
    expect(await tableShape(aws, "composite")).toEqual({ kind: "composite" });
  });

  test.for([
    ["foreign", 'partition key "pk" with sort key "sk"'],
    ["renamed", 'partition key "userId" with sort key "kind"'],
  ] as const)("is refused when it is neither: %s", async ([table, found]) => {
    await expect(tableShape(aws, table)).rejects.toMatchObject({
      message: `table ${table} has ${found}`,
      hint: 'Understood are: partition key "userId" alone, or partition key "userId" with sort key "type".',
    });
  });
});

describe("an item", () => {
  test("comes back exactly as it was written", async () => {
    await put("simple", { ...key("exact"), ...exact });
    expect(await getItem(aws, { table: "simple", key: key("exact") })).toEqual({ ...key("exact"), ...exact });
    expect(await getItem(aws, { table: "simple", key: key("nobody") })).toBeUndefined();
  });

  test("is read in part", async () => {
    await put("simple", { ...key("part"), ...exact });
    const attributes = ["long", "empty"];
    expect(await getItem(aws, { table: "simple", key: key("part"), attributes })).toEqual({
      long: exact["long"],
      empty: exact["empty"],
    });
  });
});

describe("a change", () => {
  test("touches the attributes it names and no other", async () => {
    await put("simple", { ...key("change"), ...exact, "a.b": { S: "dotted" }, old: { S: "x" } });
    const outcome = await updateAttributes(aws, {
      table: "simple",
      key: key("change"),
      // A reserved word, a name with a dot, and an element inside of a list.
      set: [
        { path: "status", value: { S: "READY" } },
        { path: "a.b", value: { S: "still dotted" } },
        { path: ["list", 0, "a.b-c"], value: { BOOL: true } },
      ],
      append: [{ path: "documents", values: [{ S: "1" }] }],
      remove: ["old"],
    });
    const expected = {
      ...key("change"),
      ...exact,
      "a.b": { S: "still dotted" },
      list: { L: [{ M: { "a.b-c": { BOOL: true } } }, { L: [] }] },
      status: { S: "READY" },
      documents: { L: [{ S: "1" }] },
    };
    expect(outcome).toEqual({ applied: true, item: expected, isRepeated: false });
    expect(await getItem(aws, { table: "simple", key: key("change") })).toEqual(expected);
  });

  test("gives no item back where it is not wanted", async () => {
    await put("simple", { ...key("large"), a: { S: "1" } });
    const set = [{ path: "a", value: { S: "2" } }];
    const outcome = await updateAttributes(aws, { table: "simple", key: key("large"), set, returns: "none" });
    expect(outcome).toEqual({ applied: true, item: undefined, isRepeated: false });
    expect(await getItem(aws, { table: "simple", key: key("large") })).toMatchObject({ a: { S: "2" } });
  });

  test("gives the item before it, when asked", async () => {
    await put("simple", { ...key("before"), a: { S: "1" } });
    const set = [{ path: "a", value: { S: "2" } }];
    expect(await updateAttributes(aws, { table: "simple", key: key("before"), set, returns: "old" })).toEqual(
      {
        applied: true,
        isRepeated: false,
        item: { ...key("before"), a: { S: "1" } },
      },
    );
  });

  test("makes an item that is not there, unless it must be", async () => {
    const set = [{ path: "a", value: { S: "1" } }];
    const make = { table: "simple", key: key("made"), set };
    expect(await updateAttributes(aws, { ...make, conditions: [{ path: "userId", is: "present" }] })).toEqual(
      {
        applied: false,
        found: undefined,
        isRepeated: false,
      },
    );
    expect(
      await updateAttributes(aws, { ...make, conditions: [{ path: "userId", is: "absent" }] }),
    ).toMatchObject({
      applied: true,
    });
  });

  test("does nothing when somebody was faster, and gives what stands there", async () => {
    const documents = { L: [{ M: { id: { S: "other" } } }] };
    await put("simple", { ...key("race"), documents });
    const outcome = await updateAttributes(aws, {
      table: "simple",
      key: key("race"),
      remove: [["documents", 0]],
      conditions: [{ path: ["documents", 0, "id"], is: "equal", to: { S: "mine" } }],
    });
    expect(outcome).toEqual({ applied: false, found: { ...key("race"), documents }, isRepeated: false });
    expect(await getItem(aws, { table: "simple", key: key("race") })).toEqual({ ...key("race"), documents });
  });
});

describe("a change whose answer got lost", () => {
  const update = {
    table: "simple",
    key: key("lost"),
    set: [{ path: "a", value: { S: "2" } }],
    conditions: [{ path: "a", is: "equal", to: { S: "1" } }],
  } as const;

  async function outcomeWith(standing: Item, options: object = {}) {
    const server = await startFaultyServer();
    server.fault = () =>
      server.requests.length === 1
        ? "cut"
        : {
            status: 400,
            headers: { "content-type": "application/x-amz-json-1.0" },
            body: JSON.stringify({
              __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
              Item: standing,
            }),
          };
    const outcome = await updateAttributes(server.aws(), { ...update, ...options });
    await server.close();
    return outcome;
  }

  test("counts as done when the item stands as it makes it", async () => {
    const item = { ...key("lost"), a: { S: "2" } };
    expect(await outcomeWith(item)).toEqual({ applied: true, item, isRepeated: true });
  });

  test("counts as refused when the item stands otherwise", async () => {
    const item = { ...key("lost"), a: { S: "3" } };
    expect(await outcomeWith(item)).toEqual({ applied: false, found: item, isRepeated: true });
    const same = { ...key("lost"), a: { S: "2" } };
    const append = [{ path: "b", values: [{ S: "x" }] }];
    expect(await outcomeWith(same, { append })).toEqual({ applied: false, found: same, isRepeated: true });
  });
});

describe("many items", () => {
  const types = Array.from({ length: 25 }, (_, at) => `t${String(at).padStart(2, "0")}`);

  beforeAll(async () => {
    for (const userId of ["u1", "u2"]) {
      for (const type of types) await put("composite", { ...key(userId), type: { S: type }, ...exact });
    }
  });

  async function all(pages: AsyncIterable<readonly Item[]>): Promise<Item[]> {
    const items: Item[] = [];
    for await (const page of pages) items.push(...page);
    return items;
  }

  const query = { table: "composite", partition: { attribute: "userId", value: { S: "u1" } }, pageSize: 4 };
  const typesOf = (items: readonly Item[]) => items.map((item) => item["type"]?.S);

  test("of one partition come in order, page by page to the end", async () => {
    let units = 0;
    const items = await all(queryItems(aws, { ...query, onConsumed: (used) => (units += used) }));
    expect(typesOf(items)).toEqual(types);
    expect(items[0]).toEqual({ ...key("u1"), type: { S: "t00" }, ...exact });
    expect(units).toBeGreaterThan(0);
    expect(typesOf(await all(queryItems(aws, { ...query, descending: true })))).toEqual(types.toReversed());
  });

  test.for([
    [{ attribute: "type", equals: { S: "t03" } }, ["t03"]],
    [{ attribute: "type", beginsWith: { S: "t2" } }, ["t20", "t21", "t22", "t23", "t24"]],
    [{ attribute: "type", from: { S: "t08" }, to: { S: "t10" } }, ["t08", "t09", "t10"]],
  ] as const)("are narrowed by the sort key: %j", async ([sort, expected]) => {
    expect(typesOf(await all(queryItems(aws, { ...query, sort })))).toEqual(expected);
  });

  test("are read in part", async () => {
    const items = await all(queryItems(aws, { ...query, attributes: ["long"] }));
    expect(items[0]).toEqual({ long: exact["long"] });
  });

  test.for([1, 4])("of a table come all and once with %i segments", async (segments) => {
    const items = await all(scanItems(aws, { table: "composite", pageSize: 3, segments }));
    const names = items
      .map((item) => `${item["userId"]?.S}/${item["type"]?.S}`)
      .sort((a, b) => (a < b ? -1 : 1));
    expect(names).toEqual(["u1", "u2"].flatMap((userId) => types.map((type) => `${userId}/${type}`)));
    expect(items[7]).toMatchObject(exact);
  });

  test("are no longer asked for when nobody wants them", async () => {
    let pages = 0;
    for await (const page of scanItems(aws, { table: "composite", pageSize: 1, onConsumed: () => pages++ })) {
      expect(page).toHaveLength(1);
      break;
    }
    expect(pages).toBeLessThanOrEqual(2);
  });

  test("that cannot be read are an error, not the end", async () => {
    const signal = AbortSignal.abort();
    await expect(all(scanItems(aws, { table: "composite", segments: 2, signal }))).rejects.toMatchObject({
      name: "AbortError",
    });
    await expect(all(scanItems(aws, { table: "nowhere" }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });
});

describe("the size of an item", () => {
  test.for([
    [{ a: { S: "ü" } }, 3],
    [{ a: { N: "0" } }, 2],
    [{ a: { N: "1" } }, 3],
    [{ a: { N: "-1234.500" } }, 1 + 4 + 1],
    [{ a: { N: "12345678901234567890123456789012345678" } }, 1 + 20],
    [{ a: { B: new Uint8Array(5) } }, 6],
    [{ a: { BOOL: true } }, 2],
    [{ a: { NULL: true } }, 2],
    [{ a: { SS: ["bb", "c"] } }, 4],
    [{ a: { L: [] } }, 4],
    [{ a: { L: [{ S: "b" }] } }, 6],
    [{ a: { M: { b: { S: "c" } } } }, 1 + 3 + 1 + 2],
  ] as const)("of %j is %i bytes", ([item, sizeBytes]) => {
    expect(itemSizeBytes(item as unknown as Item)).toBe(sizeBytes);
  });

  test("above the limit is refused with what takes the room", () => {
    const item = {
      a: { S: "x" },
      progressData: { S: "x".repeat(300 * 1024) },
      documents: { S: "x".repeat(110 * 1024) },
    };
    expect(() => assertItemFits(item, "the profile of user-1")).toThrow(
      expect.objectContaining({
        message: "the profile of user-1 would be 410.0 KB; DynamoDB holds at most 400 KB an item",
        hint: "Most of it is: progressData 300.0 KB, documents 110.0 KB, a 0.0 KB.",
      }),
    );
    expect(() => assertItemFits({ a: { S: "x".repeat(400 * 1024 - 1) } }, "it")).not.toThrow();
  });
});

describe("plain values", () => {
  test("are what the model reads; a number that JavaScript cannot hold stays its digits", () => {
    expect(
      plain({ a: { S: "x" }, b: { N: "1.5" }, c: { N: "12345678901234567890" }, d: { L: [{ NULL: true }] } }),
    ).toEqual({
      a: "x",
      b: 1.5,
      c: "12345678901234567890",
      d: [null],
    });
  });

  test("become typed ones without their undefined attributes", () => {
    expect(typed({ a: "", b: undefined, c: [1] })).toEqual({ M: { a: { S: "" }, c: { L: [{ N: "1" }] } } });
  });
});
