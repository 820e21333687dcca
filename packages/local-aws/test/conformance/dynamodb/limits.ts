import { type AttributeValue, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "vitest";
import { type Check, get, type Item, number, put, refused, text } from "./check.ts";

/** An item holds at most 400 KB: names in UTF-8 and values together. */
const maxItemBytes = 409_600;

/** What an item may not be: too large, too deep, without a key, with values that are none. */
export const limitChecks: readonly Check[] = [
  {
    name: "refuses numbers of 39 digits, out of range, or that are none",
    async run(scope) {
      const table = await scope.table();
      const cases: readonly (readonly [string, RegExp])[] = [
        ["123456789012345678901234567890123456789", /significant/],
        ["1E126", /overflow/],
        ["-1E126", /overflow/],
        ["1E-131", /underflow/],
        ["abc", /numeric/],
        ["NaN", /numeric/],
        ["Infinity", /numeric/],
        ["0x10", /numeric/],
        [" 1", /numeric/],
      ];
      for (const [value, message] of cases)
        await refused(put(scope, table, { pk: text("a"), n: number(value) }), "ValidationException", message);
      expect(await get(scope, table, { pk: text("a") })).toBeUndefined();
    },
  },
  {
    name: "refuses empty sets and sets with duplicates",
    async run(scope) {
      const table = await scope.table();
      const sets: readonly AttributeValue[] = [
        { SS: [] },
        { NS: [] },
        { BS: [] },
        { SS: ["a", "a"] },
        { NS: ["1", "1.0"] },
        { BS: [Uint8Array.of(1), Uint8Array.of(1)] },
      ];
      for (const set of sets) await refused(put(scope, table, { pk: text("a"), set }), "ValidationException");
      await refused(
        put(scope, table, { pk: text("a"), deep: { L: [{ M: { set: { SS: [] } } }] } }),
        "ValidationException",
      );
      expect(await get(scope, table, { pk: text("a") })).toBeUndefined();
    },
  },
  {
    // The limit of 32 counts the value inside: 31 lists and maps around it are the most.
    name: "keeps values nested 32 deep and refuses deeper ones",
    async run(scope) {
      const table = await scope.table();
      await put(scope, table, { pk: text("a"), deep: nested(31) });
      expect(await get(scope, table, { pk: text("a") })).toEqual({ pk: text("a"), deep: nested(31) });
      await refused(
        put(scope, table, { pk: text("b"), deep: nested(32) }),
        "ValidationException",
        /nesting levels/i,
      );
      expect(await get(scope, table, { pk: text("b") })).toBeUndefined();
    },
  },
  {
    name: "keeps an item of exactly 400 KB and refuses one byte more",
    async run(scope) {
      const table = await scope.table();
      const largest = { pk: text("a"), v: text("x".repeat(maxItemBytes - "pkav".length)) };
      await put(scope, table, largest);
      expect(await get(scope, table, { pk: text("a") })).toEqual(largest);
      await refused(
        put(scope, table, { pk: text("b"), v: text(`${largest.v.S}x`) }),
        "ValidationException",
        /item size/i,
      );
      expect(await get(scope, table, { pk: text("b") })).toBeUndefined();
    },
  },
  {
    name: "counts an item's size in UTF-8 bytes",
    async run(scope) {
      const table = await scope.table();
      await refused(
        put(scope, table, { pk: text("a"), v: text("ä".repeat(maxItemBytes / 2)) }),
        "ValidationException",
        /item size/i,
      );
      expect(await get(scope, table, { pk: text("a") })).toBeUndefined();
    },
  },
  {
    name: "refuses an update that lets an item grow past 400 KB, and keeps it as it was",
    async run(scope) {
      const table = await scope.table();
      await put(scope, table, { pk: text("a"), v: text("x".repeat(300_000)) });
      await refused(
        scope.client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: { pk: text("a") },
            UpdateExpression: "SET w = :w",
            ExpressionAttributeValues: { ":w": text("y".repeat(200_000)) },
          }),
        ),
        "ValidationException",
        /item size/i,
      );
      expect(Object.keys((await get(scope, table, { pk: text("a") })) ?? {}).toSorted()).toEqual(["pk", "v"]);
    },
  },
  {
    name: "refuses an item whose key is missing, of another type or empty",
    async run(scope) {
      const table = await scope.table({ sort: "N" });
      const items: Item[] = [
        { pk: text("a") },
        { sk: number(1) },
        { pk: number(1), sk: number(1) },
        { pk: text("a"), sk: text("1") },
        { pk: text(""), sk: number(1) },
        { pk: { NULL: true }, sk: number(1) },
      ];
      for (const item of items) await refused(put(scope, table, item), "ValidationException");
    },
  },
  {
    name: "refuses keys longer than 2,048 and 1,024 bytes and takes those as long",
    async run(scope) {
      const table = await scope.table({ sort: "S" });
      const longest = { pk: text("p".repeat(2048)), sk: text("s".repeat(1024)) };
      await put(scope, table, longest);
      expect(await get(scope, table, longest)).toEqual(longest);
      await refused(
        put(scope, table, { ...longest, pk: text("p".repeat(2049)) }),
        "ValidationException",
        /2048/,
      );
      await refused(
        put(scope, table, { ...longest, sk: text("s".repeat(1025)) }),
        "ValidationException",
        /1024/,
      );
    },
  },
];

/** `levels` lists within each other around a string, the outermost counted. */
function nested(levels: number): AttributeValue {
  let value: AttributeValue = text("innermost");
  for (let level = 0; level < levels; level++)
    value = level % 2 === 0 ? { L: [value] } : { M: { in: value } };
  return value;
}
