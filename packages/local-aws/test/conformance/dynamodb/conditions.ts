import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { expect } from "vitest";
import { type Check, get, type Item, number, put, refused, type Scope, text } from "./check.ts";

const item: Item = {
  pk: text("a"),
  s: text("hello"),
  n: number(5),
  b: { B: Uint8Array.of(1, 2, 3) },
  yes: { BOOL: true },
  nil: { NULL: true },
  ss: { SS: ["x", "y"] },
  ns: { NS: ["1", "2.50"] },
  l: { L: [text("x"), number(7), { M: { k: text("v") } }] },
  m: { M: { k: text("v"), l: { L: [number(1)] } } },
};

const values: Record<string, AttributeValue> = {
  ":one": number(1),
  ":five": number("5.0"),
  ":nine": number(9),
  ":hello": text("hello"),
  ":hell": text("hell"),
  ":ell": text("ell"),
  ":x": text("x"),
  ":z": text("z"),
  ":seven": number(7),
  ":half": number("2.5"),
  ":bytes": { B: Uint8Array.of(1, 2) },
  ":byte": { B: Uint8Array.of(2, 3) },
  ":true": { BOOL: true },
  ":null": { NULL: true },
  ":set": { SS: ["y", "x"] },
  ":map": { M: { k: text("v") } },
  ":typeS": text("S"),
  ":typeN": text("N"),
  ":typeSS": text("SS"),
  ":typeL": text("L"),
  ":typeM": text("M"),
  ":typeB": text("B"),
  ":typeNULL": text("NULL"),
  ":typeBOOL": text("BOOL"),
  ":v": text("v"),
};

