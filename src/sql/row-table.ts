import { tableOfFact, type Catalogue } from "./catalogue.ts";
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
  const parts = factsByTable(catalogue);
  const tables = [...parts.keys()]
    .filter((name) => !catalogue.has(`partition ${name}`))
    .map((name) => tableIn(catalogue, { name, parts: parts.get(name) ?? [] }, engine))
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
  return [...factsByTable(catalogue)].flatMap(([table, parts]) =>
    catalogue.has(`partition ${table}`)
      ? []
      : parts.flatMap(({ noun, text }) => {
          const key = noun === "key" ? foreignKeyIn(text) : undefined;
          if (key?.to !== parent) return [];
          const { columns, parentColumns } = key;
          const follows = /ON DELETE (CASCADE|SET NULL|SET DEFAULT)/.test(text);
          return [{ table, columns, parentColumns, follows }];
        }),
  );
}

/** A fact of a table: `index` `PRIMARY` `UNIQUE (id)`. */
interface TablePart {
  readonly noun: string;
  readonly name: string;
  readonly text: string;
}

/** All facts by their table, whose name may have dots in it: the longest that there is. */
function factsByTable(catalogue: Catalogue): ReadonlyMap<string, readonly TablePart[]> {
  const nounOf = (fact: string) => fact.slice(0, fact.indexOf(" "));
  const tables = new Map<string, TablePart[]>();
  for (const fact of catalogue.keys())
    if (nounOf(fact) === "table") tables.set(fact.slice("table ".length), []);
  for (const [fact, text] of catalogue) {
    const noun = nounOf(fact);
    const table = tableOfFact(fact, (name) => tables.has(name));
    if (table === undefined) continue;
    tables.get(table)?.push({ noun, name: fact.slice(`${noun} ${table}.`.length), text });
  }
  return tables;
}

/** As MySQL's catalogue is read: `(user_id) -> users (id) ON DELETE …`. */
const mysqlKey = /^\((.*)\) -> (.*) \((.*)\) ON DELETE /s;
/** As PostgreSQL writes a name: in quotes where it has to be. */
const postgresName = String.raw`(?:"(?:[^"]|"")+"|[^\s",().]+)`;
const postgresList = String.raw`\((${postgresName}(?:, ${postgresName})*)\)`;
/** `FOREIGN KEY (user_id) REFERENCES users(id)`; of another schema its name stands before the table's. */
const postgresKey = new RegExp(`^FOREIGN KEY ${postgresList} REFERENCES (${postgresName}) ?${postgresList}`);
const postgresPrimary = new RegExp(`^PRIMARY KEY ${postgresList}`);

function foreignKeyIn(text: string) {
  const isPostgres = text.startsWith("FOREIGN KEY ");
  const [, columns, to, parentColumns] = (isPostgres ? postgresKey : mysqlKey).exec(text) ?? [];
  if (columns === undefined || to === undefined || parentColumns === undefined) return undefined;
  const names = isPostgres ? postgresNames : (list: string) => list.split(", ");
  return {
    columns: names(columns),
    to: isPostgres ? (names(to)[0] ?? "") : to,
    parentColumns: names(parentColumns),
  };
}

function postgresNames(list: string): string[] {
  return Array.from(list.matchAll(new RegExp(postgresName, "g")), ([name]) =>
    name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name,
  );
}

/**
 * Tables whose rows go or change along with a row of this one that is deleted, or whose key changes, as foreign keys have it; those of other
 * databases (MySQL) and schemas (PostgreSQL) as far as the server shows them to the user.
 */
export async function followersOf(
  sql: Sql,
  place: string,
  { table, on = "DELETE" }: { readonly table: string; readonly on?: "DELETE" | "UPDATE" },
): Promise<string[]> {
  const statement =
    sql.engine === "mysql"
      ? `SELECT DISTINCT CONCAT(k.TABLE_SCHEMA, '.', k.TABLE_NAME) AS child
         FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
           ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
         WHERE k.REFERENCED_TABLE_SCHEMA = ? AND k.REFERENCED_TABLE_NAME = ? AND r.${on}_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT')`
      : `SELECT DISTINCT o.conrelid::regclass::text AS child
         FROM pg_constraint o JOIN pg_class c ON c.oid = o.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE o.contype = 'f' AND n.nspname = $1 AND c.relname = $2 AND o.conf${on === "DELETE" ? "del" : "upd"}type IN ('c', 'n', 'd')`;
  const rows = await sql.rows(statement, [place, table]);
  return rows.flatMap(({ child }) => child ?? []).sort();
}

function tableIn(
  catalogue: Catalogue,
  { name, parts }: { readonly name: string; readonly parts: readonly TablePart[] },
  engine: Sql["engine"],
): RowTable {
  const columns: RowColumn[] = [];
  const parents: { column: string; parent: string }[] = [];
  for (const { noun, name: part, text } of parts) {
    if (noun === "column" && !catalogue.has(`computed ${name}.${part}`)) {
      columns.push({
        name: part,
        type: /^.*?(?= NOT NULL| DEFAULT |$)/.exec(text)?.[0] ?? "",
        as: engine === "mysql" ? readAs(text) : "text",
      });
    }
    const key = noun === "key" ? foreignKeyIn(text) : undefined;
    if (key !== undefined) parents.push({ column: key.columns[0] ?? "", parent: key.to });
  }
  columns.sort((one, other) => (one.name < other.name ? -1 : 1));
  return { name, columns, key: primaryKey(parts), parents };
}

function readAs(type: string): RowColumn["as"] {
  if (
    /^(binary|varbinary|(tiny|medium|long)?blob|bit|geometry|point|linestring|polygon|multi\w+)\b/i.test(type)
  )
    return "hex";
  return /^float\b/i.test(type) ? "exact" : "text";
}

/** MySQL calls the index of a primary key PRIMARY; PostgreSQL's constraint says so. */
function primaryKey(parts: readonly TablePart[]): string[] {
  for (const { noun, name, text } of parts) {
    if (noun === "index" && name === "PRIMARY") {
      const [, columns = ""] = /\((.*)\)$/s.exec(text) ?? [];
      return columns.split(", ").map((column) => column.replace(/\(\d+\)$/, ""));
    }
    const [, columns] = noun === "constraint" ? (postgresPrimary.exec(text) ?? []) : [];
    if (columns !== undefined) return postgresNames(columns);
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
