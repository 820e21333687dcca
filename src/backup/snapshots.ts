import { CliError } from "../errors.ts";
import { isRecord, timeOf } from "../model/json.ts";
import { DamagedError } from "./damage.ts";
import { manifestBytes, parseManifest } from "./manifest.ts";
import type { Repository } from "./repository.ts";
import type { Manifest } from "./snapshot.ts";

/** A backup in a repository, and what is known of it. */
export interface SnapshotEntry {
  readonly id: string;
  readonly startedAt: Date;
  /** It came to the repository long after it says that it was begun: copied from another one, or made up. */
  readonly isLate: boolean;
  /** It holds what retention has taken out of the site. The mark lies open: who must be sure reads the manifest. */
  readonly isArchive: boolean;
  /** When all of it was last found whole, and when it was last restored on trial, both with success. */
  readonly verifiedAt?: Date;
  readonly drilledAt?: Date;
  /** The outcome of the last look at it, of either kind. */
  readonly lastCheck?: Check;
}

/** The outcome of `backup verify` or `backup drill`. */
export interface Check {
  readonly snapshot: string;
  readonly kind: "verify" | "drill";
  /** ISO 8601. */
  readonly at: string;
  readonly outcome: "ok" | "failed";
  /** Share of the objects that was read, from 0 to 1; only the whole counts as verified. */
  readonly share: number;
  readonly faults: number;
}

/** Beside the manifest of an archive. */
const archiveMark = "archive";

const idPattern = /^\d{8}T\d{6}Z-[\da-f]{6}$/;

/** `20261121T031500Z-1f2e3d`: sorts by time, to the millisecond, which is the first three hex digits; the others are random. */
export function snapshotId(now: Date, random: string): string {
  const milliseconds = now.getUTCMilliseconds().toString(16).padStart(3, "0");
  return `${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z-${milliseconds}${random.slice(-3)}`;
}

