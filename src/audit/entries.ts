import { queryRecords } from "../aws/dynamodb/records.ts";
import { emptyHead, isAuditTime, isSequence, type ChainHead } from "../model/audit.ts";
import { auditChain } from "../model/tool-tables.ts";
import type { JsonObject } from "../model/json.ts";
import type { TrailPlace } from "./place.ts";

/** The chain as it is stored, in its order, pages at a time; consistent reads. */
export async function* storedChain(
  site: TrailPlace,
  options: {
    readonly fromSequence?: number;
    readonly toSequence?: number;
    readonly descending?: boolean;
    readonly pageSize?: number;
  } = {},
): AsyncGenerator<JsonObject> {
  const { fromSequence, toSequence = Number.MAX_SAFE_INTEGER, descending, pageSize } = options;
  const pages = queryRecords(site.aws, {
    table: site.table,
    partition: { attribute: "chain", value: auditChain },
    sort:
      fromSequence === undefined ? undefined : { attribute: "sequence", from: fromSequence, to: toSequence },
    consistent: true,
    descending,
    pageSize,
    signal: site.signal,
  });
  for await (const page of pages) yield* page;
}

/**
 * The newest entry's place and hash. What is no whole number among the sequences was put there by somebody else and
 * is passed over; attributes that somebody damaged count as nothing, so that a damaged entry never stops the next one.
 */
export async function readHead(site: TrailPlace): Promise<ChainHead> {
  for await (const stored of storedChain(site, { descending: true, pageSize: 1 })) {
    const { sequence, hash, timestamp, ttl } = stored;
    if (!isSequence(sequence)) continue;
    return {
      sequence,
      hash: typeof hash === "string" ? hash : emptyHead.hash,
      timestamp: isAuditTime(timestamp) ? timestamp : emptyHead.timestamp,
      ttl: Number.isSafeInteger(ttl) ? Number(ttl) : emptyHead.ttl,
    };
  }
  return emptyHead;
}
