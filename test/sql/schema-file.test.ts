import { expect, test } from "vitest";
import { shippedSchemas } from "../../src/model/shipped.ts";
import type { Engine } from "../../src/sql/address.ts";
import { foreignToSchema, migrationStatements, schemaStatements } from "../../src/sql/schema-file.ts";

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
  ["mysql", "CREATE TABLE a (id INT) /* of public/*.png */"],
  ["postgres", "ALTER TABLE a ENABLE ROW LEVEL SECURITY"],
  ["postgres", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$"],
  [
    "postgres",
    "CREATE FUNCTION f(t text) RETURNS bool LANGUAGE sql AS $f$ SELECT t ~ '\\d' FROM language $f$",
  ],
  ["postgres", "CREATE TABLE a (x text CHECK (x LIKE 'a\\_' ESCAPE '\\'), y text DEFAULT E'\\'')"],
  ["mysql", "CREATE TABLE a (delimiter CHAR(1), language CHAR(2) DEFAULT '\\'' /* it's \\! */)"],
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
  ["mysql", "INSERT INTO `my-site`.users (id) VALUES (1)"],
  ["mysql", "INSERT INTO böse.users (id) VALUES (1)"],
  ["mysql", "ALTER TABLE a RENAME live.a"],
  ["mysql", "ALTER TABLE a RENAME AS live.a"],
  ["mysql", "CREATE FUNCTION f RETURNS STRING SONAME 'f.so'"],
  ["mysql", "INSERT INTO a VALUES (1)\n--\n, ((SELECT x FROM live.users))"],
  ["postgres", "DROP TABLE IF EXISTS public.users"],
  ["postgres", "ALTER TABLE ONLY public.users ADD PRIMARY KEY (id)"],
  ["postgres", "ALTER TABLE IF EXISTS public.users RENAME TO other"],
  ["postgres", 'ALTER TABLE U&"\\0070ublic".users ADD c int'],
  ["postgres", 'ALTER TABLE "an other".users ADD c int'],
  ["postgres", "ALTER TABLE a SET SCHEMA public"],
  ["postgres", "CREATE TABLE a PARTITION OF public.users DEFAULT"],
  ["postgres", "CREATE TABLE a (id int) INHERITS (public.users)"],
  ["postgres", "CREATE INDEX ON public.users (id)"],
  ["postgres", "INSERT INTO a VALUES (1) /* /* */ '*/; DROP SCHEMA public CASCADE; --'"],
  ["postgres", "INSERT INTO a VALUES (1) -- \r; DROP SCHEMA public CASCADE"],
  ["postgres", "INSERT INTO a VALUES (E'it''s\\' '); DROP SCHEMA public CASCADE; --'"],
  [
    "postgres",
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE ''DROP SCHEMA public''; END'",
  ],
  ["postgres", "DO $$ BEGIN DELETE FROM users; END $$"],
  ["postgres", "INSERT INTO a VALUES (set_config('search_path', 'public', false))"],
  ["postgres", "INSERT INTO a VALUES (pg_terminate_backend(1))"],
  ["postgres", "COPY a TO PROGRAM 'sh'"],
  ["postgres", "CREATE INDEX i ON public.users (id)"],
  ["postgres", "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DELETE FROM public.users $$"],
  ["postgres", "CREATE FUNCTION f(cstring) RETURNS int AS 'libc.so.6', 'system' LANGUAGE C STRICT"],
  ["postgres", "CREATE FUNCTION f() RETURNS int LANGUAGE 'plpython3u' AS $$ 1 $$"],
  // What a server or its client reads otherwise than it looks.
  ["mysql", "CREATE TABLE a (id INT --\n); DROP TABLE users;\n"],
  ["mysql", "CREATE TABLE a (id INT) \\! touch x\n;"],
  ["mysql", "CREATE TABLE `a\\` (id INT); CREATE TABLE ` x ` \\! touch x\n -- `\n;"],
  ["mysql", "CREATE TABLE a (id INT DEFAULT 1--\u00a0'\n' \\! touch x\n -- '\n);"],
  ["mysql", "CREATE TABLE a (id INT DEFAULT 1--\u0001'\n' \\! touch x\n -- '\n);"],
  ["postgres", "CREATE TABLE a (id int -- x\r); DROP TABLE users;\n"],
  ["postgres", "CREATE TABLE a (id int) \\! touch x\n;"],
  ["postgres", "/* /* */ CREATE TABLE a (x text DEFAULT ' */ \\! touch x\n ; -- ')"],
  ["postgres", "CREATE TABLE a (x text DEFAULT E'a''\\' ' \\! touch x\n -- ');"],
  ["postgres", "CREATE TABLE a (x text DEFAULT E'a'\n'\\' ' \\! touch x\n -- ');"],
  ["postgres", "CREATE TABLE a (x text DEFAULT E'a'\n\u00a0'\\' \\! touch x\n --')"],
  ["postgres", "CREATE TABLE a (x text DEFAULT \u00e9E'\\' \\! touch x\n --')"],
  ["postgres", "CREATE TABLE a$$ (id int) \\! touch x\n; --$$\n"],
  ["postgres", "CREATE TABLE a (x text DEFAULT $A$ $a$ ' $A$ \\! touch x\n --')"],
  ["postgres", "CREATE TABLE a (id int DEFAULT $1$ \\! touch x\n $1$)"],
])("%s: %j is not run", (engine, statement) => {
  expect(() => schemaStatements(statement, engine)).toThrow(/the model's SQL file is not run/);
});

test.each<[Engine, string]>([
  ["mysql", "ALTER TABLE a DROP KEY k, DROP PRIMARY KEY, DROP COLUMN c, ADD PRIMARY KEY (id)"],
  ["mysql", "ALTER TABLE a DROP FOREIGN KEY f"],
  ["mysql", "ALTER TABLE a REMOVE PARTITIONING"],
  ["mysql", "DROP TABLE a, b"],
  ["mysql", "RENAME TABLE a TO b"],
  ["mysql", "UPDATE a SET b = 1"],
  ["mysql", "UPDATE `a ``b` AS c SET b = 1 ORDER BY d LIMIT 3"],
  ["mysql", "DELETE FROM a"],
  ["mysql", "DELETE FROM `a;b` WHERE c = 'x; DROP TABLE a'"],
  ["postgres", 'UPDATE "a ""b" c SET b = d.b FROM d WHERE d.id = c.id'],
  ["postgres", "DELETE FROM a USING b WHERE b.id = a.id"],
  ["mysql", "INSERT INTO a (id, note) VALUES ('1.x', 'on duplicate key update')"],
  ["postgres", "INSERT INTO a (id) VALUES (1) ON CONFLICT (id) DO NOTHING"],
  [
    "postgres",
    "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ INSERT INTO a VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 2 $$",
  ],
  ["postgres", "ALTER TABLE a ALTER COLUMN c DROP NOT NULL, ALTER COLUMN c DROP DEFAULT"],
  ["postgres", "DROP FUNCTION f(int)"],
  ["postgres", "ALTER TYPE mood ADD VALUE 'well'"],
])("%s: %j is run as a statement of a migration", (engine, statement) => {
  expect(migrationStatements(statement, engine, { name: "0001-a.up.sql", direction: "up" })).toEqual([
    statement,
  ]);
});

test.each<[Engine, string]>([
  ["mysql", "DROP DATABASE live"],
  ["mysql", "DROP TABLE a, live.users"],
  ["mysql", "DROP TABLE a, `live` . `users`"],
  ["mysql", "RENAME TABLE a TO live.a"],
  ["mysql", "ALTER TABLE a RENAME TO live.a"],
  ["mysql", "ALTER TABLE live.users DROP COLUMN email"],
  ["mysql", "ALTER TABLE a DROP PARTITION p2025"],
  ["mysql", "ALTER TABLE a TRUNCATE PARTITION p2025"],
  ["mysql", "ALTER TABLE a DISCARD TABLESPACE"],
  ["postgres", "ALTER TABLE IF EXISTS public.a DROP COLUMN c"],
  ["mysql", "UPDATE a, b SET a.c = b.c"],
  ["mysql", "UPDATE a JOIN b ON a.id = b.id SET a.c = b.c"],
  ["mysql", "UPDATE live.users SET b = 1"],
  ["mysql", "UPDATE `live`.`users` SET b = 1"],
  ["mysql", "DELETE a FROM a"],
  ["mysql", "DELETE FROM a USING a, b"],
  ["mysql", "DELETE FROM a, b USING a"],
  ["mysql", "DELETE FROM live.users"],
  ["postgres", "DELETE FROM live.users"],
  ["postgres", "WITH gone AS (DELETE FROM b) UPDATE a SET c = 1"],
  ["postgres", "UPDATE public.a SET c = 1"],
  ["mysql", "ALTER USER root IDENTIFIED BY 'x'"],
  ["mysql", "CREATE TABLE b (id INT); /*!40000 DROP TABLE a */"],
  ["postgres", "DROP SCHEMA public CASCADE"],
  ["postgres", "CREATE INDEX CONCURRENTLY i ON a (id)"],
  ["postgres", "ALTER TYPE public.mood ADD VALUE 'well'"],
])("%s: %j is not run as a statement of a migration", (engine, statement) => {
  expect(() => migrationStatements(statement, engine, { name: "0001-a.up.sql", direction: "up" })).toThrow(
    /^0001-a\.up\.sql is not run/,
  );
});

test.each<[Engine, string]>([
  ["mysql", "INSERT INTO a (id, n) VALUES (1, 2) ON  DUPLICATE /* x */ KEY\nUPDATE n = 2"],
  ["postgres", "INSERT INTO a (id, n) VALUES (1, 2) on conflict (id) WHERE n > 1 do update SET n = 2"],
  ["postgres", "INSERT INTO a (id, n) VALUES (1, 2) ON CONFLICT ON CONSTRAINT c DO UPDATE SET n = 2"],
])("%s: %j is not run, as its update would be dropped", (engine, statement) => {
  expect(() => migrationStatements(statement, engine, { name: "0001-a.up.sql", direction: "up" })).toThrow(
    /let an UPDATE statement of its own stand behind it/,
  );
});

test.each<[Engine, string, string | undefined]>([
  ["mysql", "CREATE TABLE a (id INT); INSERT INTO a VALUES (1)", undefined],
  ["mysql", "drop  table users", "DROP TABLE, which neither makes anything nor inserts rows"],
  ["mysql", "GRANT ALL ON *.* TO 'eva'", "GRANT ALL, which neither makes anything nor inserts rows"],
  ["mysql", "INSERT INTO a SELECT 'secret'", "INSERT INTO, which does more than that"],
  ["postgres", "\u001b[31m;", "a statement, which neither makes anything nor inserts rows"],
  ["postgres", "CREATE TABLE a (id int) \\! x\n", "a command of the server's client"],
])("%s: %j has for a schema that is foreign: %j", (engine, text, told) => {
  expect(foreignToSchema(text, engine)).toBe(told);
});

test.each(["mysql", "postgres"] as const)(
  "%s: a migration that makes rows of others is told what to do instead",
  (engine) => {
    const file = { name: "0001-a.up.sql", direction: "up" } as const;
    const insert = (rows: string) => () => migrationStatements(`INSERT INTO a ${rows}`, engine, file);
    expect(insert("SELECT * FROM b")).toThrow("run it by hand, between two of `mawps migrate up --to`");
    expect(insert("VALUES ('SELECT')")()).toEqual(["INSERT INTO a VALUES ('SELECT')"]);
  },
);
