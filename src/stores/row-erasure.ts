import { chunked } from "../concurrency.ts";
import { CliError } from "../errors.ts";
import { tablesOf } from "../model/database.ts";
import { groupedBy, referencesOf } from "../model/graph.ts";
import { own } from "../model/json.ts";
import { accountColumns, rowSubjects } from "../model/person-rows.ts";
import type { Model } from "../model/schema.ts";
import { retry } from "../retry.ts";
import type { Row } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import { isDeadlock, isReferredTo } from "../sql/explain.ts";
import { followersOf, foreignKeysTo, rowTables, type RowTable } from "../sql/row-table.ts";
import { changeRows, deleteRows, keyText, rowsUnlike, rowsWith, type UnchangedRow } from "../sql/rows.ts";
import { emptiedValues, uniqueColumns } from "./emptied-values.ts";
import {
  fileColumn,
  namesFiles,
  narrowed,
  only,
  rowsPerStatement,
  type PersonRow,
  type PersonRows,
  type PersonTable,
  type PersonTables,
} from "./person-tables.ts";

/** What is done to rows of one entity. */
export interface RowErasure extends Omit<PersonRows, "rows"> {
  readonly deletes: readonly PersonRow[];
  readonly changes: readonly RowChange[];
}

/** A row of which columns get other values. */
export interface RowChange {
  readonly row: PersonRow;
  readonly values: Row;
}

