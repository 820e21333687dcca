import fc from "fast-check";
import { expect, it } from "vitest";
import type { AttributeValue, Item } from "../../src/aws/dynamodb/items.ts";
import { decodeItem, encodeItem, sameValue } from "../../src/migrations/typed-json.ts";
import type { JsonObject } from "../../src/model/json.ts";

const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array));
const number = fc.bigInt().map(String);

const { value } = fc.letrec<{ value: AttributeValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.record({ S: fc.string({ unit: "grapheme" }) }),
    fc.record({ N: number }),
    fc.record({ B: bytes }),
    fc.record({ BOOL: fc.boolean() }),
    fc.constant({ NULL: true as const }),
    fc.record({ SS: fc.uniqueArray(fc.string(), { minLength: 1 }) }),
    fc.record({ NS: fc.uniqueArray(number, { minLength: 1 }) }),
    fc.record({ BS: fc.array(bytes, { minLength: 1 }) }),
    fc.record({ L: fc.array(tie("value")) }),
    fc.record({ M: fc.dictionary(fc.string(), tie("value"), { noNullPrototype: true }) }),
  ) as fc.Arbitrary<AttributeValue>,
}));
const item = fc.dictionary(fc.string(), value, { noNullPrototype: true }) as fc.Arbitrary<Item>;

it("brings every item back, through JSON, with every type", () => {
  fc.assert(
    fc.property(item, (before) => {
      const json = JSON.parse(JSON.stringify(encodeItem(before))) as JsonObject;
      expect(decodeItem(json)).toEqual(before);
    }),
  );
});

it("finds an attribute the same whatever the order in maps and sets, and others different", () => {
  fc.assert(
    fc.property(value, value, (one, other) => {
      expect(sameValue(one, turned(one))).toBe(true);
      expect(sameValue(one, { L: [one] })).toBe(false);
      expect(sameValue(one, other)).toBe(sameValue(other, one));
    }),
  );
  const list = (...texts: string[]): AttributeValue => ({ L: texts.map((S) => ({ S })) });
  expect(sameValue(list("a", "b"), list("b", "a"))).toBe(false);
  expect(sameValue({ S: "1" }, { N: "1" })).toBe(false);
  expect(sameValue(undefined, { NULL: true })).toBe(false);
  expect(
    sameValue({ M: { SS: { L: [{ S: "b" }, { S: "a" }] } } }, { M: { SS: { L: [{ S: "a" }, { S: "b" }] } } }),
  ).toBe(false);
});

/** The same with maps and sets the other way round. */
function turned(one: AttributeValue): AttributeValue {
  if (one.L !== undefined) return { L: one.L.map(turned) };
  if (one.M !== undefined) {
    const entries = Object.entries(one.M).toReversed();
    return { M: Object.fromEntries(entries.map(([name, inner]) => [name, turned(inner)])) };
  }
  if (one.SS !== undefined) return { SS: one.SS.toReversed() };
  if (one.NS !== undefined) return { NS: one.NS.toReversed() };
  return one.BS === undefined ? one : { BS: one.BS.toReversed() };
}
