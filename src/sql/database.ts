import { CliError } from "../errors.ts";
import { addressText, type Address, type Engine } from "./address.ts";
import { openSql, type Opening, type Sql } from "./connection.ts";
import { moveTo } from "./scratch.ts";

/** What a model says of a database. */
export interface DeclaredDatabase {
  readonly role: string;
  readonly engine: Engine;
  readonly name: string;
  /** The text of its SQL file. */
  readonly file: string;
}

/** A database of a site, with a connection to its server. */
export interface Database {
  readonly role: string;
  readonly engine: Engine;
  readonly name: string;
  /** What statements without a name mean: the database (MySQL), a schema in it (PostgreSQL). */
  readonly place: string;
  readonly isThere: boolean;
  /** The text of the model's SQL file. */
  readonly file: string;
  readonly sql: Sql;
}

/** In which every PostgreSQL server lets a user begin, and the schema that statements mean there. */
const firstDatabase = "postgres";
const firstSchema = "public";

/**
 * Opens a declared database at an address; that it is not there yet is no fault: `isThere` says so. The name in the address
 * goes before the model's.
 * @throws CliError where the server cannot be reached or used.
 */
export async function openDatabase(
  declared: DeclaredDatabase,
  address: Address,
  opening: Opening,
): Promise<Database> {
  const name = address.database ?? declared.name;
  const { role, engine, file } = declared;
  const known = { role, engine, name, file, place: engine === "mysql" ? name : firstSchema };
  const named = { ...address, database: name };
  const where = addressText(named);
  if (engine === "mysql") {
    const sql = await openSql({ ...named, database: undefined }, where, opening);
    const statement = "SELECT 1 AS found FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?";
    const isThere = (await sql.rows(statement, [name])).length > 0;
    if (isThere) await moveTo(sql, name);
    return { ...known, isThere, sql };
  }
  try {
    return { ...known, isThere: true, sql: await openSql(named, where, opening) };
  } catch (error) {
    if (!isUnknownDatabase(error)) throw error;
    const sql = await openSql({ ...named, database: firstDatabase }, where, opening);
    return { ...known, isThere: false, sql };
  }
}

/** Makes the database, and answers the same one, open. The connection before is closed where another is needed. */
export async function makeDatabase(
  database: Database,
  address: Address,
  opening: Opening,
): Promise<Database> {
  const { sql, name, engine } = database;
  if (engine === "mysql") {
    await sql.run(`CREATE DATABASE ${sql.quoted(name)} CHARACTER SET utf8mb4`);
    await moveTo(sql, name);
    return { ...database, isThere: true };
  }
  await sql.run(`CREATE DATABASE ${sql.quoted(name)}`);
  await sql.close();
  const opened = await openSql({ ...address, database: name }, sql.where, opening);
  return { ...database, isThere: true, sql: opened };
}

/** PostgreSQL's code for a database that is not there. */
function isUnknownDatabase(error: unknown): boolean {
  const { cause } = error as CliError;
  return error instanceof CliError && (cause as { readonly code?: unknown } | undefined)?.code === "3D000";
}
