import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { onDatabase, type DatabaseSite } from "../support/database-sites.ts";
import { modelSite } from "../support/model-site.ts";
import { makeHome, type TestHome } from "../support/world.ts";
import { dayMs, lines } from "./stored.ts";

/** A name that ends a text, and more, wherever it is not a value. */
const hostile = "x'; DROP TABLE users; -- \\\" `";
const literal = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;

const erased = "00000000-0000-4000-8000-000000000000";
const customer = "11111111-1111-4111-8111-111111111111";
const other = "22222222-2222-4222-8222-222222222222";
const uuid = (number: number) => `33333333-3333-4333-8333-${String(number).padStart(12, "0")}`;

/** What is stored when the clock stands at 10 April 2026, what is due of it, and what somebody else changes in between. */
const worlds = {
  lopez: {
    rows: [
      `INSERT INTO users (id, email, password_hash, name) VALUES ('u-1', 'max@example.com', 'hash-9', 'Max')`,
      `INSERT INTO refresh_tokens (id, user_id, token, expires_at) VALUES
        (${literal(hostile)}, 'u-1', 'token-secret', '2026-04-01 00:00:00'), ('t-longer', 'u-1', 'x', '2026-04-01 00:00:00'),
        ('t-alive', 'u-1', 'x', '2026-04-11 00:00:00')`,
      `INSERT INTO password_reset_tokens (id, user_id, token, expires_at) VALUES
        ('p-over', 'u-1', 'token-secret', '2026-04-10 00:00:00'), ('p-alive', 'u-1', 'x', '2026-05-01 00:00:00')`,
      `INSERT INTO login_attempts (id, email, ip_address, success, created_at) VALUES
        ('l-old', ${literal(hostile)}, '::1', FALSE, '2026-01-01 00:00:00'), ('l-raced', 'max@example.com', '::1', TRUE, '2026-01-01 00:00:00'),
        ('l-young', 'max@example.com', '::1', TRUE, '2026-01-20 00:00:00')`,
      `INSERT INTO api_keys (id, user_id, name, key_hash, is_active, expires_at, updated_at) VALUES
        ('k-over', 'u-1', 'n', 'token-secret', TRUE, '2026-04-01 00:00:00', '2026-04-01 00:00:00'),
        ('k-revoked', 'u-1', 'n', 'x', FALSE, NULL, '2026-03-01 00:00:00'), ('k-revoked-lately', 'u-1', 'n', 'x', FALSE, NULL, '2026-04-01 00:00:00'),
        ('k-alive', 'u-1', 'n', 'x', TRUE, NULL, '2020-01-01 00:00:00')`,
      `INSERT INTO system_logs (id, level, category, message, created_at) VALUES
        ('s-old', 'info', 'c', 'm', '2025-01-01 00:00:00'), ('s-old', 'info', 'c', 'm', '2026-01-01 00:00:00')`,
      `INSERT INTO ai_agents (id, name, type, model, config, created_by) VALUES ('a-1', 'n', 'chatbot', 'm', '{}', 'u-1')`,
      `INSERT INTO chat_sessions (id, user_id, agent_id, updated_at) VALUES ('c-1', 'u-1', 'a-1', '2023-01-01 00:00:00'),
        ('c-figures', 'u-1', 'a-1', '2023-01-01 00:00:00'), ('c-last', 'u-1', 'a-1', '2023-01-01 00:00:00'),
        ('c-bare', 'u-1', 'a-1', '2023-01-01 00:00:00'), ('c-talk', 'u-1', 'a-1', '2023-01-01 00:00:00'), ('c-young', 'u-1', 'a-1', '2026-01-01 00:00:00')`,
      `INSERT INTO session_analytics (id, session_id) VALUES ('x-1', 'c-figures')`,
      "INSERT INTO chat_messages (id, session_id, content, type, created_at) VALUES ('m-last', 'c-last', 't', 'user', '2023-01-01 00:00:00')",
      `INSERT INTO audit_logs (id, table_name, record_id, action, created_at) VALUES
        ('g-old', 'users', 'u-1', 'UPDATE', '2019-01-01 00:00:00'), ('g-young', 'users', 'u-1', 'UPDATE', '2020-01-01 00:00:00')`,
      `INSERT INTO chat_messages (id, session_id, content, type, created_at) VALUES
        ${Array.from({ length: 250 }, (_, at) => `('m-${at}', 'c-1', 'secret text', 'user', '2023-01-01 00:00:00')`).join(", ")},
        ('m-young', 'c-1', 'secret text', 'user', '2026-01-01 00:00:00')`,
      `INSERT INTO subscriptions (id, user_id, plan_type, amount, starts_at, ends_at) VALUES
        ('b-old', 'u-1', 'free', 1, '2010-01-01 00:00:00', '2011-01-01 00:00:00'), ('b-open', 'u-1', 'free', 1, '2010-01-01 00:00:00', NULL)`,
    ],
    files: [],
    due: {
      "refresh-tokens purge": 2,
      "password-reset-tokens purge": 1,
      "login-attempts purge": 2,
      "expired-api-keys purge": 1,
      "revoked-api-keys purge": 1,
      "chat-sessions purge": 2,
      "chat-messages purge": 251,
      "site-audit-entries purge": 1,
      "ended-subscriptions purge": 1,
    },
    kept: [],
    withoutFile: [],
    afterPlan: [
      "UPDATE refresh_tokens SET expires_at = '2026-05-01 00:00:00' WHERE id = 't-longer'",
      "INSERT INTO chat_messages (id, session_id, content, type, created_at) VALUES ('m-talk', 'c-talk', 't', 'user', '2026-04-01 00:00:00')",
    ],
    skipped: { id: "t-longer" },
    raceRule: "login-attempts",
    race: "UPDATE login_attempts SET created_at = '2026-04-01 00:00:00' WHERE id = 'l-raced'",
    failed: [
      { item: { id: "c-talk" }, why: "something that stays refers to it" },
      { item: { id: "l-raced" }, why: "it was changed at the same time" },
    ],
    done: 259,
    // Of which the last message has gone.
    again: 1,
    left: {
      refresh_tokens: ["t-alive", "t-longer"],
      password_reset_tokens: ["p-alive"],
      login_attempts: ["l-raced", "l-young"],
      api_keys: ["k-alive", "k-revoked-lately"],
      // Until all of 2025 is past.
      system_logs: ["s-old", "s-old"],
      chat_messages: ["m-talk", "m-young"],
      chat_sessions: ["c-1", "c-figures", "c-last", "c-talk", "c-young"],
      audit_logs: ["g-young"],
      session_analytics: ["x-1"],
      subscriptions: ["b-open"],
      users: ["deleted-user", "u-1"],
    },
    filesLeft: [] as string[],
    referring: {
      table:
        "CREATE TABLE referring (id INT PRIMARY KEY, message_id VARCHAR(36), FOREIGN KEY (message_id) REFERENCES chat_messages (id))",
      rows: [
        "INSERT INTO chat_messages (id, session_id, content, type, created_at) VALUES ('m-free', 'c-1', 't', 'user', '2023-01-01 00:00:00'), ('m-held', 'c-1', 't', 'user', '2023-01-01 00:00:00')",
        "ALTER TABLE chat_messages ADD legal_hold VARCHAR(20)",
        "INSERT INTO chat_messages (id, session_id, content, type, created_at, legal_hold) VALUES ('m-lawsuit', 'c-1', 't', 'user', '2023-01-01 00:00:00', 'case 7')",
        "INSERT INTO referring (id, message_id) VALUES (1, 'm-held')",
      ],
      column: "chat_messages",
      left: ["m-held", "m-lawsuit", "m-talk", "m-young"],
      cascade:
        "CREATE TABLE following (id INT PRIMARY KEY, message_id VARCHAR(36), FOREIGN KEY (message_id) REFERENCES chat_messages (id) ON DELETE CASCADE)",
      drop: "DROP TABLE following",
    },
    held: {
      given: "u-held",
      rows: [
        "INSERT INTO users (id, email, password_hash, name) VALUES ('u-held', 'held@example.com', 'hash-9', 'Eva')",
        "INSERT INTO chat_sessions (id, user_id, agent_id) VALUES ('c-held', 'u-held', 'a-1'), ('c-free', 'u-1', 'a-1')",
        `INSERT INTO chat_messages (id, session_id, content, type, created_at)
         SELECT CONCAT('h-', seq), 'c-held', 't', 'user', '2023-01-01 00:00:00' FROM seq_1_to_2000 UNION ALL SELECT 'h-free', 'c-free', 't', 'user', '2023-01-01 00:00:00'`,
      ],
      left: "SELECT session_id AS whose, COUNT(*) AS rows_left FROM chat_messages WHERE session_id IN ('c-held', 'c-free') GROUP BY session_id",
      whose: "c-held",
    },
  },
  fc024: {
    rows: [
      `INSERT INTO customers (id, name) VALUES ('${customer}', 'Max'), ('${other}', 'Eva')`,
      `INSERT INTO opportunities (id, customer_id, name) VALUES ('${other}', '${customer}', 'o')`,
      `INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, status, scan_result, customer_id, opportunity_id, uploaded_by, uploaded_at, deleted_at) VALUES
        ${[
          [1, `customers/${customer}/a/${hostile}`, "DELETED", "2026-03-01 12:00:00+00"],
          [2, `customers/${customer}/a/lately`, "DELETED", "2026-03-20 00:00:00+00"],
          [3, `customers/${customer}/a/restored`, "DELETED", "2026-03-01 12:00:00+00"],
          [4, `customers/${other}/a/others`, "DELETED", "2026-03-01 12:00:00+00"],
          [5, `customers/${customer}/a/never`, "DELETED", null],
          [6, `customers/${customer}/a/ready`, "READY", null],
          [7, `customers/${customer}/a/half`, "UPLOADING", null],
          [8, `opportunities/${other}/a/deal`, "DELETED", "2026-03-01 12:00:00+00"],
          [9, `opportunities/${customer}/a/no-deal`, "DELETED", "2026-03-01 12:00:00+00"],
          [10, `customers/${customer}/a/raced`, "DELETED", "2026-03-01 12:00:00+00"],
          [12, `customers/${customer}/a/gone`, "DELETED", "2026-03-01 12:00:00+00"],
        ]
          .map(([id, key, status, deletedAt]) => {
            const deleted = deletedAt === null ? "NULL" : `'${String(deletedAt)}'`;
            const at = `'${customer}', '${other}', '${erased}', '2026-03-01 12:00:00+00'`;
            return `('${uuid(Number(id))}', 'n', E${literal(String(key))}, 'application/pdf', 1, '${String(status)}', 'CLEAN', ${at}, ${deleted})`;
          })
          .join(", ")}`,
    ],
    files: [
      ...[hostile, "lately", "restored", "never", "ready", "half", "raced"].map(
        (name) => `customers/${customer}/a/${name}`,
      ),
      `customers/${customer}/a/${uuid(5)}`,
      `customers/${other}/a/others`,
      `opportunities/${other}/a/deal`,
      `opportunities/${customer}/a/no-deal`,
    ],
    due: {
      "deleted-documents purge": 5,
      "deleted-documents keep": 3,
      "half-done-uploads purge": 1,
    },
    kept: [4, 5, 9].map(uuid),
    withoutFile: [uuid(12)],
    afterPlan: [`UPDATE file_attachments SET status = 'READY', deleted_at = NULL WHERE id = '${uuid(3)}'`],
    skipped: { id: uuid(3) },
    raceRule: "deleted-documents",
    race: `UPDATE file_attachments SET deleted_at = '2026-04-01 00:00:00+00' WHERE id = '${uuid(10)}'`,
    failed: [{ item: { id: uuid(10) }, why: "it was changed at the same time" }],
    done: 4,
    again: 0,
    left: {
      file_attachments: [2, 3, 4, 5, 6, 9, 10].map(uuid),
      customers: [customer, other],
      opportunities: [other],
    },
    filesLeft: [
      ...["lately", "restored", "never", "ready", "raced"].map((name) => `customers/${customer}/a/${name}`),
      `customers/${customer}/a/${uuid(5)}`,
      `customers/${other}/a/others`,
      `opportunities/${customer}/a/no-deal`,
    ],
    referring: {
      table:
        "CREATE TABLE referring (id int PRIMARY KEY, file uuid REFERENCES file_attachments (id) DEFERRABLE INITIALLY DEFERRED)",
      rows: [
        `UPDATE file_attachments SET status = 'DELETED', deleted_at = '2026-03-01 00:00:00+00', s3_key = 'customers/${customer}/a/' || id WHERE id IN ('${uuid(5)}', '${uuid(6)}')`,
        "ALTER TABLE file_attachments ADD legal_hold text",
        `UPDATE file_attachments SET deleted_at = '2026-03-01 00:00:00+00', legal_hold = 'case 7' WHERE id = '${uuid(10)}'`,
        `INSERT INTO referring (id, file) VALUES (1, '${uuid(5)}')`,
        // A row without an owner names the file of somebody.
        `INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, status, scan_result, customer_id, opportunity_id, uploaded_by, uploaded_at, deleted_at)
         VALUES ('${uuid(11)}', 'n', 'customers/${customer}/a/ready', 'application/pdf', 1, 'DELETED', 'CLEAN', NULL, '${other}', '${erased}', '2026-03-01 12:00:00+00', '2026-03-01 12:00:00+00')`,
      ],
      column: "file_attachments",
      left: [2, 3, 4, 5, 9, 10, 11].map(uuid),
      cascade:
        "CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.following (id int PRIMARY KEY, file uuid REFERENCES file_attachments (id) ON DELETE CASCADE)",
      drop: "DROP SCHEMA elsewhere CASCADE",
    },
    held: {
      given: customer,
      rows: [
        `INSERT INTO opportunities (id, customer_id, name) VALUES ('${uuid(101)}', '${customer}', 'held'), ('${uuid(102)}', '${other}', 'free')`,
        `INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, status, scan_result, opportunity_id, uploaded_by, uploaded_at, deleted_at)
         SELECT ('44444444-4444-4444-8444-' || lpad(n::text, 12, '0'))::uuid, 'n', 'opportunities/' || whose || '/a/' || n, 'application/pdf', 1, 'DELETED', 'CLEAN',
           whose::uuid, '${erased}', '2026-03-01 12:00:00+00', '2026-03-01 12:00:00+00'
         FROM (SELECT n, CASE WHEN n = 2001 THEN '${uuid(102)}' ELSE '${uuid(101)}' END AS whose FROM generate_series(1, 2001) AS n) AS made`,
      ],
      left: `SELECT opportunity_id AS whose, COUNT(*) AS rows_left FROM file_attachments WHERE opportunity_id IN ('${uuid(101)}', '${uuid(102)}') GROUP BY opportunity_id`,
      whose: uuid(101),
    },
  },
};

