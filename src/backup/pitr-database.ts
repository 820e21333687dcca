import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Tell } from "../amount.ts";
import type { AuditTrail } from "../audit/trail.ts";
import { makeFolders } from "../make-folders.ts";
import { CliError } from "../errors.ts";
import { programOutput, programThere } from "../program-output.ts";
import { compareDatabase, writeDatabase } from "../setup/database.ts";
import type { DatabaseWrite } from "../setup/step.ts";
import type { ServerAddress } from "../sql/address.ts";
import { changesSomething, logStatements, replayed } from "../sql/binary-log.ts";
import { readCatalogue } from "../sql/catalogue.ts";
import type { Row } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import { rowTables, type RowTable } from "../sql/row-table.ts";
import { deleteRows, pagesOfRows, replaceRows, sameRow } from "../sql/rows.ts";
import { planRows } from "./database-restore.ts";
import { writeRows } from "./database-write.ts";
import { rowJudge } from "./erased-rows.ts";
import { erasedUsers, type IsErased } from "./erasures.ts";
import type { Before } from "./pitr-reach.ts";
import { readLedger } from "./restore-audit.ts";
import type { RestoreSite } from "./restore-site.ts";

/** Where a database as one was at a moment is made; nothing of it is there yet. */
export interface PastSite extends Pick<
  RestoreSite,
  "aws" | "repository" | "model" | "declaration" | "spool" | "signal" | "now"
> {
  /** Of a name that nothing has: it is made, filled, and dropped again. */
  readonly scratch: Database;
  /** What is to be made. */
  readonly into: Database;
  /** Of the server, as whom the log is read. */
  readonly address: ServerAddress;
  /** Holds the ledger of erasures. */
  readonly trailTable: string;
  /** Where programs are found. */
  readonly path: string | undefined;
}

/** The database that will be made. */
export interface PastDatabase {
  readonly site: PastSite;
  readonly before: Before;
  /** To the second; what was committed in it is not there any more. */
  readonly at: Date;
  /** Reads the log. */
  readonly program: string;
  readonly isErased: IsErased;
  readonly isLedgerEmpty: boolean;
}

export interface RestoredPast {
  readonly database: string;
  readonly backup: string;
  readonly at: Date;
  /** Of the backup. */
  readonly rows: number;
  /** Statements of the log that were done again. */
  readonly replayed: number;
  /** Of people who were erased since. */
  readonly erased: LeftOfErased;
}

/** What became of rows of people who were erased. */
interface LeftOfErased {
  /** Rows that did not come back. */
  readonly rows: number;
  /** Accounts that came back with their id alone. */
  readonly accounts: number;
  /** Rows that came back without their names. */
  readonly names: number;
}

const programs = ["mysqlbinlog", "mariadb-binlog"];

/**
 * Finds out what is needed; changes nothing.
 * @throws CliError where there is no program that reads the log, or where something is in a database of that name already. One that is
 * empty was left by a run that was killed.
 */
export async function planPast(site: PastSite, before: Before, at: Date): Promise<PastDatabase> {
  const { into, path, signal, trailTable } = site;
  if (into.isThere && (await readCatalogue(into.sql, into.place)).size > 0) {
    throw new CliError(`there is a database ${into.name} already`, { hint: "give the name of a new one" });
  }
  const hint = "apt-get install mariadb-server, or mysql-server: the program comes with it";
  const program = await programThere(programs, { PATH: path }, { signal, hint });
  const ledger = await readLedger({ ...site, manifest: before.manifest }, [trailTable]);
  return { site, before, at, program, isErased: erasedUsers(ledger), isLedgerEmpty: ledger.length === 0 };
}

interface Restoring {
  readonly audit: AuditTrail;
  readonly onProgress: Tell;
}

/**
 * Makes a database as one was at a moment: the backup before it, then what the log says was done until then. All that is done in a scratch
 * database, which becomes the new one in the end, without what people had there who have been erased since. The original is only read.
 */
