import type { RetentionRule } from "../model/declaration.ts";
import { legalHold, type DocumentEntry } from "../model/documents.ts";
import { holds } from "../model/items.ts";
import { own, timeOf, type JsonObject } from "../model/json.ts";
import { momentIn, momentOf } from "../model/moments.ts";
import type { Entity, Expiry, Model } from "../model/schema.ts";

/** The rules that are on, by their ids, and the moment for which they decide. */
export interface Rules {
  readonly byId: ReadonlyMap<string, RetentionRule>;
  /** The earlier of the local clock and S3's; later only to look ahead. */
  readonly at: Date;
}

const dayMs = 86_400_000;

/** Whole days between two moments; 0 when the second is not later. */
function daysBetween(fromMs: number, { at }: Pick<Rules, "at">): number {
  return Math.max(0, Math.floor((at.getTime() - fromMs) / dayMs));
}

/** A verdict on a document; `sinceMs` is the moment from which its age counts. */
export interface DocumentVerdict {
  readonly rule: RetentionRule;
  readonly action: "purge" | "soft-delete" | "keep";
  readonly reason: string;
  readonly sinceMs: number;
}

/** Attributes of an entry that a verdict rests on. */
export const deciding = [
  "status",
  "s3Key",
  "uploadedAt",
  "uploadUntil",
  "expiresAt",
  "deletedAt",
  "legalHold",
] as const;

/**
 * What is due for a document by what its entry says. The times are text that some machine wrote: a purge also has to
 * wait until the object is as old by S3's time.
 *
 * | status              | and                                        | verdict                              |
 * |---------------------|--------------------------------------------|--------------------------------------|
 * | DELETED             | deletedAt is past the period               | purge                                |
 * | DELETED             | deletedAt is no time                       | keep, told: nobody knows since when   |
 * | UPLOADING, SCANNING | a link to upload it is still good          | none                                 |
 * | UPLOADING, SCANNING | uploadedAt is past the period              | purge                                |
 * | UPLOADING, SCANNING | uploadedAt is no time                      | keep, told                           |
 * | READY, INFECTED     | expiresAt is past the period               | soft-delete                          |
 * | any                 | one of these, and a legal hold             | keep, told with the hold's reason     |
 * | UNKNOWN, any other  |                                            | none                                 |
 */
export function decideDocument(document: DocumentEntry, rules: Rules): DocumentVerdict | undefined {
  const verdict = verdictOf(document, rules);
  const hold = legalHold(document.attributes);
  if (verdict === undefined || hold === undefined) return verdict;
  return { ...verdict, action: "keep", reason: `legal hold: ${hold}` };
}

function verdictOf(document: DocumentEntry, rules: Rules): DocumentVerdict | undefined {
  const { status, deletedAt, uploadedAt, expiresAt, attributes } = document;
  switch (status) {
    case "DELETED":
      return past(rules, "deleted-documents", { action: "purge", time: deletedAt, said: "deleted" });
    case "UPLOADING":
    case "SCANNING": {
      const until = timeOf(attributes["uploadUntil"]);
      if (until !== undefined && until > rules.at.getTime()) return undefined;
      return past(rules, "half-done-uploads", { action: "purge", time: uploadedAt, said: "begun" });
    }
    case "READY":
    case "INFECTED":
      if (timeOf(expiresAt) === undefined) return undefined;
      return past(rules, "expired-documents", { action: "soft-delete", time: expiresAt, said: "expired" });
    case "UNKNOWN":
      return undefined;
  }
}

function past(
  rules: Rules,
  id: string,
  { action, time, said }: { action: "purge" | "soft-delete"; time: string | undefined; said: string },
): DocumentVerdict | undefined {
  const rule = rules.byId.get(id);
  if (rule === undefined) return undefined;
  const sinceMs = timeOf(time);
  if (sinceMs === undefined) {
    const reason = `${said}, but since when is not known: ${JSON.stringify(time ?? null)} is no time`;
    return { rule, action: "keep", reason, sinceMs: rules.at.getTime() };
  }
  if (!isPast(rule, sinceMs, rules)) return undefined;
  return { rule, action, reason: `${said} on ${day(sinceMs)}`, sinceMs };
}

