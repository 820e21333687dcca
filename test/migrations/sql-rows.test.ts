import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { databaseAddress } from "../../src/sql/address.ts";
import { readCatalogue } from "../../src/sql/catalogue.ts";
import { openSql, type Sql } from "../../src/sql/connection.ts";
import { foreignKeysTo, rowTables } from "../../src/sql/row-table.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { databaseSites, onDatabase, type DatabaseSite } from "../support/database-sites.ts";
import { buildMortal } from "../support/mortal-process.ts";
import { makeHome, testStart, type TestHome } from "../support/world.ts";
import { writeNotes } from "./sql-site.ts";

for (const site of databaseSites) {
  describe.skipIf(site.missing !== undefined)(
    `rows that migrations change on ${site.engine} ${site.missing ?? ""}`,
    () => {
      onEngine(site);
    },
  );
}

function onEngine({ engine, first, start }: DatabaseSite): void {
  let server: DatabaseServer | undefined;
  let home: TestHome;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.close());
  beforeEach(async () => {
    home = await makeHome();
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await home.remove();
  });

  const on = <T>(database: string, look: (sql: Sql) => Promise<T>) => onDatabase(server, database, look);
  const envOf = (database: string) => ({
    MAWPS_MODEL: "./notes.model.json",
    MAWPS_DATABASE_URL: server?.url(database) ?? "",
  });
  const run = (database: string, ...argv: string[]) => home.run(argv, { env: envOf(database) });
  const place = (database: string) => (engine === "mysql" ? database : "public");
  const mark = engine === "mysql" ? "`" : '"';

  /** A database at 0002 with five notes, for which these files are pending. */
  const notes = async (database: string, files: Record<string, string>) => {
    await writeNotes(home, engine, files);
    await on(first, (sql) => sql.run(`CREATE DATABASE ${database}`));
    const made = await run(database, "migrate", "up", "--to", "0002", "--yes");
    expect([made.exitCode, made.stderr]).toEqual([0, expect.anything()]);
    await on(database, (sql) =>
      sql.run(
        "INSERT INTO notes (id, body, made) VALUES ('a', '1', NULL), ('b', '2', '2026-03-01 12:00:00'), ('ä''\"', NULL, NULL), ('d', '4', NULL)",
      ),
    );
  };
  const rowsOf = (database: string) => on(database, (sql) => sql.rows("SELECT * FROM notes ORDER BY id"));
  const journalsOf = (database: string) =>
    on(database, async (sql) => [...(await readCatalogue(sql, place(database), "journals")).keys()]);
  const tablesOf = async (database: string) =>
    (await journalsOf(database)).filter((fact) => fact.startsWith("table ")).sort();

  const twice = engine === "mysql" ? "CONCAT(body, body)" : "body || body";
  const splitting = {
    "0003-split.up.sql": `-- Third.
      ALTER TABLE notes ADD COLUMN words VARCHAR(80);
      UPDATE notes SET words = ${twice} WHERE body IS NOT NULL AND body <> 'WHERE; no';
      DELETE FROM notes WHERE body IS NULL AND title IS NULL;
      ALTER TABLE notes DROP COLUMN body;`,
    "0003-split.down.sql":
      "ALTER TABLE notes ADD COLUMN body VARCHAR(40);\nALTER TABLE notes DROP COLUMN words;",
  };

  test("come back as they were, with those that were deleted and a column that went", async () => {
    await notes("split", splitting);
    const before = await rowsOf("split");
    const plan = await run("split", "migrate", "plan", "--json");
    expect([plan.exitCode, plan.stderr]).toEqual([0, expect.anything()]);
    const { plans } = JSON.parse(plan.stdout) as { plans: { rows: unknown }[] };
    expect(plans[0]?.rows).toEqual([
      { table: "notes", rows: 3 },
      { table: "notes", rows: 1 },
    ]);
    expect(await rowsOf("split")).toEqual(before);
    expect(await journalsOf("split")).toEqual([]);

    const up = await run("split", "migrate", "up", "--no-backup-check", "--yes");
    expect([up.exitCode, up.stderr]).toEqual([0, expect.anything()]);
    expect((await rowsOf("split")).map(({ id, words }) => [id, words])).toEqual([
      ["a", "11"],
      ["b", "22"],
      ["d", "44"],
      ["first", null],
    ]);
    expect(await tablesOf("split")).toEqual([
      "table mawps_journal_0003_2",
      "table mawps_journal_0003_3",
      "table mawps_journals",
    ]);
    // Nothing of the tool stays on the site's own table.
    expect((await journalsOf("split")).filter((fact) => /^(trigger|function) /.test(fact))).toEqual([]);

    const planned = await run("split", "migrate", "down", "--dry-run");
    expect(planned.stdout).toContain("puts back: 3 rows of notes");
    const down = await run("split", "migrate", "down", "--no-backup-check", "--yes");
    expect([down.exitCode, down.stdout]).toEqual([0, expect.stringContaining("4 rows put back")]);
    expect(await rowsOf("split")).toEqual(before);
    expect(await tablesOf("split")).toEqual(["table mawps_journals"]);
  });

  const numbering = {
    "0003-more.up.sql": `UPDATE notes SET body = ${twice} WHERE body < '3';\nDELETE FROM notes WHERE body = '4';`,
    "0003-more.down.sql": "",
  };

  test("stay as somebody has changed them since, and are told; the others come back", async () => {
    await notes("since", numbering);
    const before = await rowsOf("since");
    expect((await run("since", "migrate", "up", "--yes")).exitCode).toBe(0);
    await on("since", async (sql) => {
      await sql.run("UPDATE notes SET body = 'mine' WHERE id = 'a' AND title IS NULL AND made IS NULL");
      // What the migration did not touch is theirs, and is no hindrance.
      await sql.run("UPDATE notes SET title = 'theirs' WHERE made IS NOT NULL");
      await sql.run("INSERT INTO notes (id, body) VALUES ('d', 'again')");
    });
    const down = await run("since", "migrate", "down", "--yes");
    expect([down.exitCode, down.stderr]).toEqual([3, expect.stringContaining("somebody changed body since")]);
    expect(down.stderr).toContain("a row with its key is there again");
    const expected = before.map((row) => {
      if (row["id"] === "a") return { ...row, body: "mine" };
      if (row["id"] === "d") return { ...row, body: "again" };
      return row["id"] === "b" ? { ...row, title: "theirs" } : row;
    });
    expect(await rowsOf("since")).toEqual(expected);
    expect((await run("since", "migrate", "status", "--exit-code")).exitCode).toBe(5);
    // What could not be put back stays to be looked at, until the statement is run anew.
    expect(await tablesOf("since")).toHaveLength(3);
    expect((await run("since", "migrate", "up", "--yes")).exitCode).toBe(0);
  });

  test("stay where somebody's row has their former key or a unique value since; the others come back", async () => {
    await notes("taken", {
      "0003-move.up.sql": `CREATE UNIQUE INDEX notes_body ON notes (body);
        UPDATE notes SET id = 'moved' WHERE id = 'a';
        UPDATE notes SET body = 'new' WHERE id = 'b';
        DELETE FROM notes WHERE id = 'd';
        UPDATE notes SET title = 'one' WHERE id IN ('first', 'moved', 'ä''"');`,
      "0003-move.down.sql": `DROP INDEX notes_body${engine === "mysql" ? " ON notes" : ""};`,
    });
    const before = await rowsOf("taken");
    expect((await run("taken", "migrate", "up", "--no-backup-check", "--yes")).exitCode).toBe(0);
    await on("taken", (sql) =>
      sql.run("INSERT INTO notes (id, body) VALUES ('a', 'theirs'), ('e', '2'), ('f', '4')"),
    );
    const down = await run("taken", "migrate", "down", "--no-backup-check", "--yes");
    expect([down.exitCode, down.stdout, down.stderr]).toEqual([
      3,
      expect.stringContaining("3 rows put back"),
      expect.stringMatching(/\["moved"\].*another row has its former key/),
    ]);
    for (const key of ['["b"]', '["d"]']) expect(down.stderr).toContain(key);
    const named = (rows: readonly { readonly [name: string]: string | null }[]) =>
      Object.fromEntries(rows.map(({ id, body, title }) => [id, [body, title]]));
    const { a, d: _gone, ...others } = named(before);
    expect(named(await rowsOf("taken"))).toEqual({
      ...others,
      moved: a,
      b: ["new", null],
      a: ["theirs", null],
      e: ["2", null],
      f: ["4", null],
    });
    expect(await tablesOf("taken")).toEqual([
      ...[2, 3, 4].map((at) => `table mawps_journal_0003_${at}`),
      "table mawps_journals",
    ]);
  });

  test("stay where what they refer to is gone; those come back that refer to each other", async () => {
    await notes("orphaned", {
      "0003-part.up.sql":
        "CREATE INDEX notes_made ON notes (made);\nUPDATE notes SET title = NULL WHERE id = 'b';\nDELETE FROM notes WHERE id IN ('a', 'd');",
      "0003-part.down.sql": `DROP INDEX notes_made${engine === "mysql" ? " ON notes" : ""};`,
    });
    // MySQL lets the one go first that refers to the other, PostgreSQL the one that stands first.
    const [child, parent] = engine === "mysql" ? ["a", "d"] : ["d", "a"];
    await on("orphaned", async (sql) => {
      await sql.run("INSERT INTO notes (id, body) VALUES ('o', '9')");
      await sql.run("UPDATE notes SET title = NULL");
      await sql.run("ALTER TABLE notes ADD CONSTRAINT notes_of FOREIGN KEY (title) REFERENCES notes (id)");
      await sql.run("UPDATE notes SET title = 'o' WHERE id = 'b'");
      await sql.run(`UPDATE notes SET title = '${parent}' WHERE id = '${child}'`);
    });
    const before = await rowsOf("orphaned");
    expect((await run("orphaned", "migrate", "up", "--no-backup-check", "--yes")).exitCode).toBe(0);
    await on("orphaned", (sql) => sql.run("DELETE FROM notes WHERE id = 'o'"));
    const down = await run("orphaned", "migrate", "down", "--no-backup-check", "--yes");
    expect([down.exitCode, down.stdout, down.stderr]).toEqual([
      3,
      expect.stringContaining("2 rows put back"),
      expect.stringMatching(/\["b"\].*what it refers to is gone/),
    ]);
    expect(await rowsOf("orphaned")).toEqual(
      before.flatMap((row) => (row["id"] === "o" ? [] : [row["id"] === "b" ? { ...row, title: null } : row])),
    );
  });

  test.runIf(engine === "postgres")(
    "stay where a value is taken that is checked at the end; others come back behind a trigger of the site",
    async () => {
      await notes("late", {
        "0003-part.up.sql":
          "CREATE INDEX notes_made ON notes (made);\nUPDATE notes SET body = 'new ' || id WHERE body IS NOT NULL;",
        "0003-part.down.sql": `DROP INDEX notes_made${engine === "mysql" ? " ON notes" : ""};`,
      });
      await on("late", async (sql) => {
        await sql.run("ALTER TABLE notes ADD CONSTRAINT one UNIQUE (body) DEFERRABLE INITIALLY DEFERRED");
        await sql.run(
          "CREATE FUNCTION named() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE notes SET title = NEW.body || ''!'' WHERE id = NEW.id; RETURN NULL; END'",
        );
        await sql.run(
          "CREATE TRIGGER named AFTER UPDATE ON notes FOR EACH ROW WHEN (OLD.body IS DISTINCT FROM NEW.body) EXECUTE FUNCTION named()",
        );
        await sql.run("UPDATE notes SET title = body || '!'");
      });
      const before = await rowsOf("late");
      expect((await run("late", "migrate", "up", "--no-backup-check", "--yes")).exitCode).toBe(0);
      await on("late", (sql) => sql.run("INSERT INTO notes (id, body) VALUES ('theirs', '2')"));
      const down = await run("late", "migrate", "down", "--no-backup-check", "--yes");
      expect([down.exitCode, down.stderr]).toEqual([
        3,
        expect.stringMatching(/\["b"\].*a value that no two may have/),
      ]);
      expect(await rowsOf("late")).toEqual(expect.arrayContaining(before.filter(({ id }) => id !== "b")));
      expect(await rowsOf("late")).toContainEqual(expect.objectContaining({ id: "b", body: "new b" }));
    },
  );

  test("of a journal that setup, doctor, backups and surveys do not take for the site's", async () => {
    await notes("kept", numbering);
    expect((await run("kept", "migrate", "up", "--yes")).exitCode).toBe(0);
    expect(await tablesOf("kept")).toHaveLength(3);
    const setup = await run("kept", "setup", "--dry-run", "--json");
    const doctor = await run("kept", "doctor", "--json");
    const survey = await run("kept", "model", "check", "--live", "--json");
    const backup = await run("kept", "backup", "create", "--json");
    const show = await run("kept", "backup", "show", "latest", "--json");
    expect([setup.exitCode, backup.exitCode, show.exitCode]).toEqual([0, 0, 0]);
    for (const { stdout, stderr } of [setup, doctor, survey, backup, show])
      expect(`${stdout}${stderr}`).not.toContain("mawps_journal");
  });

  test("are changed once, wherever the command is killed, and come back whole", async () => {
    const database = "steady";
    await notes(database, numbering);
    const before = await rowsOf(database);
    const mortal = await buildMortal("mortal-calls");
    const later = () => (home.laterMs = Date.now() - testStart.getTime() + 120_000);
    const [up, down] = ["up", "down"].map((verb) => ["migrate", verb, "--yes"]) as [string[], string[]];
    for (const [name, value] of Object.entries(envOf(database))) vi.stubEnv(name, value);
    try {
      const upSteps = await mortal.die(home, 0, up);
      const newest = await rowsOf(database);
      const downSteps = await mortal.die(home, 0, down);
      expect(await rowsOf(database)).toEqual(before);
      /** Right before and behind the last commit. */
      const fatalOf = (steps: readonly string[]) =>
        steps.flatMap((step, at) => (step === "before COMMIT" ? [at + 1, at + 2] : [])).slice(-2);
      const fatal = { up: fatalOf(upSteps), down: fatalOf(downSteps) };
      for (const [at, atUp] of fatal.up.entries()) {
        await mortal.die(home, atUp, up);
        later();
        const again = await run(database, ...up);
        expect([atUp, again.exitCode, again.stderr]).toEqual([atUp, 0, expect.not.stringContaining("error")]);
        expect([atUp, await rowsOf(database)]).toEqual([atUp, newest]);
        const atDown = fatal.down[at] ?? 0;
        await mortal.die(home, atDown, down);
        later();
        const back = await run(database, "migrate", "down", "--to", "0002", "--yes");
        expect([atDown, back.exitCode]).toEqual([atDown, 0]);
        expect([atDown, await rowsOf(database)]).toEqual([atDown, before]);
      }
    } finally {
      await mortal.remove();
    }
  });

  test("are erased from the journal with whoever they are about, those too that only it has", async () => {
    await notes("people", numbering);
    const path = join(home.folder, "notes.model.json");
    const model = JSON.parse(await readFile(path, "utf8")) as { entities: object };
    const links = [{ subject: "user", role: "subject", by: "id", find: "key", erase: "delete" }];
    const own = { what: "notes", from: { database: "main", table: "notes" }, fields: { id: "text" }, links };
    const subjects = { user: { what: "user", ids: ["id"], accounts: { entity: "notes" } } };
    await writeFile(
      path,
      JSON.stringify({ ...model, subjects, entities: { ...model.entities, notes: own } }),
    );
    const up = await run("people", "migrate", "up", "--yes");
    expect([up.exitCode, up.stderr]).toEqual([0, expect.anything()]);
    const journal = (at: number) =>
      on("people", async (sql) =>
        (await sql.rows(`SELECT id FROM mawps_journal_0003_${at} ORDER BY id`)).map(({ id }) => id),
      );
    expect([await journal(1), await journal(2)]).toEqual([["a", "a", "b", "b"], ["d"]]);
    const account = engine === "mysql" ? "narrow@localhost" : "narrow";
    await on("people", async (sql) => {
      await sql.run(engine === "mysql" ? `CREATE USER ${account}` : `CREATE ROLE ${account} LOGIN`);
      await sql.run(`GRANT SELECT, UPDATE, DELETE ON notes TO ${account}`);
    });
    const narrow = (server?.url("people") ?? "").replace(/\/\/[^@]*@/, "//narrow@");
    const env = { ...envOf("people"), MAWPS_DATABASE_URL: narrow };
    const blind = await home.run(["user", "erase", "a", "--yes"], { env });
    const why = engine === "mysql" ? "may not see the journals" : "for table mawps_journals";
    expect([blind.exitCode, blind.stderr]).toEqual([1, expect.stringContaining(why)]);
    expect([await journal(1), (await rowsOf("people")).map(({ id }) => id)]).toEqual([
      ["a", "a", "b", "b"],
      expect.arrayContaining(["a"]),
    ]);
    for (const who of ["a", "d"]) {
      const erased = await run("people", "user", "erase", who, "--yes", "--receipt", `${who}.json`);
      expect([who, erased.exitCode, erased.stderr]).toEqual([who, 0, expect.anything()]);
      expect((await run("people", "user", "erase", "verify", `${who}.json`)).exitCode).toBe(0);
    }
    expect([await journal(1), await journal(2)]).toEqual([["b", "b"], []]);
    const down = await run("people", "migrate", "down", "--yes");
    expect([down.exitCode, down.stdout]).toEqual([0, expect.stringContaining("1 row put back")]);
    expect((await rowsOf("people")).map(({ id, body }) => [id, body])).toEqual([
      ["b", "2"],
      ["first", null],
      ["ä'\"", null],
    ]);
  });

  test("are changed however long a statement takes, whatever limit connection, user and server have", async () => {
    const limit = engine === "mysql" ? "@@max_statement_time" : "current_setting('statement_timeout')";
    await notes("limits", {
      "0003-slow.up.sql": `UPDATE notes SET body = ${limit} WHERE id = 'a';`,
      "0003-slow.down.sql": "",
    });
    await on("limits", (sql) =>
      sql.run(
        engine === "mysql"
          ? "SET GLOBAL max_statement_time = 59"
          : "ALTER DATABASE limits SET statement_timeout = '59s'",
      ),
    );
    expect((await run("limits", "migrate", "up", "--yes")).exitCode).toBe(0);
    expect(Number((await rowsOf("limits"))[0]?.["body"])).toBe(0);
    if (engine === "mysql") await on("limits", (sql) => sql.run("SET GLOBAL max_statement_time = 0"));

    const address = databaseAddress(server?.url("limits") ?? "", "the test");
    if ("folder" in address) throw new Error("no server");
    const { signal } = new AbortController();
    const lock = () => Promise.reject(new Error("of no server"));
    const opening = {
      connectTimeoutMs: 60_000,
      statementTimeoutMs: 1000,
      signal,
      lock,
      progress: () => undefined,
    };
    const sql = await openSql(address, "the test", opening);
    const slow = engine === "mysql" ? "DO SLEEP(1.1)" : "DO $$ BEGIN PERFORM pg_sleep(1.1); END $$";
    await sql.runLong(slow);
    await expect(sql.run(slow)).rejects.toThrow("did not answer in time");
    await sql.close();
  });

  const parent = engine === "mysql" ? "VARCHAR(36) NOT NULL" : "varchar(36)";
  const child = (rule: string) =>
    `CREATE TABLE parts (id ${parent} PRIMARY KEY, note ${parent}, FOREIGN KEY (note) REFERENCES notes (id) ${rule});`;
  test.each<[string, string, string, string]>([
    [
      "would take others along",
      `${child("ON DELETE CASCADE")}\nDELETE FROM notes;`,
      "DROP TABLE parts;",
      "go or change along",
    ],
    [
      "would change others",
      `${child("ON UPDATE CASCADE")}\nUPDATE notes SET body = id;`,
      "DROP TABLE parts;",
      "go or change along",
    ],
    ["are in no table", "UPDATE nowhere SET body = id;", "", "there is no table nowhere"],
    [
      "have no key",
      "CREATE TABLE bare (n INT);\nDELETE FROM bare;",
      "DROP TABLE bare;",
      "has no primary key",
    ],
    ["are changed by `down` itself", "", "UPDATE notes SET body = 'x';", "come back from its journal"],
    [
      "have no place to come back to",
      "ALTER TABLE notes ADD COLUMN a INT;\nUPDATE notes SET a = 1;\nALTER TABLE notes ADD COLUMN b INT;\nALTER TABLE notes DROP COLUMN a;",
      "ALTER TABLE notes DROP COLUMN b;",
      "never has notes with the columns",
    ],
  ])("that %s are refused before anything is changed", async (_, up, down, told) => {
    const database = "refused";
    if (!(await on(first, (sql) => sql.rows(`SELECT 1 AS n ${existing}`))).length) await notes(database, {});
    else await writeNotes(home, engine);
    const before = await on(database, (sql) => readCatalogue(sql, place(database)));
    await writeNotes(home, engine, { "0003-bad.up.sql": up, "0003-bad.down.sql": down });
    const refused = await run(database, "migrate", "up", "--yes");
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining(told)]);
    expect(await on(database, (sql) => readCatalogue(sql, place(database)))).toEqual(before);
    expect(await journalsOf(database)).toEqual([]);
  });
  const existing =
    engine === "mysql"
      ? "FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'refused'"
      : "FROM pg_database WHERE datname = 'refused'";

  test("that go along by a foreign key of the live database alone are refused too", async () => {
    await notes("live", numbering);
    await on("live", (sql) => sql.run(child("ON DELETE CASCADE")));
    const before = await rowsOf("live");
    const refused = await run("live", "migrate", "up", "--yes");
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining("go or change along")]);
    expect(await rowsOf("live")).toEqual(before);
    expect(await journalsOf("live")).toEqual([]);
  });

  test("of tables and columns with whatever in their names", async () => {
    const named = (name: string) => `${mark}${name.replaceAll(mark, mark + mark)}${mark}`;
    const [table, key, value] = ["no.tes `\"x'); DROP TABLE notes; -- ü", "i d'\"`", 'va.lue `ä" (b), c'].map(
      named,
    );
    const [lines, note] = ["li nes.\"`'", "no te."].map(named);
    const type = engine === "mysql" ? "VARCHAR(36) NOT NULL" : "varchar(36) NOT NULL";
    await notes("hostile", {
      "0003-odd.up.sql": `CREATE TABLE ${table} (${key} ${type} PRIMARY KEY, ${value} VARCHAR(40));
        CREATE TABLE ${lines} (id ${type} PRIMARY KEY, ${note} ${type}, CONSTRAINT line_note FOREIGN KEY (${note}) REFERENCES ${table} (${key}));
        INSERT INTO ${table} (${key}, ${value}) VALUES ('one', 'x''; -- "\`');
        CREATE TABLE moved (id ${type} PRIMARY KEY, ${engine === "mysql" ? "bits BIT(5), seen TIMESTAMP NULL ON UPDATE CURRENT_TIMESTAMP" : "bits BIT(5), seen TIMESTAMP"});`,
      "0003-odd.down.sql": `DROP TABLE moved;\nDROP TABLE ${lines};\nDROP TABLE ${table};`,
      "0004-odd.up.sql": `UPDATE ${table} SET ${value} = 'y';\nDELETE FROM ${table} WHERE ${key} = 'two';
        UPDATE moved SET id = ${engine === "mysql" ? "CONCAT(id, 'z')" : "id || 'z'"}, seen = seen;\nDELETE FROM moved WHERE id = 'bz';`,
      "0004-odd.down.sql": "",
    });
    const third = await run("hostile", "migrate", "up", "--to", "0003", "--yes");
    expect([third.exitCode, third.stderr]).toEqual([0, expect.anything()]);
    const all = () => on("hostile", (sql) => sql.rows(`SELECT * FROM ${table} ORDER BY 1`));
    await on("hostile", (sql) => sql.run(`INSERT INTO ${table} VALUES ('two', NULL), ('three', 'z')`));
    // A BIT of one hexadecimal digit, and times of which the server would make others.
    const moved = () => on("hostile", (sql) => sql.rows("SELECT id, bits, seen FROM moved ORDER BY id"));
    await on("hostile", (sql) =>
      sql.run("INSERT INTO moved VALUES ('a', B'00101', '2026-01-01'), ('b', B'00101', '2026-01-01')"),
    );
    const [before, still] = [await all(), await moved()];
    const catalogue = await on("hostile", (sql) => readCatalogue(sql, place("hostile")));
    const tables = rowTables(catalogue, engine);
    const [odd, line] = ["no.tes", "li nes"].map((begin) =>
      tables.find(({ name }) => name.startsWith(begin)),
    );
    expect([odd?.key, odd?.columns.length, line?.parents]).toEqual([
      ["i d'\"`"],
      2,
      [{ column: "no te.", parent: odd?.name }],
    ]);
    expect(foreignKeysTo(catalogue, odd?.name ?? "")).toEqual([
      { table: line?.name, columns: ["no te."], parentColumns: ["i d'\"`"], follows: false },
    ]);
    const up = await run("hostile", "migrate", "up", "--yes");
    expect([up.exitCode, up.stderr]).toEqual([0, expect.anything()]);
    expect((await all()).map((row) => Object.values(row))).toEqual([
      ["one", "y"],
      ["three", "y"],
    ]);
    const down = await run("hostile", "migrate", "down", "--yes");
    expect([down.exitCode, down.stdout]).toEqual([0, expect.stringContaining("7 rows put back")]);
    expect([await all(), await moved()]).toEqual([before, still]);
    expect(await rowsOf("hostile")).toHaveLength(5);
  });
}