function total(counts: Readonly<Record<string, number>>, which: RegExp): number {
  return Object.entries(counts).reduce((sum, [name, count]) => (which.test(name) ? sum + count : sum), 0);
}

/** The tests of retention in a database of a server that runs. */
export function testRetention({ model }: DatabaseSite, serverNow: () => DatabaseServer | undefined): void {
  const world = worlds[model];
  const bucket = model === "fc024" ? "fc024-attachments" : "lopez-mawps-trail";
  let home: TestHome;
  const site = (env: Record<string, string> = {}) =>
    modelSite(home, model, {
      MAWPS_HOME: join(home.folder, "other"),
      MAWPS_DATABASE_URL: serverNow()?.url("kept") ?? "",
      ...env,
    });
  const on = (...statements: readonly string[]) =>
    onDatabase(serverNow(), "kept", async (sql) => {
      for (const statement of statements) await sql.run(statement);
    });
  const idsOf = (table: string) =>
    onDatabase(serverNow(), "kept", async (sql) =>
      (await sql.rows(`SELECT id FROM ${table} ORDER BY id`)).map(({ id }) => id),
    );
  beforeAll(async () => {
    home = await makeHome();
    const setup = await site().run("setup", "--yes");
    if (setup.exitCode !== 0) throw new Error(setup.stderr);
    await on(...world.rows);
    await site().putFiles(bucket, world.files);
    home.laterMs = 40 * dayMs;
  });
  afterAll(() => home.remove());

  test("rows go by the rules of the model, as planned and only while they still fulfil them", async () => {
    const checked = await site().run("retention", "check", "--json", "--late", "1h");
    const overdue = lines(checked.stdout).filter(({ kind }) => kind === "overdue");
    expect([checked.exitCode, overdue.length]).toEqual([4, total(world.due, / (purge|soft-delete)$/)]);

    const plan = join(home.folder, "plan.json");
    const planned = await site().run("retention", "plan", "--output", plan, "--json");
    expect([planned.exitCode, planned.stderr]).toEqual([0, ""]);
    const dues = lines(planned.stdout);
    const counts: Record<string, number> = {};
    for (const { rule, action } of dues)
      counts[`${String(rule)} ${String(action)}`] = (counts[`${String(rule)} ${String(action)}`] ?? 0) + 1;
    expect(counts).toEqual(world.due);
    const kept = dues
      .filter(({ action }) => action === "keep")
      .map(({ item }) => (item as { id: string }).id);
    expect(kept.toSorted()).toEqual(world.kept);
    const withoutFile = dues.filter(({ reason }) => /; its file is gone already/.test(String(reason)));
    expect(withoutFile.map(({ item }) => (item as { id: string }).id)).toEqual(world.withoutFile);
    expect(`${planned.stdout}${await readFile(plan, "utf8")}`).not.toMatch(/token-secret|secret text|hash-9/);

    await on(...world.afterPlan);
    const dry = await site().run("retention", "run", plan, "--dry-run", "--json");
    expect([dry.exitCode, JSON.parse(dry.stdout)]).toMatchObject([0, { skipped: [{ item: world.skipped }] }]);
    // Behind the last look at the rows: their deletion itself has to see it.
    home.beforeCall = async (_command, input) => {
      if (JSON.stringify(input).includes(world.raceRule)) await on(world.race);
    };
    const run = await site().run("retention", "run", plan, "--yes", "--json");
    home.beforeCall = undefined;
    expect([run.exitCode, JSON.parse(run.stdout)]).toMatchObject([
      3,
      {
        done: world.done,
        gone: 0,
        skipped: [{ item: world.skipped }],
        failed: world.failed,
      },
    ]);
    const left: Record<string, unknown> = {};
    for (const table of Object.keys(world.left)) left[table] = await idsOf(table);
    expect(left).toEqual(world.left);
    expect(await site().left(bucket)).toEqual(world.filesLeft.toSorted());

    const trail = await site().run("audit", "list", "--json");
    const told = lines(trail.stdout).map(({ details }) => (details as { rule?: string } | undefined)?.rule);
    expect(told).toEqual(expect.arrayContaining([world.raceRule]));
    expect(trail.stdout).not.toMatch(/token-secret|max@example\.com|DROP TABLE/);
    expect(planned.stdout).not.toContain("max@example.com");
    const again = await site().run("retention", "run", "--yes", "--json");
    expect([again.exitCode, JSON.parse(again.stdout)]).toMatchObject([0, { done: world.again, failed: [] }]);
  });

  test("a row that something refers to stays, and one that takes others along is refused before", async () => {
    const { referring } = world;
    await on(referring.table, ...referring.rows);
    const before = await site().left(bucket);
    const run = await site().run("retention", "run", "--yes", "--json");
    expect([run.exitCode, JSON.parse(run.stdout)]).toMatchObject([
      3,
      { done: 1, failed: [{ why: "something that stays refers to it" }] },
    ]);
    expect(await idsOf(referring.column)).toEqual(referring.left);
    expect(await site().left(bucket)).toEqual(before);
    await on("DROP TABLE referring", referring.cascade);
    const refused = await site().run("retention", "run", "--yes");
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      expect.stringContaining(`a row of kept.${referring.column} is not deleted alone`),
    ]);
    expect(await idsOf(referring.column)).toEqual(referring.left);
  });

  test("a plan is for the database that it was made for", async () => {
    await on(world.referring.drop);
    const plan = join(home.folder, "other-plan.json");
    await site().run("retention", "plan", "--output", plan);
    await writeFile(plan, (await readFile(plan, "utf8")).replace("database kept", "database other"));
    const refused = await site().run("retention", "run", plan, "--yes");
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      expect.stringMatching(
        /was made for another environment: databases\.\w+ .*database other, here .*database kept/,
      ),
    ]);
    const missing = await site({ MAWPS_DATABASE_URL: serverNow()?.url("nowhere") ?? "" }).run(
      "retention",
      "plan",
    );
    expect([missing.exitCode, missing.stderr]).toEqual([
      1,
      expect.stringContaining("there is no database nowhere"),
    ]);
  });

  test("rows that go by others of somebody who is held stay, however many they are", async () => {
    const { held } = world;
    await on(...held.rows);
    const add = await site().run("user", "hold", "add", held.given, "--reason", "case 1");
    expect(add.exitCode).toBe(0);
    const run = await site().run("retention", "run", "--yes", "--json");
    expect([run.exitCode, run.exitCode === 0 ? "" : run.stderr]).toEqual([0, ""]);
    const left = await onDatabase(serverNow(), "kept", (sql) => sql.rows(held.left));
    expect(left).toEqual([{ whose: held.whose, rows_left: "2000" }]);
    expect((await site().run("user", "hold", "rm", held.given, "--yes")).exitCode).toBe(0);
  });
}
