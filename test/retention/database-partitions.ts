import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { onDatabase, type DatabaseSite } from "../support/database-sites.ts";
import { modelSite } from "../support/model-site.ts";
import { beforeStatements } from "../support/statement-hook.ts";
import { makeHome, type TestHome } from "../support/world.ts";
import { lines } from "./stored.ts";

/** The clock stands at 1 March 2026, and logs go after a year: 2024 is past as a whole, 2025 in part. */
const logs = {
  lopez: {
    table: "system_logs",
    rule: "system-logs",
    waits: true,
    part: [
      `ALTER TABLE system_logs REORGANIZE PARTITION p2025 INTO (PARTITION p2024 VALUES LESS THAN (UNIX_TIMESTAMP('2025-01-01 00:00:00')),
        PARTITION p2025 VALUES LESS THAN (UNIX_TIMESTAMP('2026-01-01 00:00:00')))`,
    ],
    add: (id: string, day: string, user = "NULL") =>
      `INSERT INTO system_logs (id, level, category, message, user_id, created_at) VALUES ('${id}', 'info', 'c', 'secret text', ${user}, '${day} 00:00:00')`,
    person: `INSERT INTO users (id, email, password_hash, name) VALUES ('u-1', 'max@example.com', 'hash-9', 'Max')`,
    who: "u-1",
    partition: "p2024",
    kill: `SELECT CONCAT('KILL ', ID) AS kills FROM information_schema.PROCESSLIST WHERE DB = 'parted' AND ID <> CONNECTION_ID()`,
    steps: [
      /^ALTER TABLE `mawps_out_.* REMOVE/,
      /^ALTER TABLE .* EXCHANGE/,
      /^SELECT .* FROM `mawps_out_/,
      /^DROP TABLE `mawps_out_/,
      /^ALTER TABLE .* DROP PARTITION/,
    ],
    taking: /^ALTER TABLE .* EXCHANGE/,
    heard: ["CREATE TRIGGER heard AFTER DELETE ON system_logs FOR EACH ROW SET @heard = 1"],
    deaf: ["DROP TRIGGER heard"],
    partitions: `SELECT PARTITION_NAME AS name FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = 'parted' AND TABLE_NAME = 'system_logs'`,
    tables: `SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'parted' AND TABLE_NAME LIKE 'mawps\\_out%'`,
  },
  fc024: {
    table: "visits",
    rule: "visits",
    waits: false,
    part: [
      "CREATE TABLE visits_2024 PARTITION OF visits FOR VALUES FROM ('2024-01-01 00:00:00+00') TO ('2025-01-01 00:00:00+00')",
    ],
    add: (id: string, day: string, user = "NULL") =>
      `INSERT INTO visits (id, customer_id, created_at) VALUES ('${id}', ${user}, '${day} 00:00:00+00')`,
    person:
      "INSERT INTO customers (id, name, email) VALUES ('11111111-1111-4111-8111-111111111111', 'Max', 'max@example.com')",
    who: "11111111-1111-4111-8111-111111111111",
    partition: "visits_2024",
    kill: `SELECT pg_terminate_backend(pid) AS done FROM pg_stat_activity WHERE datname = 'parted' AND pid <> pg_backend_pid()`,
    steps: [/^ALTER TABLE .* RENAME/, /^DROP TABLE "mawps_out_/, /^DROP TABLE "visits_2024/],
    taking: /^ALTER TABLE .* DETACH/,
    heard: [
      "CREATE FUNCTION heard() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
      "CREATE TRIGGER heard AFTER DELETE ON visits FOR EACH ROW EXECUTE FUNCTION heard()",
    ],
    deaf: ["DROP FUNCTION heard() CASCADE"],
    partitions: `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'visits'::regclass`,
    tables: `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relname LIKE 'mawps\\_out%'`,
  },
};

/** A model of PostgreSQL with a partitioned table: no shipped one has any. */
async function visitsModel(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const model = JSON.parse(await readFile("models/fc024.json", "utf8")) as {
    databases: { crm: Record<string, unknown> };
    entities: Record<string, unknown>;
  };
  const schema = await readFile("models/fc024.sql", "utf8");
  const visits = `CREATE TABLE visits (id text NOT NULL, customer_id uuid, created_at timestamptz NOT NULL, PRIMARY KEY (id, created_at)) PARTITION BY RANGE (created_at);
    CREATE TABLE visits_rest PARTITION OF visits DEFAULT;`;
  await writeFile(join(folder, "visits.sql"), `${schema}\n${visits}\n`);
  const { migrations: _none, ...crm } = model.databases.crm;
  model.databases.crm = { ...crm, schema: "visits.sql" };
  model.entities["visits"] = {
    what: "visits",
    from: { database: "crm", table: "visits" },
    fields: { id: "text", customer_id: "text", created_at: "isoTime" },
    links: [{ subject: "customer", role: "mention", by: "customer_id", find: "key", erase: "null" }],
    expires: [{ id: "visits", what: "visits", after: 365, since: "created_at", do: "delete", by: "run" }],
  };
  const path = join(folder, "visits.json");
  await writeFile(path, JSON.stringify(model));
  return path;
}

/** A copy of a model without rules for a table of its database; answers where it is. */
async function withoutRule(folder: string, from: string, table: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const model = JSON.parse(await readFile(from, "utf8")) as {
    databases: Record<string, { schema: string; migrations?: string }>;
    entities: Record<string, { from: { table?: string }; expires?: unknown }>;
  };
  for (const database of Object.values(model.databases)) {
    const schema = await readFile(join(dirname(from), database.schema));
    await writeFile(join(folder, database.schema), schema);
    delete database.migrations;
  }
  for (const entity of Object.values(model.entities)) if (entity.from.table === table) delete entity.expires;
  const path = join(folder, "ruleless.json");
  await writeFile(path, JSON.stringify(model));
  return path;
}

/** The tests of retention by partitions, in a database of a server that runs. */
export function testPartitions(
  { model, first }: DatabaseSite,
  serverNow: () => DatabaseServer | undefined,
): void {
  const world = logs[model];
  const { table, partition, add } = world;
  let home: TestHome;
  let path: string = model;
  const mawps = (...argv: string[]) =>
    modelSite(home, path, {
      MAWPS_HOME: join(home.folder, "other"),
      MAWPS_DATABASE_URL: serverNow()?.url("parted") ?? "",
    }).run(...argv);
  const on = (...statements: readonly string[]) =>
    onDatabase(serverNow(), "parted", async (sql) => {
      for (const statement of statements) await sql.run(statement);
    });
  const names = (statement: string) =>
    onDatabase(serverNow(), "parted", async (sql) => {
      const rows = await sql.rows(statement);
      return rows.flatMap(({ name }) => name ?? []).toSorted();
    });
  const ids = () => names(`SELECT id AS name FROM ${table}`);
  const state = async () => ({
    ids: await ids(),
    isPartitionThere: (await names(world.partitions)).includes(partition),
    twins: await names(world.tables),
  });
  const gone = { isPartitionThere: false, twins: [] };
  const cut = () =>
    onDatabase(serverNow(), first, async (sql) => {
      for (const { kills } of await sql.rows(world.kill)) if (kills != null) await sql.run(kills);
    });
  /** Ends all connections at the first statement of a kind, as if the process had been killed right before it. */
  const killedAt = async (meant: RegExp) => {
    let isDone = false;
    const end = beforeStatements(meant, () => {
      if (isDone) return undefined;
      isDone = true;
      return cut();
    });
    const died = await mawps("retention", "run", "--yes").finally(end);
    expect([isDone, died.exitCode, died.stderr]).toEqual([
      true,
      1,
      expect.stringContaining("the server ended the connection"),
    ]);
  };
  const archives = async () => {
    const listed = await mawps("backup", "list", "--json");
    return lines(listed.stdout).filter(({ archive }) => archive !== undefined);
  };
  beforeAll(async () => {
    home = await makeHome();
    if (model === "fc024") path = await visitsModel(join(home.folder, "models"));
    const setup = await mawps("setup", "--yes");
    if (setup.exitCode !== 0) throw new Error(setup.stderr);
    await on(world.person);
  });
  afterAll(() => home.remove());
  beforeEach(async () => {
    await on(`DELETE FROM ${table}`);
    if (!(await names(world.partitions)).includes(partition)) await on(...world.part);
    await on(add("a", "2024-05-01"), add("b", "2024-06-01"), add("young", "2026-02-01"));
  });

  test("goes as a whole once its rows are archived, and what is old in another by its rule", async () => {
    await on(add("partly", "2025-01-02"));
    const planned = await mawps("retention", "plan", "--json");
    expect(lines(planned.stdout)).toMatchObject([
      { kind: "partition", action: "purge", rule: world.rule, partition, rows: 2 },
      ...(world.waits ? [] : [{ kind: "row", action: "purge", rule: world.rule }]),
    ]);
    const before = await state();
    for (const argv of [["--dry-run"], ["--yes", "--max-delete", "1"], ["--yes", "--repo", ""]]) {
      const refused = await mawps("retention", "run", ...argv);
      expect([argv, refused.exitCode === 0, await state()]).toEqual([argv, argv[0] === "--dry-run", before]);
    }
    expect(await archives()).toEqual([]);

    const run = await mawps("retention", "run", "--yes", "--json");
    const waiting = world.waits ? ["partly"] : [];
    expect([run.exitCode, JSON.parse(run.stdout)]).toMatchObject([
      0,
      { done: 3 - waiting.length, skipped: [], failed: [] },
    ]);
    expect(await state()).toEqual({ ids: [...waiting, "young"], ...gone });
    const [archive, ...more] = await archives();
    expect([archive, more]).toMatchObject([{ counts: { rows: 2 }, archive: { table, partition } }, []]);
    const id = String(archive?.["id"]);
    const told = lines((await mawps("audit", "list", "--json")).stdout).filter(
      ({ action }) => action === "partition.dropped",
    );
    expect(told.map(({ details }) => details)).toMatchObject([
      { phase: "done", backupId: id, items: 2, name: partition },
      { phase: "begun", items: 2, name: partition },
    ]);

    // It is no backup of the site, stays whatever the policy is, and gives the rows back.
    expect((await mawps("backup", "restore", "--yes")).stderr).toContain("there is no backup");
    expect((await mawps("backup", "prune", "--keep-last", "1", "--yes")).exitCode).toBe(0);
    expect((await mawps("backup", "verify", id, "--all")).exitCode).toBe(0);
    expect((await mawps("backup", "restore", id, "--yes")).exitCode).toBe(0);
    expect(await ids()).toEqual(["a", "b", ...waiting, "young"]);
  });

  test("goes without an archive where that is asked for", async () => {
    const known = (await archives()).length;
    const run = await mawps("retention", "run", "--yes", "--no-archive");
    expect([run.exitCode, await state()]).toEqual([0, { ids: ["young"], ...gone }]);
    expect((await archives()).length).toBe(known);
  });

  test.each(world.steps.map((step) => [step]))(
    "is dropped by the next run where one is killed before %s",
    async (step) => {
      const known = (await archives()).length;
      await killedAt(step);
      const run = await mawps("retention", "run", "--yes", "--json");
      expect([run.exitCode, run.stderr]).toEqual([0, ""]);
      expect(await state()).toEqual({ ids: ["young"], ...gone });
      const made = await archives();
      // Of these rows there is one already.
      expect(made.map(({ counts }) => counts)).toMatchObject(
        Array.from({ length: Math.max(1, known) }, () => ({ rows: 2 })),
      );
    },
  );

  test("is no secret while a killed run has its rows: they are told, backed up, and bar an erasure", async () => {
    await killedAt(/^DROP TABLE .mawps_out_/);
    expect(await state()).toMatchObject({ ids: ["young"], isPartitionThere: true });
    const [twin = ""] = await names(world.tables);
    const doctor = await mawps("doctor", "--json");
    expect([doctor.exitCode, doctor.stdout]).toEqual([4, expect.stringContaining(`has rows of ${table}`)]);
    const erased = await mawps("user", "erase", "max@example.com", "--yes");
    expect([erased.exitCode, erased.stderr]).toEqual([1, expect.stringContaining("mawps retention run")]);
    const created = await mawps("backup", "create", "--with-secrets", "--json");
    const { id } = JSON.parse(created.stdout) as { id: string };
    expect((await mawps("backup", "verify", id, "--all")).exitCode).toBe(0);
    // A row that stays brings all of them back.
    const quoted = model === "lopez" ? `\`${twin}\`` : `"${twin}"`;
    await on(`UPDATE ${quoted} SET created_at = '2026-01-01 00:00:00' WHERE id = 'a'`);
    const planned = lines((await mawps("retention", "plan", "--json")).stdout);
    expect(planned).toMatchObject([{ kind: "partition", action: "put-back", partition, rows: 2 }]);
    const run = await mawps("retention", "run", "--yes", "--json");
    expect([run.exitCode, JSON.parse(run.stdout)]).toMatchObject([0, { done: 2 }]);
    expect(await state()).toEqual({ ids: ["a", "b", "young"], isPartitionThere: true, twins: [] });
    await on(`DELETE FROM ${table}`);
    const restored = await mawps("backup", "restore", id, "--yes");
    expect([restored.exitCode, await ids()]).toEqual([0, ["a", "b", "young"]]);
  });

  test("stays while a person in it is held, and comes back where that is so from the last moment on", async () => {
    await on(add("theirs", "2024-07-01", `'${world.who}'`));
    expect((await mawps("user", "hold", "add", world.who, "--reason", "case 7")).exitCode).toBe(0);
    const planned = lines((await mawps("retention", "plan", "--json")).stdout);
    expect(planned).toContainEqual(
      expect.objectContaining({
        kind: "partition",
        action: "keep",
        reason: expect.stringMatching(/^1 of 3 rows stay, the others go one by one: .*case 7/) as string,
      }),
    );
    expect((await mawps("retention", "run", "--yes")).exitCode).toBe(0);
    expect(await state()).toEqual({ ids: ["theirs", "young"], isPartitionThere: true, twins: [] });
    expect((await mawps("user", "hold", "rm", world.who, "--yes")).exitCode).toBe(0);

    await on(`ALTER TABLE ${table} ADD legal_hold varchar(20)`, add("b", "2024-06-01"));
    const end = beforeStatements(world.taking, () =>
      on(`UPDATE ${table} SET legal_hold = 'case 8' WHERE id = 'b'`),
    );
    const run = await mawps("retention", "run", "--yes", "--json").finally(end);
    expect([run.exitCode, JSON.parse(run.stdout)]).toMatchObject([
      3,
      { done: 0, failed: [{ partition, why: expect.stringContaining("case 8") as string }] },
    ]);
    expect(await state()).toEqual({ ids: ["b", "theirs", "young"], isPartitionThere: true, twins: [] });
  });

  test("whose rows a killed run has taken out come back where they go one by one by now", async () => {
    await killedAt(/^DROP TABLE .mawps_out_/);
    await on(...world.heard);
    const planned = lines((await mawps("retention", "plan", "--json")).stdout);
    expect(planned).toMatchObject([{ kind: "partition", action: "put-back", partition, rows: 2 }]);
    const run = await mawps("retention", "run", "--yes", "--json");
    expect([run.exitCode, JSON.parse(run.stdout)]).toMatchObject([0, { done: 2 }]);
    expect(await state()).toEqual({ ids: ["a", "b", "young"], isPartitionThere: true, twins: [] });
    await on(...world.deaf);
  });

  test("comes back by the next run, too, where the model has no rule for its table any more", async () => {
    await killedAt(/^DROP TABLE .mawps_out_/);
    const whole = path;
    path = await withoutRule(
      join(home.folder, "models"),
      model === "fc024" ? whole : "models/lopez.json",
      table,
    );
    try {
      const barred = await mawps("user", "erase", "max@example.com", "--yes");
      expect([barred.exitCode, barred.stderr]).toEqual([1, expect.stringContaining("mawps retention run")]);
      const planned = lines((await mawps("retention", "plan", "--json")).stdout);
      const due = { kind: "partition", action: "put-back", rule: "none", partition, rows: 2 };
      expect(planned).toMatchObject([due]);
      const run = await mawps("retention", "run", "--yes", "--json");
      expect([run.exitCode, run.stderr, JSON.parse(run.stdout)]).toMatchObject([0, "", { done: 2 }]);
      expect(await state()).toEqual({ ids: ["a", "b", "young"], isPartitionThere: true, twins: [] });
      expect(lines((await mawps("retention", "plan", "--json")).stdout)).toEqual([]);
    } finally {
      path = whole;
    }
  });

  test.runIf(model === "lopez")(
    "that the server does not exchange is told, and all else goes on",
    async () => {
      await on(add("later", "2024-08-01"));
      const end = beforeStatements(world.taking, () =>
        on("ALTER TABLE `mawps_out_system_logs` ADD more int"),
      );
      const run = await mawps("retention", "run", "--yes", "--json").finally(end);
      expect([run.exitCode, JSON.parse(run.stdout)]).toMatchObject([
        3,
        { done: 0, failed: [{ partition, why: expect.stringContaining("ALTER TABLE … FORCE") as string }] },
      ]);
      expect(await state()).toEqual({ ids: ["a", "b", "later", "young"], isPartitionThere: true, twins: [] });
    },
  );
}
