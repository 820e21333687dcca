import { chunked } from "../concurrency.ts";
import { CliError } from "../errors.ts";
import { retry } from "../retry.ts";
import { compareDatabase, makesTrigger, writeDatabase } from "../setup/database.ts";
import type { DatabaseWrite } from "../setup/step.ts";
import type { Row } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import { isDeadlock, serverCode } from "../sql/explain.ts";
import {
  insertRows,
  keyText,
  raiseSequences,
  replaceRow,
  rowsWithKeys,
  rowTables,
  sameRow,
  someRows,
  type RowTable,
} from "../sql/rows.ts";
import { rowJudge, type JudgedRow, type JudgeRow } from "./erased-rows.ts";
import { partLines } from "./parts.ts";
import type { Planning } from "./restore-compare.ts";
import { fateOfDifferent, noCounts, type Fate, type FateCounts, type RestoreSite } from "./restore-site.ts";
import { parseRowLine } from "./row-line.ts";
import { snapshotTables, type DatabaseSnapshot, type RowsSnapshot } from "./snapshot.ts";

/** What a restore is about to do with one database. */
export interface DatabasePlan {
  readonly role: string;
  readonly name: string;
  readonly state: "missing" | "there";
  readonly snapshot: DatabaseSnapshot;
  /** Makes tables, views and functions that are missing, by the model's file. */
  readonly writes: readonly DatabaseWrite[];
  /** Parents before their children. */
  readonly tables: readonly RowsPlan[];
  /** Undefined where nobody was erased. */
  readonly judge: JudgeRow | undefined;
}

interface RowsPlan {
  /** The columns that the backup and the database have both. */
  readonly table: RowTable;
  readonly snapshot: RowsSnapshot;
  readonly isNew: boolean;
  readonly counts: FateCounts;
  /** Without a key nobody can tell which rows are the same: they come back into an empty table only, all at once. */
  readonly isEmpty: boolean;
  /** Keys of some that differ. */
  readonly differing: readonly string[];
}

export interface RestoredRows {
  readonly rows: number;
  readonly failed: readonly { readonly what: string; readonly why: string }[];
}

/** Of a chunk of rows that is compared and written at once. */
const rowsAtOnce = 200;
const mostNamed = 5;

/**
 * Compares the rows of a snapshot with those that are there. What is missing of the database itself comes from the model's
 * file, never from the backup, which anybody may have written to.
 * @throws CliError for a table or a column that the database would not have; nothing was changed then.
 */
export async function planRows(
  site: RestoreSite,
  snapshot: DatabaseSnapshot,
  { isLedgerEmpty, onSuppressed }: Pick<Planning, "isLedgerEmpty" | "onSuppressed">,
): Promise<DatabasePlan> {
  const { role, engine } = snapshot;
  const database = databaseOf(site, snapshot);
  const { steps, wanted, found } = await compareDatabase(database);
  const there = rowTables(found, engine);
  const future = [...there, ...rowTables(wanted, engine).filter(({ name }) => !found.has(`table ${name}`))];
  const read = new Map(snapshotTables(snapshot).map((table) => [table.name, table]));
  const { isErased, model } = site;
  const judging = { model, database, isErased, onSuppressed, tables: future };
  const rowsNamed = (name: string) => {
    const rows = snapshot.tables.find((each) => each.name === name);
    return rows === undefined ? undefined : chunksOf(site, rows);
  };
  const judge = isLedgerEmpty
    ? undefined
    : await rowJudge({ ...judging, catalogue: new Map([...wanted, ...found]), read: rowsNamed });
  const tables: RowsPlan[] = [];
  for (const rows of snapshot.tables) {
    const table = future.find(({ name }) => name === rows.name);
    if (table === undefined) throw unfit(`table ${rows.name} of the backup`, database);
    const columns = read.get(rows.name)?.columns ?? [];
    const keyLess = table.key.find((name) => !columns.some((column) => column.name === name));
    if (keyLess !== undefined) throw unfit(`table ${rows.name} of the backup, without ${keyLess},`, database);
    const unknown = columns.find(({ name }) => !table.columns.some((column) => column.name === name));
    if (unknown !== undefined) throw unfit(`column ${rows.name}.${unknown.name} of the backup`, database);
    const common = table.columns.filter(({ name }) => columns.some((column) => column.name === name));
    tables.push(
      await planTableRows(site, database, {
        table: { ...table, columns: common },
        snapshot: rows,
        isNew: !there.some(({ name }) => name === rows.name),
        isEmpty: false,
        judge,
      }),
    );
  }
  const writes = steps.flatMap(({ write }) => (write === undefined ? [] : [write as DatabaseWrite]));
  return {
    role,
    name: database.name,
    state: database.isThere ? "there" : "missing",
    snapshot,
    // Rows of the file are in the backup as the site had them.
    writes: writes.filter((write) => write.do !== "insert-rows"),
    tables: ordered(tables, future),
    judge,
  };
}

