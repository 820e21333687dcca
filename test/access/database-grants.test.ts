import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { databaseSites, onDatabase, type DatabaseSite } from "../support/database-sites.ts";
import { makeHome, type TestHome } from "../support/world.ts";

/** What goes, and how that is told. */
const losses = {
  mysql: ["ALTER TABLE lopez_it_welt.api_keys DROP FOREIGN KEY fk_api_keys_user_id"],
  postgres: ["DROP INDEX idx_file_deleted"],
};
const lost = {
  mysql: /key api_keys.fk_api_keys_user_id: is missing/,
  postgres: /index file_attachments.idx_file_deleted: missing/,
};

for (const site of databaseSites) {
  describe.skipIf(site.missing !== undefined)(`what ${site.engine} grants ${site.missing ?? ""}`, () => {
    onEngine(site);
  });
}

function onEngine({ model, engine, first, start }: DatabaseSite): void {
  let server: DatabaseServer | undefined;
  let home: TestHome;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.close());
  beforeEach(async () => {
    home = await makeHome();
  });
  afterEach(() => home.remove());

  const as = (user: string) => (server?.url(declared.name) ?? "").replace(/\/\/[^@]*@/, `//${user}@`);
  const declared = engine === "mysql" ? { name: "lopez_it_welt" } : { name: "crm" };
  const looking = (user: string, ...argv: string[]) =>
    home.run(argv, { env: { MAWPS_MODEL: model, MAWPS_DATABASE_URL: as(user) } });
  const run = async (user: string, ...argv: string[]) => {
    const { exitCode, stderr } = await looking(user, ...argv);
    return [argv, exitCode, stderr] as const;
  };
  const done = (...argv: string[]) => [argv, 0, expect.not.stringContaining("error:")] as const;
  const act = (statements: readonly string[]) =>
    onDatabase(server, engine === "mysql" ? first : declared.name, async (sql) => {
      for (const statement of statements) await sql.run(statement);
    });
  /** What the policy of a role says, as statements. */
  const policy = async (role: string) => {
    const { stdout } = await home.run(["access", "policy", role, "--model", model, "--sql"]);
    return stdout.split("\n").flatMap((line) => (/^[A-Z]/.test(line) ? [line.replace(/;$/, "")] : []));
  };
  /** An account that has what a role has, and nothing besides. */
  const member = (role: string, user: string) => {
    const name = `${model}_${role.replace("-", "_")}`;
    return engine === "mysql"
      ? [
          `CREATE USER '${user}'@'localhost'`,
          `GRANT ${name} TO '${user}'@'localhost'`,
          `SET DEFAULT ROLE ${name} FOR '${user}'@'localhost'`,
        ]
      : [`CREATE ROLE ${user} LOGIN CREATEDB`, `GRANT ${name} TO ${user}`];
  };

  test("is enough to set up and migrate for the owner, to back up and drill for the job, and to look for an admin", async () => {
    if (engine === "postgres")
      await onDatabase(server, first, (sql) => sql.run(`CREATE DATABASE ${declared.name}`));
    const owner = await policy("owner");
    // Of PostgreSQL a table has to be there before anything is granted on it.
    const isOfTable = (statement: string) => statement.includes(" ON public.");
    await act([...owner.filter((each) => !isOfTable(each)), ...member("owner", "keeper")]);
    const back = ["migrate", "down", "--no-backup-check", "--yes"];
    expect(await run("keeper", "setup", "--yes")).toEqual(done("setup", "--yes"));
    expect(await run("keeper", ...back)).toEqual(done(...back));
    expect(await run("keeper", "migrate", "up", "--yes")).toEqual(done("migrate", "up", "--yes"));
    await act([...(await policy("ci-backup")), ...member("ci-backup", "nightly")]);
    const backup = ["backup", "create", "--with-secrets"];
    expect(await run("nightly", ...backup)).toEqual(done(...backup));
    expect(await run("nightly", "backup", "drill")).toEqual(done("backup", "drill"));
    await act([...(await policy("admin")), ...member("admin", "daily")]);
    // Partitions of the coming years are no migration's.
    expect(await run("keeper", "setup", "--yes")).toEqual(done("setup", "--yes"));
    await act([...owner.filter(isOfTable), ...member("owner", "heir")]);
    for (const user of ["heir", "nightly", "daily"]) await expectAsDeclared(user);
    expect((await run("daily", ...back))[1]).toBe(1);
    await act(losses[engine]);
    const { exitCode, stdout } = await looking("daily", "doctor");
    expect([exitCode, stdout]).toEqual([4, expect.stringMatching(lost[engine])]);
  }, 120_000);

  test.runIf(engine === "mysql")(
    "is enough for the job of retention, which drops a partition",
    async () => {
      await act([...(await policy("ci-retention")), ...member("ci-retention", "weekly")]);
      await onDatabase(server, declared.name, async (sql) => {
        await sql.run(
          `ALTER TABLE system_logs REORGANIZE PARTITION p2025 INTO (PARTITION p2024 VALUES LESS THAN (UNIX_TIMESTAMP('2025-01-01 00:00:00')),
          PARTITION p2025 VALUES LESS THAN (UNIX_TIMESTAMP('2026-01-01 00:00:00')))`,
        );
        await sql.run(
          "INSERT INTO users (id, email, password_hash, name) VALUES ('u', 'u@example.com', 'h', 'U')",
        );
        await sql.run(
          "INSERT INTO ai_agents (id, name, type, model, config, created_by) VALUES ('a', 'A', 'chatbot', 'm', '{}', 'u')",
        );
        const old = "'2020-01-01 00:00:00'";
        for (const id of ["alone", "counted"])
          await sql.run(
            `INSERT INTO chat_sessions (id, user_id, agent_id, created_at, updated_at) VALUES ('${id}', 'u', 'a', ${old}, ${old})`,
          );
        await sql.run("INSERT INTO session_analytics (id, session_id) VALUES ('figures', 'counted')");
        await sql.run(
          `INSERT INTO login_attempts (id, email, ip_address, success, created_at) VALUES ('l', 'a@example.com', '::1', 1, ${old})`,
        );
        for (const [id, day] of Object.entries({ old: "2024-05-01", young: "2026-02-01" }))
          await sql.run(
            `INSERT INTO system_logs (id, level, category, message, created_at) VALUES ('${id}', 'info', 'c', 'm', '${day} 00:00:00')`,
          );
      });
      const { exitCode, stdout, stderr } = await looking("weekly", "retention", "run", "--yes", "--json");
      expect([exitCode, JSON.parse(stdout), stderr]).toMatchObject([0, { done: 3, failed: [] }, ""]);
      await onDatabase(server, declared.name, async (sql) => {
        const left = await sql.rows(
          `SELECT id FROM system_logs UNION ALL SELECT id FROM login_attempts UNION ALL SELECT id FROM chat_sessions
         UNION ALL SELECT id FROM session_analytics
         UNION ALL SELECT PARTITION_NAME FROM information_schema.PARTITIONS WHERE PARTITION_NAME = 'p2024'`,
        );
        expect(left.map(({ id }) => id)).toEqual(["young", "counted", "figures"]);
      });
      for (const statement of [
        "DROP TABLE users",
        "DELETE FROM users",
        "SELECT id FROM users",
        "CREATE TABLE own (id int)",
      ])
        await expect(
          onDatabase({ url: () => as("weekly") }, declared.name, (sql) => sql.run(statement)),
        ).rejects.toThrow("the user may not do that");
      // Whoever sees no foreign key would delete the figures along with their chat.
      await act(["REVOKE REFERENCES ON `lopez\\_it\\_welt`.* FROM lopez_ci_retention"]);
      const blind = await looking("weekly", "retention", "plan");
      expect([blind.exitCode, blind.stderr]).toEqual([
        1,
        expect.stringContaining("are not shown to this account"),
      ]);
    },
    60_000,
  );

  /** What somebody else has made in the database is right, or not shown, and never told as missing or different. */
  const expectAsDeclared = async (user: string) => {
    const doctor = await looking(user, "doctor");
    expect([user, doctor.exitCode, doctor.stdout]).toEqual([user, 0, expect.not.stringContaining("missing")]);
    const setup = await looking(user, "setup", "--dry-run");
    expect([user, setup.exitCode, setup.stdout]).toEqual([user, 0, expect.stringContaining("nothing to do")]);
    expect(setup.stdout).not.toMatch(/^ *[+!] /m);
    const check = await looking(user, "model", "check", "--live");
    expect([user, check.exitCode]).toEqual([user, 0]);
    const status = await looking(user, "migrate", "status");
    expect([user, status.exitCode, status.stdout]).toEqual([user, 0, expect.not.stringContaining("pending")]);
  };
}
