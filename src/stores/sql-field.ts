import type { FieldType } from "../model/schema.ts";
import type { Engine } from "../sql/address.ts";

interface Means {
  /** What the model calls it. */
  readonly type: FieldType | undefined;
  /** The server's type of the column. */
  readonly column: string;
  readonly engine: Engine;
  /** For people, not for a rule: a time whose zone nothing says stays the text that it is. */
  readonly isTold?: true;
}

/**
 * A column's text as the value that a field of the model has: a time as ISO 8601 with its zone, a number that JavaScript holds to the
 * last digit, a boolean, parsed JSON. What is none of its type stays the text that it is. Pure.
 */
export function sqlField(text: string, { type, ...means }: Means): unknown {
  switch (type) {
    case "isoTime":
      return isoTime(text, means);
    case "number":
      return String(Number(text)) === text ? Number(text) : text;
    case "boolean":
      return /^(1|01|t|true)$/.test(text) ? true : /^(0|00|f|false)$/.test(text) ? false : text;
    case "list":
    case "map":
    case "any":
      return parsed(text);
    default:
      return text;
  }
}

/** A date alone means its end; and what says no zone (DATETIME, DATE) the last one on earth: nothing is due too soon. */
const lastZone = "-12:00";

function isoTime(text: string, { column, engine, isTold }: Omit<Means, "type">): string {
  const [whole, day, time = "23:59:59", hours, minutes = "00"] =
    /^(\d{4}-\d{2}-\d{2})(?: (\d{2}:\d{2}:\d{2}(?:\.\d+)?)(?:([+-]\d{2})(?::?(\d{2}))?)?)?$/.exec(text) ?? [];
  if (whole === undefined) return text;
  if (hours !== undefined) return `${day}T${time}${hours}:${minutes}`;
  // A TIMESTAMP of MySQL is of the zone of the connection, which is UTC.
  if (engine === "mysql" && /^timestamp\b/i.test(column)) return `${day}T${time}Z`;
  return isTold ? text : `${day}T${time}${lastZone}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return text;
  }
}

/** The text by which a column gets the value of a field; null where it has none. Pure. */
export function sqlText(value: unknown, { column, engine }: Pick<Means, "column" | "engine">): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "boolean") return engine === "mysql" ? String(Number(value)) : String(value);
  if (typeof value !== "string") return JSON.stringify(value);
  const [time, fraction] = /^(?:datetime|timestamp)\b(\(\d\))?/i.exec(column) ?? [];
  const ms = engine === "mysql" && time !== undefined ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) return value;
  // Of the zone of the connection, and never a moment to come.
  return new Date(ms)
    .toISOString()
    .replace("T", " ")
    .slice(0, fraction === undefined ? 19 : 23);
}

/** The column that says why nothing may be deleted, where there is one. Pure. */
export function holdColumn(columns: readonly { readonly name: string }[]): string | undefined {
  return columns.find(({ name }) => /^legal_?hold$/i.test(name))?.name;
}

/** What stands in that column: `false` where it holds nothing. Pure. */
export function holdValue(text: string): string | false {
  return /^(0|00|f)$/.test(text) ? false : text;
}
