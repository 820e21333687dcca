import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DatabaseServer } from "../../support/database-server.ts";
import { onDatabase, type DatabaseSite } from "../../support/database-sites.ts";
import { modelSite } from "../../support/model-site.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

/** The same as an id, which may have no spaces and slashes. */
export const id = "u'OR'1'='1\"--;`";
/** Would end a text, and with it name everybody, wherever it is not a value. */
const hostile = "u' OR '1'='1\" -- `\\";
export const literal = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;

export const customer = "11111111-1111-4111-8111-111111111111";
export const other = "22222222-2222-4222-8222-222222222222";
export const staff = "44444444-4444-4444-8444-444444444444";
export const uuid = (number: number) => `33333333-3333-4333-8333-${String(number).padStart(12, "0")}`;

/** Rows of a person among those of others, and what an export has of each table. */
export const worlds = {
  lopez: {
    rows: [
      `INSERT INTO users (id, email, password_hash, name, encrypted_data) VALUES
        (${literal(id)}, 'Max@example.com', 'hash-secret', ${literal(hostile)}, X'736563726574'), ('u', 'eva@example.com', 'hash-secret', 'Eva', NULL)`,
      "UPDATE users SET email_verified = TRUE, last_login_at = '2026-02-03 10:00:00' WHERE email = 'Max@example.com'",
      "UPDATE users SET is_active = FALSE WHERE id = 'u'",
      `INSERT INTO user_profiles (id, user_id, bio, preferences) VALUES ('p-1', ${literal(id)}, 'mine', '{"a": [1]}'), ('p-2', 'u', 'of others', NULL)`,
      `INSERT INTO ai_agents (id, name, type, model, config, created_by) VALUES ('a-1', 'of all', 'chatbot', 'm', '{}', ${literal(id)}), ('a-2', 'n', 'chatbot', 'm', '{}', 'u')`,
      `INSERT INTO chat_sessions (id, user_id, agent_id) VALUES ('c-1', ${literal(id)}, 'a-2'), ('c-2', 'u', 'a-1')`,
      `INSERT INTO chat_messages (id, session_id, content, type) VALUES
        ${Array.from({ length: 120 }, (_, at) => `('m-${at}', 'c-1', 'mine', 'user')`).join(", ")}, ('m-x', 'c-2', 'of others', 'user')`,
      `INSERT INTO refresh_tokens (id, user_id, token, expires_at) VALUES ('t-1', ${literal(id)}, 'token-secret', '2030-01-01 00:00:00')`,
      `INSERT INTO login_attempts (id, email, ip_address, success) VALUES
        ('l-1', 'max@example.com', '::1', TRUE), ('l-2', 'máx@example.com', '::2', TRUE), ('l-3', 'eva@example.com', '::3', TRUE)`,
      `INSERT INTO audit_logs (id, table_name, record_id, action, new_values, user_id) VALUES ('g-1', 'users', 'u', 'UPDATE', '{"x": "of others"}', ${literal(id)})`,
      `INSERT INTO subscriptions (id, user_id, plan_type, amount, starts_at) VALUES ('s-1', ${literal(id)}, 'free', 12345678.90, '2026-01-01 00:00:00')`,
    ],
    files: [],
    accounts: [
      {
        userId: id,
        attributes: { email: "Max@example.com", name: hostile },
        status: "CONFIRMED",
        enabled: true,
      },
      { userId: "u", attributes: { email: "eva@example.com" }, status: "UNCONFIRMED", enabled: false },
    ],
    noState: "compromised",
    only: ["--status", "confirmed", "--where", "role=user", "--where", "email=~MAX@"],
    group: "--where role=admins asks for those with this role",
    shown: {
      given: "max@EXAMPLE.com",
      json: { userId: id, items: { chats: 1, "messages of chats": 120 }, files: {} },
      text: /messages of chats +120[^]*last seen +2026-02-0/,
    },
    people: [
      {
        given: "max@EXAMPLE.com",
        ids: {
          users: [id],
          userProfiles: ["p-1"],
          agents: ["a-1"],
          chatSessions: ["c-1"],
          chatMessages: Array.from({ length: 120 }, (_, at) => `m-${at}`).toSorted(),
          refreshTokens: ["t-1"],
          loginAttempts: ["l-1"],
          auditLogs: ["g-1"],
          subscriptions: ["s-1"],
        },
        values: {
          users: { name: hostile },
          subscriptions: { amount: "12345678.90", starts_at: "2026-01-01 00:00:00" },
        },
        bare: { agents: { id: "a-1", created_by: id }, auditLogs: { id: "g-1", user_id: id } },
        leftOut: ["users password_hash", "users encrypted_data", "refreshTokens token", "agents name"],
      },
    ],
    several: { given: `${id}x`, told: [1, expect.stringContaining("nothing is stored of")] },
    standIn: "deleted-user",
    rowsOnly: {
      given: "gone-1",
      insert:
        "INSERT INTO system_logs (id, level, category, message, user_id) VALUES ('y-7', 'info', 'c', 'm', 'gone-1')",
    },
    orphans: {
      made: [
        "INSERT INTO login_attempts (id, email, ip_address, success) VALUES ('l-9', 'EVA@example.com', '::9', TRUE)",
        "INSERT INTO system_logs (id, level, category, message, user_id) VALUES ('y-8', 'info', 'c', 'm', 'erased-0123456789abcdef')",
        "ALTER TABLE chat_messages DROP FOREIGN KEY fk_chat_messages_session_id",
        "INSERT INTO chat_messages (id, session_id, content, type) VALUES ('m-y', 'c-gone', 'of others', 'user'), ('m-z', 'c-gone', 'of others', 'user')",
        "ALTER TABLE chat_messages MODIFY session_id VARBINARY(36) NOT NULL",
      ],
      told: [
        // Bytes, as hexadecimal digits.
        { kind: "data without owner", userId: "632D676F6E65", places: ["people.chat_messages"] },
        { kind: "data without account", userId: "gone-1", places: ["people.system_logs"] },
        { kind: "data without account", userId: "máx@example.com", places: ["people.login_attempts"] },
      ],
    },
  },
  fc024: {
    rows: [
      "ALTER TABLE users ADD password_hash text DEFAULT 'hash-secret'",
      `INSERT INTO customers (id, name, email) VALUES ('${customer}', E${literal(hostile)}, 'max@example.com'), ('${other}', 'of others', NULL)`,
      `INSERT INTO users (id, email, name) VALUES ('${staff}', 'max@example.com', 'Max of the staff')`,
      `INSERT INTO opportunities (id, customer_id, name) VALUES ('${uuid(1)}', '${customer}', 'mine'), ('${uuid(2)}', '${other}', 'of others')`,
      `INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, customer_id, opportunity_id, uploaded_by) VALUES
        ('${uuid(1)}', 'one', 'customers/${customer}/a/one', 'application/pdf', 1, '${customer}', NULL, '${staff}'),
        ('${uuid(2)}', 'two', 'opportunities/${uuid(1)}/a/two', 'application/pdf', 1, NULL, '${uuid(1)}', '${staff}'),
        ('${uuid(3)}', 'of others', 'customers/${other}/a/three', 'application/pdf', 1, '${other}', NULL, '${staff}')`,
    ],
    files: [`customers/${customer}/a/one`, `customers/${other}/a/three`],
    accounts: [
      {
        userId: customer,
        kind: "customer",
        attributes: { email: "max@example.com", name: hostile },
        status: null,
        enabled: null,
      },
      { userId: other, kind: "customer", attributes: { name: "of others", email: null } },
      { userId: staff, kind: "staff", attributes: { email: "max@example.com" } },
    ],
    noState: "enabled",
    only: ["--where", "kind=staff", "--where", "name=Max of the staff"],
    group: undefined,
    shown: {
      given: customer,
      json: {
        userId: customer,
        items: { customers: 1, opportunities: 1 },
        files: { "files of customers": 1 },
      },
      text: /kind +customer[^]*files of customers +1 file/,
    },
    people: [
      {
        given: customer,
        ids: {
          customers: [customer],
          opportunities: [uuid(1)],
          attachments: [uuid(1), uuid(2)],
        },
        values: { customers: { name: hostile } },
        bare: {},
        leftOut: ["attachments uploaded_by", "attachments s3_key"],
      },
      {
        given: staff,
        ids: { staff: [staff], attachments: [uuid(1), uuid(2), uuid(3)] },
        values: { staff: { email: "max@example.com" } },
        bare: { attachments: { id: uuid(1), uploaded_by: staff } },
        leftOut: ["attachments file_name"],
      },
    ],
    several: { given: "max@example.com", told: [1, expect.stringContaining("2 accounts have this name")] },
    standIn: "00000000-0000-4000-8000-000000000000",
    // Every column that names somebody is a foreign key.
    rowsOnly: undefined,
    orphans: {
      made: [
        "ALTER TABLE file_attachments DROP CONSTRAINT file_attachments_opportunity_id_fkey, DROP CONSTRAINT file_attachments_customer_id_fkey",
        `INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, customer_id, opportunity_id, uploaded_by) VALUES
          ('${uuid(8)}', 'n', 'a', 'application/pdf', 1, NULL, '${uuid(9)}', '${staff}'), ('${uuid(9)}', 'n', 'b', 'application/pdf', 1, '${uuid(7)}', NULL, '${staff}')`,
      ],
      told: [
        { kind: "data without account", userId: uuid(7), places: ["people.file_attachments"] },
        { kind: "data without owner", userId: uuid(9), places: ["people.file_attachments"] },
      ],
    },
  },
};

