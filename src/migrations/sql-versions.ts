import { createHash } from "node:crypto";
import { CliError, exitCodes } from "../errors.ts";
import { differences, readCatalogue, type Catalogue, type Difference, type Fact } from "../sql/catalogue.ts";
import type { Sql } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import { rowTables } from "../sql/row-table.ts";
import { keyText, someRows } from "../sql/rows.ts";
import { inScratch, mostSeeds, type Seed } from "../sql/scratch.ts";
import { insertsRows, type RegisteredSql, type SqlMigration } from "./sql-files.ts";

export type Direction = "up" | "down";

/** What a server makes of migrations. */
export interface Versions {
  /** The schema before the first of them, and behind each. */
  readonly catalogues: readonly Catalogue[];
  /** The rows that a statement of an `up` puts in, by `placeOf` it. */
  readonly seeds: ReadonlyMap<string, Seed>;
  /** What stands in any of these schemas: the rest of a live one is none of the migrations' business. */
  readonly known: ReadonlySet<Fact>;
  /** Whether a fact may be of migrations: not what others make, and no partition of a year. */
  isOfMigrations(this: void, fact: Fact): boolean;
}

/** A table that is made only where it is missing belongs to others, as the file of a model has it. */
const ofOthers = /^CREATE\s+TABLE\s+IF\s+NOT\s+EXISTS\b/i;
/** Partitions of a year come and go beside migrations. */
const ofYear = /^partition .+\.p\d{4}$/;

/**
 * Runs all migrations in a scratch database. With `proves` it takes them back there, the newest first: each must lead to the schema
 * that was there before it, so that it is known of each `down` that it works before any `up` is run.
 * @throws CliError (usage) naming the statement that the server refuses, and what a `down` leaves otherwise.
 */
export async function loadVersions(
  { sql, scratch, place }: Pick<Database, "sql" | "scratch" | "place">,
  registered: readonly RegisteredSql[],
  { proves }: { readonly proves: boolean },
): Promise<Versions> {
  return inScratch(sql, { ...scratch, like: place }, async (name) => {
    const all = registered.map(({ migration }) => migration);
    for (const { id, up } of all) {
      for (const [at, statement] of up.entries())
        if (ofOthers.test(statement)) await runStatement(sql, { id, direction: "up", at, statement });
    }
    const before = await readCatalogue(sql, name);
    const isOfMigrations = (fact: Fact) => !before.has(fact) && !ofYear.test(fact);
    const catalogues = [before];
    const seeds = new Map<string, Seed>();
    for (const migration of all) {
      for (const [at, statement] of migration.up.entries()) {
        const { id } = migration;
        const run = () => runStatement(sql, { id, direction: "up", at, statement });
        if (insertsRows(statement))
          seeds.set(placeOf({ id, at }), await seedOf(sql, { name, statement, run }));
        else await run();
      }
      catalogues.push(await readCatalogue(sql, name));
    }
    const known = new Set(catalogues.flatMap((each) => [...each.keys()]).filter(isOfMigrations));
    const versions = catalogues.map((each) => narrowed(each, known));
    for (const [at, { id, down }] of proves ? [...all.entries()].toReversed() : []) {
      for (const [place, statement] of down.entries())
        await runStatement(sql, { id, direction: "down", at: place, statement });
      const left = narrowed(await readCatalogue(sql, name), isOfMigrations);
      const different = differences(versions[at] ?? new Map(), left);
      if (different.length === 0) continue;
      throw new CliError(`${id}.down.sql does not lead back to the schema before it:`, {
        exitCode: exitCodes.usage,
        details: differenceTexts(different),
        hint: "it was tried in a scratch database; nothing else was changed",
      });
    }
    return { catalogues: versions, seeds, known, isOfMigrations };
  });
}

