import fc from "fast-check";
import { expect, it } from "vitest";
import { lineWriter } from "../../src/sql/line-writer.ts";

function written(columns: readonly string[], rows: readonly (readonly (Buffer | null)[])[]) {
  const lines = lineWriter(columns);
  for (const row of rows) {
    for (const value of row) {
      if (value === null) lines.nothing();
      // In the middle of others, as it comes from a server.
      else lines.text(Buffer.concat([Buffer.from("x"), value, Buffer.from("y")]), 1, value.length + 1);
    }
    lines.end();
  }
  const taken = lines.take();
  return { text: taken.bytes.toString(), rows: taken.rows, isEmpty: lines.isEmpty() };
}

it("writes the bytes that JSON.stringify would", () => {
  const value = fc.option(fc.string({ unit: "binary" }), { nil: null });
  const columns = ["id", 'a "name"', "ü"];
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value, value), { maxLength: 5 }), (rows) => {
      const lines = rows.map(
        (row) =>
          `${JSON.stringify({ Row: Object.fromEntries(row.map((each, at) => [columns[at], each])) })}\n`,
      );
      const bytes = rows.map((row) => row.map((each) => (each === null ? null : Buffer.from(each))));
      expect(written(columns, bytes)).toEqual({ text: lines.join(""), rows: rows.length, isEmpty: true });
    }),
  );
});

it.each([
  ["a large value", Buffer.from('"\u0001ü'.repeat(50_000))],
  ["many small ones that do not fit", Buffer.from("\u0002".repeat(16_000))],
  ["bytes that are no UTF-8", Buffer.from([0x61, 0xff, 0x62])],
])("keeps %s", (_what, value) => {
  const columns = ["a", "b", "c", "d", "e"];
  const text = `${JSON.stringify({ Row: Object.fromEntries(columns.map((name) => [name, value.toString()])) })}\n`;
  expect(written(columns, [columns.map(() => value)])).toEqual({ text, rows: 1, isEmpty: true });
});