/** A verdict on a row; one by a rule that keeps the newest is of any age, and holds only for those that are not among them. */
export interface RowVerdict {
  readonly rule: RetentionRule;
  readonly action: "purge" | "soft-delete" | "expire" | "keep";
  readonly reason: string;
  readonly sinceMs: number;
  /** When its time is over by what it says itself, whatever the rule's period is by now. */
  readonly endsAtMs?: number;
}

/** What of a row's table and model a verdict rests on besides its entity. */
export interface RowTraits {
  /** The attribute by which DynamoDB lets items of the table expire. */
  readonly ttl: string | undefined;
  /** The status of a row that is deleted already, and the end of the time in which its file may still come. */
  readonly deleted?: { readonly field: string; readonly word: string } | undefined;
  readonly uploadUntil?: string | undefined;
}

/** What a verdict on rows of an entity rests on besides. Pure. */
export function traitsOf(
  { model }: { readonly model: Model },
  name: string,
  { from }: Pick<Entity, "from">,
): RowTraits {
  const { documents } = model.features ?? {};
  const ttl = "table" in from && !("database" in from) ? own(model.tables, from.table)?.ttl : undefined;
  if (documents?.entity !== name) return { ttl };
  const { status } = documents.fields;
  const word = documents.statuses?.DELETED ?? "DELETED";
  const deleted = status === undefined ? undefined : { field: status, word };
  return { ttl, deleted, uploadUntil: documents.fields.uploadUntil };
}

/**
 * What is due for a row by the rules of its entity: the first rule that does something, else the first that tells why it does
 * not. A time that cannot be read makes nothing due, and is told; one that is not there only where the rule has a condition,
 * which says that there should be one. So does an end of an upload that cannot be read.
 */
export function decideRow(
  { entity, traits }: { readonly entity: Entity; readonly traits: RowTraits },
  fields: JsonObject,
  rules: Rules,
): RowVerdict | undefined {
  const { uploadUntil = "" } = traits;
  const end = own(fields, uploadUntil) ?? undefined;
  const until = momentOf(entity, uploadUntil, end);
  if (until !== undefined && until > rules.at.getTime()) return undefined;
  const verdicts = (entity.expires ?? []).flatMap((expiry): RowVerdict[] => {
    const rule = rules.byId.get(expiry.id);
    if (rule === undefined || !holds(expiry.when, fields)) return [];
    if (expiry.do === "soft-delete" && isDeleted(traits, fields)) return [];
    const verdict = verdictOn({ entity, traits, expiry, rule }, fields, rules);
    return verdict === undefined ? [] : [verdict];
  });
  const acting = verdicts.filter(({ action }) => action !== "keep");
  const verdict = acting.find(({ rule }) => rule.keepNewest === undefined) ?? acting[0] ?? verdicts[0];
  const hold = legalHold(fields);
  if (verdict === undefined) return undefined;
  if (hold !== undefined) return { ...verdict, action: "keep", reason: `legal hold: ${hold}` };
  if (end === undefined || until !== undefined) return verdict;
  const reason = `until when its file may come is not known: ${uploadUntil} is ${JSON.stringify(end)}, which is no time`;
  return { ...verdict, action: "keep", reason };
}

function isDeleted({ deleted }: RowTraits, fields: JsonObject): boolean {
  return deleted !== undefined && own(fields, deleted.field) === deleted.word;
}

interface ByRule {
  readonly entity: Entity;
  readonly traits: RowTraits;
  readonly expiry: Expiry;
  readonly rule: RetentionRule;
}

