import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { databasesOf, grantsFor, ownRowsIn } from "../../src/access/grants.ts";
import type { Role } from "../../src/access/roles.ts";
import type { Model } from "../../src/model/schema.ts";
import { shippedModels, shippedSchemas } from "../../src/model/shipped.ts";
import { statementsIn } from "../../src/sql/statements.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { databaseSites, onDatabase, type DatabaseSite } from "../support/database-sites.ts";

const max = "11111111-1111-4111-8111-111111111111";
const eva = "22222222-2222-4222-8222-222222222222";
const id = (number: number) => `33333333-3333-4333-8333-${String(number).padStart(12, "0")}`;
const withoutDashes = (text: string) => text.replaceAll("-", "");

/** Rows of two people, and who may see what of them. */
const worlds = {
  lopez: {
    database: "lopez_it_welt",
    rows: [
      `INSERT INTO users (id, email, password_hash, name) VALUES ('${max}', 'max@example.com', 'hash', 'Max'), ('${eva}', 'eva@example.com', 'hash', 'Eva')`,
      `INSERT INTO ai_agents (id, name, type, model, config, created_by) VALUES ('a', 'n', 'chatbot', 'm', '{}', '${eva}')`,
      `INSERT INTO chat_sessions (id, user_id, agent_id) VALUES ('c-max', '${max}', 'a'), ('c-eva', '${eva}', 'a')`,
      `INSERT INTO chat_messages (id, session_id, content, type) VALUES ('m-max', 'c-max', 't', 'user'), ('m-eva', 'c-eva', 't', 'user')`,
    ],
    account: (person: string, role: string) => [
      `CREATE USER '${withoutDashes(person)}'@'localhost'`,
      `GRANT ${role} TO '${withoutDashes(person)}'@'localhost'`,
      `SET DEFAULT ROLE ${role} FOR '${withoutDashes(person)}'@'localhost'`,
    ],
    nameOf: withoutDashes,
    seen: {
      "SELECT id FROM own_users": ["id"],
      "SELECT id FROM own_chat_sessions": ["c-max"],
      "SELECT id FROM own_chat_messages": ["m-max"],
      "SELECT id FROM own_user_summaries": "denied",
      "SELECT id FROM users": "denied",
      "SELECT id FROM chat_messages": "denied",
      "SELECT password_hash FROM own_users": "denied",
      "SELECT id FROM ai_agents": "denied",
      "SELECT id FROM audit_logs": "denied",
      "UPDATE own_chat_sessions SET title = 'x'": "denied",
    },
    all: { "SELECT id FROM chat_messages ORDER BY id": ["m-eva", "m-max"] },
  },
  fc024: {
    database: "crm",
    rows: [
      `INSERT INTO customers (id, name) VALUES ('${max}', 'Max'), ('${eva}', 'Eva')`,
      `INSERT INTO opportunities (id, customer_id, name) VALUES ('${id(1)}', '${max}', 'one'), ('${id(2)}', '${eva}', 'two')`,
      `INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, customer_id, opportunity_id, uploaded_by) VALUES
        ('${id(3)}', 'a', 'a', 't', 1, '${max}', NULL, '00000000-0000-4000-8000-000000000000'),
        ('${id(4)}', 'b', 'b', 't', 1, NULL, '${id(1)}', '00000000-0000-4000-8000-000000000000'),
        ('${id(5)}', 'c', 'c', 't', 1, '${eva}', '${id(2)}', '00000000-0000-4000-8000-000000000000')`,
    ],
    account: (person: string, role: string) => [`CREATE ROLE "${person}" LOGIN IN ROLE ${role}`],
    nameOf: (person: string) => person,
    seen: {
      "SELECT id FROM customers": ["id"],
      "SELECT id FROM opportunities": [id(1)],
      "SELECT id FROM file_attachments ORDER BY id": [id(3), id(4)],
      "SELECT id FROM users": [],
      "UPDATE file_attachments SET file_name = 'x'": "denied",
      "DELETE FROM customers": "denied",
    },
    all: { "SELECT id FROM file_attachments ORDER BY id": [id(3), id(4), id(5)] },
  },
} as const;

for (const site of databaseSites)
  describe.skipIf(site.missing !== undefined)(
    `rows of ${site.model}'s database ${site.missing ?? ""}`,
    () => {
      fences(site);
    },
  );

function fences({ model: name, engine, first, start }: DatabaseSite): void {
  const world = worlds[name];
  let server: DatabaseServer | undefined;
  let model: Model | undefined;

  const run = (database: string, statements: readonly string[]) =>
    onDatabase(server, database, async (sql) => {
      for (const statement of statements) await sql.run(statement);
    });
  const grants = (role: Role) => {
    const [database] = model === undefined ? [] : databasesOf(model);
    if (model === undefined || database === undefined) throw new Error(`${name} has no database`);
    return grantsFor(role, model, database);
  };
  /** The ids that somebody's own account gets, or `denied`. */
  const asked = async (account: string, statement: string, isMawps = false) => {
    const theirs: Pick<DatabaseServer, "url"> = {
      url: (database) => (server?.url(database) ?? "").replace(/\/\/[a-z]+@/, `//${account}@`),
    };
    try {
      return await onDatabase(theirs as DatabaseServer, world.database, async (sql) => {
        // As it is for whoever is not mawps, which would rather be refused than see a part.
        if (!isMawps && engine === "postgres") await sql.run("SET row_security = on");
        return (await sql.rows(statement)).map((row) => row["id"]);
      });
    } catch (error) {
      const { cause } = error as { cause?: Error };
      expect(cause?.message).toMatch(/denied|unknown column|row-level security/i);
      return "denied";
    }
  };

  beforeAll(async () => {
    server = await start();
    model = await shippedModels[name]?.();
    const schema = (await shippedSchemas[`${name}.sql`]?.()) ?? "";
    await run(first, [`CREATE DATABASE ${world.database}`]);
    await run(world.database, [...statementsIn(schema, engine), ...world.rows]);
    const granted = grants("user");
    await run(world.database, granted);
    // Whoever runs them again, after a change of the model, gets the same.
    await run(
      world.database,
      granted.filter((statement) => !statement.startsWith("CREATE ROLE")),
    );
    await run(world.database, [...world.account(max, `${name}_user`), ...grants("ci-backup")]);
    await run(world.database, world.account("nightly", `${name}_ci_backup`));
  }, 120_000);
  afterAll(() => server?.close());

  it.each(Object.entries(world.seen))("of a person's own account: %s", async (statement, expected) => {
    const found = await asked(world.nameOf(max), statement);
    expect(found).toEqual(expected[0] === "id" ? [max] : expected);
  });

  it.each(Object.entries(world.all))("another role has all of them: %s", async (statement, expected) => {
    expect(await asked("nightly", statement)).toEqual(expected);
    if (engine === "mysql") return;
    expect(await asked("nightly", statement, true)).toBe("denied");
    await run(world.database, ["ALTER ROLE nightly BYPASSRLS"]);
    expect(await asked("nightly", statement, true)).toEqual(expected);
  });
}

it("what does not have the person's id is named", async () => {
  const model = await shippedModels["lopez"]?.();
  const [database] = model === undefined ? [] : databasesOf(model);
  if (model === undefined || database === undefined) throw new Error("lopez has no database");
  expect(ownRowsIn(model, database).notExpressible.map(({ entity }) => entity)).toEqual(["loginAttempts"]);
});
