import { expect, it } from "vitest";
import type { RowColumn } from "../../src/sql/rows.ts";
import { emptiedValues } from "../../src/stores/emptied-values.ts";

const fact = "column people.it" as const;

it.each<[string, string | undefined, RowColumn["as"]?]>([
  ["varchar(36)", "erased-0123456789abcdef"],
  ["varchar(8)", "erased-0"],
  ["text", "erased-0123456789abcdef"],
  ["text[]", "{}"],
  ["integer[]", "{}"],
  ["int(11) unsigned", "0"],
  ["numeric(38,10)", "0"],
  ["double precision", "0"],
  ["boolean", "0"],
  ["int4range", undefined],
  ["interval", undefined],
  ["uuid", undefined],
  ["binary(4)", "00000000", "hex"],
  ["varbinary(4)", "", "hex"],
  ["bytea", "", "hex"],
  ["datetime", "1970-01-01 00:00:01"],
  ["date", "1970-01-01"],
])("puts into a column %s that must not be null %s", (type, value, as = "text") => {
  const table = { name: "people", columns: [{ name: "it", type, as }], key: ["id"], parents: [] };
  const catalogue = new Map([[fact, `${type} NOT NULL`]]);
  const emptied = { table, catalogue, addresses: [], isActive: undefined, staying: [] };
  expect(emptiedValues(emptied, "erased-0123456789abcdef")["it"]).toBe(value);
  const free = new Map([[fact, type]]);
  expect(emptiedValues({ ...emptied, catalogue: free }, "erased-0123456789abcdef")["it"]).toBeNull();
});
