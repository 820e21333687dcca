import { createHash } from "node:crypto";
import { CliError, exitCodes } from "../errors.ts";
import { differences, readCatalogue, type Catalogue, type Difference, type Fact } from "../sql/catalogue.ts";
import type { Sql } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import { insertedInto, tableOf } from "../sql/row-change.ts";
import { keyText, someRows } from "../sql/rows.ts";
import { inScratch, mostSeeds, type Seed } from "../sql/scratch.ts";
import { seen, unseenFacts } from "../sql/unseen.ts";
import { inTransaction } from "../sql/transaction.ts";
import { insertsRows, type RegisteredSql, type SqlMigration } from "./sql-files.ts";
import { hasRowChanges, putBackAt, putBacksOf, runAnyStatement, type PutBack } from "./sql-rows.ts";
import { placeOf, runStatement, type Direction } from "./sql-statement.ts";

/** What a server makes of migrations. */
export interface Versions {
  /** The schema before the first of them, and behind each. */
  readonly catalogues: readonly Catalogue[];
  /** The rows that a statement of an `up` puts in, by `placeOf` it. */
  readonly seeds: ReadonlyMap<string, Seed>;
  /** What stands in any of these schemas: the rest of a live one is none of the migrations' business. */
  readonly known: ReadonlySet<Fact>;
  /** How rows that an `up` changed come back, by the migration; told with `proves` alone. */
  readonly putBacks: ReadonlyMap<string, readonly PutBack[]>;
  /** Whether a fact may be of migrations: not what others make, and no partition of a year. */
  isOfMigrations(this: void, fact: Fact): boolean;
}

/** The same without what the account may not see of the live schema, and can compare with nothing. */
export async function withoutUnseen(
  { sql, place }: Pick<Database, "sql" | "place">,
  versions: Versions,
): Promise<Versions> {
  const wanted = new Map(versions.catalogues.flatMap((each) => [...each]));
  const unseen = await unseenFacts(sql, place, { wanted, found: await readCatalogue(sql, place) });
  return {
    ...versions,
    catalogues: versions.catalogues.map((each) => seen(each, unseen)),
    known: new Set([...versions.known].filter((fact) => !unseen.has(fact))),
    isOfMigrations: (fact) => !unseen.has(fact) && versions.isOfMigrations(fact),
  };
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
  const all = registered.map(({ migration }) => migration);
  const putBacks = new Map<string, readonly PutBack[]>();
  for (const migration of proves ? all : []) {
    if (!hasRowChanges(migration, sql.engine)) continue;
    const states = (direction: Direction) =>
      statesWithin({ sql, scratch, place }, registered, { migration, direction });
    const both = { up: await states("up"), down: await states("down") };
    putBacks.set(migration.id, putBacksOf(migration, both, sql.engine));
  }
  return inScratch(sql, { ...scratch, like: place }, async (name) => {
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
        const one = { id, direction: "up" as const, at, statement };
        const run = () => runAnyStatement(sql, { ...one, place: name });
        if (insertsRows(statement))
          seeds.set(placeOf({ id, at }), await seedOf(sql, { name, statement, run }));
        else await run();
      }
      catalogues.push(await readCatalogue(sql, name));
    }
    const known = new Set(catalogues.flatMap((each) => [...each.keys()]).filter(isOfMigrations));
    const versions = catalogues.map((each) => narrowed(each, known));
    for (const [at, { id, down }] of proves ? [...all.entries()].toReversed() : []) {
      const bringBack = async (point: number) => {
        const act = () => putBackAt({ sql, place: name }, putBacks.get(id) ?? [], point);
        const { left } = sql.engine === "postgres" ? await inTransaction(sql, "COMMIT", act) : await act();
        if (left.length > 0) throw notBack(id, left);
      };
      for (const [point, statement] of down.entries()) {
        await bringBack(point);
        await runStatement(sql, { id, direction: "down", at: point, statement });
      }
      await bringBack(down.length);
      const left = narrowed(await readCatalogue(sql, name), isOfMigrations);
      const different = differences(versions[at] ?? new Map(), left);
      if (different.length === 0) continue;
      throw new CliError(`${id}.down.sql does not lead back to the schema before it:`, {
        exitCode: exitCodes.usage,
        details: differenceTexts(different),
        hint: "it was tried in a scratch database; nothing else was changed",
      });
    }
    return { catalogues: versions, seeds, known, putBacks, isOfMigrations };
  });
}

/** Rows that migrations themselves put in are there in a scratch database: these have to come back. */
function notBack(id: string, left: readonly { readonly table: string; readonly key: string }[]): CliError {
  return new CliError(`${id}.down.sql does not bring back the rows that its up changed:`, {
    exitCode: exitCodes.usage,
    details: left.slice(0, mostTold).map(({ table, key }) => `${table} ${key}`),
    hint: "it was tried in a scratch database; nothing else was changed",
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
        await runAnyStatement(sql, { id: each.id, direction: "up", at, statement, place: name });
    }
    const states = [await readCatalogue(sql, name)];
    for (const [at, statement] of migration[direction].entries()) {
      await runAnyStatement(sql, { id: migration.id, direction, at, statement, place: name });
      states.push(await readCatalogue(sql, name));
    }
    return states;
  });
}

/** The rows that a statement puts in, of which each key stands in it: one that the server makes up is another each time. */
async function seedOf(
  sql: Sql,
  { name, statement, run }: { name: string; statement: string; run: () => Promise<void> },
): Promise<Seed> {
  const into = insertedInto(statement, sql.engine);
  const table = into && tableOf(await readCatalogue(sql, name), sql.engine, into);
  const begin = statement.slice(0, 60).replaceAll(/\s+/g, " ");
  if (table === undefined) {
    throw new CliError(`\`${begin}\` puts rows into something that is no table`, {
      exitCode: exitCodes.usage,
    });
  }
  const rowsNow = async () => someRows(sql, table, mostSeeds + 1);
  const before = await rowsNow();
  await run();
  const there = new Set(before.map((row) => keyText(table, row)));
  const rows = (await rowsNow()).filter((row) => !there.has(keyText(table, row)));
  const isNamed = rows.every((row) =>
    table.key.every((column) => statement.includes(`'${row[column] ?? ""}'`)),
  );
  if (table.key.length > 0 && isNamed && before.length + rows.length <= mostSeeds) return { table, rows };
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
