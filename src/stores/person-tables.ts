import { CliError } from "../errors.ts";
import { secretColumnsOf, tableRole, twinName } from "../model/database.ts";
import { referencesOf, type Reference } from "../model/graph.ts";
import { own, type JsonObject } from "../model/json.ts";
import type { RowLink } from "../model/person-rows.ts";
import type { Entity, Model } from "../model/schema.ts";
import { fieldTypeOf } from "../model/table-keys.ts";
import { readCatalogue, type Catalogue } from "../sql/catalogue.ts";
import type { Row } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import { rowTables, type RowTable } from "../sql/row-table.ts";
import { sqlField } from "./sql-field.ts";

/** Rows of one entity that are somebody's. */
export interface PersonRows {
  readonly entity: string;
  readonly what: string;
  /** With its database in front. */
  readonly table: string;
  readonly rows: readonly PersonRow[];
  /** Columns that lie open nowhere, and are never read. */
  readonly secret: readonly string[];
}

export interface PersonRow {
  readonly key: Row;
  /** About the person alone; else it only names them. */
  readonly isAbout: boolean;
  /** The columns by which a row about the person is somebody else's too. */
  readonly others: readonly string[];
  /** What stood in the columns by which it is theirs. */
  readonly named: Row;
  /** Why it is theirs. */
  readonly links: readonly RowLink[];
  /** What decided all of this: it must still be so when anything is done to the row. */
  readonly unchanged: Row;
  /** Why it may not be touched, where it is under a legal hold. */
  readonly held: string | undefined;
  /** Where such rows name files: what tells which, and whose these are. */
  readonly fields: JsonObject;
}

/** A table of a database in which an entity is. */
export interface PersonTable {
  readonly database: Database;
  readonly catalogue: Catalogue;
  /** Without secret columns, and with all. */
  readonly rows: RowTable;
  readonly whole: RowTable;
  readonly secret: readonly string[];
}

/** The tables of the entities of a model, each looked up in its database when it is first asked for. */
export interface PersonTables {
  /** @throws CliError where it is not there, or has no primary key. */
  readonly tableOf: (entity: string) => Promise<PersonTable>;
  readonly entityOf: (name: string) => Entity;
}

/** @param databases open, by the roles that the model has for them. */
export function personTables(model: Model, databases: readonly Database[]): PersonTables {
  const catalogues = new Map<string, Promise<Catalogue>>();
  const tableOf = async (entity: string): Promise<PersonTable> => {
    const from = own(model.entities, entity)?.from;
    if (from === undefined || !("database" in from)) throw new RangeError(`${entity} is in no database`);
    const database = databases.find(({ role }) => role === from.database);
    if (database === undefined) throw new RangeError(`no database is open for ${entity}`);
    const reading = catalogues.get(database.role) ?? readCatalogue(database.sql, database.place, "both");
    catalogues.set(database.role, reading);
    const catalogue = await reading;
    const all = rowTables(catalogue, database.engine).find(({ name }) => name === from.table);
    if (all === undefined || all.key.length === 0) {
      const why = all === undefined ? "is not there" : "has no primary key";
      throw new CliError(`table ${tableRole(from) ?? ""} ${why}: what is somebody's there cannot be told`, {
        hint: "`mawps doctor` tells how it differs from the model",
      });
    }
    const twin = twinName(from.table) ?? "";
    if (catalogue.has(`table ${twin}`)) {
      throw new CliError(
        `rows of ${tableRole(from) ?? ""} are out of it (in ${twin}): what is somebody's there cannot be told`,
        { hint: "`mawps retention run` goes on with what a run that was broken off has taken out" },
      );
    }
    const hidden = new Set(
      secretColumnsOf(model, database.role).flatMap(({ table, column }) =>
        table === from.table ? [column] : [],
      ),
    );
    return {
      database,
      catalogue,
      rows: { ...all, columns: all.columns.filter(({ name }) => !hidden.has(name)) },
      whole: all,
      secret: all.columns.flatMap(({ name }) => (hidden.has(name) ? [name] : [])),
    };
  };

  const entityOf = (name: string): Entity => {
    const entity = own(model.entities, name);
    if (entity === undefined) throw new RangeError(`the model has no entity ${name}`);
    return entity;
  };

  return { tableOf, entityOf };
}

/** Rows that are read, changed or deleted by one statement. */
export const rowsPerStatement = 100;

/** The columns of a row in plain values. */
export function valuesIn(
  { database, rows }: { readonly database: Pick<Database, "engine">; readonly rows: RowTable },
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
export function narrowed(table: RowTable, names: readonly string[]): RowTable {
  return {
    ...table,
    columns: table.columns.filter(({ name }) => names.includes(name) || table.key.includes(name)),
  };
}

/** Some columns of a row. Pure. */
export function only(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(names.map((name) => [name, row[name] ?? null]));
}

/** Whether rows of an entity name files. Pure. */
export function namesFiles(name: string, entity: Entity): boolean {
  return referencesOf(name, entity).some((reference) => fileColumn(reference).length > 0);
}

/** The column of a reference, where it is to a file. Pure. */
export function fileColumn({ field, parentField }: Pick<Reference, "field" | "parentField">): string[] {
  return parentField === undefined ? [field] : [];
}
