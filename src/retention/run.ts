import { heldReason } from "../audit/holds.ts";
import type { AuditTrail } from "../audit/trail.ts";
import { inParallel } from "../concurrency.ts";
import { isActedOn, newTally, ownersOfEntry, type RuleTotal } from "./plan.ts";
import type { HandOver } from "./hand-over.ts";
import { thingsIn, type DueEntry, type PlanEntry } from "./plan-entry.ts";
import { findReferences, nameOfRow } from "./find-rows.ts";
import type { PauseForReplicas } from "./replica-pauses.ts";
import { dropPartition, putBackPartition, recheckPartitions, type Archive } from "./drop-partition.ts";
import {
  abortUploads,
  purgeObjects,
  purgeTwinVersions,
  softDelete,
  softDeleteRows,
  type Acted,
} from "./purge.ts";
import {
  recheckDocuments,
  recheckImages,
  recheckObjects,
  recheckRows,
  recheckTwin,
  recheckUploads,
  recheckVersions,
  type Planned,
  type Rechecked,
  type Skipped,
} from "./recheck.ts";
import { findStrangers } from "./references.ts";
import { hasProfiles, heldPeople, type RetentionSite } from "./site.ts";
import { placeText } from "./stored-versions.ts";

/** S3's limit of one DeleteObjects call: what goes together fills one. */
const versionsPerChunk = 1000;

/** Entries whose owners are asked for at once. */
const sideBySide = 8;

export interface RunOptions {
  /** Looks at everything and does nothing. */
  readonly dryRun: boolean;
  readonly audit: AuditTrail;
  /** Keeps the rows of partitions before they are dropped; undefined where they go without. */
  readonly archive?: Archive | undefined;
  /** Takes what has an object in place of deleting it. */
  readonly handOver?: HandOver | undefined;
  /** Asked before each group of rows of a database. */
  readonly pauseForReplicas?: PauseForReplicas | undefined;
  /** Told what was done so far, after each group. */
  readonly onDone: (done: number) => void;
}

/** One entry that was to be carried out and was not. */
export interface Failure {
  readonly due: DueEntry;
  readonly why: string;
}

export interface RunOutcome {
  /** Done (in a dry run: what would be), by rule. */
  readonly rules: readonly RuleTotal[];
  readonly done: number;
  /** Entries whose objects were handed over. */
  readonly handedOver: number;
  /** Had been done before: by a run that was broken off, or by AWS's own rules. */
  readonly gone: number;
  readonly skipped: readonly Skipped[];
  readonly failures: readonly Failure[];
  /** What waits for another run, by why. */
  readonly left: ReadonlyMap<string, number>;
}

/**
 * Carries out a plan (which is read from its beginning each time it is asked for) in its order, as many entries at once as one call deletes. Each group is looked at anew first; what
 * changed is skipped and named. What was broken off anywhere is finished by the next run: objects go before the
 * entries that name them, and an intent in the audit trail before both.
 */
export async function carryOut(
  site: RetentionSite,
  entries: () => AsyncIterable<PlanEntry>,
  options: RunOptions,
): Promise<RunOutcome> {
  const tally = newTally();
  const outcome = { done: 0, handedOver: 0, gone: 0, skipped: [] as Skipped[], failures: [] as Failure[] };
  const left = new Map<string, number>();
  const recheck = rechecking(entries);
  let { holding } = site;
  for await (const chunk of chunks(entries())) {
    site.signal.throwIfAborted();
    const why = await whyLeft(site, chunk, options);
    if (why !== undefined) {
      left.set(why, (left.get(why) ?? 0) + things(chunk));
      continue;
    }
    let rechecked = await recheck({ ...site, holding }, chunk);
    const before = holding;
    holding = await heldPeople(site);
    // Whom rows and files go by is not asked for where nobody is held, and what they say of each other was read with the holds of then.
    if (holding.standing !== before.standing) rechecked = await recheck({ ...site, holding }, chunk);
    const { ready, skipped, gone } = await withoutHeld({ ...site, holding }, rechecked);
    outcome.gone += things(gone);
    outcome.skipped.push(...skipped);
    const own = options.handOver === undefined ? ready : await options.handOver.take(ready);
    outcome.handedOver += ready.length - own.length;
    const acted = options.dryRun
      ? { done: own.map(({ due }) => due), failures: [] }
      : await act({ ...site, holding }, own, options);
    for (const due of acted.done) tally.add(due);
    outcome.done += things(acted.done);
    outcome.failures.push(...acted.failures);
    options.onDone(outcome.done);
  }
  return { ...outcome, rules: tally.totals(), left };
}

/** Why entries have to wait for another run: the replicas of their database are too far behind. */
async function whyLeft(
  { databases }: RetentionSite,
  [first]: readonly DueEntry[],
  { pauseForReplicas }: RunOptions,
): Promise<string | undefined> {
  if (first?.kind !== "row" && first?.kind !== "partition") return undefined;
  const database = databases.find(({ name }) => first.table.startsWith(`${name}.`));
  return database && pauseForReplicas?.(database.role);
}

function things(dues: readonly DueEntry[]): number {
  return dues.reduce((sum, due) => sum + thingsIn(due), 0);
}

