import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCatalogue } from "../../../src/sql/catalogue.ts";
import type { Sql } from "../../../src/sql/connection.ts";
import { rowTables } from "../../../src/sql/row-table.ts";
import type { DatabaseServer } from "../../support/database-server.ts";
import { onDatabase, type DatabaseSite } from "../../support/database-sites.ts";
import { modelSite } from "../../support/model-site.ts";
import { makeHome, type TestHome } from "../../support/world.ts";
import { customer, id, literal, other, staff, uuid, worlds } from "./database-people.ts";

const database = "erasure";

interface Person {
  readonly given: string;
  readonly name: string;
  /** What must be found nowhere any more, but in these tables. */
  readonly naming: RegExp;
  readonly stays: readonly string[];
  /** Rows that are gone, by table; and what rows that stay have become. */
  readonly gone: Readonly<Record<string, number>>;
  readonly changed: readonly RegExp[];
  /** Versions of files that are left. */
  readonly files: readonly string[];
  readonly receipt: object;
  readonly found: string;
}

const extra = {
  lopez: {
    bucket: "lopez-mawps-trail",
    more: [
      `INSERT INTO system_logs (id, level, category, message, user_id) VALUES ('y-1', 'info', 'c', 'm', ${literal(id)})`,
      `INSERT INTO user_activity (id, user_id, action) VALUES ('v-1', ${literal(id)}, 'x')`,
      // As it was typed.
      `INSERT INTO login_attempts (id, email, ip_address, success) VALUES ('l-8', 'MAX@EXAMPLE.COM', '::1', FALSE)`,
    ],
    files: [],
    blocking:
      "CREATE TABLE notes (id INT PRIMARY KEY, of_chat VARCHAR(36), FOREIGN KEY (of_chat) REFERENCES chat_sessions (id))",
    note: "INSERT INTO notes VALUES (1, 'c-1')",
    following:
      "CREATE TABLE cards (id INT PRIMARY KEY, of_chat VARCHAR(36), FOREIGN KEY (of_chat) REFERENCES chat_sessions (id) ON DELETE SET NULL)",
    hold: [
      "ALTER TABLE user_activity ADD legal_hold VARCHAR(100)",
      "UPDATE user_activity SET legal_hold = 'court 7'",
    ],
    release: "UPDATE user_activity SET legal_hold = NULL",
    shared: undefined,
    unshared: undefined,
    untrusted: {
      make: ["ALTER TABLE login_attempts ENGINE = MyISAM"],
      told: "login_attempts knows no transactions",
      undo: "ALTER TABLE login_attempts ENGINE = InnoDB",
    },
    people: [
      {
        given: "MAX@example.com",
        name: "Max@example.com",
        naming: /u'OR'1'='1|max@example\.com|hash-secret|736563726574/i,
        stays: ["audit_logs", "subscriptions", "users"],
        gone: {
          chat_messages: 120,
          chat_sessions: 1,
          login_attempts: 2,
          refresh_tokens: 1,
          user_activity: 1,
          user_profiles: 1,
        },
        changed: [
          /^ai_agents .*"created_by":"deleted-user".*"id":"a-1"/,
          /^system_logs .*"id":"y-1".*"user_id":null/,
          /^users .*"email":"erased-\w{16}@invalid".*"encrypted_data":null.*"is_active":"0".*"last_login_at":null.*"name":"erased-\w{16}","password_hash":"erased-\w{16}"/,
        ],
        files: [],
        receipt: {
          isComplete: true,
          erased: {
            account: true,
            accountEmptied: true,
            items: { "messages of chats": 120 },
            changes: { accounts: 1, agents: 1 },
          },
          left: { account: false },
          kept: expect.arrayContaining([
            expect.objectContaining({ what: "subscriptions", items: 1, days: 3653 }),
            expect.objectContaining({ what: "accounts", items: 1 }),
          ]),
        },
        found: `INSERT INTO login_attempts (id, email, ip_address, success) VALUES ('l-9', 'Max@Example.com', '::1', TRUE)`,
      },
    ],
  },
  fc024: {
    bucket: "fc024-attachments",
    more: [
      `INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, customer_id, uploaded_by) VALUES
        ('${uuid(4)}', 'of others', 'customers/${customer}/b/of-others', 'application/pdf', 1, '${other}', '${staff}')`,
    ],
    shared: `INSERT INTO file_attachments (id, file_name, s3_key, content_type, size_bytes, customer_id, opportunity_id, uploaded_by) VALUES
      ('${uuid(5)}', 'of both', 'customers/${other}/a/of-both', 'application/pdf', 1, '${other}', '${uuid(1)}', '${staff}')`,
    untrusted: {
      make: [
        "CREATE TABLE notes (id int PRIMARY KEY, of_file varchar(500) REFERENCES file_attachments (s3_key) ON DELETE CASCADE)",
      ],
      told: "by other columns than its key",
      undo: "DROP TABLE notes",
    },
    unshared: `DELETE FROM file_attachments WHERE id = '${uuid(5)}'`,
    files: [
      ...worlds.fc024.files,
      `customers/${customer}/b/of-others`,
      `customers/${other}/a/of-both`,
      `opportunities/${uuid(1)}/a/two`,
      `opportunities/${uuid(1)}/a/two-b`,
      `opportunities/${uuid(2)}/a/two`,
    ],
    blocking: "CREATE TABLE notes (id int PRIMARY KEY, of_opportunity uuid REFERENCES opportunities (id))",
    note: `INSERT INTO notes VALUES (1, '${uuid(1)}')`,
    following:
      "CREATE TABLE cards (id int PRIMARY KEY, of_opportunity uuid REFERENCES opportunities (id) ON DELETE CASCADE)",
    hold: [
      "ALTER TABLE file_attachments ADD legal_hold text",
      `UPDATE file_attachments SET legal_hold = 'court 7' WHERE id = '${uuid(2)}'`,
    ],
    release: "UPDATE file_attachments SET legal_hold = NULL",
    people: [
      {
        given: customer,
        name: "max@example.com",
        naming: new RegExp(`(?<!customers/)${customer}`),
        stays: [],
        gone: { customers: 1, file_attachments: 2, opportunities: 1 },
        changed: [],
        files: [
          `customers/${customer}/b/of-others`,
          `customers/${other}/a/of-both`,
          `customers/${other}/a/three`,
          `opportunities/${uuid(1)}/a/two-b`,
          `opportunities/${uuid(2)}/a/two`,
        ].flatMap((key) => [key, key]),
        receipt: {
          isComplete: true,
          erased: {
            account: true,
            items: { customers: 1, opportunities: 1 },
            versions: { "files of customers": 2 },
          },
          kept: [
            expect.objectContaining({ what: "audit trail of mawps" }),
            expect.objectContaining({ what: "files", items: 1, basis: "an entry that stays names them" }),
          ],
        },
        found: `INSERT INTO customers (id, name) VALUES ('${customer}', 'again')`,
      },
      {
        given: staff,
        name: "max@example.com",
        naming: new RegExp(`${staff}|Max of the staff|max@example.com`),
        stays: ["users"],
        gone: {},
        changed: [
          /^file_attachments .*"uploaded_by":"00000000-0000-4000-8000-000000000000"/,
          /^users .*"email":"erased-\w{16}@invalid".*"name":null/,
        ],
        files: [
          `customers/${customer}/b/of-others`,
          `customers/${other}/a/of-both`,
          `customers/${other}/a/three`,
          `opportunities/${uuid(1)}/a/two-b`,
          `opportunities/${uuid(2)}/a/two`,
        ].flatMap((key) => [key, key]),
        receipt: {
          isComplete: true,
          erased: { account: true, accountEmptied: true, changes: { "accounts of the staff": 1 } },
        },
        found: `UPDATE users SET email = 'max@example.com' WHERE id = '${staff}'`,
      },
    ],
  },
} satisfies Record<string, { readonly people: readonly Person[]; readonly [name: string]: unknown }>;

