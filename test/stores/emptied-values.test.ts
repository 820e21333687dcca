import { expect, it } from "vitest";
import type { RowColumn } from "../../src/sql/row-table.ts";
import { emptiedValues, uniqueColumns } from "../../src/stores/emptied-values.ts";

const fact = "column people.it" as const;
const standIn = { pseudonym: "erased-0123456789abcdef", key: { id: "1" } };

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
  expect(emptiedValues(emptied, standIn)["it"]).toBe(value);
  const free = new Map([[fact, type]]);
  expect(emptiedValues({ ...emptied, catalogue: free }, standIn)["it"]).toBeNull();
});

it.each<[string, RegExp | undefined, RowColumn["as"]?, string?]>([
  ["varchar(36)", /^erased-[0-9a-f]{16}$/],
  ["varchar(8)", /^[0-9a-f]{8}$/],
  ["char(36)", /^erased-[0-9a-f]{16}@invalid$/, "text", "an address"],
  ["varchar(20)", /^[0-9a-f]{12}@invalid$/, "text", "an address"],
  ["integer", /^-[1-9]\d{0,9}$/],
  ["int(11)", /^-[1-9]\d{0,9}$/, "text", "counted up"],
  ["tinyint(4)", /^-([1-9]\d?|1[01]\d|12[0-7])$/],
  ["int(10) unsigned", /^[2-4]\d{9}$/],
  ["int(10) unsigned", undefined, "text", "counted up"],
  ["bigint", /^[4-9]\d{18}$/, "text", "checked"],
  ["numeric(6,2)", /^-[1-9]\d{0,3}$/],
  ["numeric(6,2)", /^[4-9]\d{3}$/, "text", "checked"],
  ["double precision", /^-[1-9]\d{0,9}$/],
  ["timestamp with time zone", /^197\d-\d\d-\d\d \d\d:\d\d:\d\d$/],
  ["date", /^1[0-8]\d\d-\d\d-\d\d$/],
  ["uuid", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/],
  ["binary(40)", /^[0-9a-f]{80}$/, "hex"],
  ["varbinary(4)", /^[0-9a-f]{8}$/, "hex"],
  ["bytea", /^\\x[0-9a-f]{16}$/],
  ["boolean", undefined],
])("puts into a column %s that no two rows may share %s", (type, value, as = "text", which = "") => {
  const facts = new Map([
    [fact, `${type} NOT NULL${which === "counted up" ? " auto_increment" : ""}`],
    ["index people.uk", "UNIQUE btree (of_site, lower(it::text))"],
    ...(which === "checked" ? [["check people.positive", "CHECK (it > 0)"] as const] : []),
  ] as [`${string} ${string}`, string][]);
  const table = { name: "people", columns: [{ name: "it", type, as }], key: ["id"], parents: [] };
  const addresses = which === "an address" ? ["it"] : [];
  const emptied = { table, catalogue: facts, addresses, isActive: undefined, staying: [] };
  expect(uniqueColumns(emptied)).toEqual(["it"]);
  const of = (key: string, attempt?: number) =>
    emptiedValues(emptied, { pseudonym: "erased-0123456789abcdef", key: { id: key }, attempt })["it"];
  expect(String(of("1"))).toMatch(value ?? /^undefined$/);
  const isOwn = value !== undefined;
  expect([of("1") === of("1"), of("1") !== of("2"), of("1") !== of("1", 1)]).toEqual([true, isOwn, isOwn]);
});

it.each([
  ["UNIQUE btree (it)", []],
  ["UNIQUE btree (it) NULLS NOT DISTINCT", ["it"]],
  ["btree (it)", []],
  ["UNIQUE btree (item)", []],
])("knows what may be empty in several rows: %s", (text, unique) => {
  const table = {
    name: "people",
    columns: [{ name: "it", type: "text", as: "text" as const }],
    key: ["id"],
    parents: [],
  };
  const catalogue = new Map([
    [fact, "text"],
    ["index people.uk", text],
  ] as [`${string} ${string}`, string][]);
  expect(uniqueColumns({ table, catalogue })).toEqual(unique);
});
