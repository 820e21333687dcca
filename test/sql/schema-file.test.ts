import { expect, test } from "vitest";
import { shippedSchemas } from "../../src/model/shipped.ts";
import type { Engine } from "../../src/sql/address.ts";
import { schemaStatements } from "../../src/sql/schema-file.ts";

test.each<[string, Engine, number]>([
  ["lopez.sql", "mysql", 24],
  ["fc024.sql", "postgres", 9],
])("all statements of %s are run", async (name, engine, count) => {
  expect(schemaStatements((await shippedSchemas[name]?.()) ?? "", engine)).toHaveLength(count);
});

test.each<[Engine, string]>([
  ["mysql", "CREATE TABLE a (id INT, note VARCHAR(20) DEFAULT 'DROP TABLE users; USE x')"],
  ["mysql", "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW INSERT INTO log (id) VALUES (NEW.id)"],
  ["mysql", "CREATE VIEW v AS SELECT a.id FROM a JOIN b ON a.id = b.id"],
  ["postgres", "ALTER TABLE a ENABLE ROW LEVEL SECURITY"],
  ["postgres", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$"],
])("%s: %j is run", (engine, statement) => {
  expect(schemaStatements(statement, engine)).toEqual([statement]);
});

test.each<[Engine, string]>([
  ["mysql", "USE `lopez_it_welt`"],
  ["mysql", "DROP TABLE IF EXISTS users"],
  ["mysql", "/*!40000 DROP TABLE users */"],
  ["mysql", "CREATE TABLE a (id INT) /*!40000 COMMENT 'x' */"],
  ["mysql", "INSERT INTO live.users (id) VALUES (1)"],
  ["mysql", "INSERT INTO a SELECT * FROM b"],
  ["mysql", "CREATE TABLE `live`.`users` (id INT)"],
  ["mysql", "CREATE TABLE a (id INT REFERENCES live.users (id))"],
  ["mysql", "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW DELETE FROM live.users"],
  ["mysql", "CREATE FUNCTION f() RETURNS INT BEGIN UPDATE live.users SET id = 1; RETURN 1; END"],
  ["mysql", "GRANT ALL ON *.* TO 'x'"],
  ["mysql", "SET GLOBAL local_infile = 1"],
  ["postgres", "DROP TABLE IF EXISTS public.users"],
  ["postgres", "DO $$ BEGIN DELETE FROM users; END $$"],
  ["postgres", "INSERT INTO a VALUES (set_config('search_path', 'public', false))"],
  ["postgres", "INSERT INTO a VALUES (pg_terminate_backend(1))"],
  ["postgres", "COPY a TO PROGRAM 'sh'"],
  ["postgres", "CREATE INDEX i ON public.users (id)"],
  ["postgres", "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DELETE FROM public.users $$"],
])("%s: %j is not run", (engine, statement) => {
  expect(() => schemaStatements(statement, engine)).toThrow(/the model's SQL file is not run/);
});
