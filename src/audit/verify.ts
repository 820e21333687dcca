import { listVersions } from "../aws/s3/listing.ts";
import { getObjectBytes } from "../aws/s3/objects.ts";
import { emptyHead, entryHash, isEntry, isSequence, type ChainHead } from "../model/audit.ts";
import type { JsonObject } from "../model/json.ts";
import { headIn, readAnchor } from "./anchor.ts";
import { storedChain } from "./entries.ts";
import { anchorKey, type AuditSite } from "./site.ts";

/**
 * | fault    | the entry or anchor                                                                     |
 * |----------|-----------------------------------------------------------------------------------------|
 * | edited   | is not what its hash says, or has not the form of an entry                               |
 * | inserted | stands between the numbers of the chain, or before its first                             |
 * | replaced | is no continuation of the one before it: one of the two was written anew, or moved        |
 * | missing  | entries are missing that were not due to expire; at the end when the anchor knows later ones |
 * | anchor   | the anchor is missing, damaged, or knows another entry in that place                      |
 */
export interface Fault {
  readonly fault: "edited" | "inserted" | "replaced" | "missing" | "anchor";
  /** As stored, so that a person finds the item; the first of those missing. */
  readonly sequence: number | string;
  /** The last of those missing. */
  readonly to?: number;
  readonly what: string;
}

export interface Verification {
  readonly entries: number;
  readonly first: number | null;
  readonly last: number | null;
  /** Up to where the anchor vouches for the chain. */
  readonly anchored: number | null;
  /** Entries that are newer than the anchor: a run ended between the two. The next one anchors them. */
  readonly notAnchored: number;
  /** Entries that are gone because their time was over. */
  readonly expired: number;
  readonly faults: number;
}

/**
 * Reads the whole chain in its order, in flat memory, and yields each fault; returns the sum. The anchor is read first:
 * entries that come meanwhile are then newer than it, not faults.
 *
 * Which entries may be missing: DynamoDB's TTL removes what is over, days late and in no strict order, so there may be
 * holes near the front. Each entry carries the end of life of the one before it, and no end of life is earlier
 * than the one before: a hole is in order exactly when the entry behind it says that the last one missing was due.
 *
 * What it cannot see: entries that were not anchored yet and were removed or computed anew, and a chain whose
 * anchor, in all its versions, was computed anew together with it.
 */
export async function* verifyTrail(site: AuditSite, now: Date): AsyncGenerator<Fault, Verification> {
  const nowSeconds = Math.floor(now.getTime() / 1000);
  const { anchor, faults: anchorFaults } = await anchorOf(site);
  const sum = { entries: 0, first: null as number | null, expired: 0, faults: 0, notAnchored: 0 };
  let previous: Before = { ...emptyHead, isSound: true };
  const told = (found: readonly Fault[]) => {
    sum.faults += found.length;
    return found;
  };

  for await (const stored of storedChain(site)) {
    const { sequence } = stored;
    sum.entries += 1;
    if (!isSequence(sequence)) {
      yield* told([
        { fault: "inserted", sequence: String(sequence), what: "no number that the chain gives" },
      ]);
      continue;
    }
    sum.first ??= sequence;
    if (sequence > previous.sequence + 1) {
      const gap = { from: previous.sequence + 1, to: sequence - 1 };
      if (isDue(stored["previousTtl"], nowSeconds)) sum.expired += gap.to - gap.from + 1;
      else yield* told([missing(gap)]);
    }
    const own = ownFault(stored, sequence);
    yield* told(own === undefined ? followingFaults(stored, sequence, previous) : [own]);
    if (anchor?.sequence === sequence && anchor.hash !== stored["hash"]) {
      yield* told([{ fault: "anchor", sequence, what: "the anchor knows another entry in this place" }]);
    }
    if (stored["action"] === "audit.anchor-lost") {
      yield* told([
        {
          fault: "anchor",
          sequence,
          what: "the anchor had been removed: entries missing before this one may not show",
        },
      ]);
    }
    if (anchor !== undefined && sequence > anchor.sequence) sum.notAnchored += 1;
    previous = { ...headOf(stored, sequence), isSound: own === undefined };
  }

  if (anchor !== undefined && anchor.sequence > previous.sequence) {
    const gap = { from: previous.sequence + 1, to: anchor.sequence };
    if (isDue(anchor.ttl, nowSeconds)) sum.expired += gap.to - gap.from + 1;
    else yield* told([missing(gap)]);
  }
  // Neither entries nor an anchor, in no version: a trail that has not begun.
  if (sum.entries > 0 || anchor !== undefined) yield* told(anchorFaults);
  return {
    entries: sum.entries,
    first: sum.first,
    last: previous.sequence === 0 ? null : previous.sequence,
    anchored: anchor?.sequence ?? null,
    notAnchored: anchor === undefined ? sum.entries : sum.notAnchored,
    expired: sum.expired,
    faults: sum.faults,
  };
}

