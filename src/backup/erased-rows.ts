import { keyedHash } from "../model/hash.ts";
import { own } from "../model/json.ts";
import { isAbout } from "../model/links.ts";
import { accountColumns, rowSubjects, type RowLink } from "../model/person-rows.ts";
import type { Catalogue } from "../sql/catalogue.ts";
import type { Row } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import type { RowTable } from "../sql/row-table.ts";
import { emptiedValues } from "../stores/emptied-values.ts";
import { only } from "../stores/person-tables.ts";
import type { IsErased } from "./erasures.ts";
import { linkedRows, type ReadRows, type RowKind } from "./linked-rows.ts";

/** A row of a backup as a restore may write it. */
export interface JudgedRow {
  readonly row: Row;
  /**
   * `suppressed`: of somebody who was erased. `emptied`: an account of theirs, of which no more than its key may come back. `left out`: not
   * meant. `along`: only meant where it is missing, as others refer to it.
   */
  readonly is: "whole" | "suppressed" | "emptied" | "left out" | "along";
  /** Why it cannot be written. */
  readonly obstacle?: string | undefined;
  /** Whether it may go over the row that is there; missing: over any. */
  readonly mayReplace?: ((over: Row) => boolean) | undefined;
}

export type JudgeRow = (table: RowTable, row: Row) => JudgedRow;

interface Judging extends ReadRows {
  readonly database: Database;
  readonly catalogue: Catalogue;
  readonly isErased: IsErased;
  readonly onSuppressed: (id: string) => void;
}

/**
 * What a restore does with rows of people who were erased, as the erasure did: what it deleted stays away with all that goes by it, names of
 * theirs in other rows are replaced, and accounts that stay are emptied. Reads the rows by which others are somebody's.
 */
export async function rowJudge(judging: Judging): Promise<JudgeRow> {
  const { isErased, onSuppressed } = judging;
  const linksOf = await linkedRows(judging, isErased);
  return (table, row) => {
    const { kind, theirs } = linksOf(table, row) ?? {};
    if (kind === undefined || theirs === undefined) return { row, is: "whole" };
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
}

function isDeletion(erase: RowLink["erase"]): boolean {
  return erase === "delete" || (typeof erase === "object" && "expires" in erase);
}

function emptied(
  { model, catalogue }: Judging,
  { name, entity }: RowKind,
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
function pseudonymOf({ name }: Pick<RowKind, "name">, id: string): string {
  return `erased-${keyedHash(id, name).slice(0, 16)}`;
}
