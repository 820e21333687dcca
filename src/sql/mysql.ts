import type { Duplex } from "node:stream";
import { createConnection, type Connection, type ResultSetHeader } from "mysql2";
import type { ServerAddress } from "./address.ts";
import type { Driver, Opening } from "./connection.ts";
import { flowing } from "./flow.ts";
import { lineWriter, type Collector } from "./line-writer.ts";
import { ask, rowCollector } from "./mysql-answer.ts";

/** As MySQL 8 has it by itself, without what changes how a text or a name is written; and an id 0 stays 0. */
const mode =
  "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO";

/**
 * A connection to MySQL or MariaDB that keeps every digit, counts times in UTC, and sends no password where TLS is asked for and missing.
 * A statement beside a large answer goes over a connection of its own, opened for the first of them: on the same one it would wait for
 * the end of the answer, which waits for who asks. It is in no transaction of the other.
 */
export async function connectMysql(
  address: ServerAddress,
  authorities: string[] | undefined,
  opening: Opening,
): Promise<Driver> {
  const { statementTimeoutMs } = opening;
  const core = await connect(address, authorities, opening);
  let beside: Promise<Connection> | undefined;
  let moved: string | undefined;
  let streams = 0;
  let isEnded = false;
  const connectionNow = async () => {
    if (streams === 0 || isEnded) return core;
    beside ??= connect(address, authorities, opening);
    const other = await beside;
    // Which database is meant is said behind the connecting, and may be another by now.
    if (moved !== undefined) await other.promise().query({ sql: moved, timeout: statementTimeoutMs });
    return other;
  };
  async function* answers<T>(sql: string, collector: Collector<T>): AsyncGenerator<T> {
    streams += 1;
    try {
      yield* flowing(core, { collector, ask: (sink) => ask(core, { sql }, sink) }).batches(
        statementTimeoutMs,
      );
    } finally {
      streams -= 1;
    }
  }
  return {
    async rows(sql, values) {
      const rows = rowCollector();
      await ask(await connectionNow(), { sql, values, timeout: statementTimeoutMs }, rows);
      return rows.take();
    },
    async change(sql, values) {
      const connection = (await connectionNow()).promise();
      const [result] = await connection.query<ResultSetHeader>({
        sql,
        values: [...values],
        timeout: statementTimeoutMs,
      });
      return result.affectedRows;
    },
    async insert(into, tuples) {
      const connection = (await connectionNow()).promise();
      const sql = `INSERT INTO ${into} VALUES ?`;
      await connection.query({ sql, values: [tuples], timeout: statementTimeoutMs });
    },
    stream: (sql) => answers(sql, rowCollector()),
    lines: (sql, columns) => answers(sql, lineWriter(columns)),
    async run(sql) {
      const connection = (await connectionNow()).promise();
      await connection.query({ sql, timeout: statementTimeoutMs });
      if (sql.startsWith("USE ")) moved = sql;
    },
    async runLong(sql) {
      const connection = (await connectionNow()).promise();
      await connection.query(sql);
    },
    async end() {
      isEnded = true;
      end(core);
      void beside?.then(end, () => undefined);
    },
  };
}

async function connect(
  { host, isSocket, port, user, password, database, tls }: ServerAddress,
  authorities: string[] | undefined,
  { connectTimeoutMs }: Opening,
): Promise<Connection> {
  const core = createConnection({
    ...(isSocket ? { socketPath: host } : { host, port }),
    user,
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    ...(tls === "off"
      ? {}
      : {
          ssl: {
            rejectUnauthorized: true,
            verifyIdentity: true,
            ...(authorities === undefined ? {} : { ca: authorities }),
          },
        }),
    charset: "utf8mb4",
    timezone: "Z",
    connectTimeout: connectTimeoutMs,
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    jsonStrings: true,
    // Rows are read past the driver's own reading, whose code would refuse columns such as `__proto__`.
    disableEval: true,
  });
  // An error between two statements is told by the next one.
  core.on("error", () => undefined);
  const connection = core.promise();
  try {
    await connection.connect();
    await connection.query(`SET SESSION time_zone = '+00:00', sql_mode = '${mode}'`);
  } catch (error) {
    core.destroy();
    throw error;
  }
  return core;
}

function end(core: Connection): void {
  core.destroy();
  // A query that waits for an answer is not told by that.
  (core as unknown as { readonly stream: Duplex }).stream.destroy(new Error("Connection lost"));
}
