import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changesSomething, logStatements, replayed } from "../../src/sql/binary-log.ts";
import { noMariadb, startMariadb, type DatabaseServer } from "../support/database-server.ts";
import { onDatabase } from "../support/database-sites.ts";
import { afterRealClockMs, makeHome, testStart, type TestHome } from "../support/world.ts";

/** Behind the real clock, by which the server writes down when it began a log. */
const begin = testStart.getTime() + afterRealClockMs();
const hours = (later: number) => new Date(Math.floor(begin / 1000) * 1000 + later * 3_600_000);
const insertUser = (id: string) =>
  `INSERT INTO users (id, email, password_hash, name) VALUES ('${id}', '${id}@example.com', 'x', '${id}')`;

describe.skipIf(noMariadb !== undefined)(`a database as it was at a moment ${noMariadb ?? ""}`, () => {
  let server: DatabaseServer | undefined;
  let home: TestHome;
  const path = process.env["PATH"] ?? "";
  const mawps = (...argv: string[]) => mawpsWith({}, ...argv);
  const mawpsWith = (env: Readonly<Record<string, string>>, ...argv: string[]) =>
    home.run([...argv, "--json"], {
      env: {
        MAWPS_HOME: join(home.folder, "other"),
        MAWPS_MODEL: "lopez",
        MAWPS_DATABASE_URL: server?.url("lopez") ?? "",
        MAWPS_YES: "1",
        PATH: path,
        ...env,
      },
    });
  /** By the server's log at that time: a test has a clock of its own. */
  const at = (time: Date, ...statements: readonly string[]) =>
    onDatabase(server, "lopez", async (sql) => {
      await sql.run(`SET TIMESTAMP = ${time.getTime() / 1000}`);
      for (const statement of statements) await sql.run(statement);
    });
  const users = (database: string) =>
    onDatabase(server, database, (sql) => sql.rows("SELECT * FROM users WHERE id LIKE 'u-%' ORDER BY id"));
  const databases = () =>
    onDatabase(server, "mysql", async (sql) =>
      (await sql.rows("SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA")).map(({ name }) => name),
    );

  beforeAll(async () => {
    [server, home] = await Promise.all([
      startMariadb(["--log-bin=log", "--server-id=1", "--binlog-format=ROW", "--binlog-ignore-db=hidden"]),
      makeHome(),
    ]);
    home.laterMs = begin - testStart.getTime();
    for (const argv of [["setup"], ["backup", "create", "--with-secrets"]]) {
      if (argv[0] === "backup") await at(hours(0), insertUser("u-1"), insertUser("u-2"));
      const { exitCode, stderr } = await mawps(...argv);
      if (exitCode !== 0) throw new Error(stderr);
    }
    await at(
      hours(1),
      insertUser("u-3"),
      "UPDATE lopez.users SET name = 'married' WHERE id = 'u-2'",
      "ALTER TABLE users ADD COLUMN nickname VARCHAR(20) DEFAULT '?'",
      "/* by an editor */ ALTER TABLE users ADD COLUMN role_since DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP",
      "CREATE TABLE user (role INT PRIMARY KEY)",
      "ALTER TABLE user ADD COLUMN event INT DEFAULT 7",
      "INSERT INTO user (role) VALUES (1), (2)",
      "FLUSH BINARY LOGS",
      "START TRANSACTION",
      "DELETE FROM user WHERE role = 1",
      "SAVEPOINT a",
      "UPDATE user SET event = 8",
      "COMMIT",
      "INSERT INTO ai_agents (id, name, type, model, config, created_by) VALUES ('a', 'a', 'chatbot', 'm', '{}', 'u-3')",
      "USE mysql",
      "CREATE DATABASE others",
      "CREATE TABLE others.users (id INT PRIMARY KEY)",
      "INSERT INTO others.users VALUES (1)",
    );
    await at(hours(3), "DELETE FROM ai_agents", "DELETE FROM users WHERE id <> 'u-1'");
    home.laterMs += 4 * 3_600_000;
  });
  afterAll(async () => {
    await server?.close();
    await home.remove();
  });

  const restore = (time: Date, into: string, ...more: string[]) =>
    mawps(
      "backup",
      "pitr",
      "restore",
      "--database",
      "main",
      "--at",
      time.toISOString(),
      "--into",
      into,
      ...more,
    );

  it("is told of, with the backup from which it is reached", async () => {
    const { exitCode, stdout } = await mawps("backup", "pitr", "status");
    const found = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect([exitCode, found.find(({ database }) => database === "lopez")]).toEqual([
      0,
      expect.objectContaining({
        state: "on",
        backup: expect.stringMatching(/^\d{8}T/) as unknown,
        log: expect.objectContaining({ isOn: true, format: "ROW" }) as unknown,
      }),
    ]);
  });

  it("comes back beside the one that is there, which stays as it is", async () => {
    const [before, there] = [await users("lopez"), await databases()];
    const dry = await restore(hours(2), "past", "--dry-run");
    expect([dry.exitCode, await databases()]).toEqual([0, there]);
    const { exitCode, stderr, stdout } = await restore(hours(2), "past");
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toMatchObject({
      database: "past",
      erased: { rows: 0, accounts: 0, names: 0 },
    });
    expect(await users("past")).toMatchObject([
      { id: "u-1", name: "u-1", nickname: "?" },
      { id: "u-2", name: "married", nickname: "?" },
      { id: "u-3", name: "u-3", nickname: "?" },
    ]);
    const [since] = (await users("past")).map((row) => row["role_since"]);
    expect(since).toBe(hours(1).toISOString().slice(0, 19).replace("T", " "));
    const changed = await onDatabase(server, "past", (sql) => sql.rows("SELECT * FROM user"));
    expect(changed).toEqual([{ role: "2", event: "8" }]);
    const made = await onDatabase(server, "past", (sql) =>
      sql.rows("SELECT COUNT(*) AS n FROM user_summaries"),
    );
    expect(made).toHaveLength(1);
    expect(await users("lopez")).toEqual(before);
    expect(await databases()).toEqual(expect.arrayContaining([...there, "past"]));
    expect(await databases()).toHaveLength(there.length + 1);
    const others = await onDatabase(server, "others", (sql) => sql.rows("SELECT * FROM users"));
    expect(others).toEqual([{ id: "1" }]);
    const trail = await mawps("audit", "list", "--action", "backup.restored");
    expect(trail.stdout).toContain('"name":"past"');
  });

  it("is not made over another one, of a moment to come, or of one before all backups", async () => {
    const there = await databases();
    const taken = await restore(hours(2), "others");
    expect([taken.exitCode, taken.stderr]).toEqual([
      1,
      expect.stringContaining("there is a database others already"),
    ]);
    const future = await restore(hours(99), "later");
    expect([future.exitCode, future.stderr]).toEqual([2, expect.stringContaining("has not come yet")]);
    const early = await restore(hours(-1), "early");
    expect([early.exitCode, early.stderr]).toEqual([
      1,
      expect.stringContaining("no backup of lopez from before"),
    ]);
    const unknown = await mawps(
      "backup",
      "pitr",
      "restore",
      "--database",
      "x",
      "--at",
      "1h",
      "--into",
      "early",
    );
    expect([unknown.exitCode, unknown.stderr]).toEqual([
      2,
      expect.stringContaining("declares no database x"),
    ]);
    expect(await databases()).toEqual(there);
  });

  it("is not offered of one that the log leaves out", async () => {
    await onDatabase(server, "mysql", (sql) => sql.run("CREATE DATABASE hidden"));
    const hidden = { MAWPS_DATABASE_URL: server?.url("hidden") ?? "" };
    const status = await mawpsWith(hidden, "backup", "pitr", "status");
    expect(status.stdout).toMatch(/"database":"hidden",.*"state":"left out"/);
    const argv = ["backup", "pitr", "restore", "--database", "main", "--at", hours(2).toISOString()];
    const refused = await mawpsWith(hidden, ...argv, "--into", "never");
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining("leaves out what is")]);
  });

  it("is made in the empty database that a run which was killed has left", async () => {
    await onDatabase(server, "mysql", (sql) => sql.run("CREATE DATABASE halfway"));
    const { exitCode, stderr } = await restore(hours(2), "halfway");
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(await users("halfway")).toHaveLength(3);
  });

  it("leaves no file with a password beside a program that runs", async () => {
    const programs = join(home.folder, "programs");
    await mkdir(programs);
    // Tells of nothing until the file is gone.
    const waiting = `#!/bin/sh
PATH='${path}'
[ "$1" = --version ] && exec mysqlbinlog --version
all=$(mysqlbinlog "$@") || exit
echo "# begins"
while [ -e "\${1#--defaults-file=}" ]; do sleep 0.1; done
echo "$all"
`;
    await writeFile(join(programs, "mysqlbinlog"), waiting, { mode: 0o755 });
    const argv = ["backup", "pitr", "restore", "--database", "main", "--at", hours(2).toISOString()];
    const restored = await mawpsWith({ PATH: `${programs}:${path}` }, ...argv, "--into", "forgotten");
    expect([restored.exitCode, restored.stderr]).toEqual([0, ""]);
    expect(await users("forgotten")).toHaveLength(3);
  });

  it("comes back without those who were erased since", async () => {
    await at(hours(3.5), insertUser("u-3"));
    const erased = await mawps("user", "erase", "u-3@example.com");
    expect([erased.exitCode, erased.stderr]).toEqual([0, ""]);
    const { exitCode, stderr, stdout } = await restore(hours(2), "without");
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toMatchObject({ erased: { rows: 0, accounts: 1, names: 1 } });
    expect(JSON.stringify(await users("without"))).not.toMatch(/u-3@|"name":"u-3"/);
    expect(await users("without")).toMatchObject([{ id: "u-1" }, { name: "married" }, { id: "u-3" }]);
  });

  it("ends before a statement that would reach the original, and leaves nothing", async () => {
    await at(hours(3.8), "USE others", "ALTER TABLE lopez.users ADD COLUMN aside INT");
    const [before, there] = [await users("lopez"), await databases()];
    const { exitCode, stderr } = await restore(hours(3.9), "never");
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("ALTER TABLE lopez.users")]);
    expect([await users("lopez"), await databases()]).toEqual([before, there]);
  });

  it("is made of no backup that was found damaged", async () => {
    const chosen = async () => {
      const { stdout } = await restore(hours(3.9), "chosen", "--dry-run");
      return (JSON.parse(stdout) as { backup: string }).backup;
    };
    const data = join(home.folder, "other", "backups", "data");
    const files = async () => {
      const found = await readdir(data, { recursive: true, withFileTypes: true });
      return found.flatMap((each) => (each.isFile() ? [join(each.parentPath, each.name)] : []));
    };
    const [sound, before] = [await chosen(), await files()];
    home.laterMs -= 3_600_000;
    expect((await mawps("backup", "create", "--with-secrets")).exitCode).toBe(0);
    home.laterMs += 3_600_000;
    const newer = await chosen();
    expect(newer > sound).toBe(true);
    for (const file of await files()) if (!before.includes(file)) await rm(file);
    expect((await mawps("backup", "verify", newer)).exitCode).toBe(4);
    expect(await chosen()).toBe(sound);
  });
});

