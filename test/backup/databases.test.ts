import { execFile } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { readManifest } from "../../src/backup/snapshots.ts";
import { shippedSchemas } from "../../src/model/shipped.ts";
import type { Row } from "../../src/sql/connection.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { databasesOn, databaseSites, onDatabase, type DatabaseSite } from "../support/database-sites.ts";
import { forgeBackup } from "../support/forged-backup.ts";
import { beforeStatements } from "../support/statement-hook.ts";
import { makeHome, type TestHome } from "../support/world.ts";
import { testDyingServer } from "./database-crash.ts";

const run = promisify(execFile);
const customer = "11111111-1111-4111-8111-111111111111";
const file = "22222222-2222-4222-8222-222222222222";

/** Rows with all that is easily lost on the way, and a child that comes before its parent by its name. */
const worlds = {
  lopez: {
    rows: [
      `INSERT INTO users (id, email, password_hash, name, encrypted_data, created_at) VALUES
        ('u-1', 'max@example.com', 'x', 'Jürgen 🙂 "quoted" \\\\ back', X'00FF0A27', '2026-03-29 02:30:00'),
        ('u-2', 'eva@example.com', 'y', '', NULL, '2026-10-25 02:30:00')`,
      `INSERT INTO ai_agents (id, name, type, model, config, created_by)
        VALUES ('a-1', 'null', 'chatbot', 'm', '{"a": [1, "ü", null]}', 'u-1')`,
      "INSERT INTO chat_sessions (id, user_id, agent_id) VALUES ('s-1', 'u-1', 'a-1')",
      `INSERT INTO chat_messages (id, session_id, content, type) VALUES ('m-1', 's-1', 'line one
line two\t', 'user')`,
      "INSERT INTO session_analytics (id, session_id, satisfaction_score) VALUES ('x-1', 's-1', 4.50)",
      `INSERT INTO system_logs (id, level, category, message, created_at)
        VALUES ('l-1', 'info', 'c', 'm', '2026-06-01 00:00:00'), ('l-2', 'info', 'c', 'm', '2031-06-01 00:00:00')`,
    ],
    changed: "UPDATE users SET name = 'changed' WHERE id = 'u-2'",
    removed: ["DELETE FROM chat_messages", "DELETE FROM session_analytics"],
    added: "INSERT INTO users (id, email, password_hash, name) VALUES ('u-9', 'new@example.com', 'z', 'n')",
    tables: ["users", "ai_agents", "chat_sessions", "chat_messages", "session_analytics", "system_logs"],
    isSecret: true,
    secret: "users.password_hash in database lopez",
    missing: 2,
    several: [
      "UPDATE users SET name = 'one' WHERE id <> 'u-2'",
      "UPDATE users SET email = 'other@example.com' WHERE id = 'u-2'",
      "INSERT INTO users (id, email, password_hash, name) VALUES ('u-9', 'eva@example.com', 'z', 'n')",
    ],
    meanwhile: "UPDATE users SET name = 'two' WHERE id = 'deleted-user'",
    overwritten: "SELECT name AS text FROM users WHERE id IN ('u-1', 'u-2', 'deleted-user') ORDER BY id",
    stays: ["two", 'Jürgen 🙂 "quoted" \\ back', ""],
    refused: "users u-2",
  },
  fc024: {
    rows: [
      `INSERT INTO customers (id, name, email) VALUES ('${customer}', 'Jürgen 🙂 "quoted" \\ back', NULL)`,
      `INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, customer_id, uploaded_by, uploaded_at, tags) VALUES
        ('${file}', 'null', 'customers/${customer}/a/b.pdf', 'application/pdf', 9007199254740993, '${customer}',
         '00000000-0000-4000-8000-000000000000', '2026-03-29 02:30:00.123456+02', '{"a": [1, "ü", null]}'),
        ('${customer}', 'two', 'customers/${customer}/a/two.pdf', 'application/pdf', 1, '${customer}',
         '00000000-0000-4000-8000-000000000000', '2026-10-25 02:30:00+01', NULL)`,
    ],
    changed: `UPDATE customers SET name = 'changed' WHERE id = '${customer}'`,
    removed: [`DELETE FROM file_attachments WHERE id = '${file}'`],
    added: "INSERT INTO customers (id, name) VALUES ('33333333-3333-4333-8333-333333333333', 'n')",
    tables: ["users", "customers", "file_attachments"],
    isSecret: false,
    secret: "",
    missing: 1,
    several: [
      `UPDATE file_attachments SET file_name = 'one' WHERE id = '${file}'`,
      "UPDATE users SET name = 'one'",
      `UPDATE file_attachments SET s3_key = 'other' WHERE id = '${customer}'`,
      `INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, customer_id, uploaded_by)
        SELECT '44444444-4444-4444-8444-444444444444', 'n', 'customers/${customer}/a/two.pdf', 'a/b', 1, customer_id, uploaded_by FROM file_attachments WHERE id = '${file}'`,
    ],
    meanwhile: "UPDATE users SET name = 'two'",
    overwritten: `SELECT name AS text FROM users UNION ALL SELECT file_name FROM file_attachments WHERE id = '${file}'
      UNION ALL SELECT s3_key FROM file_attachments WHERE id = '${customer}'`,
    stays: ["two", "null", "other"],
    refused: `file_attachments ${customer}`,
  },
};

