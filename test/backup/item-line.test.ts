import { describe, expect, it } from "vitest";
import { parseItemLine, type ItemTable } from "../../src/backup/item-line.ts";

const table: ItemTable = { name: "t", described: { partition: { name: "id", type: "S" } } };
const read = (attribute: string) =>
  parseItemLine(Buffer.from(`{"Item":{"id":{"S":"x"},"a":${attribute}}}`), table);
const nested = (levels: number) => `${'{"L":['.repeat(levels)}{"S":""}${"]}".repeat(levels)}`;

describe("a line of a table", () => {
  it.each([
    '{"S":""}',
    '{"N":"-1.5E+10"}',
    '{"B":"AAE="}',
    '{"BOOL":false}',
    '{"NULL":true}',
    '{"SS":["a","b"]}',
    '{"NS":["1"]}',
    '{"BS":["AA=="]}',
    '{"L":[]}',
    '{"M":{"__proto__":{"L":[{"N":"1"}]}}}',
    nested(32),
    // Longer as a line than 400 KB, and as an item not.
    `{"B":"${"AAAA".repeat(120 * 1024)}"}`,
  ])("is taken with an attribute that DynamoDB takes: %.40s", (attribute) => {
    expect(JSON.stringify(read(attribute)["a"])).toBe(attribute);
  });

  it.each([
    '"text"',
    "{}",
    '{"S":"a","N":"1"}',
    '{"X":"a"}',
    '{"S":1}',
    '{"N":1}',
    '{"N":"eins"}',
    '{"BOOL":"true"}',
    '{"NULL":false}',
    '{"SS":[]}',
    '{"NS":["a"]}',
    '{"L":["a"]}',
    '{"M":{"b":"a"}}',
    '{"M":[]}',
    nested(33),
    `{"L":[{"S":"${"x".repeat(400 * 1024)}"}]}`,
    `{"B":"${"AAAA".repeat(140 * 1024)}"}`,
  ])("is damaged with what DynamoDB refuses: %.40s", (attribute) => {
    expect(() => read(attribute)).toThrow("a line of table t is no item");
  });
});
