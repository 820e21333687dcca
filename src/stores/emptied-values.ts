import { createHash } from "node:crypto";
import type { Catalogue } from "../sql/catalogue.ts";
import type { Row } from "../sql/connection.ts";
import { integerBits, type RowColumn, type RowTable } from "../sql/row-table.ts";

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

/** For whom a row gets its stand-ins. */
export interface StandIn {
  readonly pseudonym: string;
  /** Of the row. */
  readonly key: Row;
  /** Counts up where another row has a value already that no two may have. Default 0. */
  readonly attempt?: number | undefined;
}

/**
 * What the columns of a row hold when nothing in it tells of anybody any more, but for its key and what it points at: nothing where
 * that is allowed, else the pseudonym, a beginning of time, zero. Where no two rows may have the same it is made of a hash of pseudonym and
 * key, and below zero or before any site where that can be. Values of fixed lists, which say nothing of anybody, stay where there must be
 * one. Pure.
 */
export function emptiedValues(emptied: Emptied, standIn: StandIn): Row {
  const { table, catalogue, addresses, isActive, staying } = emptied;
  const { pseudonym } = standIn;
  const pointing = new Set(table.parents.map(({ column }) => column));
  const unique = new Set(uniqueColumns(emptied));
  const values: Record<string, string | null> = {};
  for (const column of table.columns) {
    const { name } = column;
    if (table.key.includes(name) || staying.includes(name)) continue;
    const isAddress = addresses.includes(name);
    if (name === isActive) values[name] = "0";
    else if (isOptional(emptied, name)) values[name] = null;
    else if (!pointing.has(name)) {
      const value = unique.has(name)
        ? uniqueOf(column, { hash: hashOf(standIn, name), isAddress, ...boundsOf(emptied, name) })
        : isJson(catalogue, table, column)
          ? "{}"
          : emptyOf(column, isAddress ? `${pseudonym}@invalid` : pseudonym);
      if (value !== undefined) values[name] = value;
    }
  }
  return values;
}

/** Columns that must hold something, and never the same in two rows; with others together, or in what an index makes of them, too. Pure. */
export function uniqueColumns(emptied: Pick<Emptied, "table" | "catalogue">): string[] {
  const { table, catalogue } = emptied;
  const indexes = [...catalogue].flatMap(([fact, text]) =>
    fact.startsWith(`index ${table.name}.`) && text.startsWith("UNIQUE") ? [text] : [],
  );
  return table.columns.flatMap(({ name }) =>
    !table.key.includes(name) && !isOptional(emptied, name) && indexes.some((text) => namesColumn(text, name))
      ? [name]
      : [],
  );
}

function namesColumn(text: string, name: string): boolean {
  return text.includes(`"${name}"`) || text.split(/[^\p{L}\p{N}_$]+/u).includes(name);
}

/** Whether a column may hold nothing; not where an index lets nothing stand in one row alone (PostgreSQL 15). */
function isOptional({ table, catalogue }: Pick<Emptied, "table" | "catalogue">, name: string): boolean {
  if (/ NOT NULL( |$)/.test(catalogue.get(`column ${table.name}.${name}`) ?? "")) return false;
  return ![...catalogue].some(
    ([fact, text]) =>
      fact.startsWith(`index ${table.name}.`) &&
      text.includes("NULLS NOT DISTINCT") &&
      namesColumn(text, name),
  );
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
  if (isText(type)) return text.slice(0, mostIn(type));
  if (isMoment(type)) return "1970-01-01 00:00:01";
  if (/^date\b/i.test(type)) return "1970-01-01";
  if (isNumber(type) || /^bool(ean)?\b/i.test(type)) return "0";
  return undefined;
}

const isText = (type: string) =>
  /^(var)?char|^character|^(tiny|medium|long)?text\b|^citext\b|^"?name"?$/i.test(type);
const isMoment = (type: string) => /^(timestamp|datetime)/i.test(type);
const isNumber = (type: string) =>
  /^(tinyint|smallint|mediumint|int|integer|bigint|decimal|numeric|real|double|float)\b/i.test(type);

