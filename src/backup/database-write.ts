import { retry } from "../retry.ts";
import { makesTrigger, writeDatabase } from "../setup/database.ts";
import type { DatabaseWrite } from "../setup/step.ts";
import type { Row } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import { isDeadlock, isParentMissing, serverCode } from "../sql/explain.ts";
import type { RowTable } from "../sql/row-table.ts";
import { raiseSequences, replaceRows, someRows, type Replacement } from "../sql/rows.ts";
import { inTransaction } from "../sql/transaction.ts";
import {
  compareRows,
  databaseOf,
  keyWords,
  meantRows,
  type DatabasePlan,
  type RowsPlan,
} from "./database-restore.ts";
import type { RestoreSite } from "./restore-site.ts";

export interface RestoredRows {
  readonly rows: number;
  readonly failed: readonly { readonly what: string; readonly why: string }[];
}

/** Of those that go into an empty table, where nothing is compared, by one statement: their bytes end it before, unless they are tiny. */
const newRowsAtOnce = 10_000;

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
    const { judge } = plan;
    if (planned.table.key.length === 0) {
      written(await writeKeyless(site, database, { ...planned, judge }));
      continue;
    }
    const writing = { database, table: planned.table, failed, written };
    const left = await writeTable(site, { ...writing, planned: { ...planned, judge } });
    waiting.push(...left.map((row) => ({ ...writing, row })));
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

/** Answers the rows whose parents are not there yet. */
async function writeTable(
  site: RestoreSite,
  {
    planned,
    ...writing
  }: Writing & { readonly planned: RowsPlan & { readonly judge: DatabasePlan["judge"] } },
): Promise<Row[]> {
  const { database, table } = writing;
  // By now it may hold what an earlier run has written.
  const isEmpty = (await someRows(database.sql, table, 1)).length === 0;
  const waiting: Row[] = [];
  let before: Promise<readonly Row[]> = Promise.resolve([]);
  for await (const chunk of meantRows(site, planned, isEmpty ? newRowsAtOnce : undefined)) {
    const due = await compareRows(site, database, { ...planned, isEmpty }, chunk);
    const create = due.flatMap(({ row, fate }) => (fate === "create" ? [row] : []));
    // The next rows are read while the server writes these.
    const inserting = insert(writing, create);
    inserting.catch(() => undefined);
    waiting.push(...(await before));
    // What is overwritten is so in a transaction on the same connection.
    if (!isEmpty) await inserting;
    before = inserting;
    await overwrite(
      writing,
      due.flatMap(({ row, over, fate }) =>
        fate === "overwrite" && over !== undefined ? [{ row, over }] : [],
      ),
    );
  }
  return [...waiting, ...(await before)];
}

/** All rows or none: a restore that was broken off finds the table empty, or does not come here again. */
async function writeKeyless(
  site: RestoreSite,
  database: Database,
  planned: RowsPlan & { readonly judge: DatabasePlan["judge"] },
): Promise<number> {
  const { sql } = database;
  return inTransaction(sql, "COMMIT", async () => {
    let rows = 0;
    for await (const chunk of meantRows(site, planned)) {
      const due = await compareRows(site, database, { ...planned, isEmpty: true }, chunk);
      const create = due.flatMap(({ row, fate }) => (fate === "create" ? [row] : []));
      if (create.length > 0) await sql.insert(planned.table, create);
      rows += create.length;
    }
    return rows;
  });
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
    await retry(() => database.sql.insert(table, rows), isDeadlock);
    written(rows.length);
    return [];
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    const [row] = rows;
    if (rows.length > 1 || row === undefined) {
      const left: Row[] = [];
      for (const some of halves(rows)) left.push(...(await insert(writing, some)));
      return left;
    }
    if (isParentMissing(error)) return [row];
    failed.push({ what: rowName(table, row), why: `the database refused it (${code})` });
    return [];
  }
}

async function overwrite(writing: Writing, all: readonly Replacement[]): Promise<void> {
  const { database, table, failed, written } = writing;
  const [first] = all;
  if (first === undefined) return;
  try {
    const changed = await retry(() => replaceRows(database.sql, table, all), isDeadlock);
    written(all.length - changed.length);
    for (const { row } of changed)
      failed.push({ what: rowName(table, row), why: "was changed by somebody else meanwhile" });
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    if (all.length === 1) {
      failed.push({ what: rowName(table, first.row), why: `the database refused it (${code})` });
      return;
    }
    for (const some of halves(all)) await overwrite(writing, some);
  }
}

function halves<T>(all: readonly T[]): readonly (readonly T[])[] {
  const middle = Math.ceil(all.length / 2);
  return [all.slice(0, middle), all.slice(middle)];
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
