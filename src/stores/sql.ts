import { CliError } from "../errors.ts";
import { chunked } from "../concurrency.ts";
import { tableRole } from "../model/database.ts";
import { referencesOf } from "../model/graph.ts";
import { own } from "../model/json.ts";
import type { Model } from "../model/schema.ts";
import { retry } from "../retry.ts";
import { readCatalogue, type Catalogue } from "../sql/catalogue.ts";
import type { Row } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import { isDeadlock, isReferredTo, isTaken } from "../sql/explain.ts";
import { followersOf } from "../sql/row-table.ts";
import {
  changeRows,
  deleteRows,
  keyText,
  pagesOfRows,
  referredRows,
  rowsWith,
  rowsWithKeys,
  streamReading,
  type UnchangedRow,
} from "../sql/rows.ts";
import { inTransaction } from "../sql/transaction.ts";
import { hidesKeys } from "../sql/unseen.ts";
import type { Deletion, EntityStore, RowStore, Stored, Unchanged } from "./store.ts";
import { storedOf, tableIn, textsOf, type Table } from "./sql-table.ts";

interface Place {
  readonly model: Model;
  /** Open; by the roles that the model has for them. */
  readonly databases: readonly Database[];
}

export interface SqlStore extends EntityStore {
  /** As `stream`, and other statements may run between its pages: what comes or goes meanwhile may be among them or not. */
  pages(table: string): AsyncGenerator<readonly Stored[]>;
  /** Those of the things of one table at which rows of others point by foreign keys, where the rules of the table ask for that. */
  referred(things: readonly Stored[]): Promise<ReadonlySet<Stored>>;
  /** Where a table is, and what of it is read; as long as the store is there it is taken for what it was at first. */
  tableOf(table: string): Promise<Table>;
  /** @throws CliError for a table of which no row can be deleted alone, as its foreign keys and the rules have it. */
  assertDeletesAlone(tables: Iterable<string>): Promise<void>;
}

/** Rows that are read by one statement. */
const rowsPerStatement = 100;
/** Rows that are deleted by one statement: whoever writes to the table meanwhile waits no longer than for that. */
const rowsPerDeletion = 25;
/** Rows of a page. */
const rowsPerPage = 500;