/** Characters or bytes that a column holds. */
function mostIn(type: string): number {
  const [, most] = /\((\d+)\)/.exec(type) ?? [];
  return most === undefined ? Infinity : Number(most);
}

interface Bounds {
  /** A check says something of the column: a number below zero may be refused. */
  readonly isChecked: boolean;
  /** The server counts it up, from the highest value that was ever there. */
  readonly isCounted: boolean;
}

function boundsOf({ table, catalogue }: Emptied, name: string): Bounds {
  const isChecked = [...catalogue].some(
    ([fact, text]) => fact.startsWith(`check ${table.name}.`) && namesColumn(text, name),
  );
  return {
    isChecked,
    isCounted: /auto_increment/i.test(catalogue.get(`column ${table.name}.${name}`) ?? ""),
  };
}

function hashOf({ pseudonym, key, attempt = 0 }: StandIn, column: string): string {
  const names = Object.keys(key).toSorted();
  const row = names.map((name) => key[name]);
  return createHash("sha256")
    .update(JSON.stringify([pseudonym, row, column, attempt]))
    .digest("hex");
}

const daySeconds = 86_400;

/** The same as `emptyOf` of what must differ from row to row. @param hash 64 hexadecimal digits. */
function uniqueOf(
  { type, as }: RowColumn,
  { hash, isAddress, ...bounds }: Bounds & { readonly hash: string; readonly isAddress: boolean },
): string | undefined {
  const below = (most: number) => Number(BigInt(`0x${hash}`) % BigInt(most));
  const instant = (fromMs: number, seconds: number) => new Date(fromMs + seconds * 1000).toISOString();
  if (isText(type)) return uniqueText(hash, mostIn(type), isAddress ? "@invalid" : "");
  if (/^uuid\b/i.test(type)) return hash.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, "$1-$2-$3-$4-$5");
  if (as === "hex" && /^(var)?binary/i.test(type)) {
    const bytes = /^binary/i.test(type) ? mostIn(type) : Math.min(mostIn(type), 8);
    return hash.repeat(Math.ceil(bytes / 32)).slice(0, bytes * 2);
  }
  if (/^bytea\b/i.test(type)) return `\\x${hash.slice(0, 16)}`;
  // The seventies, and the first centuries that MySQL knows.
  if (isMoment(type))
    return instant(1000, below(3652 * daySeconds))
      .slice(0, 19)
      .replace("T", " ");
  if (/^date\b/i.test(type)) return instant(Date.UTC(1000, 0, 1), below(328_000) * daySeconds).slice(0, 10);
  return isNumber(type) ? uniqueNumber(type, hash, bounds) : undefined;
}

function uniqueText(hash: string, most: number, end: string): string {
  const whole = `erased-${hash.slice(0, 16)}${end}`;
  if (whole.length <= most) return whole;
  return most >= end.length + 4 ? `${hash.slice(0, most - end.length)}${end}` : hash.slice(0, most);
}

/**
 * Below zero, where no number of a site is; else in the upper half of what the column holds. Undefined for what the server counts up and
 * would go on behind.
 */
function uniqueNumber(type: string, hash: string, { isChecked, isCounted }: Bounds): string | undefined {
  const isUnsigned = /\bunsigned\b/i.test(type);
  const largest = largestIn(type, isUnsigned);
  const some = BigInt(`0x${hash}`);
  if (!isUnsigned && !isChecked) return String(-1n - (some % largest));
  return isCounted ? undefined : String(largest - (some % (largest / 2n + 1n)));
}

function largestIn(type: string, isUnsigned: boolean): bigint {
  const bits = integerBits(type);
  if (bits !== undefined) return 2n ** BigInt(isUnsigned ? bits : bits - 1) - 1n;
  const [, digits, behind = "0"] = /^(?:decimal|numeric)\((\d+)(?:,\s*(\d+))?\)/i.exec(type) ?? [];
  if (digits === undefined) return /^(real|float)\b/i.test(type) ? 2n ** 24n - 1n : 2n ** 31n - 1n;
  return 10n ** BigInt(Math.max(1, Number(digits) - Number(behind))) - 1n;
}
