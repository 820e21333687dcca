import type { AuditEntry } from "../model/audit.ts";
import type { ChainHead } from "../model/audit.ts";
import { readHead } from "./entries.ts";
import { listAudit, type AuditFilter } from "./list.ts";
import type { TrailPlace } from "./place.ts";
import { verifyTrail, type Found, type Verification } from "./verify.ts";

/** What a period of the trail tells. */
export interface AuditPeriod {
  readonly entries: number;
  /** The first and the last moment of an entry. */
  readonly from: string | null;
  readonly to: string | null;
  /** Entries by the Monday (UTC) of their week, the oldest first. */
  readonly weeks: ReadonlyMap<string, number>;
  /** What was done, each once: an intent and its outcome are two entries. */
  readonly actions: ReadonlyMap<string, number>;
  readonly actors: ReadonlyMap<string, number>;
  /** What was given out of people, and who was erased: newest first. */
  readonly letters: readonly AuditEntry[];
  /** Exports and erasures that are not among `letters`. */
  readonly moreLetters: number;
}

/** The same with whether it can be believed, for who has to file it. */
export interface AuditReport extends AuditPeriod {
  readonly verification: Verification;
  readonly found: readonly Found[];
  readonly moreFound: number;
  readonly head: Pick<ChainHead, "sequence" | "hash">;
}

const letterActions: ReadonlySet<string> = new Set(["user.exported", "user.erased"]);

/** So many exports and erasures, and so many findings, are told one by one; what more there are is counted. */
const mostTold = 1000;

/** Whether an entry, the newest first, is the intent of something whose outcome is there: that tells of it. */
function intents(): (entry: AuditEntry) => boolean {
  const outcomes = new Map<string, number>();
  return ({ action, userId = "", actor, details: { phase } }) => {
    const name = JSON.stringify([action, userId, actor]);
    const open = outcomes.get(name) ?? 0;
    const isIntent = phase === "begun" && open > 0;
    if (isIntent && open === 1) outcomes.delete(name);
    else if (isIntent) outcomes.set(name, open - 1);
    else if (phase === "done" || phase === "failed") outcomes.set(name, open + 1);
    return isIntent;
  };
}

type Period = Pick<AuditFilter, "since" | "until">;

/** Reads a period once, in memory that does not grow with it but for who acted, and for outcomes whose intent is not in it. */
export async function periodOf(site: TrailPlace, filter: Period): Promise<AuditPeriod> {
  const [weeks, actions, actors]: readonly [Counts, Counts, Counts] = [new Map(), new Map(), new Map()];
  const letters: AuditEntry[] = [];
  const isIntent = intents();
  let [entries, moreLetters] = [0, 0];
  let [from, to] = [null as string | null, null as string | null];
  for await (const entry of listAudit(site, filter)) {
    entries += 1;
    from = entry.timestamp;
    to ??= entry.timestamp;
    add(weeks, mondayOf(entry.timestamp));
    // What was begun and ended is one thing that was done.
    if (isIntent(entry)) continue;
    add(actions, entry.action);
    add(actors, entry.actor);
    if (!letterActions.has(entry.action)) continue;
    if (letters.length < mostTold) letters.push(entry);
    else moreLetters += 1;
  }
  return {
    entries,
    from,
    to,
    weeks: new Map([...weeks].toReversed()),
    actions,
    actors,
    letters,
    moreLetters,
  };
}

/** As JSON has it: counts as objects. Pure. */
export function plainPeriod<T extends AuditPeriod>(period: T) {
  const { weeks, actions, actors } = period;
  return {
    ...period,
    weeks: Object.fromEntries(weeks),
    actions: Object.fromEntries(actions),
    actors: Object.fromEntries(actors),
  };
}

type Counts = Map<string, number>;

function add(counts: Counts, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** The day, UTC, on which the week of a time began; what is no time stands for itself. */
function mondayOf(timestamp: string): string {
  const at = new Date(timestamp);
  if (Number.isNaN(at.getTime())) return timestamp;
  at.setUTCDate(at.getUTCDate() - ((at.getUTCDay() + 6) % 7));
  return at.toISOString().slice(0, 10);
}

/** Reads a period once for what it tells, and the whole chain for whether it can be believed. */
export async function reportOf(site: TrailPlace, filter: Period, now: Date): Promise<AuditReport> {
  const period = await periodOf(site, filter);
  const found: Found[] = [];
  let moreFound = 0;
  // Before: what is told as the end of the trail was then judged with it.
  const { sequence, hash } = await readHead(site);
  const verifying = verifyTrail(site, now);
  let step = await verifying.next();
  for (; step.done !== true; step = await verifying.next())
    if (found.length < mostTold) found.push(step.value);
    else moreFound += 1;
  return { ...period, verification: step.value, found, moreFound, head: { sequence, hash } };
}

/** The largest counts first, equal ones by name. */
export function mostFirst(counts: ReadonlyMap<string, number>): (readonly [name: string, number: number])[] {
  return [...counts].toSorted(([one, few], [other, many]) => many - few || (one < other ? -1 : 1));
}
