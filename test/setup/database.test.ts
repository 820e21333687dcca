import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { shippedSchemas } from "../../src/model/shipped.ts";
import { readCatalogue } from "../../src/sql/catalogue.ts";
import type { Sql } from "../../src/sql/connection.ts";
import { statementsIn } from "../../src/sql/statements.ts";
import { testDying } from "../commands/user/database-crash.ts";
import { testDesk } from "../commands/user/database-desk.ts";
import { testFaults } from "../commands/user/database-faults.ts";
import { testErasure } from "../commands/user/database-erasure.ts";
import { testHostile } from "../commands/user/database-hostile.ts";
import { testMeanwhile } from "../commands/user/database-meanwhile.ts";
import { testPeople } from "../commands/user/database-people.ts";
import { testPartitions } from "../retention/database-partitions.ts";
import { testRetention } from "../retention/database-rows.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { databasesOn, databaseSites, onDatabase, type DatabaseSite } from "../support/database-sites.ts";
import { makeHome, type TestHome } from "../support/world.ts";

/** What is done to a database that was set up, and what doctor says of it. */
const damages = {
  lopez: {
    tables: 20,
    statements: [
      "ALTER TABLE user_profiles DROP COLUMN bio",
      "ALTER TABLE users MODIFY name VARCHAR(100) NOT NULL",
      "CREATE TABLE extra (id INT PRIMARY KEY)",
      "CREATE INDEX twice ON login_attempts (email)",
      "DELETE FROM users",
    ],
    told: [
      "column user_profiles.bio: is missing: text DEFAULT NULL",
      "column users.name: is varchar(100) NOT NULL; should be varchar(255) NOT NULL",
      "index login_attempts.twice is the same as login_attempts.idx_login_attempts_email",
    ],
  },
  fc024: {
    tables: 4,
    statements: [
      "ALTER TABLE customers DROP COLUMN email",
      "ALTER TABLE users ALTER COLUMN name TYPE varchar(100)",
      "CREATE TABLE extra (id int PRIMARY KEY)",
      "CREATE INDEX twice ON file_attachments (status)",
      "DELETE FROM users",
    ],
    told: [
      "column customers.email: is missing: character varying(255)",
      "column users.name: is character varying(100); should be character varying(255)",
      "index file_attachments.twice is the same as file_attachments.idx_file_status",
    ],
  },
};

for (const site of databaseSites) {
  describe.skipIf(site.missing !== undefined)(`the database of ${site.model} ${site.missing ?? ""}`, () => {
    ofModel(site);
  });
}

