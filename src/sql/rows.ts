import { valueIn, type Row, type Sql } from "./connection.ts";
import type { Lines } from "./line-writer.ts";
import { integerBits, type RowColumn, type RowTable } from "./row-table.ts";
import { inTransaction } from "./transaction.ts";

/**
 * All rows of a table, as lines, in the order in which they are stored: that of their key in MySQL, of their coming in PostgreSQL. What
 * does not change stays together so, and other orders cost the server a sort.
 */
export function linesOfRows(sql: Sql, table: RowTable): AsyncGenerator<Lines> {
  const order = sql.engine === "mysql" ? inOrder(sql, table) : "";
  const names = table.columns.map(({ name }) => name);
  return sql.lines(`SELECT ${selected(sql, table)} FROM ${sql.quoted(table.name)}${order}`, names);
}

function inOrder(sql: Sql, { key }: RowTable): string {
  return key.length === 0 ? "" : ` ORDER BY ${key.map((name) => sql.quoted(name)).join(", ")}`;
}

/** All rows of a table, or of one of its partitions as that stands behind `FROM`, in the order of their key. */
export function streamReading(
  sql: Sql,
  table: RowTable,
  from = sql.quoted(table.name),
): AsyncGenerator<readonly Row[]> {
  return reading(sql, `SELECT ${selected(sql, table)} FROM ${from}${inOrder(sql, table)}`);
}

/** What stands in a column of a table and in none of the rows of its parent, each value once, as `value`. */
export function danglingValues(
  sql: Sql,
  child: { readonly table: RowTable; readonly column: string },
  parent: { readonly table: string; readonly column: string },
): AsyncGenerator<readonly Row[]> {
  const text = (column: string) => (sql.engine === "mysql" ? column : `CAST(${column} AS text)`);
  const [own, theirs] = [`c.${sql.quoted(child.column)}`, `p.${sql.quoted(parent.column)}`];
  const known = `SELECT 1 FROM ${sql.quoted(parent.table)} p WHERE ${text(theirs)} = ${text(own)}`;
  const value = readAs(own, columnOf(child.table, child.column));
  return reading(
    sql,
    `SELECT DISTINCT ${value} AS value FROM ${sql.quoted(child.table.name)} c WHERE ${own} IS NOT NULL AND NOT EXISTS (${known})`,
  );
}

/** The answer to a statement in a transaction that only reads, without which PostgreSQL streams nothing. */
async function* reading(sql: Sql, statement: string): AsyncGenerator<readonly Row[]> {
  await sql.run("START TRANSACTION READ ONLY");
  try {
    yield* sql.stream(statement);
  } finally {
    await sql.run("ROLLBACK").catch(() => undefined);
  }
}

/** All rows of a table, each page by a statement of its own: others may run in between, and rows may come and go. */
export async function* pagesOfRows(sql: Sql, table: RowTable, most: number): AsyncGenerator<readonly Row[]> {
  const names = table.key.map((name) => sql.quoted(name)).join(", ");
  const statement = `SELECT ${selected(sql, table)} FROM ${sql.quoted(table.name)}`;
  for (let last: Row | undefined; ;) {
    const place = placesOf(sql);
    const row = last;
    const keys = row && table.key.map((name) => place(valueIn(row, name), columnOf(table, name))).join(", ");
    const behind = keys === undefined ? "" : ` WHERE (${names}) > (${keys})`;
    const rows = await sql.rows(`${statement}${behind} ORDER BY ${names} LIMIT ${most}`, place.values);
    yield rows;
    last = rows.at(-1);
    if (rows.length < most) return;
  }
}

/** At most so many rows of a table. */
export function someRows(sql: Sql, table: RowTable, most: number): Promise<readonly Row[]> {
  return sql.rows(`SELECT ${selected(sql, table)} FROM ${sql.quoted(table.name)} LIMIT ${most}`);
}

