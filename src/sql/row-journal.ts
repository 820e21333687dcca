import { chunked } from "../concurrency.ts";
import { retry } from "../retry.ts";
import { CliError } from "../errors.ts";
import { readCatalogue } from "./catalogue.ts";
import type { Row, Sql } from "./connection.ts";
import { isDeadlock, isForbidden, isParentMissing, isReferredTo, isTaken, serverCode } from "./explain.ts";
import type { RowTable } from "./row-table.ts";
import { changeRows, deleteRows, keyText, pagesOfRows, rowsWithKeys } from "./rows.ts";
import { atSavepoint, inTransaction } from "./transaction.ts";

/*
 * The journal of a statement that changes rows: a table of the same columns in the same database, with each row as it was before, and as
 * the statement left it. Triggers of the server itself fill it while the statement runs, for its connection alone and in its
 * transaction, so that whatever the statement says is met. Changes are counted downwards: the newest is the first.
 *
 *   mawps_journals        name, source, state          which there are; an entry comes with the rows, in the same transaction
 *   mawps_journal_0005_2  mawps_change -1, mawps_side before, after | deleted, and the columns of the table
 */

const list = "mawps_journals";
const [change, side] = ["mawps_change", "mawps_side"];

export interface Journal {
  readonly name: string;
  /** The table whose rows it has. */
  readonly source: string;
  /** `settled`: its rows were put back, but for those that it still has. */
  readonly state: "done" | "settled";
}

/** The journals of a database. */
export async function journalsIn(sql: Sql, place: string): Promise<readonly Journal[]> {
  if (!(await readCatalogue(sql, place, "journals")).has(`table ${list}`)) return [];
  const rows = await sql.rows(`SELECT name, source, state FROM ${list} ORDER BY name`);
  return rows.map(({ name, source, state }) => ({
    name: name ?? "",
    source: source ?? "",
    state: state === "done" ? "done" : "settled",
  }));
}

/** Whether MySQL hides from the account whether there are journals. PostgreSQL shows them to everybody, and refuses to read them. */
export async function areJournalsHidden(sql: Sql, place: string): Promise<boolean> {
  if (sql.engine === "postgres") return false;
  if ((await readCatalogue(sql, place, "journals")).has(`table ${list}`)) return false;
  try {
    await sql.rows(`SELECT name FROM ${list} LIMIT 0`);
  } catch (error) {
    if (isForbidden(error)) return true;
    if (serverCode(error) !== "ER_NO_SUCH_TABLE") throw error;
  }
  return false;
}

/** How many rows a journal has the former state of. */
export async function journalled(sql: Sql, { name }: Pick<Journal, "name">): Promise<number> {
  const [row] = await sql.rows(`SELECT COUNT(*) AS n FROM ${sql.quoted(name)} WHERE ${side} <> 'after'`);
  return Number(row?.["n"]);
}

interface Keeping {
  readonly journal: string;
  readonly table: RowTable;
}

/**
 * Runs a statement that changes rows of a table, and keeps in a journal what they were, in one transaction: of PostgreSQL the one that the
 * caller has begun. A statement whose journal says that it was run is not run again.
 */
export async function runJournalled(sql: Sql, keeping: Keeping, run: () => Promise<void>): Promise<void> {
  const { journal, table } = keeping;
  const isMysql = sql.engine === "mysql";
  await sql.run(
    `CREATE TABLE IF NOT EXISTS ${list} (name VARCHAR(63) PRIMARY KEY, source VARCHAR(64) NOT NULL, state VARCHAR(7) NOT NULL)${isMysql ? " ENGINE=InnoDB CHARACTER SET utf8mb4" : ""}`,
  );
  const mark = isMysql ? ["?", "?"] : ["$1", "$2"];
  // One that a killed run has left.
  if (isMysql) await dropTriggers(sql, keeping);
  const [known] = await sql.rows(`SELECT state FROM ${list} WHERE name = ${mark[0]}`, [journal]);
  if (known?.["state"] === "done") return;
  await forgetJournal(sql, journal);
  for (const statement of makingJournal(sql, keeping)) await sql.run(statement);
  const act = async () => {
    if (isMysql) await sql.run("SET @mawps_keeps = 1, @mawps_change = 0");
    await run();
    // Else a table with keys that are checked at the end of the transaction could not be altered in it.
    if (!isMysql) await sql.run("SET CONSTRAINTS ALL IMMEDIATE");
    await sql.rows(`INSERT INTO ${list} (name, source, state) VALUES (${mark.join(", ")}, 'done')`, [
      journal,
      table.name,
    ]);
  };
  if (!isMysql) {
    await act();
    return dropTriggers(sql, keeping);
  }
  const stop = async () => {
    await sql.run("SET @mawps_keeps = NULL");
    await dropTriggers(sql, keeping);
  };
  try {
    await retry(() => inTransaction(sql, "COMMIT", act), isDeadlock);
  } catch (error) {
    // Where the connection is gone the next run does it.
    await stop().catch(() => undefined);
    throw error;
  }
  // Left behind, they would refuse every change of the table once a column of it is gone: the next run has to know.
  await stop();
}

