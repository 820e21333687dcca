import { createHash } from "node:crypto";
import type { Aws } from "../aws/clients.ts";
import { inParallel } from "../concurrency.ts";
import { CliError } from "../errors.ts";
import { twoSizes } from "../model/bytes.ts";
import { damageIn, DamagedError } from "./damage.ts";
import { countsOf, type Counts } from "./manifest.ts";
import { parseItemLine } from "./item-line.ts";
import { parseObjectLine, type ObjectLine } from "./object-line.ts";
import { partLines } from "./parts.ts";
import type { Amount, Tell } from "../amount.ts";
import type { Repository } from "./repository.ts";
import { sourcesOf } from "./restore-items.ts";
import { parseRowLine } from "./row-line.ts";
import { foreignInSchema } from "./schema-part.ts";
import type {
  BucketSnapshot,
  DatabaseSnapshot,
  Manifest,
  Part,
  TableSnapshot,
  UsersSnapshot,
} from "./snapshot.ts";
import { readManifest } from "./snapshots.ts";
import { parseUserLine } from "./user-line.ts";

export interface VerifyOptions {
  /** Share of the objects that is read, from 0 to 1. Of the others only their presence and size is looked at. */
  readonly share: number;
  /** Decides which objects those are; another one each time, so that after many runs all have had their turn. */
  readonly seed: string;
  /** For tables that DynamoDB exported: those lie outside the repository. */
  readonly aws: () => Promise<Aws>;
  /** Holds a file of an export at a time. */
  readonly spool: string;
  readonly signal: AbortSignal;
  readonly onProgress: Tell;
}

export interface Verification extends Counts {
  readonly snapshot: string;
  /** False where the manifest itself is damaged: then nothing is known of what the backup holds. */
  readonly isReadable: boolean;
  /** Contents of objects that were looked at. */
  readonly contents: number;
  /** Those of them that were read and hashed. */
  readonly read: number;
  readonly bytesRead: number;
  /** What was found and what is lost by it, a sentence each. */
  readonly faults: readonly string[];
  /** Names of the contents that the faults are about. */
  readonly damaged: readonly string[];
}

/** Parts held in memory side by side, 8 MiB each. */
const partsAtOnce = 4;
const looksAtOnce = 32;
const readsAtOnce = 8;

/**
 * Looks whether a backup can still be restored: its manifest, every part to the last line, and that the content of every
 * object is there in its size (encrypted: not smaller than it must be). A share of them is read and hashed. Only damage is a
 * fault; a repository that cannot be reached is an error, and so is an encrypted one without a key.
 */
export async function verifySnapshot(
  repository: Repository,
  id: string,
  options: VerifyOptions,
): Promise<Verification> {
  if (!repository.canRead) {
    throw new CliError("the repository is encrypted, and no key for it is at hand", {
      hint: "set backup.identityFile, backup.passphraseFile or MAWPS_BACKUP_PASSPHRASE",
    });
  }
  const done = { parts: 0, contents: 0, read: 0, bytesRead: 0 };
  const damaged = new Set<string>();
  const site: Looking = { ...options, repository, done, damaged, whole: { total: 0 } };
  const faults: string[] = [];
  let counts: Counts = { items: 0, objects: 0, users: 0, bytes: 0 };
  let isReadable = false;
  try {
    const manifest = await readManifest(repository, id, options.signal);
    isReadable = true;
    counts = countsOf(manifest);
    site.whole = wholeOf(manifest, options.share);
    for await (const fault of faultsOf(site, manifest)) faults.push(fault);
  } catch (error) {
    faults.push(`${damageIn(error)}: nothing of this backup can be restored`);
  }
  const { contents, read, bytesRead } = done;
  return { snapshot: id, isReadable, ...counts, contents, read, bytesRead, faults, damaged: [...damaged] };
}

interface Looking extends VerifyOptions {
  readonly repository: Repository;
  readonly done: { parts: number; contents: number; read: number; bytesRead: number };
  readonly damaged: Set<string>;
  /** What it comes to in the end. */
  whole: Omit<Amount, "done">;
}

/** Bytes where objects are read, else objects or, without any, parts. */
function wholeOf(manifest: Manifest, share: number): Omit<Amount, "done"> {
  const { bytes, objects } = countsOf(manifest);
  if (share > 0 && bytes > 0) return { total: Math.round(share * bytes) };
  if (objects > 0) return { total: objects, of: "objects" };
  const { tables, buckets, userPool, databases = [] } = manifest;
  const rows = databases.flatMap((database) => database.tables);
  const parts = [...tables, ...buckets, ...rows].reduce((sum, each) => sum + each.parts.length, 0);
  return { total: parts + (userPool?.parts.length ?? 0), of: "parts" };
}

