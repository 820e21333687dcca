import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Row } from "../../src/sql/connection.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { databasesOn, databaseSites, onDatabase, type DatabaseSite } from "../support/database-sites.ts";
import { modelSite } from "../support/model-site.ts";
import { beforeStatements } from "../support/statement-hook.ts";
import { makeHome, type TestHome } from "../support/world.ts";

const bucket = "fc024-attachments";
const uuid = (start: string, at: number) => `${start.repeat(8)}-1111-4111-8111-00000000000${at}`;
const [max, eva] = [uuid("a", 1), uuid("a", 2)];
const clerk = uuid("b", 1);
const deals = [uuid("c", 1), uuid("c", 2)];
const files = [1, 2, 3, 4].map((at) => uuid("d", at));
const fileKeys = [
  `customers/${max}/${files[0]}/a.pdf`,
  `opportunities/${deals[0]}/${files[1]}/b.pdf`,
  `customers/${eva}/${files[2]}/c.pdf`,
  `opportunities/${deals[1]}/${files[3]}/d.pdf`,
];

/** Somebody with rows in every table beside somebody whose id begins with theirs; both are in one organization. */
const lopezRows = (id: string, name: string) => [
  `INSERT INTO users (id, email, password_hash, name, updated_at) VALUES ('${id}', '${name}@example.com', 'x', '${name}', '2026-01-01')`,
  ...(id === "user-1"
    ? [
        "INSERT INTO organizations (id, name) VALUES ('o-1', 'both')",
        "INSERT INTO ai_agents (id, name, type, model, config, created_by) VALUES ('a-1', 'bot', 'chatbot', 'm', '{}', 'deleted-user')",
      ]
    : []),
  `INSERT INTO user_profiles (id, user_id, bio) VALUES ('p-${id}', '${id}', 'of ${name}')`,
  `INSERT INTO chat_sessions (id, user_id, agent_id) VALUES ('s-${id}', '${id}', 'a-1')`,
  `INSERT INTO chat_messages (id, session_id, content, type) VALUES ('m:1,${id}', 's-${id}', 'by ${name}', 'user'), ('m-2-${id}', 's-${id}', '🙂', 'agent')`,
  `INSERT INTO session_analytics (id, session_id) VALUES ('x-${id}', 's-${id}')`,
  `INSERT INTO refresh_tokens (id, user_id, token, expires_at) VALUES ('t-${id}', '${id}', 't', '2030-01-01')`,
  `INSERT INTO login_attempts (id, email, ip_address, success) VALUES ('i-${id}', '${name.toUpperCase()}@example.com', '::1', 1)`,
  `INSERT INTO password_reset_tokens (id, user_id, token, expires_at) VALUES ('r-${id}', '${id}', 't', '2030-01-01')`,
  `INSERT INTO api_keys (id, user_id, name, key_hash) VALUES ('k-${id}', '${id}', 'n', 'h')`,
  `INSERT INTO system_logs (id, level, category, message, user_id, created_at) VALUES ('l-${id}', 'info', 'c', 'm', '${id}', '2026-06-01')`,
  `INSERT INTO user_activity (id, user_id, action) VALUES ('y-${id}', '${id}', 'a')`,
  `INSERT INTO organization_members (id, organization_id, user_id) VALUES ('om-${id}', 'o-1', '${id}')`,
  `INSERT INTO subscriptions (id, user_id, organization_id, plan_type, amount, starts_at) VALUES ('b-${id}', '${id}', 'o-1', 'free', 1.50, '2026-01-01')`,
  `INSERT INTO user_summaries (user_id, total_sessions) VALUES ('${id}', 1)`,
];
const children = ["session_analytics", "chat_messages"];
const owned = [
  "chat_sessions",
  "user_profiles",
  "refresh_tokens",
  "password_reset_tokens",
  "api_keys",
  "user_activity",
  "organization_members",
  "subscriptions",
  "user_summaries",
];

const attachment = (at: number, customer: string | null, deal: string | null) =>
  `('${files[at]}', 'f', '${fileKeys[at]}', 'application/pdf', 1, 'READY', 'CLEAN', ${customer === null ? "NULL" : `'${customer}'`}, ${deal === null ? "NULL" : `'${deal}'`}, '${clerk}')`;

