import { expect, test } from "vitest";
import type { Engine } from "../../src/sql/address.ts";
import { statementsIn } from "../../src/sql/statements.ts";

const both: readonly Engine[] = ["mysql", "postgres"];
const body = "CREATE FUNCTION f() RETURNS int AS $body$ SELECT 1; $body$ LANGUAGE sql";

test.each<[readonly Engine[], string, string[]]>([
  [both, "", []],
  [both, " ;; \n-- nothing;\n", []],
  [both, "SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]],
  [both, "-- one;\n/* two; */\nSELECT 1;", ["SELECT 1"]],
  [
    both,
    "INSERT INTO t VALUES (';', 'it''s;');SELECT 2",
    ["INSERT INTO t VALUES (';', 'it''s;')", "SELECT 2"],
  ],
  [both, "SELECT 1 -- why;\n, 2; SELECT 3", ["SELECT 1 -- why;\n, 2", "SELECT 3"]],
  [["mysql"], "# three;\nSELECT 'a\\';', \"b\\\";\"; SELECT 2", ["SELECT 'a\\';', \"b\\\";\"", "SELECT 2"]],
  [["mysql"], "CREATE TABLE `a;b` (id int); SELECT 1", ["CREATE TABLE `a;b` (id int)", "SELECT 1"]],
  [["mysql"], "SELECT 1--1; SELECT 2", ["SELECT 1--1", "SELECT 2"]],
  [["mysql"], "--\nSELECT 1;\n--\n-- two\n--\nSELECT 2", ["SELECT 1", "SELECT 2"]],
  [["mysql"], "SELECT 1--\u00a01; SELECT 2", ["SELECT 1--\u00a01", "SELECT 2"]],
  [["postgres"], "SELECT E'it''s\\' '; SELECT 2", ["SELECT E'it''s\\' '", "SELECT 2"]],
  [["postgres"], "SELECT E'a'--;\n'\\' '; SELECT 2", ["SELECT E'a'--;\n'\\' '", "SELECT 2"]],
  [["postgres"], "-- one\rSELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]],
  [["postgres"], "SELECT a$b$, 1; SELECT $b$;$b$", ["SELECT a$b$, 1", "SELECT $b$;$b$"]],
  [["postgres"], "SELECT 'C:\\'; SELECT E'a\\';'", ["SELECT 'C:\\'", "SELECT E'a\\';'"]],
  [["postgres"], "SELECT a #> '{b}'; SELECT 2", ["SELECT a #> '{b}'", "SELECT 2"]],
  [["postgres"], `${body}; SELECT 2`, [body, "SELECT 2"]],
])("%j: %j has the statements %j", (engines, text, statements) => {
  expect(engines.map((engine) => statementsIn(text, engine))).toEqual(engines.map(() => statements));
});