/** What is there under the keys of these rows; `lock` keeps it as it is until the transaction ends. */
export async function rowsWithKeys(
  sql: Sql,
  table: RowTable,
  { rows, lock = false }: { readonly rows: readonly Row[]; readonly lock?: boolean },
): Promise<readonly Row[]> {
  if (rows.length === 0 || table.key.length === 0) return [];
  const place = placesOf(sql);
  const keys = rows.map(
    (row) => `(${table.key.map((name) => place(valueIn(row, name), columnOf(table, name))).join(", ")})`,
  );
  const names = table.key.map((name) => sql.quoted(name)).join(", ");
  const condition = `(${names}) IN (${keys.join(", ")})`;
  return sql.rows(
    `SELECT ${selected(sql, table)} FROM ${sql.quoted(table.name)} WHERE ${condition}${lock ? " FOR UPDATE" : ""}`,
    place.values,
  );
}

/** Those of the rows under whose key there is none. */
export async function missingRows(sql: Sql, table: RowTable, rows: readonly Row[]): Promise<readonly Row[]> {
  const there = new Set((await rowsWithKeys(sql, table, { rows })).map((row) => keyText(table, row)));
  return rows.filter((row) => !there.has(keyText(table, row)));
}

interface Wanted {
  readonly column: string;
  readonly values: readonly string[];
  readonly anyCase?: boolean;
}

/** Rows with one of the values in a column; with what the server's collation takes for the same, too. What no value of the column can be finds nothing. */
export async function rowsWith(
  sql: Sql,
  table: RowTable,
  { column, values, anyCase }: Wanted,
): Promise<readonly Row[]> {
  const declared = columnOf(table, column);
  const possible = values.filter((value) => mayBe(declared, value));
  if (possible.length === 0) return [];
  const place = placesOf(sql);
  const marks = possible.map((value) =>
    anyCase === true ? `LOWER(${place(value, asText)})` : place(value, declared),
  );
  const quoted = sql.quoted(column);
  const condition = `${anyCase === true ? `LOWER(${quoted})` : quoted} IN (${marks.join(", ")})`;
  return sql.rows(
    `SELECT ${selected(sql, table)} FROM ${sql.quoted(table.name)} WHERE ${condition}`,
    place.values,
  );
}

/** PostgreSQL refuses a statement with a text that is none of the column's type; MySQL takes `12 apples` for 12. */
function mayBe({ type, as }: RowColumn, value: string): boolean {
  if (type === "uuid") return /^[\da-f]{8}(-?[\da-f]{4}){3}-?[\da-f]{12}$/i.test(value);
  const bits = integerBits(type);
  if (bits !== undefined) {
    if (!/^-?\d{1,20}$/.test(value)) return false;
    const whole = BigInt(value);
    return (/\bunsigned\b/i.test(type) ? BigInt.asUintN(bits, whole) : BigInt.asIntN(bits, whole)) === whole;
  }
  if (/^(numeric|decimal|real|double|float)\b/i.test(type)) return /^-?\d+(\.\d+)?$/.test(value);
  return as !== "hex" || /^[\da-f]*$/i.test(value);
}

/** A row, and the one with the same key over which it is written. */
export interface Replacement {
  readonly row: Row;
  readonly over: Row;
}

/**
 * Writes rows over others, each as long as that one is still the same, in one transaction: all that may go, or none where the server refuses one.
 * Answers those that were not the same any more.
 */
export async function replaceRows(
  sql: Sql,
  table: RowTable,
  replacements: readonly Replacement[],
): Promise<readonly Replacement[]> {
  const columns = table.columns.filter(({ name }) => !table.key.includes(name));
  if (columns.length === 0 || replacements.length === 0) return [];
  return inTransaction(sql, "COMMIT", async () => {
    const found = await rowsWithKeys(sql, table, { rows: replacements.map(({ row }) => row), lock: true });
    const now = new Map(found.map((row) => [keyText(table, row), row]));
    const changed: Replacement[] = [];
    for (const each of replacements) {
      const there = now.get(keyText(table, each.row));
      if (there === undefined || !sameRow(table, there, each.over)) changed.push(each);
      else await updateRow(sql, table, { row: each.row, columns });
    }
    return changed;
  });
}

async function updateRow(
  sql: Sql,
  table: RowTable,
  { row, columns }: { readonly row: Row; readonly columns: readonly RowColumn[] },
): Promise<void> {
  const place = placesOf(sql);
  const sets = columns.map(
    (column) => `${sql.quoted(column.name)} = ${place(valueIn(row, column.name), column)}`,
  );
  const keys = keysOf({ sql, table, place }, row);
  await sql.change(
    `UPDATE ${sql.quoted(table.name)} SET ${sets.join(", ")} WHERE ${keys.join(" AND ")}`,
    place.values,
  );
}