export async function restorePast(
  past: PastDatabase,
  { audit, onProgress }: Restoring,
): Promise<RestoredPast> {
  const { before, at, site } = past;
  const { role, name } = before.snapshot;
  const details = {
    backupId: before.manifest.id,
    role,
    from: name,
    name: site.into.name,
    to: at.toISOString(),
  };
  return audit.irreversible(
    { action: "backup.restored", details },
    () => throughScratch(past, onProgress),
    ({ rows, replayed: done }) => ({ items: rows, done }),
  );
}

async function throughScratch(past: PastDatabase, onProgress: Tell): Promise<RestoredPast> {
  const { before, at, site, isErased } = past;
  const { scratch, into } = site;
  const { manifest, snapshot } = before;
  try {
    const restoring: RestoreSite = {
      ...site,
      databases: [scratch],
      manifest,
      prefix: "",
      onConflict: "fail",
      scope: { only: [] },
      // Whoever was erased since then is in rows that the log changes.
      isErased: () => false,
      onProgress,
    };
    const plan = await planRows(restoring, snapshot, { isLedgerEmpty: true, onSuppressed: () => undefined });
    const writes = plan.writes.filter(makesTable);
    const { rows, failed } = await writeRows(restoring, { ...plan, writes }, (count) =>
      onProgress(`restoring ${manifest.id}`, { done: count, total: snapshot.rows, of: "rows" }),
    );
    const [first] = failed;
    if (first !== undefined) throw new CliError(`${first.what} of the backup: ${first.why}`);
    const count = await replay(past, onProgress);
    const erased = past.isLedgerEmpty
      ? { rows: 0, accounts: 0, names: 0 }
      : await leaveErased({ ...site, isErased }, scratch);
    await becomes(scratch, into);
    return { database: into.name, backup: manifest.id, at, rows, replayed: count, erased };
  } finally {
    await scratch.drop();
  }
}

function makesTable(write: DatabaseWrite): boolean {
  return (
    write.do !== "run-statement" ||
    !/^CREATE\s+(OR\s+REPLACE\s+)?(VIEW|FUNCTION|TRIGGER)\b/i.test(write.statement)
  );
}