const worlds = {
  lopez: {
    rows: [...lopezRows("user-1", "max"), ...lopezRows("user-12", "eva")],
    accounts: "users",
    person: "MAX@example.com",
    id: "user-1",
    rowsOf: 14,
    lost: ["rows that only name the person (system_logs: 1): --item brings back each of them"],
    hasFiles: false,
    files: [],
    along: ["organizations o-1", "ai_agents a-1"],
    /** All of the person's, and what both refer to but for the rows of the other one. */
    lose: [
      ...children.map((table) => `DELETE FROM ${table} WHERE session_id = 's-user-1'`),
      ...owned.map((table) => `DELETE FROM ${table} WHERE user_id = 'user-1'`),
      "DELETE FROM login_attempts WHERE email = 'max@example.com'",
      "DELETE FROM users WHERE id = 'user-1'",
    ],
    loseShared: [
      "SET FOREIGN_KEY_CHECKS = 0",
      "DELETE FROM organizations",
      "DELETE FROM ai_agents",
      "SET FOREIGN_KEY_CHECKS = 1",
    ],
    change: [
      "UPDATE users SET name = 'changed', updated_at = '2026-02-01' WHERE id IN ('user-1', 'user-12')",
      "UPDATE organizations SET name = 'changed'",
    ],
    /** One of the person's is the other one's by now. */
    give: "UPDATE chat_sessions SET user_id = 'user-12' WHERE id = 's-user-1'",
    takeBack: "UPDATE chat_sessions SET user_id = 'user-1' WHERE id = 's-user-1'",
    row: ["chat_messages", "m:1,user-1", "DELETE FROM chat_messages WHERE id = 'm:1,user-1'"],
    dropKey: "ALTER TABLE chat_messages DROP PRIMARY KEY",
    noRow: "m-9",
    orphan: [
      "chat_messages:m-2-user-1",
      "DELETE FROM chat_sessions WHERE id = 's-user-1'",
      "chat_sessions s-user-1",
    ],
    expire: "UPDATE refresh_tokens SET expires_at = '2026-01-01' WHERE id = 't-user-1'",
    purge: "DELETE FROM refresh_tokens WHERE id = 't-user-1'",
    goOn: "UPDATE refresh_tokens SET expires_at = '2030-01-01' WHERE id = 't-user-1'",
    due: { table: "refresh_tokens", rule: "refresh-tokens", rows: 1 },
    filesLost: [],
    tables: ["users", "organizations", "ai_agents", "login_attempts", "system_logs", ...children, ...owned],
    inTheMiddle: /^INSERT INTO `chat_messages`/,
    neighbour: "user-12",
    mixed: [
      "INSERT INTO ai_agents (id, name, type, model, config, created_by) VALUES ('a-2', 'bot', 'chatbot', 'm', '{}', 'user-1')",
      "INSERT INTO chat_sessions (id, user_id, agent_id) VALUES ('s-9', 'user-12', 'a-2')",
    ],
    unmix: ["DELETE FROM chat_sessions WHERE id = 's-9'", "DELETE FROM ai_agents WHERE id = 'a-2'"],
    stays: {
      what: "chat_sessions s-9",
      why: "it refers to ai_agents a-2, which cannot come along, as it refers to users user-1, which is not there, and is somebody else's",
    },
  },
  fc024: {
    rows: [
      `INSERT INTO customers (id, name, email) VALUES ('${max}', 'max', 'max@example.com'), ('${eva}', 'eva', 'eva@example.com')`,
      `INSERT INTO users (id, email, name) VALUES ('${clerk}', 'max@example.com', 'clerk')`,
      `INSERT INTO opportunities (id, customer_id, name) VALUES ('${deals[0]}', '${max}', 'd'), ('${deals[1]}', '${eva}', 'e')`,
      `INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, status, scan_result, customer_id, opportunity_id, uploaded_by) VALUES
        ${[attachment(0, max, null), attachment(1, null, deals[0] ?? ""), attachment(2, eva, null), attachment(3, null, deals[1] ?? "")].join(", ")}`,
    ],
    accounts: "customers",
    person: "customer:max@example.com",
    id: max,
    rowsOf: 4,
    lost: [],
    hasFiles: true,
    files: fileKeys.slice(0, 2),
    along: [],
    lose: [
      `DELETE FROM file_attachments WHERE id IN ('${files[0]}', '${files[1]}')`,
      `DELETE FROM opportunities WHERE customer_id = '${max}'`,
      `DELETE FROM customers WHERE id = '${max}'`,
    ],
    loseShared: [],
    change: ["UPDATE customers SET name = 'changed'"],
    give: `UPDATE opportunities SET customer_id = '${eva}' WHERE id = '${deals[0]}'`,
    takeBack: `UPDATE opportunities SET customer_id = '${max}' WHERE id = '${deals[0]}'`,
    row: [
      "crm.file_attachments",
      files[0]?.toUpperCase() ?? "",
      `DELETE FROM file_attachments WHERE id = '${files[0]}'`,
    ],
    dropKey: "ALTER TABLE file_attachments DROP CONSTRAINT file_attachments_pkey",
    noRow: uuid("e", 9),
    orphan: [
      `file_attachments:${files[1]}`,
      `DELETE FROM opportunities WHERE customer_id = '${max}'`,
      `opportunities ${deals[0]}`,
    ],
    expire: `UPDATE file_attachments SET status = 'DELETED', deleted_at = '2026-01-01' WHERE id = '${files[0]}'`,
    purge: `DELETE FROM file_attachments WHERE id = '${files[0]}'`,
    goOn: `UPDATE file_attachments SET status = 'READY', deleted_at = NULL WHERE id = '${files[0]}'`,
    due: { table: "file_attachments", rule: "deleted-documents", rows: 1 },
    filesLost: [`the file of file_attachments ${files[0]}: --only leaves files out`],
    tables: ["users", "customers", "opportunities", "file_attachments"],
    neighbour: `customer:${eva}`,
    mixed: [
      `INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, customer_id, opportunity_id, uploaded_by)
        VALUES ('${uuid("d", 9)}', 'f', 'customers/${eva}/${uuid("d", 9)}/f.pdf', 'application/pdf', 1, '${eva}', '${deals[0]}', '${clerk}')`,
    ],
    unmix: [`DELETE FROM file_attachments WHERE id = '${uuid("d", 9)}'`],
    stays: {
      what: `file_attachments ${uuid("d", 9)}`,
      why: `it refers to opportunities ${deals[0]}, which is not there, and is somebody else's`,
    },
    inTheMiddle: /^SELECT .* FROM "opportunities" WHERE .* IN /,
  },
};

