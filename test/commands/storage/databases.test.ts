import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tableSizes } from "../../../src/sql/table-sizes.ts";
import { databaseSites, onDatabase } from "../../support/database-sites.ts";
import type { DatabaseServer } from "../../support/database-server.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

interface Told {
  readonly databases: readonly {
    readonly database: string;
    readonly tables: readonly {
      readonly name: string;
      readonly rows: number | null;
      readonly bytes: number;
      readonly indexBytes: number;
      readonly entities: readonly string[];
    }[];
  }[];
}

/** The whole of a table by the server's other words for it. */
const whole = {
  mysql: "SHOW TABLE STATUS WHERE Engine IS NOT NULL",
  postgres: `SELECT relname AS "Name", pg_total_relation_size(oid) AS bytes FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
} as const;

describe.each(databaseSites)("the tables of $model in mawps storage usage", (site) => {
  let [home, server]: [TestHome | undefined, DatabaseServer | undefined] = [undefined, undefined];
  const name = `sizes_${site.model}`;
  const run = (...argv: string[]) =>
    (home as TestHome).run(argv, {
      env: { MAWPS_MODEL: site.model, MAWPS_DATABASE_URL: server?.url(name) ?? "" },
    });
  beforeAll(async () => {
    if (site.missing !== undefined) return;
    [home, server] = await Promise.all([makeHome(), site.start()]);
  });
  afterAll(async () => {
    await Promise.all([home?.remove(), server?.close()]);
  });

  it.skipIf(site.missing !== undefined)("are told with their indexes, as the server has them", async () => {
    const before = await run("storage", "usage", "--json", "--no-record");
    expect(before.exitCode).toBe(0);
    expect(JSON.parse(before.stdout)).toMatchObject({ databases: [], missing: [`database ${name}`] });
    expect((await run("setup", "--yes")).exitCode).toBe(0);
    // Otherwise MariaDB estimates anew when it likes.
    const counted = site.engine === "mysql" ? " STATS_AUTO_RECALC=0" : "";
    await onDatabase(server, name, async (sql) => {
      await sql.run("CREATE TABLE notes (id int PRIMARY KEY, text varchar(2000), seen int)" + counted);
      await sql.run("CREATE INDEX notes_seen ON notes (seen)");
      const rows = Array.from({ length: 500 }, (_, id) => ({
        id: `${id}`,
        text: "x".repeat(1000),
        seen: "1",
      }));
      const columns = ["id", "text", "seen"].map((column) => ({ name: column, as: "text" as const }));
      await sql.insert({ name: "notes", columns }, rows);
      await sql.rows(site.engine === "mysql" ? "ANALYZE TABLE notes" : "ANALYZE notes");
    });
    const { exitCode, stdout } = await run("storage", "usage", "--json", "--no-record");
    expect(exitCode).toBe(0);
    const [told, ...others] = (JSON.parse(stdout) as Told).databases;
    expect([told?.database, others]).toEqual([name, []]);
    const notes = told?.tables.find((table) => table.name === "notes");
    expect(notes?.entities).toEqual([]);
    expect(notes?.rows).toBeGreaterThan(400);
    expect(notes?.rows).toBeLessThan(600);
    expect(notes?.bytes).toBeGreaterThan(500 * 1000);
    expect(notes?.indexBytes).toBeGreaterThan(4096);
    expect(told?.tables.find((table) => table.name === "users")?.entities).toEqual([
      site.engine === "mysql" ? "users" : "staff",
    ]);
    const known = await onDatabase(server, name, (sql) => sql.rows(whole[site.engine]));
    const bytes = known.map((row): [string, number] => [
      row["Name"] ?? "",
      Number(row["bytes"] ?? Number(row["Data_length"]) + Number(row["Index_length"])),
    ]);
    const sums = told?.tables.map((table): [string, number] => [table.name, table.bytes + table.indexBytes]);
    expect(new Map(sums)).toEqual(new Map(bytes));
    const text = await run("storage", "usage", "--no-record");
    expect(text.stdout).toMatch(new RegExp(`^${name} +notes +≈ ${notes?.rows} +\\d`, "m"));
    const csv = await run("storage", "usage", "--csv", "--no-record");
    expect(csv.stdout).toContain(`database-table,${name},notes,${notes?.rows},${notes?.bytes},`);
    expect(csv.stdout).toContain(`database-indexes,${name},notes,,${notes?.indexBytes},`);
  });

  it.skipIf(site.missing !== undefined)("count the partitions of a table to it", async () => {
    expect((await run("setup", "--yes")).exitCode).toBe(0);
    await onDatabase(server, name, async (sql) => {
      const table = "CREATE TABLE logs (at int NOT NULL, text varchar(200))";
      const parts =
        site.engine === "mysql"
          ? [
              `${table} PARTITION BY RANGE (at) (PARTITION a VALUES LESS THAN (10), PARTITION b VALUES LESS THAN (20))`,
            ]
          : [
              `${table} PARTITION BY RANGE (at)`,
              "CREATE TABLE logs_a PARTITION OF logs FOR VALUES FROM (0) TO (10)",
              "CREATE TABLE logs_b PARTITION OF logs FOR VALUES FROM (10) TO (20)",
              "CREATE INDEX logs_at ON logs (at)",
            ];
      for (const statement of parts) await sql.run(statement);
      await sql.change("INSERT INTO logs VALUES (1, 'a'), (11, 'b'), (12, 'b')", []);
      await sql.rows(site.engine === "mysql" ? "ANALYZE TABLE logs" : "ANALYZE logs");
      const sizes = (await tableSizes(sql, site.engine === "mysql" ? name : "public")).filter((size) =>
        size.name.startsWith("logs"),
      );
      // Two pages of InnoDB; of PostgreSQL one page a partition, and two for each index.
      const expected =
        site.engine === "mysql" ? { bytes: 2 * 16_384 } : { bytes: 2 * 8192, indexBytes: 4 * 8192 };
      expect(sizes).toMatchObject([{ name: "logs", rows: 3, ...expected }]);
    });
  });
});
