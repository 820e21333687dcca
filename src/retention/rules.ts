import type { RetentionRule } from "../model/declaration.ts";
import { legalHold, type DocumentEntry } from "../model/documents.ts";
import { timeOf } from "../model/json.ts";

/** The rules that are on, by their ids, and the moment for which they decide. */
export interface Rules {
  readonly byId: ReadonlyMap<string, RetentionRule>;
  /** The earlier of the local clock and S3's. */
  readonly at: Date;
}

const dayMs = 86_400_000;

/** Whole days between two moments; 0 when the second is not later. */
export function daysBetween(fromMs: number, { at }: Pick<Rules, "at">): number {
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
