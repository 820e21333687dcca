import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rowParents } from "../../src/backup/row-parents.ts";
import { readCatalogue } from "../../src/sql/catalogue.ts";
import type { Row } from "../../src/sql/connection.ts";
import { rowTables } from "../../src/sql/row-table.ts";
import { noMariadb, startMariadb, type DatabaseServer } from "../support/database-server.ts";
import { onDatabase } from "../support/database-sites.ts";

/** Rows of the backup; in the database are `there` and `Écrit` alone. */
const backedUp = ["there", "écrit", "lost", "Straße"];

describe.skipIf(noMariadb !== undefined)(`what rows point at, by a collation ${noMariadb ?? ""}`, () => {
  let server: DatabaseServer | undefined;
  beforeAll(async () => {
    server = await startMariadb();
    await onDatabase(server, "mysql", (sql) => sql.run("CREATE DATABASE letters"));
  });
  afterAll(() => server?.close());

  /** What becomes of a row that points at each of the ids. */
  const statesOf = (collation: string, ids: readonly string[]) =>
    onDatabase(server, "letters", async (sql) => {
      await sql.run("DROP TABLE IF EXISTS children, parents");
      const id = `varchar(40) CHARACTER SET utf8mb4 COLLATE ${collation}`;
      await sql.run(`CREATE TABLE parents (id ${id} PRIMARY KEY)`);
      await sql.run(
        `CREATE TABLE children (id int PRIMARY KEY, parent ${id}, FOREIGN KEY (parent) REFERENCES parents (id))`,
      );
      await sql.run("INSERT INTO parents VALUES ('there'), ('Écrit')");
      const catalogue = await readCatalogue(sql, "letters");
      const tables = rowTables(catalogue, "mysql");
      const child = tables.find(({ name }) => name === "children");
      const parent = tables.find(({ name }) => name === "parents");
      if (child === undefined || parent === undefined) throw new Error("a table is missing");
      async function* read(): AsyncGenerator<readonly Row[]> {
        for (const each of backedUp) yield [{ id: each }];
      }
      const parents = rowParents({
        sql,
        catalogue,
        tables,
        read: (name) => (name === "parents" ? read() : undefined),
        fateOf: () => "along",
      });
      const rows = ids.map((each, at) => ({ id: String(at), parent: each }));
      for (const row of rows) parents.ask(child, row);
      const isMissing = await parents.resolve();
      const obstacles = rows.map((row) => parents.obstacle(child, row));
      const along = backedUp.filter((each) => parents.isAlong(parent, { id: each }));
      // What keeps one of them away keeps all away that the server takes for it.
      for (const each of along) parents.keepAway(parent, { id: each }, "is kept away");
      const kept = rows.flatMap((row, at) =>
        obstacles[at] === undefined && parents.obstacle(child, row) !== undefined ? [row.parent] : [],
      );
      return { isMissing, left: ids.filter((_, at) => obstacles[at] !== undefined), along, kept };
    });

  const ids = ["THERE", "ecrit", "lost", "LOST", "strasse", "nowhere"];

  it("takes letters for the same where the server does", async () => {
    expect(await statesOf("utf8mb4_unicode_ci", ids)).toEqual({
      isMissing: true,
      left: ["nowhere"],
      along: ["lost", "Straße"],
      kept: ["lost", "LOST", "strasse"],
    });
    expect(await statesOf("utf8mb4_unicode_ci", ["There", "ÉCRIT"])).toMatchObject({ isMissing: false });
  });

  it("tells them apart where the server does", async () => {
    expect(await statesOf("utf8mb4_bin", [...ids, "there"])).toEqual({
      isMissing: true,
      left: ["THERE", "ecrit", "LOST", "strasse", "nowhere"],
      along: ["lost"],
      kept: ["lost"],
    });
  });
});
