import {
  emptyHead,
  entryHash,
  isEntry,
  isInFuture,
  isSequence,
  mostUnanchored,
  type ChainHead,
} from "../model/audit.ts";
import { isRecord, type JsonObject } from "../model/json.ts";
import { Acknowledgements } from "./acknowledge.ts";
import { headOf, isBelieved, resumedAfter, type Judge } from "./belief.ts";
import { readClaim } from "./claims.ts";
import { storedChain } from "./entries.ts";
import { readEvidence, type Evidence } from "./evidence.ts";
import type { TrailPlace } from "./place.ts";

/**
 * | fault    | the entry or anchor                                                                     |
 * |----------|-----------------------------------------------------------------------------------------|
 * | edited   | is not what its hash says, or has not the form of an entry                               |
 * | inserted | stands where the chain has no number, or far beyond its end                              |
 * | replaced | is no continuation of the one before it: one of the two was written anew, or moved        |
 * | missing  | entries are missing that were not due to expire; at the end when an anchor knows later ones |
 * | forged   | was added by somebody else: no run announced it, or it is dated in the future             |
 * | anchor   | the anchor is missing, damaged or set back, or a version of it knows another entry there  |
 * | outside  | is not there as a head that was noted outside says                                     |
 * | claim    | what a run announced cannot be read: whether its changes came to an end is not known     |
 */
export interface Fault {
  readonly fault: "edited" | "inserted" | "replaced" | "missing" | "forged" | "anchor" | "claim" | "outside";
  /** As stored, so that a person finds the item; the first of several. */
  readonly sequence: number | string;
  /** The last of several. */
  readonly to?: number;
  readonly what: string;
  /** What an acknowledgement names: the same as long as nothing more has happened in that place. */
  readonly id: string;
}

/** What a fault is about, for a person. */
export function placeOf({ fault, sequence }: Pick<Fault, "fault" | "sequence">): string {
  return `${fault === "claim" ? "run" : "entry"} ${sequence}`;
}

/** A change that was announced and has no outcome: its run was killed, could not write the trail, or is still at work. */
export interface Interruption {
  readonly interrupted: string;
  readonly action: string;
  readonly userId: string | undefined;
  readonly actor: string;
  readonly since: string;
  readonly details: JsonObject;
  readonly id: string;
}

export interface Verification {
  readonly entries: number;
  readonly first: number | null;
  readonly last: number | null;
  /** Up to where the anchors vouch for the chain. */
  readonly anchored: number | null;
  /** Entries of announced runs that are newer than the anchor: a run ended between the two. The next one anchors them. */
  readonly notAnchored: number;
  /** Entries that are gone because their time was over. */
  readonly expired: number;
  readonly interrupted: number;
  /** Faults and interruptions that somebody has looked into and acknowledged; they are not among the others. */
  readonly acknowledged: number;
  readonly faults: number;
}

export type Found = Fault | Interruption;

/**
 * Reads the whole chain in its order, in memory that grows with the anchors and the faults alone, and yields each fault
 * and interruption that was not acknowledged; returns the sum. The bucket is read first: entries that come meanwhile are
 * then newer than the anchor, not faults.
 *
 * Which entries may be missing: DynamoDB's TTL removes what is over, days late and in no strict order, so there may be
 * holes near the front. Each entry carries the end of life of the one before it, and no end of life is earlier
 * than the one before: a hole is in order exactly when the entry behind it says that the last one missing was due.
 *
 * What it cannot see: entries that were not anchored yet and were removed, and a chain that was computed anew together
 * with all versions of its anchors and with claims of its own.
 */