/** Entities that are rows of databases. Tables are called as `tableRole` does. */
export function sqlStore({ model, databases }: Place): SqlStore {
  const catalogues = new Map<Database, Promise<Catalogue>>();
  const tables = new Map<string, Table>();
  const tableOf = async (role: string): Promise<Table> => {
    const known = tables.get(role);
    if (known !== undefined) return known;
    const database = databases.find((each) => role.startsWith(`${each.role}.`));
    if (database === undefined) throw new RangeError(`no database is open for ${role}`);
    const catalogue = catalogues.get(database) ?? readCatalogue(database.sql, database.place);
    catalogues.set(database, catalogue);
    const made = tableIn(
      { model, database, catalogue: await catalogue },
      role.slice(database.role.length + 1),
    );
    tables.set(role, made);
    return made;
  };
  const getAll: RowStore["getAll"] = async (role, keys) => {
    const table = await tableOf(role);
    const { rows, database } = table;
    const wanted = keys.map((key) =>
      Object.fromEntries(rows.key.map((name) => [name, textOf(own(key, name))])),
    );
    const found = new Map<string, Row>();
    for (const some of chunked(wanted, rowsPerStatement)) {
      const now = await rowsWithKeys(database.sql, rows, { rows: some });
      for (const row of now) found.set(keyText(rows, row), row);
    }
    return wanted.map((key) => {
      const row = found.get(keyText(rows, key));
      return row === undefined ? undefined : storedOf(table, row);
    });
  };

  const placeOf = async (name: string) => {
    const entity = own(model.entities, name);
    const table = await tableOf((entity && tableRole(entity.from)) ?? "");
    if (entity === undefined) throw new RangeError(`the model has no entity ${name}`);
    return { entity, table };
  };

  const inChunks = async (things: readonly Unchanged[], act: Act) => {
    const [first] = things;
    if (first === undefined) return [];
    return inParts(await tableOf(roleOf(model, first.stored)), things, { size: rowsPerDeletion, act });
  };

  return {
    tableOf,
    async *stream(role) {
      const table = await tableOf(role);
      for await (const page of streamReading(table.database.sql, table.rows))
        yield page.flatMap((row) => storedOf(table, row) ?? []);
    },
    async *pages(role) {
      const table = await tableOf(role);
      for await (const page of pagesOfRows(table.database.sql, table.rows, rowsPerPage))
        yield page.flatMap((row) => storedOf(table, row) ?? []);
    },
    async *find(name, { field, values }) {
      const { table } = await placeOf(name);
      const wanted = new Set(values);
      for (const some of chunked([...wanted], rowsPerStatement)) {
        const rows = await rowsWith(table.database.sql, table.rows, { column: field, values: some });
        // What the server's collation takes for the same is another.
        yield rows
          .filter((row) => wanted.has(own(row, field) ?? ""))
          .flatMap((row) => storedOf(table, row) ?? [])
          .filter((each) => each.entity === name);
      }
    },
    getAll,
    get: async (role, key) => (await getAll(role, [key]))[0],
    async add(name, fields) {
      const { table } = await placeOf(name);
      const values = textsOf(table, fields);
      const { sql } = table.database;
      const columns = table.rows.columns.filter((column) => Object.hasOwn(values, column.name));
      try {
        await sql.insert({ ...table.rows, columns }, [values]);
      } catch (error) {
        if (isTaken(error)) return "taken";
        throw error;
      }
      // With what the server has put into the other columns.
      const [row = values] = await rowsWithKeys(sql, table.rows, { rows: [values] });
      const stored = storedOf(table, row);
      if (stored?.entity !== name) throw new RangeError(`what was added is no ${name}`);
      return stored;
    },
    async changeIf(stored, { set = {}, remove = [], unchanged }) {
      const { table } = await placeOf(stored.entity);
      const { rows, database } = table;
      const none = Object.fromEntries(remove.map((name) => [name, null]));
      const values = textsOf(table, { ...none, ...set });
      const inKey = rows.key.find((name) => Object.hasOwn(values, name));
      if (inKey !== undefined) throw new RangeError(`${inKey} is the key of ${stored.entity}`);
      const change = { rows: unchangedRows(table, [{ stored, unchanged }]), values };
      const met = await retry(() => changeRows(database.sql, rows, change), isDeadlock);
      const [row] = await rowsWithKeys(database.sql, rows, { rows: [stored.raw as Row] });
      if (row === undefined) return "gone";
      if (met === 0) return "changed";
      // What a change made of a thing is still that.
      return storedOf(table, row) ?? { ...stored, raw: row };
    },
    async deleteIf(stored, unchanged) {
      const [outcome = "gone"] = await inChunks([{ stored, unchanged }], deleteSome);
      return outcome === "referred" ? "changed" : outcome;
    },
    deleteAllIf: (things) => inChunks(things, deleteSome),
    deletable: (things) => inChunks(things, tryDeleting),
    async referred(things) {
      const [first] = things;
      if (first === undefined) return new Set();
      const { rows, database } = await tableOf(roleOf(model, first));
      const found = new Set<string>();
      for (const some of chunked(things, rowsPerStatement))
        for (const row of await referredRows(
          database.sql,
          rows,
          some.map(({ raw }) => raw as Row),
        ))
          found.add(keyText(rows, row));
      return new Set(things.filter(({ raw }) => found.has(keyText(rows, raw as Row))));
    },
    async assertDeletesAlone(roles) {
      for (const role of roles) {
        const { rows, database, catalogue } = await tableOf(role);
        const looked = { table: rows.name, children: childrenOf(model, role), found: catalogue };
        if (await hidesKeys(database.sql, database.place, looked))
          throw new CliError(
            `foreign keys that point at ${database.name}.${rows.name} are not shown to this account: what goes with a row cannot be told`,
            { hint: `GRANT REFERENCES ON ${database.sql.quoted(database.name)}.* shows them, and no row` },
          );
        const seen = new Set(rows.referrers?.map(({ table }) => table));
        const all = await followersOf(database.sql, database.place, { table: rows.name });
        const followers = all.filter((each) => !seen.has(each.replace(`${database.place}.`, "")));
        if (followers.length === 0) continue;
        throw new CliError(
          `a row of ${database.name}.${rows.name} is not deleted alone: foreign keys of ${followers.join(" and ")} have rows there go or change with it`,
          { hint: "give those a rule of their own, and ON DELETE RESTRICT" },
        );
      }
    },
  };
}

