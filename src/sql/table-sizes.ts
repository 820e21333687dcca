import type { Sql } from "./connection.ts";

/** How much room a table takes on its server, with its partitions. */
export interface TableSize {
  readonly name: string;
  /** As the server estimates it; null where it never counted. */
  readonly rows: number | null;
  /** Without the indexes; with what is kept beside the rows, such as long values. */
  readonly bytes: number;
  readonly indexBytes: number;
}

/**
 * The tables of a database (MySQL) or a schema (PostgreSQL) by their names, as the server has them in its own books: no row is read.
 * MySQL's clustered index is the table itself; MySQL 8 keeps these figures for up to a day.
 */
export async function tableSizes(sql: Sql, place: string): Promise<TableSize[]> {
  const rows = await sql.rows(statements[sql.engine], [place]);
  return rows.map((row) => ({
    name: row["name"] ?? "",
    rows: typeof row["estimated"] === "string" ? Number(row["estimated"]) : null,
    bytes: Number(row["bytes"] ?? 0),
    indexBytes: Number(row["index_bytes"] ?? 0),
  }));
}

const statements = {
  mysql: `SELECT TABLE_NAME AS name, TABLE_ROWS AS estimated, DATA_LENGTH AS bytes, INDEX_LENGTH AS index_bytes
   FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME`,
  // -1 stands for what was never counted. What has partitions holds no row itself.
  postgres: `SELECT w.relname AS name,
     CASE WHEN bool_or(c.reltuples < 0 AND c.relkind <> 'p') THEN NULL ELSE sum(c.reltuples) FILTER (WHERE c.relkind <> 'p')::bigint END AS estimated,
     sum(pg_table_size(c.oid)) AS bytes, sum(pg_indexes_size(c.oid)) AS index_bytes
   FROM pg_class c JOIN pg_class w ON w.oid = COALESCE(pg_partition_root(c.oid), c.oid) JOIN pg_namespace n ON n.oid = w.relnamespace
   WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'm') GROUP BY w.relname ORDER BY w.relname`,
} as const;
