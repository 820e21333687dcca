import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  PutItemCommand,
  TransactGetItemsCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { expect } from "vitest";
import { type Check, get, number, put, type Scope, text } from "./check.ts";

/** Many writers at once: nothing is lost, one wins, and no one sees half of a transaction. */
export const raceChecks: readonly Check[] = [
  {
    name: "loses none of many parallel increments",
    async run(scope) {
      const TableName = await scope.table();
      const results = await Promise.all(
        Array.from({ length: 50 }, () =>
          scope.client.send(
            new UpdateItemCommand({
              TableName,
              Key: { pk: text("a") },
              UpdateExpression: "ADD n :one",
              ExpressionAttributeValues: { ":one": number(1) },
              ReturnValues: "UPDATED_NEW",
            }),
          ),
        ),
      );
      expect((await get(scope, TableName, { pk: text("a") }))?.["n"]).toEqual(number(50));
      const seen = results.map((result) => Number(result.Attributes?.["n"]?.N));
      expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    },
  },
  {
    name: "keeps every element of many parallel appends to one list",
    async run(scope) {
      const TableName = await scope.table();
      const wanted = Array.from({ length: 20 }, (_, index) => `entry-${String(index).padStart(2, "0")}`);
      await Promise.all(
        wanted.map((entry) =>
          scope.client.send(
            new UpdateItemCommand({
              TableName,
              Key: { pk: text("a") },
              UpdateExpression: "SET l = list_append(if_not_exists(l, :none), :entry)",
              ExpressionAttributeValues: { ":none": { L: [] }, ":entry": { L: [text(entry)] } },
            }),
          ),
        ),
      );
      const item = await get(scope, TableName, { pk: text("a") });
      expect(item?.["l"]?.L?.map((element) => element.S).toSorted()).toEqual(wanted);
    },
  },
  {
    name: "lets exactly one of many conditional puts win",
    async run(scope) {
      const TableName = await scope.table();
      const winners = await won(25, (index) =>
        scope.client.send(
          new PutItemCommand({
            TableName,
            Item: { pk: text("a"), winner: number(index) },
            ConditionExpression: "attribute_not_exists(pk)",
          }),
        ),
      );
      expect(winners).toHaveLength(1);
      expect((await get(scope, TableName, { pk: text("a") }))?.["winner"]).toEqual(number(winners[0] ?? -1));
    },
  },
  {
    name: "lets exactly one of many conditional deletes win",
    async run(scope) {
      const TableName = await scope.table();
      await put(scope, TableName, { pk: text("a") });
      const winners = await won(25, () =>
        scope.client.send(
          new DeleteItemCommand({
            TableName,
            Key: { pk: text("a") },
            ConditionExpression: "attribute_exists(pk)",
          }),
        ),
      );
      expect(winners).toHaveLength(1);
      expect(await get(scope, TableName, { pk: text("a") })).toBeUndefined();
    },
  },
  {
    name: "lets exactly one of many version checks win each round",
    async run(scope) {
      const TableName = await scope.table();
      await put(scope, TableName, { pk: text("a"), version: number(0) });
      for (let round = 0; round < 3; round++) {
        const winners = await won(10, (index) =>
          scope.client.send(
            new UpdateItemCommand({
              TableName,
              Key: { pk: text("a") },
              UpdateExpression: "SET version = :next, writer = :writer",
              ConditionExpression: "version = :now",
              ExpressionAttributeValues: {
                ":now": number(round),
                ":next": number(round + 1),
                ":writer": number(index),
              },
            }),
          ),
        );
        expect(winners).toHaveLength(1);
        expect(await get(scope, TableName, { pk: text("a") })).toEqual({
          pk: text("a"),
          version: number(round + 1),
          writer: number(winners[0] ?? -1),
        });
      }
    },
  },
  {
    name: "moves between two items without ever losing or making anything, conflicts included",
    async run(scope) {
      const TableName = await scope.table();
      const accounts = ["a", "b"];
      for (const name of accounts) await put(scope, TableName, { pk: text(name), n: number(100) });
      const sums: number[] = [];
      const moves = Array.from({ length: 20 }, (_, index) =>
        move(scope, TableName, index % 2 === 0 ? accounts : accounts.toReversed()),
      );
      const reads = Array.from({ length: 10 }, async () => {
        const balances = await bothBalances(scope, TableName);
        if (balances !== undefined) sums.push(balances[0] + balances[1]);
      });
      const done = await Promise.all(moves);
      await Promise.all(reads);
      expect(sums.filter((sum) => sum !== 200)).toEqual([]);
      const taken = done.filter((moved, index) => moved && index % 2 === 0).length;
      const given = done.filter((moved, index) => moved && index % 2 === 1).length;
      expect(await bothBalances(scope, TableName)).toEqual([100 - taken + given, 100 + taken - given]);
    },
  },
];

/** Starts them all at once; the indexes of those that did not fail their condition. */
async function won(count: number, write: (index: number) => Promise<unknown>): Promise<number[]> {
  const outcomes = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      write(index).then(
        () => index,
        (error: unknown) => {
          if (error instanceof ConditionalCheckFailedException) return undefined;
          throw error;
        },
      ),
    ),
  );
  return outcomes.filter((outcome) => outcome !== undefined);
}

/** Takes 1 from the first and gives it to the second; false when another transaction was in the way. */
async function move(
  scope: Scope,
  TableName: string,
  [from = "", to = ""]: readonly string[],
): Promise<boolean> {
  const add = (name: string, amount: number) => ({
    Update: {
      TableName,
      Key: { pk: text(name) },
      UpdateExpression: "ADD n :n",
      ExpressionAttributeValues: { ":n": number(amount) },
    },
  });
  return unlessConflict(async () => {
    await scope.client.send(new TransactWriteItemsCommand({ TransactItems: [add(from, -1), add(to, 1)] }));
    return true;
  }, false);
}

function bothBalances(scope: Scope, TableName: string): Promise<[number, number] | undefined> {
  return unlessConflict(async () => {
    const { Responses: answers } = await scope.client.send(
      new TransactGetItemsCommand({
        TransactItems: ["a", "b"].map((name) => ({ Get: { TableName, Key: { pk: text(name) } } })),
      }),
    );
    return [Number(answers?.[0]?.Item?.["n"]?.N), Number(answers?.[1]?.Item?.["n"]?.N)];
  }, undefined);
}

/** Transactions that meet on an item may be cancelled, with that as the only reason. */
async function unlessConflict<T, U>(run: () => Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) throw error;
    const codes = new Set(error.CancellationReasons?.map((reason) => reason.Code));
    codes.delete("None");
    expect([...codes]).toEqual(["TransactionConflict"]);
    return otherwise;
  }
}
