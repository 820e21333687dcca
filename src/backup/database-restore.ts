import { CliError } from "../errors.ts";
import { compareDatabase } from "../setup/database.ts";
import type { DatabaseWrite } from "../setup/step.ts";
import type { Row } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import { rowTables, type RowTable } from "../sql/row-table.ts";
import { keyText, rowsWithKeys, sameRow, someRows } from "../sql/rows.ts";
import { rowJudge, type JudgedRow, type JudgeRow } from "./erased-rows.ts";
import { partLines } from "./parts.ts";
import type { Planning } from "./restore-compare.ts";
import { dueIn, type RowWithFile } from "./returning-rows.ts";
import { fateOfDifferent, noCounts, type Fate, type FateCounts, type RestoreSite } from "./restore-site.ts";
import { parseRowLine } from "./row-line.ts";
import { refuseForeignSchemas } from "./schema-part.ts";
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
  /** Undefined where all rows are meant and nobody was erased. */
  readonly judge: JudgeRow | undefined;
  /** Where only some of the rows are meant. */
  readonly part?: RowsPart;
}

/** What there is to say of a part of the rows. */
export interface RowsPart {
  /** Rows that cannot come back, as something that they refer to does not. */
  readonly left: readonly { readonly what: string; readonly why: string }[];
  /** Rows that were not asked for, and come back as others refer to them. */
  readonly along: readonly string[];
  /** Files that the rows name (`fileName`). */
  readonly files: ReadonlySet<string>;
  /** Of the rows that are written those that name one. */
  readonly withFile: readonly RowWithFile[];
  /** By tables, how many rows stay away that only name the person. */
  readonly naming: readonly (readonly [string, number])[];
}

export interface RowsPlan {
  /** The columns that the backup and the database have both. */
  readonly table: RowTable;
  readonly snapshot: RowsSnapshot;
  readonly isNew: boolean;
  readonly counts: FateCounts;
  /** Without a key nobody can tell which rows are the same: they come back into an empty table only, all at once. */
  readonly isEmpty: boolean;
  /** Keys of some that differ. */
  readonly differing: readonly string[];
  /** By rules of retention, how many of those that are written are due at once; nothing is known of rows that go into an empty table uncompared. */
  readonly due: ReadonlyMap<string, number>;
}

/** Of a chunk of rows that is compared and written at once. */
const rowsAtOnce = 200;
/** Of JSON: a server takes statements of 16 MB, as MariaDB comes, and a value may be as large by itself. */
const mostBytesAtOnce = 1_000_000;
const mostNamed = 5;

/**
 * Compares the rows of a snapshot with those that are there. What is missing of the database itself comes from the model's
 * file, never from the backup, which anybody may have written to.
 * @throws CliError for a table or a column that the database would not have, or a schema that is none; nothing was changed then.
 */
