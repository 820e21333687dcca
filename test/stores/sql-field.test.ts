import { expect, it } from "vitest";
import type { Engine } from "../../src/sql/address.ts";
import { sqlField, sqlText } from "../../src/stores/sql-field.ts";

it.each([
  ["isoTime", "timestamp", "mysql", "2026-03-29 02:30:00", "2026-03-29T02:30:00Z"],
  ["isoTime", "timestamp(3)", "mysql", "2026-03-29 02:30:00.125", "2026-03-29T02:30:00.125Z"],
  ["isoTime", "datetime", "mysql", "2026-03-29 02:30:00", "2026-03-29T02:30:00-12:00"],
  ["isoTime", "date", "mysql", "2026-03-29", "2026-03-29T23:59:59-12:00"],
  [
    "isoTime",
    "timestamp with time zone",
    "postgres",
    "2026-03-29 02:30:00.123456+00",
    "2026-03-29T02:30:00.123456+00:00",
  ],
  ["isoTime", "timestamp without time zone", "postgres", "2026-03-29 02:30:00", "2026-03-29T02:30:00-12:00"],
  ["isoTime", "timestamp with time zone", "postgres", "infinity", "infinity"],
  [
    "isoTime",
    "timestamp with time zone",
    "postgres",
    "0044-03-15 00:00:00+00 BC",
    "0044-03-15 00:00:00+00 BC",
  ],
  ["isoTime", "varchar(30)", "mysql", "2026-03-29T02:30:00Z", "2026-03-29T02:30:00Z"],
  ["number", "bigint", "postgres", "9007199254740993", "9007199254740993"],
  ["number", "int", "mysql", "-7", -7],
  ["boolean", "tinyint(1)", "mysql", "0", false],
  ["boolean", "boolean", "postgres", "t", true],
  ["boolean", "bit(1)", "mysql", "01", true],
  ["boolean", "int", "mysql", "2", "2"],
  ["any", "jsonb", "postgres", '{"a": [1]}', { a: [1] }],
  ["any", "text", "postgres", "{", "{"],
  ["text", "varchar(5)", "mysql", "1", "1"],
  [undefined, "int", "mysql", "1", "1"],
] as const)("a %s in a column %s of %s: %s", (type, column, engine, text, value) => {
  expect(sqlField(text, { type, column, engine })).toEqual(value);
});

it.each([
  ["datetime", "mysql", "2026-03-29 02:30:00", "2026-03-29 02:30:00"],
  ["date", "postgres", "1990-05-01", "1990-05-01"],
  ["timestamp", "mysql", "2026-03-29 02:30:00", "2026-03-29T02:30:00Z"],
] as const)("tells people no zone that a column %s of %s has not", (column, engine, text, value) => {
  expect(sqlField(text, { type: "isoTime", column, engine, isTold: true })).toBe(value);
});

it.each<[unknown, string, Engine, string | null]>([
  [undefined, "text", "postgres", null],
  [null, "text", "mysql", null],
  ["it's", "text", "mysql", "it's"],
  [12, "bigint", "postgres", "12"],
  [true, "tinyint(1)", "mysql", "1"],
  [false, "boolean", "postgres", "false"],
  [["a", 'b"'], "jsonb", "postgres", '["a","b\\""]'],
  ["2026-03-01T12:00:00.999Z", "timestamp with time zone", "postgres", "2026-03-01T12:00:00.999Z"],
  ["2026-03-01T12:00:00.999Z", "timestamp", "mysql", "2026-03-01 12:00:00"],
  ["2026-03-01T13:00:00.999+01:00", "datetime(6)", "mysql", "2026-03-01 12:00:00.999"],
  ["2026-03-01T12:00:00Z", "varchar(30)", "mysql", "2026-03-01T12:00:00Z"],
])("%s for %s of %s is %s", (value, column, engine, text) => {
  expect(sqlText(value, { column, engine })).toBe(text);
});
