import { listAudit } from "../audit/list.ts";
import type { TrailPlace } from "../audit/place.ts";
import { headObject } from "../aws/s3/objects.ts";
import type { AuditAction, AuditEntry } from "../model/audit.ts";
import { timeOf } from "../model/json.ts";
import { inParallel } from "../concurrency.ts";
import { namedInTrail } from "./owner-audit.ts";
import type { DocumentSite } from "./site.ts";

/** A link that still works, as far as the trail knows; never the link itself. */
export interface LiveLink {
  readonly userId: string;
  /** What it opens: a document or an avatar to read, or a place to upload a document to. */
  readonly kind: "document" | "avatar" | "upload";
  readonly id: string | null;
  readonly name: string | null;
  readonly expiresAt: string;
  readonly createdAt: string;
  readonly createdBy: string;
}

const kinds: ReadonlyMap<string, LiveLink["kind"]> = new Map([
  ["document.link-created", "document"],
  ["avatar.link-created", "avatar"],
  ["document.requested", "upload"],
] satisfies [AuditAction, LiveLink["kind"]][]);

/** S3 signs no link for longer. */
const longestMs = 7 * 86_400_000;
const headsAtOnce = 8;

/**
 * The links handed out, of one user or of all, whose time is not over and which still lead to something: an object that
 * was moved, purged or erased ends its links, whatever the trail says. Newest first.
 */
export async function liveLinks(
  site: DocumentSite,
  trail: TrailPlace,
  given: string | undefined,
): Promise<LiveLink[]> {
  const { rows } = site;
  const userId = given === undefined || rows === undefined ? given : await namedInTrail(rows, given);
  const now = site.now();
  const since = new Date(now.getTime() - longestMs);
  const entries: AuditEntry[] = [];
  const filters = userId === undefined ? [...kinds.keys()].map((action) => ({ action })) : [{ userId }];
  for (const filter of filters) {
    for await (const entry of listAudit(trail, { ...filter, since })) {
      const end = timeOf(entry.details["expiresAt"]);
      if (kinds.has(entry.action) && end !== undefined && end > now.getTime()) entries.push(entry);
    }
  }
  const objects = new Map(
    entries.filter(opensObject).map((entry) => {
      const { bucket, key } = entry.details;
      const object = { bucket: text(bucket) ?? site.bucket, key: text(key) ?? "" };
      return [nameOf(entry), object] as const;
    }),
  );
  const found = await inParallel(objects, headsAtOnce, async ([name, object]) =>
    (await headObject(site.aws, object, site.signal)) === undefined ? [] : [name],
  );
  const there = new Set(found.flat());
  return entries
    .filter((entry) => !opensObject(entry) || there.has(nameOf(entry)))
    .toSorted((one, other) => other.sequence - one.sequence)
    .map((entry) => ({
      userId: entry.userId ?? "",
      kind: kinds.get(entry.action) ?? "document",
      id: text(entry.details["documentId"]),
      name: text(entry.details["name"]),
      expiresAt: String(entry.details["expiresAt"]),
      createdAt: entry.timestamp,
      createdBy: entry.actor,
    }));
}

/** A link to upload works whether something has arrived or not. */
function opensObject({ action }: AuditEntry): boolean {
  return kinds.get(action) !== "upload";
}

/** Of an object among all buckets. */
function nameOf({ details }: AuditEntry): string {
  return `${text(details["bucket"]) ?? ""}/${text(details["key"]) ?? ""}`;
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
