import { CliError } from "../errors.ts";
import { valueIn, type Row, type Sql } from "./connection.ts";
import { serverCode } from "./explain.ts";

/** How far a replica is behind its primary. */
export interface Lag {
  /** Which one, for people. */
  readonly replica: string;
  /** 0 where it has all; undefined where it replicates nothing at the moment, or nobody tells how far it is. */
  readonly seconds: number | undefined;
  /** Why nobody tells. */
  readonly why?: string;
}

/** Whoever tells how far replicas are behind. */
export interface LagTeller {
  /** Where it is asked, for people. */
  readonly where: string;
  /** @throws as `lagOf`. */
  lag(): Promise<readonly Lag[]>;
}

/** That an account is not shown how far the standbys of its server are: PostgreSQL tells members of `pg_monitor`. */
export class HiddenLag extends Error {}

/**
 * The lag of replicas. A primary of PostgreSQL knows those that are connected to it; of MySQL and MariaDB each replica itself is asked.
 * @param sql of a primary (PostgreSQL), or of a replica (MySQL).
 * @throws HiddenLag, and CliError for a server of MySQL that is no replica or does not tell the account.
 */
export function lagOf(sql: Sql): Promise<readonly Lag[]> {
  return sql.engine === "postgres" ? lagOfStandbys(sql) : lagOfReplica(sql);
}

/**
 * A replica of MySQL or MariaDB. Once it has told how far it is a connection that breaks is made anew when it is asked next, and until that
 * succeeds it counts as behind.
 */
export async function openReplica(open: () => Promise<Sql>): Promise<LagTeller & { close(): Promise<void> }> {
  let sql: Sql | undefined = await open();
  const { where } = sql;
  let hasTold = false;
  const close = async () => {
    await sql?.close();
    sql = undefined;
  };
  return {
    where,
    close,
    async lag() {
      try {
        sql ??= await open();
        const lag = await lagOf(sql);
        hasTold = true;
        return lag;
      } catch (error) {
        if (!hasTold || !(error instanceof CliError)) throw error;
        await close();
        return [{ replica: where, seconds: undefined, why: error.message }];
      }
    },
  };
}

/** Who receives but replays nothing (a base backup, `pg_receivewal`) is no replica. */
async function lagOfStandbys(sql: Sql): Promise<readonly Lag[]> {
  const rows = await sql.rows(
    `SELECT COALESCE(NULLIF(application_name, ''), pid::text) AS name, state, replay_lsn,
       pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) AS bytes, EXTRACT(EPOCH FROM replay_lag) AS seconds
     FROM pg_stat_replication ORDER BY 1`,
  );
  if (rows.some((row) => valueIn(row, "state") === null)) throw new HiddenLag();
  return rows.flatMap((row) => {
    if (valueIn(row, "replay_lsn") === null) return [];
    // What is measured comes late, and is nothing for one that has not moved yet.
    const seconds = Math.max(Number(valueIn(row, "seconds") ?? 0), leastSeconds);
    return [
      {
        replica: `standby ${valueIn(row, "name") ?? ""}`,
        seconds: Number(valueIn(row, "bytes")) > 0 ? seconds : 0,
      },
    ];
  });
}

/** Of one that lacks anything. */
const leastSeconds = 0.001;

async function lagOfReplica(sql: Sql): Promise<readonly Lag[]> {
  const rows = await statusOfReplica(sql);
  if (rows.length === 0)
    throw new CliError(`${sql.where}: is no replica`, {
      hint: "MAWPS_REPLICA_URL names replicas of the database, not the database itself",
    });
  return rows.map((row) => {
    const seconds = valueIn(row, "Seconds_Behind_Source") ?? valueIn(row, "Seconds_Behind_Master");
    return { replica: sql.where, seconds: seconds === null ? undefined : Number(seconds) };
  });
}

/** MySQL 8.4 knows the newer words alone, and what is older than 8.0.22 the older ones. */
async function statusOfReplica(sql: Sql): Promise<readonly Row[]> {
  try {
    return await sql.rows("SHOW REPLICA STATUS");
  } catch (error) {
    if (serverCode(error) !== "ER_PARSE_ERROR") throw error;
    return sql.rows("SHOW SLAVE STATUS");
  }
}
