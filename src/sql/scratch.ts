import { readCatalogue, type Catalogue } from "./catalogue.ts";
import type { Row, Sql } from "./connection.ts";
import { rowTables, someRows, type RowTable } from "./rows.ts";
import { statementsIn } from "./statements.ts";

const prefix = "mawps_scratch_";
/** Of databases into which backups are restored on trial. */
export const trialPrefix = "mawps_trial_";
/** What is older was left behind by a process that was killed. */
const leftAfterSeconds = 24 * 3600;

export interface ScratchOptions {
  readonly now: Date;
  /** Makes the name that of nobody else. */
  readonly random: string;
}

/** Rows that a schema file puts into a table, to be there from the first day. */
export interface Seed {
  readonly table: RowTable;
  readonly rows: readonly Row[];
}

export interface Wanted {
  readonly catalogue: Catalogue;
  readonly seeds: readonly Seed[];
}

const mostSeeds = 1000;

/**
 * Loads a SQL file into a database (PostgreSQL: a schema) of its own, which is dropped in the end, and tells what the server
 * then says of it: no parser of ours has to agree with the server's. What earlier ones left behind is dropped too.
 */
export async function loadScratch(sql: Sql, file: string, { now, random }: ScratchOptions): Promise<Wanted> {
  const seconds = Math.floor(now.getTime() / 1000);
  const name = `${prefix}${seconds}_${random}`;
  await dropLeftOvers(sql, seconds);
  const before = await currentPlace(sql);
  await sql.run(`CREATE ${noun(sql)} ${sql.quoted(name)}`);
  try {
    await moveTo(sql, name);
    for (const statement of statementsIn(file, sql.engine)) await sql.run(statement);
    const catalogue = await readCatalogue(sql, name);
    const seeds: Seed[] = [];
    for (const table of rowTables(catalogue, sql.engine)) {
      const rows = await someRows(sql, table, mostSeeds);
      if (rows.length > 0) seeds.push({ table, rows });
    }
    return { catalogue, seeds };
  } finally {
    await sql.run(dropping(sql, name));
    await moveTo(sql, before);
  }
}

/** Makes a database (PostgreSQL: a schema) the one that statements without a name mean. */
export async function moveTo(sql: Sql, name: string | undefined): Promise<void> {
  if (name === undefined) return;
  await sql.run(
    sql.engine === "mysql" ? `USE ${sql.quoted(name)}` : `SET search_path TO ${sql.quoted(name)}`,
  );
}

/** The database (PostgreSQL: the schema) that statements without a name mean. */
async function currentPlace(sql: Sql): Promise<string | undefined> {
  const [row] = await sql.rows(
    sql.engine === "mysql" ? "SELECT DATABASE() AS name" : "SELECT current_schema() AS name",
  );
  return row?.["name"] ?? undefined;
}

async function dropLeftOvers(sql: Sql, seconds: number): Promise<void> {
  const isOld = (name: string) => {
    const [, made] = /^mawps_(?:scratch|trial)_(\d+)_[\da-f]+(?:_.*)?$/s.exec(name) ?? [];
    return made !== undefined && Number(made) < seconds - leftAfterSeconds;
  };
  for (const name of await namesOn(sql, "SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA"))
    if (isOld(name)) await sql.run(dropping(sql, name));
  if (sql.engine === "mysql") return;
  for (const name of await namesOn(sql, "SELECT datname AS name FROM pg_database"))
    if (isOld(name)) await sql.run(`DROP DATABASE IF EXISTS ${sql.quoted(name)}`);
}

async function namesOn(sql: Sql, statement: string): Promise<string[]> {
  return (await sql.rows(statement)).map(({ name }) => name ?? "");
}

function dropping(sql: Sql, name: string): string {
  return `DROP ${noun(sql)} IF EXISTS ${sql.quoted(name)}${sql.engine === "postgres" ? " CASCADE" : ""}`;
}

function noun({ engine }: Sql): string {
  return engine === "mysql" ? "DATABASE" : "SCHEMA";
}
