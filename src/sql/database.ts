import { addressText, type Address, type Engine, type ServerAddress } from "./address.ts";
import { openSql, type Opening, type Sql } from "./connection.ts";
import { serverCode } from "./explain.ts";
import { moveTo, trialPrefix, type ScratchOptions } from "./scratch.ts";

/** What a model says of a database. */
export interface DeclaredDatabase {
  readonly role: string;
  readonly engine: Engine;
  readonly name: string;
  /** The text of its SQL file. */
  readonly file: string;
  /** Reads its migrations: texts by the names of their files. Undefined where the model names none. */
  readonly migrations: (() => Promise<Readonly<Record<string, string>>>) | undefined;
  /** Names the scratch database into which the file is read. */
  readonly scratch: ScratchOptions;
}

/** A database of a site, with a connection to its server. */
export interface Database extends DeclaredDatabase {
  /** What statements without a name mean: the database (MySQL), a schema in it (PostgreSQL). */
  readonly place: string;
  readonly isThere: boolean;
  readonly sql: Sql;
  /** Of the server, with user and password: for programs that speak to it too. Undefined where there is no server. */
  readonly address?: ServerAddress | undefined;
  /** Makes the database; from then on `sql` means it. */
  make(): Promise<void>;
  /** Drops a database that was made on trial. @throws RangeError for any other. */
  drop(): Promise<void>;
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
  if ("folder" in address) return (await import("./embedded.ts")).openEmbedded(declared, address, opening);
  const name = address.database ?? declared.name;
  const { engine } = declared;
  const place = engine === "mysql" ? name : firstSchema;
  const named = { ...address, database: name };
  const where = addressText(named);
  const opened = await openOrFirst(engine, named, { where, opening });
  let { sql, isThere } = opened;
  return {
    ...declared,
    name,
    place,
    address,
    get sql() {
      return sql;
    },
    get isThere() {
      return isThere;
    },
    async make() {
      const options = engine === "mysql" ? " CHARACTER SET utf8mb4" : "";
      await sql.run(`CREATE DATABASE ${sql.quoted(name)}${options}`);
      isThere = true;
      if (engine === "mysql") return moveTo(sql, name);
      await sql.close();
      sql = await openPublic(named, { where, opening });
    },
    async drop() {
      if (!name.startsWith(trialPrefix)) throw new RangeError(`database ${name} is none of a trial`);
      await sql.close();
      // After a Ctrl-C too, which has ended the connection before.
      const { signal } = new AbortController();
      const database = engine === "mysql" ? undefined : firstDatabase;
      sql = await openSql({ ...named, database }, where, { ...opening, signal });
      await sql.run(`DROP DATABASE IF EXISTS ${sql.quoted(name)}`);
      isThere = false;
    },
  };
}

/** A connection to the database, or where there is none yet to its server. */
async function openOrFirst(
  engine: Engine,
  named: ServerAddress & { readonly database: string },
  { where, opening }: { readonly where: string; readonly opening: Opening },
): Promise<{ sql: Sql; isThere: boolean }> {
  const { database } = named;
  if (engine === "mysql") {
    const sql = await openSql({ ...named, database: undefined }, where, opening);
    try {
      const statement = "SELECT 1 AS found FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?";
      const isThere = (await sql.rows(statement, [database])).length > 0;
      if (isThere) await moveTo(sql, database);
      return { sql, isThere };
    } catch (error) {
      await sql.close();
      throw error;
    }
  }
  try {
    return { sql: await openPublic(named, { where, opening }), isThere: true };
  } catch (error) {
    // PostgreSQL's code for a database that is not there.
    if (serverCode(error) !== "3D000") throw error;
    return { sql: await openSql({ ...named, database: firstDatabase }, where, opening), isThere: false };
  }
}

/** Statements without a schema mean the one that is looked at, whatever the server or the user has as search path. */
async function openPublic(
  named: ServerAddress,
  { where, opening }: { readonly where: string; readonly opening: Opening },
): Promise<Sql> {
  const sql = await openSql(named, where, opening);
  try {
    await moveTo(sql, firstSchema);
    return sql;
  } catch (error) {
    await sql.close();
    throw error;
  }
}
