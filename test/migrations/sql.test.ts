import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { readCatalogue, type Catalogue } from "../../src/sql/catalogue.ts";
import type { Sql } from "../../src/sql/connection.ts";
import { withServerLock } from "../../src/sql/server-lock.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { databasesOn, databaseSites, onDatabase, type DatabaseSite } from "../support/database-sites.ts";
import { modelSite } from "../support/model-site.ts";
import { buildMortal } from "../support/mortal-process.ts";
import { makeHome, testStart, type TestHome } from "../support/world.ts";
import { writeNotes } from "./sql-site.ts";

const versionsOf = {
  lopez: ["0001-base", "0002-organizations", "0003-analytics", "0004-corrections"],
  fc024: ["0001-files", "0002-ready-is-scanned"],
};

for (const site of databaseSites) {
  describe.skipIf(site.missing !== undefined)(`migrations on ${site.engine} ${site.missing ?? ""}`, () => {
    onEngine(site);
  });
}

function onEngine(site: DatabaseSite): void {
  const { model, engine, first } = site;
  const versions = versionsOf[model];
  let server: DatabaseServer | undefined;
  let home: TestHome;
  beforeAll(async () => {
    // What a server that was killed has acknowledged must be there when it comes back.
    server = await (site.engine === "mysql"
      ? site.start(["--innodb-flush-log-at-trx-commit=1"])
      : site.start());
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
  const create = (database: string) => on(first, (sql) => sql.run(`CREATE DATABASE ${database}`));
  const catalogueOf = (database: string): Promise<Catalogue> =>
    on(database, async (sql) => readCatalogue(sql, engine === "mysql" ? database : "public"));
  /** Without what setup makes for the years to come. */
  const yearless = (catalogue: Catalogue) =>
    new Map([...catalogue].filter(([fact]) => !/^partition .*\.p\d{4}$/.test(fact)));
  const envOf = (database: string, of: string = model) => ({
    MAWPS_MODEL: of,
    MAWPS_DATABASE_URL: server?.url(database) ?? "",
  });
  const run = (database: string, argv: readonly string[], of?: string) =>
    home.run(argv, { env: envOf(database, of) });
  const notes = "./notes.model.json";
  const runNotes = (database: string, ...argv: string[]) => run(database, ["migrate", ...argv], notes);
  const statuses = async (database: string, of?: string) => {
    const status = await run(database, ["migrate", "status", "--json"], of);
    const rows = status.stdout.split("\n").filter((line) => line !== "");
    return [status.exitCode, ...rows.map((row) => (JSON.parse(row) as { status: string }).status)];
  };
  const rowsOf = (database: string) =>
    on(database, (sql) => sql.rows("SELECT id, body, title FROM notes ORDER BY id"));

  test(`of ${model} lead from nothing to what setup makes, and back`, async () => {
    const setup = await run("made", ["setup", "--yes"]);
    expect(setup.exitCode).toBe(0);
    expect(await statuses("made")).toEqual([0, ...versions.map(() => "applied")]);
    const newest = versions.at(-1) ?? "";
    expect((await run("made", ["migrate", "up", "--yes"])).stdout).toContain("nothing to do");
    expect((await run("made", ["migrate", "down", "--to", newest])).stdout.trim()).toBe(
      `nothing to take back: no migration behind ${newest} is applied`,
    );

    await create("grown");
    const before = await databasesOn(server, site);
    const empty = await catalogueOf("grown");
    const plan = await run("grown", ["migrate", "up", "--dry-run", "--json"]);
    const { plans } = JSON.parse(plan.stdout) as { plans: { migration: string; losses: unknown[] }[] };
    expect(plans.map(({ migration }) => migration)).toEqual(versions);
    expect(await catalogueOf("grown")).toEqual(empty);
    expect(await statuses("grown")).toEqual([0, ...versions.map(() => "pending")]);
    expect((await run("grown", ["migrate", "status", "--exit-code"])).exitCode).toBe(5);

    const up = await run("grown", ["migrate", "up", "--yes", "--json"]);
    const statements: unknown = expect.any(Number);
    const applied = versions.map((id) => ({ id, database: "grown", statements }));
    expect([up.exitCode, JSON.parse(up.stdout)]).toEqual([0, { applied }]);
    const none = await run("grown", ["migrate", "up", "--to", "none"]);
    expect([none.exitCode, none.stderr]).toEqual([
      2,
      expect.stringContaining("mawps migrate down --to none"),
    ]);
    expect(yearless(await catalogueOf("grown"))).toEqual(yearless(await catalogueOf("made")));
    const ids = (database: string) => on(database, (sql) => sql.rows("SELECT id FROM users"));
    expect(await ids("grown")).toEqual(await ids("made"));
    expect(await statuses("grown")).toEqual([0, ...versions.map(() => "applied")]);
    // Nothing but partitions of the years to come is left for setup.
    const check = await run("grown", ["setup", "--dry-run", "--json"]);
    expect(check.stdout).not.toMatch(/"aspect":"(?!partitions)[^"]*","kind":"(add|create|change|problem)"/);

    await run("grown", ["setup", "--yes"]);
    const back = ["migrate", "down", "--to", "none", "--yes"];
    const refused = await run("grown", back);
    const [exitCode, told] = model === "lopez" ? [1, "table users (1 row)"] : [0, "taken back"];
    expect([refused.exitCode, `${refused.stdout}${refused.stderr}`]).toEqual([
      exitCode,
      expect.stringContaining(told),
    ]);
    const standing = model === "lopez" ? "applied" : "reverted";
    expect(await statuses("grown")).toEqual([0, ...versions.map(() => standing)]);
    expect((await run("grown", [...back, "--no-backup-check"])).exitCode).toBe(0);
    // The tables of the CRM are not the migrations'.
    const left = [...(await catalogueOf("grown")).keys()].filter((fact) => fact.startsWith("table "));
    expect(left).toEqual(model === "lopez" ? [] : ["table customers", "table opportunities", "table users"]);
    expect(await statuses("grown")).toEqual([0, ...versions.map(() => "reverted")]);
    expect(await databasesOn(server, site)).toEqual(before);

    const bare = await catalogueOf("grown");
    const made = await run("grown", ["setup", "--yes"]);
    expect([made.exitCode, made.stdout]).toEqual([0, expect.stringContaining("`mawps migrate up`")]);
    expect(await catalogueOf("grown")).toEqual(bare);
    const doctor = await run("grown", ["doctor", "--json"]);
    const taken = `has all of its migrations taken back; pending: ${versions.join(", ")}`;
    expect([doctor.exitCode, doctor.stdout]).toEqual([4, expect.stringContaining(taken)]);
    const backup = await run("grown", ["backup", "create", "--only", "databases", "--json"]);
    expect([backup.exitCode, backup.stderr]).toEqual([
      3,
      expect.stringContaining("of database grown: is not there"),
    ]);
    expect(JSON.parse((await run("grown", ["backup", "list", "--json"])).stdout)).toMatchObject({
      id: expect.anything() as unknown,
    });

    const { rows } = modelSite(home, model);
    const trail = (await rows(`${model}-mawps-audit-log`)).map(({ action }) => action);
    expect(trail.filter((action) => action === "migration.applied")).toHaveLength(2 * versions.length);
    expect(trail.filter((action) => action === "migration.reverted")).toHaveLength(2 * versions.length);
  });

  test(`of ${model} are not skipped by setup and doctor`, async () => {
    await create("older");
    await run("other", ["setup", "--yes"]);
    const to = versions.at(-2) ?? "";
    expect((await run("older", ["migrate", "up", "--to", to, "--yes"])).exitCode).toBe(0);
    const before = await catalogueOf("older");
    const setup = await run("older", ["setup", "--yes"]);
    expect([setup.exitCode, setup.stdout]).toEqual([
      0,
      expect.stringContaining("1 problem left, which setup does not solve"),
    ]);
    expect(setup.stdout).not.toContain("nothing to do");
    expect(await catalogueOf("older")).toEqual(before);
    const doctor = await run("older", ["doctor", "--json"]);
    expect([doctor.exitCode, doctor.stdout]).toEqual([
      4,
      expect.stringContaining(`is at ${to}; pending: ${versions.at(-1) ?? ""}`),
    ]);
  });

  test("a note is kept for each statement, with the schema before and after it", async () => {
    await writeNotes(home, engine);
    await create("noted");
    await run("noted", ["setup", "--dry-run"], notes);
    await prepareStore();
    expect((await runNotes("noted", "up", "--yes")).exitCode).toBe(0);
    const all = await modelSite(home, notes, envOf("noted")).rows("notes-migrations");
    const of = all.filter(({ id, entry }) => id === "noted/0002-titles" && String(entry).startsWith("up#"));
    const statements = engine === "mysql" ? 4 : 1;
    expect(of).toHaveLength(statements);
    const inOrder = of.toSorted((one, other) => String(one["entry"]).localeCompare(String(other["entry"])));
    const hash: unknown = expect.stringMatching(/^[\da-f]{64}$/);
    expect(inOrder.map(({ before, after, doneAt }) => [before, after, typeof doneAt])).toEqual(
      inOrder.map(() => [hash, hash, "string"]),
    );
    const after = inOrder.map((each) => each["after"]);
    expect(inOrder.map(({ before }) => before).slice(1)).toEqual(after.slice(0, -1));
    // The one that puts in a row leaves the schema as it is; of PostgreSQL all are one.
    const unchanged = inOrder.filter((each) => each["before"] === each["after"]).map(({ entry }) => entry);
    expect(unchanged).toEqual(engine === "mysql" ? ["up#0002"] : []);
  });

  /** The tables and the bucket of the tool, made by a database that is set up whole. */
  const prepareStore = async () => {
    const name = `store_${(stores += 1)}`;
    expect((await run(name, ["setup", "--yes"], notes)).exitCode).toBe(0);
  };
  let stores = 0;

  test("killed at any note, the same command goes on; so does taking it back", async () => {
    await writeNotes(home, engine);
    await prepareStore();
    const mortal = await buildMortal("mortal-calls");
    try {
      await create("whole");
      expect((await runNotes("whole", "up", "--yes")).exitCode).toBe(0);
      const newest = await catalogueOf("whole");
      const later = () => (home.laterMs = Date.now() - testStart.getTime() + 120_000);
      const killed: string[] = [];
      // Takes turns between what is before and what is behind a call, in both directions.
      for (let fatal = 4; killed.at(-1) !== "acknowledged"; fatal += 7) {
        const database = `killed_${fatal}`;
        await create(database);
        const first = await runNotes(database, "up", "--to", "0001", "--yes");
        expect([fatal, first.exitCode, first.stderr]).toEqual([fatal, 0, expect.anything()]);
        await on(database, (sql) => sql.run("INSERT INTO notes (id, body) VALUES ('mine', 'stays')"));
        const older = await catalogueOf(database);
        for (const [name, value] of Object.entries(envOf(database, notes))) vi.stubEnv(name, value);
        killed.push((await mortal.die(home, fatal, ["migrate", "up", "--yes"])).at(-1) ?? "");
        later();
        const up = await runNotes(database, "up", "--yes");
        expect([fatal, up.exitCode, up.stderr]).toEqual([fatal, 0, expect.not.stringContaining("error")]);
        expect(await catalogueOf(database)).toEqual(newest);
        expect(await rowsOf(database)).toEqual([
          { id: "first", body: null, title: "Hallo; Welt?" },
          { id: "mine", body: "stays", title: null },
        ]);
        expect(await statuses(database, notes)).toEqual([0, "applied", "applied"]);

        const down = ["migrate", "down", "--to", "0001", "--no-backup-check", "--yes"];
        await mortal.die(home, fatal, down);
        later();
        const back = await run(database, down, notes);
        expect([fatal, back.exitCode]).toEqual([fatal, 0]);
        expect(await catalogueOf(database)).toEqual(older);
        expect(await statuses(database, notes)).toEqual([0, "applied", "reverted"]);
        vi.unstubAllEnvs();
      }
      expect(killed.length).toBeGreaterThan(2);
    } finally {
      await mortal.remove();
    }
  });

  test("a server that is killed in the middle of a statement: the same command goes on when it is back", async () => {
    await writeNotes(home, engine);
    await prepareStore();
    await create("crashed");
    await runNotes("crashed", "up", "--to", "0001", "--yes");
    await create("steady");
    await runNotes("steady", "up", "--yes");
    const newest = await catalogueOf("steady");
    // Whoever reads the table keeps its change waiting.
    const waiting =
      engine === "mysql"
        ? "SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table metadata lock'"
        : "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE%'";
    const failed = await on("crashed", async (reader) => {
      await reader.run("START TRANSACTION");
      await reader.rows("SELECT id FROM notes");
      const running = runNotes("crashed", "up", "--yes");
      const over = { is: false };
      running.finally(() => (over.is = true)).catch(() => undefined);
      await on(first, async (sql) => {
        while (!over.is && (await sql.rows(waiting)).length === 0);
      });
      await server?.kill();
      return running;
    });
    expect([failed.exitCode, failed.stderr]).toEqual([
      1,
      expect.stringContaining("0002-titles.up.sql, statement 1"),
    ]);
    await server?.start();
    const up = await runNotes("crashed", "up", "--yes");
    expect([up.exitCode, up.stdout]).toEqual([0, expect.stringContaining("0002-titles: applied")]);
    expect(await catalogueOf("crashed")).toEqual(newest);
    expect(await statuses("crashed", notes)).toEqual([0, "applied", "applied"]);
  });

  test("is not begun while another connection is at it, whichever ledger that writes", async () => {
    await writeNotes(home, engine);
    await prepareStore();
    await create("busy");
    const empty = await catalogueOf("busy");
    const { signal } = new AbortController();
    const place = engine === "mysql" ? "busy" : "public";
    const up = await on("busy", (sql) =>
      withServerLock(sql, { place, signal, onWait: () => undefined }, () => runNotes("busy", "up", "--yes")),
    );
    expect([up.exitCode, up.stderr]).toEqual([
      1,
      expect.stringMatching(/its tables are being changed by connection \d+ \((root|tester)/),
    ]);
    expect(await catalogueOf("busy")).toEqual(empty);
    expect((await runNotes("busy", "up", "--yes")).exitCode).toBe(0);
  });

  test("a schema at no version is told, and left as it is", async () => {
    await writeNotes(home, engine);
    await prepareStore();
    await create("drifted");
    await runNotes("drifted", "up", "--to", "0001", "--yes");
    await on("drifted", async (sql) => {
      await sql.run("CREATE TABLE mine (id INT PRIMARY KEY)");
      await sql.run("ALTER TABLE notes DROP COLUMN made");
    });
    const before = await catalogueOf("drifted");
    for (const verb of ["up", "down", "plan"]) {
      const refused = await runNotes("drifted", verb, ...(verb === "plan" ? [] : ["--yes"]));
      expect([verb, refused.exitCode, refused.stderr]).toEqual([
        verb,
        1,
        expect.stringContaining("column notes.made is missing"),
      ]);
      expect(refused.stderr).toContain("is not the one behind 0001-notes");
    }
    expect((await runNotes("drifted", "status")).exitCode).toBe(4);
    expect(await catalogueOf("drifted")).toEqual(before);
    // What is beside the model is nobody's matter.
    const column = engine === "mysql" ? "TIMESTAMP NULL" : "timestamptz";
    await on("drifted", (sql) => sql.run(`ALTER TABLE notes ADD COLUMN made ${column}`));
    expect((await runNotes("drifted", "up", "--yes")).exitCode).toBe(0);
  });

  test("what is dropped and made anew by one migration is told as lost, and wants a backup", async () => {
    const anew = "ALTER TABLE notes DROP COLUMN body, ADD COLUMN body VARCHAR(40);";
    const made = engine === "mysql" ? "TIMESTAMP NULL" : "timestamptz";
    const table = `CREATE TABLE notes (id VARCHAR(36) NOT NULL PRIMARY KEY, body VARCHAR(40), made ${made}, title VARCHAR(50));`;
    await writeNotes(home, engine, {
      "0003-body.up.sql": anew,
      "0003-body.down.sql": anew,
      "0004-notes.up.sql": `DROP TABLE IF EXISTS other, notes;\n${table}\nCREATE INDEX notes_title ON notes (title);`,
      "0004-notes.down.sql": anew,
    });
    await prepareStore();
    await create("anew");
    await runNotes("anew", "up", "--to", "0002", "--yes");
    await on("anew", (sql) => sql.run("INSERT INTO notes (id, body) VALUES ('mine', 'stays')"));
    const before = await rowsOf("anew");
    const up = await runNotes("anew", "up", "--yes");
    expect([up.exitCode, up.stderr]).toEqual([1, expect.stringContaining("column notes.body (1 value)")]);
    expect(up.stderr).toContain("table notes (2 rows)");
    expect(await rowsOf("anew")).toEqual(before);
  });

  test("what the server refuses of rows is told without them, also with its cause", async () => {
    await writeNotes(home, engine, {
      "0003-alone.up.sql": "CREATE UNIQUE INDEX alone ON notes (body);",
      "0003-alone.down.sql": engine === "mysql" ? "DROP INDEX alone ON notes;" : "DROP INDEX alone;",
    });
    await prepareStore();
    await create("twice");
    await runNotes("twice", "up", "--to", "0002", "--yes");
    await on("twice", (sql) =>
      sql.run("INSERT INTO notes (id, body) VALUES ('a', 'o''max@example.com'), ('b', 'o''max@example.com')"),
    );
    const { exitCode, stderr } = await runNotes("twice", "up", "--yes", "--verbose");
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringMatching(/0003-alone\.up\.sql, statement 1[^]*cause:/),
    ]);
    expect(stderr).not.toContain("example.com");
  });

  test("values of a column that goes are told in numbers, and want a backup", async () => {
    await writeNotes(home, engine);
    await prepareStore();
    await create("valued");
    await runNotes("valued", "up", "--yes");
    const before = await catalogueOf("valued");
    const down = await runNotes("valued", "down", "--yes");
    expect([down.exitCode, down.stderr]).toEqual([
      1,
      expect.stringContaining("column notes.title (1 value)"),
    ]);
    expect(await catalogueOf("valued")).toEqual(before);
    const backup = ["backup", "create", "--with-secrets"];
    expect((await run("valued", backup, notes)).exitCode).toBe(0);
    const back = await runNotes("valued", "down", "--yes");
    expect([back.exitCode, back.stdout]).toEqual([0, expect.stringContaining("0002-titles: taken back")]);
  });

  test("files that changed since are told, and taken for applied only on demand", async () => {
    await writeNotes(home, engine);
    await prepareStore();
    await create("edited");
    await runNotes("edited", "up", "--yes");
    await writeNotes(home, engine, { "0001-notes.down.sql": "-- Goes.\nDROP TABLE notes;" });
    const status = await runNotes("edited", "status");
    expect([status.exitCode, status.stdout]).toEqual([4, expect.stringContaining("applied, files changed")]);
    expect((await runNotes("edited", "up", "--yes")).exitCode).toBe(1);
    expect((await runNotes("edited", "up", "--accept-changed", "--yes")).exitCode).toBe(0);
    expect((await runNotes("edited", "status")).exitCode).toBe(0);
  });

  test.each<[string, Record<string, string | undefined>, number, string]>([
    ["does not lead back", { "0002-titles.down.sql": "DROP INDEX_OF notes" }, 2, "is not run"],
    [
      "leaves something",
      { "0001-notes.down.sql": "ALTER TABLE notes DROP COLUMN made" },
      2,
      "does not lead back",
    ],
    [
      "is refused by the server",
      { "0002-titles.up.sql": "ALTER TABLE nowhere DROP COLUMN made" },
      1,
      "statement 1",
    ],
    [
      "acts on another database",
      { "0001-notes.down.sql": "DROP TABLE notes, live.users" },
      2,
      "another database",
    ],
    ["deletes rows", { "0001-notes.down.sql": "DELETE FROM notes" }, 2, "is not run"],
    ["has a name of nothing", { "notes.up.sql": "CREATE TABLE a (id INT)" }, 2, "is no name of a migration"],
    ["has a number twice", { "0001-two.up.sql": "", "0001-two.down.sql": "" }, 2, "the number 0001"],
    [
      "has no way back",
      { "0003-more.up.sql": "CREATE TABLE more (id INT)" },
      2,
      "there is no 0003-more.down.sql",
    ],
  ])("one that %s is refused before anything is changed", async (_, files, exitCode, told) => {
    await writeNotes(home, engine, files);
    const database = "untouched";
    if (!(await databasesOn(server, site)).includes(database)) await create(database);
    const before = [await catalogueOf(database), await databasesOn(server, site)];
    const up = await runNotes(database, "up", "--yes");
    expect([up.exitCode, up.stderr]).toEqual([exitCode, expect.stringContaining(told)]);
    expect([await catalogueOf(database), await databasesOn(server, site)]).toEqual(before);
  });

  test("a database that is another one than the ledger knows is told", async () => {
    await writeNotes(home, engine);
    await prepareStore();
    await create("replaced");
    await runNotes("replaced", "up", "--yes");
    await on("replaced", (sql) => sql.run("DROP TABLE notes"));
    const status = await runNotes("replaced", "status");
    expect([status.exitCode, status.stderr]).toEqual([
      4,
      expect.stringContaining("0001-notes was applied and is not in replaced"),
    ]);
    expect((await runNotes("replaced", "up", "--yes")).exitCode).toBe(0);
    expect(await statuses("replaced", notes)).toEqual([0, "applied", "applied"]);
  });

  test("they can be taken back by the first command on a store, which keeps what was done", async () => {
    await create("early");
    await writeNotes(home, engine);
    await run("early", ["setup", "--yes"], notes);
    await rm(join(home.folder, "store"), { recursive: true });
    const down = await runNotes("early", "down", "--no-backup-check", "--yes");
    expect([down.exitCode, down.stdout]).toEqual([0, expect.stringContaining("0002-titles: taken back")]);
    expect(await statuses("early", notes)).toEqual([0, "applied", "reverted"]);
  });

  test("one that failed half-way goes on where another ledger noted those before it", async () => {
    const drop = engine === "mysql" ? "ALTER TABLE notes DROP KEY notes_body" : "DROP INDEX notes_body";
    await writeNotes(home, engine, {
      "0002-titles.up.sql":
        "ALTER TABLE notes ADD COLUMN title VARCHAR(50);\nCREATE UNIQUE INDEX notes_body ON notes (body);",
      "0002-titles.down.sql": `${drop};\nALTER TABLE notes DROP COLUMN title;`,
    });
    await create("halfway");
    expect((await runNotes("halfway", "up", "--to", "0001", "--yes")).exitCode).toBe(0);
    await rm(join(home.folder, "store"), { recursive: true });
    await on("halfway", (sql) => sql.run("INSERT INTO notes (id, body) VALUES ('a', 'same'), ('b', 'same')"));
    const failed = await runNotes("halfway", "up", "--yes");
    expect([failed.exitCode, failed.stderr]).toEqual([
      1,
      expect.stringContaining("0002-titles.up.sql, statement 2"),
    ]);
    expect((await statuses("halfway", notes)).slice(1)).toEqual(["applied", "applying"]);
    await on("halfway", (sql) => sql.run("DELETE FROM notes WHERE id = 'b'"));
    const up = await runNotes("halfway", "up", "--yes");
    expect([up.exitCode, up.stdout]).toEqual([0, expect.stringContaining("0002-titles: applied")]);
    expect(await statuses("halfway", notes)).toEqual([0, "applied", "applied"]);
  });

  test("without their folder nothing is done", async () => {
    await writeNotes(home, engine);
    await create("folderless");
    await rm(join(home.folder, "changes"), { recursive: true });
    const up = await runNotes("folderless", "up", "--yes");
    expect([up.exitCode, up.stderr]).toEqual([2, expect.stringContaining("cannot read the migrations in")]);
  });
}