/** A row, and the columns in which it must still be as it is here. */
export interface UnchangedRow {
  readonly row: Row;
  readonly unchanged: readonly string[];
}

/**
 * Deletes those of the rows that are still as they were, in one statement; answers how many it met. Where `referrers` are to be seen to
 * the rows are locked before, so that none comes to point at them meanwhile: a new one would wait for the lock, or has been seen.
 */
export async function deleteRows(sql: Sql, table: RowTable, rows: readonly UnchangedRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  const place = placesOf(sql);
  const free = table.referrers === undefined ? "" : ` AND NOT (${referredIn(sql, table)})`;
  const condition = `(${unchangedIn({ sql, table, place }, rows)})${free}`;
  if (free !== "") await rowsWithKeys(sql, table, { rows: rows.map(({ row }) => row), lock: true });
  return sql.change(`DELETE FROM ${sql.quoted(table.name)} WHERE ${condition}`, place.values);
}

/** The keys of those of the rows at which one of the table's `referrers` points. */
export async function referredRows(sql: Sql, table: RowTable, rows: readonly Row[]): Promise<readonly Row[]> {
  if (rows.length === 0 || (table.referrers ?? []).length === 0) return [];
  const place = placesOf(sql);
  const which = rows.map((row) => `(${keysOf({ sql, table, place }, row).join(" AND ")})`);
  return sql.rows(
    `SELECT ${selected(sql, keysAlone(table))} FROM ${sql.quoted(table.name)} WHERE (${which.join(" OR ")}) AND (${referredIn(sql, table)})`,
    place.values,
  );
}

function referredIn(sql: Sql, { name, referrers = [] }: RowTable): string {
  const exist = referrers.map(({ table: child, columns, parentColumns }) => {
    const same = columns.map(
      (column, at) =>
        `${sql.quoted(child)}.${sql.quoted(column)} = ${sql.quoted(name)}.${sql.quoted(parentColumns[at] ?? "")}`,
    );
    return `EXISTS (SELECT 1 FROM ${sql.quoted(child)} WHERE ${same.join(" AND ")})`;
  });
  return exist.length === 0 ? "1 = 0" : exist.join(" OR ");
}

/** Gives columns of those of the rows that are still as they were other values, in one statement; answers how many it met. */
export async function changeRows(
  sql: Sql,
  table: RowTable,
  { rows, values }: { readonly rows: readonly UnchangedRow[]; readonly values: Row },
): Promise<number> {
  const place = placesOf(sql);
  const sets = Object.keys(values).map(
    (name) => `${sql.quoted(name)} = ${place(valueIn(values, name), columnOf(table, name))}`,
  );
  if (rows.length === 0 || sets.length === 0) return 0;
  const condition = unchangedIn({ sql, table, place }, rows);
  return sql.change(
    `UPDATE ${sql.quoted(table.name)} SET ${sets.join(", ")} WHERE ${condition}`,
    place.values,
  );
}

/** The keys of those of the rows that do not have all of these values; no other column is read. */
export async function rowsUnlike(
  sql: Sql,
  table: RowTable,
  { rows, values }: { readonly rows: readonly Row[]; readonly values: Row },
): Promise<readonly Row[]> {
  const place = placesOf(sql);
  const which = rows.map((row) => `(${keysOf({ sql, table, place }, row).join(" AND ")})`);
  const same = Object.keys(values).map((name) =>
    sameValue(sql, columnOf(table, name), place(valueIn(values, name), asText)),
  );
  if (which.length === 0 || same.length === 0) return [];
  return sql.rows(
    `SELECT ${selected(sql, keysAlone(table))} FROM ${sql.quoted(table.name)} WHERE (${which.join(" OR ")}) AND NOT (${same.join(" AND ")})`,
    place.values,
  );
}

interface Naming {
  readonly sql: Sql;
  readonly table: RowTable;
  readonly place: Places;
}

function keysAlone(table: RowTable): RowTable {
  return { ...table, columns: table.columns.filter(({ name }) => table.key.includes(name)) };
}

