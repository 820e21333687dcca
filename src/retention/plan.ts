import { begunAhead } from "../concurrency.ts";
import type { Unconnected } from "../context.ts";
import { findDocuments, type Noticed, type UnknownPictures } from "./find-documents.ts";
import { findAuditEntries, findTwinHistory } from "./find-items.ts";
import { findObjects, ownersOfKey } from "./find-objects.ts";
import { findRows } from "./find-rows.ts";
import { findUploads } from "./find-uploads.ts";
import { thingsIn, type PlanEntry } from "./plan-entry.ts";
import { hasProfiles, keptFor, openRetention, type RetentionSite } from "./site.ts";
import { keysWithVersions } from "./stored-versions.ts";

/** What is due by one rule. */
export interface RuleTotal {
  readonly rule: string;
  readonly action: PlanEntry["action"];
  readonly by: PlanEntry["by"];
  readonly count: number;
  readonly bytes: number;
}

export interface Totals {
  readonly rules: readonly RuleTotal[];
  /** Objects, versions, uploads, rows and states of the twin that were looked at: what a share is a share of. */
  readonly there: number;
  /** Old pictures of which nothing says what they are, and which stay; undefined for a plan of a version that did not note them. */
  readonly unknownPictures?: readonly UnknownPictures[];
}

/** The sums alone of what is due now. */
export async function totalsDue(context: Unconnected): Promise<Totals> {
  const entries = planRetention(await openRetention(context));
  let step = await entries.next();
  while (step.done !== true) step = await entries.next();
  return step.value;
}

/**
 * All that is due, and what is kept from it by a legal hold or a fault, as it is found: first documents and rows, then the
 * objects and uploads of each bucket, then the digital twin and the audit trail. Nothing is changed, and memory
 * does not grow with the site. Returns the totals at the end.
 */
export async function* planRetention(site: RetentionSite): AsyncGenerator<PlanEntry, Totals> {
  const noticed: Noticed = {
    there: 0,
    unknownPictures: new Map(),
    held: new Set(),
    purgedWhole: new Set(),
    named: new Set(),
    strangers: new Set(),
  };
  const count = newTally();
  // The first page of each is asked for beside the others': of a small site that is all there is to wait for.
  const own = site.declaration.buckets.filter(({ keptBy }) => keptBy !== "site");
  const buckets = own.map(({ name }) => ({
    name,
    stored: begunAhead(keysWithVersions(site, name)),
    uploads: begunAhead(findUploads(site, name, noticed)),
  }));
  const rest: AsyncGenerator<PlanEntry>[] = [
    ...(hasProfiles(site) ? [begunAhead(findTwinHistory(site, noticed))] : []),
    begunAhead(findAuditEntries(site)),
  ];
  const found = async function* () {
    // First: the scan of profiles and rows tells of holds and pointers that the others have to know.
    if (hasProfiles(site)) yield* findDocuments(site, noticed);
    yield* findRows(site, noticed);
    for (const { name, stored, uploads } of buckets) {
      yield* findObjects(site, { bucket: name, stored, noticed });
      yield* uploads;
    }
    for (const entries of rest) yield* entries;
  };
  for await (const each of found()) {
    const entry = await heldBack(site, each);
    if (entry === undefined) continue;
    count.add(entry);
    yield entry;
  }
  return {
    rules: count.totals(),
    there: noticed.there,
    unknownPictures: [...noticed.unknownPictures.values()],
  };
}

/** What is due of somebody who is under a legal hold: documents are told, and nothing is done. Rows and partitions are judged with it. */
async function heldBack(site: RetentionSite, entry: PlanEntry): Promise<PlanEntry | undefined> {
  const { holding } = site;
  const isJudged = entry.kind === "row" || entry.kind === "partition";
  const holds = holding.isEmpty || isJudged ? [] : holding.of(await ownersOfEntry(site, entry));
  if (holds.length === 0) return entry;
  if (entry.kind !== "document") return isActedOn(entry) ? undefined : entry;
  return keptFor(holds, entry);
}

/** Everybody whose it is, as far as that is not told by a row of its own. */
export async function ownersOfEntry(site: RetentionSite, entry: PlanEntry): Promise<readonly string[]> {
  if (entry.kind === "object" || entry.kind === "version" || entry.kind === "upload")
    return ownersOfKey(site, entry);
  return entry.userId === null ? [] : [entry.userId];
}

/** Counts entries by rule and action. */
export function newTally(): { add(entry: PlanEntry): void; totals(): RuleTotal[] } {
  const totals = new Map<string, RuleTotal>();
  return {
    add(entry) {
      const { rule, action, by, bytes } = entry;
      const name = `${rule} ${action}`;
      const { count = 0, bytes: sum = 0 } = totals.get(name) ?? {};
      totals.set(name, { rule, action, by, count: count + thingsIn(entry), bytes: sum + bytes });
    },
    totals: () => [...totals.values()],
  };
}

/** What a run would do something about: not what is kept or left to DynamoDB. */
export function isActedOn({ action }: Pick<PlanEntry, "action">): boolean {
  return action !== "keep" && action !== "expire";
}

/** How many of the entries are gone for good after a run. */
export function irreversible(totals: readonly RuleTotal[]): number {
  return totals
    .filter(({ action }) => action === "purge" || action === "abort-upload")
    .reduce((sum, { count }) => sum + count, 0);
}

/** How many may be deleted when nothing else is said: 500, or 5 % of what is there, whichever is more. */
export function defaultLimit({ there }: Pick<Totals, "there">): number {
  return Math.max(500, Math.floor(there / 20));
}
