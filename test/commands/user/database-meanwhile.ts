import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { DatabaseServer } from "../../support/database-server.ts";
import { onDatabase, type DatabaseSite } from "../../support/database-sites.ts";
import { modelSite } from "../../support/model-site.ts";
import { makeHome, type TestHome } from "../../support/world.ts";
import { customer, id, other, uuid, worlds } from "./database-people.ts";

const database = "meanwhile";
const models = join(import.meta.dirname, "../../../models");

type Entities = Record<string, Record<string, unknown>>;

/** Rows that name files and stay as nobody's, where the shipped models delete them. */
const scenes = {
  lopez: {
    changed: { given: "u", confirm: "eva@example.com" },
    followed: { given: id, confirm: "Max@example.com" },
    bucket: "lopez-files",
    file: "users/u/portrait",
    buckets: { files: { name: "lopez-files", access: "private" } },
    entities: ({ userProfiles }: Entities): Entities => ({
      userProfiles: {
        ...userProfiles,
        fields: { ...(userProfiles?.["fields"] as object | undefined), avatar_url: "text" },
        refs: { user_id: "users.id", avatar_url: "object:userFiles" },
        links: [{ subject: "user", role: "subject", by: "user_id", find: "key", erase: "pseudonym" }],
      },
      userFiles: {
        what: "portraits",
        from: { bucket: "files" },
        key: "users/{userId}/{name}",
        links: [{ subject: "user", role: "subject", by: "userId", find: "prefix", erase: "delete" }],
      },
    }),
    rows: [
      "INSERT INTO users (id, email, password_hash, name) VALUES ('w', 'w@example.com', 'h', 'W')",
      "UPDATE user_profiles SET avatar_url = 'users/u/portrait' WHERE id = 'p-2'",
    ],
    change: "UPDATE user_profiles SET user_id = 'w' WHERE id = 'p-2'",
    naming: "SELECT user_id AS owner, avatar_url AS file FROM user_profiles WHERE id = 'p-2'",
    named: { owner: "w", file: "users/u/portrait" },
    child: [
      "CREATE TABLE cards (id INT PRIMARY KEY, of_chat VARCHAR(36), FOREIGN KEY (of_chat) REFERENCES chat_sessions (id) ON DELETE CASCADE)",
      "INSERT INTO cards VALUES (1, 'c-1')",
    ],
    parent: "SELECT id FROM chat_sessions WHERE id = 'c-1'",
    shared: {
      person: { given: "y", confirm: "anna@example.com" },
      rows: [
        "ALTER TABLE users DROP INDEX uk_users_email",
        "INSERT INTO users (id, email, password_hash, name) VALUES ('x', 'ANNA@example.com', 'h', 'A'), ('y', 'anna@example.com', 'h', 'A')",
        "INSERT INTO login_attempts (id, email, ip_address, success) VALUES ('l-x', 'Anna@example.com', '::1', TRUE)",
      ],
      staying:
        "SELECT id FROM login_attempts WHERE id = 'l-x' UNION SELECT id FROM users WHERE email = 'ANNA@example.com'",
    },
  },
  fc024: {
    changed: { given: customer, confirm: "max@example.com" },
    followed: { given: other, confirm: other },
    bucket: "fc024-attachments",
    file: `customers/${customer}/a/one`,
    buckets: {},
    entities: ({ attachments }: Entities): Entities => ({
      attachments: {
        ...attachments,
        links: [
          { subject: "customer", role: "subject", by: "customer_id", find: "scan", erase: "pseudonym" },
          {
            subject: "customer",
            role: "subject",
            by: { via: "opportunity_id" },
            find: "scan",
            erase: "delete",
          },
        ],
      },
    }),
    rows: ["ALTER TABLE file_attachments DROP CONSTRAINT file_of_somebody"],
    change: `UPDATE file_attachments SET customer_id = '${other}' WHERE id = '${uuid(1)}'`,
    naming: `SELECT customer_id AS owner, s3_key AS file FROM file_attachments WHERE id = '${uuid(1)}'`,
    named: { owner: other, file: `customers/${customer}/a/one` },
    child: [
      "CREATE TABLE cards (id int PRIMARY KEY, of_opportunity uuid REFERENCES opportunities (id) ON DELETE CASCADE)",
      `INSERT INTO cards VALUES (1, '${uuid(2)}')`,
    ],
    parent: `SELECT id FROM opportunities WHERE id = '${uuid(2)}'`,
    shared: undefined,
  },
};