/** Has the log told from the position of the backup on, and does again what it says of this database. */
async function replay({ before, at, site, program }: PastDatabase, onProgress: Tell): Promise<number> {
  const { snapshot, manifest, log } = before;
  const { scratch, address, path, signal, spool } = site;
  const from = snapshot.log;
  if (from === undefined) throw new RangeError(`backup ${manifest.id} has no position`);
  const files = log.files.slice(log.files.findIndex(({ name }) => name === from.file));
  await makeFolders(spool, 0o700);
  const folder = await mkdtemp(join(spool, "log-"));
  try {
    const file = join(folder, "client.cnf");
    await writeFile(file, optionsFile(address), { mode: 0o600, flag: "wx" });
    const args = [
      `--defaults-file=${file}`,
      "--read-from-remote-server",
      `--start-position=${from.position}`,
      // What is done again is logged too, by the name of the scratch database: it is not to be read.
      `--stop-position=${files.at(-1)?.bytes ?? 0}`,
      `--stop-datetime=${at.toISOString().slice(0, 19).replace("T", " ")}`,
      `--rewrite-db=${snapshot.name}->${scratch.name}`,
      ...files.map(({ name }) => name),
    ];
    const output = programOutput(program, { args, env: { PATH: path, TZ: "UTC" }, signal });
    const toRun = replayed({ original: snapshot.name, scratch: scratch.name });
    let count = 0;
    for await (const statement of logStatements(forgetting(file, output), new Date(snapshot.from))) {
      const run = toRun(statement);
      if (run === undefined) continue;
      await scratch.sql.runLong(run);
      if (changesSomething(run)) count += 1;
      onProgress(`doing again what was done, ${count} statements`);
    }
    // Where the moment was in the middle of a transaction.
    await scratch.sql.run("ROLLBACK");
    await scratch.sql.run("SET TIMESTAMP = DEFAULT");
    return count;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Who prints has read the file before; a run that is killed later leaves no password behind. */
async function* forgetting(file: string, output: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let isThere = true;
  for await (const bytes of output) {
    if (isThere) await rm(file);
    isThere = false;
    yield bytes;
  }
}

/** For the client, so that no password is on a command line: "Using Option Files" of MySQL's manual has the signs that are escaped. */
function optionsFile({ host, isSocket, port, user, password, tls, authorities }: ServerAddress): string {
  const quoted = (value: string) => `"${value.replaceAll(/[\\"']/g, (sign) => `\\${sign}`)}"`;
  return [
    "[client]",
    `user=${quoted(user)}`,
    ...(password === undefined ? [] : [`password=${quoted(password)}`]),
    ...(isSocket ? [`socket=${quoted(host)}`] : [`host=${quoted(host)}`, `port=${port}`, "protocol=TCP"]),
    ...(tls === "off" ? [] : ["loose-ssl-verify-server-cert", "loose-ssl-mode=VERIFY_IDENTITY"]),
    ...(authorities === undefined ? [] : [`ssl-ca=${quoted(authorities)}`]),
    "",
  ].join("\n");
}

const rowsAtOnce = 100;

/** Takes out what an erasure has taken, and replaces the names that it replaced. */
async function leaveErased(
  { model, isErased, signal }: Pick<RestoreSite, "model" | "isErased" | "signal">,
  database: Database,
): Promise<LeftOfErased> {
  const { sql, place, engine } = database;
  const catalogue = await readCatalogue(sql, place);
  const tables = rowTables(catalogue, engine);
  const rowsOf = (table: RowTable) =>
    table.key.length === 0
      ? sql.stream(`SELECT * FROM ${sql.quoted(table.name)}`)
      : pagesOfRows(sql, table, rowsAtOnce);
  const read = (name: string) => {
    const table = tables.find((each) => each.name === name);
    return table === undefined ? undefined : rowsOf(table);
  };
  const judge = await rowJudge({
    model,
    database,
    catalogue,
    isErased,
    onSuppressed: () => undefined,
    read,
    tables,
  });
  const left = { rows: 0, accounts: 0, names: 0 };
  // Children before their parents.
  for (const table of tables.toReversed()) {
    for await (const rows of rowsOf(table)) {
      signal.throwIfAborted();
      const judged = rows.map((row) => ({ over: row, ...judge(table, row) }));
      const gone = judged.flatMap(({ is, over }): Row[] => (is === "suppressed" ? [over] : []));
      const changed = judged.filter(({ is, row, over }) => is !== "suppressed" && !sameRow(table, row, over));
      if (table.key.length === 0 && gone.length + changed.length > 0)
        throw new CliError(`rows of erased people in ${table.name}, which has no key, cannot be told apart`);
      await deleteRows(
        sql,
        table,
        gone.map((row) => ({ row, unchanged: [] })),
      );
      await replaceRows(sql, table, changed);
      const accounts = changed.filter(({ is }) => is === "emptied").length;
      left.rows += gone.length;
      left.accounts += accounts;
      left.names += changed.length - accounts;
    }
  }
  return left;
}

/** Gives all tables to a new database, by one statement, and makes there what else the model's file has. */
async function becomes({ sql, place, engine }: Database, into: Database): Promise<void> {
  const tables = rowTables(await readCatalogue(sql, place), engine);
  if (!into.isThere) await into.make();
  const moves = tables.map(
    ({ name }) => `${sql.quoted(place)}.${sql.quoted(name)} TO ${sql.quoted(into.name)}.${sql.quoted(name)}`,
  );
  if (moves.length > 0) await sql.run(`RENAME TABLE ${moves.join(", ")}`);
  const { steps } = await compareDatabase(into);
  for (const { write } of steps)
    if (write?.do === "run-statement" && !makesTable(write)) await writeDatabase(into, write);
}