/** Parents before their children, as the database has it. */
function ordered(tables: readonly RowsPlan[], order: readonly RowTable[]): RowsPlan[] {
  const place = new Map(order.map(({ name }, at) => [name, at]));
  return tables.toSorted(
    (one, other) => (place.get(one.table.name) ?? 0) - (place.get(other.table.name) ?? 0),
  );
}

function unfit(what: string, { name }: Database): CliError {
  return new CliError(`${what} is none of database ${name}, nor of the model's file; nothing was changed`, {
    hint: "bring the database to the state of the backup first, or restore the rest with --only",
  });
}

/** Its place by the role alone: the names in a backup say only where things were. */
function databaseOf({ databases = [] }: RestoreSite, { role, name, engine }: DatabaseSnapshot): Database {
  const found = databases.find((database) => database.role === role && database.engine === engine);
  if (found !== undefined) return found;
  throw new CliError(`the model declares no database ${name} (${role}, ${engine}); nothing was changed`, {
    hint: "--only restores the rest",
  });
}

interface Planned extends Pick<RowsPlan, "table" | "snapshot" | "isNew" | "isEmpty"> {
  readonly judge: JudgeRow | undefined;
}

async function planTableRows(
  site: RestoreSite,
  database: Database,
  { judge, ...asked }: Planned,
): Promise<RowsPlan> {
  const counts = noCounts();
  const differing: string[] = [];
  const isEmpty = asked.isNew || (await someRows(database.sql, asked.table, 1)).length === 0;
  const planned = { ...asked, isEmpty };
  if (isEmpty && judge === undefined)
    return { ...planned, counts: { ...counts, create: planned.snapshot.rows }, differing };
  for await (const rows of chunksOf(site, planned.snapshot)) {
    for (const { fate, row } of await compareRows(site, database, { ...planned, judge }, rows)) {
      if (fate !== "left out") counts[fate] += 1;
      if (fate === "conflict" && differing.length < mostNamed) differing.push(keyWords(planned.table, row));
    }
  }
  return { ...planned, counts, differing };
}

async function* chunksOf(
  { repository, signal }: RestoreSite,
  snapshot: RowsSnapshot,
): AsyncGenerator<readonly Row[]> {
  for (const part of snapshot.parts) {
    for await (const lines of partLines(repository, part, signal))
      for (const chunk of chunked(lines, rowsAtOnce))
        yield chunk.map((line) => parseRowLine(line, snapshot.name));
  }
}

interface ComparedRow {
  readonly row: Row;
  readonly fate: Fate;
  readonly over?: Row | undefined;
}

async function compareRows(
  { onConflict }: RestoreSite,
  { sql }: Database,
  { table, isEmpty, judge }: Planned,
  rows: readonly Row[],
): Promise<ComparedRow[]> {
  const judged = rows.map((row): JudgedRow => judge?.(table, row) ?? { row, is: "whole" });
  const found = table.key.length === 0 || isEmpty ? [] : await rowsWithKeys(sql, table, { rows });
  const byKey = new Map(found.map((row) => [keyText(table, row), row]));
  return judged.map(({ row, is }): ComparedRow => {
    const over = byKey.get(keyText(table, row));
    if (is === "suppressed" || (is === "emptied" && over !== undefined)) return { row, fate: "suppressed" };
    if (table.key.length === 0) return { row, fate: isEmpty ? "create" : "conflict" };
    if (over === undefined) return { row, fate: "create" };
    if (sameRow(table, row, over)) return { row, fate: "same" };
    const [mine, theirs] = [row["updated_at"], over["updated_at"]];
    const isNewer = () => typeof mine === "string" && typeof theirs === "string" && mine > theirs;
    return { row, over, fate: fateOfDifferent(onConflict, isNewer) };
  });
}

function keyWords({ key }: RowTable, row: Row): string {
  return key.map((name) => row[name] ?? "").join(" + ");
}

/**
 * Makes what is missing of the database, then compares its rows once more and writes what is due, each only over what was just
 * seen there. Rows whose parents come later are written again at the end. Broken off, the same command comes to the same end.
 */