function tell({ onProgress, done, whole }: Looking): void {
  const amount =
    whole.of === undefined ? done.bytesRead : whole.of === "objects" ? done.contents : done.parts;
  onProgress("verifying", { ...whole, done: amount });
}

async function* faultsOf(site: Looking, manifest: Manifest): AsyncGenerator<string> {
  for (const table of manifest.tables) yield* tableFaults(site, table);
  for (const bucket of manifest.buckets) yield* bucketFaults(site, bucket);
  if (manifest.userPool !== undefined) yield* userFaults(site, manifest.userPool);
  for (const database of manifest.databases ?? []) yield* databaseFaults(site, manifest.id, database);
  yield* recoveryFaults(site, manifest.id);
}

async function* tableFaults(site: Looking, table: TableSnapshot): AsyncGenerator<string> {
  const { repository, spool, signal } = site;
  const { export: exported, parts } = table;
  const of = `table ${table.name}`;
  const parse = (line: Buffer) =>
    parseItemLine(line, { name: table.name, described: table.description.keys });
  if (exported === undefined) {
    yield* partFaults(site, parts, { of, one: "items", parse });
    yield* countFaults(parts, { stated: table.items, of });
    return;
  }
  const what = await damageOf(async () => {
    const aws = await site.aws();
    let items = 0;
    try {
      for (const source of sourcesOf({ aws, repository, spool, signal }, table))
        for await (const lines of source.open()) {
          for (const line of lines) parse(line);
          items += lines.length;
        }
    } catch (error) {
      throw exportDamage(error);
    }
    if (items !== table.items) throw new DamagedError(`the export has ${items} items, not ${table.items}`);
  });
  partDone(site);
  if (what !== undefined) yield `${what}: of ${of} not all can be restored from this backup`;
}

/** A file that is gone or changed says so in words of its own. */
function exportDamage(error: unknown): unknown {
  const isGone = error instanceof Error && ["NoSuchKey", "NoSuchBucket"].includes(error.name);
  return error instanceof CliError || isGone ? new DamagedError(error.message, error) : error;
}

async function* userFaults(site: Looking, { id, users, parts }: UsersSnapshot): AsyncGenerator<string> {
  const of = `user pool ${id}`;
  yield* partFaults(site, parts, { of, one: "accounts", parse: parseUserLine });
  yield* countFaults(parts, { stated: users, of });
}

async function* databaseFaults(
  site: Looking,
  backupId: string,
  database: DatabaseSnapshot,
): AsyncGenerator<string> {
  const { name, tables } = database;
  let foreign: string | undefined;
  const what = await damageOf(async () => {
    foreign = await foreignInSchema(site, backupId, database);
  });
  if (what !== undefined)
    yield `${what}: mawps can restore the rows, but nothing tells the tables without mawps`;
  if (foreign !== undefined) yield `${foreign}: do not run it by hand`;
  for (const { name: table, rows, parts } of tables) {
    const of = `table ${table} of database ${name}`;
    yield* partFaults(site, parts, { of, one: "rows", parse: (line) => parseRowLine(line, table) });
    yield* countFaults(parts, { stated: rows, of });
  }
}

interface Lines {
  readonly of: string;
  /** What a line is, in the plural. */
  readonly one: string;
  readonly parse: (line: Buffer) => unknown;
}

async function* partFaults(
  site: Looking,
  parts: readonly Part[],
  { of, one, parse }: Lines,
): AsyncGenerator<string> {
  const { repository, signal } = site;
  for (let at = 0; at < parts.length; at += partsAtOnce) {
    const faults = await inParallel(parts.slice(at, at + partsAtOnce), partsAtOnce, async (part) => {
      const what = await damageOf(async () => {
        for await (const lines of partLines(repository, part, signal)) for (const line of lines) parse(line);
      });
      partDone(site);
      if (what === undefined) return [];
      site.damaged.add(repository.contentName(part.sha256));
      return [partFault(what, `${part.lines} ${one} of ${of}`)];
    });
    yield* faults.flat();
  }
}

function partFault(what: string, lost: string): string {
  return `${what}: ${lost} cannot be restored from this backup`;
}

