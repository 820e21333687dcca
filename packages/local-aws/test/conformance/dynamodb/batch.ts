import {
  BatchGetItemCommand,
  type BatchGetItemCommandOutput,
  BatchWriteItemCommand,
  type BatchWriteItemCommandInput,
  type KeysAndAttributes,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import { expect } from "vitest";
import { allByScan, type Check, get, type Item, number, put, refused, text } from "./check.ts";

/** Writing 25 items and reading 100 at once. */
export const batchChecks: readonly Check[] = [
  {
    name: "writes and deletes 25 items in several tables at once",
    async run(scope) {
      const [first, second] = [await scope.table(), await scope.table({ sort: "N" })];
      await put(scope, first, { pk: text("old"), v: text("x") }, { pk: text("go") });
      const answer = await scope.client.send(
        new BatchWriteItemCommand({
          RequestItems: {
            [first]: [
              ...keys(13).map((key) => putRequest({ ...key, v: text("new") })),
              { DeleteRequest: { Key: { pk: text("go") } } },
              putRequest({ pk: text("old"), w: text("replaced") }),
              { DeleteRequest: { Key: { pk: text("never there") } } },
            ],
            [second]: Array.from({ length: 9 }, (_, index) =>
              putRequest({ pk: text("a"), sk: number(index) }),
            ),
          },
        }),
      );
      expect(answer.UnprocessedItems ?? {}).toEqual({});
      expect(await allByScan(scope, first)).toHaveLength(14);
      expect(await get(scope, first, { pk: text("old") })).toEqual({ pk: text("old"), w: text("replaced") });
      expect(await allByScan(scope, second)).toHaveLength(9);
    },
  },
  {
    name: "refuses 26 writes, none, and two on one key, and writes nothing",
    async run(scope) {
      const table = await scope.table();
      const wrong: readonly BatchWriteItemCommandInput["RequestItems"][] = [
        { [table]: keys(26).map(putRequest) },
        {},
        { [table]: [] },
        {
          [table]: [putRequest({ pk: text("a"), v: number(1) }), putRequest({ pk: text("a"), v: number(2) })],
        },
        { [table]: [putRequest({ pk: text("a") }), { DeleteRequest: { Key: { pk: text("a") } } }] },
        { [table]: [putRequest({ pk: text("b") }), {}] },
      ];
      for (const RequestItems of wrong)
        await refused(scope.client.send(new BatchWriteItemCommand({ RequestItems })), "ValidationException");
      expect(await allByScan(scope, table)).toEqual([]);
    },
  },
  {
    name: "writes nothing when one item of the batch is invalid",
    async run(scope) {
      const table = await scope.table();
      const invalid: Item[] = [{ other: text("x") }, { pk: number(1) }, { pk: text("b"), set: { SS: [] } }];
      for (const bad of invalid)
        await refused(
          scope.client.send(
            new BatchWriteItemCommand({
              RequestItems: { [table]: [putRequest({ pk: text("a") }), putRequest(bad)] },
            }),
          ),
          "ValidationException",
        );
      expect(await allByScan(scope, table)).toEqual([]);
    },
  },
  {
    name: "says ResourceNotFoundException when one table of a batch is missing",
    async run(scope) {
      const absent = scope.newName();
      await refused(
        scope.client.send(
          new BatchWriteItemCommand({ RequestItems: { [absent]: [putRequest({ pk: text("a") })] } }),
        ),
        "ResourceNotFoundException",
      );
      await refused(
        scope.client.send(new BatchGetItemCommand({ RequestItems: { [absent]: { Keys: keys(1) } } })),
        "ResourceNotFoundException",
      );
    },
  },
  {
    name: "reads 100 items at once and leaves out what is missing",
    async run(scope) {
      const [first, second] = [await scope.table(), await scope.table({ sort: "S" })];
      for (const key of keys(40)) await put(scope, first, { ...key, v: text("x") });
      await put(scope, second, { pk: text("a"), sk: text("b") });
      const answer = await scope.client.send(
        new BatchGetItemCommand({
          RequestItems: {
            [first]: { Keys: keys(99), ConsistentRead: true },
            [second]: { Keys: [{ pk: text("a"), sk: text("b") }], ConsistentRead: true },
          },
        }),
      );
      const found = (answer.Responses?.[first] ?? []).map((item) => item["pk"]?.S ?? "");
      expect(found.toSorted()).toEqual(
        keys(40)
          .map((key) => key.pk.S)
          .toSorted(),
      );
      expect(answer.Responses?.[second]).toEqual([{ pk: text("a"), sk: text("b") }]);
      expect(answer.UnprocessedKeys ?? {}).toEqual({});
    },
  },
  {
    name: "reads only projected attributes in a batch",
    async run(scope) {
      const table = await scope.table();
      await put(scope, table, { pk: text("a"), name: text("x"), other: text("y") });
      const answer = await scope.client.send(
        new BatchGetItemCommand({
          RequestItems: {
            [table]: {
              Keys: [{ pk: text("a") }],
              ProjectionExpression: "#n",
              ExpressionAttributeNames: { "#n": "name" },
              ConsistentRead: true,
            },
          },
        }),
      );
      expect(answer.Responses).toEqual({ [table]: [{ name: text("x") }] });
    },
  },
  {
    name: "refuses to read 101 items, none, or one twice",
    async run(scope) {
      const table = await scope.table();
      const wrong: readonly Record<string, KeysAndAttributes>[] = [
        { [table]: { Keys: keys(101) } },
        {},
        { [table]: { Keys: [] } },
        { [table]: { Keys: [{ pk: text("a") }, { pk: text("b") }, { pk: text("a") }] } },
        { [table]: { Keys: [{ pk: text("a"), sk: text("b") }] } },
      ];
      for (const RequestItems of wrong)
        await refused(scope.client.send(new BatchGetItemCommand({ RequestItems })), "ValidationException");
    },
  },
  {
    name: "returns at most 16 MB at once and names the keys that are left",
    async run(scope) {
      const table = await scope.table();
      const wanted = keys(45);
      const filling = text("x".repeat(390_000));
      for (const key of wanted) await put(scope, table, { ...key, filling });
      const seen: string[] = [];
      let rounds = 0;
      let left: Record<string, KeysAndAttributes> | undefined = {
        [table]: { Keys: wanted, ConsistentRead: true },
      };
      while (left?.[table] !== undefined && rounds < 10) {
        const answer: BatchGetItemCommandOutput = await scope.client.send(
          new BatchGetItemCommand({ RequestItems: left }),
        );
        seen.push(...(answer.Responses?.[table] ?? []).map((item) => item["pk"]?.S ?? ""));
        left = answer.UnprocessedKeys;
        rounds++;
      }
      expect(rounds).toBeGreaterThan(1);
      expect(seen.toSorted()).toEqual(wanted.map((key) => key.pk.S).toSorted());
    },
  },
];

function keys(count: number): { pk: { S: string } }[] {
  return Array.from({ length: count }, (_, index) => ({ pk: { S: `k${index}` } }));
}

function putRequest(item: Item): WriteRequest {
  return { PutRequest: { Item: item } };
}
