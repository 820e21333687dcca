import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { databaseSites, onDatabase } from "../support/database-sites.ts";
import { makeHome } from "../support/world.ts";

/** A model of nothing but a database. */
const modelOf = (engine: string) => ({
  name: "kinds",
  region: "eu-central-1",
  buckets: { trail: { name: "kinds-trail", access: "private" } },
  tables: {
    auditLog: { name: "kinds-audit", tool: "audit", anchors: "trail" },
    migrations: { name: "kinds-migrations", tool: "migrations" },
  },
  databases: { main: { engine, name: "kinds", schema: "kinds.sql" } },
  subjects: { user: { what: "user", ids: ["id"] } },
  entities: {
    ...Object.fromEntries(
      ["events", "counters", "notes"].map((table) => [
        table,
        { what: table, from: { database: "main", table }, personal: false, reason: "of nobody" },
      ]),
    ),
    auditAnchors: {
      what: "anchors",
      from: { bucket: "trail" },
      key: "audit/{table}/{path+}",
      personal: false,
      reason: "of the trail",
    },
    journal: { what: "journal", from: { table: "migrations" }, personal: false, reason: "of migrations" },
    entries: { what: "trail", from: { table: "auditLog" }, personal: false, reason: "of the trail" },
  },
});

/** A table without a key, one whose ids the server counts, and a trigger that writes beside what is written. */
const files = {
  mysql: `
    CREATE TABLE events (line VARCHAR(40), kind ENUM('UPLOADED', 'GENERATED'), twice VARCHAR(80) AS (CONCAT(line, line)));
    CREATE TABLE counters (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40), __proto__ VARCHAR(9), constructor VARCHAR(9), share DOUBLE, founded YEAR, code INT(6) ZEROFILL);
    CREATE TABLE notes (id INT AUTO_INCREMENT PRIMARY KEY, of_counter INT);
    CREATE TRIGGER noted AFTER INSERT ON counters FOR EACH ROW INSERT INTO notes (of_counter) VALUES (NEW.id);
    INSERT INTO counters (name) VALUES ('first');`,
  postgres: `
    CREATE TYPE kind AS ENUM ('UPLOADED', 'GENERATED');
    CREATE TABLE events (line varchar(40), kind kind DEFAULT 'GENERATED', twice varchar(80) GENERATED ALWAYS AS (line || line) STORED);
    CREATE TABLE counters (id serial PRIMARY KEY, name varchar(40), "__proto__" varchar(9), constructor varchar(9), share double precision);
    CREATE TABLE notes (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, of_counter integer);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO notes (of_counter) VALUES (NEW.id); RETURN NEW; END $$;
    CREATE TRIGGER noted AFTER INSERT ON counters FOR EACH ROW EXECUTE FUNCTION note();
    INSERT INTO counters (name) VALUES ('first');`,
};

for (const { engine, missing, start } of databaseSites) {
  describe.skipIf(missing !== undefined)(`a backup of any ${engine} database ${missing ?? ""}`, () => {
    test("has rows without a key, counted ids and triggers come back as they were", async () => {
      const [server, home] = await Promise.all([start(), makeHome()]);
      try {
        await writeFile(join(home.folder, "kinds.model.json"), JSON.stringify(modelOf(engine)));
        await writeFile(join(home.folder, "kinds.sql"), files[engine]);
        const mawps = (url: string, ...argv: string[]) =>
          home.run([...argv, "--yes", "--json"], {
            env: {
              MAWPS_HOME: join(home.folder, "other"),
              MAWPS_MODEL: "kinds.model.json",
              MAWPS_DATABASE_URL: server.url(url),
            },
          });
        const state = (database: string) =>
          onDatabase(server, database, async (sql) => ({
            events: await sql.rows("SELECT line, kind, twice FROM events ORDER BY line"),
            counters: await sql.rows("SELECT * FROM counters ORDER BY id"),
            notes: await sql.rows("SELECT * FROM notes ORDER BY id"),
          }));
        const setup = await mawps("kinds", "setup");
        expect([setup.exitCode, setup.stderr]).toEqual([0, ""]);
        await onDatabase(server, "kinds", async (sql) => {
          const lines = Array.from({ length: 450 }, (_, at) => `('x01 \\" ${at}', 'GENERATED')`);
          await sql.run(`INSERT INTO events (line, kind) VALUES ${lines.join(", ")}`);
          // What a line, a tab or a sign of the protocol could be taken for.
          const names = ["\\N", "\\.", "a\tb\nc\rd", 'q "\\" \b\v\f\u0001', ""];
          await sql.insert(
            { name: "counters", columns: [{ name: "name", as: "text" }] },
            names.map((name) => ({ name })),
          );
          const exact = ["1.7976931348623157e308", "0.30000000000000004e0", "99999999.9999999e0"];
          for (const share of exact) await sql.run(`INSERT INTO counters (share) VALUES (${share})`);
          const quote = sql.quoted("__proto__");
          await sql.run(`UPDATE counters SET ${quote} = 'proto', constructor = 'con' WHERE id = 2`);
          if (engine === "mysql") await sql.run("UPDATE counters SET founded = 0, code = id WHERE id = 3");
        });
        const before = await state("kinds");
        const own = Object.entries(before.counters[1] ?? {});
        expect(own).toEqual(
          expect.arrayContaining([
            ["__proto__", "proto"],
            ["constructor", "con"],
          ]),
        );
        expect([before.events.length, before.counters.length, before.notes.length]).toEqual([450, 9, 9]);

        const created = await mawps("kinds", "backup", "create");
        expect([created.exitCode, created.stderr]).toEqual([0, ""]);
        const drilled = await mawps("kinds", "backup", "drill");
        expect([drilled.exitCode, drilled.stderr]).toEqual([0, ""]);
        const restored = await mawps("again", "backup", "restore");
        expect([restored.exitCode, restored.stderr]).toEqual([0, ""]);
        expect(await state("again")).toEqual(before);
        const changed = (name: string) => `UPDATE counters SET ${name} = 'x' WHERE id = 2`;
        await onDatabase(server, "again", (sql) => sql.run(changed(sql.quoted("__proto__"))));
        const replaced = await mawps("again", "backup", "restore", "--on-conflict", "replace");
        expect(JSON.parse(replaced.stdout)).toMatchObject({ databases: [{ overwrite: 1, same: 17 }] });
        expect((await state("again")).counters).toEqual(before.counters);

        await onDatabase(server, "again", (sql) => sql.run("INSERT INTO counters (name) VALUES ('fourth')"));
        const after = await state("again");
        expect(after.counters.at(-1)).toMatchObject({ id: "10", name: "fourth" });
        expect(after.notes.at(-1)).toMatchObject({ of_counter: "10" });
        const doctor = await mawps("again", "doctor");
        expect(doctor.stdout).not.toMatch(/"check":"database".*"status":"problem"/);
      } finally {
        await server.close();
        await home.remove();
      }
    });
  });
}
