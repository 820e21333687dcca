import type { Duplex } from "node:stream";
import { createConnection, type Connection, type ResultSetHeader } from "mysql2";
import type { Address } from "./address.ts";
import type { Driver, Opening, Row } from "./connection.ts";

/** As MySQL 8 has it by itself, without what changes how a text or a name is written; and an id 0 stays 0. */
const mode =
  "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO";

const rowsAtOnce = 500;
/** Of a batch; large rows come a few at a time. */
const charactersAtOnce = 4_000_000;

/**
 * A connection to MySQL or MariaDB that keeps every digit, counts times in UTC, and sends no password where TLS is asked for and missing.
 * A statement beside a large answer goes over a connection of its own, opened for the first of them: on the same one it would wait for
 * the end of the answer, which waits for who asks. It is in no transaction of the other.
 */
export async function connectMysql(
  address: Address,
  authorities: string[] | undefined,
  opening: Opening,
): Promise<Driver> {
  const { statementTimeoutMs } = opening;
  const main = await connect(address, authorities, opening);
  const { core } = main;
  let beside: Promise<Connected> | undefined;
  let moved: string | undefined;
  let streams = 0;
  let isEnded = false;
  const connectionNow = async () => {
    if (streams === 0 || isEnded) return main.connection;
    beside ??= connect(address, authorities, opening);
    const { connection } = await beside;
    // Which database is meant is said behind the connecting, and may be another by now.
    if (moved !== undefined) await connection.query({ sql: moved, timeout: statementTimeoutMs });
    return connection;
  };
  return {
    async rows(sql, values) {
      const connection = await connectionNow();
      const [rows] = await connection.query({ sql, values: [...values], timeout: statementTimeoutMs });
      return Array.isArray(rows) ? (rows as Record<string, unknown>[]).map(asTexts) : [];
    },
    async change(sql, values) {
      const connection = await connectionNow();
      const [result] = await connection.query<ResultSetHeader>({
        sql,
        values: [...values],
        timeout: statementTimeoutMs,
      });
      return result.affectedRows;
    },
    async *stream(sql) {
      const answer = core.query(sql).stream({ highWaterMark: 64 });
      // A server that stops in the middle is not waited for.
      const give = () => void answer.destroy(new Error("statement timeout"));
      let timer = setTimeout(give, statementTimeoutMs);
      streams += 1;
      try {
        let batch: Row[] = [];
        let characters = 0;
        for await (const row of answer as AsyncIterable<Record<string, unknown>>) {
          const texts = asTexts(row);
          batch.push(texts);
          for (const text of Object.values(texts)) characters += text?.length ?? 0;
          if (batch.length < rowsAtOnce && characters < charactersAtOnce) continue;
          clearTimeout(timer);
          yield batch;
          timer = setTimeout(give, statementTimeoutMs);
          batch = [];
          characters = 0;
        }
        if (batch.length > 0) yield batch;
      } finally {
        streams -= 1;
        clearTimeout(timer);
      }
    },
    async run(sql) {
      const connection = await connectionNow();
      await connection.query({ sql, timeout: statementTimeoutMs });
      if (sql.startsWith("USE ")) moved = sql;
    },
    async end() {
      isEnded = true;
      end(main);
      void beside?.then(end, () => undefined);
    },
  };
}

interface Connected {
  readonly core: Connection;
  readonly connection: ReturnType<Connection["promise"]>;
}

async function connect(
  { host, isSocket, port, user, password, database, tls }: Address,
  authorities: string[] | undefined,
  { connectTimeoutMs }: Opening,
): Promise<Connected> {
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
  return { core, connection };
}

function end({ core }: Connected): void {
  core.destroy();
  // A query that waits for an answer is not told by that.
  (core as unknown as { readonly stream: Duplex }).stream.destroy(new Error("Connection lost"));
}

/** What the driver has made numbers of is below 2^53; what it has made bytes of is text in a server's own column. */
function asTexts(row: Readonly<Record<string, unknown>>): Row {
  const texts: Record<string, string | null> = {};
  for (const name in row) {
    const value = row[name];
    texts[name] =
      typeof value === "string"
        ? value
        : value === null || value === undefined
          ? null
          : Buffer.isBuffer(value)
            ? value.toString("utf8")
            : JSON.stringify(value);
  }
  return texts;
}
