import { chunked } from "../concurrency.ts";
import { CliError } from "../errors.ts";
import { legalHold } from "../model/documents.ts";
import { groupedBy } from "../model/graph.ts";
import { holds } from "../model/items.ts";
import { own, type JsonObject } from "../model/json.ts";
import { isAbout } from "../model/links.ts";
import {
  accountColumns,
  isStandIn,
  rowLinks,
  rowSubjects,
  type AccountSubject,
  type RowLink,
} from "../model/person-rows.ts";
import type { Entity, Model } from "../model/schema.ts";
import type { Row } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import type { RowTable } from "../sql/row-table.ts";
import { keyText, rowsWith, rowsWithKeys, streamReading } from "../sql/rows.ts";
import {
  namesFiles,
  narrowed,
  only,
  personTables,
  rowsPerStatement,
  valuesIn,
  type PersonRow,
  type PersonRows,
} from "./person-tables.ts";
import { rowErasing, type RowErasing } from "./row-erasure.ts";
import { rowNames, type RowNames } from "./row-names.ts";
import { holdColumn, holdValue } from "./sql-field.ts";

/** Somebody's account. */
export interface RowAccount {
  readonly subject: string;
  readonly id: string;
  readonly email: string | undefined;
}

/** An account with the fields that the model names, but for secret ones. */
export interface AccountRow {
  readonly subject: AccountSubject;
  readonly id: string;
  readonly value: JsonObject;
}

/** Where the accounts of a site's people are an entity of its model. */
export interface Accounts {
  /** What the model names of them, but for what is secret. */
  readonly fields: readonly string[];
  /** All accounts, as they come; whoever stands for the erased has none. */
  allAccounts(): AsyncGenerator<AccountRow>;
}

/** The people of a site whose accounts are rows of its databases, and what is theirs there. */
export interface PeopleRows extends RowErasing, RowNames, Accounts {
  /** Whose account has this id, or this address in whatever case. */
  accounts(given: string): Promise<readonly RowAccount[]>;
  /**
   * By entities, parents before what goes by them. Their keys are in memory, not what is in them.
   * @param subject of which kind the person is; undefined where nothing tells, and they may be of each.
   */
  rowsOf(subject: string | undefined, ids: readonly string[]): Promise<readonly PersonRows[]>;
  /** What stands in such rows now, of accounts in columns that the model names, a hundred at a time; what is gone meanwhile, or somebody else's, is left out. */
  valuesOf(rows: PersonRows): AsyncGenerator<readonly PersonValue[]>;
}

export interface PersonValue {
  readonly row: PersonRow;
  readonly value: JsonObject;
}

const noFields: JsonObject = {};

