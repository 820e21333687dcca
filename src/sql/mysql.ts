import type { Duplex } from "node:stream";
import { createConnection, type ResultSetHeader } from "mysql2";
import type { Address } from "./address.ts";
import type { Driver, Opening, Row } from "./connection.ts";

/** As MySQL 8 has it by itself, without what changes how a text or a name is written; and an id 0 stays 0. */
const mode =
  "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO";

const rowsAtOnce = 500;
/** Of a batch; large rows come a few at a time. */
const charactersAtOnce = 4_000_000;

/** A connection to MySQL or MariaDB that keeps every digit, counts times in UTC, and sends no password where TLS is asked for and missing. */
export async function connectMysql(
  { host, isSocket, port, user, password, database, tls }: Address,
  authorities: string[] | undefined,
  { connectTimeoutMs, statementTimeoutMs }: Opening,
): Promise<Driver> {
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
  return {
    async rows(sql, values) {
      const [rows] = await connection.query({ sql, values: [...values], timeout: statementTimeoutMs });
      return Array.isArray(rows) ? (rows as Record<string, unknown>[]).map(asTexts) : [];
    },
    async change(sql, values) {
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
        clearTimeout(timer);
      }
    },
    async run(sql) {
      await connection.query({ sql, timeout: statementTimeoutMs });
    },
    async end() {
      core.destroy();
      // A query that waits for an answer is not told by that.
      (core as unknown as { readonly stream: Duplex }).stream.destroy(new Error("Connection lost"));
    },
  };
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
