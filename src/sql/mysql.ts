import { createConnection, type RowDataPacket } from "mysql2/promise";
import type { Address } from "./address.ts";
import type { Driver, Opening } from "./connection.ts";

/** As MySQL 8 has it by itself, without what changes how a text or a name is written. */
const mode = "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION";

/** A connection to MySQL or MariaDB that keeps every digit, counts times in UTC and gives a password to no server without TLS. */
export async function connectMysql(
  address: Address,
  authorities: string | undefined,
  { connectTimeoutMs, statementTimeoutMs }: Opening,
): Promise<Driver> {
  const { host, isSocket, port, user, password, database, tls } = address;
  const connection = await createConnection({
    ...(isSocket ? { socketPath: host } : { host, port }),
    user,
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    ...(tls === "off"
      ? {}
      : { ssl: { rejectUnauthorized: true, ...(authorities === undefined ? {} : { ca: authorities }) } }),
    charset: "utf8mb4",
    timezone: "Z",
    connectTimeout: connectTimeoutMs,
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
  });
  // An error between two statements is told by the next one.
  connection.on("error", () => undefined);
  await connection.query(`SET SESSION time_zone = '+00:00', sql_mode = '${mode}'`);
  return {
    async rows(sql, values) {
      const options = { sql, timeout: statementTimeoutMs };
      // The server puts the values in; a statement without any need not be prepared, and some cannot be.
      const [rows] =
        values.length === 0
          ? await connection.query<RowDataPacket[]>(options)
          : await connection.execute<RowDataPacket[]>(options, [...values]);
      return rows;
    },
    async run(sql) {
      await connection.query({ sql, timeout: statementTimeoutMs });
    },
    async end() {
      connection.destroy();
    },
  };
}
