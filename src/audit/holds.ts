import type { Aws } from "../aws/clients.ts";
import { CliError } from "../errors.ts";
import { isSequence } from "../model/audit.ts";
import type { Declaration } from "../model/declaration.ts";
import { keyedHash } from "../model/hash.ts";
import { timeOf, type JsonObject } from "../model/json.ts";
import { sideChains } from "../model/tool-tables.ts";
import { appendRecord, recordsOf } from "./beside.ts";
import type { TrailPlace } from "./place.ts";

/*
 * Legal holds of people: while one stands nothing of theirs is deleted. A record is never changed, one that lifts others comes behind
 * them. Of what stands for a person it has the id alone, as the trail does; addresses and user names are keyed hashes, since the record
 * outlives an erasure.
 */

const chain = sideChains.holds;

export interface Hold {
  /** Its place among the holds: what lifts it names it. */
  readonly sequence: number;
  /** Undefined for somebody who is known by an address alone. */
  readonly userId: string | undefined;
  /** Of which of the model's people, where the same id can be of several. */
  readonly subject?: string | undefined;
  readonly reason: string;
  /** ISO 8601. */
  readonly since: string;
  /** Hex. */
  readonly salt: string;
  readonly hashes: readonly string[];
}

type Place = Pick<TrailPlace, "aws" | "table" | "signal">;

/**
 * Those that stand, the oldest first.
 * @throws CliError for a record that is none: whom it held could be deleted.
 */
export async function readHolds(place: Place): Promise<readonly Hold[]> {
  const standing = new Map<number, Hold>();
  for await (const record of recordsOf(place, chain)) {
    const { lifted } = record;
    if (Array.isArray(lifted)) {
      for (const sequence of lifted) standing.delete(Number(sequence));
      continue;
    }
    const hold = holdIn(record);
    if (hold === undefined) {
      throw new CliError(
        `an item of the chain "${chain}" in ${place.table} is no legal hold; nothing was changed`,
        {
          hint: "whom it holds cannot be told, and nobody's data may go: look at the item first",
        },
      );
    }
    standing.set(hold.sequence, hold);
  }
  return [...standing.values()];
}

interface Site {
  readonly aws: Aws;
  readonly declaration: Pick<Declaration, "trail">;
  readonly signal: AbortSignal;
}

/** Those that stand at a site, read as `readHolds` does; none where its model has no trail, beside which they are kept. */
export async function holdsOfSite({ aws, declaration, signal }: Site): Promise<readonly Hold[]> {
  const table = declaration.trail?.table;
  return table === undefined ? [] : readHolds({ aws, table, signal });
}

/** Those of whom any of these ids stands for, each once. Pure. */
export function holdsOfAny(holds: readonly Hold[], ids: readonly string[]): readonly Hold[] {
  return [...new Set(ids.flatMap(holdsOf(holds)))];
}

/** Whether all of these ids are held by it: one that somebody is known by since then is not. Pure. */
export function coversAll({ salt, hashes }: Hold, ids: readonly string[]): boolean {
  return ids.length > 0 && ids.every((id) => hashes.includes(keyedHash(id, salt)));
}

/** Why something of people stays of whom these are the holds, in a few words. Pure. */
export function heldReason(holds: readonly Hold[]): string {
  return `legal hold of the person: ${[...new Set(holds.map(({ reason }) => reason))].join("; ")}`;
}

/** @throws CliError where there is one of these. */
export function assertNoHold(holds: readonly Hold[]): void {
  if (holds.length === 0) return;
  const [only, ...others] = holds;
  const reasons = holds.map(({ reason }) => reason);
  const hint =
    others.length === 0
      ? `\`mawps user hold list\` shows it, \`mawps user hold rm --hold ${only?.sequence}\` lifts it`
      : "`mawps user hold list` shows them, `mawps user hold rm --hold <number>` lifts one";
  throw forbidden("the person is", reasons, hint);
}

/** What is under a legal hold stays as it is. */
export function forbidden(what: string, reasons: readonly string[], hint?: string): CliError {
  return new CliError(`${what} under a legal hold (${reasons.join("; ")}); nothing was changed`, { hint });
}

function holdIn({
  sequence,
  userId,
  subject,
  reason,
  timestamp,
  salt,
  hashes,
}: JsonObject): Hold | undefined {
  if (!isSequence(sequence) || typeof reason !== "string" || typeof salt !== "string") return undefined;
  if (typeof timestamp !== "string" || timeOf(timestamp) === undefined) return undefined;
  if (!Array.isArray(hashes) || hashes.length === 0) return undefined;
  return {
    sequence,
    userId: typeof userId === "string" ? userId : undefined,
    subject: typeof subject === "string" ? subject : undefined,
    reason,
    since: timestamp,
    salt,
    hashes: hashes.map(String),
  };
}

/** The holds of whom an id, a user name or an address stands for. Answers are remembered. Pure. */
export function holdsOf(holds: readonly Hold[]): (id: string) => readonly Hold[] {
  const known = new Map<string, readonly Hold[]>();
  return (id) => {
    if (holds.length === 0) return holds;
    const answer = known.get(id) ?? holds.filter(({ salt, hashes }) => hashes.includes(keyedHash(id, salt)));
    if (known.size < remembered) known.set(id, answer);
    return answer;
  };
}

/** So many answers are remembered: users have many items and objects. */
const remembered = 10_000;

export interface NewHold {
  readonly userId: string | undefined;
  readonly subject?: string | undefined;
  /** All that stands for the person. */
  readonly ids: readonly string[];
  readonly reason: string;
  /** Hex, by chance. */
  readonly salt: string;
  readonly at: Date;
}

/** Resolves to its place among the holds. */
export async function putHold(
  place: Place,
  { userId, subject, ids, reason, salt, at }: NewHold,
): Promise<number> {
  const hashes = ids.map((id) => keyedHash(id, salt));
  return appendRecord(place, chain, { userId, subject, reason, salt, hashes, timestamp: at.toISOString() });
}

export async function liftHolds(place: Place, holds: readonly Hold[], at: Date): Promise<void> {
  const lifted = holds.map(({ sequence }) => sequence);
  await appendRecord(place, chain, { lifted, timestamp: at.toISOString() });
}
