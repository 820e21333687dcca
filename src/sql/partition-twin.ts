import { CliError } from "../errors.ts";
import { twinnedTable } from "../model/database.ts";
import { retry } from "../retry.ts";
import { tableNames, type Catalogue } from "./catalogue.ts";
import type { Sql } from "./connection.ts";
import { serverCode } from "./explain.ts";
import { countRows, partitionText } from "./partitions.ts";
import type { RowTable } from "./row-table.ts";
import { inTransaction } from "./transaction.ts";

/*
 * A partition goes in steps, as neither engine drops one only while it is empty, or as it was when somebody looked: its rows are taken out
 * of the table into a twin that nobody else knows, by the server's own exchange, which moves no row. What becomes of the twin is decided
 * there: dropped, or put back. Its name says whose rows it has, so that a later run finds what a killed one has left.
 */

/** The table that a twin has rows of, among those that are there; undefined for what is no twin. Pure. */
export function tableOfTwin(catalogue: Catalogue, twin: string): string | undefined {
  const table = twinnedTable(twin);
  return table !== undefined && catalogue.has(`table ${table}`) ? table : undefined;
}

/** Without what twins are: their rows are those of their tables. Pure. */
export function withoutTwins(catalogue: Catalogue): Catalogue {
  const twins = tableNames(catalogue).filter((name) => tableOfTwin(catalogue, name) !== undefined);
  // Names have dots in them.
  const isOfTwin = (fact: string) => {
    const whole = fact.slice(fact.indexOf(" ") + 1);
    return twins.some((twin) => whole === twin || whole.startsWith(`${twin}.`));
  };
  return new Map([...catalogue].filter(([fact]) => !isOfTwin(fact)));
}

/**
 * Of each table of a database or schema that has a twin, the partition whose rows that has: its comment says so. One that a killed run did not come
 * to give a comment has no row, and stands for itself.
 */
export async function partitionsOut(sql: Sql, place: string): Promise<ReadonlyMap<string, string>> {
  const statement =
    sql.engine === "mysql"
      ? "SELECT TABLE_NAME AS name, TABLE_COMMENT AS text FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE'"
      : "SELECT c.relname AS name, obj_description(c.oid, 'pg_class') AS text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'";
  const rows = await sql.rows(statement, [place]);
  return new Map(
    rows.flatMap(({ name, text }) => {
      const table = twinnedTable(name ?? "");
      const partition = /^of partition (.+)$/s.exec(text ?? "")?.[1] ?? name ?? "";
      return table === undefined ? [] : [[table, partition] as const];
    }),
  );
}

export interface Out {
  readonly table: string;
  readonly partition: string;
  readonly twin: string;
  readonly signal: AbortSignal;
}

type Twin = Pick<Out, "twin" | "signal">;

/** So long a change of a table waits for those who read and write it: whoever comes after it waits along. */
const waitSeconds = 5;
const attempts = 6;

/** Whether somebody had the table for longer than that. */
export function isBusy(error: unknown): boolean {
  return ["ER_LOCK_WAIT_TIMEOUT", "55P03"].includes(serverCode(error));
}

/** Whether MySQL takes a table made like another for a different one: in MySQL 8 where a column was added to that at once (`ALGORITHM=INSTANT`). */
export function isUnlike(error: unknown): boolean {
  return /^ER_(PARTITION_EXCHANGE_\w+|TABLES_DIFFERENT_METADATA)$/.test(serverCode(error));
}

/** Changes a table without keeping others from it for long: it gives up after seconds, and begins anew. */
async function changing<T>(sql: Sql, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  const variable = sql.engine === "mysql" ? "lock_wait_timeout" : "lock_timeout";
  await sql.run(`SET SESSION ${variable} = ${sql.engine === "mysql" ? waitSeconds : `'${waitSeconds}s'`}`);
  try {
    return await retry(act, isBusy, { attempts, signal });
  } finally {
    // With a connection that is gone it is gone too.
    await sql.run(`SET SESSION ${variable} = DEFAULT`).catch(() => undefined);
  }
}

/**
 * Takes the rows of a partition out of their table, into a twin that is made for that; the partition stays, empty. A twin without rows that a
 * killed run has left is made anew.
 * @throws CliError where it has rows.
 */
