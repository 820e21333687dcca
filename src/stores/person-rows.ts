import { chunked } from "../concurrency.ts";
import { CliError } from "../errors.ts";
import { secretColumnsOf, tableRole } from "../model/database.ts";
import { holds } from "../model/items.ts";
import { own, type JsonObject } from "../model/json.ts";
import { isAbout } from "../model/links.ts";
import { rowLinks, rowSubjects, type RowLink } from "../model/person-rows.ts";
import type { Entity, Model } from "../model/schema.ts";
import { fieldTypeOf } from "../model/table-keys.ts";
import { readCatalogue, type Catalogue } from "../sql/catalogue.ts";
import type { Row } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import { keyText, rowsWith, rowsWithKeys, rowTables, type RowTable } from "../sql/rows.ts";
import { sqlField } from "./sql-field.ts";

/** Somebody's account. */
export interface RowAccount {
  readonly subject: string;
  readonly id: string;
  readonly email: string | undefined;
}

/** Rows of one entity that are somebody's. */
export interface PersonRows {
  readonly entity: string;
  readonly what: string;
  readonly rows: readonly PersonRow[];
  /** Columns that lie open nowhere, and are never read. */
  readonly secret: readonly string[];
}

interface PersonRow {
  readonly key: Row;
  /** About the person; else it only names them. */
  readonly isAbout: boolean;
  /** What stood in the columns by which it is theirs. */
  readonly named: Row;
}

/** The people of a site whose accounts are rows of its databases, and what is theirs there. */
export interface PeopleRows {
  /** Whose account has this id, or this address in whatever case. */
  accounts(given: string): Promise<readonly RowAccount[]>;
  /** By entities, parents before what goes by them. Their keys are in memory, not what is in them. */
  rowsOf(subject: string, ids: readonly string[]): Promise<readonly PersonRows[]>;
  /** What stands in such rows now, a hundred at a time; what is gone meanwhile, or somebody else's, is left out. */
  valuesOf(rows: PersonRows): AsyncGenerator<readonly PersonValue[]>;
}

export interface PersonValue {
  readonly row: PersonRow;
  readonly value: JsonObject;
}

interface Table {
  readonly database: Database;
  readonly rows: RowTable;
  readonly secret: readonly string[];
}

const valuesPerStatement = 100;