export async function planRows(
  site: RestoreSite,
  snapshot: DatabaseSnapshot,
  { isLedgerEmpty, onSuppressed }: Pick<Planning, "isLedgerEmpty" | "onSuppressed">,
): Promise<DatabasePlan> {
  const { role, engine } = snapshot;
  const database = databaseOf(site, snapshot);
  await refuseForeignSchemas(site, { id: site.manifest.id, databases: [snapshot] });
  const { steps, wanted, found } = await compareDatabase(database);
  const there = rowTables(found, engine);
  const future = [...there, ...rowTables(wanted, engine).filter(({ name }) => !found.has(`table ${name}`))];
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
    const table = rowsTable({ database, snapshot, tables: future }, rows);
    tables.push(
      await planTableRows(site, database, {
        table,
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

/**
 * The table into which rows go, with the columns that it and the backup have both.
 * @throws CliError where it, or a column of the rows, is not there.
 */
export function rowsTable(
  {
    database,
    snapshot,
    tables,
  }: {
    readonly database: Database;
    readonly snapshot: DatabaseSnapshot;
    readonly tables: readonly RowTable[];
  },
  { name: wanted }: RowsSnapshot,
): RowTable {
  const table = tables.find(({ name }) => name === wanted);
  if (table === undefined) throw unfit(`table ${wanted} of the backup`, database);
  const { columns = [] } = snapshotTables(snapshot).find(({ name }) => name === wanted) ?? {};
  const keyLess = table.key.find((name) => !columns.some((column) => column.name === name));
  if (keyLess !== undefined) throw unfit(`table ${wanted} of the backup, without ${keyLess},`, database);
  const unknown = columns.find(({ name }) => !table.columns.some((column) => column.name === name));
  if (unknown !== undefined) throw unfit(`column ${wanted}.${unknown.name} of the backup`, database);
  return {
    ...table,
    columns: table.columns.filter(({ name }) => columns.some((column) => column.name === name)),
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
export function databaseOf(
  { databases = [] }: RestoreSite,
  { role, name, engine }: DatabaseSnapshot,
): Database {
  const found = databases.find((database) => database.role === role && database.engine === engine);
  if (found !== undefined) return found;
  throw new CliError(`the model declares no database ${name} (${role}, ${engine}); nothing was changed`, {
    hint: "--only restores the rest",
  });
}

interface Planned extends Pick<RowsPlan, "table" | "snapshot" | "isNew" | "isEmpty"> {
  readonly judge: JudgeRow | undefined;
  /** Told of each row that is meant. */
  readonly onCompared?: (compared: ComparedRow) => void;
}

export async function planTableRows(
  site: RestoreSite,
  database: Database,
  { judge, onCompared, ...asked }: Planned,
): Promise<RowsPlan> {
  const counts = noCounts();
  const differing: string[] = [];
  const due = new Map<string, number>();
  const isEmpty = asked.isNew || (await someRows(database.sql, asked.table, 1)).length === 0;
  const planned = { ...asked, isEmpty };
  if (isEmpty && judge === undefined)
    return { ...planned, counts: { ...counts, create: planned.snapshot.rows }, differing, due };
  site.onProgress(`comparing ${planned.table.name}`);
  const ruleOf = dueIn(site, database, planned.table);
  for await (const rows of meantRows(site, { ...planned, judge })) {
    for (const compared of await compareRows(site, database, planned, rows)) {
      const { fate, row } = compared;
      onCompared?.(compared);
      if (fate !== "left out") counts[fate] += 1;
      const rule = fate === "create" || fate === "overwrite" ? ruleOf(row) : undefined;
      if (rule !== undefined) due.set(rule, (due.get(rule) ?? 0) + 1);
      if (fate === "conflict" && differing.length < mostNamed) differing.push(keyWords(planned.table, row));
    }
  }
  return { ...planned, counts, differing, due };
}

type Reading = Pick<RestoreSite, "repository" | "signal">;

/** The rows of a table in the backup, some at a time: so many at most, and large ones a few. */
export function chunksOf(site: Reading, snapshot: RowsSnapshot): AsyncGenerator<readonly Row[]> {
  return gathered(site, snapshot, { most: rowsAtOnce, take: (row) => row });
}

/** Those of them that are meant, as they may be written. */
export function meantRows(
  site: Reading,
  { table, snapshot, judge }: Pick<Planned, "table" | "snapshot" | "judge">,
  most = rowsAtOnce,
): AsyncGenerator<readonly JudgedRow[]> {
  const take = (row: Row): JudgedRow | undefined => {
    const judged = judge?.(table, row) ?? { row, is: "whole" as const };
    return judged.is === "left out" ? undefined : judged;
  };
  return gathered(site, snapshot, { most, take });
}

async function* gathered<T>(
  { repository, signal }: Reading,
  snapshot: RowsSnapshot,
  { most, take }: { readonly most: number; readonly take: (row: Row) => T | undefined },
): AsyncGenerator<readonly T[]> {
  let taken: T[] = [];
  let bytes = 0;
  for (const part of snapshot.parts) {
    for await (const lines of partLines(repository, part, signal)) {
      for (const line of lines) {
        const each = take(parseRowLine(line, snapshot.name));
        if (each === undefined) continue;
        taken.push(each);
        bytes += line.length;
        if (taken.length < most && bytes < mostBytesAtOnce) continue;
        yield taken;
        taken = [];
        bytes = 0;
      }
    }
  }
  if (taken.length > 0) yield taken;
}

export interface ComparedRow {
  readonly row: Row;
  readonly fate: Fate;
  readonly over?: Row | undefined;
  /** Why it is left out, though it is meant and missing. */
  readonly obstacle?: string | undefined;
}

/** What becomes of rows that are meant. */
export async function compareRows(
  { onConflict }: RestoreSite,
  { sql }: Database,
  { table, isEmpty }: Pick<Planned, "table" | "isEmpty">,
  judged: readonly JudgedRow[],
): Promise<ComparedRow[]> {
  const rows = judged.map(({ row }) => row);
  const found = table.key.length === 0 || isEmpty ? [] : await rowsWithKeys(sql, table, { rows });
  const byKey = new Map(found.map((row) => [keyText(table, row), row]));
  return judged.map(({ row, is, obstacle, mayReplace }): ComparedRow => {
    const over = byKey.get(keyText(table, row));
    if (is === "suppressed" || (is === "emptied" && over !== undefined)) return { row, fate: "suppressed" };
    if (is === "along" && over !== undefined) return { row, fate: "left out" };
    if (table.key.length === 0 && !isEmpty) return { row, fate: "conflict" };
    if (over === undefined) return { row, fate: obstacle === undefined ? "create" : "left out", obstacle };
    if (sameRow(table, row, over)) return { row, fate: "same" };
    const [mine, theirs] = [row["updated_at"], over["updated_at"]];
    const isNewer = () => typeof mine === "string" && typeof theirs === "string" && mine > theirs;
    const fate = fateOfDifferent(onConflict, isNewer);
    const stays = obstacle !== undefined || mayReplace?.(over) === false;
    return { row, over, fate: fate === "overwrite" && stays ? "conflict" : fate };
  });
}

/** The key of a row, for people. */
export function keyWords({ key }: RowTable, row: Row): string {
  return key.map((name) => row[name] ?? "").join(" + ");
}
