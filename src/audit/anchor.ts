import type { Aws } from "../aws/clients.ts";
import type { GetObject } from "../aws/s3/get-object.ts";
import { getSmallObject, putObject } from "../aws/s3/objects.ts";
import { errorName, httpStatus } from "../aws/setting.ts";
import { isAuditTime, isInFuture, isSequence, type ChainHead } from "../model/audit.ts";
import { isRecord } from "../model/json.ts";
import { backOff } from "../retry.ts";
import { anchorKey, keptAnchorKey, type TrailPlace } from "./place.ts";

/**
 * The head of the chain as an S3 object keeps it, outside of the table: entries that are missing behind the last one in
 * the table show by it, and a chain that was computed anew has another hash there.
 */
export interface Anchor {
  /** Undefined when the object is no anchor of ours. */
  readonly head: ChainHead | undefined;
  readonly etag: string;
}

/** The anchor as it stands; undefined when there is none. */
export async function readAnchor(site: TrailPlace): Promise<Anchor | undefined> {
  const { aws, bucket, signal } = site;
  try {
    const { stored, etag } = await anchorIn(aws, { bucket, key: anchorKey(site), signal });
    return { head: stored, etag };
  } catch (error) {
    if (errorName(error) === "NoSuchKey") return undefined;
    throw error;
  }
}

/** Keeps the anchor of this head for good, under a key of its own; where that is wanted, S3 keeps it as long as the entry. */
export async function keepAnchor(site: TrailPlace, head: ChainHead): Promise<void> {
  try {
    await putObject(site.aws, {
      bucket: site.bucket,
      key: keptAnchorKey(site, head),
      body: anchorBytes(head),
      contentType: "application/json",
      ifNoneMatch: "*",
      lock: site.lock === undefined ? undefined : { mode: site.lock, until: lockedUntil(head) },
    });
  } catch (error) {
    // Somebody else has kept the same head.
    if (!isLostRace(error)) throw error;
  }
}

/** S3 locks nothing for more than a hundred years. */
function lockedUntil({ timestamp, ttl }: ChainHead): Date {
  const most = new Date(timestamp);
  most.setUTCFullYear(most.getUTCFullYear() + 99);
  return new Date(Math.min(ttl * 1000, most.getTime()));
}

/**
 * Anchors `head`, unless the anchor is there already or further: it never goes back, whoever else writes it.
 * Resolves to the anchor as it then stands.
 * @param known the anchor as it was last seen, undefined when there was none.
 */
export async function writeAnchor(
  site: TrailPlace,
  head: ChainHead,
  known: Anchor | undefined,
): Promise<Anchor> {
  const { aws, bucket } = site;
  let seen = known;
  const tries = backOff({ attempts: 30, longestDelayMs: 500 });
  for (;;) {
    if (seen?.head !== undefined && seen.head.sequence >= head.sequence) return seen;
    try {
      // Without the run's signal: what was done before Ctrl-C is anchored all the same.
      const { etag } = await putObject(aws, {
        bucket,
        key: anchorKey(site),
        body: anchorBytes(head),
        contentType: "application/json",
        ...(seen === undefined ? { ifNoneMatch: "*" } : { ifMatch: seen.etag }),
      });
      return { head, etag };
    } catch (error) {
      if (!isLostRace(error) || !(await tries.again())) throw error;
      seen = await readAnchor({ ...site, signal: undefined });
    }
  }
}

/**
 * 412: it has changed. 409: it is being changed. 404: it was removed meanwhile. Each time somebody else got further. By
 * the status: a server that has answered before it read the body may cut the connection in the middle of its words.
 */
function isLostRace(error: unknown): boolean {
  const status = httpStatus(error);
  return status === 412 || status === 409 || errorName(error) === "NoSuchKey";
}

/** The named fields alone: an entry is a head too, and what it tells of people stays in the table. */
function anchorBytes({ sequence, hash, timestamp, ttl }: ChainHead): Buffer {
  return Buffer.from(`${JSON.stringify({ sequence, count: sequence, hash, timestamp, ttl })}\n`);
}

/** Far more than an anchor has: what is larger is none, and is not read to its end. */
const mostBytes = 4096;

/** What an object says that stands in the place of an anchor; `stored` is undefined when it is none. */
export async function anchorIn(
  aws: Aws,
  get: GetObject,
): Promise<{ readonly stored: ChainHead | undefined; readonly etag: string }> {
  const { head, bytes } = await getSmallObject(aws, { ...get, maxBytes: mostBytes });
  return { stored: bytes && headIn(bytes, head.lastModified), etag: head.etag };
}

/** @param written when, by S3's clock: nothing can have been anchored that came later. */
function headIn(bytes: Buffer, written: Date | undefined): ChainHead | undefined {
  const value = parsed(bytes.toString());
  if (!isRecord(value)) return undefined;
  const { sequence, count, hash, timestamp, ttl } = value;
  if ((sequence !== 0 && !isSequence(sequence)) || count !== sequence) return undefined;
  if (typeof hash !== "string" || !isAuditTime(timestamp)) return undefined;
  if (written !== undefined && isInFuture(timestamp, written)) return undefined;
  return Number.isSafeInteger(ttl) ? { sequence, hash, timestamp, ttl: Number(ttl) } : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
