import { paginateScan, ScanCommand, type ScanCommandInput } from "@aws-sdk/client-dynamodb";
import { expect } from "vitest";
import { allByScan, type Check, eventually, number, put, refused, type Scope, text } from "./check.ts";

/** Scans: the whole table, its segments, filters and pages. */
export const scanChecks: readonly Check[] = [
  {
    name: "reads every item once, page by page",
    async run(scope) {
      const TableName = await filled(scope, 11);
      const seen: string[] = [];
      const pages = paginateScan({ client: scope.client, pageSize: 4 }, { TableName, ConsistentRead: true });
      for await (const page of pages) {
        expect(page.Items?.length).toBeLessThanOrEqual(4);
        seen.push(...(page.Items ?? []).map((item) => item["pk"]?.S ?? ""));
      }
      expect(seen.toSorted()).toEqual(names(11));
    },
  },
  {
    name: "divides a table among segments that hold every item once",
    async run(scope) {
      const TableName = await filled(scope, 40);
      const bySegment = await Promise.all(
        [0, 1, 2, 3].map(async (Segment) => {
          const seen: string[] = [];
          const pages = paginateScan(
            { client: scope.client, pageSize: 3 },
            { TableName, Segment, TotalSegments: 4, ConsistentRead: true },
          );
          for await (const page of pages) seen.push(...(page.Items ?? []).map((item) => item["pk"]?.S ?? ""));
          return seen;
        }),
      );
      expect(bySegment.flat().toSorted()).toEqual(names(40));
    },
  },
  {
    name: "ends a page of a scan at 1 MB and goes on from there",
    async run(scope) {
      const TableName = await scope.table();
      for (const name of names(5))
        await put(scope, TableName, { pk: text(name), filling: text("x".repeat(300_000)) });
      const first = await scope.client.send(new ScanCommand({ TableName }));
      expect(first.Items?.length).toBeLessThan(5);
      expect(first.LastEvaluatedKey).toBeDefined();
      expect((await allByScan(scope, TableName)).map((item) => item["pk"]?.S ?? "").toSorted()).toEqual(
        names(5),
      );
    },
  },
  {
    name: "measures a page before the filter, so that a page may be empty and go on",
    async run(scope) {
      const TableName = await scope.table();
      for (const name of names(5))
        await put(scope, TableName, { pk: text(name), filling: text("x".repeat(300_000)) });
      const first = await scope.client.send(
        new ScanCommand({ TableName, FilterExpression: "attribute_not_exists(filling)" }),
      );
      expect(first.Items).toEqual([]);
      expect(first.ScannedCount).toBeGreaterThan(0);
      expect(first.LastEvaluatedKey).toBeDefined();
    },
  },
  {
    name: "filters by any attribute, the key included, and counts both",
    async run(scope) {
      const TableName = await filled(scope, 6);
      const answer = await scope.client.send(
        new ScanCommand({
          TableName,
          FilterExpression: "pk <> :one AND n < :four",
          ExpressionAttributeValues: { ":one": text("item-01"), ":four": number(4) },
        }),
      );
      expect(answer.Items?.map((item) => item["pk"]?.S ?? "").toSorted()).toEqual([
        "item-00",
        "item-02",
        "item-03",
      ]);
      expect([answer.Count, answer.ScannedCount]).toEqual([3, 6]);
    },
  },
  {
    name: "scans only for a count, or only for projected attributes",
    async run(scope) {
      const TableName = await filled(scope, 3);
      const counted = await scope.client.send(new ScanCommand({ TableName, Select: "COUNT" }));
      expect([counted.Count, counted.Items]).toEqual([3, undefined]);
      const { Items: items } = await scope.client.send(
        new ScanCommand({ TableName, ProjectionExpression: "n" }),
      );
      expect(items?.map((item) => JSON.stringify(item)).toSorted()).toEqual(
        [0, 1, 2].map((n) => JSON.stringify({ n: { N: String(n) } })),
      );
    },
  },
  {
    name: "scans an index for the items that have its key, and no others",
    async run(scope) {
      const TableName = await scope.table({
        attributes: [{ AttributeName: "gk", AttributeType: "S" }],
        GlobalSecondaryIndexes: [
          {
            IndexName: "global",
            KeySchema: [{ AttributeName: "gk", KeyType: "HASH" }],
            Projection: { ProjectionType: "KEYS_ONLY" },
          },
        ],
      });
      await put(scope, TableName, { pk: text("a"), gk: text("x"), other: number(1) }, { pk: text("b") });
      const items = await eventually(
        async () =>
          (await scope.client.send(new ScanCommand({ TableName, IndexName: "global" }))).Items ?? [],
        (found) => found.length === 1,
      );
      expect(items).toEqual([{ pk: text("a"), gk: text("x") }]);
    },
  },
  {
    name: "refuses segments out of range, one without the other, and limits below 1",
    async run(scope) {
      const TableName = await filled(scope, 1);
      const wrong: readonly Omit<ScanCommandInput, "TableName">[] = [
        { Segment: 2, TotalSegments: 2 },
        { Segment: -1, TotalSegments: 2 },
        { Segment: 0 },
        { TotalSegments: 2 },
        { Segment: 0, TotalSegments: 1_000_001 },
        { Limit: 0 },
        { IndexName: "absent" },
        { FilterExpression: "n = " },
        { ExclusiveStartKey: { other: text("a") } },
      ];
      for (const scan of wrong)
        await refused(scope.client.send(new ScanCommand({ TableName, ...scan })), "ValidationException");
    },
  },
];

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `item-${String(index).padStart(2, "0")}`);
}

async function filled(scope: Scope, count: number): Promise<string> {
  const table = await scope.table();
  for (const [index, name] of names(count).entries())
    await put(scope, table, { pk: text(name), n: number(index) });
  return table;
}
