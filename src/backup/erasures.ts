import type { Aws } from "../aws/clients.ts";
import { appendRecord, recordsOf } from "../audit/beside.ts";
import { CliError } from "../errors.ts";
import { keyedHash } from "../model/hash.ts";
import { isRecord, timeOf } from "../model/json.ts";
import { sideChains } from "../model/tool-tables.ts";
import { DamagedError } from "./damage.ts";
import type { Store } from "./store.ts";

/*
 * The erasure ledger: who was erased may not come back out of an older backup. It names nobody: an entry is the HMAC of a
 * user id with a salt. It is kept twice, beside the contents of the repository (`erasures/`), readable without keys, and in
 * the audit table as a chain of its own beside `main`; so it outlives the loss of the one or the other, and a backup of the
 * audit table carries it too.
 */

/** One erased person. */
export interface ErasureEntry {
  /** Hex. */
  readonly salt: string;
  /** HMAC-SHA256 of the user id with the salt, hex. */
  readonly hash: string;
  /** ISO 8601. */
  readonly at: string;
  /** Of which of the model's people, where the same id can be of several; undefined: whoever has it. */
  readonly subject?: string | undefined;
}

/** The ledger's chain in the audit table. */
export const erasureChain = sideChains.erasures;

const folder = "erasures/";

/** The entry for a user. Pure. */
export function ledgerEntry(userId: string, salt: string, at: Date): ErasureEntry {
  return { salt, hash: keyedHash(userId, salt), at: at.toISOString() };
}

/** Tells whether somebody is on a ledger. @param subject of which of the model's people they are; undefined where they may be of each. */
export type IsErased = (userId: string, subject?: string) => boolean;

/** So many answers are remembered: users have many items and objects, one behind the other. */
const remembered = 10_000;

/** Whether a user is on the ledger: one HMAC for each salt and user, remembered. Keeps 150 bytes an entry. */
export function erasedUsers(entries: Iterable<ErasureEntry>): IsErased {
  /** By their hashes the kinds of people that are meant. */
  const bySalt = new Map<string, Map<string, Set<string | undefined>>>();
  for (const { salt, hash, subject } of entries) {
    const hashes = bySalt.get(salt) ?? new Map<string, Set<string | undefined>>();
    bySalt.set(salt, hashes.set(hash, (hashes.get(hash) ?? new Set()).add(subject)));
  }
  const known = new Map<string, ReadonlySet<string | undefined>>();
  const subjectsOf = (userId: string) => {
    const answer = known.get(userId);
    if (answer !== undefined) return answer;
    if (known.size === remembered) known.clear();
    const names = userId.includes("@") ? [userId, userId.toLowerCase()] : [userId];
    const subjects = new Set<string | undefined>();
    for (const [salt, hashes] of bySalt)
      for (const name of names)
        for (const subject of hashes.get(keyedHash(name, salt)) ?? []) subjects.add(subject);
    known.set(userId, subjects);
    return subjects;
  };
  return (userId, subject) => {
    if (bySalt.size === 0) return false;
    const subjects = subjectsOf(userId);
    return subjects.size > 0 && (subject === undefined || subjects.has(undefined) || subjects.has(subject));
  };
}

/**
 * What the repository's ledger says. @throws DamagedError for an entry that is none: who it was about cannot be left out.
 */
export async function* repositoryErasures(store: Store, signal?: AbortSignal): AsyncGenerator<ErasureEntry> {
  for await (const { name } of store.list(folder, signal)) {
    const bytes = await store.readBytes(name, signal);
    if (bytes === undefined) continue;
    const entry = entryIn(parsed(bytes));
    if (entry === undefined) throw new DamagedError(`${name} is no entry of the erasure ledger`);
    yield entry;
  }
}

export interface LedgerTable {
  readonly aws: Aws;
  /** The audit table. */
  readonly table: string;
  readonly signal?: AbortSignal;
}

/** What the audit table's ledger says; nothing where there is no such table. */
export async function* tableErasures({ aws, table, signal }: LedgerTable): AsyncGenerator<ErasureEntry> {
  for await (const item of recordsOf({ aws, table, signal }, erasureChain)) yield asLedgerEntry(item, table);
}

/** The same, of an entry as an item of a snapshot's audit table; undefined for items of other chains. */
export function lineErasure(
  item: Readonly<Record<string, unknown>>,
  table: string,
): ErasureEntry | undefined {
  const text = (name: string) => {
    const value = item[name];
    return isRecord(value) ? value["S"] : undefined;
  };
  if (text("chain") !== erasureChain) return undefined;
  return asLedgerEntry(
    { salt: text("salt"), hash: text("hash"), timestamp: text("timestamp"), subject: text("subject") },
    `${table} of the backup`,
  );
}

function asLedgerEntry(item: Readonly<Record<string, unknown>>, where: string): ErasureEntry {
  const entry = entryIn({ ...item, at: item["timestamp"] });
  if (entry !== undefined) return entry;
  throw new CliError(`an item of the chain "${erasureChain}" in ${where} is no entry of the erasure ledger`, {
    hint: "who it was about cannot be left out of a restore; look at the item first",
  });
}

function entryIn(value: unknown): ErasureEntry | undefined {
  if (!isRecord(value)) return undefined;
  const { salt, hash, at, subject } = value;
  if (typeof salt !== "string" || !/^([\da-f]{2})+$/.test(salt)) return undefined;
  if (typeof hash !== "string" || !/^[\da-f]{64}$/.test(hash)) return undefined;
  if (typeof at !== "string" || timeOf(at) === undefined) return undefined;
  return { salt, hash, at, ...(typeof subject === "string" ? { subject } : {}) };
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * Writes an entry into both ledgers, the repository's first; resolves when both are durable. Called again after a failure it
 * may leave two entries of one person, which count as one.
 */
export async function writeErasure(
  entry: ErasureEntry,
  {
    store,
    aws,
    table,
    signal,
  }: LedgerTable & { /** Of the repository, where there is one. */ readonly store?: Store },
): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(entry)}\n`);
  await store?.create(`${folder}${crypto.randomUUID()}.json`, bytes, signal);
  const { at: timestamp, ...said } = entry;
  await appendRecord({ aws, table, signal }, erasureChain, { ...said, timestamp });
}