function roleOf(model: Model, { entity }: Pick<Stored, "entity">): string {
  const from = own(model.entities, entity)?.from;
  return (from && tableRole(from)) ?? "";
}

/** The tables of the same database whose rows name those of this one, as the model has it. */
function childrenOf(model: Model, role: string): string[] {
  return Object.entries(model.entities).flatMap(([name, entity]) => {
    const { from } = entity;
    const isIn = "database" in from && role.startsWith(`${from.database}.`);
    const names = referencesOf(name, entity).some(({ to }) => roleOf(model, { entity: to }) === role);
    return isIn && names ? [from.table] : [];
  });
}

async function deleteSome(place: Table, things: readonly Unchanged[]): Promise<readonly Deletion[]> {
  const { rows: table } = place;
  const { sql } = place.database;
  const rows = unchangedRows(place, things);
  try {
    const deletion = () => deleteRows(sql, table, rows);
    const isAlone = table.referrers === undefined;
    const met = await retry(
      () => (isAlone ? deletion() : inTransaction(sql, "COMMIT", deletion)),
      isDeadlock,
    );
    if (met === rows.length) return rows.map(() => "done");
  } catch (error) {
    if (!isReferredTo(error)) throw error;
    return things.length === 1 ? ["referred"] : inParts(place, things, { size: 1, act: deleteSome });
  }
  // Of what is not there nobody can tell who took it.
  return whyLeft(place, rows, "done");
}

/** What is there still was changed, or is referred to. @param gone what is said of what is not. */
async function whyLeft(
  { database: { sql }, rows: table }: Table,
  rows: readonly UnchangedRow[],
  gone: Deletion,
): Promise<readonly Deletion[]> {
  const keys = rows.map(({ row }) => row);
  const namesOf = (found: readonly Row[]) => new Set(found.map((row) => keyText(table, row)));
  const left = namesOf(await rowsWithKeys(sql, table, { rows: keys }));
  const referred = namesOf(await referredRows(sql, table, keys));
  return keys.map((row) => {
    const name = keyText(table, row);
    if (!left.has(name)) return gone;
    return referred.has(name) ? "referred" : "changed";
  });
}

/** Deletes in a transaction that is taken back. Tables of engines without transactions have no foreign keys that could refuse. */
async function tryDeleting(place: Table, things: readonly Unchanged[]): Promise<readonly Deletion[]> {
  const { rows: table, catalogue } = place;
  const { sql } = place.database;
  const isTransactional =
    sql.engine === "postgres" || /^InnoDB\b/i.test(catalogue.get(`table ${table.name}`) ?? "");
  if (!isTransactional) return things.map(() => "done");
  const rows = unchangedRows(place, things);
  try {
    const trial = async () => {
      const met = await deleteRows(sql, table, rows);
      // Keys that are checked at the end of a transaction only.
      if (sql.engine === "postgres") await sql.run("SET CONSTRAINTS ALL IMMEDIATE");
      return met;
    };
    const met = await retry(() => inTransaction(sql, "ROLLBACK", trial), isDeadlock);
    if (met === rows.length) return rows.map(() => "done");
  } catch (error) {
    if (!isReferredTo(error)) throw error;
    if (things.length === 1) return ["referred"];
  }
  if (things.length > 1) return inParts(place, things, { size: 1, act: tryDeleting });
  return whyLeft(place, rows, "gone");
}

type Act = (table: Table, some: readonly Unchanged[]) => Promise<readonly Deletion[]>;

async function inParts(
  table: Table,
  things: readonly Unchanged[],
  { size, act }: { readonly size: number; readonly act: Act },
): Promise<Deletion[]> {
  const outcomes: Deletion[] = [];
  for (const some of chunked(things, size)) outcomes.push(...(await act(table, some)));
  return outcomes;
}

function unchangedRows({ hold }: Table, things: readonly Unchanged[]): UnchangedRow[] {
  return things.map(({ stored: { raw }, unchanged }) => ({
    row: raw as Row,
    unchanged: unchanged.flatMap((name) => (name === "legalHold" ? (hold ?? []) : [name])),
  }));
}

function textOf(value: unknown): string | null {
  return typeof value === "string" || typeof value === "number" ? String(value) : null;
}
