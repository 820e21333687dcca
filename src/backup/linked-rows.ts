import { holds } from "../model/items.ts";
import { own } from "../model/json.ts";
import { isAbout } from "../model/links.ts";
import { rowLinks, type RowLink } from "../model/person-rows.ts";
import type { Entity, Model } from "../model/schema.ts";
import type { Row } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import type { RowTable } from "../sql/row-table.ts";
import { valuesIn } from "../stores/person-tables.ts";

/** An entity of a database that is people's. */
export interface RowKind {
  readonly name: string;
  readonly entity: Entity;
  readonly table: string;
  readonly links: readonly RowLink[];
}

/** A row of such an entity, and by which links it is that of somebody who is meant. */
export interface LinkedRow {
  readonly kind: RowKind;
  readonly theirs: readonly RowLink[];
}

/** Undefined for a row of no entity that is people's. */
export type LinksOfRow = (table: RowTable, row: Row) => LinkedRow | undefined;

/** Where rows of a backup, or of a database, are read. */
export interface ReadRows {
  readonly model: Model;
  readonly database: Pick<Database, "role" | "engine">;
  /** The rows of a table; undefined where there is none of that name. */
  readonly read: (table: string) => AsyncIterable<readonly Row[]> | undefined;
  readonly tables: readonly RowTable[];
}

/**
 * Prepares to tell whose rows are, also of those that go by others (`{"via": …}`), which are read for that: what they are known by is kept
 * where they are about somebody who is meant.
 */
export async function linkedRows(
  reading: ReadRows,
  isMeant: (value: string, subject: string) => boolean,
): Promise<LinksOfRow> {
  const { model, database, read, tables } = reading;
  const kinds = kindsOf(model, database.role);
  /** What rows that go by them name, of parents that are about somebody who is meant. */
  const known = new Map<string, Set<string>>();
  const nameOf = (entity: string, field: string) => `${entity}.${field}`;
  for (const { parent } of kinds.flatMap(({ links }) => links))
    if (parent !== undefined) known.set(nameOf(parent.entity, parent.field), new Set());
  const isTheirs = ({ column, parent, subject }: RowLink, row: Row) => {
    const value = own(row, column) ?? undefined;
    if (value === undefined) return false;
    if (parent === undefined) return isMeant(value, subject);
    return known.get(nameOf(parent.entity, parent.field))?.has(value) === true;
  };
  const linksOf: LinksOfRow = (table, row) => {
    const kind = kindOf(reading, kinds, { table, row });
    return kind && { kind, theirs: kind.links.filter((link) => isTheirs(link, row)) };
  };
  for (const kind of kinds) {
    const fields = [...known.keys()].flatMap((name) =>
      name.startsWith(`${kind.name}.`) ? [name.slice(kind.name.length + 1)] : [],
    );
    const table = tables.find(({ name }) => name === kind.table);
    if (fields.length === 0 || table === undefined) continue;
    for await (const rows of read(kind.table) ?? []) {
      for (const row of rows) {
        const found = linksOf(table, row);
        if (found?.kind !== kind || !found.theirs.some(isAbout)) continue;
        for (const field of fields) {
          const value = own(row, field) ?? undefined;
          if (value !== undefined) known.get(nameOf(kind.name, field))?.add(value);
        }
      }
    }
  }
  return linksOf;
}

/** The entities of a database that are people's, parents first. Pure. */
function kindsOf(model: Model, role: string): RowKind[] {
  const links = rowLinks(model);
  return [...new Set(links.map(({ entity }) => entity))].flatMap((name) => {
    const entity = own(model.entities, name);
    if (entity === undefined || !("database" in entity.from) || entity.from.database !== role) return [];
    return [{ name, entity, table: entity.from.table, links: links.filter((link) => link.entity === name) }];
  });
}

function kindOf(
  { database }: Pick<ReadRows, "database">,
  kinds: readonly RowKind[],
  { table, row }: { readonly table: RowTable; readonly row: Row },
): RowKind | undefined {
  return kinds.find(
    ({ table: name, entity }) =>
      name === table.name &&
      (entity.when === undefined || holds(entity.when, valuesIn({ database, rows: table }, entity, row))),
  );
}