/** Drops a journal. */
async function forgetJournal(sql: Sql, journal: string): Promise<void> {
  await sql.rows(`DELETE FROM ${list} WHERE name = ${sql.engine === "mysql" ? "?" : "$1"}`, [journal]);
  await sql.run(`DROP TABLE IF EXISTS ${sql.quoted(journal)}`);
}

const events = ["UPDATE", "DELETE"] as const;
type Side = "before" | "after" | "deleted";

/** The table of a journal, and the triggers that fill it. */
function makingJournal(sql: Sql, { journal, table }: Keeping): string[] {
  const [own, source] = [sql.quoted(journal), sql.quoted(table.name)];
  const columns = table.columns.map(({ name }) => sql.quoted(name));
  const all = columns.join(", ");
  const of = (which: "OLD" | "NEW") => columns.map((name) => `${which}.${name}`).join(", ");
  if (sql.engine === "mysql") {
    const row = (name: Side, which: "OLD" | "NEW") => `(@mawps_change, '${name}', ${of(which)})`;
    return [
      `CREATE TABLE ${own} (${change} BIGINT NOT NULL DEFAULT 0, ${side} VARCHAR(7) NOT NULL DEFAULT '', PRIMARY KEY (${change}, ${side})) ENGINE=InnoDB AS SELECT ${all} FROM ${source} WHERE 1 = 0`,
      ...events.map((event) => {
        const rows =
          event === "UPDATE" ? `${row("before", "OLD")}, ${row("after", "NEW")}` : row("deleted", "OLD");
        return `CREATE TRIGGER ${sql.quoted(triggerOf(journal, event))} AFTER ${event} ON ${source} FOR EACH ROW
          BEGIN
            IF @mawps_keeps = 1 THEN
              SET @mawps_change = @mawps_change - 1;
              INSERT INTO ${own} (${change}, ${side}, ${all}) VALUES ${rows};
            END IF;
          END`;
      }),
    ];
  }
  const body = `DECLARE n bigint;
    BEGIN
      INSERT INTO ${own} (${side}, ${all}) VALUES (CASE TG_OP WHEN 'UPDATE' THEN 'before' ELSE 'deleted' END, ${of("OLD")}) RETURNING ${change} INTO n;
      IF TG_OP = 'UPDATE' THEN
        INSERT INTO ${own} (${change}, ${side}, ${all}) VALUES (n, 'after', ${of("NEW")});
      END IF;
      RETURN NULL;
    END`;
  return [
    `CREATE TABLE ${own} AS SELECT CAST(NULL AS bigint) AS ${change}, CAST(NULL AS text) AS ${side}, ${all} FROM ${source} WITH NO DATA`,
    `ALTER TABLE ${own} ALTER ${change} SET NOT NULL, ALTER ${change} ADD GENERATED BY DEFAULT AS IDENTITY (INCREMENT BY -1), ADD PRIMARY KEY (${change}, ${side})`,
    `CREATE OR REPLACE FUNCTION ${own}() RETURNS trigger LANGUAGE plpgsql AS '${body.replaceAll("'", "''")}'`,
    `CREATE TRIGGER ${own} AFTER ${events.join(" OR ")} ON ${source} FOR EACH ROW EXECUTE FUNCTION ${own}()`,
  ];
}

async function dropTriggers(sql: Sql, { journal, table }: Keeping): Promise<void> {
  const own = sql.quoted(journal);
  const dropping =
    sql.engine === "mysql"
      ? events.map((event) => `DROP TRIGGER IF EXISTS ${sql.quoted(triggerOf(journal, event))}`)
      : [`DROP TRIGGER ${own} ON ${sql.quoted(table.name)}`, `DROP FUNCTION ${own}()`];
  for (const statement of dropping) await sql.run(statement);
}

function triggerOf(journal: string, event: (typeof events)[number]): string {
  return `${journal}_${event.toLowerCase()}`;
}