describe("a statement of the binary log", () => {
  const event = (type: number, rest: Buffer) => {
    const header = Buffer.alloc(19);
    header[4] = type;
    header.writeUInt32LE(header.length + rest.length, 9);
    return Buffer.concat([header, rest]).toString("base64");
  };
  const rowsOf = (...names: readonly string[]) =>
    `BINLOG '\n${names
      .map((name) => `${event(19, Buffer.from(`12345678${String.fromCharCode(name.length)}${name}\0`))}\n`)
      .join("")}${event(30, Buffer.from("rows"))}\n'`;
  const run = (...statements: readonly string[]) => {
    const judge = replayed({ original: "lopez", scratch: "trial" });
    return statements.map((statement) => judge(statement)).at(-1);
  };

  it.each([
    ["rows of the database", [rowsOf("trial")]],
    [
      "a change of a table",
      ["use `trial`", "ALTER TABLE `users` ADD share DECIMAL(3,2) DEFAULT 0.5 /* a.b */"],
    ],
    ["the beginning of a transaction", ["START TRANSACTION"]],
    ["its end where the server was started anew", ["use `trial`", "ROLLBACK"]],
    ["a place in it", ["use `trial`", "SAVEPOINT `a`"]],
    ["its time", ["SET TIMESTAMP=1796079417.25"]],
    ["a change behind a comment", ["use `trial`", "/* an editor */ DROP TABLE users"]],
    ["a change in a comment", ["use `trial`", "/*!40000 ALTER TABLE users DISABLE KEYS */"]],
    ["a table by the name of what others make", ["use `trial`", "CREATE TABLE user (id INT)"]],
    ["a column by such a name", ["use `trial`", "ALTER TABLE `users` ADD COLUMN `role` INT"]],
    ["a table that is emptied", ["use `trial`", "truncate users"]],
  ])("is run: %s", (_what, statements) => {
    expect(run(...statements)).toBe(statements.at(-1));
  });

  it.each([
    ["rows", rowsOf("trial"), true],
    ["a change of a table", "ALTER TABLE `users` DROP share", true],
    ["the format of a log", `BINLOG '\n${event(15, Buffer.from("format"))}\n'`, false],
    ["the end of a transaction", "COMMIT", false],
    ["a time", "SET TIMESTAMP=1796079417.25", false],
  ])("is counted where it changes something: %s", (_what, statement, counts) => {
    expect(changesSomething(statement)).toBe(counts);
  });

  it.each([
    ["rows of another database", [rowsOf("others")]],
    ["another database", ["use `trial`", "CREATE DATABASE others"]],
    ["another database's table", ["use `others`", "DROP TABLE users"]],
    ["a view, which the model's file makes", ["use `trial`", "CREATE VIEW v AS SELECT * FROM lopez.users"]],
    ["a setting", ["SET @@session.sql_mode=1"]],
    ["a setting in a comment", ["/*M!100001 SET @@session.gtid_seq_no=2*/"]],
    [
      "a trigger",
      ["use `trial`", "CREATE DEFINER=`a b`@`%` TRIGGER t AFTER INSERT ON users FOR EACH ROW SET @a = 1"],
    ],
    ["a user", ["use `trial`", "GRANT ALL ON lopez.* TO 'x'"]],
  ])("is left out: %s", (_what, statements) => {
    expect(run(...statements)).toBeUndefined();
  });

  it.each([
    ["rows under the original's name", [rowsOf("lopez")]],
    ["rows of both", [rowsOf("trial", "others")]],
    ["rows without a table", [`BINLOG '\n${event(30, Buffer.from("rows"))}\n'`]],
    ["a table of the original", ["use `others`", "DROP TABLE `lopez` . `users`"]],
    [
      "a table elsewhere",
      ["use `trial`", "ALTER TABLE users ADD FOREIGN KEY (id) REFERENCES others.users (id)"],
    ],
    ["a statement instead of rows", ["use `trial`", "DELETE FROM users"]],
    ["the end of the database", ["use `trial`", "DROP DATABASE `trial`"]],
    ["a setting for a change", ["use `trial`", "SET STATEMENT lock_wait_timeout=1 FOR DROP TABLE users"]],
    [
      "a change of another one in a comment",
      ["use `trial`", "ALTER TABLE users /*!50000 RENAME others.users */"],
    ],
    ["something unheard of", ["use `trial`", "XA PREPARE 'x'"]],
  ])("is refused: %s", (_what, statements) => {
    expect(() => run(...statements)).toThrow("cannot be done again in another database");
  });

  it("is refused without its values", () => {
    expect(() => run("use `trial`", "UPDATE users SET email='max@example.com'")).toThrow(
      /: `UPDATE users SET email=''`$/,
    );
  });

  it("is taken whole, and refused where the log is older than the backup", async () => {
    async function* output() {
      yield Buffer.from(
        "/*!50530 SET x*/;\nDELIMITER /*!*/;\n# at 4\n#260301 12:00:00 server id 1  end_log_pos 99 \tXid\nCREATE TABLE a (\n# not a com",
      );
      yield Buffer.from("ment\n)/*!*/;\nCOMMIT/*!*/;\nDELIMITER ;\nROLLBACK;\n");
    }
    const all: string[] = [];
    for await (const statement of logStatements(output(), testStart)) all.push(statement);
    expect(all).toEqual(["CREATE TABLE a (\n# not a comment\n)", "COMMIT"]);
    await expect(logStatements(output(), new Date(testStart.getTime() + 1000)).next()).rejects.toThrow(
      "another one",
    );
  });
});