function startOf(id: string): Date {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(id) ?? [];
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** When and how a repository is looked at. */
export interface Look {
  readonly now: Date;
  readonly signal?: AbortSignal;
}

export interface Snapshots {
  /** Newest first. */
  readonly snapshots: readonly SnapshotEntry[];
  /**
   * Ids of the future. Whoever may add to a repository could put any number of such before the real ones, so they are told
   * and count for nothing, and neither does a check of the future.
   */
  readonly ahead: readonly string[];
}

/** Within a day a backup comes to its end, or is given up; few need longer. */
const lateMs = 24 * 60 * 60_000;

/** Clocks of machines that S3 talks to differ by no more than this. */
const clocksDifferMs = 15 * 60_000;

/** All backups. Only those count whose manifest is there: it is the last that is written. */
export async function listSnapshots(
  repository: Pick<Repository, "store">,
  { now, signal }: Look,
): Promise<Snapshots> {
  const latest = now.getTime() + clocksDifferMs;
  const checks = (await readChecks(repository, signal)).filter(({ at }) => Date.parse(at) <= latest);
  const found: SnapshotEntry[] = [];
  const ahead: string[] = [];
  let previous: string | undefined;
  const archives = new Set<string>();
  for await (const { name, modifiedAt } of repository.store.list("snapshots/", signal)) {
    const [, id = "", file] = name.split("/");
    // It comes in the order of names: before the manifest.
    if (file === archiveMark) archives.add(id);
    if (!idPattern.test(id) || !/^manifest\.json(\.age)?$/.test(file ?? "")) continue;
    // Whoever may add to a repository can put the manifest of the other kind beside the real one: it is one backup.
    if (id === previous) continue;
    previous = id;
    if (startOf(id).getTime() > latest) {
      ahead.push(id);
      continue;
    }
    const of = checks.filter(
      ({ snapshot, at }) => snapshot === id && Date.parse(at) >= startOf(id).getTime(),
    );
    const good = (kind: Check["kind"]) =>
      of.findLast((check) => check.kind === kind && check.outcome === "ok" && check.share === 1);
    const verified = good("verify");
    const drilled = good("drill");
    const last = of.at(-1);
    found.push({
      id,
      startedAt: startOf(id),
      isArchive: archives.has(id),
      isLate: modifiedAt.getTime() - startOf(id).getTime() > lateMs,
      verifiedAt: verified && new Date(verified.at),
      drilledAt: drilled && new Date(drilled.at),
      lastCheck: last,
    });
  }
  return { snapshots: found.reverse(), ahead };
}

/**
 * The one backup that is meant: `latest`, a whole id or the beginning of one, or the newest of a day of local time, as
 * `yesterday`, `today` or `2026-11-28`. An archive is meant by its id alone.
 * @throws CliError when there is none, or more than one.
 */
export async function findSnapshot(
  repository: Repository,
  wanted: string,
  look: Look,
): Promise<SnapshotEntry> {
  const { snapshots: all, ahead } = await listSnapshots(repository, look);
  const [newest] = all;
  if (wanted !== "" && newest === undefined && ahead.length > 0) throw isAhead(ahead);
  if (newest === undefined) throw noBackup(repository);
  const day = dayMeant(wanted, look.now);
  if (wanted === "latest" || day !== undefined) {
    const meant = day === undefined ? all : all.filter(({ startedAt }) => localDay(startedAt) === day);
    for (const entry of meant) if (!(await isArchive(repository, entry, look.signal))) return entry;
    throw day === undefined ? noBackup(repository) : noneOf(day, all, repository);
  }
  const found = all.filter(({ id }) => id.startsWith(wanted));
  const [only] = found;
  if (only !== undefined && found.length === 1 && wanted !== "") return only;
  const notCounted = ahead.filter((id) => id.startsWith(wanted));
  if (found.length === 0 && notCounted.length > 0) throw isAhead(notCounted);
  const { where } = repository.store;
  const how =
    found.length === 0 ? `no backup in ${where} begins` : `${found.length} backups in ${where} begin`;
  throw new CliError(`${how} with ${JSON.stringify(wanted)}`, {
    hint: "`mawps backup list` shows all; `latest` is the newest",
  });
}

function isAhead(ids: readonly string[]): CliError {
  return new CliError(`${ids.join(", ")}: dated in the future, and not taken for a backup`, {
    hint: "look at this machine's clock; if it is right, somebody else made them",
  });
}

/** `2026-11-28`; undefined for what names no day. */
function dayMeant(wanted: string, now: Date): string | undefined {
  if (wanted === "today") return localDay(now);
  if (wanted === "yesterday") return localDay(new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1));
  return /^\d{4}-\d{2}-\d{2}$/.test(wanted) ? wanted : undefined;
}

