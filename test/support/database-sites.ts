import { databaseAddress } from "../../src/sql/address.ts";
import { openSql, type Sql } from "../../src/sql/connection.ts";
import {
  noMariadb,
  noPostgres,
  startMariadb,
  startPostgres,
  type DatabaseServer,
} from "./database-server.ts";

/** The shipped models with a database, and the servers that they work on. */
export const databaseSites = [
  {
    model: "lopez",
    engine: "mysql",
    /** A database that every server has. */
    first: "mysql",
    databases: "SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA ORDER BY name",
    erased: "deleted-user",
    missing: noMariadb,
    start: startMariadb,
  },
  {
    model: "fc024",
    engine: "postgres",
    first: "postgres",
    databases: "SELECT datname AS name FROM pg_database ORDER BY name",
    erased: "00000000-0000-4000-8000-000000000000",
    missing: noPostgres,
    start: startPostgres,
  },
] as const;

export type DatabaseSite = (typeof databaseSites)[number];

/** Looks at a database of a server by a connection of its own. */
export async function onDatabase<T>(
  server: DatabaseServer | undefined,
  database: string,
  look: (sql: Sql) => Promise<T>,
): Promise<T> {
  const { signal } = new AbortController();
  const opening = { connectTimeoutMs: 10_000, statementTimeoutMs: 60_000, signal };
  const sql = await openSql(databaseAddress(server?.url(database) ?? "", "the test"), "the test", opening);
  try {
    return await look(sql);
  } finally {
    await sql.close();
  }
}

/** Names of the databases of a server. */
export function databasesOn(server: DatabaseServer | undefined, site: DatabaseSite): Promise<string[]> {
  return onDatabase(server, site.first, async (sql) =>
    (await sql.rows(site.databases)).map(({ name }) => name ?? ""),
  );
}