for (const site of databaseSites) {
  describe.skipIf(site.missing !== undefined)(`a part of ${site.model} ${site.missing ?? ""}`, () => {
    ofModel(site);
  });
}

function ofModel(site: DatabaseSite): void {
  const { model } = site;
  const world = worlds[model];
  let server: DatabaseServer | undefined;
  let home: TestHome;
  let before: Record<string, Row[]>;
  const variables = () => ({
    MAWPS_HOME: join(home.folder, "other"),
    MAWPS_DATABASE_URL: server?.url(model) ?? "",
    MAWPS_YES: "1",
  });
  const mawps = (...argv: readonly string[]) => objects().run(...argv);
  const restore = async (...argv: readonly string[]) => {
    const { exitCode, stdout, stderr } = await mawps("backup", "restore", ...argv, "--json");
    return { exitCode, stderr, told: (stdout === "" ? {} : JSON.parse(stdout)) as Record<string, unknown> };
  };
  const objects = () => modelSite(home, model, variables());
  const removeFiles = async () => {
    for (const key of world.hasFiles ? fileKeys : []) await objects().removeFile(bucket, key);
  };
  /** The newest versions, but for markers. */
  const filesThere = async () => {
    const there: string[] = [];
    for (const key of world.hasFiles ? fileKeys : [])
      if (
        await objects()
          .file(bucket, key)
          .then(
            () => true,
            () => false,
          )
      )
        there.push(key);
    return there;
  };
  const stateOf = () =>
    onDatabase(server, model, async (sql) => {
      const all: Record<string, Row[]> = {};
      for (const table of world.tables)
        all[table] = [...(await sql.rows(`SELECT * FROM ${table} ORDER BY 1`))];
      return all;
    });
  const on = (...statements: readonly string[]) =>
    onDatabase(server, model, async (sql) => {
      for (const statement of statements) await sql.run(statement);
    });

  beforeAll(async () => {
    [server, home] = await Promise.all([site.start(), makeHome()]);
    const setup = await mawps("setup");
    if (setup.exitCode !== 0) throw new Error(setup.stderr);
    await on(...world.rows);
    if (world.hasFiles) await objects().putFiles(bucket, fileKeys);
    before = await stateOf();
    const created = await mawps("backup", "create", "--with-secrets");
    if (created.exitCode !== 0) throw new Error(created.stderr);
  });
  afterAll(async () => {
    await server?.close();
    await home.remove();
  });

  test("of one person comes back with what it refers to and its files, and nothing of a neighbour's changes", async () => {
    await on(...world.lose);
    const others = await stateOf();
    await on(...world.loseShared);
    await removeFiles();
    const dry = await restore("--user", world.person, "--dry-run");
    expect([dry.exitCode, dry.stderr]).toEqual([0, ""]);
    expect(Object.values(await stateOf()).flat().length).toBe(
      Object.values(others).flat().length - world.along.length,
    );
    const restored = await restore("--user", world.person);
    expect([restored.exitCode, restored.stderr]).toEqual([0, ""]);
    expect(restored.told).toMatchObject({
      written: { rows: world.rowsOf + world.along.length, objects: world.files.length },
      databases: dry.told["databases"],
    });
    expect(dry.told).toMatchObject({
      lost: world.lost,
      databases: [{ create: world.rowsOf + world.along.length, along: world.along, left: [] }],
    });
    expect(await stateOf()).toEqual(before);
    expect(await filesThere()).toEqual(world.files);
    const again = await restore("--user", world.id);
    expect([again.exitCode, again.told]).toMatchObject([0, { written: {}, databases: [{ create: 0 }] }]);
    const entries = (await mawps("audit", "list", "--action", "backup.restored", "--json")).stdout;
    expect(JSON.parse(entries.split("\n")[0] ?? "")).toMatchObject({ userId: world.id });
  });

  test("overwrites by the policy what is that person's alone", async () => {
    await on(...world.change);
    const changed = await stateOf();
    const skipped = await restore("--user", world.person);
    expect([skipped.exitCode, skipped.told]).toMatchObject([0, { databases: [{ create: 0, conflict: 1 }] }]);
    const failed = await restore("--user", world.person, "--on-conflict", "fail");
    expect([failed.exitCode, failed.stderr]).toEqual([1, expect.stringContaining(world.id)]);
    expect((await restore("--user", world.person, "--on-conflict", "newer")).told).toMatchObject({
      databases: [{ overwrite: 0, conflict: 1 }],
    });
    expect(await stateOf()).toEqual(changed);
    await on(world.give);
    const replaced = await restore("--user", world.person, "--on-conflict", "replace");
    expect([replaced.exitCode, replaced.told]).toMatchObject([
      0,
      { databases: [{ overwrite: 1, conflict: 1 }] },
    ]);
    await on(world.takeBack);
    const after = await stateOf();
    const byId = (rows: readonly Row[] = [], id: string) => rows.find((row) => row["id"] === id);
    expect(byId(after[world.accounts], world.id)).toEqual(byId(before[world.accounts], world.id));
    expect(after[world.accounts]?.filter((row) => row["id"] !== world.id)).toEqual(
      changed[world.accounts]?.filter((row) => row["id"] !== world.id),
    );
    expect((await restore("--on-conflict", "replace")).exitCode).toBe(0);
  });

  test("that is a single row comes back by its key, whatever that holds", async () => {
    const state = await stateOf();
    const [table = "", key = "", lose = ""] = world.row;
    await on(lose);
    const restored = await restore("--item", `${table}:${key}`);
    expect([restored.exitCode, restored.stderr, restored.told]).toMatchObject([
      0,
      "",
      { written: { rows: 1 } },
    ]);
    expect(await stateOf()).toEqual(state);
    const none = await restore("--item", `${table}:${world.noRow}`);
    expect([none.exitCode, none.stderr]).toEqual([1, expect.stringContaining("nothing was changed")]);
  });

  test.each([
    ["--user", "", "names nothing"],
    ["--user", ":", "names nothing"],
    ["--user", "customer:", "names nothing"],
    ["--item", ":1", "names nothing"],
    ["--item", "nosuch", 'has a table \\"nosuch\\"'],
    ["--item", "nosuch:1", 'has a table \\"nosuch\\"'],
  ])("whose %s %j can be nothing of the backup's is a usage error", async (flag, given, why) => {
    const state = await stateOf();
    const refused = await restore(flag, given);
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining(why)]);
    expect(await stateOf()).toEqual(state);
  });

  test.runIf(model === "fc024")("of somebody of another kind is refused with the right one", async () => {
    const refused = await restore("--user", "staff:eva@example.com");
    expect([refused.exitCode, JSON.parse(refused.stderr)]).toEqual([
      1,
      {
        error: 'no staff of the backup is called "eva@example.com"',
        exitCode: 1,
        hint: "--user customer:eva@example.com",
      },
    ]);
    expect((await restore("--user", "customer:eva@example.com")).exitCode).toBe(0);
  });

  test("that is a single row is refused where its table has lost the key that names it", async () => {
    const [name = "", key = ""] = world.row;
    const table = name.replace(/^crm\./, "");
    await on(`DELETE FROM ${table}`, world.dropKey);
    try {
      const state = await stateOf();
      const refused = await restore("--item", `${name}:${key}`);
      expect([refused.exitCode, refused.stderr]).toEqual([
        1,
        expect.stringContaining(`table ${table} has no primary key, and in the backup id`),
      ]);
      expect(await stateOf()).toEqual(state);
    } finally {
      await on(`ALTER TABLE ${table} ADD PRIMARY KEY (id)`);
    }
    expect((await restore("--on-conflict", "replace")).exitCode).toBe(0);
  });

  test("stays away, and says why, where what it refers to is not there", async () => {
    const [item = "", lose = "", parent = ""] = world.orphan;
    await on(...world.lose.slice(0, -1), lose);
    const state = await stateOf();
    for (const more of [["--dry-run"], []]) {
      const refused = await restore("--item", item, ...more);
      expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining(parent)]);
    }
    expect(await stateOf()).toEqual(state);
    expect((await restore("--user", world.id)).exitCode).toBe(0);
  });

  test("goes on after a server that died in the middle", async () => {
    await on(...world.lose);
    let isKilled = false;
    const end = beforeStatements(world.inTheMiddle, () => {
      if (isKilled) return undefined;
      isKilled = true;
      return server?.kill();
    });
    const died = await restore("--user", world.person).finally(end);
    await server?.start();
    expect([isKilled, died.exitCode]).toEqual([true, 1]);
    const again = await restore("--user", world.person);
    expect([again.exitCode, again.stderr]).toEqual([0, ""]);
    const { told } = await restore("--user", world.person, "--dry-run");
    expect(told).toMatchObject({ databases: [{ create: 0, conflict: 0 }] });
  });

  test("goes into no database that lacks its tables", async () => {
    const databases = await databasesOn(server, site);
    const lost = { ...variables(), MAWPS_DATABASE_URL: server?.url("lost") ?? "" };
    const elsewhere = modelSite(home, model, lost);
    for (const what of [
      ["--user", world.id],
      ["--item", `${world.accounts}:${world.id}`],
    ])
      expect(await elsewhere.run("backup", "restore", ...what)).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining("mawps backup restore --only databases") as string,
      });
    expect(await databasesOn(server, site)).toEqual(databases);
  });

  test("tells of what retention has deleted since, and of files that do not come back", async () => {
    await on(world.expire);
    const expired = await stateOf();
    expect((await mawps("backup", "create", "--with-secrets")).exitCode).toBe(0);
    await on(world.purge);
    const [file] = world.files;
    if (file !== undefined) await objects().removeFile(bucket, file);
    for (const whole of [["--user", world.person], []]) {
      const dry = await restore(...whole, "--only", "databases", "--dry-run");
      expect([dry.exitCode, dry.told]).toMatchObject([0, { databases: [{ create: 1, due: [world.due] }] }]);
    }
    const restored = await restore("--user", world.person, "--only", "databases");
    expect([restored.exitCode, restored.told]).toMatchObject([
      0,
      { written: { rows: 1 }, databases: [{ due: [world.due] }] },
    ]);
    expect(restored.told["lost"]).toEqual([...world.lost, ...world.filesLost]);
    expect(await stateOf()).toEqual(expired);
    await on(world.goOn);
    expect((await restore("--user", world.person)).told["lost"]).toEqual(world.lost);
    expect(await filesThere()).toEqual(expect.arrayContaining(world.files));
  });

  test("is told where it refers to what is lost and somebody else's, and of who was erased nothing comes back", async () => {
    await on(...world.mixed);
    expect((await mawps("backup", "create", "--with-secrets")).exitCode).toBe(0);
    const whole = await stateOf();
    await on(...world.unmix, ...world.lose);
    const left = { databases: [{ create: 0, left: [world.stays] }] };
    const dry = await restore("--user", world.neighbour, "--dry-run");
    expect([dry.exitCode, dry.told]).toMatchObject([0, { exitCode: 3, ...left }]);
    const restored = await restore("--user", world.neighbour);
    expect([restored.exitCode, restored.told]).toMatchObject([3, left]);
    expect(restored.stderr).toContain(`${world.stays.what}: ${world.stays.why}`);
    expect((await restore("--user", world.person)).exitCode).toBe(0);
    expect((await restore("--user", world.neighbour)).exitCode).toBe(0);
    expect(await stateOf()).toEqual(whole);
    await on(...world.unmix);
    const erased = await mawps("user", "erase", world.person, "--yes", "--receipt", "receipt.json");
    expect([erased.exitCode, erased.exitCode === 0 ? "" : erased.stderr]).toEqual([0, ""]);
    const without = await stateOf();
    const again = await restore("--user", world.person, "--on-conflict", "replace");
    expect([again.exitCode, again.told]).toMatchObject([0, { suppressed: 1, written: {} }]);
    expect(await stateOf()).toEqual(without);
  });
}