for (const site of databaseSites) {
  describe.skipIf(site.missing !== undefined)(`a backup of ${site.model} ${site.missing ?? ""}`, () => {
    ofModel(site);
  });
}

function ofModel(site: DatabaseSite): void {
  const { model } = site;
  const world = worlds[model];
  let server: DatabaseServer | undefined;
  let home: TestHome;
  let before: Row[][];

  const mawps = (argv: readonly string[], url?: string) => shown([...argv, "--json"], url);
  const shown = (argv: readonly string[], url = server?.url(model) ?? "") =>
    home.run(argv, {
      env: {
        MAWPS_HOME: join(home.folder, "other"),
        MAWPS_MODEL: model,
        MAWPS_DATABASE_URL: url,
        MAWPS_YES: "1",
      },
    });
  const repository = () => join(home.folder, "other", "backups");
  const stateOf = (database: string) =>
    onDatabase(server, database, async (sql) => {
      const all: Row[][] = [];
      for (const table of world.tables) all.push([...(await sql.rows(`SELECT * FROM ${table} ORDER BY 1`))]);
      return all;
    });
  const on = (database: string, ...statements: readonly string[]) =>
    onDatabase(server, database, async (sql) => {
      for (const statement of statements) await sql.run(statement);
    });

  beforeAll(async () => {
    [server, home] = await Promise.all([site.start(), makeHome()]);
    const setup = await mawps(["setup"]);
    if (setup.exitCode !== 0) throw new Error(setup.stderr);
    await on(model, ...world.rows);
    before = await stateOf(model);
    const created = await mawps(["backup", "create", "--with-secrets"]);
    if (created.exitCode !== 0) throw new Error(created.stderr);
  });
  afterAll(async () => {
    await server?.close();
    await home.remove();
  });

  test("is whole, says what it holds, and stands a drill that leaves nothing", async () => {
    const databases = await databasesOn(server, site);
    const verified = await mawps(["backup", "verify", "--all"]);
    expect([verified.exitCode, verified.stderr]).toEqual([0, ""]);
    const held = JSON.parse((await mawps(["backup", "show"])).stdout) as { databases: { rows: number }[] };
    const count = before.flat().length;
    expect(held.databases.map(({ rows }) => rows)).toEqual([count]);
    expect((await shown(["backup", "verify"])).stdout).toContain(`, 0 accounts, ${count} rows\n`);
    const [heading = "", row = ""] = (await shown(["backup", "list"])).stdout.split("\n");
    expect(row.slice(0, heading.indexOf("ROWS") + 4)).toMatch(new RegExp(` ${count}$`));
    const drilled = await mawps(["backup", "drill"]);
    expect([drilled.exitCode, JSON.parse(drilled.stdout)]).toEqual([
      0,
      expect.objectContaining({ outcome: "ok", rows: before.flat().length, faultCount: 0 }),
    ]);
    expect(await databasesOn(server, site)).toEqual(databases);
  });

  test("comes back into a database that is lost, and beside the one that is there", async () => {
    const restored = await mawps(["backup", "restore"], server?.url("lost"));
    expect([restored.exitCode, restored.stderr]).toEqual([0, ""]);
    expect(await stateOf("lost")).toEqual(before);
    const beside = await mawps(["backup", "restore", "--into-prefix", "test-", "--only", "databases"]);
    expect([beside.exitCode, beside.stderr]).toEqual([0, ""]);
    expect(await stateOf(`test-${model}`)).toEqual(before);
    const again = await mawps(["backup", "restore"], server?.url("lost"));
    expect(again.exitCode).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ written: {}, databases: [{ create: 0, conflict: 0 }] });
  });

  test("brings back what is missing, leaves what differs, and overwrites it when told so", async () => {
    const url = server?.url("changed");
    await mawps(["backup", "restore"], url);
    await on("changed", world.changed, ...world.removed, world.added);
    const added = (await stateOf("changed")).flat().length - before.flat().length + world.missing;
    expect(added).toBe(1);
    const strict = await mawps(["backup", "restore", "--on-conflict", "fail"], url);
    expect([strict.exitCode, strict.stderr]).toEqual([1, expect.stringContaining("nothing was changed")]);
    const restored = await mawps(["backup", "restore"], url);
    expect([restored.exitCode, restored.stderr]).toEqual([0, ""]);
    expect(JSON.parse(restored.stdout)).toMatchObject({
      databases: [{ create: world.missing, conflict: 1 }],
    });
    expect((await stateOf("changed")).flat()).toHaveLength(before.flat().length + 1);
    const replaced = await mawps(["backup", "restore", "--on-conflict", "replace"], url);
    expect([replaced.exitCode, replaced.stderr]).toEqual([0, ""]);
    const after = (await stateOf("changed")).flat();
    expect(after).toEqual(expect.arrayContaining(before.flat()));
    expect(after).toHaveLength(before.flat().length + 1);
  });

  test("overwrites the rows beside one that the server refuses, and beside one that somebody changes meanwhile", async () => {
    const url = server?.url("several");
    await mawps(["backup", "restore"], url);
    await on("several", ...world.several);
    const end = beforeStatements(/^SELECT .* FROM .users. .*FOR UPDATE/s, () =>
      on("several", world.meanwhile),
    );
    const replaced = await mawps(["backup", "restore", "--on-conflict", "replace"], url).finally(end);
    expect([replaced.exitCode, JSON.parse(replaced.stdout)]).toMatchObject([3, { written: { rows: 1 } }]);
    expect(replaced.stderr).toMatch(new RegExp(`${world.refused}: the database refused it`));
    expect(replaced.stderr).toMatch(/users \S+: was changed by somebody else meanwhile/);
    const texts = await onDatabase(server, "several", (sql) => sql.rows(world.overwritten));
    expect(texts.map(({ text }) => text)).toEqual(world.stays);
  });

  test("differs from a later one by the rows that do", async () => {
    const [first = ""] = (await readdir(join(repository(), "snapshots"))).sort();
    const url = server?.url("later");
    await mawps(["backup", "restore", first], url);
    await on("later", world.changed, ...world.removed, world.added);
    const created = await mawps(["backup", "create", "--with-secrets"], url);
    const { id } = JSON.parse(created.stdout) as { id: string };
    const diff = await mawps(["backup", "diff", first, id]);
    const rows = diff.stdout.split("\n").flatMap((line) => {
      const { what, change } = JSON.parse(line === "" ? "{}" : line) as Record<string, string>;
      return what === "row" ? [change] : [];
    });
    const removed = Array<string>(world.missing).fill("removed");
    expect(rows).toHaveLength(2 + removed.length);
    expect(rows).toEqual(expect.arrayContaining(["added", "changed", ...removed]));
  });

  test("comes back with a shell and the client of the server alone", async () => {
    const [first = ""] = (await readdir(join(repository(), "snapshots"))).sort();
    const page = await readFile(join(repository(), "snapshots", first, "RECOVERY.md"), "utf8");
    const section = page.slice(page.indexOf(`## Database ${model}`), page.indexOf("At the end:"));
    const script = section.replaceAll(/^(?! {4}).*$/gm, "").replaceAll(model, "by_hand");
    const socket = new URL(server?.url("x") ?? "").searchParams.get("socket") ?? "";
    await writeFile(join(home.folder, ".my.cnf"), `[client]\nuser=root\nsocket=${socket}\n`);
    await run("bash", ["-euo", "pipefail", "-c", script], {
      cwd: repository(),
      env: { ...process.env, HOME: home.folder, PGHOST: socket, PGUSER: "tester" },
    });
    expect(await stateOf("by_hand")).toEqual(before);
  });

  test("is refused where what is secret would lie open", async () => {
    const names = await readdir(join(repository(), "snapshots"));
    const open = await mawps(["backup", "create", "--dry-run"]);
    expect([open.exitCode, open.stderr]).toEqual([
      world.isSecret ? 1 : 0,
      expect.stringContaining(world.secret),
    ]);
    expect(await readdir(join(repository(), "snapshots"))).toEqual(names);
    const without = await mawps(["backup", "create", "--only", "tables"], "");
    expect([without.exitCode, JSON.parse(without.stdout)]).toEqual([
      0,
      expect.objectContaining({
        left: expect.arrayContaining([expect.stringContaining("database ")]) as unknown,
      }),
    ]);
  });

  // Of PostgreSQL the local store has one of its own.
  test.skipIf(model === "fc024")("is refused where the server is not named", async () => {
    const names = await readdir(join(repository(), "snapshots"));
    const unnamed = await mawps(["backup", "create", "--with-secrets"], "");
    expect([unnamed.exitCode, unnamed.stderr]).toEqual([2, expect.stringContaining("MAWPS_DATABASE_URL")]);
    expect(await readdir(join(repository(), "snapshots"))).toEqual(names);
  });

  describe("whose schema somebody else has written", () => {
    let [first, forged] = ["", ""];
    beforeAll(async () => {
      [first = ""] = (await readdir(join(repository(), "snapshots"))).sort();
      forged = `${first.slice(0, -6)}ffffff`;
    });
    afterEach(() => rm(join(repository(), "snapshots", forged), { recursive: true }));
    const forge = (schema: (text: string) => { readonly text: string; readonly isLost: boolean }) =>
      forgeBackup(
        home,
        forged,
        async (_newest, { repository: open }) => {
          const whole = await readManifest(open, first);
          const { text, isLost } = schema((await shippedSchemas[`${model}.sql`]?.()) ?? "");
          const { sha256, bytes } = isLost
            ? { sha256: "0".repeat(64), bytes: text.length }
            : await open.putContent(Buffer.from(text));
          const databases = whole.databases?.map((each) => ({ ...each, file: { sha256, bytes } })) ?? [];
          return { ...whole, databases };
        },
        repository(),
      );

    test.each([
      ["DROP TABLE users;", "DROP TABLE, which neither makes anything nor inserts rows"],
      ["CREATE TABLE more (id int) \\! touch x\n;", "a command of the server's client"],
    ])("is refused before anything was changed, with the kind of what is foreign: %j", async (more, kind) => {
      await forge((text) => ({ text: `${text}\n${more}`, isLost: false }));
      const databases = await databasesOn(server, site);
      const told = `the schema of database ${model} in backup ${forged} has ${kind}`;
      const refused = { exitCode: 4, stderr: expect.stringContaining(told) as unknown, stdout: "" };
      expect(await mawps(["backup", "restore", forged], server?.url("hostile"))).toEqual(refused);
      expect(await mawps(["backup", "restore", forged, "--on-conflict", "replace"])).toEqual(refused);
      expect(await mawps(["backup", "diff", first, forged])).toEqual(refused);
      const drilled = await mawps(["backup", "drill", forged]);
      expect([drilled.exitCode, JSON.parse(drilled.stdout)]).toEqual([
        4,
        expect.objectContaining({ faults: [{ what: expect.anything(), why: refused.stderr }] }),
      ]);
      const verified = await mawps(["backup", "verify", forged]);
      expect([verified.exitCode, JSON.parse(verified.stdout)]).toEqual([
        4,
        expect.objectContaining({ faults: [refused.stderr] }),
      ]);
      expect(await databasesOn(server, site)).toEqual(databases);
      expect(await stateOf(model)).toEqual(before);
    });

    test("still gives its rows where that is lost, and verify tells of it", async () => {
      await forge((text) => ({ text, isLost: true }));
      const verified = await mawps(["backup", "verify", forged]);
      expect([verified.exitCode, verified.stdout]).toEqual([
        4,
        expect.stringContaining("nothing tells the tables without mawps"),
      ]);
      const restored = await mawps(["backup", "restore", forged], server?.url("schemaless"));
      expect([restored.exitCode, restored.stderr]).toEqual([0, ""]);
    });
  });

  test.runIf(model === "fc024")("has the rows of a partition that is detached as it begins", async () => {
    await on(
      model,
      "CREATE TABLE visits (id int) PARTITION BY RANGE (id)",
      "CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (0) TO (10)",
      "INSERT INTO visits VALUES (1), (2)",
      "CREATE TABLE brief (id int)",
    );
    const changes = ["ALTER TABLE visits DETACH PARTITION visits_1", "DROP TABLE brief"];
    const end = beforeStatements(/^LOCK TABLE/, () => {
      const change = changes.shift();
      return change === undefined ? undefined : on(model, change);
    });
    try {
      const created = await mawps(["backup", "create", "--only", "databases"]).finally(end);
      expect([created.exitCode, created.stderr, changes]).toEqual([0, expect.anything(), []]);
      const { id } = JSON.parse(created.stdout) as { id: string };
      const shown = JSON.parse((await mawps(["backup", "show", id])).stdout) as {
        databases: { rows: number }[];
      };
      expect(shown.databases.map(({ rows }) => rows)).toEqual([before.flat().length + 2]);
    } finally {
      await on(model, "DROP TABLE visits, visits_1");
    }
  });

  describe("and a server that dies:", () => {
    testDyingServer(site, { server: () => server, mawps, repository, stateOf, before: () => before });
  });
}