export async function* verifyTrail(site: TrailPlace, now: Date): AsyncGenerator<Found, Verification> {
  const nowSeconds = Math.floor(now.getTime() / 1000);
  const evidence = await readEvidence(site);
  const { anchored } = evidence;
  const anchoredTo = anchored?.sequence ?? 0;
  const judge: Judge = { now, announced: async (writer) => evidence.writers.has(writer) };
  let found: Found[] = [];
  const acknowledgements = new Acknowledgements();
  const changes = new Changes(evidence.unclosed);
  const sum = { entries: 0, first: null as number | null, last: 0, expired: 0, notAnchored: 0 };
  let previous: Before = { ...emptyHead, isSound: true };
  let forged: { from: number; to: number } | undefined;
  const judgeGap = (before: number, stored: JsonObject, sequence: number) => {
    const gap = { from: before + 1, to: sequence - 1 };
    if (gap.to < gap.from) return;
    if (isDue(stored["previousTtl"], nowSeconds)) sum.expired += gap.to - gap.from + 1;
    else found.push(missing(gap));
  };

  for await (const stored of storedChain(site)) {
    const { sequence } = stored;
    sum.entries += 1;
    if (!isSequence(sequence) || sequence > Math.max(sum.last, anchoredTo) + mostUnanchored) {
      found.push(faultOf("inserted", String(sequence), "no number that the chain gives"));
      continue;
    }
    sum.first ??= sequence;
    const own = ownFault(stored, sequence);
    // Where no anchor is left at all, that is the fault, and nothing vouches for any entry.
    const isToBeBelieved = own === undefined && anchored !== undefined && sequence > anchoredTo;
    if (isToBeBelieved && !(await isBelieved(stored, judge))) {
      forged = { from: forged?.from ?? sequence, to: sequence };
      sum.last = sequence;
      continue;
    }
    const resumed = resumedAfter(stored);
    if (resumed !== undefined) {
      // What is behind it goes on from an earlier entry, and says that all between is no part of the chain.
      forged = undefined;
      found = found.filter((each) => !("fault" in each && isForgedBehind(each, resumed)));
      found.push(forgedFault({ from: resumed + 1, to: sequence - 1 }));
      previous = { ...(await storedHead(site, resumed)), isSound: true };
    } else {
      if (forged !== undefined) found.push(forgedFault(forged));
      forged = undefined;
      judgeGap(sum.last, stored, sequence);
    }
    const isNext = resumed !== undefined || sequence === previous.sequence + 1;
    if (own !== undefined) found.push(own);
    // Behind a hole nothing can be compared: the hole has been judged by itself.
    else if (isNext && !follows(stored, previous)) {
      found.push(
        faultOf("replaced", sequence, `does not continue entry ${previous.sequence}`, String(stored["hash"])),
      );
    }
    found.push(...anchorFaults(stored, sequence, evidence));
    if (own === undefined && isInFuture(String(stored["timestamp"]), now)) {
      found.push(faultOf("forged", sequence, "is dated in the future"));
    }
    if (sequence > anchoredTo) sum.notAnchored += 1;
    acknowledgements.follow(previous.sequence, sequence, isNext && follows(stored, previous));
    if (own === undefined) {
      acknowledgements.see(stored, sequence);
      changes.see(stored, sequence);
    }
    sum.last = sequence;
    previous = { ...headOf(stored, sequence), isSound: own === undefined };
  }

  if (forged !== undefined) found.push(forgedFault(forged));
  if (anchored !== undefined && anchored.sequence > sum.last) {
    const gap = { from: sum.last + 1, to: anchored.sequence };
    if (isDue(anchored.ttl, nowSeconds)) sum.expired += gap.to - gap.from + 1;
    else found.push(missing(gap));
  }
  // Neither entries nor an anchor, in no version: a trail that has not begun.
  if (sum.entries > 0 || anchored !== undefined) found.push(...movedAnchorFaults(evidence));
  found.push(...(await changes.unfinished(site)));

  const isLastSound = sum.last > anchoredTo || evidence.hashes.get(sum.last)?.has(previous.hash) === true;
  const acknowledged = acknowledgements.all(isLastSound);
  const open = found.filter(({ id }) => !acknowledged.has(id));
  yield* open;
  const faults = open.filter((each) => "fault" in each).length;
  return {
    ...sum,
    last: sum.last === 0 ? null : sum.last,
    anchored: anchored?.sequence ?? null,
    interrupted: open.length - faults,
    acknowledged: found.length - open.length,
    faults,
  };
}

/** What is known of each change: announced with an intent or a claim, and whether an entry tells of its end. */
class Changes {
  private readonly begun = new Map<string, Interruption[]>();
  private readonly ended = new Set<string>();
  private readonly unclosed: ReadonlySet<string>;

  constructor(unclosed: readonly string[]) {
    this.unclosed = new Set(unclosed);
  }

  see(stored: JsonObject, sequence: number): void {
    const { writer, change, details } = stored;
    if (typeof writer !== "string" || typeof change !== "number" || !isRecord(details)) return;
    const key = `${writer}:${change}`;
    if (details["phase"] === "begun") {
      const others = this.begun.get(key) ?? [];
      this.begun.set(key, [...others, interruption(stored, `entry ${sequence}`)]);
    } else {
      this.begun.delete(key);
      if (this.unclosed.has(writer)) this.ended.add(key);
    }
  }

  async unfinished(site: TrailPlace): Promise<Found[]> {
    const all: Found[] = [...this.begun.values()].flat();
    for (const writer of this.unclosed) {
      const claim = await readClaim(site, writer);
      if (claim === undefined) {
        all.push(faultOf("claim", writer.slice(0, 16), "what this run announced cannot be read"));
        continue;
      }
      for (const { change, event } of claim.changes) {
        if (this.ended.has(`${writer}:${change}`)) continue;
        const told = { ...event, actor: claim.actor, timestamp: claim.written?.toISOString() };
        all.push(interruption(told, `claim ${writer.slice(0, 16)}:${change}`));
      }
    }
    return all;
  }
}