export async function takeOut(sql: Sql, { signal, ...out }: Out, isTwinThere: boolean): Promise<void> {
  const [table, partition, twin] = [sql.quoted(out.table), sql.quoted(out.partition), sql.quoted(out.twin)];
  const comment = `of partition ${out.partition}`;
  const emptied = { twin: out.twin, signal };
  if (isTwinThere) await dropIfEmpty(sql, emptied);
  if (sql.engine === "mysql") {
    await sql.run(`CREATE TABLE ${twin} LIKE ${table}`);
    await sql.change(`ALTER TABLE ${twin} COMMENT = ? REMOVE PARTITIONING`, [comment]);
    try {
      await changing(sql, signal, () =>
        sql.run(`ALTER TABLE ${table} EXCHANGE PARTITION ${partition} WITH TABLE ${twin}`),
      );
    } catch (error) {
      if (isUnlike(error)) await dropIfEmpty(sql, emptied);
      throw error;
    }
    return;
  }
  const [row] = await sql.rows(
    "SELECT pg_get_expr(relpartbound, oid) AS bound FROM pg_class WHERE oid = $1::regclass",
    [partition],
  );
  await changing(sql, signal, () =>
    inTransaction(sql, "COMMIT", async () => {
      await sql.run(`ALTER TABLE ${table} DETACH PARTITION ${partition}`);
      await sql.run(`ALTER TABLE ${partition} RENAME TO ${twin}`);
      await sql.run(`COMMENT ON TABLE ${twin} IS '${comment.replaceAll("'", "''")}'`);
      await sql.run(`CREATE TABLE ${partition} PARTITION OF ${table} ${row?.["bound"] ?? ""}`);
    }),
  );
}

async function dropIfEmpty(sql: Sql, { twin, signal }: Twin): Promise<void> {
  const rows = await countRows(sql, sql.quoted(twin));
  if (rows > 0) throw new CliError(`${sql.where}: ${twin} has ${rows} rows`);
  await dropTwin(sql, { twin, signal });
}

const rowsPerStatement = 500;

/**
 * Puts the rows of a twin back into their table, some in each transaction, and drops it.
 * @throws CliError where a row of the table has the key of one meanwhile: the rest stays in the twin.
 */
export async function putBack(
  sql: Sql,
  { name, columns, key }: Pick<RowTable, "name" | "columns" | "key">,
  { twin, signal }: Twin,
): Promise<void> {
  const [table, from] = [sql.quoted(name), sql.quoted(twin)];
  const names = columns.map((column) => sql.quoted(column.name)).join(", ");
  const some = `ORDER BY ${key.map((column) => sql.quoted(column)).join(", ")} LIMIT ${rowsPerStatement}`;
  const move =
    sql.engine === "mysql"
      ? async () => {
          const moved = await sql.change(
            `INSERT INTO ${table} (${names}) SELECT ${names} FROM ${from} ${some}`,
            [],
          );
          await sql.change(`DELETE FROM ${from} ${some}`, []);
          return moved;
        }
      : () =>
          sql.change(
            `WITH moved AS (DELETE FROM ${from} WHERE ctid IN (SELECT ctid FROM ${from} LIMIT ${rowsPerStatement}) RETURNING ${names})
             INSERT INTO ${table} (${names}) SELECT ${names} FROM moved`,
            [],
          );
  while ((await inTransaction(sql, "COMMIT", move)) > 0) signal.throwIfAborted();
  await dropTwin(sql, { twin, signal });
}

/** For good. @throws CliError for what is no twin. */
export async function dropTwin(sql: Sql, { twin, signal }: Twin): Promise<void> {
  if (twinnedTable(twin) === undefined) throw new CliError(`${sql.where}: ${twin} is no table of this tool`);
  await changing(sql, signal, () => sql.runLong(`DROP TABLE ${sql.quoted(twin)}`));
}

/**
 * Drops a partition while nobody can write to it, if it has no row. Rows of its time that come
 * later go to the next one (MySQL), or are refused where there is no default (PostgreSQL).
 */
export async function dropEmptyPartition(
  sql: Sql,
  { table, partition, signal }: Pick<Out, "table" | "partition" | "signal">,
): Promise<void> {
  const part = partitionText(sql, table, partition);
  const [whole, name] = [sql.quoted(table), sql.quoted(partition)];
  const dropIfEmpty = async (statement: string) => {
    if ((await countRows(sql, part)) === 0) await sql.run(statement);
  };
  await changing(sql, signal, async () => {
    if (sql.engine === "postgres") {
      return inTransaction(sql, "COMMIT", async () => {
        await sql.run(`LOCK TABLE ${whole} IN ACCESS EXCLUSIVE MODE`);
        return dropIfEmpty(`DROP TABLE ${name}`);
      });
    }
    await sql.run(`LOCK TABLES ${whole} WRITE`);
    try {
      await dropIfEmpty(`ALTER TABLE ${whole} DROP PARTITION ${name}`);
    } finally {
      await sql.run("UNLOCK TABLES").catch(() => undefined);
    }
  });
}
