import { holds } from "../model/items.ts";
import { keyedHash } from "../model/hash.ts";
import { isAbout } from "../model/links.ts";
import { accountColumns, rowLinks, rowSubjects, type RowLink } from "../model/person-rows.ts";
import { own } from "../model/json.ts";
import type { Entity, Model } from "../model/schema.ts";
import type { IsErased } from "./erasures.ts";
import type { Catalogue } from "../sql/catalogue.ts";
import type { Row } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import type { RowTable } from "../sql/row-table.ts";
import { emptiedValues } from "../stores/emptied-values.ts";
import { only, valuesIn } from "../stores/person-tables.ts";

/** A row of a backup as a restore may write it. */
export interface JudgedRow {
  readonly row: Row;
  /** `suppressed`: of somebody who was erased. `emptied`: an account of theirs, of which no more than its key may come back. */
  readonly is: "whole" | "suppressed" | "emptied";
}

export type JudgeRow = (table: RowTable, row: Row) => JudgedRow;

interface Judging {
  readonly model: Model;
  readonly database: Database;
  readonly catalogue: Catalogue;
  readonly isErased: IsErased;
  readonly onSuppressed: (id: string) => void;
  /** The rows of a table in the backup; undefined where it has none of that name. */
  readonly read: (table: string) => AsyncIterable<readonly Row[]> | undefined;
  readonly tables: readonly RowTable[];
}

interface Kind {
  readonly name: string;
  readonly entity: Entity;
  readonly table: string;
  readonly links: readonly RowLink[];
}

/**
 * What a restore does with rows of people who were erased, as the erasure did: what it deleted stays away with all that goes by it, names of
 * theirs in other rows are replaced, and accounts that stay are emptied. Reads the rows by which others are somebody's.
 */
export async function rowJudge(judging: Judging): Promise<JudgeRow> {
  const { model, database, isErased, onSuppressed, read, tables } = judging;
  const kinds = kindsOf(model, database.role);
  /** Of parents that are about somebody who was erased, whatever became of them: what rows that go by them name. */
  const away = new Map<string, Set<string>>();
  const nameOf = (entity: string, field: string) => `${entity}.${field}`;
  for (const { parent } of kinds.flatMap(({ links }) => links))
    if (parent !== undefined) away.set(nameOf(parent.entity, parent.field), new Set());
  const isTheirs = ({ column, parent, subject }: RowLink, row: Row) => {
    const value = own(row, column) ?? undefined;
    if (value === undefined) return false;
    if (parent === undefined) return isErased(value, subject);
    return away.get(nameOf(parent.entity, parent.field))?.has(value) === true;
  };
  const judgeAs = (kind: Kind, table: RowTable, row: Row): JudgedRow => {
    const theirs = kind.links.filter((link) => isTheirs(link, row));
    for (const { column, parent } of theirs) if (parent === undefined) onSuppressed(own(row, column) ?? "");
    if (theirs.some(({ erase }) => isDeletion(erase))) return { row, is: "suppressed" };
    const account = theirs.find((link) => link.erase === "pseudonym" && isAbout(link));
    const values: Record<string, string | null> = {};
    for (const { erase, column } of theirs) {
      if (table.key.includes(column)) continue;
      if (erase === "null") values[column] = null;
      if (erase === "pseudonym" && account === undefined)
        values[column] = pseudonymOf(kind, own(row, column) ?? "");
      if (typeof erase === "object" && "set" in erase) values[column] = erase.set;
    }
    if (account === undefined) return { row: { ...row, ...values }, is: "whole" };
    return { row: { ...row, ...values, ...emptied(judging, kind, { table, row, account }) }, is: "emptied" };
  };
  const kindOf = (table: RowTable, row: Row) =>
    kinds.find(
      ({ table: name, entity }) =>
        name === table.name && holds(entity.when, valuesIn({ database, rows: table }, entity, row)),
    );
  const judge: JudgeRow = (table, row) => {
    const kind = kindOf(table, row);
    return kind === undefined ? { row, is: "whole" } : judgeAs(kind, table, row);
  };
  for (const kind of kinds) {
    const fields = [...away.keys()].flatMap((name) =>
      name.startsWith(`${kind.name}.`) ? [name.slice(kind.name.length + 1)] : [],
    );
    const table = tables.find(({ name }) => name === kind.table);
    if (fields.length === 0 || table === undefined) continue;
    for await (const rows of read(kind.table) ?? []) {
      for (const row of rows) {
        if (kindOf(table, row) !== kind) continue;
        if (!kind.links.some((link) => isAbout(link) && isTheirs(link, row))) continue;
        for (const field of fields) {
          const value = own(row, field) ?? undefined;
          if (value !== undefined) away.get(nameOf(kind.name, field))?.add(value);
        }
      }
    }
  }
  return judge;
}

/** The entities of a database that are people's, parents first. */
function kindsOf(model: Model, role: string): Kind[] {
  const links = rowLinks(model);
  return [...new Set(links.map(({ entity }) => entity))].flatMap((name) => {
    const entity = own(model.entities, name);
    if (entity === undefined || !("database" in entity.from) || entity.from.database !== role) return [];
    return [{ name, entity, table: entity.from.table, links: links.filter((link) => link.entity === name) }];
  });
}

function isDeletion(erase: RowLink["erase"]): boolean {
  return erase === "delete" || (typeof erase === "object" && "expires" in erase);
}

function emptied(
  { model, catalogue }: Judging,
  { name, entity }: Kind,
  { table, row, account }: { readonly table: RowTable; readonly row: Row; readonly account: RowLink },
): Row {
  const subjects = rowSubjects(model).filter((each) => each.entity === name);
  const id = own(row, account.column) ?? "";
  return emptiedValues(
    {
      table,
      catalogue,
      addresses: subjects.flatMap(({ ids: [, ...addresses] }) => addresses),
      isActive: subjects.map((each) => accountColumns(model, each).isActive)[0],
      staying: Object.keys(entity.when ?? {}),
    },
    { pseudonym: pseudonymOf({ name }, id), key: only(row, table.key) },
  );
}

/** Stands for somebody in rows of a kind; beside it is nothing but keys of theirs. */
function pseudonymOf({ name }: Pick<Kind, "name">, id: string): string {
  return `erased-${keyedHash(id, name).slice(0, 16)}`;
}
