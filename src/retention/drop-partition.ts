import type { AuditTrail } from "../audit/trail.ts";
import { CliError } from "../errors.ts";
import type { AuditAction, AuditEvent } from "../model/audit.ts";
import { twinName } from "../model/database.ts";
import type { Database } from "../sql/database.ts";
import { isForbidden } from "../sql/explain.ts";
import {
  dropEmptyPartition,
  dropTwin,
  isBusy,
  isUnlike,
  partitionsOut,
  putBack,
  takeOut,
} from "../sql/partition-twin.ts";
import { countRows, readTimePartitions } from "../sql/partitions.ts";
import { rowTables } from "../sql/row-table.ts";
import { withServerLock } from "../sql/server-lock.ts";
import type { Table } from "../stores/sql-table.ts";
import { findPartitions, isRowsRole, judgeRows } from "./find-partitions.ts";
import type { PartitionDue } from "./plan-entry.ts";
import type { Acted } from "./purge.ts";
import type { Rechecked } from "./recheck.ts";
import { heldPeople, type RetentionSite } from "./site.ts";

/** The rows of a partition, in the table that they stand in while they are out of their own. */
export interface RowsOut {
  readonly database: Database;
  readonly table: string;
  readonly partition: string;
  readonly twin: string;
}

/** Keeps all of these rows, and reads them again. @throws CliError unless all of them are there. */
export type Archive = (out: RowsOut) => Promise<Archived>;

export interface Archived {
  readonly backupId: string;
  readonly rows: number;
}

/** Each partition is looked at anew, with all of its rows: it goes while all of them are due, and no more than were planned. */
export async function recheckPartitions(
  site: RetentionSite,
  entries: readonly PartitionDue[],
): Promise<Rechecked<PartitionDue>> {
  const rechecked = {
    ready: [] as { readonly due: PartitionDue }[],
    skipped: [] as { readonly due: PartitionDue; readonly why: string }[],
    gone: [] as PartitionDue[],
  };
  for (const due of entries) {
    const { due: found } = await findPartitions(site, due.role, due.partition);
    const now = found.find(({ partition }) => partition === due.partition);
    if (now === undefined && !(await isStillThere(site, due))) rechecked.gone.push(due);
    else if (now?.action !== due.action || now.rule !== due.rule || now.table !== due.table)
      rechecked.skipped.push({ due, why: now?.reason ?? "nothing is due any more" });
    else if (now.rows > due.rows)
      rechecked.skipped.push({
        due,
        why: `it has ${(now.rows - due.rows).toLocaleString("en")} rows more than planned`,
      });
    else rechecked.ready.push({ due: { ...due, rows: now.rows } });
  }
  return rechecked;
}

async function isStillThere(site: RetentionSite, { role, partition }: PartitionDue): Promise<boolean> {
  if (!isRowsRole(site, role)) return true;
  const { database, rows } = await site.store.tableOf(role);
  const found = await readTimePartitions(database.sql, database.place, rows.name);
  return (
    found?.partitions.some(({ name }) => name === partition) === true ||
    (await partitionsOut(database.sql, database.place)).get(rows.name) === partition
  );
}

interface Dropping {
  readonly audit: AuditTrail;
  readonly archive: Archive | undefined;
}

/**
 * Takes the rows of a partition out of their table, looks at each again where nobody can change it any more, has them archived, and drops them
 * and the partition. A row that stays by then brings all of them back. Ended anywhere, the next run goes on: the rows are in the table or
 * in its twin, and go from there only behind an archive.
 */
export async function dropPartition(
  site: RetentionSite,
  due: PartitionDue,
  { audit, archive }: Dropping,
): Promise<Acted> {
  return carriedOut(site, due, (table) =>
    audit.irreversible(
      [eventOf(due, "partition.dropped")],
      () => drop(site, due, { table, archive }),
      ({ acted, archived }) => [outcomeOf(due, acted, archived)],
    ),
  ).then((outcome) => ("acted" in outcome ? outcome.acted : outcome));
}

/** Puts rows that a killed run has taken out back into their table. */
export async function putBackPartition(
  site: RetentionSite,
  due: PartitionDue,
  audit: AuditTrail,
): Promise<Acted> {
  return carriedOut(site, due, (table) =>
    audit.change(eventOf(due, "partition.put-back"), async () => {
      await backInto(site, table, twinOf(table));
      return { done: [due], failures: [] };
    }),
  );
}

