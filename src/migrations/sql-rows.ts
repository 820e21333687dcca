import { CliError, exitCodes } from "../errors.ts";
import type { Engine } from "../sql/address.ts";
import { readCatalogue, type Catalogue } from "../sql/catalogue.ts";
import type { Sql } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import { tableOf, countingStatement, rowChange, whyNotKept } from "../sql/row-change.ts";
import { journalled, journalsIn, putBack, runJournalled, type LeftRow } from "../sql/row-journal.ts";
import type { RegisteredSql, SqlMigration } from "./sql-files.ts";
import { runStatement, type Direction, type Statement } from "./sql-statement.ts";

/** How the rows that a statement of an `up` changes come back. */
export interface PutBack {
  readonly journal: string;
  readonly table: string;
  /** Before which statement of the `down`, counted from 0; as many as there are: behind the last. */
  readonly point: number;
  /** Columns that do not last from the statement to there. */
  readonly anew: readonly string[];
}

/** The table in which the former rows of a statement of an `up` are. Pure. */
function journalName({ id, at }: Pick<Statement, "id" | "at">): string {
  return `mawps_journal_${id.slice(0, 4)}_${at + 1}`;
}

/** Whether a journal is of a migration. Pure. */
export function isJournalOf(id: string, journal: string): boolean {
  return journal.startsWith(`mawps_journal_${id.slice(0, 4)}_`);
}

/** The statements of an `up` that change rows. */
function rowChangesIn({ id, up }: Pick<SqlMigration, "id" | "up">, engine: Engine) {
  return up.flatMap((statement, at) => {
    const change = rowChange(statement, engine);
    return change === undefined ? [] : [{ at, statement, change, journal: journalName({ id, at }) }];
  });
}

/** Whether a migration changes rows. Pure. */
export function hasRowChanges(migration: Pick<SqlMigration, "id" | "up">, engine: Engine): boolean {
  return rowChangesIn(migration, engine).length > 0;
}

/** Those that do. Pure. */
export function changingIds(registered: readonly RegisteredSql[], engine: Engine): ReadonlySet<string> {
  return new Set(
    registered.flatMap(({ migration }) => (hasRowChanges(migration, engine) ? [migration.id] : [])),
  );
}

/** Runs a statement; one that changes rows with its journal. @throws CliError as `runStatement` does, and where they could not come back. */
export async function runAnyStatement(
  sql: Sql,
  statement: Statement & { readonly place: string },
  then?: string,
): Promise<void> {
  const change = statement.direction === "up" ? rowChange(statement.statement, sql.engine) : undefined;
  if (change === undefined) return runStatement(sql, statement, then);
  const catalogue = await readCatalogue(sql, statement.place);
  await assertKept(sql, catalogue, statement);
  const table = tableOf(catalogue, sql.engine, change);
  if (table === undefined) throw new RangeError(`no table ${change.table}`);
  const run = () => runStatement(sql, statement, then);
  await runJournalled(sql, { journal: journalName(statement), table }, run);
}

/** @throws CliError (usage) where rows that a statement meets could not all be brought back. */
async function assertKept(
  sql: Sql,
  catalogue: Catalogue,
  { id, direction, at, statement, place }: Statement & { readonly place: string },
): Promise<void> {
  const change = rowChange(statement, sql.engine);
  const why = change && (await whyNotKept(sql, { place, catalogue }, change));
  if (why === undefined) return;
  throw new CliError(`${id}.${direction}.sql, statement ${at + 1} is not run: ${why}`, {
    exitCode: exitCodes.usage,
    hint: "all that it changes has to come back by `mawps migrate down`: a statement before it may drop the foreign key, or make the primary key",
  });
}

/** How many rows of a table a statement changes, or of one journal come back. */
export interface PlannedRows {
  readonly table: string;
  /** Null where that cannot be told: of an `up` before it is run, of a `down` without a journal. */
  readonly rows: number | null;
}

/**
 * How many rows an `up` would change as they are now, each statement asked by its own condition, in a transaction that only reads.
 * @throws CliError (usage) where rows of the live table could not be brought back.
 */
export async function plannedRows(
  { sql, place }: Pick<Database, "sql" | "place">,
  migration: SqlMigration,
): Promise<readonly PlannedRows[]> {
  const changes = rowChangesIn(migration, sql.engine);
  if (changes.length === 0) return [];
  const { id } = migration;
  const planned: PlannedRows[] = [];
  const journals = await journalsIn(sql, place);
  const catalogue = await readCatalogue(sql, place);
  for (const { at, statement, change, journal } of changes) {
    if (journals.some(({ name, state }) => name === journal && state === "done")) continue;
    const table = tableOf(catalogue, sql.engine, change)?.name;
    if (table !== undefined) await assertKept(sql, catalogue, { id, direction: "up", at, statement, place });
    planned.push({
      table: table ?? change.table,
      rows: table === undefined ? null : await counted(sql, statement),
    });
  }
  return planned;
}

