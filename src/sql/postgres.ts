import pg from "pg";
import type { ServerAddress } from "./address.ts";
import type { Driver, Opening, Row } from "./connection.ts";
import { flowing } from "./flow.ts";
import { lineWriter, type RowSink } from "./line-writer.ts";
import { copyIn, copyOut, longestTimerMs } from "./postgres-copy.ts";

/** Everything as the text that the server sent: no digit and no zone is lost. */
const types = { getTypeParser: () => (text: unknown) => text };

const rowsAtOnce = 100;

/** Texts that every server reads alike, whatever this one's own settings; rows that are kept from the user are an error. */
const settings = [
  "SET TIME ZONE 'UTC'",
  "SET DateStyle TO ISO, YMD",
  "SET IntervalStyle TO postgres",
  "SET extra_float_digits TO 3",
  "SET row_security TO off",
  // Else a reader begins where another one just is.
  "SET synchronize_seqscans TO off",
];

/** A connection to a PostgreSQL server that keeps every digit and counts times in UTC. */
export function connectPostgres(
  { host, port, user, password, database, tls }: ServerAddress,
  authorities: string[] | undefined,
  opening: Opening,
): Promise<Driver> {
  return speakPostgres(
    {
      host,
      port,
      user,
      // Without one the driver would look into PGPASSWORD and a file: a URL says all there is.
      password: password ?? "",
      ...(database === undefined ? {} : { database }),
      ssl:
        tls === "off"
          ? false
          : { rejectUnauthorized: true, ...(authorities === undefined ? {} : { ca: authorities }) },
    },
    opening,
  );
}

/** The same over whatever stream is configured. */
export async function speakPostgres(
  configured: pg.ClientConfig,
  { connectTimeoutMs, statementTimeoutMs }: Opening,
): Promise<Driver> {
  const client = new pg.Client({
    ...configured,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: statementTimeoutMs,
    application_name: "mawps",
    types,
  });
  // An error between two statements is told by the next one.
  client.on("error", () => undefined);
  try {
    await client.connect();
    for (const setting of settings) await client.query(setting);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  let last: Promise<unknown> = Promise.resolve();
  /** One statement after the other, whoever sends them: the driver wants it so. */
  const inTurn = <T>(send: () => Promise<T>): Promise<T> => {
    const answer = last.then(send, send);
    last = answer;
    return answer;
  };
  const query = (text: string, values: readonly (string | null)[] = []) =>
    inTurn(() => client.query<Row>(text, [...values]));
  return {
    async rows(text, values) {
      return (await query(text, values)).rows;
    },
    async change(text, values) {
      return (await query(text, values)).rowCount ?? 0;
    },
    async *stream(text) {
      // In the transaction that the caller has begun: a cursor ends with it.
      await query(`DECLARE mawps_rows NO SCROLL CURSOR FOR ${text}`);
      for (;;) {
        const { rows } = await query(`FETCH FORWARD ${rowsAtOnce} FROM mawps_rows`);
        if (rows.length === 0) break;
        yield rows;
      }
      await query("CLOSE mawps_rows");
    },
    insert: (into, tuples) => inTurn(() => copyIn(client, into, { tuples, timeoutMs: statementTimeoutMs })),
    lines(text, columns) {
      const collector = lineWriter(columns);
      const asked = (sink: RowSink) => inTurn(() => copyOut(client, text, sink));
      return flowing(client.connection.stream, { collector, ask: asked }).batches(statementTimeoutMs);
    },
    async run(text) {
      await query(text);
    },
    async runLong(text) {
      const unlimited = { text, query_timeout: longestTimerMs };
      await inTurn(() => client.query(unlimited));
    },
    end: () => client.end(),
  };
}