/** Conditions on writes: what they accept, and that a refused write changes nothing. */
export const conditionChecks: readonly Check[] = [
  table("compares values of one type", {
    "n = :five": true,
    "n <> :five": false,
    "n <> :nine": true,
    "n < :nine": true,
    "n <= :five": true,
    "n > :nine": false,
    "n >= :five": true,
    "s = :hello": true,
    "s > :hell": true,
    "b > :bytes": true,
    "yes = :true": true,
    "nil = :null": true,
    "ss = :set": true,
    "l[2] = :map": true,
    "l[1] = m.l[0]": false,
    ":five = n": true,
  }),
  table("takes values of different types as unequal and never as ordered", {
    "s = :five": false,
    "s <> :five": true,
    "n < :hello": false,
    "n > :hello": false,
    "absent = :one": false,
    "absent <> :one": true,
    "absent < :one": false,
  }),
  table("knows which attributes exist, at any depth", {
    "attribute_exists(s)": true,
    "attribute_exists(absent)": false,
    "attribute_not_exists(absent)": true,
    "attribute_not_exists(nil)": false,
    "attribute_exists(m.k)": true,
    "attribute_exists(m.absent)": false,
    "attribute_exists(l[2].k)": true,
    "attribute_exists(l[3])": false,
    "attribute_not_exists(s.k)": true,
  }),
  table("knows the type of an attribute", {
    "attribute_type(s, :typeS)": true,
    "attribute_type(s, :typeN)": false,
    "attribute_type(ss, :typeSS)": true,
    "attribute_type(l, :typeL)": true,
    "attribute_type(m, :typeM)": true,
    "attribute_type(b, :typeB)": true,
    "attribute_type(nil, :typeNULL)": true,
    "attribute_type(yes, :typeBOOL)": true,
    "attribute_type(absent, :typeS)": false,
  }),
  table("begins_with works on strings and binaries", {
    "begins_with(s, :hell)": true,
    "begins_with(s, :ell)": false,
    "begins_with(b, :bytes)": true,
    "begins_with(b, :byte)": false,
    "begins_with(s, :bytes)": false,
    "begins_with(absent, :hell)": false,
  }),
  table("contains looks into strings, binaries, sets and lists", {
    "contains(s, :ell)": true,
    "contains(s, :x)": false,
    "contains(b, :byte)": true,
    "contains(ss, :x)": true,
    "contains(ss, :z)": false,
    "contains(ns, :half)": true,
    "contains(l, :seven)": true,
    "contains(l, :map)": true,
    "contains(l, :z)": false,
    "contains(n, :five)": false,
  }),
  table("size counts characters, bytes and elements", {
    "size(s) = :five": true,
    "size(b) > :one": true,
    "size(ss) < :five": true,
    "size(l) = :nine": false,
    "size(m) > :one": true,
    "size(absent) = :one": false,
    "size(n) = :one": false,
  }),
  table("BETWEEN includes both ends and IN knows a list", {
    "n BETWEEN :one AND :five": true,
    "n BETWEEN :five AND :nine": true,
    "n BETWEEN :seven AND :nine": false,
    "s BETWEEN :hell AND :hello": true,
    "s BETWEEN :one AND :nine": false,
    "n IN (:one, :five)": true,
    "n IN (:one, :hello)": false,
    "s IN (:hello)": true,
    "size(s) BETWEEN :one AND :nine": true,
  }),
  table("binds NOT before AND before OR, and parentheses first", {
    "n = :five OR n = :nine AND n = :one": true,
    "(n = :five OR n = :nine) AND n = :one": false,
    "NOT n = :one AND n = :five": true,
    "NOT (n = :one OR n = :five)": false,
    "not attribute_exists(absent) and (n = :five)": true,
  }),
  {
    name: "a failed condition leaves the item untouched, for put, update and delete",
    async run(scope) {
      const TableName = await scope.table();
      const Key = { pk: text("a") };
      await put(scope, TableName, item);
      const condition = {
        TableName,
        ConditionExpression: "n = :nine",
        ExpressionAttributeValues: { ":nine": number(9) },
      };
      const failures = [
        await refused(
          scope.client.send(new PutItemCommand({ ...condition, Item: Key })),
          "ConditionalCheckFailedException",
        ),
        await refused(
          scope.client.send(
            new UpdateItemCommand({ ...condition, Key, UpdateExpression: "SET n = :nine REMOVE s" }),
          ),
          "ConditionalCheckFailedException",
        ),
        await refused(
          scope.client.send(new DeleteItemCommand({ ...condition, Key })),
          "ConditionalCheckFailedException",
        ),
      ];
      for (const failure of failures) {
        expect(failure.message).toBe("The conditional request failed");
        expect(failure.$metadata.httpStatusCode).toBe(400);
        expect(failure).not.toHaveProperty("Item.pk");
      }
      const kept = await get(scope, TableName, Key);
      expect(kept?.["n"]).toEqual(number(5));
      expect(kept?.["s"]).toEqual(text("hello"));
    },
  },
  {
    name: "puts only where nothing is, and deletes and updates only what is there",
    async run(scope) {
      const TableName = await scope.table();
      const Key = { pk: text("new") };
      const present = { TableName, Key, ConditionExpression: "attribute_exists(pk)" };
      await refused(
        scope.client.send(new UpdateItemCommand({ ...present, UpdateExpression: "REMOVE v" })),
        "ConditionalCheckFailedException",
      );
      await refused(scope.client.send(new DeleteItemCommand(present)), "ConditionalCheckFailedException");
      expect(await get(scope, TableName, Key)).toBeUndefined();
      const create = (v: string) =>
        scope.client.send(
          new PutItemCommand({
            TableName,
            Item: { ...Key, v: text(v) },
            ConditionExpression: "attribute_not_exists(pk)",
          }),
        );
      await create("first");
      await refused(create("second"), "ConditionalCheckFailedException");
      expect(await get(scope, TableName, Key)).toEqual({ ...Key, v: text("first") });
      await scope.client.send(new DeleteItemCommand(present));
      expect(await get(scope, TableName, Key)).toBeUndefined();
    },
  },
  {
    name: "hands out the item that failed a condition when asked to",
    async run(scope) {
      const TableName = await scope.table();
      const Key = { pk: text("a") };
      const stands = { ...Key, version: number(3), tags: { L: [text("x")] } };
      await put(scope, TableName, stands);
      const condition = {
        TableName,
        ConditionExpression: "version = :v",
        ExpressionAttributeValues: { ":v": number(2) },
        ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
      };
      const calls = [
        () => scope.client.send(new PutItemCommand({ ...condition, Item: Key })),
        () =>
          scope.client.send(
            new UpdateItemCommand({ ...condition, Key, UpdateExpression: "SET version = :v" }),
          ),
        () => scope.client.send(new DeleteItemCommand({ ...condition, Key })),
      ];
      for (const call of calls) {
        const failure = await refused(call(), "ConditionalCheckFailedException");
        expect(failure).toBeInstanceOf(ConditionalCheckFailedException);
        expect(failure).toHaveProperty("Item", stands);
      }
      const missing = await refused(
        scope.client.send(new DeleteItemCommand({ ...condition, Key: { pk: text("absent") } })),
        "ConditionalCheckFailedException",
      );
      expect(missing).not.toHaveProperty("Item.pk");
    },
  },
  {
    name: "knows reserved words only behind a placeholder",
    async run(scope) {
      const TableName = await scope.table();
      await put(scope, TableName, {
        pk: text("a"),
        name: text("Max"),
        status: text("open"),
        "a.b": number(1),
      });
      await expectCondition(scope, TableName, {
        ConditionExpression: "#n = :n AND #s = :s AND #dot = :one",
        ExpressionAttributeNames: { "#n": "name", "#s": "status", "#dot": "a.b" },
        ExpressionAttributeValues: { ":n": text("Max"), ":s": text("open"), ":one": number(1) },
      });
      for (const word of ["name", "status", "Size", "TYPE"])
        await refused(
          expectCondition(scope, TableName, { ConditionExpression: `attribute_exists(${word})` }),
          "ValidationException",
          /reserved keyword/,
        );
    },
  },
  {
    name: "refuses malformed conditions, unknown functions and unused or missing placeholders",
    async run(scope) {
      const TableName = await scope.table();
      await put(scope, TableName, item);
      const malformed: Condition[] = [
        { ConditionExpression: "" },
        { ConditionExpression: "n =" },
        { ConditionExpression: "(attribute_exists(n)" },
        { ConditionExpression: "n = 5" },
        { ConditionExpression: "present(n)" },
        { ConditionExpression: "attribute_exists(n, s)" },
        { ConditionExpression: "n = :absent" },
        { ConditionExpression: "#absent = n" },
        { ConditionExpression: "attribute_exists(n)", ExpressionAttributeValues: { ":unused": number(1) } },
        { ConditionExpression: "attribute_exists(n)", ExpressionAttributeNames: { "#unused": "n" } },
        { ConditionExpression: "n = :v", ExpressionAttributeValues: { v: number(5) } },
        { ConditionExpression: "attribute_type(n, :v)", ExpressionAttributeValues: { ":v": text("NUMBER") } },
        {
          ConditionExpression: "n BETWEEN :high AND :low",
          ExpressionAttributeValues: { ":high": number(9), ":low": number(1) },
        },
        { ExpressionAttributeNames: { "#n": "n" } },
      ];
      for (const condition of malformed)
        await refused(expectCondition(scope, TableName, condition), "ValidationException");
      expect(await get(scope, TableName, { pk: text("a") })).not.toHaveProperty("held");
    },
  },
];

/** One check from a truth table: each condition either lets a write through or refuses it. */
function table(name: string, rows: Record<string, boolean>): Check {
  return {
    name,
    async run(scope) {
      const TableName = await scope.table();
      await put(scope, TableName, item);
      const held: Record<string, boolean> = {};
      for (const condition of Object.keys(rows)) {
        const used = Object.entries(values).filter(([name]) => new RegExp(`${name}\\b`).test(condition));
        const outcome = expectCondition(scope, TableName, {
          ConditionExpression: condition,
          ...(used.length === 0 ? {} : { ExpressionAttributeValues: Object.fromEntries(used) }),
        });
        held[condition] = await outcome.then(
          () => true,
          (error: unknown) => {
            if (error instanceof ConditionalCheckFailedException) return false;
            throw new Error(`the condition ${condition} was not evaluated`, { cause: error });
          },
        );
      }
      expect(held).toEqual(rows);
    },
  };
}

interface Condition {
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, AttributeValue>;
}

async function expectCondition(scope: Scope, TableName: string, condition: Condition): Promise<void> {
  await scope.client.send(
    new UpdateItemCommand({
      TableName,
      Key: { pk: text("a") },
      UpdateExpression: "REMOVE held",
      ...condition,
    }),
  );
}