async function counted(sql: Sql, statement: string): Promise<number | null> {
  const counting = countingStatement(statement, sql.engine);
  if (counting === undefined) return null;
  await sql.run("START TRANSACTION READ ONLY");
  try {
    const [row] = await sql.rows(counting);
    return Number(row?.["n"]);
  } catch (error) {
    if (error instanceof CliError) return null;
    throw error;
  } finally {
    await sql.run("ROLLBACK").catch(() => undefined);
  }
}

/** How many rows a `down` would put back: those of the migration's journals. */
export async function plannedPutBacks(
  { sql, place }: Pick<Database, "sql" | "place">,
  migration: SqlMigration,
): Promise<readonly PlannedRows[]> {
  const changes = rowChangesIn(migration, sql.engine);
  if (changes.length === 0) return [];
  const planned: PlannedRows[] = [];
  const journals = await journalsIn(sql, place);
  for (const { change, journal: name } of changes) {
    const journal = journals.find((each) => each.name === name);
    const rows = journal === undefined ? null : await journalled(sql, journal);
    planned.push({ table: journal?.source ?? change.table, rows });
  }
  return planned;
}

/**
 * Where in a `down` the rows come back that its `up` changed, the last change first: where the table is as it was then, with its indexes,
 * keys and checks too, or else with its columns. Pure.
 * @param states the schema before each statement, and behind the last, in both directions.
 * @throws CliError (usage) where `down` never has the table with these columns.
 */
export function putBacksOf(
  migration: SqlMigration,
  states: Readonly<Record<Direction, readonly Catalogue[]>>,
  engine: Engine,
): readonly PutBack[] {
  const found: PutBack[] = [];
  let last = states.down.length - 1;
  for (const { at, change, journal } of rowChangesIn(migration, engine)) {
    const then = states.up[at];
    const table = then && tableOf(then, engine, change)?.name;
    if (then === undefined || table === undefined) continue;
    const before = states.down.slice(0, last + 1);
    const exact = before.findLastIndex((each) => isSame(partsOf(each, table), partsOf(then, table)));
    const columns = columnsOf(then, table);
    const point =
      exact === -1 ? before.findLastIndex((each) => isSame(columnsOf(each, table), columns)) : exact;
    if (point === -1) {
      throw new CliError(
        `${migration.id}.down.sql never has ${table} with the columns that statement ${at + 1} of its up changed rows in`,
        {
          exitCode: exitCodes.usage,
          hint: "its rows come back from the journal there: `down` has to lead through what `up` led through, the other way round",
        },
      );
    }
    const between = [...states.up.slice(at), ...states.down.slice(0, point + 1)];
    const names = [...columns.keys()].filter((fact) => between.some((each) => !each.has(fact)));
    const anew = names.map((fact) => fact.slice(`column ${table}.`.length));
    found.push({ journal, table, point, anew });
    last = point;
  }
  return found.toReversed();
}

function partsOf(catalogue: Catalogue, table: string): Catalogue {
  return new Map(
    [...catalogue].filter(([fact]) => fact.slice(fact.indexOf(" ") + 1).startsWith(`${table}.`)),
  );
}

function columnsOf(catalogue: Catalogue, table: string): Catalogue {
  return new Map([...catalogue].filter(([fact]) => fact.startsWith(`column ${table}.`)));
}

function isSame(one: Catalogue, other: Catalogue): boolean {
  return one.size === other.size && [...one].every(([fact, text]) => other.get(fact) === text);
}

/** Rows that came back, and those that stay as they are because somebody changed them since. */
export interface BroughtBack {
  readonly rows: number;
  readonly left: readonly (LeftRow & { readonly table: string })[];
}

/** Puts back the rows whose place in a `down` is before one of its statements, from the journals that there are. */
export async function putBackAt(
  { sql, place }: Pick<Database, "sql" | "place">,
  putBacks: readonly PutBack[],
  point: number,
): Promise<BroughtBack> {
  let rows = 0;
  const left: BroughtBack["left"][number][] = [];
  for (const { journal, table: name, anew } of putBacks.filter((each) => each.point === point)) {
    const catalogue = await readCatalogue(sql, place);
    const table = tableOf(catalogue, sql.engine, { table: name });
    if (table === undefined) continue;
    const automatic = table.columns.flatMap((column) =>
      /\bon update\b/i.test(catalogue.get(`column ${name}.${column.name}`) ?? "") ? [column.name] : [],
    );
    const done = await putBack(sql, { journal, table, anew, automatic, place });
    rows += done?.rows ?? 0;
    left.push(...(done?.left ?? []).map((each) => ({ ...each, table: name })));
  }
  return { rows, left };
}
