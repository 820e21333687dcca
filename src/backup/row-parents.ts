import { chunked } from "../concurrency.ts";
import type { Catalogue } from "../sql/catalogue.ts";
import { valueIn, type Row, type Sql } from "../sql/connection.ts";
import { foreignKeysTo, type RowTable } from "../sql/row-table.ts";
import { rowsThere, sameKeysIn } from "../sql/same-key.ts";

/** `there`: in the database. `along`: it is missing there, and comes back with what points at it. */
export type ParentState = "there" | "along" | { readonly why: string };

/** What rows that come back point at by foreign keys: whether it is there, comes along, or keeps them away. */
export interface RowParents {
  /** Notes what a row that is to be written points at. */
  ask(table: RowTable, row: Row): void;
  /** Finds out about all that was asked for; answers whether some of it is not there. */
  resolve(): Promise<boolean>;
  /** Whether a row comes along. */
  isAlong(table: RowTable, row: Row): boolean;
  /** Whether rows of a table may come along. */
  hasAlong(table: string): boolean;
  /** What keeps a row away, as the rest of a sentence about it; undefined where that is nothing so far. */
  obstacle(table: RowTable, row: Row): string | undefined;
  /** Notes that a row stays away, and with it what points at it; answers whether that is news. @param why the rest of a sentence about it. */
  keepAway(table: RowTable, row: Row, why: string): boolean;
}

interface Looking {
  readonly sql: Sql;
  readonly catalogue: Catalogue;
  /** Of the database. */
  readonly tables: readonly RowTable[];
  /** The rows of a table in the backup; undefined where it has none of that name. */
  readonly read: (table: string) => AsyncIterable<readonly Row[]> | undefined;
  /** What becomes of a row of the backup that is missing and pointed at. */
  readonly fateOf: (table: RowTable, row: Row) => Exclude<ParentState, "there">;
}

interface Parent {
  readonly row: Row;
  state: ParentState | "asked";
}

const rowsAtOnce = 200;

/** Keeps what is pointed at in memory, each once; so many are as few as the rows that come back. */
export function rowParents({ sql, catalogue, tables, read, fateOf }: Looking): RowParents {
  const keys = tables.flatMap(({ name: parent }) =>
    foreignKeysTo(catalogue, parent).map((key) => {
      const target = JSON.stringify([parent, ...key.parentColumns]);
      return { ...key, parent, target };
    }),
  );
  const targets = new Map(
    keys.map(({ target, parent, parentColumns }) => [
      target,
      { parent, columns: parentColumns, known: new Map<string, Parent>() },
    ]),
  );
  const pointedAt = (table: RowTable, row: Row) =>
    keys.flatMap(({ table: child, columns, parent, parentColumns, target }) => {
      const text = child === table.name ? textOf(row, columns) : undefined;
      const known = targets.get(target)?.known;
      if (text === undefined || known === undefined) return [];
      // A row may point at itself.
      if (parent === table.name && text === textOf(row, parentColumns)) return [];
      const values = columns.map((name, at) => [parentColumns[at] ?? "", valueIn(row, name)]);
      return [{ parent, known, text, row: Object.fromEntries(values) as Row }];
    });
  const statesOf = (table: RowTable, row: Row) =>
    [...targets.values()].flatMap(({ parent, columns, known }) => {
      const text = parent === table.name ? textOf(row, columns) : undefined;
      return text === undefined ? [] : [{ known, text, columns }];
    });
  return {
    ask(table, row) {
      for (const { known, text, row: parent } of pointedAt(table, row))
        if (!known.has(text)) known.set(text, { row: parent, state: "asked" });
    },
    async resolve() {
      let isMissing = false;
      for (const { parent, columns, known } of targets.values()) {
        const table = tables.find(({ name }) => name === parent);
        const asked = new Map([...known].filter(([, { state }]) => state === "asked"));
        if (table === undefined || asked.size === 0) continue;
        const pointed = {
          ...table,
          key: columns,
          columns: table.columns.filter(({ name }) => columns.includes(name)),
        };
        for (const some of chunked([...asked.values()], rowsAtOnce)) {
          for (const row of await rowsThere(
            sql,
            pointed,
            some.map((each) => each.row),
          )) {
            const text = textOf(row, columns) ?? "";
            const found = asked.get(text);
            if (found !== undefined) found.state = "there";
            asked.delete(text);
          }
        }
        if (asked.size === 0) continue;
        isMissing = true;
        for await (const rows of read(parent) ?? []) {
          for (const row of rows) {
            const text = textOf(row, columns) ?? "";
            const found = asked.get(text);
            if (found !== undefined) found.state = fateOf(table, row);
            asked.delete(text);
          }
        }
        // Written otherwise, and the same to the server.
        const sameKeys = asked.size === 0 ? undefined : await sameKeysIn(sql, pointed);
        for await (const rows of sameKeys === undefined ? [] : (read(parent) ?? [])) {
          if (asked.size === 0) break;
          for (const others of chunked(rows, rowsAtOnce))
            for (const some of chunked([...asked.values()], rowsAtOnce))
              for (const { one, other } of (await sameKeys?.(
                some.map((each) => each.row),
                others,
              )) ?? []) {
                const own = textOf(other, columns) ?? "";
                const found = known.get(own) ?? { row: one, state: fateOf(table, other) };
                // One row, by whatever it is called.
                known.set(own, found);
                known.set(textOf(one, columns) ?? "", found);
                asked.delete(textOf(one, columns) ?? "");
              }
        }
        for (const left of asked.values()) left.state = { why: "is not in the backup" };
      }
      return isMissing;
    },
    isAlong: (table, row) =>
      statesOf(table, row).some(({ known, text }) => known.get(text)?.state === "along"),
    hasAlong: (table) =>
      [...targets.values()].some(
        ({ parent, known }) => parent === table && [...known.values()].some(({ state }) => state === "along"),
      ),
    obstacle(table, row) {
      for (const { parent, known, text, row: pointed } of pointedAt(table, row)) {
        const state = known.get(text)?.state;
        if (typeof state === "object")
          return `it refers to ${parent} ${Object.values(pointed).join(" + ")}, which ${state.why}`;
      }
      return undefined;
    },
    keepAway(table, row, why) {
      let isNew = false;
      for (const { known, text } of statesOf(table, row)) {
        const before = known.get(text) ?? { row, state: "asked" };
        if (before.state === "there" || typeof before.state === "object") continue;
        before.state = { why };
        known.set(text, before);
        isNew = true;
      }
      return isNew;
    },
  };
}

/** Undefined where one of them is nothing. */
function textOf(row: Row, columns: readonly string[]): string | undefined {
  const values = columns.map((name) => valueIn(row, name));
  return values.includes(null) ? undefined : JSON.stringify(values);
}
