import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCatalogue } from "../../../src/sql/catalogue.ts";
import { rowTables } from "../../../src/sql/row-table.ts";
import type { DatabaseServer } from "../../support/database-server.ts";
import { onDatabase, type DatabaseSite } from "../../support/database-sites.ts";
import { modelSite } from "../../support/model-site.ts";
import { makeHome, type TestHome } from "../../support/world.ts";
import { customer, literal, worlds } from "./database-people.ts";

const database = "hostile";
/** Ends a text, an identifier, a comment and a body, and then does harm, wherever it is not a value. */
const hostile = "'; DROP TABLE users; -- \" ` \\ ? $1 $$ /* {x} \u0007";

/** The tests of texts that are statements, in every column of every table that takes them. */
export function testHostile(
  { model, engine }: DatabaseSite,
  serverNow: () => DatabaseServer | undefined,
): void {
  const person = model === "lopez" ? "max@example.com" : customer;
  let home: TestHome;
  let filled: { readonly table: string; readonly column: string }[] = [];
  const site = () =>
    modelSite(home, model, {
      MAWPS_HOME: join(home.folder, "other"),
      MAWPS_DATABASE_URL: serverNow()?.url(database) ?? "",
    });
  const catalogueNow = () =>
    onDatabase(serverNow(), database, (sql) => readCatalogue(sql, engine === "mysql" ? database : "public"));
  /** How many rows of each column have the text. */
  const counts = () =>
    onDatabase(serverNow(), database, async (sql) => {
      const mark = engine === "mysql" ? "?" : "$1";
      const found: Record<string, string> = {};
      for (const { table, column } of filled) {
        const name = sql.quoted(column);
        const statement = `SELECT COUNT(*) AS n FROM ${sql.quoted(table)} WHERE ${name} = ${mark}`;
        found[`${table}.${column}`] = (await sql.rows(statement, [hostile]))[0]?.["n"] ?? "";
      }
      return found;
    });
  beforeAll(async () => {
    home = await makeHome();
    const setup = await site().run("setup", "--yes");
    if (setup.exitCode !== 0) throw new Error(setup.stderr);
    await onDatabase(serverNow(), database, async (sql) => {
      for (const statement of worlds[model].rows) await sql.run(statement);
    });
    const catalogue = await catalogueNow();
    const constraints = [...catalogue].filter(
      ([fact, text]) => /^(check|index) /.test(fact) && /^UNIQUE|check /i.test(`${text} ${fact}`),
    );
    filled = rowTables(catalogue, engine).flatMap(({ name: table, columns, key, parents }) =>
      columns.flatMap(({ name: column, type }) => {
        const isText = /^(varchar\((\d{3,})\)|character varying\((\d{3,})\)|(long)?text)/.test(type);
        const isTied =
          key.includes(column) ||
          parents.some((parent) => parent.column === column) ||
          constraints.some(
            ([fact, text]) => fact.includes(` ${table}.`) && new RegExp(`\\b${column}\\b`).test(text),
          );
        return isText && !isTied ? [{ table, column }] : [];
      }),
    );
    await onDatabase(serverNow(), database, async (sql) => {
      const escaped = engine === "mysql" ? literal(hostile) : `E${literal(hostile)}`;
      for (const { table, column } of filled)
        await sql.run(`UPDATE ${sql.quoted(table)} SET ${sql.quoted(column)} = ${escaped}`);
    });
  });
  afterAll(() => home.remove());

  test("are values in every command, and harm nothing", async () => {
    const before = await counts();
    expect(filled.length).toBeGreaterThan(model === "lopez" ? 20 : 5);
    const tables = [...(await catalogueNow()).keys()].toSorted();
    for (const argv of [
      ["user", "list", "--json"],
      ["user", "show", person],
      ["user", "orphans", "--json"],
      ["user", "export", person, "-o", "all.zip"],
      ["retention", "plan", "--json"],
      ["backup", "create", "--with-secrets"],
      ["backup", "verify"],
    ]) {
      const { exitCode, stdout, stderr } = await site().run(...argv);
      expect([argv, exitCode, exitCode === 0 ? "" : stderr]).toEqual([argv, 0, ""]);
      expect([argv, `${stdout}${stderr}`.includes("\u0007")]).toEqual([argv, false]);
    }
    expect(await counts()).toEqual(before);
    const erased = await site().run("user", "erase", person, "--deep", "--yes");
    expect([erased.exitCode, erased.exitCode === 0 ? "" : erased.stderr]).toEqual([0, ""]);
    const behind = await counts();
    const total = (all: Record<string, string>) => Object.values(all).reduce((sum, n) => sum + Number(n), 0);
    expect(total(behind)).toBeLessThan(total(before));
    const back = await site().run(
      "backup",
      "restore",
      "--only",
      "databases",
      "--on-conflict",
      "replace",
      "--yes",
    );
    expect([back.exitCode, back.exitCode === 0 ? "" : back.stderr]).toEqual([0, ""]);
    // Of who was erased nothing comes back, of others all is as it was.
    expect(await counts()).toEqual(behind);
    expect([...(await catalogueNow()).keys()].toSorted()).toEqual(tables);
  });
}
