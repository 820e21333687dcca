import { maxTransactionItems } from "../aws/dynamodb/records.ts";
import {
  entryHash,
  isEntry,
  isInFuture,
  isSequence,
  mostUnanchored,
  type ChainHead,
} from "../model/audit.ts";
import { isRecord, type JsonObject } from "../model/json.ts";
import { isSigned } from "./claims.ts";
import { storedChain } from "./entries.ts";
import type { TrailPlace } from "./place.ts";

/** Entries that stand behind a head and that nobody who may write to the trail put there. */
export interface Disbelieved {
  readonly from: number;
  readonly to: number;
}

export interface Judge {
  readonly now: Date;
  /** Whether a writer announced itself in the bucket. */
  readonly announced: (writer: string) => Promise<boolean>;
}

/**
 * How far the chain goes on behind a head that is known to be right, and what stands there without being part of it:
 * the next entry is to take its place behind that. Reads no further than a chain can have grown behind its anchor, and passes over
 * only what is in the way: an item that leaves room for a whole group in front of it moves nobody, so that no number of items
 * leads the writers to a place that is taken. All writers judge with the same room, and find the same place.
 */
export async function followChain(
  site: TrailPlace,
  known: ChainHead,
  judge: Judge,
): Promise<{ head: ChainHead; disbelieved?: Disbelieved }> {
  let head = known;
  let disbelieved: Disbelieved | undefined;
  for await (const stored of storedChain(site, { fromSequence: known.sequence + 1 })) {
    const { sequence } = stored;
    if (!isSequence(sequence)) continue;
    const end = disbelieved?.to ?? head.sequence;
    if (sequence > end + mostUnanchored) break;
    if (continues(head, stored) && (await isBelieved(stored, judge))) {
      head = headOf(stored, sequence);
      disbelieved = undefined;
    } else if (sequence <= end + maxTransactionItems) {
      disbelieved = { from: disbelieved?.from ?? sequence, to: sequence };
    }
  }
  return disbelieved === undefined ? { head } : { head, disbelieved };
}

/** Whether an entry that no anchor vouches for is from a run that announced itself, and not dated in the future. */
export async function isBelieved(stored: JsonObject, { now, announced }: Judge): Promise<boolean> {
  const { writer, timestamp } = stored;
  if (typeof timestamp !== "string" || isInFuture(timestamp, now)) return false;
  return isSigned(stored) && typeof writer === "string" && (await announced(writer));
}

/** The sequence that an entry goes on behind, where it says that what stands between is no part of the chain. */
export function resumedAfter(stored: JsonObject): number | undefined {
  const { action, details } = stored;
  if (action !== "audit.chain-broken" || !isRecord(details)) return undefined;
  return typeof details["sequence"] === "number" ? details["sequence"] : undefined;
}

function continues(head: ChainHead, stored: JsonObject): boolean {
  const { sequence, hash, previousHash, previousTtl, timestamp, ttl } = stored;
  if (!isSequence(sequence) || sequence <= head.sequence || !isEntry(stored)) return false;
  return (
    (sequence === head.sequence + 1 || resumedAfter(stored) === head.sequence) &&
    entryHash(stored) === hash &&
    previousHash === head.hash &&
    previousTtl === head.ttl &&
    String(timestamp) >= head.timestamp &&
    Number(ttl) >= head.ttl
  );
}

/** The stored fields as they are: what a damaged entry says of itself is what the next one was chained to. */
export function headOf(stored: JsonObject, sequence: number): ChainHead {
  return {
    sequence,
    hash: String(stored["hash"]),
    timestamp: String(stored["timestamp"]),
    ttl: Number(stored["ttl"]),
  };
}