/** The tests of what comes to a database while somebody is erased there. */
export function testMeanwhile({ model }: DatabaseSite, serverNow: () => DatabaseServer | undefined): void {
  const scene = scenes[model];
  let home: TestHome;
  const site = () =>
    modelSite(home, "./site.model.json", {
      MAWPS_HOME: join(home.folder, "other"),
      MAWPS_DATABASE_URL: serverNow()?.url(database) ?? "",
    });
  const sql = (...all: readonly string[]) =>
    onDatabase(serverNow(), database, async (connection) => {
      for (const statement of all) await connection.run(statement);
    });
  const rows = (statement: string) =>
    onDatabase(serverNow(), database, async (connection) => connection.rows(statement));
  const erase = ({ given, confirm }: { readonly given: string; readonly confirm: string }) =>
    site().run("user", "erase", given, "--confirm", confirm, "--receipt", `${given}.json`, "--json");
  /** What happens once the person is on the ledger: at once, or when their rows have been looked for behind that. */
  const afterLedger = (when: "at once" | "behind the search", act: () => Promise<void>) => {
    let isListed = false;
    let isDone = false;
    home.beforeCall = async (command, input) => {
      const text = JSON.stringify(input);
      const isDue = when === "at once" || (command === "QueryCommand" && text.includes('"holds"'));
      if (isListed && !isDone && isDue) {
        isDone = true;
        await act();
      }
      if (command === "PutItemCommand" && text.includes('"erasures"')) isListed = true;
    };
    return () => isDone;
  };
  beforeAll(async () => {
    home = await makeHome();
    const shipped = JSON.parse(await readFile(join(models, `${model}.json`), "utf8")) as {
      buckets: object;
      entities: Entities;
    };
    const changed = {
      ...shipped,
      buckets: { ...shipped.buckets, ...scene.buckets },
      entities: { ...shipped.entities, ...scene.entities(shipped.entities) },
    };
    await writeFile(join(home.folder, "site.model.json"), JSON.stringify(changed));
    await copyFile(join(models, `${model}.sql`), join(home.folder, `${model}.sql`));
    const setup = await site().run("setup", "--yes");
    if (setup.exitCode !== 0) throw new Error(setup.stderr);
    await sql(...worlds[model].rows, ...scene.rows);
    await site().putFiles(scene.bucket, [scene.file]);
  });
  afterEach(() => {
    home.beforeCall = undefined;
  });
  afterAll(() => home.remove());

  test("a row that is somebody else's by then stays, with the file that it names", async () => {
    const isDone = afterLedger("behind the search", () => sql(scene.change));
    const { exitCode, stderr } = await erase(scene.changed);
    expect([isDone(), exitCode, stderr]).toEqual([true, 0, ""]);
    expect(await rows(scene.naming)).toEqual([scene.named]);
    expect(await site().left(scene.bucket)).toEqual([scene.file]);
  });

  test("a table whose rows would go along is told before any of them goes", async () => {
    const isDone = afterLedger("at once", () => sql(...scene.child));
    const { exitCode, stderr } = await erase(scene.followed);
    expect([isDone(), exitCode, stderr]).toEqual([
      true,
      3,
      expect.stringContaining("cards, which the model does not name, go or change with"),
    ]);
    expect(await rows("SELECT id FROM cards")).toEqual([{ id: "1" }]);
    expect(await rows(scene.parent)).toHaveLength(1);
    await sql("DROP TABLE cards");
  });

  const { shared } = scene;
  if (shared === undefined) return;
  test("what stands under an address that another account has, in another case, stays", async () => {
    await sql(...shared.rows);
    expect((await erase(shared.person)).exitCode).toBe(0);
    expect(await rows(shared.staying)).toEqual([{ id: "l-x" }, { id: "x" }]);
  });
}
