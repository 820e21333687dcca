import type { Catalogue } from "../sql/catalogue.ts";
import type { Row } from "../sql/connection.ts";
import type { RowColumn, RowTable } from "../sql/rows.ts";

interface Emptied {
  /** With all its columns. */
  readonly table: RowTable;
  readonly catalogue: Catalogue;
  /** Columns with addresses, and the one that says whether an account is in use. */
  readonly addresses: readonly string[];
  readonly isActive: string | undefined;
  /** Columns that decide of what kind a row is. */
  readonly staying: readonly string[];
}

/**
 * What the columns of a row hold when nothing in it tells of anybody any more, but for its key and what it points at: nothing where
 * that is allowed, else the pseudonym, a beginning of time, zero. Values of fixed lists, which say nothing of anybody, stay where there
 * must be one. Pure.
 */
export function emptiedValues(
  { table, catalogue, addresses, isActive, staying }: Emptied,
  pseudonym: string,
): Row {
  const pointing = new Set(table.parents.map(({ column }) => column));
  const values: Record<string, string | null> = {};
  for (const column of table.columns) {
    const { name } = column;
    if (table.key.includes(name) || staying.includes(name)) continue;
    const fact = catalogue.get(`column ${table.name}.${name}`) ?? "";
    const text = addresses.includes(name) ? `${pseudonym}@invalid` : pseudonym;
    if (name === isActive) values[name] = "0";
    else if (!/ NOT NULL( |$)/.test(fact)) values[name] = null;
    else if (!pointing.has(name)) {
      const value = isJson(catalogue, table, column) ? "{}" : emptyOf(column, text);
      if (value !== undefined) values[name] = value;
    }
  }
  return values;
}

/** MariaDB's JSON is a text with a check. */
function isJson(catalogue: Catalogue, { name: table }: RowTable, { name, type }: RowColumn): boolean {
  if (/^jsonb?\b/i.test(type)) return true;
  return [...catalogue].some(
    ([fact, clause]) =>
      fact.startsWith(`check ${table}.`) && clause.toLowerCase().includes(`json_valid(\`${name}\`)`),
  );
}

/** Undefined where nobody can tell what would be allowed. */
function emptyOf({ type, as }: RowColumn, text: string): string | undefined {
  if (type.endsWith("[]")) return "{}";
  const [, fixed] = /^binary\((\d+)\)/i.exec(type) ?? [];
  if (fixed !== undefined) return "00".repeat(Number(fixed));
  if (as === "hex" || /^bytea\b/i.test(type)) return "";
  if (/^(var)?char|^character|^(tiny|medium|long)?text\b|^citext\b|^"?name"?$/i.test(type)) {
    const [, most] = /\((\d+)\)/.exec(type) ?? [];
    return most === undefined || text.length <= Number(most) ? text : text.slice(0, Number(most));
  }
  if (/^(timestamp|datetime)/i.test(type)) return "1970-01-01 00:00:01";
  if (/^date\b/i.test(type)) return "1970-01-01";
  const number =
    /^(tinyint|smallint|mediumint|int|integer|bigint|decimal|numeric|real|double|float|bool(ean)?)\b/i;
  if (number.test(type)) return "0";
  return undefined;
}
