import { count } from "../model/count.ts";
import type { Catalogue, Fact } from "../sql/catalogue.ts";
import type { Sql } from "../sql/connection.ts";
import { withoutTexts } from "../sql/statements.ts";

/** Rows or values that go with a table or column. */
export interface Loss {
  /** `table users`, `column users.email`. */
  readonly what: Fact;
  /** Rows of the table, or rows in which the column has a value. */
  readonly rows: number;
}

/** `column users.email (1,200 values)`. */
export function lossText({ what, rows }: Loss): string {
  return `${what} (${count(rows, what.startsWith("table ") ? "row" : "value")})`;
}

interface Leading {
  readonly from: Catalogue;
  readonly to: Catalogue;
  /** The schema as it is: what is not there yet has no rows. */
  readonly live: Catalogue;
  readonly statements: readonly string[];
}

/**
 * What would go of the live rows with the tables and columns that one version has and the next has not, or which the statements between
 * them drop and make anew. A table or column that gets another name counts: the server does not say what became of it.
 */
export async function lossesOf(sql: Sql, { from, to, live, statements }: Leading): Promise<Loss[]> {
  const dropped = new Set(statements.flatMap((statement) => droppedBy(statement, sql.engine)));
  const isGone = (fact: Fact) => from.has(fact) && (!to.has(fact) || dropped.has(fact));
  const gone = [...from.keys()].filter((fact) => isGone(fact) && live.has(fact));
  const losses: Loss[] = [];
  for (const what of gone.toSorted()) {
    const [noun, ...rest] = what.split(" ");
    const [table = "", column] = rest.join(" ").split(".");
    const isOfGoneTable = noun === "column" && isGone(`table ${table}`);
    if ((noun !== "table" && noun !== "column") || isOfGoneTable || from.has(`view ${table}`)) continue;
    const counted = column === undefined ? "*" : sql.quoted(column);
    const [row] = await sql.rows(`SELECT COUNT(${counted}) AS n FROM ${sql.quoted(table)}`);
    const rows = Number(row?.["n"] ?? 0);
    if (rows > 0) losses.push({ what, rows });
  }
  return losses;
}

const name = '(?:`[^`]+`|"[^"]+"|[\\w$]+)';
const before = String.raw`\s+(?:(?:IF\s+EXISTS|ONLY)\s+)*`;
const dropsTables = new RegExp(String.raw`^DROP\s+TABLE${before}(${name}(?:\s*,\s*${name})*)`, "i");
const altersTable = new RegExp(String.raw`^ALTER\s+TABLE${before}(${name})`, "i");
const renamesTable = /\bRENAME\s+(?!COLUMN\b|INDEX\b|KEY\b|CONSTRAINT\b)/i;
const dropsColumn = new RegExp(String.raw`\bDROP\s+COLUMN${before}(${name})`, "gi");

/** The tables and columns that a statement drops, and tables to which it gives another name, as a server may call them. Pure. */
function droppedBy(statement: string, engine: Sql["engine"]): Fact[] {
  const text = withoutTexts(statement, engine);
  const plain = (quoted = "") => quoted.replaceAll(/^[`"]|[`"]$/g, "");
  const called = (quoted = "") => [plain(quoted), plain(quoted).toLowerCase()];
  const [, tables = ""] = dropsTables.exec(text) ?? [];
  const renamed = /^RENAME\s+TABLE\b/i.test(text) ? text.slice("RENAME TABLE".length) : "";
  const whole = [...tables.split(","), ...renamed.split(",").map((pair) => pair.split(/\sTO\s/i)[0])];
  const [, altered] = altersTable.exec(text) ?? [];
  if (altered !== undefined && renamesTable.test(text)) whole.push(altered);
  const columns = altered === undefined ? [] : Array.from(text.matchAll(dropsColumn), ([, column]) => column);
  return [
    ...whole.flatMap((each) => called(each?.trim()).map((table): Fact => `table ${table}`)),
    ...columns.flatMap((column) =>
      called(altered).flatMap((table) => called(column).map((each): Fact => `column ${table}.${each}`)),
    ),
  ];
}
