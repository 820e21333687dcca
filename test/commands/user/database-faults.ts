import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Sql } from "../../../src/sql/connection.ts";
import type { DatabaseServer } from "../../support/database-server.ts";
import { onDatabase, type DatabaseSite } from "../../support/database-sites.ts";
import { writeDesk } from "../../support/desk-site.ts";
import { modelSite } from "../../support/model-site.ts";
import { beforeChanges } from "../../support/statement-hook.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

const database = "faults";
const bucket = "fc024-attachments";
const file = (of: number) => `33333333-3333-4333-8333-00000000000${of}`;

/** What the engines call the same. */
const words = {
  mysql: {
    // The transaction that has changed fewer rows is taken back.
    patient: "SET @nothing = 1",
    hurry: "SET GLOBAL innodb_lock_wait_timeout = 1",
    calm: "SET GLOBAL innodb_lock_wait_timeout = 50",
  },
  postgres: {
    // Who has waited for deadlock_timeout is taken back.
    patient: "SET deadlock_timeout = '60s'",
    hurry: `ALTER DATABASE ${database} SET lock_timeout = '1s'`,
    calm: `ALTER DATABASE ${database} RESET lock_timeout`,
  },
};

/** The tests of what else can go wrong at a database of a server that runs. */
export function testFaults({ engine }: DatabaseSite, serverNow: () => DatabaseServer | undefined): void {
  const { patient, hurry, calm } = words[engine];
  let home: TestHome;
  let model: string;
  let undo: () => void = () => undefined;
  const site = (url = serverNow()?.url(database) ?? "") =>
    modelSite(home, model, { MAWPS_HOME: join(home.folder, "other"), MAWPS_DATABASE_URL: url });
  const on = <T>(look: (sql: Sql) => Promise<T>) => onDatabase(serverNow(), database, look);
  const erase = (id: number) =>
    site().run("user", "erase", `customer:${id}`, "--yes", "--receipt", `${id}.json`);
  const thereOf = async (id: number) =>
    on(async (sql) => ({
      names: (await sql.rows(`SELECT name FROM customers WHERE id = ${id}`)).map(({ name }) => name),
      files: (await sql.rows(`SELECT id FROM file_attachments WHERE customer_id = ${id}`)).length,
    }));
  const erased = { names: [expect.stringMatching(/^erased-/)] as unknown[], files: 0 };
  beforeAll(async () => {
    home = await makeHome();
    model = await writeDesk(home, engine);
    const setup = await site().run("setup", "--yes");
    if (setup.exitCode !== 0) throw new Error(setup.stderr);
    await on(async (sql) => {
      await sql.run(
        "INSERT INTO users (id, name, phone, card, joined) VALUES (1, 'clerk', 1, 'c', '2020-01-01')",
      );
      await sql.run("CREATE TABLE filler (id int PRIMARY KEY, n int)");
      await sql.run(
        `INSERT INTO filler VALUES ${Array.from({ length: 100 }, (_, at) => `(${at}, 0)`).join(", ")}`,
      );
      for (const id of [1, 2, 3]) {
        await sql.run(
          `INSERT INTO customers (id, name, email, phone, card, joined) VALUES (${id}, 'buyer ${id}', 'b${id}@example.com', ${id}, 'b${id}', '2020-01-0${id}')`,
        );
        await sql.run(`INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, status, scan_result, customer_id, uploaded_by, uploaded_at)
          VALUES ('${file(id)}', 'n', 'customers/${id}/${file(id)}/n', 'text/plain', 1, 'READY', 'CLEAN', ${id}, 1, '2026-01-01 00:00:00')`);
      }
    });
    await site().putFiles(
      bucket,
      [1, 2, 3].map((id) => `customers/${id}/${file(id)}/n`),
    );
  });
  afterEach(() => undo());
  afterAll(() => home.remove());

  test("a deadlock takes an erasure back, which is tried again", async () => {
    const tried: string[] = [];
    await on(async (other) => {
      let blocked: Promise<void> | undefined;
      undo = beforeChanges((statement) => {
        if (!/^UPDATE .customers/.test(statement) || statement.includes("'busy'")) return undefined;
        tried.push(statement);
        if (blocked !== undefined) return undefined;
        const lock = async () => {
          await other.run(patient);
          await other.run("BEGIN");
          await other.run("UPDATE filler SET n = n + 1");
          await other.run("UPDATE customers SET name = 'busy' WHERE id = 1");
          // It waits for the row that the erasure has deleted, which waits for this one.
          blocked = other
            .run(`UPDATE file_attachments SET file_name = 'busy' WHERE customer_id = 1`)
            .then(() => other.run("COMMIT"));
        };
        return lock();
      });
      const { exitCode, stderr } = await erase(1);
      expect([exitCode, exitCode === 0 ? "" : stderr]).toEqual([0, ""]);
      await blocked;
    });
    expect(tried.length).toBeGreaterThan(1);
    expect(await thereOf(1)).toEqual(erased);
    expect(await on((sql) => sql.rows("SELECT SUM(n) AS n FROM filler"))).toEqual([{ n: "100" }]);
  });

  test("a lock that somebody else holds too long is told, with nothing changed", async () => {
    await on((sql) => sql.run(hurry));
    await on(async (other) => {
      await other.run("BEGIN");
      await other.run("UPDATE customers SET name = 'buyer 2' WHERE id = 2");
      const { exitCode, stderr } = await erase(2);
      expect([exitCode, stderr]).toEqual([
        1,
        expect.stringMatching(/waited too long for a lock of somebody else[^]*run the same command again/),
      ]);
      await other.run("ROLLBACK");
    });
    await on((sql) => sql.run(calm));
    expect(await thereOf(2)).toEqual({ names: ["buyer 2"], files: 1 });
    expect((await erase(2)).exitCode).toBe(0);
    expect(await thereOf(2)).toEqual(erased);
  });

  test("a column more harms nothing; one less, or a lost key, ends a command before it begins", async () => {
    await on((sql) => sql.run("ALTER TABLE file_attachments ADD extra int NOT NULL DEFAULT 7"));
    expect((await site().run("doc", "rm", "customer:3", file(3), "--yes")).exitCode).toBe(0);
    const stored = "SELECT status, extra FROM file_attachments";
    expect(await on((sql) => sql.rows(stored))).toEqual([{ status: "DELETED", extra: "7" }]);
    await on((sql) => sql.run("ALTER TABLE file_attachments DROP COLUMN scan_result"));
    const less = await site().run("doc", "restore", "customer:3", file(3));
    expect([less.exitCode, less.stderr]).toEqual([
      1,
      expect.stringContaining("has no column scan_result, which the model names"),
    ]);
    await on((sql) => sql.run("ALTER TABLE file_attachments ADD scan_result varchar(20)"));
    const drop = engine === "mysql" ? "DROP PRIMARY KEY" : "DROP CONSTRAINT file_attachments_pkey";
    await on((sql) => sql.run(`ALTER TABLE file_attachments ${drop}`));
    for (const argv of [
      ["user", "erase", "customer:3", "--yes"],
      ["doc", "restore", "customer:3", file(3)],
      ["retention", "plan"],
    ]) {
      const { exitCode, stderr } = await site().run(...argv);
      expect([argv, exitCode, stderr]).toEqual([argv, 1, expect.stringContaining("has no primary key")]);
    }
    expect(await on((sql) => sql.rows(stored))).toEqual([{ status: "DELETED", extra: "7" }]);
    expect(await thereOf(3)).toEqual({ names: ["buyer 3"], files: 1 });
  });

  test.runIf(engine === "mysql")(
    "a password with every sign of a URL opens it, and is told nowhere",
    async () => {
      const password = "p@:/?#%25'\"`-7";
      await on(async (sql) => {
        await sql.rows(`CREATE USER \`o'neil\`@localhost IDENTIFIED BY ?`, [password]);
        await sql.run("GRANT SELECT ON *.* TO `o'neil`@localhost");
      });
      const as = (user: string, secret: string) =>
        (serverNow()?.url(database) ?? "").replace("root@", () => `${user}:${secret}@`);
      const encoded = encodeURIComponent(password);
      const listed = await site(as("o'neil", encoded)).run("user", "list", "--json");
      expect([listed.exitCode, listed.exitCode === 0 ? "" : listed.stderr]).toEqual([0, ""]);
      const wrong = await site(as("o'neil", `${encoded}x`)).run("user", "list", "--verbose");
      expect([wrong.exitCode, wrong.stderr]).toEqual([
        1,
        expect.stringContaining("the user or the password is wrong"),
      ]);
      expect(wrong.stdout + wrong.stderr).not.toMatch(/p@:|p%40/);
    },
  );
}