/** One run at a time changes the tables of a database. That somebody had the table for too long, the user may not do it, or the server does not exchange it, is told of the partition, and the others go on. */
async function carriedOut<T>(
  site: RetentionSite,
  due: PartitionDue,
  act: (table: Table) => Promise<T>,
): Promise<T | Acted> {
  const table = await site.store.tableOf(due.role);
  const { sql, place } = table.database;
  const lock = { place, signal: site.signal, onWait: () => undefined };
  try {
    return await withServerLock(sql, lock, () => act(table));
  } catch (error) {
    const isTold = isBusy(error) || isForbidden(error) || isUnlike(error);
    if (!(error instanceof CliError) || !isTold) throw error;
    const remedy = isUnlike(error)
      ? ": ALTER TABLE … FORCE makes the table anew, then its partitions go"
      : "";
    return { done: [], failures: [{ due, why: `${error.message}${remedy}` }] };
  }
}

async function drop(
  site: RetentionSite,
  due: PartitionDue,
  { table, archive }: { readonly table: Table; readonly archive: Archive | undefined },
): Promise<{ readonly acted: Acted; readonly archived?: Archived }> {
  const { database, rows } = table;
  const { sql, place } = database;
  const { signal } = site;
  const { partition } = due;
  const twin = twinOf(table);
  const out = { table: rows.name, partition, twin, signal };
  const partitionsNow = async () => {
    const { partitions = [] } = (await readTimePartitions(sql, place, rows.name)) ?? {};
    return { isThere: partitions.some(({ name }) => name === partition), count: partitions.length };
  };
  const standing = (await partitionsOut(sql, place)).get(rows.name);
  const isStanding = standing !== undefined;
  const hasRows = isStanding && (await countRows(sql, sql.quoted(twin))) > 0;
  if (hasRows && standing !== partition)
    return {
      acted: { done: [], failures: [{ due, why: `rows of ${standing} are out of the table, and go first` }] },
    };
  const isTaking = due.rows > 0 && !hasRows && (await partitionsNow()).isThere;
  if (isTaking) await takeOut(sql, out, isStanding);
  let archived: Archived | undefined;
  if (isTaking || isStanding) {
    const count = await countRows(sql, sql.quoted(twin));
    const whyBack = async (holding: RetentionSite["holding"]) => {
      const { staying, why } = await judgeRows({ ...site, holding }, table, sql.quoted(twin));
      return staying === 0 ? undefined : why;
    };
    const holding = await heldPeople(site);
    let why = await whyBack(holding);
    if (why === undefined && count > 0 && archive !== undefined) {
      archived = await archive({ database, table: rows.name, partition, twin });
      if (archived.rows !== count)
        throw new CliError(
          `${archived.rows} of ${count} rows of ${twin} are in the archive; none was deleted`,
        );
      // An archive takes its time, and who is held may have come to be so meanwhile.
      const now = await heldPeople(site);
      if (now.standing !== holding.standing) why = await whyBack(now);
    }
    if (why !== undefined) {
      await backInto(site, table, twin);
      return { acted: { done: [], failures: [{ due, why: `its rows are back in the table: ${why}` }] } };
    }
    await dropTwin(sql, out);
  }
  const now = await partitionsNow();
  if (now.count > 1 && now.isThere) await dropEmptyPartition(sql, out);
  return { acted: { done: [due], failures: [] }, ...(archived === undefined ? {} : { archived }) };
}

function twinOf({ rows }: Table): string {
  const name = twinName(rows.name);
  if (name === undefined) throw new RangeError(`${rows.name} is too long a name`);
  return name;
}

async function backInto({ signal }: RetentionSite, table: Table, twin: string): Promise<void> {
  const { catalogue, database, rows } = table;
  const whole = rowTables(catalogue, database.engine).find(({ name }) => name === rows.name);
  if (whole !== undefined) await putBack(database.sql, whole, { twin, signal });
}

function eventOf(due: PartitionDue, action: AuditAction): AuditEvent {
  const { rule, table, partition, rows, bytes } = due;
  return { action, details: { rule, table, name: partition, items: rows, bytes } };
}

function outcomeOf(due: PartitionDue, { failures: [failure] }: Acted, archived?: Archived): AuditEvent {
  const { details, ...event } = eventOf(due, "partition.dropped");
  const said =
    failure === undefined
      ? archived && { backupId: archived.backupId }
      : { phase: "failed", error: "its rows are back in the table" };
  return { ...event, details: { ...details, ...said } };
}
