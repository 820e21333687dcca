import { createHash } from "node:crypto";
import type { HeldLock } from "./lock.ts";
import type { LedgerPlace } from "./migration.ts";
import { queryItems } from "../aws/dynamodb/items.ts";
import { plain, typed } from "../aws/dynamodb/plain.ts";
import type { Direction, Statement } from "./sql-statement.ts";
import { beginSteps, readStates, stateSteps, type MigrationState } from "./state.ts";

/*
 * The ledger of the migrations of a database, in the table of migrations: a state for each, as of those of items, and an entry for
 * each statement. Two databases of a site have each their own.
 *
 *   id "lopez_it_welt/0002-organizations"   entry "state"
 *                                           entry "up#0001"   statement (SHA-256), begunAt, before, doneAt, after
 */

/** Of which database. */
export interface Ledger extends LedgerPlace {
  readonly database: string;
}

/** Where it is read alone. */
export type ReadLedger = Pick<Ledger, "aws" | "migrationsTable" | "signal" | "database">;

export interface StatementNote {
  readonly begunAt: string;
  /** Fingerprints of the schema. */
  readonly before: string;
  readonly doneAt?: string;
  readonly after?: string;
}

/** A migration's name in the table, and in the audit trail. */
export function ledgerId({ database }: Pick<Ledger, "database">, id: string): string {
  return `${database}/${id}`;
}

/** States by the ids of migrations, also of such as only a newer version knows. */
export async function sqlStates(
  ledger: ReadLedger,
  ids: readonly string[],
): Promise<ReadonlyMap<string, MigrationState>> {
  const states = await readStates(
    ledger,
    ids.map((id) => ledgerId(ledger, id)),
  );
  const mine = ledgerId(ledger, "");
  return new Map(
    [...states].flatMap(([name, state]) => {
      if (!name.startsWith(mine)) return [];
      const id = name.slice(mine.length);
      return [[id, { ...state, id }] as const];
    }),
  );
}

/** Stores a state, as long as the lock is held. */
export async function noteState(ledger: Ledger, lock: HeldLock, state: MigrationState): Promise<void> {
  const id = ledgerId(ledger, state.id);
  await lock.write([...stateSteps(ledger, { ...state, id }), ...(await beginSteps(ledger, id))]);
}

/** Notes that a statement begins, or that it is done. */
export async function noteStatement(
  ledger: Ledger,
  lock: HeldLock,
  { id, direction, at, statement, ...note }: Statement & StatementNote,
): Promise<void> {
  const item = {
    ...note,
    id: ledgerId(ledger, id),
    entry: entryOf(direction, at),
    statement: createHash("sha256").update(statement).digest("hex"),
  };
  await lock.write([{ kind: "put", table: ledger.migrationsTable, item: typed(item).M ?? {} }]);
}

/** How many statements of a migration are done, one after the other from the first, since it was begun. */
export async function doneStatements(
  ledger: Ledger,
  { id, direction, since }: { readonly id: string; readonly direction: Direction; readonly since: string },
): Promise<number> {
  let done = 0;
  const { aws, migrationsTable: table, signal } = ledger;
  const pages = queryItems(aws, {
    table,
    partition: { attribute: "id", value: { S: ledgerId(ledger, id) } },
    sort: { attribute: "entry", beginsWith: { S: `${direction}#` } },
    consistent: true,
    signal,
  });
  for await (const page of pages) {
    for (const item of page) {
      const { entry, begunAt, doneAt } = plain(item);
      if (entry === entryOf(direction, done) && doneAt !== undefined && String(begunAt) >= since) done += 1;
    }
  }
  return done;
}

function entryOf(direction: Direction, at: number): string {
  return `${direction}#${String(at + 1).padStart(4, "0")}`;
}
