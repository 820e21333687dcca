import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sql } from "../../src/sql/connection.ts";
import { isReferredTo, isTaken, serverCode } from "../../src/sql/explain.ts";
import { noPostgres, startPostgres, type DatabaseServer } from "../support/database-server.ts";
import { onDatabase } from "../support/database-sites.ts";
import { modelSite } from "../support/model-site.ts";
import { makeHome, type TestHome } from "../support/world.ts";

/** Where a PostgreSQL is: in this process, or on a server. What holds for one has to hold for the other. */
const ends = [
  { end: "PGlite", missing: undefined, start: startPglite },
  { end: "PostgreSQL", missing: noPostgres, start: startPostgres },
];

type End = Pick<DatabaseServer, "url" | "close">;

async function startPglite(): Promise<End> {
  const folder = await mkdtemp(join(tmpdir(), "mawps-pglite-"));
  return {
    url: (database) => `pglite://${folder}/${database}`,
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

const codeOf = async (failing: Promise<unknown>) => {
  const error = await failing.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { code: serverCode(error), isTaken: isTaken(error), isReferredTo: isReferredTo(error) };
};

describe.each(ends)("a connection to $end", ({ missing, start }) => {
  let end: End | undefined;
  beforeAll(async () => {
    if (missing === undefined) end = await start();
  });
  afterAll(() => end?.close());
  const on = <T>(look: (sql: Sql) => Promise<T>) => onDatabase(end, "postgres", look);

  it.skipIf(missing !== undefined)("gives every value as it is, and tells why one is refused", async () => {
    await on(async (sql) => {
      await sql.run("CREATE TABLE kinds (id bigint PRIMARY KEY, n numeric, t timestamptz, j jsonb, b bytea)");
      await sql.run("CREATE TABLE children (id int PRIMARY KEY, parent bigint REFERENCES kinds (id))");
      const row = {
        id: "9223372036854775807",
        n: "12345678901234567890123456789.012345678",
        t: "2026-03-29 00:30:00.123456+00",
        j: '{"a": [1, "ü 🙂", null]}',
        b: String.raw`\x00ff0a27`,
      };
      const insert = "INSERT INTO kinds (id, n, t, j, b) VALUES ($1, $2, $3, $4, $5)";
      expect(await sql.change(insert, Object.values({ ...row, t: "2026-03-29 02:30:00.123456+02" }))).toBe(1);
      expect(await sql.change(insert, ["1", null, null, null, null])).toBe(1);
      const none = { id: "1", n: null, t: null, j: null, b: null };
      expect(await sql.rows("SELECT * FROM kinds ORDER BY id DESC")).toEqual([row, none]);
      expect(await sql.change("UPDATE kinds SET n = 0 WHERE id = $1", ["2"])).toBe(0);
      const into = {
        name: "kinds",
        columns: Object.keys(row).map((name) => ({ name, as: "text" as const })),
      };
      await expect(sql.insert(into, [{ ...none, id: "7" }, none])).rejects.toThrow("23505");
      await sql.insert(into, [
        { ...row, id: "8" },
        { ...none, id: "9" },
      ]);
      expect(await sql.rows("SELECT * FROM kinds WHERE id < 10 ORDER BY id")).toEqual([
        none,
        { ...row, id: "8" },
        { ...none, id: "9" },
      ]);
      let lines = "";
      for await (const { bytes } of sql.lines("SELECT id, n, j FROM kinds WHERE id < 9 ORDER BY id", [
        "id",
        "n",
        "j",
      ]))
        lines += Buffer.from(bytes).toString();
      expect(
        lines
          .split("\n")
          .slice(0, -1)
          .map((line) => JSON.parse(line) as unknown),
      ).toEqual([{ Row: { id: "1", n: null, j: null } }, { Row: { id: "8", n: row.n, j: row.j } }]);
      await sql.change("INSERT INTO children VALUES ($1, $2)", ["1", "1"]);

      expect(await codeOf(sql.change(insert, ["1", null, null, null, null]))).toMatchObject({
        isTaken: true,
      });
      expect(await codeOf(sql.run("DELETE FROM kinds"))).toMatchObject({ isReferredTo: true });
      expect(await codeOf(sql.rows("SELECT $1::uuid", ["none"]))).toMatchObject({ code: "22P02" });
      expect(await codeOf(sql.run("SELECT * FROM nowhere"))).toMatchObject({ code: "42P01" });
    });
  });

  it.skipIf(missing !== undefined)("streams in a transaction, which is taken back when told so", async () => {
    await on(async (sql) => {
      await sql.run("BEGIN");
      await sql.run(
        "CREATE TABLE many AS SELECT n, repeat('x', 3000) AS t FROM generate_series(1, 1234) AS n",
      );
      let rows = 0;
      for await (const some of sql.stream("SELECT * FROM many ORDER BY n")) rows += some.length;
      expect(rows).toBe(1234);
      expect(await codeOf(sql.run("SELECT 1 / 0"))).toMatchObject({ code: "22012" });
      expect(await codeOf(sql.run("SELECT 1"))).toMatchObject({ code: "25P02" });
      await sql.run("ROLLBACK");
      expect(await codeOf(sql.run("SELECT * FROM many"))).toMatchObject({ code: "42P01" });
    });
  });
});

const customer = "11111111-1111-4111-8111-111111111111";
const other = "22222222-2222-4222-8222-222222222222";
const staff = "44444444-4444-4444-8444-444444444444";
const people = [
  `INSERT INTO customers (id, name, email) VALUES ('${customer}', 'Max', 'max@example.com')`,
  `INSERT INTO users (id, email, name) VALUES ('${staff}', 'eva@example.com', 'Eva')`,
];
const bucket = "fc024-attachments";

describe("a site whose PostgreSQL is embedded in its local store", () => {
  let home: TestHome;
  beforeAll(async () => {
    home = await makeHome();
    await writeFile(join(home.folder, "notes.txt"), "what is written");
  });
  afterAll(() => home.remove());

  const folder = () => join(home.folder, "other", "postgres");
  const site = () => modelSite(home, "fc024", { MAWPS_HOME: join(home.folder, "other"), MAWPS_YES: "1" });
  const on = <T>(look: (sql: Sql) => Promise<T>, name = "crm") =>
    onDatabase({ url: (database) => `pglite://${folder()}/${database}` }, name, look);
  const rows = (statement: string) => on((sql) => sql.rows(statement));
  const put = (...statements: string[]) =>
    on(async (sql) => {
      for (const statement of statements) await sql.run(statement);
    });
  const done = async (...argv: string[]) => {
    const { exitCode, stdout, stderr } = await site().run(...argv, "--json");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    return stdout;
  };

  it("has it whole with the first command, and needs no URL: documents, backup, drill, retention, erasure", async () => {
    const before = await site().run("doc", "list", "--all", "--json");
    expect([before.exitCode, before.stdout]).toEqual([0, ""]);
    expect(await readdir(home.folder)).not.toContain("other");

    const setup = await done("setup");
    expect(setup).toContain('"name":"crm","aspect":"database","kind":"ok"');
    expect(setup).not.toMatch(/"kind":"(add|create|change|problem)"/);
    expect(await rows("SELECT id FROM users")).toEqual([{ id: "00000000-0000-4000-8000-000000000000" }]);
    await put(...people);

    const uploading = [
      "doc",
      "upload",
      "max@example.com",
      "notes.txt",
      "--by",
      "eva@example.com",
      "--no-scan",
    ];
    const { id } = JSON.parse(await done(...uploading)) as { id: string };
    const file = "SELECT id, status, size_bytes, customer_id, uploaded_by FROM file_attachments";
    const stored = { id, status: "READY", size_bytes: "15", customer_id: customer, uploaded_by: staff };
    expect(await rows(file)).toEqual([stored]);

    const { id: backup } = JSON.parse(await done("backup", "create", "--with-secrets")) as { id: string };
    expect(JSON.parse(await done("backup", "drill"))).toMatchObject({
      outcome: "ok",
      rows: 4,
      faultCount: 0,
    });
    expect((await readdir(folder())).toSorted()).toEqual([".empty", "crm"]);
    await put("DELETE FROM file_attachments", "UPDATE customers SET name = 'changed'");
    await done("backup", "restore", backup, "--user", "customer:max@example.com", "--on-conflict", "replace");
    expect(await rows(file)).toEqual([stored]);
    expect(await rows("SELECT name FROM customers")).toEqual([{ name: "Max" }]);

    await done("doc", "rm", customer, id);
    home.laterMs += 31 * 86_400_000;
    await done("retention", "run");
    expect([await rows(file), await site().left(bucket)]).toEqual([[], []]);

    await done(...uploading);
    await done("user", "erase", "eva@example.com");
    expect(await rows(file)).toMatchObject([{ uploaded_by: "00000000-0000-4000-8000-000000000000" }]);
    await done("user", "erase", "max@example.com");
    expect([await rows(file), await rows("SELECT id FROM customers")]).toEqual([[], []]);
    expect(await site().left(bucket)).toEqual([]);
    expect(JSON.parse(await done("audit", "verify"))).toMatchObject({
      entries: 13,
      faults: 0,
      interrupted: 0,
    });
    expect((await site().run("doctor", "--json")).stdout).not.toContain(
      '"check":"database","subject":"crm","status":"problem"',
    );
  });

  it("has one command after the other work on it", async () => {
    let second: Promise<string> | undefined;
    await on(async (sql) => {
      second = done("doc", "list", "--all");
      await sql.run(`INSERT INTO customers (id, name, email) VALUES ('${other}', 'Max', 'late@example.com')`);
    });
    await second;
    const shown = await done("user", "show", "late@example.com");
    expect(shown).toContain(other);
  });

  it("begins a database anew that was broken off, and loses nothing that was committed when the process is killed", async () => {
    const data = join(folder(), "killed", "data");
    await on(async (sql) => sql.run("SELECT 1"), "killed");
    expect(await readdir(join(folder(), "killed"))).toEqual(["lock"]);

    for (let round = 1; round <= 2; round += 1) {
      const last = await killed(data, round);
      const found = await on(
        (sql) => sql.rows(`SELECT max(n) AS last FROM kept WHERE round = ${round}`),
        "killed",
      );
      expect(Number(found[0]?.["last"])).toBeGreaterThanOrEqual(last);
      const half = await on((sql) => sql.rows("SELECT n FROM kept WHERE n < 0"), "killed");
      expect(half).toEqual([]);
    }
  });

  it("goes with the store", async () => {
    await done("local", "reset");
    expect(await readdir(home.folder)).not.toContain("other");
  });
});

/** Writes rows until it has told of forty, each committed before it is told, with one transaction never ended; then kills it. */
async function killed(data: string, round: number): Promise<number> {
  const program = `
    import { PGlite } from "@electric-sql/pglite";
    import { writeSync } from "node:fs";
    const lite = await PGlite.create(${JSON.stringify(data)});
    await lite.exec("CREATE TABLE IF NOT EXISTS kept (round int, n int, t text)");
    for (let n = 1; n <= 40; n += 1) {
      await lite.exec(\`INSERT INTO kept VALUES (${round}, \${n}, repeat('x', 2000))\`);
      writeSync(1, n + "\\n");
    }
    await lite.exec("BEGIN; INSERT INTO kept VALUES (0, -1, 'half')");
    writeSync(1, "open\\n");
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  let last = 0;
  for await (const line of createInterface(child.stdout)) {
    if (line === "open") child.kill("SIGKILL");
    else last = Number(line);
  }
  await ended;
  expect(child.signalCode).toBe("SIGKILL");
  return last;
}
