import { takeLock } from "@mawps/local-aws/src/lock.ts";
import { databaseAddress } from "../../src/sql/address.ts";
import { openSql, type Sql } from "../../src/sql/connection.ts";
import { openEmbedded } from "../../src/sql/embedded.ts";
import { testStart } from "./world.ts";
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
  server: Pick<DatabaseServer, "url"> | undefined,
  database: string,
  look: (sql: Sql) => Promise<T>,
): Promise<T> {
  const sql = await openOn(server?.url(database) ?? "");
  try {
    return await look(sql);
  } finally {
    await sql.close();
  }
}

async function openOn(url: string): Promise<Sql> {
  const { signal } = new AbortController();
  const lock = (folder: string) => takeLock(folder, { waitMs: 600_000 });
  const timeouts = { connectTimeoutMs: 10_000, statementTimeoutMs: 60_000 };
  const opening = { ...timeouts, signal, lock, progress: () => undefined };
  const address = databaseAddress(url, "the test");
  if (!("folder" in address)) return openSql(address, "the test", opening);
  const scratch = { now: testStart, random: "00000000" };
  const declared = { role: "", engine: address.engine, name: "", file: "", migrations: undefined, scratch };
  return (await openEmbedded(declared, address, opening)).sql;
}

/** Names of the databases of a server. */
export function databasesOn(server: DatabaseServer | undefined, site: DatabaseSite): Promise<string[]> {
  return onDatabase(server, site.first, async (sql) =>
    (await sql.rows(site.databases)).map(({ name }) => name ?? ""),
  );
}
