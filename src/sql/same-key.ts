import { valueIn, type Row, type Sql } from "./connection.ts";
import type { RowTable } from "./row-table.ts";
import { columnOf, placesOf } from "./rows.ts";

/** Those of the rows under whose key the server finds one in the table, by whatever it takes for the same. */
export async function rowsThere(sql: Sql, table: RowTable, rows: readonly Row[]): Promise<readonly Row[]> {
  if (rows.length === 0) return [];
  const place = placesOf(sql);
  const names = table.key.map((name) => sql.quoted(name)).join(", ");
  const each = rows.map((row, at) => {
    const values = table.key.map((name) => place(valueIn(row, name), columnOf(table, name)));
    return `(SELECT ${at} AS place FROM ${sql.quoted(table.name)} WHERE (${names}) = (${values.join(", ")}) LIMIT 1)`;
  });
  const found = await sql.rows(each.join(" UNION ALL "), place.values);
  const places = new Set(found.map((row) => Number(valueIn(row, "place"))));
  return rows.filter((_, at) => places.has(at));
}

/** Whether two rows are the same to a server by the key of a table, although their values differ. */
export type SameKeys = (
  some: readonly Row[],
  others: readonly Row[],
) => Promise<readonly { readonly one: Row; readonly other: Row }[]>;

/**
 * Pairs of rows with the same key by the collations of its columns. Undefined where only equal values are the same: in PostgreSQL, and
 * where MySQL compares no letters or (`_bin`) each by itself.
 */
export async function sameKeysIn(sql: Sql, table: RowTable): Promise<SameKeys | undefined> {
  if (sql.engine !== "mysql") return undefined;
  const columns = await sql.rows(
    `SELECT COLUMN_NAME AS name, COLLATION_NAME AS collation, CHARACTER_SET_NAME AS letters
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`,
    [table.name],
  );
  const asStored = new Map(
    columns.flatMap((row) => {
      const [collation, letters] = [valueIn(row, "collation"), valueIn(row, "letters")];
      if (collation === null || letters === null) return [];
      const stored = (mark: string) =>
        `CONVERT(${mark} USING ${sql.quoted(letters)}) COLLATE ${sql.quoted(collation)}`;
      return [[valueIn(row, "name") ?? "", { stored, isExact: collation.endsWith("_bin") }] as const];
    }),
  );
  if (table.key.every((name) => asStored.get(name)?.isExact !== false)) return undefined;
  return async (some, others) => {
    if (some.length === 0 || others.length === 0) return [];
    const place = placesOf(sql);
    const derived = (rows: readonly Row[]) =>
      rows
        .map((row, at) => {
          const values = table.key.map((name, index) => {
            const mark = place(valueIn(row, name), columnOf(table, name));
            return `${asStored.get(name)?.stored(mark) ?? mark} AS k${index}`;
          });
          return `SELECT ${at} AS place, ${values.join(", ")}`;
        })
        .join(" UNION ALL ");
    const same = table.key.map((_, index) => `a.k${index} = b.k${index}`).join(" AND ");
    const pairs = await sql.rows(
      `SELECT a.place AS one, b.place AS other FROM (${derived(some)}) a JOIN (${derived(others)}) b ON ${same}`,
      place.values,
    );
    return pairs.flatMap((pair) => {
      const [one, other] = [some[Number(valueIn(pair, "one"))], others[Number(valueIn(pair, "other"))]];
      return one === undefined || other === undefined ? [] : [{ one, other }];
    });
  };
}