/** A row that stays as it is now. */
export interface LeftRow {
  /** Its key, as `keyText` has it. */
  readonly key: string;
  readonly why: string;
}

interface PuttingBack extends Keeping {
  /** Columns that were dropped since and are made anew: nobody else can have given them their values. */
  readonly anew: readonly string[];
  /** Columns to which the server itself gives another value with each change of a row. */
  readonly automatic: readonly string[];
}

/** A hundred rows are locked at a time. */
const changesAtOnce = 100;

/**
 * Puts rows back as a journal has them, the newest change first: a column that was changed only while it is as the statement left it, and a row
 * that was deleted only while there is none with its key; neither where another row has its former key, or a value that no two may have, nor where a
 * foreign key does not let it. What is put back leaves the journal in the same transaction, so that after a crash it goes on; what was changed since stays, in the journal too. Of PostgreSQL the caller has begun the transaction.
 * @returns undefined where there is no such journal: the statement was not run here.
 */
export async function putBack(
  sql: Sql,
  putting: PuttingBack & { readonly place: string },
): Promise<{ readonly rows: number; readonly left: readonly LeftRow[] } | undefined> {
  const { journal, table, place } = putting;
  if (!(await journalsIn(sql, place)).some(({ name }) => name === journal)) return undefined;
  const own: RowTable = {
    name: journal,
    key: [change, side],
    parents: [],
    columns: [change, side]
      .map((name) => ({ name, type: name === change ? "bigint" : "text", as: "text" as const }))
      .concat(table.columns.map((column) => ({ ...column, as: column.as as "text" }))),
  };
  const left: LeftRow[] = [];
  let rows = 0;
  const some = async (changes: readonly Change[]) => {
    const act = () => putBackEach(sql, { ...putting, own }, changes);
    const stay =
      sql.engine === "mysql" ? await retry(() => inTransaction(sql, "COMMIT", act), isDeadlock) : await act();
    left.push(...stay.left);
    rows += changes.length - stay.left.length - stay.unlinked.length;
    return stay.unlinked;
  };
  let unlinked: Change[] = [];
  for await (const changes of changesIn(pagesOfRows(sql, own, 2 * changesAtOnce)))
    unlinked.push(...(await some(changes)));
  // What they point at may have come back behind them.
  for (let before = Infinity; unlinked.length > 0 && unlinked.length < before;) {
    before = unlinked.length;
    const still: Change[] = [];
    for (const changes of chunked(unlinked, changesAtOnce)) still.push(...(await some(changes)));
    unlinked = still;
  }
  const why = "a foreign key does not let it: what it refers to is gone, or another row refers to it";
  left.push(...unlinked.map(({ before, after }) => ({ key: keyText(table, after ?? before), why })));
  const of = sql.engine === "mysql" ? "?" : "$1";
  if (left.length === 0) await forgetJournal(sql, journal);
  else await sql.rows(`UPDATE ${list} SET state = 'settled' WHERE name = ${of}`, [journal]);
  return { rows, left };
}

/** A row before the statement, and as it left it: undefined where it deleted it. */
interface Change {
  readonly before: Row;
  readonly after: Row | undefined;
}

/**
 * The rows of a journal as changes: `after` comes right before its `before`, perhaps at the end of a page. One without the other, which an
 * erasure has taken out, brings nothing back.
 */
async function* changesIn(pages: AsyncIterable<readonly Row[]>): AsyncGenerator<readonly Change[]> {
  let after: Row | undefined;
  for await (const page of pages) {
    const changes: Change[] = [];
    for (const row of page) {
      const is = row[side] as Side;
      if (is === "deleted") changes.push({ before: row, after: undefined });
      if (is === "before" && after?.[change] === row[change]) changes.push({ before: row, after });
      after = is === "after" ? row : undefined;
    }
    if (changes.length > 0) yield changes;
  }
}

type PuttingSome = PuttingBack & { readonly own: RowTable };

/** What is not put back: for good, or as long as a foreign key does not let it. */
interface Stay {
  readonly left: readonly LeftRow[];
  readonly unlinked: readonly Change[];
}

