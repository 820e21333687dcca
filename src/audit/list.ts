import { queryRecords } from "../aws/dynamodb/records.ts";
import { isAuditTime, isSequence, type AuditEntry } from "../model/audit.ts";
import { auditChain } from "../model/tool-tables.ts";
import { isRecord, type JsonObject } from "../model/json.ts";
import { readHead, storedChain } from "./entries.ts";
import type { TrailPlace } from "./place.ts";

export interface AuditFilter {
  readonly userId?: string;
  readonly action?: string;
  /** The first moment that counts. */
  readonly since?: Date;
  /** The last moment that counts. */
  readonly until?: Date;
}

/**
 * Entries, newest first, in flat memory: by a user's or an action's index, else by the chain from its end. The indexes
 * are eventually consistent: an entry of the last second may not be in them. Says nothing of whether they are genuine.
 */
export async function* listAudit(site: TrailPlace, filter: AuditFilter): AsyncGenerator<AuditEntry> {
  const { userId, action } = filter;
  const source =
    userId !== undefined
      ? byIndex(site, filter, { index: "UserId-Timestamp-Index", attribute: "userId", value: userId })
      : action !== undefined
        ? byIndex(site, filter, { index: "Action-Timestamp-Index", attribute: "action", value: action })
        : storedChain(site, { descending: true });
  const since = filter.since?.toISOString() ?? "";
  const until = filter.until?.toISOString() ?? "~";
  for await (const stored of source) {
    const entry = entryOf(stored);
    // Times never go back along the chain; a damaged one says nothing of the others.
    if (entry.timestamp < since && isAuditTime(entry.timestamp)) return;
    if (entry.timestamp > until || entry.chain !== auditChain) continue;
    if (action === undefined || entry.action === action) yield entry;
  }
}

/** Entries of the same millisecond come in no order of their own: those are sorted by their place in the chain. */
async function* byIndex(
  site: TrailPlace,
  { since, until }: AuditFilter,
  { index, attribute, value }: { index: string; attribute: string; value: string },
): AsyncGenerator<JsonObject> {
  // DynamoDB refuses a period that ends before it begins.
  if (since !== undefined && until !== undefined && since > until) return;
  const pages = queryRecords(site.aws, {
    table: site.table,
    index,
    partition: { attribute, value },
    sort: {
      attribute: "timestamp",
      from: since?.toISOString() ?? " ",
      to: until?.toISOString() ?? "~",
    },
    descending: true,
    signal: site.signal,
  });
  let together: JsonObject[] = [];
  for await (const page of pages) {
    for (const stored of page) {
      if (together.length > 0 && together[0]?.["timestamp"] !== stored["timestamp"]) {
        yield* together.sort(newestFirst);
        together = [];
      }
      together.push(stored);
    }
  }
  yield* together.sort(newestFirst);
}

function newestFirst(one: JsonObject, other: JsonObject): number {
  return Number(other["sequence"]) - Number(one["sequence"]);
}

/**
 * The chain as it is stored, oldest first, each attribute untouched, so that hashes can be computed from it. The first
 * entry in the period is found by halving, not by reading from the beginning.
 */
export async function* exportAudit(
  site: TrailPlace,
  { since, until }: Pick<AuditFilter, "since" | "until">,
): AsyncGenerator<JsonObject> {
  const fromSequence = since === undefined ? undefined : await firstSince(site, since.toISOString());
  const end = until?.toISOString() ?? "~";
  for await (const stored of storedChain(site, { fromSequence })) {
    // To the end of the chain: a single damaged time must not cut the rest off.
    if (String(stored["timestamp"]) <= end) yield stored;
  }
}

/** The least sequence from which on all entries are of that time or later. */
async function firstSince(site: TrailPlace, since: string): Promise<number> {
  let low = 1;
  let high = (await readHead(site)).sequence + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const found = await nextFrom(site, middle);
    if (found === undefined || found.timestamp >= since) high = middle;
    else low = found.sequence + 1;
  }
  return low;
}

async function nextFrom(site: TrailPlace, fromSequence: number): Promise<AuditEntry | undefined> {
  for await (const stored of storedChain(site, { fromSequence, pageSize: 1 }))
    if (isSequence(stored["sequence"])) return entryOf(stored);
  return undefined;
}

/** A stored entry for reading; what somebody damaged shows as empty. */
function entryOf(stored: JsonObject): AuditEntry {
  const text = (name: string) => (typeof stored[name] === "string" ? stored[name] : "");
  const number = (name: string) => (typeof stored[name] === "number" ? stored[name] : 0);
  return {
    chain: text("chain"),
    sequence: number("sequence"),
    id: text("id"),
    timestamp: text("timestamp"),
    actor: text("actor"),
    action: text("action"),
    ...(typeof stored["userId"] === "string" ? { userId: stored["userId"] } : {}),
    details: isRecord(stored["details"]) ? stored["details"] : {},
    userAgent: text("userAgent"),
    ttl: number("ttl"),
    previousTtl: number("previousTtl"),
    previousHash: text("previousHash"),
    hash: text("hash"),
  };
}