function ofModel(site: DatabaseSite): void {
  const { model, engine, first } = site;
  const damage = damages[model];
  let server: DatabaseServer | undefined;
  let home: TestHome;
  beforeAll(async () => {
    server = await site.start();
  });
  afterAll(() => server?.close());
  beforeEach(async () => {
    home = await makeHome();
  });
  afterEach(() => home.remove());

  const urlOf = (database: string) => server?.url(database) ?? "";
  const run = (argv: readonly string[], url: string, env: Record<string, string> = {}) =>
    home.run(argv, {
      env: { MAWPS_HOME: `${home.folder}/other`, MAWPS_MODEL: model, MAWPS_DATABASE_URL: url, ...env },
    });

  const on = <T>(database: string, look: (sql: Sql) => Promise<T>) => onDatabase(server, database, look);
  const databases = () => databasesOn(server, site);
  const catalogueOf = (database: string) =>
    on(database, async (sql) => readCatalogue(sql, engine === "mysql" ? database : "public"));
  const idsOf = (database: string) => on(database, (sql) => sql.rows("SELECT id FROM users"));

  test("is made as its file says, with its rows, and nothing is left of the trial", async () => {
    const before = await databases();
    const planned = await run(["setup", "--dry-run", "--json"], urlOf("made"));
    expect(planned.exitCode).toBe(0);
    expect(await databases()).toEqual(before);

    const setup = await run(["setup", "--yes", "--json"], urlOf("made"));
    expect({ exitCode: setup.exitCode, stderr: setup.stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(setup.stdout).not.toContain('"kind":"problem"');
    expect((await databases()).filter((each) => !before.includes(each))).toEqual(["made"]);
    expect(await idsOf("made")).toEqual([{ id: site.erased }]);
    const catalogue = await catalogueOf("made");
    expect([...catalogue.keys()].filter((fact) => fact.startsWith("table "))).toHaveLength(damage.tables);

    const again = await run(["setup", "--yes", "--json"], urlOf("made"));
    expect(again.exitCode).toBe(0);
    expect(again.stdout).toContain('"resource":"database"');
    expect(again.stdout).not.toMatch(/"kind":"(add|create|change|problem)"/);
    expect(await catalogueOf("made")).toEqual(catalogue);
    const doctor = await run(["doctor"], urlOf("made"));
    expect([doctor.exitCode, doctor.stdout]).toEqual([0, expect.stringContaining("as declared (")]);
  });

  test("goes on where it was broken off", async () => {
    await on(first, (sql) => sql.run("CREATE DATABASE begun"));
    const [one = "", two = ""] = statementsIn((await shippedSchemas[`${model}.sql`]?.()) ?? "", engine);
    await on("begun", async (sql) => {
      await sql.run(one);
      await sql.run(two);
    });
    const setup = await run(["setup", "--yes", "--json"], urlOf("begun"));
    expect({ exitCode: setup.exitCode, stderr: setup.stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(setup.stdout).not.toContain('"aspect":"table users"');
    await run(["setup", "--yes"], urlOf("whole"));
    expect(await catalogueOf("begun")).toEqual(await catalogueOf("whole"));
    expect(await idsOf("begun")).toEqual([{ id: site.erased }]);
  });

  test("is not changed where it differs: doctor tells what, and setup brings lost rows back", async () => {
    await run(["setup", "--yes"], urlOf("other"));
    await on("other", async (sql) => {
      for (const statement of damage.statements) await sql.run(statement);
    });
    const before = await catalogueOf("other");
    const doctor = await run(["doctor", "--json"], urlOf("other"));
    expect(doctor.exitCode).toBe(4);
    const messages = doctor.stdout.split("\n").flatMap((line) => {
      const { check, message } = JSON.parse(line === "" ? "{}" : line) as Record<string, string>;
      return check === "database" ? [message] : [];
    });
    expect(messages).toEqual(expect.arrayContaining(damage.told));
    expect(messages).toContainEqual(expect.stringContaining("table extra is no entity of the model"));
    expect(messages).toContain("rows of users: missing (1 of the model's file)");

    await on("other", (sql) => sql.run("INSERT INTO extra (id) VALUES (1), (2)"));
    const live = await run(["model", "check", "--live", "--json"], urlOf("other"));
    expect([live.exitCode, live.stdout]).toEqual([4, expect.stringContaining('"name":"other.users"')]);
    const unknown = { store: "database", name: "other.extra", entity: null, count: 2 };
    expect(live.stdout).toContain(JSON.stringify(unknown).slice(0, -1));

    const fixed = await run(["setup", "--fix", "--yes", "--json"], urlOf("other"));
    expect(fixed.exitCode).toBe(0);
    expect(await catalogueOf("other")).toEqual(before);
    expect(await idsOf("other")).toEqual([{ id: site.erased }]);
  });

  describe("and people:", () => {
    testPeople(site, () => server);
  });

  describe("and erasure:", () => {
    testErasure(site, () => server);
  });

  describe("and people of two kinds:", () => {
    testDesk(site, () => server);
  });

  describe("and erasure that is killed:", () => {
    testDying(site, () => server);
  });

  describe("and texts that are statements:", () => {
    testHostile(site, () => server);
  });

  describe("and faults:", () => {
    testFaults(site, () => server);
  });

  describe("and erasure meanwhile:", () => {
    testMeanwhile(site, () => server);
  });

  describe("and retention:", () => {
    testRetention(site, () => server);
  });

  describe("and a partition that is past:", () => {
    testPartitions(site, () => server);
  });

  test("that cannot be reached is told with what to do, and nothing else is changed for it", async () => {
    const secret = "pass-word-7";
    const wrong = urlOf("none")
      .replace("@", `:${secret}@`)
      .replace(/\/\/\w+/, "//nobody");
    const refused = await run(["setup", "--yes"], wrong);
    const told = /the user or the password is wrong|the server refused a statement/;
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringMatching(told)]);
    expect(refused.stdout + refused.stderr).not.toContain(secret);

    const other = engine === "mysql" ? "postgres://u@localhost/x" : "mysql://u@localhost/x";
    const mistaken = await run(["setup", "--yes"], other);
    expect([mistaken.exitCode, mistaken.stderr]).toEqual([
      2,
      expect.stringContaining("the model's database"),
    ]);

    await server?.kill();
    const gone = await run(["doctor", "--json"], urlOf("none"));
    expect(gone.exitCode).toBe(4);
    expect(gone.stdout).toMatch(/there is no such socket|nobody answers there/);
    await server?.start();
    expect(await databases()).not.toContain("none");
  });
}

describe("a site with a database", () => {
  test("whose server nobody names is not set up, and setup and doctor say how to name it", async () => {
    const home = await makeHome();
    try {
      const env = { MAWPS_HOME: `${home.folder}/other`, MAWPS_MODEL: "lopez" };
      const setup = await home.run(["setup", "--yes"], { env });
      const named = expect.stringContaining("put the URL into MAWPS_DATABASE_URL: mysql://") as unknown;
      expect([setup.exitCode, setup.stdout, setup.stderr]).toEqual([2, "", named]);
      expect(home.calls).toEqual([]);
      const doctor = await home.run(["doctor"], { env });
      expect([doctor.exitCode, doctor.stdout]).toEqual([4, expect.stringContaining("MAWPS_DATABASE_URL")]);
    } finally {
      await home.remove();
    }
  });
});
