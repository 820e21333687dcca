import { UpdateItemCommand, type UpdateItemCommandInput } from "@aws-sdk/client-dynamodb";
import { expect } from "vitest";
import { type Check, get, inOrder, type Item, number, put, refused, type Scope, text } from "./check.ts";

type Update = Omit<UpdateItemCommandInput, "TableName" | "Key">;

const Key = { pk: text("a") };

/** Update expressions: what they change and what they refuse. */
export const updateChecks: readonly Check[] = [
  {
    name: "sets and removes attributes and leaves the others as they are",
    async run(scope) {
      const after = await updated(
        scope,
        { keep: { SS: ["x"] }, change: number(1), gone: text("x") },
        {
          UpdateExpression: "SET change = :two, added = :list REMOVE gone, absent",
          ExpressionAttributeValues: { ":two": number(2), ":list": { L: [{ NULL: true }] } },
        },
      );
      expect(after).toEqual({ keep: { SS: ["x"] }, change: number(2), added: { L: [{ NULL: true }] } });
    },
  },
  {
    name: "creates the item by an update, with its key",
    async run(scope) {
      const after = await updated(scope, undefined, {
        UpdateExpression: "SET v = :v",
        ExpressionAttributeValues: { ":v": text("x") },
      });
      expect(after).toEqual({ v: text("x") });
    },
  },
  {
    name: "creates a bare item by an update without expression, and none by a removal",
    async run(scope) {
      expect(await updated(scope, undefined, {})).toEqual({});
      expect(await updated(scope, undefined, { UpdateExpression: "REMOVE v" })).toBeUndefined();
    },
  },
  {
    name: "reads every operand as it stood before the update",
    async run(scope) {
      const after = await updated(
        scope,
        { a: number(1), b: number(2) },
        { UpdateExpression: "SET a = b, b = a, c = a + b" },
      );
      expect(after).toEqual({ a: number(2), b: number(1), c: number(3) });
    },
  },
  {
    name: "adds and subtracts without losing a digit",
    async run(scope) {
      const after = await updated(
        scope,
        {
          tenth: number("0.1"),
          huge: number("12345678901234567890123456789012345677"),
          wide: number("9007199254740993"),
        },
        {
          UpdateExpression: "SET tenth = tenth + :fifth, huge = huge + :one, wide = wide - :one",
          ExpressionAttributeValues: { ":fifth": number("0.2"), ":one": number(1) },
        },
      );
      expect(after).toEqual({
        tenth: number("0.3"),
        huge: number("12345678901234567890123456789012345678"),
        wide: number("9007199254740992"),
      });
    },
  },
  {
    name: "refuses sums that need more than 38 digits or overflow, and keeps the item",
    async run(scope) {
      const before = { big: number("1E+50"), top: number("9E+125") };
      await allRefused(scope, before, [
        { UpdateExpression: "SET big = big + :one", ExpressionAttributeValues: { ":one": number(1) } },
        { UpdateExpression: "SET top = top + top" },
      ]);
    },
  },
  {
    name: "if_not_exists sets only what is missing, also inside arithmetic",
    async run(scope) {
      const after = await updated(
        scope,
        { there: number(5) },
        {
          UpdateExpression:
            "SET there = if_not_exists(there, :zero), lacking = if_not_exists(lacking, :zero), " +
            "counted = if_not_exists(counted, :zero) + :one, copied = if_not_exists(absent, there)",
          ExpressionAttributeValues: { ":zero": number(0), ":one": number(1) },
        },
      );
      expect(after).toEqual({ there: number(5), lacking: number(0), counted: number(1), copied: number(5) });
    },
  },
  {
    name: "list_append joins lists in the order given",
    async run(scope) {
      const after = await updated(
        scope,
        { rear: { L: [number(1)] }, front: { L: [number(1)] } },
        {
          UpdateExpression:
            "SET rear = list_append(rear, :more), front = list_append(:more, front), " +
            "fresh = list_append(if_not_exists(fresh, :none), :more)",
          ExpressionAttributeValues: { ":more": { L: [number(2), text("x")] }, ":none": { L: [] } },
        },
      );
      expect(after).toEqual({
        rear: { L: [number(1), number(2), text("x")] },
        front: { L: [number(2), text("x"), number(1)] },
        fresh: { L: [number(2), text("x")] },
      });
    },
  },
  {
    name: "changes a list element by its index and nothing beside it",
    async run(scope) {
      const after = await updated(
        scope,
        { l: { L: [text("a"), { M: { k: number(1), other: text("stays") } }, text("c")] } },
        {
          UpdateExpression: "SET l[1].k = :two, l[2] = :z",
          ExpressionAttributeValues: { ":two": number(2), ":z": text("z") },
        },
      );
      expect(after).toEqual({
        l: { L: [text("a"), { M: { k: number(2), other: text("stays") } }, text("z")] },
      });
    },
  },
  {
    name: "appends where an index lies past the end of a list, in the order of the indexes",
    async run(scope) {
      const after = await updated(
        scope,
        { l: { L: [text("a")] } },
        {
          UpdateExpression: "SET l[9] = :nine, l[5] = :five",
          ExpressionAttributeValues: { ":nine": number(9), ":five": number(5) },
        },
      );
      expect(after).toEqual({ l: { L: [text("a"), number(5), number(9)] } });
    },
  },
  {
    name: "removes list elements by the indexes they had before",
    async run(scope) {
      const after = await updated(
        scope,
        { l: { L: ["a", "b", "c", "d", "e"].map((value) => text(value)) } },
        { UpdateExpression: "REMOVE l[1], l[3], l[7]" },
      );
      expect(after).toEqual({ l: { L: [text("a"), text("c"), text("e")] } });
    },
  },
  {
    name: "sets and removes inside nested maps",
    async run(scope) {
      const after = await updated(
        scope,
        { m: { M: { in: { M: { a: number(1), b: number(2) } }, stays: text("x") } } },
        {
          UpdateExpression: "SET m.#in.c = :three, m.fresh = :map REMOVE m.#in.a",
          ExpressionAttributeNames: { "#in": "in" },
          ExpressionAttributeValues: { ":three": number(3), ":map": { M: {} } },
        },
      );
      expect(after).toEqual({
        m: { M: { in: { M: { b: number(2), c: number(3) } }, stays: text("x"), fresh: { M: {} } } },
      });
    },
  },
  {
    name: "ADD counts from nothing, subtracts, and unites sets",
    async run(scope) {
      const after = await updated(
        scope,
        { n: number("1.5"), s: { SS: ["a", "b"] } },
        {
          UpdateExpression: "ADD n :minus, fresh :five, s :more, ns :numbers",
          ExpressionAttributeValues: {
            ":minus": number("-2"),
            ":five": number(5),
            ":more": { SS: ["b", "c"] },
            ":numbers": { NS: ["1"] },
          },
        },
      );
      expect(inOrder(after)).toEqual({
        n: number("-0.5"),
        fresh: number(5),
        s: { SS: ["a", "b", "c"] },
        ns: { NS: ["1"] },
      });
    },
  },
  {
    name: "DELETE takes members out of a set and the attribute with the last one",
    async run(scope) {
      const after = await updated(
        scope,
        { several: { SS: ["a", "b", "c"] }, all: { NS: ["1", "2"] } },
        {
          UpdateExpression: "DELETE several :ab, #all :numbers, absent :ab",
          ExpressionAttributeNames: { "#all": "all" },
          ExpressionAttributeValues: { ":ab": { SS: ["a", "b", "x"] }, ":numbers": { NS: ["2.0", "1"] } },
        },
      );
      expect(after).toEqual({ several: { SS: ["c"] } });
    },
  },
  {
    name: "refuses operands of the wrong type and keeps the item",
    async run(scope) {
      const before: Item = { s: text("x"), n: number(1), l: { L: [] }, ss: { SS: ["a"] } };
      await allRefused(scope, before, [
        { UpdateExpression: "SET n = s + n" },
        { UpdateExpression: "SET l = list_append(l, s)" },
        { UpdateExpression: "ADD s :one", ExpressionAttributeValues: { ":one": number(1) } },
        { UpdateExpression: "ADD ss :ns", ExpressionAttributeValues: { ":ns": { NS: ["1"] } } },
        { UpdateExpression: "ADD l :l", ExpressionAttributeValues: { ":l": { L: [] } } },
        { UpdateExpression: "DELETE n :one", ExpressionAttributeValues: { ":one": number(1) } },
        { UpdateExpression: "SET n = absent" },
        { UpdateExpression: "SET n = absent + n" },
        { UpdateExpression: "SET s.k = n" },
        { UpdateExpression: "SET absent.k = n" },
        { UpdateExpression: "SET n[0] = s" },
        { UpdateExpression: "SET absent[0] = s" },
        { UpdateExpression: "REMOVE absent.k" },
      ]);
    },
  },
  {
    name: "refuses malformed expressions, overlapping paths and keys, and keeps the item",
    async run(scope) {
      const before: Item = { n: number(1), m: { M: { k: number(1) } }, l: { L: [number(1)] } };
      const two = { ExpressionAttributeValues: { ":two": number(2) } };
      await allRefused(scope, before, [
        { UpdateExpression: "" },
        { UpdateExpression: "SET" },
        { UpdateExpression: "SET n" },
        { UpdateExpression: "SET n = 2" },
        { UpdateExpression: "SET n = :two,", ...two },
        { UpdateExpression: "SET n = :two SET m = :two", ...two },
        { UpdateExpression: "SET n = :two, n = :two", ...two },
        { UpdateExpression: "SET m = :two, m.k = :two", ...two },
        { UpdateExpression: "SET m.k = :two REMOVE m", ...two },
        { UpdateExpression: "SET l = :two, l[0] = :two", ...two },
        { UpdateExpression: "SET l.k = :two, l[0] = :two", ...two },
        { UpdateExpression: "SET pk = :two", ...two },
        { UpdateExpression: "REMOVE pk" },
        { UpdateExpression: "SET n = :absent" },
        { UpdateExpression: "SET #absent = :two", ...two },
        { UpdateExpression: "SET n = n * :two", ...two },
        { UpdateExpression: "SET n = twice(n)" },
        { UpdateExpression: "SET n = n + n + :two", ...two },
        { UpdateExpression: "SET value = :two", ...two },
        { UpdateExpression: "REMOVE n", ...two },
        { UpdateExpression: "DROP n" },
      ]);
    },
  },
  {
    name: "takes keywords in either case and any white space",
    async run(scope) {
      const after = await updated(
        scope,
        { a: number(1), b: number(1) },
        {
          UpdateExpression: " set\ta=a+:one\n,c =:one\r\nReMoVe b ",
          ExpressionAttributeValues: { ":one": number(1) },
        },
      );
      expect(after).toEqual({ a: number(2), c: number(1) });
    },
  },
];

/** The item's attributes beside its key after an update on an item of these attributes, or on none. */
async function updated(scope: Scope, before: Item | undefined, update: Update): Promise<Item | undefined> {
  const TableName = await scope.table();
  if (before !== undefined) await put(scope, TableName, { ...Key, ...before });
  await scope.client.send(new UpdateItemCommand({ TableName, Key, ...update }));
  const item = await get(scope, TableName, Key);
  if (item === undefined) return undefined;
  const { pk, ...rest } = item;
  expect(pk).toEqual(Key.pk);
  return rest;
}

/** Expects a ValidationException for each update and, after each, the item as it was. */
async function allRefused(scope: Scope, before: Item, updates: readonly Update[]): Promise<void> {
  const TableName = await scope.table();
  await put(scope, TableName, { ...Key, ...before });
  const item = inOrder(await get(scope, TableName, Key));
  for (const update of updates) {
    try {
      await refused(
        scope.client.send(new UpdateItemCommand({ TableName, Key, ...update })),
        "ValidationException",
      );
      expect(inOrder(await get(scope, TableName, Key))).toEqual(item);
    } catch (error) {
      throw new Error(`not refused as it should be: ${update.UpdateExpression}`, { cause: error });
    }
  }
}
