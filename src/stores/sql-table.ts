import { CliError } from "../errors.ts";
import { secretColumnsOf, tableRole } from "../model/database.ts";
import { referencesOf } from "../model/graph.ts";
import { holds } from "../model/items.ts";
import { own, type JsonObject } from "../model/json.ts";
import type { Entity, Model } from "../model/schema.ts";
import { fieldTypeOf } from "../model/table-keys.ts";
import type { Catalogue } from "../sql/catalogue.ts";
import type { Row } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import { foreignKeysTo, rowTables, type RowTable } from "../sql/row-table.ts";
import { holdColumn, holdValue, sqlField, sqlText } from "./sql-field.ts";
import type { Stored } from "./store.ts";

/** A table of a database, with the columns that are read of it: no secret ones. */
export interface Table {
  readonly database: Database;
  readonly catalogue: Catalogue;
  readonly rows: RowTable;
  readonly entities: readonly (readonly [string, Entity])[];
  /** The column that says why nothing may be deleted, where there is one. */
  readonly hold: string | undefined;
}

/** @throws CliError where it is not there, has no primary key, or lacks a column that the model names. */
export function tableIn(
  { model, database, catalogue }: { readonly model: Model } & Pick<Table, "database" | "catalogue">,
  name: string,
): Table {
  const { role, engine, name: place } = database;
  const wrong = (why: string) =>
    new CliError(`table ${place}.${name} ${why}`, {
      hint: "`mawps doctor` tells how it differs from the model",
    });
  const all = rowTables(catalogue, engine).find((table) => table.name === name);
  if (all === undefined) throw wrong("is not there");
  if (all.key.length === 0) throw wrong("has no primary key: its rows cannot be told apart");
  const entities = Object.entries(model.entities).filter(
    ([, { from }]) => tableRole(from) === `${role}.${name}`,
  );
  const secret = new Set(
    secretColumnsOf(model, role).flatMap(({ table, column }) => (table === name ? [column] : [])),
  );
  const names = new Set(entities.map(([entity]) => entity));
  const referredTo = Object.entries(model.entities).flatMap(([from, entity]) =>
    referencesOf(from, entity).flatMap(({ to, parentField }) => (names.has(to) ? (parentField ?? []) : [])),
  );
  const named = new Set(
    [...entities.flatMap(([, entity]) => columnsOf(entity)), ...referredTo].filter(
      (each) => !secret.has(each),
    ),
  );
  const missing = [...named].find((column) => !all.columns.some((each) => each.name === column));
  if (missing !== undefined) throw wrong(`has no column ${missing}, which the model names`);
  const hold = holdColumn(all.columns);
  const rules = entities.flatMap(([, { expires = [] }]) => expires);
  // A row that points at one of the same table cannot be asked for by the statement that deletes there.
  const referrers = rules.some(({ unreferred }) => unreferred)
    ? foreignKeysTo(catalogue, name).filter(({ table }) => table !== name)
    : undefined;
  const parentColumns = new Set(referrers?.flatMap((key) => key.parentColumns));
  const columns = all.columns.filter(
    (column) =>
      named.has(column.name) ||
      all.key.includes(column.name) ||
      parentColumns.has(column.name) ||
      column.name === hold,
  );
  return { database, catalogue, rows: { ...all, columns, referrers }, entities, hold };
}

/** The columns that an entity names. */
function columnsOf({ fields = {}, when = {}, expires = [], links = [], refs = {} }: Entity): string[] {
  return [
    ...[fields, when, refs].flatMap(Object.keys),
    ...expires.flatMap(({ since, when: condition = {} }) => [since ?? [], ...Object.keys(condition)].flat()),
    ...links.flatMap(({ by }) => (typeof by === "string" ? by : by.via)),
  ];
}

/** Undefined for a row that is of no entity. */
export function storedOf({ database, rows, entities, hold }: Table, row: Row): Stored | undefined {
  for (const [entity, declared] of entities) {
    const fields = fieldsOf({ database, rows, hold }, declared, row);
    if (!holds(declared.when, fields)) continue;
    return {
      entity,
      table: `${database.name}.${rows.name}`,
      key: Object.fromEntries(rows.key.map((name) => [name, row[name] ?? ""])),
      fields,
      bytes: Object.values(row).reduce((sum, text) => sum + Buffer.byteLength(text ?? ""), 0),
      raw: row,
    };
  }
  return undefined;
}

function fieldsOf(
  { database, rows, hold }: Pick<Table, "database" | "rows" | "hold">,
  entity: Entity,
  row: Row,
): JsonObject {
  const fields = rows.columns.flatMap((column) => {
    const text = own(row, column.name) ?? null;
    if (text === null) return [];
    if (column.name === hold) return [["legalHold", holdValue(text)]];
    const type = fieldTypeOf(entity, column.name);
    return [[column.name, sqlField(text, { type, column: column.type, engine: database.engine })]];
  });
  return Object.fromEntries(fields) as JsonObject;
}

/** Fields as the columns of a table have them. */
export function textsOf(
  { rows, database: { engine } }: Table,
  fields: JsonObject,
): Record<string, string | null> {
  const columns = new Map(rows.columns.map(({ name, type }) => [name, type]));
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      const column = columns.get(name);
      if (column === undefined) throw new RangeError(`${rows.name} has no column ${name}`);
      return [name, sqlText(value, { column, engine })];
    }),
  );
}
