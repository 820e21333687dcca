import { paginateQuery, QueryCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "vitest";
import {
  allByQuery,
  type Check,
  number,
  put,
  type Query,
  refused,
  scientific,
  type Scope,
  text,
} from "./check.ts";

const byPk = { KeyConditionExpression: "pk = :pk", ExpressionAttributeValues: { ":pk": text("a") } };

/** Queries by key: conditions, order, paging, filters, what is returned. */
export const queryChecks: readonly Check[] = [
  {
    name: "finds the items of one partition, in order of their sort key, either way",
    async run(scope) {
      const table = await strings(scope, ["b", "a", "c"]);
      await put(scope, table, { pk: text("other"), sk: text("z") });
      expect(await sortKeys(scope, table, byPk)).toEqual(["a", "b", "c"]);
      expect(await sortKeys(scope, table, { ...byPk, ScanIndexForward: false })).toEqual(["c", "b", "a"]);
      expect(
        await sortKeys(scope, table, { ...byPk, ExpressionAttributeValues: { ":pk": text("none") } }),
      ).toEqual([]);
    },
  },
  {
    name: "compares the sort key by every operator of a key condition",
    async run(scope) {
      const table = await strings(scope, ["a", "ab", "abc", "b", "c"]);
      const rows: readonly (readonly [string, readonly string[], readonly string[]])[] = [
        ["sk = :x", ["ab"], ["ab"]],
        ["sk < :x", ["b"], ["a", "ab", "abc"]],
        ["sk <= :x", ["b"], ["a", "ab", "abc", "b"]],
        ["sk > :x", ["ab"], ["abc", "b", "c"]],
        ["sk >= :x", ["ab"], ["ab", "abc", "b", "c"]],
        ["sk BETWEEN :x AND :y", ["ab", "b"], ["ab", "abc", "b"]],
        ["begins_with(sk, :x)", ["ab"], ["ab", "abc"]],
        ["begins_with(sk, :x)", ["abcd"], []],
      ];
      const found: Record<string, unknown> = {};
      const wanted: Record<string, unknown> = {};
      for (const [condition, [x = "", y], expected] of rows) {
        wanted[`${condition} of ${x}`] = expected;
        found[`${condition} of ${x}`] = await sortKeys(scope, table, {
          KeyConditionExpression: `pk = :pk AND ${condition}`,
          ExpressionAttributeValues: {
            ":pk": text("a"),
            ":x": text(x),
            ...(y === undefined ? {} : { ":y": text(y) }),
          },
        });
      }
      expect(found).toEqual(wanted);
    },
  },
  {
    name: "takes the key condition in either order, in parentheses and behind placeholders",
    async run(scope) {
      const table = await strings(scope, ["a", "b"]);
      for (const KeyConditionExpression of [
        "#s = :s AND #p = :p",
        "(#p = :p) AND (#s = :s)",
        "(#p = :p and #s = :s)",
      ])
        expect(
          await sortKeys(scope, table, {
            KeyConditionExpression,
            ExpressionAttributeNames: { "#p": "pk", "#s": "sk" },
            ExpressionAttributeValues: { ":p": text("a"), ":s": text("b") },
          }),
        ).toEqual(["b"]);
    },
  },
  {
    name: "orders numbers by value",
    async run(scope) {
      const table = await scope.table({ sort: "N" });
      const ordered = [
        "-1E+100",
        "-10",
        "-9.5",
        "-1E-100",
        "0",
        "1E-100",
        "0.5",
        "2",
        "10",
        "9007199254740992",
        "9007199254740993",
        "1E+100",
      ];
      for (const value of ordered.toReversed()) await put(scope, table, { pk: text("a"), sk: number(value) });
      const items = await allByQuery(scope, table, byPk);
      expect(items.map((item) => scientific(item["sk"]?.N))).toEqual(ordered.map(scientific));
      const above = await allByQuery(scope, table, {
        KeyConditionExpression: "pk = :pk AND sk > :n",
        ExpressionAttributeValues: { ":pk": text("a"), ":n": number("9007199254740992") },
      });
      expect(above.map((item) => scientific(item["sk"]?.N))).toEqual(ordered.slice(-2).map(scientific));
    },
  },
  {
    name: "orders strings by their UTF-8 bytes",
    async run(scope) {
      const ordered = ["A", "Z", "a", "z", "~", "ä", "\uFF5E", "\u{1F600}"];
      expect(await sortKeys(scope, await strings(scope, ordered.toReversed()), byPk)).toEqual(ordered);
    },
  },
  {
    name: "orders binaries as unsigned bytes, the shorter first",
    async run(scope) {
      const table = await scope.table({ sort: "B" });
      const ordered = [[0], [0, 0], [1], [127], [128], [255], [255, 0]];
      for (const bytes of ordered.toReversed())
        await put(scope, table, { pk: text("a"), sk: { B: Uint8Array.from(bytes) } });
      const items = await allByQuery(scope, table, byPk);
      expect(items.map((item) => Array.from(item["sk"]?.B ?? []))).toEqual(ordered);
    },
  },
  {
    name: "pages by limit without losing or repeating an item, in both directions",
    async run(scope) {
      const keys = Array.from({ length: 7 }, (_, index) => `k${index}`);
      const table = await strings(scope, keys);
      for (const ScanIndexForward of [true, false]) {
        const seen: string[] = [];
        const sizes: number[] = [];
        const pages = paginateQuery(
          { client: scope.client, pageSize: 3 },
          { TableName: table, ...byPk, ScanIndexForward, ConsistentRead: true },
        );
        for await (const page of pages) {
          sizes.push(page.Items?.length ?? 0);
          seen.push(...(page.Items ?? []).map((item) => item["sk"]?.S ?? ""));
        }
        expect(seen).toEqual(ScanIndexForward ? keys : keys.toReversed());
        expect(sizes).toEqual([3, 3, 1]);
      }
    },
  },
  {
    name: "names the last key when a limit is reached, even at the very end",
    async run(scope) {
      const table = await strings(scope, ["a", "b"]);
      const first = await scope.client.send(new QueryCommand({ TableName: table, ...byPk, Limit: 2 }));
      expect(first.LastEvaluatedKey).toEqual({ pk: text("a"), sk: text("b") });
      const rest = await scope.client.send(
        new QueryCommand({ TableName: table, ...byPk, ExclusiveStartKey: first.LastEvaluatedKey }),
      );
      expect(rest.Items).toEqual([]);
      expect(rest.LastEvaluatedKey).toBeUndefined();
    },
  },
  {
    name: "starts after a key that no longer exists",
    async run(scope) {
      const table = await strings(scope, ["a", "c"]);
      const answer = await scope.client.send(
        new QueryCommand({ TableName: table, ...byPk, ExclusiveStartKey: { pk: text("a"), sk: text("b") } }),
      );
      expect(answer.Items?.map((item) => item["sk"]?.S)).toEqual(["c"]);
    },
  },
  {
    name: "applies the filter after the limit and counts both",
    async run(scope) {
      const table = await scope.table({ sort: "N" });
      for (let index = 0; index < 6; index++)
        await put(scope, table, { pk: text("a"), sk: number(index), even: { BOOL: index % 2 === 0 } });
      const answer = await scope.client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: "pk = :pk",
          FilterExpression: "even = :true",
          ExpressionAttributeValues: { ":pk": text("a"), ":true": { BOOL: true } },
          Limit: 3,
        }),
      );
      expect(answer.Items?.map((item) => item["sk"]?.N)).toEqual(["0", "2"]);
      expect([answer.Count, answer.ScannedCount]).toEqual([2, 3]);
      expect(answer.LastEvaluatedKey).toEqual({ pk: text("a"), sk: number(2) });
    },
  },
  {
    name: "counts without returning items",
    async run(scope) {
      const table = await strings(scope, ["a", "b", "c"]);
      const answer = await scope.client.send(
        new QueryCommand({ TableName: table, ...byPk, Select: "COUNT" }),
      );
      expect([answer.Count, answer.ScannedCount, answer.Items]).toEqual([3, 3, undefined]);
    },
  },
  {
    name: "returns only the projected attributes and filters by the others",
    async run(scope) {
      const table = await scope.table({ sort: "S" });
      await put(
        scope,
        table,
        { pk: text("a"), sk: text("1"), status: text("open"), m: { M: { x: number(1), y: number(2) } } },
        { pk: text("a"), sk: text("2"), status: text("closed"), m: { M: { x: number(3) } } },
      );
      const items = await allByQuery(scope, table, {
        KeyConditionExpression: "pk = :pk",
        FilterExpression: "#s = :open",
        ProjectionExpression: "sk, m.x",
        ExpressionAttributeNames: { "#s": "status" },
        ExpressionAttributeValues: { ":pk": text("a"), ":open": text("open") },
      });
      expect(items).toEqual([{ sk: text("1"), m: { M: { x: number(1) } } }]);
    },
  },
  {
    name: "ends a page of a query at 1 MB and goes on from there",
    async run(scope) {
      const table = await scope.table({ sort: "N" });
      const filling = text("x".repeat(300_000));
      for (let index = 0; index < 5; index++)
        await put(scope, table, { pk: text("a"), sk: number(index), filling });
      const first = await scope.client.send(new QueryCommand({ TableName: table, ...byPk }));
      expect(first.Items?.length).toBeLessThan(5);
      expect(first.LastEvaluatedKey).toBeDefined();
      expect((await allByQuery(scope, table, byPk)).map((item) => item["sk"]?.N)).toEqual([
        "0",
        "1",
        "2",
        "3",
        "4",
      ]);
    },
  },
  {
    name: "refuses key conditions that name no partition, other attributes or other operators",
    async run(scope) {
      const TableName = await scope.table({ sort: "S" });
      const values = { ":pk": text("a"), ":x": text("b") };
      for (const KeyConditionExpression of [
        "sk = :x",
        "pk > :pk",
        "begins_with(pk, :pk)",
        "pk = :pk AND another = :x",
        "pk = :pk OR sk = :x",
        "pk = :pk AND NOT sk = :x",
        "pk = :pk AND sk <> :x",
        "pk = :pk AND contains(sk, :x)",
        "pk = :pk AND sk = :x AND sk = :x",
        "pk = :pk AND sk IN (:x)",
        "",
      ])
        await refused(
          scope.client.send(
            new QueryCommand({
              TableName,
              KeyConditionExpression,
              ExpressionAttributeValues: Object.fromEntries(
                Object.entries(values).filter(([name]) => KeyConditionExpression.includes(name)),
              ),
            }),
          ),
          "ValidationException",
        );
    },
  },
  {
    name: "refuses wrong types, key attributes in a filter, limits below 1 and foreign start keys",
    async run(scope) {
      const TableName = await scope.table({ sort: "S" });
      const wrong: readonly Query[] = [
        { KeyConditionExpression: "pk = :pk", ExpressionAttributeValues: { ":pk": number(1) } },
        { ...byPk, FilterExpression: "sk = :pk" },
        { ...byPk, Limit: 0 },
        { ...byPk, ExclusiveStartKey: { pk: text("a") } },
        { ...byPk, ExclusiveStartKey: { pk: text("b"), sk: text("x") } },
        { ...byPk, IndexName: "absent" },
        { ...byPk, Select: "SPECIFIC_ATTRIBUTES" },
        { ...byPk, Select: "ALL_PROJECTED_ATTRIBUTES" },
        { ...byPk, Select: "COUNT", ProjectionExpression: "sk" },
      ];
      for (const query of wrong)
        await refused(scope.client.send(new QueryCommand({ TableName, ...query })), "ValidationException");
    },
  },
];

async function strings(scope: Scope, keys: readonly string[]): Promise<string> {
  const table = await scope.table({ sort: "S" });
  for (const key of keys) await put(scope, table, { pk: text("a"), sk: text(key) });
  return table;
}

async function sortKeys(scope: Scope, table: string, query: Query): Promise<(string | undefined)[]> {
  return (await allByQuery(scope, table, query)).map((item) => item["sk"]?.S);
}
