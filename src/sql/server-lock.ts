import { createHash } from "node:crypto";
import { CliError } from "../errors.ts";
import { pause } from "../retry.ts";
import type { Sql } from "./connection.ts";

export interface ServerLock {
  /** The database that is locked; of PostgreSQL the connection's own. */
  readonly place: string;
  readonly signal: AbortSignal;
  onWait(holder: string): void;
}

/** So often a lock is asked for that another connection has, a second apart: what a killed run has begun may still be under way. */
const attempts = 5;

/** Of PostgreSQL's advisory locks of two numbers: the letters "mawp", and migrations. */
const [group, migrations] = ["1835104112", "1"];

/**
 * Does something while no other connection to this server holds the same lock, whichever ledger it writes. The server itself
 * gives it back when the connection ends and what it had begun is done.
 * @throws CliError that names the connection which has it.
 */
export async function withServerLock<T>(sql: Sql, lock: ServerLock, act: () => Promise<T>): Promise<T> {
  // Names of MySQL's locks have 64 letters at most, and are those of the whole server.
  const name = `mawps ${createHash("sha256").update(lock.place).digest("hex").slice(0, 40)}`;
  const { take, give, holder, values } = sql.engine === "mysql" ? mysql(name) : postgres;
  for (let attempt = 1; ; attempt++) {
    const [row] = await sql.rows(take, values);
    if (row?.["taken"] === "1" || row?.["taken"] === "t") break;
    const [who] = await sql.rows(holder, values);
    const told = who?.["who"] ?? "another one";
    if (attempt === attempts) {
      throw new CliError(`${sql.where}: its tables are being changed by connection ${told}`, {
        hint: "wait for its end; what a killed run has begun goes on until the server is done with it",
      });
    }
    lock.onWait(told);
    await pause(1000, lock.signal);
  }
  try {
    return await act();
  } finally {
    // With a connection that is gone it is given back already.
    await sql.rows(give, values).catch((error: unknown) => {
      if (!(error instanceof CliError) && !lock.signal.aborted) throw error;
    });
  }
}

function mysql(name: string) {
  return {
    take: "SELECT GET_LOCK(?, 0) AS taken",
    give: "SELECT RELEASE_LOCK(?)",
    holder:
      "SELECT CONCAT(ID, ' (', USER, ' from ', HOST, ')') AS who FROM information_schema.PROCESSLIST WHERE ID = IS_USED_LOCK(?)",
    values: [name],
  };
}

const postgres = {
  take: "SELECT pg_try_advisory_lock($1::int, $2::int) AS taken",
  give: "SELECT pg_advisory_unlock($1::int, $2::int)",
  holder: `SELECT a.pid || ' (' || a.usename || COALESCE(' from ' || a.client_addr, '') || ')' AS who
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1::int::oid AND l.objid = $2::int::oid`,
  values: [group, migrations],
};