function* countFaults(
  parts: readonly Part[],
  { stated, of }: { stated: number; of: string },
): Generator<string> {
  const lines = parts.reduce((sum, part) => sum + part.lines, 0);
  if (lines !== stated)
    yield `the manifest counts ${stated} for ${of} and ${lines} in its parts: it may not be whole in this backup`;
}

async function* bucketFaults(site: Looking, bucket: BucketSnapshot): AsyncGenerator<string> {
  const { repository, signal } = site;
  const of = `bucket ${bucket.name}`;
  let bytes: number | undefined = 0;
  for (const part of bucket.parts) {
    let lines: readonly ObjectLine[] = [];
    const what = await damageOf(async () => {
      lines = await objectLines(repository, part, signal);
    });
    partDone(site);
    if (what !== undefined) {
      bytes = undefined;
      site.damaged.add(repository.contentName(part.sha256));
      yield partFault(what, `${part.lines} objects of ${of}`);
      continue;
    }
    if (bytes !== undefined) bytes += lines.reduce((sum, { seen }) => sum + seen.size, 0);
    yield* objectFaults(site, of, lines);
  }
  yield* countFaults(bucket.parts, { stated: bucket.objects, of });
  if (bytes !== undefined && bytes !== bucket.bytes) {
    const [counted, have] = twoSizes(bucket.bytes, bytes);
    yield `the manifest counts ${counted} for ${of}, its objects have ${have}: it may not be whole in this backup`;
  }
}

async function objectLines(
  repository: Repository,
  part: Part,
  signal: AbortSignal,
): Promise<readonly ObjectLine[]> {
  const lines: ObjectLine[] = [];
  for await (const batch of partLines(repository, part, signal))
    for (const line of batch) lines.push(parseObjectLine(line));
  return lines;
}

async function* objectFaults(
  site: Looking,
  of: string,
  lines: readonly ObjectLine[],
): AsyncGenerator<string> {
  const look = (work: typeof lookAt) => async (line: ObjectLine) => {
    const what = await damageOf(() => work(site, line));
    site.done.contents += 1;
    tell(site);
    if (what === undefined) return [];
    site.damaged.add(site.repository.contentName(line.content));
    return [partFault(what, `object ${line.put.Key} of ${of}`)];
  };
  const isMeant = (line: ObjectLine) => isChosen(site, line.put.Key);
  const there = lines.filter((line) => !isMeant(line));
  yield* (await inParallel(there, looksAtOnce, look(lookAt))).flat();
  yield* (await inParallel(lines.filter(isMeant), readsAtOnce, look(readObject))).flat();
}

/** By a hash of key and seed, which falls evenly. */
function isChosen({ share, seed }: VerifyOptions, key: string): boolean {
  if (share === 0 || share === 1) return share === 1;
  return createHash("sha256").update(seed).update(key).digest().readUInt32BE() < share * 2 ** 32;
}

async function lookAt({ repository, signal }: Looking, { content, seen }: ObjectLine): Promise<void> {
  const name = repository.contentName(content);
  const found = await repository.store.stat(name, signal);
  if (found === undefined) throw new DamagedError(`${name} is missing`);
  const isRight =
    repository.encryption === "none" ? found.bytes === seen.size : found.bytes >= leastSealed(seen.size);
  if (isRight) return;
  const [has, said] = twoSizes(found.bytes, seen.size);
  throw new DamagedError(`${name} has ${has}, for ${said}`);
}

/** age adds a header, a nonce of 16 bytes, and to every 64 KiB a tag of 16: https://age-encryption.org/v1 */
function leastSealed(bytes: number): number {
  return bytes + 16 + 16 * Math.max(1, Math.ceil(bytes / 65_536));
}

async function readObject(
  { repository, signal, done }: Looking,
  { content, seen }: ObjectLine,
): Promise<void> {
  for await (const piece of repository.openContent({ sha256: content, bytes: seen.size }, signal))
    done.bytesRead += piece.byteLength;
  done.read += 1;
}

async function* recoveryFaults({ repository, signal }: Looking, id: string): AsyncGenerator<string> {
  const name = `snapshots/${id}/RECOVERY.md`;
  const what = await damageOf(async () => {
    const isThere = (await repository.store.stat(name, signal)) !== undefined;
    if (!isThere || (await repository.readSealed(name, signal)) === undefined)
      throw new DamagedError(`${name} is missing`);
  });
  if (what !== undefined) yield `${what}: mawps can restore this backup, but nothing tells how without mawps`;
}

function partDone(site: Looking): void {
  site.done.parts += 1;
  tell(site);
}

/** What is damaged, if anything. */
async function damageOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return damageIn(error);
  }
}