/** @param databases open, by the roles that the model has for them. */
export function peopleRows(model: Model, databases: readonly Database[]): PeopleRows {
  const tables = personTables(model, databases);
  const { tableOf, entityOf } = tables;
  return {
    ...rowErasing(model, tables),
    ...rowNames(model, tables),
    fields: [...new Set(rowSubjects(model).flatMap((each) => openColumns(model, each)))],
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
    async *allAccounts() {
      for (const subject of rowSubjects(model)) {
        const {
          entity,
          ids: [column = "id"],
        } = subject;
        const declared = entityOf(entity);
        const { database, rows: whole } = await tableOf(entity);
        const rows = narrowed(whole, [...declaredColumns(declared), ...accountFields(model, subject)]);
        for await (const page of streamReading(database.sql, rows)) {
          for (const row of page) {
            const id = own(row, column) ?? "";
            const value = valuesIn({ database, rows }, declared, row);
            if (id !== "" && !isStandIn(model, id) && holds(declared.when, value))
              yield { subject, id, value };
          }
        }
      }
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
        const hold = holdColumn(table.columns);
        const deciding = [...Object.keys(declared.when ?? {}), ...(hold === undefined ? [] : [hold])];
        const telling = namesFiles(entity, declared) ? namingColumns(declared) : [];
        const names = [...own.map(({ column }) => column), ...deciding, ...telling];
        const narrow = narrowed(table, [...names, ...(fields.get(entity) ?? [])]);
        const rows = new Map<string, PersonRow & { readonly read: Row }>();
        const valuesOf = ({ parent }: RowLink) => (parent === undefined ? ids : namesOf(parent, found));
        for (const link of own) {
          for (const row of await named({ database, table: narrow }, link, valuesOf(link))) {
            const value = valuesIn({ database, rows: narrow }, declared, row);
            // Another entity may be in the same table.
            if (!holds(declared.when, value)) continue;
            const name = keyText(table, row);
            const before = rows.get(name);
            const by = { ...before?.named, ...only(row, [link.column]) };
            const all = [...(before?.links ?? []), link];
            const saying = own.filter((each) => isSaying(model, each, all));
            const others = othersIn(row, saying, valuesOf);
            rows.set(name, {
              read: row,
              key: only(row, table.key),
              isAbout: others.length === 0 && all.some(isAbout),
              others,
              named: by,
              links: all,
              unchanged: { ...by, ...only(row, [...saying.map(({ column }) => column), ...deciding]) },
              held: hold === undefined ? undefined : legalHold({ legalHold: heldIn(row, hold) }),
              fields: telling.length === 0 ? noFields : value,
            });
          }
        }
        found.set(
          entity,
          [...rows.values()].filter((row) => row.isAbout).map(({ read }) => read),
        );
        if (rows.size === 0) continue;
        const what = own[0]?.what ?? entity;
        const kept = [...rows.values()].map(({ read: _read, ...row }) => row);
        all.push({ entity, what, table: `${database.name}.${table.name}`, secret, rows: kept });
      }
      return all;
    },
    async *valuesOf({ entity, rows }) {
      const { database, rows: whole } = await tableOf(entity);
      const declared = entityOf(entity);
      const by = rows.flatMap(({ named }) => Object.keys(named));
      const isAccounts = rowSubjects(model).some((each) => each.entity === entity);
      const table = isAccounts ? narrowed(whole, [...declaredColumns(declared), ...by]) : whole;
      for (const some of chunked(rows, rowsPerStatement)) {
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

/** Whether a link says whose a row is of the people to whom it is linked by others. An account is of whoever has its id. */
function isSaying(model: Model, link: RowLink, by: readonly RowLink[]): boolean {
  const same = by.filter((each) => isAbout(each) && each.subject === link.subject);
  const accounts = rowSubjects(model).filter(
    ({ subject, entity }) => subject === link.subject && entity === link.entity,
  );
  const isAccount = same.some(({ column }) => accounts.some(({ ids: [id] }) => id === column));
  return link.role === "subject" && same.length > 0 && !isAccount;
}

/** The columns of links that say whose a row is, and name somebody else than the person. */
function othersIn(row: Row, saying: readonly RowLink[], valuesOf: (link: RowLink) => readonly string[]) {
  return [...groupedBy(saying, ({ column }) => column)].flatMap(([column, links]) => {
    const text = own(row, column) ?? "";
    return text === "" || links.some((link) => isAmong(valuesOf(link), text)) ? [] : [column];
  });
}

function heldIn(row: Row, hold: string): string | false | undefined {
  const text = row[hold] ?? undefined;
  return text === undefined ? undefined : holdValue(text);
}

/** What the model names of a table: what else is there beside accounts may be secret, and is not read. */
function declaredColumns({ fields, refs, when }: Pick<Entity, "fields" | "refs" | "when">): string[] {
  return Object.keys({ ...fields, ...refs, ...when });
}

function accountFields(model: Model, subject: AccountSubject): string[] {
  return [...subject.ids, ...Object.values(accountColumns(model, subject))];
}

/** Those of them that are not secret. */
function openColumns(model: Model, subject: AccountSubject): string[] {
  const { fields = {}, ...rest } = own(model.entities, subject.entity) ?? {};
  const all = [...declaredColumns({ fields, ...rest }), ...accountFields(model, subject)];
  return all.filter((name) => {
    const field = own(fields, name);
    return typeof field !== "object" || field.secret !== true;
  });
}

/** What tells which file a row names, and whose that is. */
function namingColumns({ refs = {}, links = [] }: Entity): string[] {
  return [...Object.keys(refs), ...links.flatMap(({ by }) => (typeof by === "string" ? [by] : []))];
}

function namesOf(
  { entity, field }: NonNullable<RowLink["parent"]>,
  found: ReadonlyMap<string, readonly Row[]>,
): string[] {
  return (found.get(entity) ?? []).flatMap((row) => own(row, field) ?? []);
}

/** Addresses are the same in whatever case; ids letter by letter. */
function isAmong(values: readonly string[], text: string): boolean {
  if (values.includes(text)) return true;
  return text.includes("@") && values.some((value) => value.toLowerCase() === text.toLowerCase());
}

/** Rows that have one of the values in the column of a link, addresses in whatever case; ids letter by letter, which not every collation asks for. */
async function named(
  { database, table }: { readonly database: Database; readonly table: RowTable },
  { column, entity, parent }: RowLink,
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
  const addresses = parent === undefined ? values.filter((value) => value.includes("@")) : [];
  const ids = values.filter((value) => !addresses.includes(value));
  const all: Row[] = [];
  for (const some of [...chunked(ids, rowsPerStatement), ...chunked(addresses, rowsPerStatement)]) {
    const anyCase = some.some((value) => addresses.includes(value));
    const wanted = new Set(some);
    const rows = await rowsWith(database.sql, table, { column, values: some, anyCase });
    all.push(
      ...rows.filter((row) => {
        const text = own(row, column) ?? "";
        return anyCase ? isAmong(some, text) : wanted.has(text);
      }),
    );
  }
  return all;
}