/** Together, or else one by one, without those in whose place another row is. */
async function putBackEach(sql: Sql, putting: PuttingSome, changes: readonly Change[]): Promise<Stay> {
  const [first, ...others] = changes;
  try {
    return await atSavepoint(sql, async () => {
      // What else is only checked at the end of the transaction would take all of it back.
      if (sql.engine === "postgres") await sql.run("SET CONSTRAINTS ALL DEFERRED");
      const left = await putBackSome(sql, putting, changes);
      if (sql.engine === "postgres") await sql.run("SET CONSTRAINTS ALL IMMEDIATE");
      return { left, unlinked: [] };
    });
  } catch (error) {
    const isUnlinked = isParentMissing(error) || isReferredTo(error);
    if (!isTaken(error) && !isUnlinked) throw error;
    if (first !== undefined && others.length === 0) {
      if (isUnlinked) return { left: [], unlinked: changes };
      const key = keyText(putting.table, first.after ?? first.before);
      return {
        left: [{ key, why: "another row has its former key, or a value that no two may have" }],
        unlinked: [],
      };
    }
  }
  const left: LeftRow[] = [];
  const unlinked: Change[] = [];
  for (const each of changes) {
    const stay = await putBackEach(sql, putting, [each]);
    left.push(...stay.left);
    unlinked.push(...stay.unlinked);
  }
  return { left, unlinked };
}

async function putBackSome(
  sql: Sql,
  { table, own, anew, automatic }: PuttingSome,
  changes: readonly Change[],
): Promise<LeftRow[]> {
  const standing = changes.map(({ before, after }) => after ?? before);
  const now = new Map(
    (await rowsWithKeys(sql, table, { rows: standing, lock: true })).map((row) => [keyText(table, row), row]),
  );
  const left: LeftRow[] = [];
  /** By their keys: what was written last of rows, of which one may have been changed twice. */
  const restored = new Map<string, Restored>();
  const settled: Row[] = [];
  const wrote = (key: string, before: Row, written: Row) => {
    const values = { ...restored.get(key)?.values, ...written };
    const live = { ...now.get(key), ...written };
    for (const map of [restored, now]) map.delete(key);
    restored.set(keyText(table, before), { before, values });
    now.set(keyText(table, before), live);
  };
  for (const { before, after } of changes) {
    const key = keyText(table, after ?? before);
    const live = now.get(key);
    const differing = table.columns.map(({ name }) => name).filter((name) => before[name] !== after?.[name]);
    const since = differing.filter((name) => !anew.includes(name) && live?.[name] !== after?.[name]);
    const changed = since.filter((name) => !automatic.includes(name));
    const why =
      after === undefined
        ? live && "a row with its key is there again"
        : live === undefined
          ? "it is gone"
          : changed.length > 0
            ? `somebody changed ${changed.join(", ")} since`
            : undefined;
    if (why !== undefined) {
      left.push({ key, why });
      continue;
    }
    if (after === undefined) {
      await sql.insert(table, [before]);
      wrote(key, before, only(before, differing));
    } else {
      // Else the server would give them the time of now, though the statement left them alone.
      const kept = automatic.filter((name) => !differing.includes(name) && live?.[name] === before[name]);
      const columns = [
        ...differing.filter((name) => !since.includes(name)),
        ...kept,
        // Those that the statement left alone went all the same.
        ...anew.filter((name) => !differing.includes(name) && Object.hasOwn(before, name)),
      ];
      const values = only(before, columns);
      await changeRows(sql, table, { rows: [{ row: after, unchanged: [] }], values });
      wrote(key, before, values);
    }
    settled.push(before, ...(after === undefined ? [] : [after]));
  }
  await assertPutBack(sql, table, [...restored.values()]);
  await deleteRows(
    sql,
    own,
    settled.map((row) => ({ row, unchanged: [] })),
  );
  return left;
}

function only(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(names.map((name) => [name, row[name] ?? null]));
}

/** A row with the key that it has again, and what was written into it. */
interface Restored {
  readonly before: Row;
  readonly values: Row;
}

/** @throws CliError where the rows are others than was written: a trigger of the table writes too. */
async function assertPutBack(sql: Sql, table: RowTable, restored: readonly Restored[]): Promise<void> {
  const now = await rowsWithKeys(sql, table, { rows: restored.map(({ before }) => before) });
  const found = new Map(now.map((row) => [keyText(table, row), row]));
  const isPutBack = ({ before, values }: Restored) => {
    const live = found.get(keyText(table, before));
    return live !== undefined && Object.entries(values).every(([name, value]) => live[name] === value);
  };
  if (restored.every(isPutBack)) return;
  throw new CliError(
    `rows of ${table.name} were put back and are others: a trigger of the table changes them`,
    {
      hint: "nothing of them was changed; drop the trigger while the migration is taken back",
    },
  );
}
