import { QueryCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "vitest";
import {
  allByQuery,
  type Check,
  eventually,
  type Item,
  number,
  put,
  refused,
  type Scope,
  text,
} from "./check.ts";

const byPk = { KeyConditionExpression: "pk = :pk", ExpressionAttributeValues: { ":pk": text("a") } };

/** Global and local indexes: what is in them and what a query on them returns. */
export const indexChecks: readonly Check[] = [
  {
    name: "finds items by a global index, its attributes only as projected",
    async run(scope) {
      const table = await indexed(scope);
      await put(
        scope,
        table,
        { pk: text("a"), sk: text("1"), gk: text("g"), gs: number(2), extra: text("in"), other: text("out") },
        { pk: text("b"), sk: text("1"), gk: text("g"), gs: number(1), extra: text("in") },
        { pk: text("c"), sk: text("1"), extra: text("not indexed") },
      );
      expect(await byIndex(scope, table, 2)).toEqual([
        { pk: text("b"), sk: text("1"), gk: text("g"), gs: number(1), extra: text("in") },
        { pk: text("a"), sk: text("1"), gk: text("g"), gs: number(2), extra: text("in") },
      ]);
    },
  },
  {
    name: "takes an item out of the index when its index key goes, and back in when it comes",
    async run(scope) {
      const table = await indexed(scope);
      const item = { pk: text("a"), sk: text("1") };
      await put(scope, table, { ...item, gk: text("g"), gs: number(1) });
      expect(await byIndex(scope, table, 1)).toHaveLength(1);
      await put(scope, table, item);
      expect(await byIndex(scope, table, 0)).toEqual([]);
      await put(scope, table, { ...item, gk: text("g"), gs: number(5) });
      expect(await byIndex(scope, table, 1)).toEqual([{ ...item, gk: text("g"), gs: number(5) }]);
    },
  },
  {
    name: "pages through items that share one index key",
    async run(scope) {
      const table = await indexed(scope);
      for (let index = 0; index < 5; index++)
        await put(scope, table, { pk: text(`p${index}`), sk: text("s"), gk: text("g"), gs: number(7) });
      await byIndex(scope, table, 5);
      const seen: string[] = [];
      let start: Item | undefined;
      do {
        const page = await scope.client.send(
          new QueryCommand({ TableName: table, ...byGlobal, Limit: 2, ExclusiveStartKey: start }),
        );
        seen.push(...(page.Items ?? []).map((item) => item["pk"]?.S ?? ""));
        start = page.LastEvaluatedKey;
        if (start !== undefined) expect(Object.keys(start).toSorted()).toEqual(["gk", "gs", "pk", "sk"]);
      } while (start !== undefined);
      expect(seen.toSorted()).toEqual(["p0", "p1", "p2", "p3", "p4"]);
    },
  },
  {
    name: "sorts by a local index and reads its other attributes from the table",
    async run(scope) {
      const table = await indexed(scope);
      await put(
        scope,
        table,
        { pk: text("a"), sk: text("1"), ls: number(2), other: text("x") },
        { pk: text("a"), sk: text("2"), ls: number(1), other: text("y") },
        { pk: text("a"), sk: text("3"), other: text("not indexed") },
      );
      const local = { ...byPk, IndexName: "local" };
      expect(await allByQuery(scope, table, local)).toEqual([
        { pk: text("a"), sk: text("2"), ls: number(1) },
        { pk: text("a"), sk: text("1"), ls: number(2) },
      ]);
      const whole = await allByQuery(scope, table, { ...local, Select: "ALL_ATTRIBUTES" });
      expect(whole.map((item) => item["other"]?.S)).toEqual(["y", "x"]);
    },
  },
  {
    name: "refuses what a global index cannot do: consistent reads and attributes it does not hold",
    async run(scope) {
      const TableName = await indexed(scope);
      await refused(
        scope.client.send(new QueryCommand({ TableName, ...byGlobal, ConsistentRead: true })),
        "ValidationException",
      );
      await refused(
        scope.client.send(new QueryCommand({ TableName, ...byGlobal, Select: "ALL_ATTRIBUTES" })),
        "ValidationException",
      );
    },
  },
  {
    name: "refuses to read attributes that a global index does not project",
    async run(scope) {
      const table = await indexed(scope);
      const item = {
        pk: text("a"),
        sk: text("1"),
        gk: text("g"),
        gs: number(1),
        extra: text("x"),
        beyond: text("y"),
      };
      await put(scope, table, item);
      const read = (ProjectionExpression: string) =>
        scope.client.send(new QueryCommand({ TableName: table, ...byGlobal, ProjectionExpression }));
      const message = /Global secondary index global does not project \[beyond\]/;
      await refused(read("pk, beyond"), "ValidationException", message);
      await refused(
        scope.client.send(
          new ScanCommand({ TableName: table, IndexName: "global", ProjectionExpression: "beyond.x" }),
        ),
        "ValidationException",
        message,
      );
      await byIndex(scope, table, 1);
      expect((await read("sk, gs, extra")).Items).toEqual([
        { sk: text("1"), gs: number(1), extra: text("x") },
      ]);
    },
  },
  {
    name: "refuses items whose index key has another type or is empty",
    async run(scope) {
      const table = await indexed(scope);
      const item = { pk: text("a"), sk: text("1") };
      await refused(put(scope, table, { ...item, gk: number(1) }), "ValidationException");
      await refused(put(scope, table, { ...item, gk: text("") }), "ValidationException");
      await refused(put(scope, table, { ...item, ls: text("1") }), "ValidationException");
      expect(await allByQuery(scope, table, byPk)).toEqual([]);
    },
  },
];

const byGlobal = {
  IndexName: "global",
  KeyConditionExpression: "gk = :g",
  ExpressionAttributeValues: { ":g": text("g") },
};

function indexed(scope: Scope): Promise<string> {
  return scope.table({
    sort: "S",
    attributes: [
      { AttributeName: "gk", AttributeType: "S" },
      { AttributeName: "gs", AttributeType: "N" },
      { AttributeName: "ls", AttributeType: "N" },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: "global",
        KeySchema: [
          { AttributeName: "gk", KeyType: "HASH" },
          { AttributeName: "gs", KeyType: "RANGE" },
        ],
        Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["extra"] },
      },
    ],
    LocalSecondaryIndexes: [
      {
        IndexName: "local",
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "ls", KeyType: "RANGE" },
        ],
        Projection: { ProjectionType: "KEYS_ONLY" },
      },
    ],
  });
}

/** What the global index holds under "g", once it has followed the table to that many items. */
function byIndex(scope: Scope, TableName: string, count: number): Promise<Item[]> {
  return eventually(
    async () => (await scope.client.send(new QueryCommand({ TableName, ...byGlobal }))).Items ?? [],
    (items) => items.length === count,
  );
}
