import type { Sql } from "./connection.ts";

/** A partition of a table that holds a range of time. */
export interface TimePartition {
  readonly name: string;
  /** Every time in it is before that moment, in milliseconds since 1970; undefined for one without an end, or whose end is no time. */
  readonly endMs: number | undefined;
  /** Of its rows and indexes, as the server counts them. */
  readonly bytes: number;
}

/** A table that is partitioned by ranges of one column. */
export interface TimePartitions {
  readonly column: string;
  /** In the order of their ranges (MySQL), of their names (PostgreSQL). */
  readonly partitions: readonly TimePartition[];
}

/**
 * The partitions of a table by time, as the server has them now; undefined for any other table. MySQL: `RANGE` of `UNIX_TIMESTAMP()`,
 * `TO_DAYS()` or `YEAR()` of a column, and `RANGE COLUMNS` of one; PostgreSQL: `RANGE` of one column.
 */
export async function readTimePartitions(
  sql: Sql,
  place: string,
  table: string,
): Promise<TimePartitions | undefined> {
  const rows = await sql.rows(statements[sql.engine], [place, table]);
  const found = rows.map((row) => ({
    name: row["name"] ?? "",
    bytes: Number(row["bytes"] ?? 0),
    ...rangeOf(sql.engine, row["method"] ?? "", row["bound"] ?? ""),
  }));
  const [column] = found.flatMap((each) => each.column ?? []);
  if (column === undefined) return undefined;
  return { column, partitions: found.map(({ name, bytes, endMs }) => ({ name, bytes, endMs })) };
}

const statements = {
  mysql: `SELECT PARTITION_NAME AS name, CONCAT(PARTITION_METHOD, ' ', PARTITION_EXPRESSION) AS method, PARTITION_DESCRIPTION AS bound,
     SUM(DATA_LENGTH + INDEX_LENGTH) AS bytes
   FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND PARTITION_NAME IS NOT NULL AND SUBPARTITION_NAME IS NULL
   GROUP BY PARTITION_NAME, PARTITION_METHOD, PARTITION_EXPRESSION, PARTITION_DESCRIPTION, PARTITION_ORDINAL_POSITION
   ORDER BY PARTITION_ORDINAL_POSITION`,
  postgres: `SELECT c.relname AS name, pg_get_partkeydef(p.oid) AS method, pg_get_expr(c.relpartbound, c.oid) AS bound,
     pg_total_relation_size(c.oid) AS bytes
   FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
     JOIN pg_namespace n ON n.oid = p.relnamespace
   WHERE n.nspname = $1 AND p.relname = $2 AND p.relkind = 'p' AND c.relkind = 'r' AND c.relnamespace = p.relnamespace ORDER BY c.relname`,
} as const;

interface Range {
  readonly column: string | undefined;
  readonly endMs: number | undefined;
}

/** What a range goes by and where it ends, in the words of the server. Pure. */
export function rangeOf(engine: Sql["engine"], method: string, bound: string): Range {
  if (engine === "postgres") {
    const [, column] = /^RANGE \("?([^",()]+)"?\)$/.exec(method) ?? [];
    const [, end] = / TO \('([^']+)'\)$/.exec(bound) ?? [];
    return { column, endMs: column === undefined || end === undefined ? undefined : momentOf(end) };
  }
  const [, isOfColumns, by, column = isOfColumns] =
    /^RANGE (?:COLUMNS `([^`]+)`|(unix_timestamp|to_days|year)\(`([^`]+)`\))$/i.exec(method) ?? [];
  const endOf = isOfColumns === undefined ? ends[by?.toLowerCase() ?? ""] : quotedMoment;
  return { column, endMs: endOf?.(bound) };
}

/** Day 0 of `TO_DAYS()` is that many days before 1970. */
const daysBefore1970 = 719_528;
const dayMs = 86_400_000;
/** What says no zone is over at last where the clocks are 12 hours behind UTC. */
const lastZoneMs = dayMs / 2;

const ends: Readonly<Record<string, (bound: string) => number | undefined>> = {
  unix_timestamp: (bound) => numberIn(bound, (seconds) => seconds * 1000),
  to_days: (bound) => numberIn(bound, (days) => (days - daysBefore1970) * dayMs + lastZoneMs),
  year: (bound) => numberIn(bound, (year) => Date.UTC(year, 0, 1) + lastZoneMs),
};

/** `MAXVALUE` is no end. */
function numberIn(bound: string, momentIn: (number: number) => number): number | undefined {
  return /^\d+$/.test(bound) ? momentIn(Number(bound)) : undefined;
}

function quotedMoment(bound: string): number | undefined {
  const [, text] = /^'([^']+)'$/.exec(bound) ?? [];
  return text === undefined ? undefined : momentOf(text);
}

/** `2026-01-01`, `2026-01-01 00:00:00`, or with `+00` behind it. */
function momentOf(text: string): number | undefined {
  const [, date, time = "00:00:00", zone] =
    /^(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d(?:\.\d+)?))?([+-]\d\d)?$/.exec(text) ?? [];
  if (date === undefined) return undefined;
  const ms = Date.parse(`${date}T${time}${zone === undefined ? "Z" : `${zone}:00`}`);
  return Number.isNaN(ms) ? undefined : ms + (zone === undefined ? lastZoneMs : 0);
}

/** A partition of a table, as it stands behind `FROM`. */
export function partitionText(sql: Sql, table: string, partition: string): string {
  return sql.engine === "mysql"
    ? `${sql.quoted(table)} PARTITION (${sql.quoted(partition)})`
    : sql.quoted(partition);
}

/** @param from a table or partition as it stands behind `FROM`. */
export async function countRows(sql: Sql, from: string): Promise<number> {
  const [row] = await sql.rows(`SELECT COUNT(*) AS n FROM ${from}`);
  return Number(row?.["n"]);
}
