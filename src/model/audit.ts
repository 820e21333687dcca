import { createHash } from "node:crypto";
import { canonicalJson, isRecord, timeOf } from "./json.ts";
import { detailsOf, type AuditDetails } from "./audit-details.ts";
import { auditChain } from "./tool-tables.ts";

/** What the tool does to somebody's data; a new changing command adds its own. */
export const auditActions = [
  "hero.changed",
  "hero.rolled-back",
  "hero.removed",
  "avatar.changed",
  "avatar.removed",
  "avatar.link-created",
  "document.uploaded",
  "document.refused",
  "document.scanned",
  "document.renamed",
  "document.tagged",
  "document.link-created",
  "document.link-revoked",
  "document.requested",
  "document.confirmed",
  "document.downloaded",
  "document.repaired",
  "document.deleted",
  "document.restored",
  "document.purged",
  "item.purged",
  "partition.dropped",
  "partition.put-back",
  "object.purged",
  "image.purged",
  "version.purged",
  "upload.aborted",
  "progress.exported",
  "progress.imported",
  "progress.recomputed",
  "twin.changed",
  "twin.exported",
  "twin.migrated",
  "twin.rolled-back",
  "twin.purged",
  "user.created",
  "user.invited",
  "user.confirmed",
  "user.changed",
  "user.disabled",
  "user.enabled",
  "user.signed-out",
  "user.password-reset",
  "user.mfa-reset",
  "user.grouped",
  "user.held",
  "user.released",
  "user.exported",
  "user.erased",
  "retention.run",
  "retention.handed-over",
  "retention.taken-back",
  "backup.created",
  "backup.restored",
  "backup.pruned",
  "backup.drilled",
  "table.recovery-enabled",
  "table.restored",
  "migration.applied",
  "migration.reverted",
  "setup.applied",
  "audit.anchor-lost",
  "audit.chain-broken",
  "audit.acknowledged",
] as const;

export type AuditAction = (typeof auditActions)[number];

/** What a command tells; the trail adds who, when, with what, and the place in the chain. */
export interface AuditEvent {
  readonly action: AuditAction;
  /** Whose data it is about; left out where it is nobody's in particular. */
  readonly userId?: string | undefined;
  readonly details?: AuditDetails | undefined;
}

/** An entry as it is stored. */
export interface AuditEntry {
  readonly chain: string;
  /** Whole numbers from 1 without gaps: also the count of entries ever written. */
  readonly sequence: number;
  /** UUID v4. */
  readonly id: string;
  /** ISO 8601, UTC; never earlier than the one before. */
  readonly timestamp: string;
  /** The caller's ARN, or `local:` and the name of the system's user. */
  readonly actor: string;
  readonly action: string;
  readonly userId?: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly userAgent: string;
  /** End of its life in epoch seconds; never before that of the one before. */
  readonly ttl: number;
  /** `ttl` of the one before: tells, when that one is gone, whether it was due. */
  readonly previousTtl: number;
  readonly previousHash: string;
  /** Public key (Ed25519, hex) of the run that wrote it. */
  readonly writer?: string;
  /** Which of the run's changes it tells of: each entry of the intent, and the last one of the outcome have it. */
  readonly change?: number;
  /** The run's signature (base64) over all but itself and the hash. */
  readonly signature?: string;
  readonly hash: string;
}

/** What the next entry is chained to: the newest entry's place, hash and times. */
export interface ChainHead {
  readonly sequence: number;
  readonly hash: string;
  readonly timestamp: string;
  readonly ttl: number;
}

/** The head of a chain without entries. */
export const emptyHead: ChainHead = {
  sequence: 0,
  hash: "0".repeat(64),
  timestamp: "1970-01-01T00:00:00.000Z",
  ttl: 0,
};

/**
 * How far a chain can have grown behind its anchor, which follows at once. What stands beyond was put there to stop or to
 * mislead the writers.
 */
export const mostUnanchored = 10_000;