type Value = Readonly<Record<string, unknown>>;

/** The tests of people whose accounts are rows of a database of a server that runs. */
export function testPeople({ model }: DatabaseSite, serverNow: () => DatabaseServer | undefined): void {
  const world = worlds[model];
  let home: TestHome;
  let count = 0;
  const site = () =>
    modelSite(home, model, {
      MAWPS_HOME: join(home.folder, "other"),
      MAWPS_DATABASE_URL: serverNow()?.url("people") ?? "",
    });
  beforeAll(async () => {
    home = await makeHome();
    const setup = await site().run("setup", "--yes");
    if (setup.exitCode !== 0) throw new Error(setup.stderr);
    await onDatabase(serverNow(), "people", async (sql) => {
      for (const statement of world.rows) await sql.run(statement);
    });
    await site().putFiles("fc024-attachments", world.files);
  });
  afterAll(() => home.remove());

  async function exported(given: string) {
    count += 1;
    const outcome = await site().run("user", "export", given, "-o", `out-${count}.zip`, "--json");
    expect([outcome.exitCode, outcome.stderr]).toEqual([0, ""]);
    const program =
      "import zipfile,sys,json\nz=zipfile.ZipFile(sys.argv[1])\nprint(json.dumps({n:z.read(n).decode() for n in z.namelist()}))";
    const text = execFileSync("python3", ["-c", program, join(home.folder, `out-${count}.zip`)]).toString();
    return { outcome, parts: JSON.parse(text) as Record<string, string> };
  }

  for (const person of world.people) {
    test(`an export has all of ${person.given}, and nothing secret or of others`, async () => {
      const { outcome, parts } = await exported(person.given);
      const rowsIn = (entity: string) => JSON.parse(parts[`${entity}/${entity}.json`] ?? "[]") as Value[];
      const ids = Object.keys(person.ids).map((entity) => [
        entity,
        rowsIn(entity)
          .map((row) => String(row["id"]))
          .toSorted(),
      ]);
      expect(Object.fromEntries(ids)).toEqual(person.ids);
      const folders = new Set(
        Object.keys(parts).flatMap((name) => /^(\w+)\/\w+\.json$/.exec(name)?.[1] ?? []),
      );
      expect(folders).toEqual(new Set(Object.keys(person.ids)));
      for (const [entity, value] of Object.entries(person.values))
        expect(rowsIn(entity)[0]).toMatchObject(value);
      for (const [entity, value] of Object.entries(person.bare)) expect(rowsIn(entity)).toContainEqual(value);
      const { leftOut } = JSON.parse(outcome.stdout) as { leftOut: { entity: string; path: string }[] };
      expect(leftOut.map(({ entity, path }) => `${entity} ${path}`)).toEqual(
        expect.arrayContaining(person.leftOut),
      );
      expect(Object.values(parts).join("\n")).not.toMatch(/of others|hash-secret|token-secret|736563726574/);
    });
  }

  test("somebody is put under a legal hold, is listed by their address, and is let go", async () => {
    const [{ given } = { given: "" }] = world.people;
    const held = await site().run("user", "hold", "add", given, "--reason", "case 1");
    expect([held.exitCode, held.exitCode === 0 ? "" : held.stderr]).toEqual([0, ""]);
    const listed = await site().run("user", "hold", "list", "--json");
    expect(JSON.parse(listed.stdout)).toMatchObject({
      reason: "case 1",
      name: expect.stringMatching(/^max@example.com$/i),
    });
    expect((await site().run("user", "hold", "rm", given, "--yes")).exitCode).toBe(0);
    expect((await site().run("user", "hold", "list", "--json")).stdout).toBe("");
  });

  test("lists who has an account, with nothing secret, and shows what is stored of one", async () => {
    const listed = await site().run("user", "list", "--json");
    expect(listed.exitCode).toBe(0);
    const lines = listed.stdout.trim().split("\n");
    const byId = (one: Value, other: Value) => (String(one["userId"]) < String(other["userId"]) ? -1 : 1);
    const found = lines.map((line) => JSON.parse(line) as Value).toSorted(byId);
    expect(found).toMatchObject(world.accounts.toSorted(byId));
    expect(listed.stdout).not.toMatch(/hash-secret|password_hash|encrypted_data/);
    const some = await site().run("user", "list", "--csv", ...world.only);
    expect(some.stdout.trim().split("\n").length).toBe(2);
    const group = await site().run("user", "list", "--csv", "--group", "admins");
    expect([group.exitCode, group.stdout]).toEqual([2, ""]);
    expect(group.stderr).toContain(world.group ?? "in no groups");
    const unknown = await site().run("user", "list", "--csv", "--where", "password_hash=hash-secret");
    expect([unknown.exitCode, unknown.stdout]).toEqual([2, ""]);
    expect(unknown.stderr).toMatch(/--where takes .*email.*\n$/);
    expect(unknown.stderr).not.toMatch(/takes.*password_hash/);
    const state = await site().run("user", "list", "--csv", "--status", world.noState);
    expect([state.exitCode, state.stdout]).toEqual([2, ""]);
    const { given, json, text } = world.shown;
    const shown = await site().run("user", "show", given, "--json");
    expect(JSON.parse(shown.stdout)).toMatchObject(json);
    expect(shown.stdout).not.toMatch(/hash-secret|password_hash/);
    expect((await site().run("user", "show", given)).stdout).toMatch(text);
    expect((await site().run("user", "show", "nobody@example.com")).exitCode).toBe(1);
  });

  test("who is nobody, stands for the erased, or is one of several, has none", async () => {
    for (const given of ["nobody", "nobody@example.com", `x'OR'1'='1`]) {
      const nobody = await site().run("user", "export", given);
      expect([nobody.exitCode, nobody.stderr]).toEqual([1, expect.stringContaining("nothing is stored of")]);
    }
    const standIn = await site().run("user", "export", world.standIn);
    expect([standIn.exitCode, standIn.stderr]).toEqual([2, expect.stringContaining("and is nobody's")]);
    const several = await site().run("user", "export", world.several.given);
    expect([several.exitCode, several.stderr]).toEqual(world.several.told);
    const erase = await site().run("user", "erase", world.standIn, "--yes");
    expect(erase.exitCode).toBe(2);
  });

  const orphans = () => site().run("user", "orphans", "--json");
  test("what is nobody's, as no foreign key holds it, is told, and nobody for having nothing", async () => {
    await onDatabase(serverNow(), "people", async (sql) => {
      if (world.rowsOnly !== undefined) await sql.run(world.rowsOnly.insert);
      for (const statement of world.orphans.made) await sql.run(statement);
    });
    const { exitCode, stdout } = await orphans();
    const lines = stdout.trim().split("\n");
    expect([exitCode, lines.map((line) => JSON.parse(line) as Value)]).toEqual([
      0,
      world.orphans.told.map((each) => ({ ...each, email: null })),
    ]);
  });

  if (world.rowsOnly === undefined) return;
  const { given } = world.rowsOnly;
  test("somebody who has rows and no account can be held, too", async () => {
    const held = await site().run("user", "hold", "add", given, "--reason", "case 2");
    expect([held.exitCode, held.exitCode === 0 ? "" : held.stderr]).toEqual([0, ""]);
    const listed = await site().run("user", "hold", "list", "--json");
    expect(JSON.parse(listed.stdout)).toMatchObject({ reason: "case 2", userId: given });
    expect((await site().run("user", "hold", "rm", given, "--yes")).exitCode).toBe(0);
    const nobody = await site().run("user", "hold", "add", `${given}2`, "--reason", "case 2");
    expect([nobody.exitCode, nobody.stderr]).toEqual([1, expect.stringContaining("nothing is stored of")]);
  });
}
