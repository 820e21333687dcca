import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "../make-folders.ts";
import { CliError } from "../errors.ts";
import type { Model } from "../model/schema.ts";
import { programOutput, programThere } from "../program-output.ts";
import { compareDatabase, writeDatabase } from "../setup/database.ts";
import type { DatabaseWrite } from "../setup/step.ts";
import type { ServerAddress } from "../sql/address.ts";
import {
  isLogged,
  changesSomething,
  logStatements,
  readBinaryLog,
  replayed,
  type BinaryLog,
} from "../sql/binary-log.ts";
import { readCatalogue } from "../sql/catalogue.ts";
import type { Row } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import { deleteRows, pagesOfRows, replaceRow, rowTables, sameRow, type RowTable } from "../sql/rows.ts";
import { planRows } from "./database-restore.ts";
import { writeRows } from "./database-write.ts";
import { rowJudge } from "./erased-rows.ts";
import type { RestoreSite } from "./restore-site.ts";
import type { DatabaseSnapshot, Manifest } from "./snapshot.ts";

/** How far back a database can be had as it was at a moment; `state` in words a script can tell apart. */
export interface DatabaseRecovery {
  readonly role: string;
  readonly database: string;
  readonly state: "on" | "off" | "not in row format" | "left out" | "no backup" | "not offered";
  /** Of the log. */
  readonly days: number | undefined;
  /** That of the oldest backup from whose position on the log is there. */
  readonly earliest: Date | undefined;
  readonly latest: Date | undefined;
  /** Undefined where there is none. */
  readonly log: BinaryLog | undefined;
  /** The backup at `earliest`. */
  readonly backup: string | undefined;
}

/** What a backup tells of one database. */
export interface Kept {
  readonly manifest: Manifest;
  readonly snapshot: DatabaseSnapshot;
}

/** @param kept backups of the database, newest first. */
export async function databaseRecovery(
  { role, name: database, engine, sql }: Database,
  kept: readonly Kept[],
  now: Date,
): Promise<DatabaseRecovery> {
  const none = { days: undefined, earliest: undefined, latest: undefined, log: undefined, backup: undefined };
  if (engine !== "mysql") return { role, database, state: "not offered", ...none };
  const log = await readBinaryLog(sql);
  const known = { role, database, ...none, log, days: log.keptDays };
  if (!log.isOn) return { ...known, state: "off" };
  if (log.format !== "ROW") return { ...known, state: "not in row format" };
  if (!isLogged(log, database)) return { ...known, state: "left out" };
  const oldest = kept.findLast((each) => isReached(log, each.snapshot));
  if (oldest === undefined) return { ...known, state: "no backup" };
  const earliest = new Date(oldest.snapshot.to);
  return { ...known, state: "on", earliest, latest: now, backup: oldest.manifest.id };
}

/** Whether the log is there from where it stood at a backup. */
function isReached({ files }: BinaryLog, { log }: DatabaseSnapshot): boolean {
  return log !== undefined && files.some(({ name, bytes }) => name === log.file && bytes >= log.position);
}

/**
 * The newest backup before a moment from which the log leads to it.
 * @throws CliError where there is none, with what is there.
 */
export async function backupBefore(database: Database, kept: readonly Kept[], at: Date): Promise<Before> {
  const { name, engine, sql } = database;
  if (engine !== "mysql") {
    throw new CliError(`of a PostgreSQL database no moment can be had again, but the backups: ${name}`, {
      hint: "`mawps backup restore --only databases --into-prefix before-` restores one beside",
    });
  }
  const log = await readBinaryLog(sql);
  if (!log.isOn || log.format !== "ROW") {
    throw new CliError(
      `the server keeps no binary log of rows: ${log.isOn ? log.format : "log_bin is off"}`,
      {
        hint: "`mawps doctor` says what to set; `mawps backup restore` brings back a backup",
      },
    );
  }
  if (!isLogged(log, name)) {
    throw new CliError(`the binary log leaves out what is done in ${name}`, {
      hint: "binlog_do_db and binlog_ignore_db of the server say so; `mawps backup restore` brings back a backup",
    });
  }
  const found = kept.find(({ snapshot }) => new Date(snapshot.to) <= at && isReached(log, snapshot));
  if (found !== undefined) return { ...found, log };
  const oldest = kept.findLast(({ snapshot }) => isReached(log, snapshot));
  throw new CliError(
    `no backup of ${name} from before ${at.toISOString()} has a position that is still in the binary log`,
    { hint: oldest === undefined ? "mawps backup create" : `it reaches back to ${oldest.snapshot.to}` },
  );
}