function keysOf({ sql, table, place }: Naming, row: Row): string[] {
  return table.key.map((name) => `${sql.quoted(name)} = ${place(valueIn(row, name), columnOf(table, name))}`);
}

function unchangedIn(naming: Naming, rows: readonly UnchangedRow[]): string {
  const { sql, table, place } = naming;
  const conditions = rows.map(({ row, unchanged }) => {
    // In the order in which they stand there: MySQL's places have no numbers.
    const keys = keysOf(naming, row);
    const same = unchanged.map((name) =>
      sameValue(sql, columnOf(table, name), place(valueIn(row, name), asText)),
    );
    return `(${[...keys, ...same].join(" AND ")})`;
  });
  return conditions.join(" OR ");
}

const asText: RowColumn = { name: "", type: "", as: "text" };

/** Whether a column has this value, or both have none. Texts of MySQL byte by byte: its collations take much for the same. */
function sameValue(sql: Sql, { name, type, as }: RowColumn, value: string): string {
  const column = sql.quoted(name);
  if (sql.engine === "postgres") {
    const isCompared = !/^(json|xml|point|line|lseg|box|path|polygon|circle)\b/.test(type);
    return `${isCompared ? column : `CAST(${column} AS text)`} IS NOT DISTINCT FROM ${value}`;
  }
  if (as === "hex") return `HEX(${column}) <=> ${value}`;
  if (as === "exact") return `CAST(${column} AS DOUBLE) <=> ${value}`;
  if (!/^(char|varchar|(tiny|medium|long)?text|enum|set|json)\b/i.test(type)) return `${column} <=> ${value}`;
  return `CAST(CONVERT(${column} USING utf8mb4) AS BINARY) <=> CAST(${value} AS BINARY)`;
}

/**
 * Has the sequences of a table go on behind the highest values that are there: rows that were written with their values have
 * not moved them. Of MySQL the server does that by itself.
 */
export async function raiseSequences(sql: Sql, { name, columns }: RowTable): Promise<void> {
  if (sql.engine === "mysql") return;
  for (const column of columns.filter(({ type }) => /^(small|big)?int(eger)?$/.test(type))) {
    await sql.rows(
      `SELECT setval(s, GREATEST(m, COALESCE(pg_sequence_last_value(s::regclass), m)))
       FROM (SELECT pg_get_serial_sequence($1, $2) AS s, (SELECT MAX(${sql.quoted(column.name)}) FROM ${sql.quoted(name)}) AS m) AS x
       WHERE s IS NOT NULL AND m IS NOT NULL`,
      [sql.quoted(name), column.name],
    );
  }
}

/** Whether two rows have the same value in every column. Pure. */
export function sameRow({ columns }: RowTable, one: Row, other: Row): boolean {
  return columns.every(({ name }) => valueIn(one, name) === valueIn(other, name));
}

/** The key of a row as one text. Pure. */
export function keyText({ key }: Pick<RowTable, "key">, row: Row): string {
  return JSON.stringify(key.map((name) => valueIn(row, name)));
}

function selected(sql: Sql, { columns }: RowTable): string {
  return columns
    .map((column) => {
      const quoted = sql.quoted(column.name);
      return column.as === "text" ? quoted : `${readAs(quoted, column)} AS ${quoted}`;
    })
    .join(", ");
}

function readAs(quoted: string, { as }: RowColumn): string {
  if (as === "hex") return `HEX(${quoted})`;
  return as === "exact" ? `CAST(${quoted} AS DOUBLE)` : quoted;
}

export function columnOf({ columns }: RowTable, name: string): RowColumn {
  return columns.find((column) => column.name === name) ?? { name, type: "", as: "text" };
}

interface Places {
  (value: string | null, column: RowColumn): string;
  readonly values: (string | null)[];
}

/** Counts the parameters of a statement up, and gives each its place. */
export function placesOf({ engine }: Sql): Places {
  const values: (string | null)[] = [];
  const place = (value: string | null, { as }: RowColumn) => {
    values.push(value);
    const mark = engine === "mysql" ? "?" : `$${values.length}`;
    return as === "hex" ? `UNHEX(${mark})` : mark;
  };
  return Object.assign(place, { values });
}