async function anchorOf(site: AuditSite): Promise<{ anchor: ChainHead | undefined; faults: Fault[] }> {
  const anchor = await readAnchor(site);
  if (anchor?.head !== undefined) return { anchor: anchor.head, faults: [] };
  const last = await lastAnchorVersion(site);
  const state = anchor === undefined ? "is missing" : "is damaged";
  const what =
    last === undefined ? `the anchor ${state}` : `the anchor ${state}; its last version is compared instead`;
  return { anchor: last, faults: [{ fault: "anchor", sequence: last?.sequence ?? 0, what }] };
}

/** What the newest readable version says of an anchor that was removed or damaged; undefined where none was kept. */
async function lastAnchorVersion(site: AuditSite): Promise<ChainHead | undefined> {
  const { aws, bucket, signal } = site;
  const key = anchorKey(site);
  for await (const page of listVersions(aws, { bucket, prefix: key, signal })) {
    for (const { version } of page.filter((each) => each.key === key && !each.isDeleteMarker)) {
      const head = headIn((await getObjectBytes(aws, { bucket, key, version, signal })).bytes);
      if (head !== undefined) return head;
    }
  }
  return undefined;
}

/** What the entry gives away by itself. */
function ownFault(stored: JsonObject, sequence: number): Fault | undefined {
  if (!isEntry(stored)) return { fault: "edited", sequence, what: "has not the form of an entry" };
  if (entryHash(stored) === stored["hash"]) return undefined;
  return { fault: "edited", sequence, what: "is not what its hash says" };
}

/** The entry before; not sound when it has been found edited. */
interface Before extends ChainHead {
  readonly isSound: boolean;
}

function followingFaults(stored: JsonObject, sequence: number, previous: Before): Fault[] {
  // Behind a hole nothing can be compared: the hole has been judged by itself.
  if (sequence !== previous.sequence + 1) return [];
  const timesFollow =
    stored["previousTtl"] === previous.ttl &&
    String(stored["timestamp"]) >= previous.timestamp &&
    Number(stored["ttl"]) >= previous.ttl;
  // Of an edited entry the hash alone is compared: which of its times were edited is not known.
  if (stored["previousHash"] === previous.hash && (timesFollow || !previous.isSound)) return [];
  return [{ fault: "replaced", sequence, what: `does not continue entry ${previous.sequence}` }];
}

/** The stored fields as they are: what a damaged entry says of itself is what the next one was chained to. */
function headOf(stored: JsonObject, sequence: number): ChainHead {
  return {
    sequence,
    hash: String(stored["hash"]),
    timestamp: String(stored["timestamp"]),
    ttl: Number(stored["ttl"]),
  };
}

function missing({ from, to }: { from: number; to: number }): Fault {
  const what = from === to ? "is missing" : `up to ${to} are missing`;
  return { fault: "missing", sequence: from, to, what };
}

function isDue(ttl: unknown, nowSeconds: number): boolean {
  return Number.isSafeInteger(ttl) && Number(ttl) <= nowSeconds && Number(ttl) > 0;
}