/** No trail gets here: a number beyond was made up. */
const greatestSequence = 1e12;

/** How far clocks may differ before an entry counts as dated in the future. */
const clockToleranceMs = 86_400_000;

export function isInFuture(timestamp: string, now: Date): boolean {
  return Date.parse(timestamp) > now.getTime() + clockToleranceMs;
}

/** Signs in the name of one run. */
export interface Signer {
  /** Its public key in hex. */
  readonly writer: string;
  /** Base64. */
  sign(text: string): string;
}

/** What is the same in each entry of one run. */
export interface Writer {
  readonly actor: string;
  readonly userAgent: string;
  /** How long entries are kept. */
  readonly retentionDays: number;
  now(): Date;
  newId(): string;
}

/** The entries for these events, chained to `head` in their order. */
export function chained(
  head: ChainHead,
  events: readonly (AuditEvent & { readonly change?: number | undefined })[],
  writer: Writer & Signer,
): AuditEntry[] {
  const now = writer.now();
  const entries: AuditEntry[] = [];
  let previous = head;
  for (const { action, userId, details, change } of events) {
    const timestamp = later(now.toISOString(), previous.timestamp);
    const endOfLife = Math.floor(Date.parse(timestamp) / 1000) + writer.retentionDays * 86_400;
    const fields = {
      chain: auditChain,
      sequence: previous.sequence + 1,
      id: writer.newId(),
      timestamp,
      actor: writer.actor,
      action,
      // A key of an index may be left out, but not be empty.
      ...(userId === undefined || userId === "" ? {} : { userId }),
      details: detailsOf(details ?? {}),
      userAgent: writer.userAgent,
      ttl: Math.max(endOfLife, previous.ttl),
      previousTtl: previous.ttl,
      previousHash: previous.hash,
      writer: writer.writer,
      ...(change === undefined ? {} : { change }),
    };
    const signed = { ...fields, signature: writer.sign(signedText(fields)) };
    const entry = { ...signed, hash: entryHash(signed) };
    entries.push(entry);
    previous = entry;
  }
  return entries;
}

/**
 * SHA-256 in hex over the canonical JSON (keys sorted, no blanks, UTF-8) of every attribute but `hash`: also one that
 * somebody added.
 */
export function entryHash(attributes: Readonly<Record<string, unknown>>): string {
  const { hash: _own, ...rest } = attributes;
  return createHash("sha256").update(canonicalJson(rest)).digest("hex");
}

/** What a run signs of an entry: canonical JSON of every attribute but `signature` and `hash`. */
export function signedText(attributes: Readonly<Record<string, unknown>>): string {
  const { hash: _hash, signature: _signature, ...rest } = attributes;
  return canonicalJson(rest);
}

/** An event as it may be kept outside of the table: its details made harmless as in an entry. */
export function auditTextOf({ action, userId, details }: AuditEvent): AuditEvent {
  return { action, userId, details: detailsOf(details ?? {}) };
}

/** Whether stored attributes have the form of an entry; says nothing of their truth. */
export function isEntry(stored: Readonly<Record<string, unknown>>): boolean {
  const { sequence, timestamp, details, ttl, previousTtl } = stored;
  const texts = ["chain", "id", "actor", "action", "userAgent", "previousHash", "hash"];
  return (
    isSequence(sequence) &&
    isAuditTime(timestamp) &&
    isRecord(details) &&
    Number.isSafeInteger(ttl) &&
    Number.isSafeInteger(previousTtl) &&
    texts.every((name) => typeof stored[name] === "string")
  );
}

/** ISO 8601 in UTC to the millisecond: where one stands as text, it stands in time. */
export function isAuditTime(value: unknown): value is string {
  return typeof value === "string" && /^\d{4}-.*\.\d{3}Z$/.test(value) && timeOf(value) !== undefined;
}

export function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= greatestSequence;
}

function later(one: string, other: string): string {
  return one > other ? one : other;
}