/** Every row of every table, with its table in front. */
async function picture(sql: Sql): Promise<string[]> {
  const catalogue = await readCatalogue(sql, sql.engine === "mysql" ? database : "public");
  const lines: string[] = [];
  for (const { name, columns } of rowTables(catalogue, sql.engine)) {
    const names = columns.map((column) => sql.quoted(column.name)).join(", ");
    for (const row of await sql.rows(`SELECT ${names} FROM ${sql.quoted(name)}`))
      lines.push(`${name} ${JSON.stringify(row)}`);
  }
  return lines.toSorted();
}

/** The tests of erasures of people who are rows of a database of a server that runs. */
export function testErasure({ model }: DatabaseSite, serverNow: () => DatabaseServer | undefined): void {
  const { people, bucket, more, files, ...statements } = extra[model];
  let home: TestHome;
  const site = () =>
    modelSite(home, model, {
      MAWPS_HOME: join(home.folder, "other"),
      MAWPS_DATABASE_URL: serverNow()?.url(database) ?? "",
    });
  const look = () => onDatabase(serverNow(), database, picture);
  const left = () => site().left(bucket);
  const sql = (...all: readonly string[]) =>
    onDatabase(serverNow(), database, async (connection) => {
      for (const statement of all) await connection.run(statement);
    });
  const erase = (person: Pick<Person, "given" | "name">, ...argv: string[]) =>
    site().run(
      "user",
      "erase",
      person.given,
      "--confirm",
      person.name,
      "--receipt",
      `${person.given}.json`,
      ...argv,
    );
  beforeAll(async () => {
    home = await makeHome();
    const setup = await site().run("setup", "--yes");
    if (setup.exitCode !== 0) throw new Error(setup.stderr);
    await sql(...worlds[model].rows, ...more);
    await site().putFiles(bucket, [...files, ...files]);
    const backup = await site().run("backup", "create", "--with-secrets", "--json");
    if (backup.exitCode !== 0) throw new Error(backup.stderr);
  });
  afterAll(() => home.remove());

  test("tells what a foreign key or a hold keeps, changes nothing then, and tells nobody of nobody", async () => {
    const [person] = people;
    if (person === undefined) throw new Error("the model has nobody");
    const refused = async (told: string) => {
      const before = [await look(), await left()];
      const { exitCode, stderr } = await erase(person);
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(told)]);
      expect([await look(), await left()]).toEqual(before);
    };
    await sql(statements.blocking, statements.note);
    await refused("notes refer to rows of");
    await sql("DROP TABLE notes", statements.following);
    await refused("cards, which the model does not name, go or change with");
    await sql("DROP TABLE cards", ...statements.hold);
    await refused("court 7");
    await sql(statements.release);
    const { shared, unshared, untrusted } = statements;
    await sql(...untrusted.make);
    await refused(untrusted.told);
    await sql(untrusted.undo);
    if (shared !== undefined && unshared !== undefined) {
      await sql(shared);
      await refused("1 rows of");
      await refused("by customer_id, somebody else's");
      await sql(unshared);
    }
    const nobody = await site().run("user", "erase", "nobody@example.com", "--yes");
    expect([nobody.exitCode, nobody.stderr]).toEqual([1, expect.stringContaining("nothing is stored of")]);
    expect((await site().run("audit", "list", "--action", "user.erased", "--json")).stdout).toBe("");
  });

  for (const person of people) {
    test(`erases ${person.given} as the model says, and nothing of others`, async () => {
      const before = await look();
      const versions = await left();
      const dry = await erase(person, "--dry-run", "--json");
      expect(dry.exitCode).toBe(0);
      expect([await look(), await left()]).toEqual([before, versions]);
      const run = await erase(person, "--json");
      expect([run.exitCode, run.stderr]).toEqual([0, ""]);
      expect(JSON.parse(run.stdout)).toMatchObject(person.receipt);
      const after = await look();
      const tableOf = (line: string) => line.slice(0, line.indexOf(" "));
      const named = new Set(after.filter((line) => person.naming.test(line)).map(tableOf));
      expect([...named]).toEqual(person.stays);
      const now = new Set(after);
      const then = new Set(before);
      const added = after.filter((line) => !then.has(line));
      const gone: Record<string, number> = {};
      for (const line of before) if (!now.has(line)) gone[tableOf(line)] = (gone[tableOf(line)] ?? 0) + 1;
      for (const line of added) gone[tableOf(line)] = (gone[tableOf(line)] ?? 0) - 1;
      expect(Object.fromEntries(Object.entries(gone).filter(([, rows]) => rows !== 0))).toEqual(person.gone);
      expect(added.filter((line) => !person.changed.some((each) => each.test(line)))).toEqual([]);
      for (const each of person.changed)
        expect([each, added.some((line) => each.test(line))]).toEqual([each, true]);
      expect(await left()).toEqual(person.files);
      const receipt = await readFile(join(home.folder, `${person.given}.json`), "utf8");
      expect(receipt).not.toMatch(person.naming);
      const verify = () => site().run("user", "erase", "verify", `${person.given}.json`);
      expect((await verify()).exitCode).toBe(0);
      const again = await site().run(
        "user",
        "erase",
        person.given,
        "--yes",
        "--receipt",
        `again-${person.given}`,
      );
      expect([again.exitCode, await look()]).toEqual([0, after]);
      const restored = await site().run(
        "backup",
        "restore",
        "--only",
        "databases",
        "--on-conflict",
        "replace",
        "--yes",
      );
      expect([
        restored.exitCode,
        restored.stdout,
        (await look()).filter((line) => person.naming.test(line) && !after.includes(line)),
      ]).toEqual([0, expect.stringMatching(/[1-9]\d* suppressed/), []]);
      await sql(person.found);
      expect((await verify()).exitCode).toBe(4);
      expect((await site().run("audit", "verify")).exitCode).toBe(0);
    });
  }
}
