import { CliError } from "../errors.ts";
import { isLogged, readBinaryLog, type BinaryLog } from "../sql/binary-log.ts";
import type { Database } from "../sql/database.ts";
import type { Repository } from "./repository.ts";
import type { DatabaseSnapshot, Manifest } from "./snapshot.ts";
import { listSnapshots, readManifest } from "./snapshots.ts";

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

/** The backups of a database, newest first, without those that were found damaged. */
export async function keptBackups(
  repository: Repository,
  role: string,
  { now, signal }: { readonly now: Date; readonly signal: AbortSignal },
): Promise<Kept[]> {
  const kept: Kept[] = [];
  const { snapshots } = await listSnapshots(repository, { now, signal });
  for (const { id, lastCheck } of snapshots) {
    if (lastCheck?.outcome === "failed") continue;
    const manifest = await readManifest(repository, id, signal);
    const snapshot = (manifest.databases ?? []).find((each) => each.role === role);
    if (snapshot !== undefined && manifest.archive === undefined) kept.push({ manifest, snapshot });
  }
  return kept;
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
  const { name, sql } = database;
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
