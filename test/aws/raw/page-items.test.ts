import fc from "fast-check";
import { expect, test } from "vitest";
import { splitPage } from "../../../src/aws/raw/page-items.ts";

const attribute = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({ S: fc.string({ unit: "grapheme" }) }),
    fc.record({ S: fc.constantFrom('"', "\\", '\\"}]', "{[", '","Items":[{', "\u{1}\n\r", "ä😀\u{2028}") }),
    fc.record({ N: fc.constantFrom("0", "-1.2345678901234567890123456789012345678E+125", "1E-130") }),
    fc.record({ B: fc.base64String() }),
    fc.record({ BOOL: fc.boolean() }),
    fc.record({ NULL: fc.constant(true) }),
    fc.record({ NS: fc.array(fc.constantFrom("1", "2.50"), { minLength: 1 }) }),
    fc.record({ L: fc.array(tie("value"), { maxLength: 3 }) }),
    fc.record({ M: fc.dictionary(fc.string(), tie("value"), { maxKeys: 3 }) }),
  ),
})).value;
const item = fc.dictionary(fc.string({ unit: "grapheme" }), attribute, { maxKeys: 6 });

const page = fc.record(
  {
    Count: fc.nat(),
    Items: fc.array(item, { maxLength: 5 }),
    LastEvaluatedKey: fc.record({ userId: fc.record({ S: fc.string({ unit: "grapheme" }) }) }),
    ConsumedCapacity: fc.record({ CapacityUnits: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
    ScannedCount: fc.nat(),
  },
  { requiredKeys: ["Items"] },
);

test("any page is split into the very texts of its items, whatever the order of its members", () => {
  fc.assert(
    fc.property(page, fc.boolean(), (given, reversed) => {
      const members = Object.entries(given);
      const text = JSON.stringify(Object.fromEntries(reversed ? members.reverse() : members));
      const split = splitPage(Buffer.from(text));
      expect(split.lines.toString()).toBe(
        given.Items.map((one) => `{"Item":${JSON.stringify(one)}}\n`).join(""),
      );
      expect(split.count).toBe(given.Items.length);
      expect(split.next).toEqual(given.LastEvaluatedKey);
      expect(split.consumed["CapacityUnits"]).toEqual(
        given.ConsumedCapacity &&
          (JSON.parse(JSON.stringify(given.ConsumedCapacity)) as never)["CapacityUnits"],
      );
    }),
  );
});

test.each([
  [
    "blanks between the tokens",
    '{ "Count" : 1 , "Items" : [ {"a" : {"S" : "x y"}} , {} ] }',
    ['{"a" : {"S" : "x y"}}', "{}"],
  ],
  ["a layout in lines", '{\n "Items": [\n  {\n   "a": {"N": "1"}\n  }\n ]\n}', ['{"a":{"N":"1"}}']],
  ["a null key", '{"Items":[],"LastEvaluatedKey":null,"Count":0}', []],
  ["no items at all", '{"Count":0,"ScannedCount":0}', []],
])("%s are taken as they come", (_name, text, items) => {
  const split = splitPage(Buffer.from(text));
  expect(split.lines.toString()).toBe(items.map((one) => `{"Item":${one}}\n`).join(""));
  expect(split.next).toBeUndefined();
});

test("a page that is cut off anywhere is refused", () => {
  const text = Buffer.from('{"Items":[{"a":{"S":"x\\"}"}},{"b":{"L":[{"N":"1"}]}}],"Count":2}');
  for (let end = 0; end < text.length; end++) {
    expect(() => splitPage(text.subarray(0, end))).toThrow("no page of items");
  }
});

test.each(["[]", "<html>", '{"Items":{}}', '{"Items":[1]}', "null"])("%s is no page", (text) => {
  expect(() => splitPage(Buffer.from(text))).toThrow("no page of items");
});