function localDay(at: Date): string {
  const two = (number: number) => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

function noBackup({ store }: Repository): CliError {
  return new CliError(`there is no backup in ${store.where}`, { hint: "mawps backup create" });
}

/** By the manifest, as far as that can be read: the mark beside it may be anybody's. */
async function isArchive(
  repository: Repository,
  { id, isArchive: isMarked }: SnapshotEntry,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (!repository.canRead) return isMarked;
  try {
    return (await readManifest(repository, id, signal)).archive !== undefined;
  } catch (error) {
    // Whoever comes to read it hears of that.
    if (error instanceof DamagedError) return false;
    throw error;
  }
}

function noneOf(day: string, all: readonly SnapshotEntry[], { store }: Repository): CliError {
  const days = [...new Set(all.map(({ startedAt }) => localDay(startedAt)))];
  return new CliError(`no backup in ${store.where} is of ${day}`, {
    hint: `there are some of ${days.slice(0, 5).join(", ")}; \`mawps backup list\` shows all`,
  });
}

/** @throws DamagedError when it is not what was written. */
export async function readManifest(
  repository: Repository,
  id: string,
  signal?: AbortSignal,
): Promise<Manifest> {
  const bytes = await repository.readSealed(manifestName(id), signal);
  if (bytes === undefined) throw new DamagedError(`the manifest of ${id} is missing`);
  return parseManifest(bytes, id);
}

/** The last write of a backup: from here on it is one. `recovery` tells how to get the data out without this tool. */
export async function commitSnapshot(
  repository: Repository,
  { manifest, recovery }: { readonly manifest: Manifest; readonly recovery: Recovery },
  signal?: AbortSignal,
): Promise<void> {
  const { id } = manifest;
  const { store } = repository;
  const taken = () => new CliError(`there is a backup ${id} already in ${store.where}`);
  if (await isCommitted(repository, id, signal)) throw taken();
  // Of a command that died right here: it may name other parts.
  const name = `snapshots/${id}/RECOVERY.md`;
  const left: string[] = [];
  for await (const file of store.list(name, signal)) left.push(file.name);
  if (left.length > 0) await store.remove(left, signal);
  await store.create(name, Buffer.from(recovery.open), signal);
  if (manifest.archive !== undefined)
    await store.create(`snapshots/${id}/${archiveMark}`, Buffer.from(""), signal);
  if (recovery.sealed !== undefined)
    await repository.createSealed(name, Buffer.from(recovery.sealed), signal);
  const put = await repository.createSealed(manifestName(id), manifestBytes(manifest), signal);
  if (put === "exists") throw taken();
}

export interface Recovery {
  /** Names nothing of the data where the repository is encrypted. */
  readonly open: string;
  /** Lies encrypted beside it. */
  readonly sealed?: string;
}

/** Whether the backup has got its last write. */
export async function isCommitted(
  repository: Repository,
  id: string,
  signal?: AbortSignal,
): Promise<boolean> {
  return (await repository.store.stat(storedManifest(repository, id), signal)) !== undefined;
}

/** Removes a backup; what it holds stays until nothing refers to it. The manifest goes first: half a backup is none. */
export async function removeSnapshot(
  repository: Repository,
  id: string,
  signal?: AbortSignal,
): Promise<void> {
  const { store } = repository;
  await store.remove([storedManifest(repository, id)], signal);
  for (const folder of [`snapshots/${id}/`, `checks/${id}/`]) {
    const names: string[] = [];
    for await (const { name } of store.list(folder, signal)) names.push(name);
    await store.remove(names, signal);
  }
}

export async function recordCheck(repository: Repository, check: Check, signal?: AbortSignal): Promise<void> {
  const time = check.at.replaceAll(/[-:.]/g, "");
  const name = `checks/${check.snapshot}/${time}-${check.kind}.json`;
  await repository.store.create(name, Buffer.from(`${JSON.stringify(check)}\n`), signal);
}

/** Oldest first. */
async function readChecks(repository: Pick<Repository, "store">, signal?: AbortSignal): Promise<Check[]> {
  const found: Check[] = [];
  for await (const { name } of repository.store.list("checks/", signal)) {
    const bytes = await repository.store.readBytes(name, signal);
    const check = bytes === undefined ? undefined : parseCheck(bytes);
    if (check !== undefined) found.push(check);
  }
  return found.sort((one, other) => (one.at < other.at ? -1 : 1));
}

/** A file that is no outcome proves nothing, and counts for nothing. */
function parseCheck(bytes: Buffer): Check | undefined {
  let found: unknown;
  try {
    found = JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
  const isCheck =
    isRecord(found) &&
    typeof found["snapshot"] === "string" &&
    timeOf(found["at"]) !== undefined &&
    typeof found["share"] === "number" &&
    (found["kind"] === "verify" || found["kind"] === "drill") &&
    (found["outcome"] === "ok" || found["outcome"] === "failed");
  return isCheck ? (found as Check) : undefined;
}

function manifestName(id: string): string {
  return `snapshots/${id}/manifest.json`;
}

/** As `createSealed` calls it. */
function storedManifest({ encryption }: Repository, id: string): string {
  return encryption === "age" ? `${manifestName(id)}.age` : manifestName(id);
}