/** Entries of one kind, action, table and bucket that follow each other, with at most 1,000 versions in all where that can be. */
async function* chunks(entries: AsyncIterable<PlanEntry>): AsyncGenerator<DueEntry[]> {
  let chunk: DueEntry[] = [];
  let weight = 0;
  for await (const entry of entries) {
    if (entry.kind === "audit-entry" || !isActedOn(entry)) continue;
    const own = "versions" in entry ? Math.max(1, entry.versions.length) : 1;
    const [first] = chunk;
    if (first !== undefined && (sortOf(first) !== sortOf(entry) || weight + own > versionsPerChunk)) {
      yield chunk;
      chunk = [];
      weight = 0;
    }
    chunk.push(entry);
    weight += own;
  }
  if (chunk.length > 0) yield chunk;
}

function sortOf(entry: DueEntry): string {
  const bucket = "bucket" in entry ? entry.bucket : undefined;
  const table = "table" in entry ? entry.table : undefined;
  // Each of these is something of its own.
  const partition = entry.kind === "partition" ? entry.partition : undefined;
  return JSON.stringify([entry.kind, entry.action, bucket, table, partition]);
}

function rechecking(
  entries: () => AsyncIterable<PlanEntry>,
): (site: RetentionSite, chunk: readonly DueEntry[]) => Promise<Rechecked> {
  let strangers: Promise<Set<string>> | undefined;
  let read: { readonly standing: string; readonly planned: Promise<Planned> } | undefined;
  return async (site, chunk) => {
    const { standing } = site.holding;
    const planned = () => {
      if (read?.standing !== standing) read = { standing, planned: plannedOf(site, entries()) };
      return read.planned;
    };
    const only = <K extends DueEntry["kind"]>(kind: K) =>
      chunk.filter((entry): entry is Extract<DueEntry, { kind: K }> => entry.kind === kind);
    switch (chunk[0]?.kind) {
      case "document":
        return hasProfiles(site) ? recheckDocuments(site, only("document")) : ofNone(chunk);
      case "image":
        return hasProfiles(site)
          ? recheckImages(site, only("image"), await (strangers ??= findStrangers(site)))
          : ofNone(chunk);
      case "row":
        return recheckRows(site, only("row"), await planned());
      case "partition":
        return recheckPartitions(site, only("partition"));
      case "object":
        return recheckObjects(site, only("object"), await planned());
      case "version":
        return recheckVersions(
          site,
          only("version"),
          hasProfiles(site) ? new Set() : (await planned()).references.held,
        );
      case "upload":
        return recheckUploads(site, only("upload"));
      case "twin-version":
        return recheckTwin(site, only("twin-version"));
      case undefined:
        return { ready: [], skipped: [], gone: [] };
    }
  };
}

/** Nothing goes of somebody who is under a legal hold by now. */
async function withoutHeld(site: RetentionSite, { ready, skipped, gone }: Rechecked): Promise<Rechecked> {
  const { holding } = site;
  if (holding.isEmpty) return { ready, skipped, gone };
  const judged = await inParallel(ready, sideBySide, async (each) => ({
    each,
    holds: holding.of(each.owners ?? (await ownersOfEntry(site, each.due))),
  }));
  const held = judged.filter(({ holds }) => holds.length > 0);
  return {
    ready: judged.flatMap(({ each, holds }) => (holds.length > 0 ? [] : [each])),
    skipped: [
      ...skipped,
      ...held.map(({ each: { due, planned = due }, holds }) => ({ due: planned, why: heldReason(holds) })),
    ],
    gone,
  };
}

/** Of a plan that somebody wrote by hand. */
function ofNone(chunk: readonly DueEntry[]): Rechecked {
  return { ready: [], skipped: chunk.map((due) => ({ due, why: "the site has no such things" })), gone: [] };
}

/** What rows of the site say of the files that the plan takes away. */
async function plannedOf(site: RetentionSite, entries: AsyncIterable<PlanEntry>): Promise<Planned> {
  const [rows, files] = [new Set<string>(), new Set<string>()];
  for await (const entry of entries) {
    if (!isActedOn(entry) || (entry.kind !== "row" && entry.kind !== "object")) continue;
    if (entry.kind === "row" && entry.action === "purge")
      rows.add(nameOfRow({ table: entry.table, key: entry.item }));
    if (entry.bucket !== undefined && entry.key !== undefined) files.add(placeText(entry.bucket, entry.key));
  }
  return { rows, references: await findReferences(site, files) };
}

async function act(
  site: RetentionSite,
  ready: Rechecked["ready"],
  { audit, archive }: Pick<RunOptions, "audit" | "archive">,
): Promise<Acted> {
  const first = ready[0]?.due;
  if (first === undefined) return { done: [], failures: [] };
  switch (first.kind) {
    case "document":
      if (first.action !== "soft-delete") return purgeObjects(site, ready, audit);
      return hasProfiles(site) ? softDelete(site, ready, audit) : { done: [], failures: [] };
    case "row":
      return first.action === "soft-delete"
        ? softDeleteRows(site, ready, audit)
        : purgeObjects(site, ready, audit);
    case "partition":
      return first.action === "put-back"
        ? putBackPartition(site, first, audit)
        : dropPartition(site, first, { audit, archive });
    case "object":
    case "image":
    case "version":
      return purgeObjects(site, ready, audit);
    case "upload":
      return abortUploads(site, ready, audit);
    case "twin-version":
      return purgeTwinVersions(site, ready, audit);
  }
}