export async function writeRows(
  site: RestoreSite,
  plan: DatabasePlan,
  onWritten: (rows: number) => void,
): Promise<RestoredRows> {
  const database = databaseOf(site, plan.snapshot);
  if (!database.isThere) await database.make();
  // Triggers come behind the rows: what they write is in the backup already.
  const isTrigger = (write: DatabaseWrite) => write.do === "run-statement" && makesTrigger(write.statement);
  const structure = async (late: boolean) => {
    for (const write of plan.writes)
      if (write.do !== "create-database" && isTrigger(write) === late) await writeDatabase(database, write);
  };
  await structure(false);
  const failed: { what: string; why: string }[] = [];
  let rows = 0;
  const written = (count: number) => {
    rows += count;
    onWritten(count);
  };
  let waiting: Waiting[] = [];
  for (const planned of plan.tables) {
    const { counts } = planned;
    if (counts.create + counts.overwrite === 0) continue;
    if (planned.table.key.length === 0) {
      written(await writeKeyless(site, database, { ...planned, judge: plan.judge }));
      continue;
    }
    // By now it may hold what an earlier run has written.
    const { judge } = plan;
    for await (const chunk of chunksOf(site, planned.snapshot)) {
      const due = await compareRows(site, database, { ...planned, isEmpty: false, judge }, chunk);
      const create = due.flatMap(({ row, fate }) => (fate === "create" ? [row] : []));
      const writing = { database, table: planned.table, failed, written };
      waiting.push(...(await insert(writing, create)).map((row) => ({ ...writing, row })));
      for (const { row, over, fate } of due)
        if (fate === "overwrite" && over !== undefined) await overwrite(writing, { row, over });
    }
  }
  for (let before = Infinity; waiting.length > 0 && waiting.length < before;) {
    before = waiting.length;
    const still: Waiting[] = [];
    for (const each of waiting) if ((await insert(each, [each.row])).length > 0) still.push(each);
    waiting = still;
  }
  for (const { table, row } of waiting)
    failed.push({ what: rowName(table, row), why: "what it points at by a foreign key is not there" });
  for (const { table } of plan.tables) await raiseSequences(database.sql, table);
  await structure(true);
  return { rows, failed };
}

/** All rows or none: a restore that was broken off finds the table empty, or does not come here again. */
async function writeKeyless(site: RestoreSite, database: Database, planned: Planned): Promise<number> {
  const { sql } = database;
  let rows = 0;
  await sql.run("BEGIN");
  try {
    for await (const chunk of chunksOf(site, planned.snapshot)) {
      const due = await compareRows(site, database, { ...planned, isEmpty: true }, chunk);
      const create = due.flatMap(({ row, fate }) => (fate === "create" ? [row] : []));
      if (create.length > 0) await insertRows(sql, planned.table, create);
      rows += create.length;
    }
    await sql.run("COMMIT");
    return rows;
  } catch (error) {
    await sql.run("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

interface Writing {
  readonly database: Database;
  readonly table: RowTable;
  readonly failed: { what: string; why: string }[];
  readonly written: (rows: number) => void;
}

interface Waiting extends Writing {
  readonly row: Row;
}

function rowName(table: RowTable, row: Row): string {
  return `${table.name} ${keyWords(table, row)}`;
}

/** Answers the rows whose parents are not there yet. */
async function insert(writing: Writing, rows: readonly Row[]): Promise<readonly Row[]> {
  const { database, table, failed, written } = writing;
  if (rows.length === 0) return [];
  try {
    await retry(() => insertRows(database.sql, table, rows), isDeadlock);
    written(rows.length);
    return [];
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    const [row] = rows;
    if (rows.length > 1 || row === undefined) {
      const waiting: Row[] = [];
      for (const one of rows) waiting.push(...(await insert(writing, [one])));
      return waiting;
    }
    if (isParentMissing(code)) return [row];
    failed.push({ what: rowName(table, row), why: `the database refused it (${code})` });
    return [];
  }
}

async function overwrite(
  { database, table, failed, written }: Writing,
  { row, over }: { row: Row; over: Row },
) {
  try {
    const replaced = await retry(() => replaceRow(database.sql, table, { row, over }), isDeadlock);
    if (replaced) written(1);
    else failed.push({ what: rowName(table, row), why: "was changed by somebody else meanwhile" });
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    failed.push({ what: rowName(table, row), why: `the database refused it (${code})` });
  }
}

/** Of what the server said of one statement; undefined for what would hit every other one too. */
function codeOf(error: unknown): string | undefined {
  const code = serverCode(error);
  // Integrity and data, by MySQL's names and PostgreSQL's classes.
  return /^(22|23)[\dA-Z]{3}$|^ER_(DUP|NO_REFERENCED|ROW_IS|DATA|TRUNCATED|BAD_NULL|CHECK|CONSTRAINT|NO_DEFAULT|WARN_DATA|NO_PARTITION|INVALID_JSON|WRONG_VALUE)|^(WARN_DATA_TRUNCATED|428C9)$/.test(
    code,
  )
    ? code
    : undefined;
}

function isParentMissing(code: string): boolean {
  return code === "23503" || code.startsWith("ER_NO_REFERENCED");
}

/** Whether anything is to be made or written. */
export function isRowsDue({ state, writes, tables }: DatabasePlan): boolean {
  return (
    state === "missing" ||
    writes.length > 0 ||
    tables.some(({ counts }) => counts.create + counts.overwrite > 0)
  );
}

/** The counts of all tables together. */
export function rowCounts({ tables }: DatabasePlan): FateCounts {
  const sum = noCounts();
  for (const { counts } of tables) {
    sum.create += counts.create;
    sum.same += counts.same;
    sum.conflict += counts.conflict;
    sum.overwrite += counts.overwrite;
    sum.suppressed += counts.suppressed;
  }
  return sum;
}
