import { CliError } from "../errors.ts";
import { readCatalogue, type Catalogue, type Fact } from "./catalogue.ts";
import type { Row, Sql } from "./connection.ts";
import { rowTables, type RowTable } from "./row-table.ts";
import { someRows } from "./rows.ts";
import { schemaStatements } from "./schema-file.ts";

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

/** A statement of the file, and the facts that were not there before it. */
export interface Effect {
  readonly statement: string;
  readonly makes: readonly Fact[];
}

export interface Wanted {
  readonly catalogue: Catalogue;
  readonly effects: readonly Effect[];
  readonly seeds: readonly Seed[];
}

/** Rows that a file puts into one table. */
export const mostSeeds = 1000;

/**
 * Does something in a database (PostgreSQL: a schema) of its own, which statements without a name mean meanwhile and which is
 * dropped in the end; what earlier ones left behind is dropped too.
 * @param options `like`: a database whose character set it has; without one it has the one of databases that the tool makes.
 */
export async function inScratch<T>(
  sql: Sql,
  options: ScratchOptions & { readonly like?: string },
  act: (name: string) => Promise<T>,
): Promise<T> {
  const { now, like } = options;
  const name = nameBehind(prefix, options);
  await dropLeftOvers(sql, Math.floor(now.getTime() / 1000));
  const before = await currentPlace(sql);
  const letters = sql.engine === "mysql" ? ` ${await lettersLike(sql, like)}` : "";
  await sql.run(`CREATE ${noun(sql)} ${sql.quoted(name)}${letters}`);
  try {
    await moveTo(sql, name);
    const result = await act(name);
    if ((await currentPlace(sql)) !== name)
      throw new RangeError("a statement of the file has left the scratch database");
    return result;
  } finally {
    await sql.run(dropping(sql, name));
    await moveTo(sql, before);
  }
}

/** The character set of a database of MySQL, which tables have that name none; as the tool makes databases where there is no such one. */
async function lettersLike(sql: Sql, name: string | undefined): Promise<string> {
  const [row] = await sql.rows(
    "SELECT DEFAULT_CHARACTER_SET_NAME AS letters, DEFAULT_COLLATION_NAME AS collation FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?",
    [name ?? ""],
  );
  const { letters, collation } = row ?? {};
  return typeof letters !== "string" || typeof collation !== "string"
    ? "CHARACTER SET utf8mb4"
    : `CHARACTER SET ${sql.quoted(letters)} COLLATE ${sql.quoted(collation)}`;
}

/** Loads a SQL file into a scratch database, and tells what the server then says of it: no parser of ours has to agree with it. */
export async function loadScratch(sql: Sql, file: string, options: ScratchOptions): Promise<Wanted> {
  const statements = schemaStatements(file, sql.engine);
  return inScratch(sql, options, async (name) => {
    const seen: { statement: string; makes: readonly Fact[] | undefined }[] = [];
    for (const statement of statements) {
      // What most statements make is plain from the name in them: the catalogue need not be read around each.
      const isPlain = plain.test(statement) || /^INSERT\b/i.test(statement);
      const before = isPlain ? undefined : await readCatalogue(sql, name);
      await sql.run(statement);
      const after = before === undefined ? undefined : await readCatalogue(sql, name);
      seen.push({
        statement,
        makes: after && [...after.keys()].filter((fact) => before?.has(fact) !== true),
      });
    }
    const catalogue = await readCatalogue(sql, name);
    const effects = seen.map(({ statement, makes }) => ({
      statement,
      makes: makes ?? plainFacts(statement, catalogue),
    }));
    return { catalogue, effects, seeds: await readSeeds(sql, catalogue) };
  });
}

/** All rows that are there, each table with the rows it has. @throws CliError for more than a file would put in. */
async function readSeeds(sql: Sql, catalogue: Catalogue): Promise<Seed[]> {
  const seeds: Seed[] = [];
  for (const table of rowTables(catalogue, sql.engine)) {
    const rows = await someRows(sql, table, mostSeeds + 1);
    if (rows.length > mostSeeds)
      throw new CliError(`the model's SQL file puts more than ${mostSeeds} rows into ${table.name}`);
    if (rows.length > 0) seeds.push({ table, rows });
  }
  return seeds;
}

const plain =
  /^CREATE\s+(?:OR\s+REPLACE\s+)?(?:UNIQUE\s+)?(TABLE|VIEW|FUNCTION|TRIGGER|INDEX)\s+(?:IF\s+NOT\s+EXISTS\s+)?([`"]?)(\w+)\2(?=[\s(])(?!\s+\w+\s+ON\b)(?:\s+ON\s+[`"]?(\w+))?/i;

/** What a statement makes by the name in it, as the server calls it; a table with all that is its own. */
function plainFacts(statement: string, catalogue: Catalogue): Fact[] {
  const [, noun = "", , name = "", table] = plain.exec(statement) ?? [];
  const kind = noun.toLowerCase();
  const named = new Set([name, name.toLowerCase()]);
  const on = table === undefined ? [] : [table, table.toLowerCase()];
  return [...catalogue.keys()].filter((fact) => {
    const [what, ...rest] = fact.split(" ");
    if (what !== kind) return false;
    const [first, second] = rest.join(" ").split(".");
    if (second === undefined) return named.has(first ?? "");
    return named.has(second) && (on.length === 0 || on.includes(first ?? ""));
  });
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

/** Of a database into which a backup is restored on trial. Pure. */
export function trialName(options: ScratchOptions): string {
  return nameBehind(trialPrefix, options);
}

/** With the time by which it is told to be left behind. */
function nameBehind(begin: string, { now, random }: ScratchOptions): string {
  return `${begin}${Math.floor(now.getTime() / 1000)}_${random}`;
}

/** Whether a database or schema was left behind by a process that was killed. Pure. */
export function isLeftOver(name: string, seconds: number): boolean {
  const [, made] = /^mawps_(?:scratch|trial)_(\d+)_[\da-f]+(?:_.*)?$/s.exec(name) ?? [];
  return made !== undefined && Number(made) < seconds - leftAfterSeconds;
}

async function dropLeftOvers(sql: Sql, seconds: number): Promise<void> {
  for (const name of await namesOn(sql, "SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA"))
    if (isLeftOver(name, seconds)) await droppedIfAllowed(sql, dropping(sql, name));
  if (sql.engine === "mysql") return;
  for (const name of await namesOn(sql, "SELECT datname AS name FROM pg_database"))
    if (isLeftOver(name, seconds)) await droppedIfAllowed(sql, `DROP DATABASE IF EXISTS ${sql.quoted(name)}`);
}

/** What another user left behind is theirs to drop, and what is in use is not left behind. */
async function droppedIfAllowed(sql: Sql, statement: string): Promise<void> {
  await sql.run(statement).catch((error: unknown) => {
    if (!(error instanceof CliError)) throw error;
  });
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
