import type { JsonObject } from "../../src/model/json.ts";

/** Items that hold every attribute type, at its limits, as DynamoDB's typed JSON; keys `userId`. */
export function itemsOfEveryType(): JsonObject[] {
  let nested: JsonObject = { S: "the bottom" };
  for (let level = 0; level < 31; level += 1)
    nested = level % 2 === 0 ? { L: [nested] } : { M: { in: nested } };
  const base64 = (length: number) =>
    Buffer.from(Uint8Array.from({ length }, (_, at) => at % 256)).toString("base64");
  return [
    { userId: { S: "strings" }, empty: { S: "" }, text: { S: 'Größe "quoted" \\ \u0001 \u2028 🦊 }{' } },
    {
      userId: { S: "numbers" },
      digits: { N: "12345678901234567890123456789012345678" },
      small: { N: "-0.00000000000000000000000000000000000001" },
      exponents: { NS: ["1", "-3", "0.5"] },
      zero: { N: "0" },
    },
    { userId: { S: "binary" }, some: { B: base64(300) }, none: { B: "" }, set: { BS: ["AA==", "/+8="] } },
    { userId: { S: "flags" }, yes: { BOOL: true }, no: { BOOL: false }, null: { NULL: true } },
    { userId: { S: "sets" }, texts: { SS: ["a", "b", "ä"] } },
    { userId: { S: "lists" }, empty: { L: [] }, map: { M: {} }, mixed: { L: [{ S: "x" }, { N: "1" }] } },
    { userId: { S: "deep" }, nested },
    { userId: { S: "large" }, text: { S: "x".repeat(399 * 1024) } },
    { userId: { S: "Ünïcode 🦊" }, 'a name with blanks "and" quotes': { S: "1" } },
  ];
}

/** `{"Item":…}` for each. */
export function linesOf(items: readonly JsonObject[]): Buffer[] {
  return items.map((Item) => Buffer.from(JSON.stringify({ Item })));
}
