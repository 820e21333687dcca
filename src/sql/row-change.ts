import type { Engine } from "./address.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Sql } from "./connection.ts";
import { followersOf, rowTables, type RowTable } from "./row-table.ts";
import { outerWords, withoutTexts } from "./statements.ts";

/** A statement that changes or deletes rows of one table. */
export interface RowChange {
  readonly does: "UPDATE" | "DELETE";
  /** As the statement has it, without quotes; a server may store it in small letters. */
  readonly table: string;
}

const names: Readonly<Record<Engine, string>> = {
  mysql: "(?:`(?:[^`]|``)+`|[\\w$\\u0080-\\uffff]+)",
  postgres: '(?:"(?:[^"]|"")+"|[A-Za-z_\\u0080-\\uffff][\\w$\\u0080-\\uffff]*)',
};

/**
 * Which table's rows a statement changes, where its head says so whatever follows: `UPDATE t [[AS] alias] SET`, `DELETE FROM t`.
 * Undefined for anything else, several tables of MySQL among it. Pure.
 */
export function rowChange(statement: string, engine: Engine): RowChange | undefined {
  const text = withoutTexts(statement, engine);
  const name = names[engine];
  // `DELETE FROM a USING …` and `DELETE FROM a, b` are MySQL's for several tables.
  const end = engine === "mysql" ? String.raw`(?=\s+(?:WHERE|ORDER|LIMIT)\b|\s*$)` : String.raw`(?=\s|$)`;
  const [, updated] =
    new RegExp(String.raw`^UPDATE\s+(${name})(?:\s+(?:AS\s+)?${name})?\s+SET\b`, "i").exec(text) ?? [];
  if (updated !== undefined) return { does: "UPDATE", table: plainName(updated, engine) };
  const [, deleted] = new RegExp(String.raw`^DELETE\s+FROM\s+(${name})${end}`, "i").exec(text) ?? [];
  return deleted === undefined ? undefined : { does: "DELETE", table: plainName(deleted, engine) };
}

/** The table into which a statement puts rows; undefined for any other. Pure. */
export function insertedInto(statement: string, engine: Engine): Pick<RowChange, "table"> | undefined {
  const head = new RegExp(String.raw`^INSERT\s+INTO\s+(${names[engine]})`, "i");
  const [, name] = head.exec(withoutTexts(statement, engine)) ?? [];
  return name === undefined ? undefined : { table: plainName(name, engine) };
}

/** Whether a statement begins as one that changes rows does, of one table or several. Pure. */
export function changesRows(statement: string): boolean {
  return /^(?:UPDATE|DELETE)\b/i.test(statement);
}

function plainName(name: string, engine: Engine): string {
  const mark = engine === "mysql" ? "`" : '"';
  if (name.startsWith(mark)) return name.slice(1, -1).replaceAll(mark + mark, mark);
  // Without quotes PostgreSQL takes capitals for small letters.
  return engine === "postgres" ? name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()) : name;
}

/** The table that is meant, as the server calls it. Pure. */
export function tableOf(
  catalogue: Catalogue,
  engine: Engine,
  { table }: Pick<RowChange, "table">,
): RowTable | undefined {
  const tables = rowTables(catalogue, engine);
  const called = (name: string) => tables.find((each) => each.name === name);
  return called(table) ?? (engine === "mysql" ? called(table.toLowerCase()) : undefined);
}

/** Why rows that a statement meets could not all be kept in a journal and brought back; undefined where they can. */
export async function whyNotKept(
  sql: Sql,
  { place, catalogue }: { readonly place: string; readonly catalogue: Catalogue },
  change: RowChange,
): Promise<string | undefined> {
  const table = tableOf(catalogue, sql.engine, change);
  if (table === undefined) return `there is no table ${change.table} whose rows it could change`;
  if (table.key.length === 0) return `table ${table.name} has no primary key: its rows cannot be found again`;
  const kept = catalogue.get(`table ${table.name}`) ?? "";
  if (sql.engine === "mysql" && !/\binnodb\b/i.test(kept))
    return `table ${table.name} knows no transactions (${kept}): what is half done there could not be taken back`;
  const followers = await followersOf(sql, place, { table: table.name, on: change.does });
  if (followers.length > 0)
    return `rows of ${followers.join(", ")} go or change along by a foreign key, and no journal would have them`;
  if (sql.engine === "mysql") return undefined;
  const [row] = await sql.rows(
    `SELECT c.relhasrules AS rules, EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhparent = c.oid) AS parts
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`,
    [place, table.name],
  );
  if (row?.["parts"] === "t")
    return `the rows of table ${table.name} lie in partitions, between which they may move`;
  return row?.["rules"] === "t"
    ? `table ${table.name} has rules that put other statements in place of this one`
    : undefined;
}

/**
 * How many rows a statement would meet as they are now, asked by its own condition; undefined where that cannot be told before it is
 * run: others before it make what it works on, or it says more than a condition.
 * @param read in a transaction that only reads.
 */
export function countingStatement(statement: string, engine: Engine): string | undefined {
  const words = outerWords(statement, engine);
  const at = (word: string) => words.find((each) => each.word === word)?.index;
  const [where, set] = [at("WHERE"), at("SET")];
  const isUpdate = words[0]?.word === "UPDATE";
  const more = ["JOIN", "USING", "ORDER", "LIMIT", "RETURNING", ...(isUpdate ? ["FROM"] : [])];
  if (more.some((word) => at(word) !== undefined)) return undefined;
  const from = isUpdate
    ? `FROM ${statement.slice("UPDATE".length, set)}`
    : statement.slice("DELETE".length, where);
  return `SELECT COUNT(*) AS n ${from} ${where === undefined ? "" : statement.slice(where)}`;
}
