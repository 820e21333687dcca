import {
  TransactGetItemsCommand,
  type TransactWriteItem,
  TransactionCanceledException,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { allByScan, type Check, get, number, put, refused, type Scope, text } from "./check.ts";

/** Several items at once, all or none. */
export const transactionChecks: readonly Check[] = [
  {
    name: "writes all of a transaction: put, update, delete and check, in several tables",
    async run(scope) {
      const [first, second] = [await scope.table(), await scope.table({ sort: "S" })];
      await put(
        scope,
        first,
        { pk: text("count"), n: number(1) },
        { pk: text("go") },
        { pk: text("guard"), ok: text("yes") },
      );
      await transact(scope, [
        { Put: { TableName: second, Item: { pk: text("a"), sk: text("b"), v: text("new") } } },
        {
          Update: {
            TableName: first,
            Key: { pk: text("count") },
            UpdateExpression: "ADD n :two",
            ExpressionAttributeValues: { ":two": number(2) },
          },
        },
        { Delete: { TableName: first, Key: { pk: text("go") } } },
        {
          ConditionCheck: {
            TableName: first,
            Key: { pk: text("guard") },
            ConditionExpression: "attribute_exists(ok)",
          },
        },
      ]);
      expect(await get(scope, second, { pk: text("a"), sk: text("b") })).toMatchObject({ v: text("new") });
      expect(await get(scope, first, { pk: text("count") })).toEqual({ pk: text("count"), n: number(3) });
      expect(await get(scope, first, { pk: text("go") })).toBeUndefined();
      expect(await get(scope, first, { pk: text("guard") })).toEqual({ pk: text("guard"), ok: text("yes") });
    },
  },
  {
    name: "writes nothing when one condition fails, and gives a reason for each item in order",
    async run(scope) {
      const TableName = await scope.table();
      await put(scope, TableName, { pk: text("b"), v: number(1) });
      const failure = await cancelled(scope, [
        { Put: { TableName, Item: { pk: text("a") } } },
        {
          Update: {
            TableName,
            Key: { pk: text("b") },
            UpdateExpression: "SET v = :two",
            ConditionExpression: "v = :two",
            ExpressionAttributeValues: { ":two": number(2) },
          },
        },
        { Delete: { TableName, Key: { pk: text("c") } } },
      ]);
      expect(failure.CancellationReasons?.map((reason) => reason.Code)).toEqual([
        "None",
        "ConditionalCheckFailed",
        "None",
      ]);
      expect(failure.CancellationReasons?.[1]?.Message).toBe("The conditional request failed");
      expect(failure.CancellationReasons?.[1]?.Item).toBeUndefined();
      expect(failure.message).toContain("[None, ConditionalCheckFailed, None]");
      expect(await allByScan(scope, TableName)).toEqual([{ pk: text("b"), v: number(1) }]);
    },
  },
  {
    name: "hands out the item that failed a transaction when asked to",
    async run(scope) {
      const TableName = await scope.table();
      const stands = { pk: text("a"), v: number(1), tags: { SS: ["x"] } };
      await put(scope, TableName, stands);
      const failure = await cancelled(scope, [
        {
          Put: {
            TableName,
            Item: { pk: text("a") },
            ConditionExpression: "attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          },
        },
      ]);
      expect(failure.CancellationReasons).toMatchObject([{ Code: "ConditionalCheckFailed", Item: stands }]);
      expect(await get(scope, TableName, { pk: text("a") })).toEqual(stands);
    },
  },
  {
    name: "fails a condition check on what is missing, and writes nothing",
    async run(scope) {
      const TableName = await scope.table();
      const failure = await cancelled(scope, [
        {
          ConditionCheck: {
            TableName,
            Key: { pk: text("guard") },
            ConditionExpression: "attribute_exists(pk)",
          },
        },
        { Put: { TableName, Item: { pk: text("a") } } },
      ]);
      expect(failure.CancellationReasons?.map((reason) => reason.Code)).toEqual([
        "ConditionalCheckFailed",
        "None",
      ]);
      expect(await allByScan(scope, TableName)).toEqual([]);
    },
  },
  {
    name: "cancels everything when an update does not fit its item",
    async run(scope) {
      const TableName = await scope.table();
      await put(scope, TableName, { pk: text("b"), s: text("x") });
      const failure = await cancelled(scope, [
        { Put: { TableName, Item: { pk: text("a") } } },
        {
          Update: {
            TableName,
            Key: { pk: text("b") },
            UpdateExpression: "SET s = s + :one",
            ExpressionAttributeValues: { ":one": number(1) },
          },
        },
      ]);
      expect(failure.CancellationReasons?.map((reason) => reason.Code)).toEqual(["None", "ValidationError"]);
      expect(await allByScan(scope, TableName)).toEqual([{ pk: text("b"), s: text("x") }]);
    },
  },
  {
    name: "refuses two operations on one item, an empty transaction and 101 operations",
    async run(scope) {
      const TableName = await scope.table();
      const wrong: readonly TransactWriteItem[][] = [
        [{ Put: { TableName, Item: { pk: text("a") } } }, { Delete: { TableName, Key: { pk: text("a") } } }],
        [
          {
            ConditionCheck: {
              TableName,
              Key: { pk: text("a") },
              ConditionExpression: "attribute_not_exists(pk)",
            },
          },
          { Put: { TableName, Item: { pk: text("a") } } },
        ],
        [],
        Array.from({ length: 101 }, (_, index) => ({ Put: { TableName, Item: { pk: text(`k${index}`) } } })),
        [{ Put: { TableName, Item: { pk: text("a") } }, Delete: { TableName, Key: { pk: text("b") } } }],
      ];
      for (const items of wrong) await refused(transact(scope, items), "ValidationException");
      expect(await allByScan(scope, TableName)).toEqual([]);
    },
  },
  {
    name: "writes 100 items in one transaction",
    async run(scope) {
      const TableName = await scope.table();
      await transact(
        scope,
        Array.from({ length: 100 }, (_, index) => ({ Put: { TableName, Item: { pk: text(`k${index}`) } } })),
      );
      expect(await allByScan(scope, TableName)).toHaveLength(100);
    },
  },
  {
    name: "says ResourceNotFoundException when a transaction names a table that is not there",
    async run(scope) {
      const TableName = await scope.table();
      await refused(
        transact(scope, [
          { Put: { TableName, Item: { pk: text("a") } } },
          { Put: { TableName: scope.newName(), Item: { pk: text("a") } } },
        ]),
        "ResourceNotFoundException",
      );
      expect(await allByScan(scope, TableName)).toEqual([]);
    },
  },
  {
    name: "applies a transaction once for one token, and refuses the token for another one",
    async run(scope) {
      const TableName = await scope.table();
      const token = randomUUID();
      const add = (amount: number, ClientRequestToken: string) =>
        transact(
          scope,
          [
            {
              Update: {
                TableName,
                Key: { pk: text("a") },
                UpdateExpression: "ADD n :n",
                ExpressionAttributeValues: { ":n": number(amount) },
              },
            },
          ],
          ClientRequestToken,
        );
      await add(1, token);
      await add(1, token);
      expect((await get(scope, TableName, { pk: text("a") }))?.["n"]).toEqual(number(1));
      await refused(add(2, token), "IdempotentParameterMismatchException");
      await add(1, randomUUID());
      expect((await get(scope, TableName, { pk: text("a") }))?.["n"]).toEqual(number(2));
    },
  },
  {
    name: "reads several items of several tables as asked, with nothing for a missing one",
    async run(scope) {
      const [first, second] = [await scope.table(), await scope.table()];
      await put(scope, first, { pk: text("a"), v: number(1), w: number(2) });
      await put(scope, second, { pk: text("b"), v: number(3) });
      const { Responses: answers } = await scope.client.send(
        new TransactGetItemsCommand({
          TransactItems: [
            { Get: { TableName: second, Key: { pk: text("b") } } },
            { Get: { TableName: second, Key: { pk: text("missing") } } },
            { Get: { TableName: first, Key: { pk: text("a") }, ProjectionExpression: "w" } },
          ],
        }),
      );
      expect(answers?.map((answer) => answer.Item)).toEqual([
        { pk: text("b"), v: number(3) },
        undefined,
        { w: number(2) },
      ]);
    },
  },
  {
    name: "refuses to read nothing or 101 items in a transaction",
    async run(scope) {
      const TableName = await scope.table();
      for (const count of [0, 101])
        await refused(
          scope.client.send(
            new TransactGetItemsCommand({
              TransactItems: Array.from({ length: count }, (_, index) => ({
                Get: { TableName, Key: { pk: text(`k${index}`) } },
              })),
            }),
          ),
          "ValidationException",
        );
    },
  },
];

async function transact(scope: Scope, items: TransactWriteItem[], token?: string): Promise<void> {
  await scope.client.send(
    new TransactWriteItemsCommand({
      TransactItems: items,
      ClientRequestToken: token,
    }),
  );
}

async function cancelled(scope: Scope, items: TransactWriteItem[]): Promise<TransactionCanceledException> {
  const failure = await refused(transact(scope, items), "TransactionCanceledException");
  if (!(failure instanceof TransactionCanceledException)) throw failure;
  return failure;
}
