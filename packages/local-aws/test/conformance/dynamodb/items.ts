import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { expect } from "vitest";
import { type Check, get, inOrder, type Item, number, put, refused, scientific, text } from "./check.ts";

/** Items as they are kept: types, numbers, keys, what reads and writes give back. */
export const itemChecks: readonly Check[] = [
  {
    name: "gives back every type as it was put",
    async run(scope) {
      const table = await scope.table();
      const item: Item = {
        pk: text("ключ-🔑-\u0000-e\u0301"),
        string: text("Grüße\n\t\u{1F600}"),
        number: number("-12.5"),
        binary: { B: Uint8Array.from({ length: 256 }, (_, index) => index) },
        yes: { BOOL: true },
        no: { BOOL: false },
        nothing: { NULL: true },
        strings: { SS: ["a", "b", "ä"] },
        numbers: { NS: ["1", "-2", "3.5"] },
        binaries: { BS: [Uint8Array.of(0), Uint8Array.of(255, 0)] },
        list: { L: [text("a"), { L: [] }, { M: {} }, { NULL: true }, { NS: ["7"] }] },
        map: { M: { "with space.and dot": number(1), " ": text("a space") } },
      };
      await put(scope, table, item);
      expect(inOrder(await get(scope, table, { pk: item["pk"] ?? text("") }))).toEqual(inOrder(item));
    },
  },
  {
    name: "keeps attributes of any name, and finds only those that are there",
    async run(scope) {
      const table = await scope.table();
      const own = Object.fromEntries([
        ["__proto__", text("own")],
        ["constructor", text("c")],
      ]);
      await put(scope, table, { ...own, pk: text("a"), map: { M: { ...own, list: { L: [{ M: own }] } } } });
      const names = { "#s": "toString", "#v": "valueOf", "#p": "__proto__", "#map": "map", "#list": "list" };
      const change = (pk: string, UpdateExpression: string, ConditionExpression: string) => {
        const used = Object.entries(names).filter(([name]) =>
          `${UpdateExpression} ${ConditionExpression} `.match(new RegExp(`${name}\\b`)),
        );
        return scope.client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: { pk: text(pk) },
            UpdateExpression,
            ConditionExpression,
            ExpressionAttributeNames: Object.fromEntries(used),
            ExpressionAttributeValues: {
              ...(UpdateExpression.includes(":s") ? { ":s": text("new") } : {}),
              ...(ConditionExpression.includes(":own") ? { ":own": text("own") } : {}),
            },
          }),
        );
      };
      await change("a", "SET #s = if_not_exists(#s, :s)", "#p = :own AND attribute_not_exists(#v)");
      await change(
        "a",
        "SET #map.#s = if_not_exists(#map.#s, :s)",
        "#map.#p = :own AND attribute_not_exists(#map.#v)",
      );
      await change("a", "REMOVE #map.#p", "#map.#list[0].#p = :own AND #p = :own");
      await change("b", "SET #s = if_not_exists(#s, :s)", "attribute_not_exists(#v)");
      const [one, other] = await Promise.all(["a", "b"].map((pk) => get(scope, table, { pk: text(pk) })));
      expect(Object.keys(one ?? {}).toSorted()).toEqual([
        "__proto__",
        "constructor",
        "map",
        "pk",
        "toString",
      ]);
      expect(Object.keys(one?.["map"]?.M ?? {}).toSorted()).toEqual(["constructor", "list", "toString"]);
      expect(Object.keys(one?.["map"]?.M?.["list"]?.L?.[0]?.M ?? {}).toSorted()).toEqual([
        "__proto__",
        "constructor",
      ]);
      expect(new Map(Object.entries(other ?? {}))).toEqual(
        new Map([
          ["pk", text("b")],
          ["toString", text("new")],
        ]),
      );
    },
  },
  {
    name: "keeps empty strings, binaries, lists and maps",
    async run(scope) {
      const table = await scope.table();
      const item: Item = {
        pk: text("a"),
        string: text(""),
        binary: { B: new Uint8Array() },
        list: { L: [] },
        map: { M: {} },
        inside: { M: { deep: { L: [text(""), { B: new Uint8Array() }] } } },
      };
      await put(scope, table, item);
      expect(inOrder(await get(scope, table, { pk: text("a") }))).toEqual(inOrder(item));
    },
  },
  {
    name: "keeps numbers of 38 digits to the last digit",
    async run(scope) {
      const table = await scope.table();
      const digits = [
        "12345678901234567890123456789012345678",
        "-12345678901234567890123456789012345678",
        "1234567890.1234567890123456789012345678",
        "0.00000000012345678901234567890123456789012345678",
        "9007199254740993",
      ];
      await put(scope, table, {
        pk: text("a"),
        list: { L: digits.map((value) => number(value)) },
        set: { NS: digits },
      });
      const item = await get(scope, table, { pk: text("a") });
      expect(item?.["list"]?.L?.map((value) => value.N)).toEqual(digits);
      expect(item?.["set"]?.NS?.toSorted()).toEqual(digits.toSorted());
    },
  },
  {
    name: "keeps the largest and the smallest numbers",
    async run(scope) {
      const table = await scope.table();
      const values = [
        "9.9999999999999999999999999999999999999E+125",
        "1E-130",
        "-1E-130",
        "1E+125",
        "-9E+125",
      ];
      await put(scope, table, { pk: text("a"), list: { L: values.map((value) => number(value)) } });
      const item = await get(scope, table, { pk: text("a") });
      expect(item?.["list"]?.L?.map((value) => scientific(value.N))).toEqual(values.map(scientific));
    },
  },
  {
    name: "writes numbers in one form, whatever form they came in",
    async run(scope) {
      const table = await scope.table();
      const forms = {
        "1.0": "1",
        "007": "7",
        "+5": "5",
        "1e2": "100",
        "-0": "0",
        "0.50": "0.5",
        ".25": "0.25",
        "12E-1": "1.2",
      };
      await put(scope, table, {
        pk: text("a"),
        list: { L: Object.keys(forms).map((value) => number(value)) },
      });
      const item = await get(scope, table, { pk: text("a") });
      expect(item?.["list"]?.L?.map((value) => value.N)).toEqual(Object.values(forms));
    },
  },
  {
    name: "refuses to read or delete by anything but the table's whole key",
    async run(scope) {
      const TableName = await scope.table({ sort: "S" });
      await put(scope, TableName, { pk: text("a"), sk: text("1") });
      const keys: Item[] = [
        { pk: text("a") },
        { pk: text("a"), sk: number(1) },
        { pk: text("a"), sk: text("1"), other: text("x") },
        { id: text("a"), sk: text("1") },
      ];
      for (const Key of keys) {
        await refused(scope.client.send(new GetItemCommand({ TableName, Key })), "ValidationException");
        await refused(scope.client.send(new DeleteItemCommand({ TableName, Key })), "ValidationException");
      }
      expect(await get(scope, TableName, { pk: text("a"), sk: text("1") })).toBeDefined();
    },
  },
  {
    name: "takes equal numbers for one key, however they are written",
    async run(scope) {
      const table = await scope.table({ sort: "N" });
      await put(scope, table, { pk: text("a"), sk: number("1.0"), v: text("first") });
      await put(scope, table, { pk: text("a"), sk: number("1"), v: text("second") });
      expect(await get(scope, table, { pk: text("a"), sk: number("10E-1") })).toEqual({
        pk: text("a"),
        sk: number("1"),
        v: text("second"),
      });
    },
  },
  {
    name: "tells keys in composed and decomposed umlauts apart",
    async run(scope) {
      const table = await scope.table();
      await put(
        scope,
        table,
        { pk: text("\u00FC"), v: text("nfc") },
        { pk: text("u\u0308"), v: text("nfd") },
      );
      expect((await get(scope, table, { pk: text("\u00FC") }))?.["v"]).toEqual(text("nfc"));
      expect((await get(scope, table, { pk: text("u\u0308") }))?.["v"]).toEqual(text("nfd"));
    },
  },
  {
    name: "replaces the whole item on a second put and returns the old one on demand",
    async run(scope) {
      const TableName = await scope.table();
      const first = { pk: text("a"), old: number(1), both: text("x") };
      const second = { pk: text("a"), both: text("y") };
      const made = await scope.client.send(
        new PutItemCommand({ TableName, Item: first, ReturnValues: "ALL_OLD" }),
      );
      expect(made.Attributes).toBeUndefined();
      const replaced = await scope.client.send(
        new PutItemCommand({ TableName, Item: second, ReturnValues: "ALL_OLD" }),
      );
      expect(replaced.Attributes).toEqual(first);
      expect(await get(scope, TableName, { pk: text("a") })).toEqual(second);
    },
  },
  {
    name: "returns the deleted item on demand and deletes what is not there without complaint",
    async run(scope) {
      const TableName = await scope.table();
      const Key = { pk: text("a") };
      await put(scope, TableName, { ...Key, v: number(1) });
      const gone = await scope.client.send(
        new DeleteItemCommand({ TableName, Key, ReturnValues: "ALL_OLD" }),
      );
      expect(gone.Attributes).toEqual({ ...Key, v: number(1) });
      expect(await get(scope, TableName, Key)).toBeUndefined();
      const again = await scope.client.send(
        new DeleteItemCommand({ TableName, Key, ReturnValues: "ALL_OLD" }),
      );
      expect(again.Attributes).toBeUndefined();
    },
  },
  {
    name: "refuses return values that put and delete do not know, and changes nothing",
    async run(scope) {
      const TableName = await scope.table();
      await put(scope, TableName, { pk: text("a") });
      for (const ReturnValues of ["ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"] as const) {
        await refused(
          scope.client.send(new PutItemCommand({ TableName, Item: { pk: text("b") }, ReturnValues })),
          "ValidationException",
        );
        await refused(
          scope.client.send(new DeleteItemCommand({ TableName, Key: { pk: text("a") }, ReturnValues })),
          "ValidationException",
        );
      }
      expect(await get(scope, TableName, { pk: text("a") })).toBeDefined();
      expect(await get(scope, TableName, { pk: text("b") })).toBeUndefined();
    },
  },
  {
    name: "reads only the paths of a projection",
    async run(scope) {
      const TableName = await scope.table();
      await put(scope, TableName, {
        pk: text("a"),
        name: text("reserved word"),
        map: { M: { one: number(1), two: number(2), list: { L: [number(0), number(1), number(2)] } } },
        list: { L: [text("x"), text("y"), text("z")] },
      });
      const { Item: found } = await scope.client.send(
        new GetItemCommand({
          TableName,
          Key: { pk: text("a") },
          ProjectionExpression: "#n, #m.two, #m.#l[1], #l[2], #l[0], absent, #m.absent.deeper",
          ExpressionAttributeNames: { "#n": "name", "#m": "map", "#l": "list" },
        }),
      );
      expect(found).toEqual({
        name: text("reserved word"),
        map: { M: { two: number(2), list: { L: [number(1)] } } },
        list: { L: [text("x"), text("z")] },
      });
    },
  },
  {
    name: "refuses overlapping paths and reserved words in a projection",
    async run(scope) {
      const TableName = await scope.table();
      for (const ProjectionExpression of ["a, a.b", "a[1], a", "name", "a..b", "a,", "a.#undefined"])
        await refused(
          scope.client.send(new GetItemCommand({ TableName, Key: { pk: text("a") }, ProjectionExpression })),
          "ValidationException",
        );
    },
  },
];
