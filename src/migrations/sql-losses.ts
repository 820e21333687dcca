import type { Catalogue, Fact } from "../sql/catalogue.ts";
import type { Sql } from "../sql/connection.ts";

/** Rows or values that go with a table or column. */
export interface Loss {
  /** `table users`, `column users.email`. */
  readonly what: Fact;
  /** Rows of the table, or rows in which the column has a value. */
  readonly rows: number;
}

/**
 * What would go of the live rows with the tables and columns that one version has and the next has not. A table or column that gets
 * another name counts: the server does not say what became of it.
 * @param live the schema as it is: what is not there yet has no rows.
 */
export async function lossesOf(
  sql: Sql,
  { from, to, live }: Readonly<Record<"from" | "to" | "live", Catalogue>>,
): Promise<Loss[]> {
  const gone = [...from.keys()].filter((fact) => !to.has(fact) && live.has(fact));
  const losses: Loss[] = [];
  for (const what of gone.toSorted()) {
    const [noun, ...rest] = what.split(" ");
    const [table = "", column] = rest.join(" ").split(".");
    const isOfGoneTable = noun === "column" && !to.has(`table ${table}`);
    if ((noun !== "table" && noun !== "column") || isOfGoneTable || from.has(`view ${table}`)) continue;
    const counted = column === undefined ? "*" : sql.quoted(column);
    const [row] = await sql.rows(`SELECT COUNT(${counted}) AS n FROM ${sql.quoted(table)}`);
    const rows = Number(row?.["n"] ?? 0);
    if (rows > 0) losses.push({ what, rows });
  }
  return losses;
}
