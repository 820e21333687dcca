import type { Catalogue } from "./catalogue.ts";
import type { Sql } from "./connection.ts";

/** A table as its rows are read and written. */
export interface RowTable {
  readonly name: string;
  /** In the order of their names; without those that the server computes. */
  readonly columns: readonly RowColumn[];
  /** Of the primary key; empty where there is none. */
  readonly key: readonly string[];
  /** What foreign keys of this one point at, by their first columns. */
  readonly parents: readonly { readonly column: string; readonly parent: string }[];
  /** Foreign keys of others: where they are here a row at which one of them points is not deleted. */
  readonly referrers?: readonly ForeignKey[] | undefined;
}

export interface RowColumn {
  readonly name: string;
  /** As the server calls it. */
  readonly type: string;
  /** `hex`: bytes, as hexadecimal digits. `exact`: a FLOAT, which MySQL else rounds for display. */
  readonly as: "text" | "hex" | "exact";
}

/** The tables of a database, parents before their children. Where foreign keys go round, as near to that as can be. Pure. */
export function rowTables(catalogue: Catalogue, engine: Sql["engine"]): RowTable[] {
  const tables = [...catalogue.keys()]
    .filter((fact) => fact.startsWith("table ") && !catalogue.has(`partition ${fact.slice("table ".length)}`))
    .map((fact) => tableIn(catalogue, fact.slice("table ".length), engine))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  const ordered: RowTable[] = [];
  let left = tables;
  while (left.length > 0) {
    const names = new Set(left.map(({ name }) => name));
    const free = left.filter(({ name, parents }) =>
      parents.every(({ parent }) => parent === name || !names.has(parent)),
    );
    const next = free.length > 0 ? free : left.slice(0, 1);
    ordered.push(...next);
    left = left.filter((table) => !next.includes(table));
  }
  return ordered;
}

/** A foreign key of a table to another one, column by column. */
export interface ForeignKey {
  readonly table: string;
  readonly columns: readonly string[];
  readonly parentColumns: readonly string[];
  /** Whether a row goes or changes along with the one that it points at. */
  readonly follows: boolean;
}

/** Those that point at a table, of tables of the same database. Pure. */
export function foreignKeysTo(catalogue: Catalogue, parent: string): ForeignKey[] {
  const names = (text = "") => text.split(", ").map((name) => name.replaceAll('"', ""));
  return [...catalogue].flatMap(([fact, text]) => {
    const [, columns, to, parentColumns] = fact.startsWith("key ") ? (wholeKey.exec(text) ?? []) : [];
    const table = fact.slice("key ".length, fact.indexOf("."));
    if (to !== parent || catalogue.has(`partition ${table}`)) return [];
    const follows = /ON DELETE (CASCADE|SET NULL|SET DEFAULT)/.test(text);
    return [{ table, columns: names(columns), parentColumns: names(parentColumns), follows }];
  });
}

const wholeKey = /\(([^)]+)\) (?:->|REFERENCES) "?(\w+)"? ?\(([^)]+)\)/;

/** `(user_id) -> users (id)`, or as PostgreSQL has it `FOREIGN KEY (user_id) REFERENCES users(id)`. */
const foreignKey = /\("?(\w+)[^)]*\) (?:->|REFERENCES) "?(\w+)/;

/**
 * Tables whose rows go or change along with a row of this one, as foreign keys have it; those of other databases (MySQL) and schemas
 * (PostgreSQL) as far as the server shows them to the user.
 */
export async function followersOf(sql: Sql, place: string, table: string): Promise<string[]> {
  const statement =
    sql.engine === "mysql"
      ? `SELECT DISTINCT CONCAT(k.TABLE_SCHEMA, '.', k.TABLE_NAME) AS child
         FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
           ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
         WHERE k.REFERENCED_TABLE_SCHEMA = ? AND k.REFERENCED_TABLE_NAME = ? AND r.DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT')`
      : `SELECT DISTINCT o.conrelid::regclass::text AS child
         FROM pg_constraint o JOIN pg_class c ON c.oid = o.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE o.contype = 'f' AND n.nspname = $1 AND c.relname = $2 AND o.confdeltype IN ('c', 'n', 'd')`;
  const rows = await sql.rows(statement, [place, table]);
  return rows.flatMap(({ child }) => child ?? []).sort();
}

function tableIn(catalogue: Catalogue, name: string, engine: Sql["engine"]): RowTable {
  const columns: RowColumn[] = [];
  const parents: { column: string; parent: string }[] = [];
  for (const [fact, text] of catalogue) {
    if (fact.startsWith(`column ${name}.`) && !catalogue.has(`computed ${fact.slice("column ".length)}`)) {
      columns.push({
        name: fact.slice(`column ${name}.`.length),
        type: /^.*?(?= NOT NULL| DEFAULT |$)/.exec(text)?.[0] ?? "",
        as: engine === "mysql" ? readAs(text) : "text",
      });
    }
    const [, column, parent] = fact.startsWith(`key ${name}.`) ? (foreignKey.exec(text) ?? []) : [];
    if (column !== undefined && parent !== undefined) parents.push({ column, parent });
  }
  columns.sort((one, other) => (one.name < other.name ? -1 : 1));
  return { name, columns, key: primaryKey(catalogue, name), parents };
}

function readAs(type: string): RowColumn["as"] {
  if (
    /^(binary|varbinary|(tiny|medium|long)?blob|bit|geometry|point|linestring|polygon|multi\w+)\b/i.test(type)
  )
    return "hex";
  return /^float\b/i.test(type) ? "exact" : "text";
}

/** MySQL calls the index of a primary key PRIMARY; PostgreSQL's constraint says so. */
function primaryKey(catalogue: Catalogue, table: string): string[] {
  for (const [fact, text] of catalogue) {
    const isKey =
      fact === `index ${table}.PRIMARY` ||
      (fact.startsWith(`constraint ${table}.`) && text.startsWith("PRIMARY KEY"));
    const [, columns] = isKey ? (/\(((?:[^()]|\(\d+\))*)\)/.exec(text) ?? []) : [];
    if (columns !== undefined)
      return columns.split(", ").map((column) => column.replaceAll('"', "").replace(/\(\d+\)$/, ""));
  }
  return [];
}

const bitsOf: Readonly<Partial<Record<string, number>>> = {
  tinyint: 8,
  smallint: 16,
  mediumint: 24,
  int: 32,
  integer: 32,
  bigint: 64,
};

/** Of a type of whole numbers; undefined for any other. Pure. */
export function integerBits(type: string): number | undefined {
  return bitsOf[/^\w+/.exec(type.toLowerCase())?.[0] ?? ""];
}