function interruption(said: JsonObject, where: string): Interruption {
  const text = (name: string) => (typeof said[name] === "string" ? said[name] : "");
  return {
    interrupted: where,
    action: text("action"),
    userId: text("userId") === "" ? undefined : text("userId"),
    actor: text("actor"),
    since: text("timestamp"),
    details: isRecord(said["details"]) ? said["details"] : {},
    id: `interrupted ${where}`,
  };
}

/** @param content what else tells this fault from a later one in the same place. */
function faultOf(
  fault: Fault["fault"],
  sequence: number | string,
  what: string,
  content?: string | number,
): Fault {
  const id = [fault, sequence, ...(content === undefined ? [] : [String(content).slice(0, 16)])].join(" ");
  return { fault, sequence, what, id };
}

function missing(gap: { from: number; to: number }): Fault {
  return rangeFault("missing", gap, gap.from === gap.to ? "is missing" : `up to ${gap.to} are missing`);
}

function forgedFault(range: { from: number; to: number }): Fault {
  const up = range.from === range.to ? "was" : `up to ${range.to} were`;
  return rangeFault("forged", range, `${up} not written by a run that announced itself`);
}

function isForgedBehind({ fault, sequence }: Fault, resumed: number): boolean {
  return fault === "forged" && Number(sequence) > resumed;
}

function rangeFault(fault: Fault["fault"], { from, to }: { from: number; to: number }, what: string): Fault {
  return { fault, sequence: from, to, what, id: `${fault} ${from}-${to}` };
}

/** What the entry gives away by itself. */
function ownFault(stored: JsonObject, sequence: number): Fault | undefined {
  const content = entryHash(stored);
  if (!isEntry(stored)) return faultOf("edited", sequence, "has not the form of an entry", content);
  return content === stored["hash"]
    ? undefined
    : faultOf("edited", sequence, "is not what its hash says", content);
}

/** What the anchors of this place say, and what the entry itself tells of anchors. */
function anchorFaults(stored: JsonObject, sequence: number, { hashes }: Evidence): Fault[] {
  const known = [...(hashes.get(sequence) ?? [])];
  const hash = String(stored["hash"]);
  const faults: Fault[] = [];
  if (known.some((each) => each !== hash)) {
    const what = known.includes(hash) ? "one version of the anchor" : "the anchor";
    faults.push(faultOf("anchor", sequence, `${what} knows another entry in this place`, hash));
  }
  const { action, details } = stored;
  if (action === "audit.anchor-lost") {
    const last = isRecord(details) ? Number(details["sequence"]) : sequence - 1;
    faults.push({
      ...lostAnchor(last, "the anchor had been removed: entries missing before this one may not show"),
      sequence,
    });
  }
  return faults;
}

function movedAnchorFaults({ anchor, anchored, setBack }: Evidence): Fault[] {
  const last = anchored?.sequence ?? 0;
  const compared = anchored === undefined ? "" : "; its last version is compared instead";
  return [
    ...(anchor === "here" ? [] : [lostAnchor(last, `the anchor is ${anchor}${compared}`)]),
    ...setBack.map(({ from, to }) =>
      faultOf("anchor", to, `the anchor was set back from entry ${from} to ${to}`, from),
    ),
  ];
}

/** The same before and after a writer has recorded it. */
function lostAnchor(sequence: number, what: string): Fault {
  return { ...faultOf("anchor", sequence, what), id: `anchor lost ${sequence}` };
}

/** The entry before; not sound when it has been found edited. */
interface Before extends ChainHead {
  readonly isSound: boolean;
}

function follows(stored: JsonObject, previous: Before): boolean {
  const timesFollow =
    stored["previousTtl"] === previous.ttl &&
    String(stored["timestamp"]) >= previous.timestamp &&
    Number(stored["ttl"]) >= previous.ttl;
  // Of an edited entry the hash alone is compared: which of its times were edited is not known.
  return stored["previousHash"] === previous.hash && (timesFollow || !previous.isSound);
}

async function storedHead(site: TrailPlace, sequence: number): Promise<ChainHead> {
  const range = { fromSequence: sequence, toSequence: sequence };
  for await (const stored of storedChain(site, range)) return headOf(stored, sequence);
  return emptyHead;
}

function isDue(ttl: unknown, nowSeconds: number): boolean {
  return Number.isSafeInteger(ttl) && Number(ttl) <= nowSeconds && Number(ttl) > 0;
}