/** The schema before each statement of a migration, and behind the last, by running those before it in a scratch database. */
export async function statesWithin(
  { sql, scratch, place }: Pick<Database, "sql" | "scratch" | "place">,
  registered: readonly RegisteredSql[],
  { migration, direction }: { readonly migration: SqlMigration; readonly direction: Direction },
): Promise<readonly Catalogue[]> {
  return inScratch(sql, { ...scratch, like: place }, async (name) => {
    const until = registered.findIndex(({ migration: { id } }) => id === migration.id);
    for (const { migration: each } of registered.slice(0, direction === "up" ? until : until + 1)) {
      for (const [at, statement] of each.up.entries())
        await runStatement(sql, { id: each.id, direction: "up", at, statement });
    }
    const states = [await readCatalogue(sql, name)];
    for (const [at, statement] of migration[direction].entries()) {
      await runStatement(sql, { id: migration.id, direction, at, statement });
      states.push(await readCatalogue(sql, name));
    }
    return states;
  });
}

export interface Statement {
  readonly id: string;
  readonly direction: Direction;
  /** Counted from 0. */
  readonly at: number;
  readonly statement: string;
}

/** Where a statement of an `up` stands. Pure. */
export function placeOf({ id, at }: Pick<Statement, "id" | "at">): string {
  return `${id} ${at}`;
}

/** Runs one, however long it takes. @throws CliError that says which it was, and where the server's own has no hint what then. */
export async function runStatement(
  sql: Sql,
  { id, direction, at, statement }: Statement,
  then = "it was tried in a scratch database; nothing else was changed",
): Promise<void> {
  try {
    await sql.runLong(statement);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const { hint = then, exitCode, cause } = error;
    const message = `${id}.${direction}.sql, statement ${at + 1}: ${error.message}`;
    throw new CliError(message, { exitCode, hint, cause });
  }
}

/** The rows that a statement puts in, of which each key stands in it: one that the server makes up is another each time. */
async function seedOf(
  sql: Sql,
  { name, statement, run }: { name: string; statement: string; run: () => Promise<void> },
): Promise<Seed> {
  const [, , into = ""] = /^INSERT\s+INTO\s+([`"]?)(\w+)\1/i.exec(statement) ?? [];
  const tables = rowTables(await readCatalogue(sql, name), sql.engine);
  const table = tables.find((each) => each.name === into || each.name === into.toLowerCase());
  const rowsNow = async () => (table === undefined ? [] : someRows(sql, table, mostSeeds + 1));
  const before = await rowsNow();
  await run();
  if (table === undefined) return { table: { name: into, columns: [], key: [], parents: [] }, rows: [] };
  const there = new Set(before.map((row) => keyText(table, row)));
  const rows = (await rowsNow()).filter((row) => !there.has(keyText(table, row)));
  const isNamed = rows.every((row) =>
    table.key.every((column) => statement.includes(`'${row[column] ?? ""}'`)),
  );
  if (table.key.length > 0 && isNamed && before.length + rows.length <= mostSeeds) return { table, rows };
  const begin = statement.slice(0, 60).replaceAll(/\s+/g, " ");
  throw new CliError(`\`${begin}\` puts in rows whose keys do not stand in it, or more than ${mostSeeds}`, {
    exitCode: exitCodes.usage,
    hint: "a migration that is run again puts in what is missing: it has to find each row by its primary key, as a text in quotes",
  });
}

/** What concerns migrations of a catalogue. Pure. */
export function narrowed(
  catalogue: Catalogue,
  known: ReadonlySet<Fact> | ((fact: Fact) => boolean),
): Catalogue {
  const isKnown = typeof known === "function" ? known : (fact: Fact) => known.has(fact);
  return new Map([...catalogue].filter(([fact]) => isKnown(fact)));
}

/** The same for equal catalogues alone: 64 hexadecimal digits. Pure. */
export function fingerprint(catalogue: Catalogue): string {
  const facts = [...catalogue].map(([fact, text]) => JSON.stringify([fact, text])).sort();
  return createHash("sha256").update(facts.join("\n")).digest("hex");
}

const mostTold = 10;

/** The first differences in words. Pure. */
export function differenceTexts(different: readonly Difference[]): string[] {
  return different.slice(0, mostTold).map(({ fact, is, found, wanted }) => {
    if (is === "missing") return `${fact} is missing`;
    return is === "additional" ? `${fact} is there` : `${fact} is ${found ?? ""}; should be ${wanted ?? ""}`;
  });
}