/** Erases rows of people. */
export interface RowErasing {
  /**
   * The changes after which rows about a person tell of nobody, but for their keys; without those that are so already. Columns that
   * the model calls secret are emptied unread.
   */
  emptying(rows: PersonRows, pseudonym: string): Promise<readonly RowChange[]>;
  /** Why rows cannot be deleted without others that stay: what foreign keys say. */
  obstacles(work: readonly RowErasure[]): Promise<readonly string[]>;
  /** Of these keys of files those that are named by rows which stay. */
  namedByOthers(work: readonly RowErasure[], keys: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Does all of it in one transaction for each database, children first, and then what `then` does, before any of these ends. Rows
   * that somebody else has changed meanwhile stay. Where `then` answers false or fails, all rows are as they were.
   */
  erase(work: readonly RowErasure[], then: () => Promise<boolean>): Promise<void>;
}

export function rowErasing(model: Model, { tableOf, entityOf }: PersonTables): RowErasing {
  return {
    async emptying({ entity, rows }, pseudonym) {
      const { database, catalogue, whole } = await tableOf(entity);
      const accounts = rowSubjects(model).filter((each) => each.entity === entity);
      const emptied = {
        table: whole,
        catalogue,
        addresses: accounts.flatMap(({ ids: [, ...addresses] }) => addresses),
        isActive: accounts.map((each) => accountColumns(model, each).isActive)[0],
        staying: Object.keys(entityOf(entity).when ?? {}),
      };
      const unique = uniqueColumns(emptied);
      const changes: RowChange[] = [];
      // Where two may not have the same each row has its own; else one statement asks for a hundred.
      for (const some of chunked(rows, unique.length > 0 ? 1 : rowsPerStatement)) {
        const [{ key } = { key: {} }] = some;
        const place = { database, table: narrowed(whole, []), key };
        const values = await firstFree((attempt) => emptiedValues(emptied, { pseudonym, key, attempt }), {
          isTaken: async (each) =>
            changes.some((change) => unique.some((name) => isSame(change.values, each, name))) ||
            (await isElsewhere(place, only(each, unique))),
        });
        const unlike = await rowsUnlike(database.sql, whole, { rows: some.map((row) => row.key), values });
        const keys = new Set(unlike.map((row) => keyText(whole, row)));
        changes.push(...some.flatMap((row) => (keys.has(keyText(whole, row.key)) ? [{ row, values }] : [])));
      }
      return changes;
    },
    async obstacles(work) {
      const told: string[] = [];
      const isMet = metBy(work);
      for (const { entity, table: name, deletes, changes } of work) {
        const { database, catalogue, whole } = await tableOf(entity);
        const { sql, place, role, engine } = database;
        const kept = catalogue.get(`table ${whole.name}`) ?? "";
        if (engine === "mysql" && !/\binnodb\b/i.test(kept))
          told.push(
            `${name} knows no transactions (${kept}): what is half done there could not be taken back`,
          );
        const changed = new Set(changes.flatMap(({ values }) => Object.keys(values)));
        const keys = foreignKeysTo(catalogue, whole.name);
        for (const { table, parentColumns } of keys)
          if (parentColumns.some((column) => changed.has(column)))
            told.push(`rows of ${database.name}.${table} refer to ${name} by columns that would change`);
        if (deletes.length === 0) continue;
        const known = new Set([...tablesOf(model, role)].map((table) => table.toLowerCase()));
        for (const follower of await followersOf(sql, place, { table: whole.name }))
          if (!known.has(follower.replace(`${place}.`, "").replaceAll('"', "").toLowerCase()))
            told.push(
              `rows of ${follower}, which the model does not name, go or change with those of ${name}`,
            );
        const going = new Set(deletes.map(({ key }) => JSON.stringify(Object.entries(key))));
        const tables = rowTables(catalogue, engine);
        const order = tables.map((each) => each.name);
        for (const { table, columns, parentColumns, follows } of keys) {
          const child = tables.find((each) => each.name === table);
          if (child === undefined) continue;
          if (!whole.key.every((column) => parentColumns.includes(column))) {
            told.push(
              `${database.name}.${table} refers to ${name} by other columns than its key: which rows do is not known`,
            );
            continue;
          }
          // Such rows are deleted after those that they point at.
          const isRound = !follows && order.indexOf(table) <= order.indexOf(whole.name);
          const [first = ""] = columns;
          const [parentFirst = ""] = parentColumns;
          const staying = (row: Row) => {
            const parent = whole.key.map((column) => [
              column,
              row[columns[parentColumns.indexOf(column)] ?? ""] ?? null,
            ]);
            if (!going.has(JSON.stringify(parent))) return false;
            if (!isMet({ database, table: child }, row, first)) return true;
            const isItself =
              table === whole.name && parent.every(([column, text]) => row[column ?? ""] === text);
            return isRound && !isItself;
          };
          const narrow = narrowed(child, columns);
          let left = 0;
          const values = [...new Set(deletes.flatMap(({ key }) => key[parentFirst] ?? []))];
          for (const some of chunked(values, rowsPerStatement)) {
            const rows = await rowsWith(sql, narrow, { column: first, values: some });
            left += rows.filter(staying).length;
          }
          const does = follows ? "would go or change with" : isRound ? "refer, in a circle, to" : "refer to";
          if (left > 0) told.push(`${left} rows of ${database.name}.${table} ${does} rows of ${name}`);
        }
      }
      return told;
    },
    async namedByOthers(work, keys) {
      const named = new Set<string>();
      const isMet = metBy(work);
      for (const [entity, declared] of Object.entries(model.entities)) {
        if (keys.length === 0 || !("database" in declared.from) || !namesFiles(entity, declared)) continue;
        const { database, rows } = await tableOf(entity);
        const columns = new Set(referencesOf(entity, declared).flatMap(fileColumn));
        for (const column of columns) {
          for (const some of chunked(keys, rowsPerStatement)) {
            const found = await rowsWith(database.sql, narrowed(rows, [column]), { column, values: some });
            for (const row of found)
              if (!isMet({ database, table: rows }, row, column)) named.add(own(row, column) ?? "");
          }
        }
      }
      return named;
    },
    async erase(work, then) {
      const byDatabase = new Map<Database, Due[]>();
      for (const each of work) {
        const table = await tableOf(each.entity);
        byDatabase.set(table.database, [...(byDatabase.get(table.database) ?? []), { ...each, in: table }]);
      }
      const begun: Database[] = [];
      try {
        // What the person is found by ends last.
        const accounts = new Set(rowSubjects(model).map(({ entity }) => entity));
        const hasAccounts = (due: readonly Due[]) => Number(due.some(({ entity }) => accounts.has(entity)));
        const ordered = [...byDatabase].toSorted(
          ([, one], [, other]) => hasAccounts(one) - hasAccounts(other),
        );
        for (const [database, due] of ordered) {
          begun.push(database);
          await retry(() => eraseUncommitted(database, due), isDeadlock);
        }
        const isWhole = await then();
        for (const { sql } of begun) await sql.run(isWhole ? "COMMIT" : "ROLLBACK");
      } catch (error) {
        for (const { sql } of begun) await sql.run("ROLLBACK").catch(() => undefined);
        throw error;
      }
    },
  };
}

/** Values that are tried until no other row has them; then the database says what is one too many. */
const mostAttempts = 100;

async function firstFree(
  valuesAt: (attempt: number) => Row,
  { isTaken }: { readonly isTaken: (values: Row) => Promise<boolean> },
): Promise<Row> {
  for (let attempt = 0; ; attempt += 1) {
    const values = valuesAt(attempt);
    if (attempt === mostAttempts || !(await isTaken(values))) return values;
  }
}

function isSame(one: Row, other: Row, name: string): boolean {
  const value = own(one, name) ?? undefined;
  return value !== undefined && value === own(other, name);
}

/** Whether another row than this one has one of these values in its column. */
async function isElsewhere(
  { database, table, key }: { readonly database: Database; readonly table: RowTable; readonly key: Row },
  values: Row,
): Promise<boolean> {
  for (const [column, value] of Object.entries(values)) {
    const rows = value === null ? [] : await rowsWith(database.sql, table, { column, values: [value] });
    if (rows.some((row) => keyText(table, row) !== keyText(table, key))) return true;
  }
  return false;
}

interface Due extends RowErasure {
  readonly in: PersonTable;
}

/** In a transaction that goes on. */
async function eraseUncommitted({ sql, engine }: Database, due: readonly Due[]): Promise<void> {
  await sql.run("START TRANSACTION");
  try {
    for (const each of childrenFirst(due)) {
      const { whole } = each.in;
      for (const [values, changes] of groupedBy(each.changes, (change) => JSON.stringify(change.values)))
        for (const some of chunked(changes, rowsPerStatement)) {
          const rows = some.map(({ row }) => unchangedRow(row));
          await changeRows(sql, whole, { rows, values: JSON.parse(values) as Row });
        }
      for (const some of chunked(each.deletes, rowsPerStatement))
        await deleteRows(sql, whole, some.map(unchangedRow));
    }
    // Keys that are checked at the end of a transaction only.
    if (engine === "postgres") await sql.run("SET CONSTRAINTS ALL IMMEDIATE");
  } catch (error) {
    await sql.run("ROLLBACK").catch(() => undefined);
    if (!isReferredTo(error)) throw error;
    throw new CliError(`${sql.where}: a row that stays refers to one that was to go; no row was changed`, {
      hint: "run the same command again: it says which",
      cause: error,
    });
  }
}

/** As the database has its foreign keys, whatever the model says. */
function childrenFirst(due: readonly Due[]): Due[] {
  const [first] = due;
  if (first === undefined) return [];
  const { catalogue, database } = first.in;
  const order = rowTables(catalogue, database.engine).map(({ name }) => name);
  return due.toSorted((one, other) => order.indexOf(other.in.whole.name) - order.indexOf(one.in.whole.name));
}

function unchangedRow({ key, unchanged }: PersonRow): UnchangedRow {
  return { row: { ...unchanged, ...key }, unchanged: Object.keys(unchanged) };
}

/** Tells whether a row goes along, or a column of it gets another value. */
function metBy(work: readonly RowErasure[]) {
  const nameOf = (key: Row) => JSON.stringify(Object.values(key));
  const byTable = new Map<string, { going: Set<string>; changing: Map<string, Row> }>();
  for (const { table, deletes, changes } of work) {
    const known = byTable.get(table) ?? { going: new Set(), changing: new Map() };
    byTable.set(table, known);
    for (const { key } of deletes) known.going.add(nameOf(key));
    for (const { row, values } of changes) known.changing.set(nameOf(row.key), values);
  }
  return (
    { database, table }: { readonly database: Database; readonly table: RowTable },
    row: Row,
    column?: string,
  ): boolean => {
    const known = byTable.get(`${database.name}.${table.name}`);
    const name = nameOf(only(row, table.key));
    if (known === undefined || known.going.has(name)) return known !== undefined;
    return column !== undefined && Object.hasOwn(known.changing.get(name) ?? {}, column);
  };
}