/** @param databases open, by the roles that the model has for them. */
export function peopleRows(model: Model, databases: readonly Database[]): PeopleRows {
  const catalogues = new Map<string, Promise<Catalogue>>();
  const tableOf = async (entity: string): Promise<Table> => {
    const from = own(model.entities, entity)?.from;
    if (from === undefined || !("database" in from)) throw new RangeError(`${entity} is in no database`);
    const database = databases.find(({ role }) => role === from.database);
    if (database === undefined) throw new RangeError(`no database is open for ${entity}`);
    const reading = catalogues.get(database.role) ?? readCatalogue(database.sql, database.place);
    catalogues.set(database.role, reading);
    const all = rowTables(await reading, database.engine).find(({ name }) => name === from.table);
    if (all === undefined || all.key.length === 0) {
      const why = all === undefined ? "is not there" : "has no primary key";
      throw new CliError(`table ${tableRole(from) ?? ""} ${why}: what is somebody's there cannot be told`, {
        hint: "`mawps doctor` tells how it differs from the model",
      });
    }
    const hidden = new Set(
      secretColumnsOf(model, database.role).flatMap(({ table, column }) =>
        table === from.table ? [column] : [],
      ),
    );
    return {
      database,
      rows: { ...all, columns: all.columns.filter(({ name }) => !hidden.has(name)) },
      secret: all.columns.flatMap(({ name }) => (hidden.has(name) ? [name] : [])),
    };
  };

  const entityOf = (name: string): Entity => {
    const entity = own(model.entities, name);
    if (entity === undefined) throw new RangeError(`the model has no entity ${name}`);
    return entity;
  };

  return {
    async accounts(given) {
      const wanted = given.toLowerCase();
      const found: RowAccount[] = [];
      for (const { subject, entity, ids } of rowSubjects(model)) {
        const [id = "id", ...addresses] = ids;
        const columns = given.includes("@") ? addresses : [id];
        const { database, rows } = await tableOf(entity);
        const narrow = narrowed(rows, ids);
        for (const column of columns) {
          const all = await rowsWith(database.sql, narrow, {
            column,
            values: [given],
            anyCase: column !== id,
          });
          for (const row of all) {
            const text = own(row, column) ?? "";
            if (column === id ? text !== given : text.toLowerCase() !== wanted) continue;
            const [email] = addresses.flatMap((name) => own(row, name) ?? []);
            found.push({ subject, id: own(row, id) ?? "", email });
          }
        }
      }
      return found;
    },
    async rowsOf(subject, ids) {
      const links = rowLinks(model, subject);
      const fields = new Map<string, Set<string>>();
      for (const { parent } of links) {
        if (parent === undefined) continue;
        fields.set(parent.entity, (fields.get(parent.entity) ?? new Set<string>()).add(parent.field));
      }
      const entities = [...new Set(links.map(({ entity }) => entity))];
      const found = new Map<string, readonly Row[]>();
      const all: PersonRows[] = [];
      for (const entity of entities) {
        const { database, rows: table, secret } = await tableOf(entity);
        const own = links.filter((link) => link.entity === entity);
        const declared = entityOf(entity);
        const names = [own.map(({ column }) => column), Object.keys(declared.when ?? {})].flat();
        const narrow = narrowed(table, [...names, ...(fields.get(entity) ?? [])]);
        const rows = new Map<string, PersonRow & { readonly read: Row }>();
        for (const link of own) {
          const values = link.parent === undefined ? ids : namesOf(link.parent, found);
          for (const row of await named({ database, table: narrow }, link, values)) {
            // Another entity may be in the same table.
            if (!holds(declared.when, valuesIn({ database, rows: narrow }, declared, row))) continue;
            const name = keyText(table, row);
            const { named: known = {}, isAbout: before = false } = rows.get(name) ?? {};
            rows.set(name, {
              read: row,
              key: Object.fromEntries(table.key.map((column) => [column, row[column] ?? null])),
              isAbout: before || isAbout(link),
              named: { ...known, [link.column]: row[link.column] ?? null },
            });
          }
        }
        found.set(
          entity,
          [...rows.values()].filter((row) => row.isAbout).map(({ read }) => read),
        );
        if (rows.size === 0) continue;
        const what = own[0]?.what ?? entity;
        const kept = [...rows.values()].map(({ key, isAbout: about, named: by }) => ({
          key,
          isAbout: about,
          named: by,
        }));
        all.push({ entity, what, secret, rows: kept });
      }
      return all;
    },
    async *valuesOf({ entity, rows }) {
      const { database, rows: table } = await tableOf(entity);
      const declared = entityOf(entity);
      for (const some of chunked(rows, valuesPerStatement)) {
        const read = await rowsWithKeys(database.sql, table, { rows: some.map(({ key }) => key) });
        const now = new Map(read.map((row) => [keyText(table, row), row]));
        yield some.flatMap((row) => {
          const stored = now.get(keyText(table, row.key));
          const isSame = Object.entries(row.named).every(([name, text]) => own(stored ?? {}, name) === text);
          if (stored === undefined || !isSame) return [];
          const value = valuesIn({ database, rows: table }, declared, stored);
          return holds(declared.when, value) ? [{ row, value }] : [];
        });
      }
    },
  };
}

/** The columns of a row in plain values. */
function valuesIn(
  { database, rows }: Pick<Table, "database" | "rows">,
  entity: Entity,
  row: Row,
): JsonObject {
  const { engine } = database;
  const values = rows.columns.map(({ name, type: column }) => {
    const text = own(row, name) ?? null;
    const type = fieldTypeOf(entity, name) ?? jsonType(column);
    return [name, text === null ? null : sqlField(text, { type, column, engine, isTold: true })];
  });
  return Object.fromEntries(values) as JsonObject;
}

function jsonType(column: string): "any" | undefined {
  return /^jsonb?$/i.test(column) ? "any" : undefined;
}

/** With these columns alone, and those of the key. */
function narrowed(table: RowTable, names: readonly string[]): RowTable {
  return {
    ...table,
    columns: table.columns.filter(({ name }) => names.includes(name) || table.key.includes(name)),
  };
}

function namesOf(
  { entity, field }: NonNullable<RowLink["parent"]>,
  found: ReadonlyMap<string, readonly Row[]>,
): string[] {
  return (found.get(entity) ?? []).flatMap((row) => own(row, field) ?? []);
}

/** Rows that have one of the values in the column of a link: letter by letter, which not every collation asks for. */
async function named(
  { database, table }: { readonly database: Database; readonly table: RowTable },
  { column, entity }: RowLink,
  values: readonly string[],
): Promise<Row[]> {
  if (!table.columns.some(({ name }) => name === column)) {
    throw new CliError(
      `table ${database.name}.${table.name} has no column ${column} that may be read, by which ${entity} are somebody's`,
      {
        hint: "`mawps doctor` tells how it differs from the model",
      },
    );
  }
  const wanted = new Set(values);
  const all: Row[] = [];
  for (const some of chunked(values, valuesPerStatement)) {
    const rows = await rowsWith(database.sql, table, { column, values: some });
    all.push(...rows.filter((row) => wanted.has(own(row, column) ?? "")));
  }
  return all;
}