function verdictOn(
  { entity, traits: { ttl }, expiry, rule }: ByRule,
  fields: JsonObject,
  rules: Rules,
): RowVerdict | undefined {
  const { since } = expiry;
  const value = since === undefined ? undefined : own(fields, since);
  const sinceMs = since === undefined ? undefined : momentOf(entity, since, value);
  if (expiry.by === "ttl") {
    const end = ttl === undefined ? undefined : own(fields, ttl);
    // DynamoDB goes by numbers alone.
    const endMs = typeof end === "number" ? momentIn("epochSeconds", end) : undefined;
    if (endMs !== undefined) {
      if (endMs > rules.at.getTime()) return undefined;
      const reason = `its life ended on ${day(endMs)}; DynamoDB's TTL removes it`;
      return { rule, action: "expire", reason, sinceMs: sinceMs ?? endMs, endsAtMs: endMs };
    }
    if (sinceMs === undefined || !isPast(rule, sinceMs, rules)) return undefined;
    const reason = `it is of ${day(sinceMs)}, but has no ${ttl ?? "ttl"} in epoch seconds: DynamoDB never removes it`;
    return { rule, action: "keep", reason, sinceMs };
  }
  if (sinceMs === undefined) {
    if (value === undefined && expiry.when === undefined) return undefined;
    const reason = `since when is not known: ${since ?? "its time"} is ${JSON.stringify(value ?? null)}, which is no time`;
    return { rule, action: "keep", reason, sinceMs: rules.at.getTime() };
  }
  if (rule.keepNewest === undefined && !isPast(rule, sinceMs, rules)) return undefined;
  const action = expiry.do === "soft-delete" ? "soft-delete" : "purge";
  return { rule, action, reason: `${since ?? "it"} is ${day(sinceMs)}`, sinceMs };
}

/** When a rule's period is over. Pure. */
export function endMs({
  rule,
  sinceMs,
  endsAtMs,
}: Pick<RowVerdict, "rule" | "sinceMs" | "endsAtMs">): number {
  return endsAtMs ?? sinceMs + (rule.afterDays ?? 0) * dayMs;
}

/** The times of a plan's entry: its age, and when its time was over, where it goes after a period. Pure. */
export function agesOf(
  verdict: Pick<RowVerdict, "rule" | "sinceMs" | "endsAtMs"> & Partial<Pick<RowVerdict, "action">>,
  rules: Pick<Rules, "at">,
): { readonly ageDays: number; readonly dueAt?: string } {
  const { rule, action, endsAtMs = rule.afterDays } = verdict;
  const ageDays = daysBetween(verdict.sinceMs, rules);
  if (action === "keep" || endsAtMs === undefined) return { ageDays };
  return { ageDays, dueAt: new Date(endMs(verdict)).toISOString() };
}

/**
 * That a purge follows what is only marked as deleted. Pure.
 * @param next the verdict on it once it is marked; undefined where that is not asked for or nothing is due by then.
 */
export function purgedBehind(next: Pick<RowVerdict, "rule" | "action" | "sinceMs"> | undefined): string {
  return next?.action === "purge" ? `; purged from ${day(endMs(next))} on` : "";
}

/** Whether a rule's period is over since a moment. */
export function isPast(rule: RetentionRule, sinceMs: number, { at }: Pick<Rules, "at">): boolean {
  return at.getTime() - sinceMs >= (rule.afterDays ?? 0) * dayMs;
}

/** A picture with its variants, as one owner has several. */
export interface Picture {
  readonly id: string;
  /** Of hero images; avatars have one role only. */
  readonly role: "default" | "hover";
  /** The latest of what the key says, of S3's times of its objects, and of when it was live. */
  readonly sinceMs: number;
  readonly isReferenced: boolean;
}

/**
 * The pictures of one owner that may go: nothing points to them, the period is over, and in their role there are as
 * many newer ones without a pointer as are to be kept. What is live does not count among the kept.
 */
export function duePictures<T extends Picture>(pictures: readonly T[], rules: Rules): T[] {
  const rule = rules.byId.get("unreferenced-images");
  if (rule === undefined) return [];
  const unused = pictures.filter(({ isReferenced }) => !isReferenced);
  return ["default", "hover"].flatMap((role) =>
    unused
      .filter((picture) => picture.role === role)
      .toSorted((one, other) => other.sinceMs - one.sinceMs || (one.id < other.id ? 1 : -1))
      .slice(rule.keepNewest ?? 0)
      .filter(({ sinceMs }) => isPast(rule, sinceMs, rules)),
  );
}

/** `2026-02-01`, in UTC. */
export function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