/** A backup, and the log as it was before anything was done. */
export interface Before extends Kept {
  readonly log: BinaryLog;
}

export interface PastDatabase {
  readonly before: Before;
  /** To the second; what was committed in it is not there any more. */
  readonly at: Date;
  /** Of a name that nothing has: it is made, filled, and dropped again. */
  readonly scratch: Database;
  /** What is to be made. */
  readonly into: Database;
  /** Of the server, as whom the log is read. */
  readonly address: ServerAddress;
  readonly site: Omit<RestoreSite, "databases">;
  readonly isLedgerEmpty: boolean;
  /** Where programs are found, and `TZ` as they need it. */
  readonly path: string | undefined;
}

export interface RestoredPast {
  readonly database: string;
  readonly backup: string;
  readonly at: Date;
  /** Of the backup. */
  readonly rows: number;
  /** Statements of the log that were done again. */
  readonly replayed: number;
  /** Rows of people who were erased since, which do not come back. */
  readonly suppressed: number;
}

const programs = ["mysqlbinlog", "mariadb-binlog"];

/** @throws CliError where there is no program that reads the log, or where something has the name already. */
export async function assertPossible({ into, site, path }: PastDatabase): Promise<string> {
  if (into.isThere) {
    throw new CliError(`there is a database ${into.name} already`, { hint: "give the name of a new one" });
  }
  const hint = "apt-get install mariadb-server, or mysql-server: the program comes with it";
  return programThere(programs, { PATH: path }, { signal: site.signal, hint });
}

/**
 * Makes a database as one was at a moment: the backup before it, then what the log says was done until then. All that is done in a scratch
 * database, which becomes the new one in the end, without what people had there who have been erased since. The original is only read.
 */
export async function restorePast(past: PastDatabase): Promise<RestoredPast> {
  const { before, at, scratch, into, site } = past;
  const program = await assertPossible(past);
  try {
    const inScratch = { ...site, databases: [scratch] };
    // Whoever was erased since then is in rows that the log changes.
    const all = { ...inScratch, isErased: () => false };
    const plan = await planRows(all, before.snapshot, { isLedgerEmpty: true, onSuppressed: () => undefined });
    const writes = plan.writes.filter(makesTable);
    const { rows, failed } = await writeRows(all, { ...plan, writes }, (count) =>
      site.onProgress(`restoring ${before.manifest.id}`, {
        done: count,
        total: before.snapshot.rows,
        of: "rows",
      }),
    );
    const [first] = failed;
    if (first !== undefined) throw new CliError(`${first.what} of the backup: ${first.why}`);
    const count = await replay(past, program);
    const suppressed = past.isLedgerEmpty ? 0 : await leaveErased(inScratch, scratch);
    await becomes(scratch, into);
    return { database: into.name, backup: before.manifest.id, at, rows, replayed: count, suppressed };
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
async function replay(
  { before, at, scratch, site, address, path }: PastDatabase,
  program: string,
): Promise<number> {
  const { snapshot, manifest, log } = before;
  const { signal, spool } = site;
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
      site.onProgress(`doing again what was done, ${count} statements`);
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

/** Takes out what an erasure has taken, and replaces the names that it replaced; answers of how many rows. */
async function leaveErased(
  {
    model,
    isErased,
    signal,
  }: { readonly model: Model; readonly isErased: RestoreSite["isErased"]; readonly signal: AbortSignal },
  database: Database,
): Promise<number> {
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
  let suppressed = 0;
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
      for (const { row, over } of changed) await replaceRow(sql, table, { row, over });
      suppressed += gone.length + changed.length;
    }
  }
  return suppressed;
}

/** Gives all tables to a new database, by one statement, and makes there what else the model's file has. */
async function becomes({ sql, place, engine }: Database, into: Database): Promise<void> {
  const tables = rowTables(await readCatalogue(sql, place), engine);
  await into.make();
  const moves = tables.map(
    ({ name }) => `${sql.quoted(place)}.${sql.quoted(name)} TO ${sql.quoted(into.name)}.${sql.quoted(name)}`,
  );
  if (moves.length > 0) await sql.run(`RENAME TABLE ${moves.join(", ")}`);
  const { steps } = await compareDatabase(into);
  for (const { write } of steps)
    if (write?.do === "run-statement" && !makesTable(write)) await writeDatabase(into, write);
}
