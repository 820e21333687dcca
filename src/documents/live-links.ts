import { listAudit } from "../audit/list.ts";
import type { TrailPlace } from "../audit/place.ts";
import { headObject } from "../aws/s3/objects.ts";
import type { AuditAction, AuditEntry } from "../model/audit.ts";
import { timeOf } from "../model/json.ts";
import { inParallel } from "../concurrency.ts";
import { cdnMethod } from "./link.ts";
import { namedInTrail } from "./owner-audit.ts";
import { attachmentIn } from "./row-model.ts";
import { rowsOfUser } from "./rows.ts";
import type { DocumentSite } from "./site.ts";

/** A link that still works, as far as the trail knows; never the link itself. */
export interface LiveLink {
  readonly userId: string;
  /** What it opens: a document or an avatar to read, a document at the site's CDN, or a place to upload a document to. */
  readonly kind: "document" | "avatar" | "cdn" | "upload";
  readonly id: string | null;
  readonly name: string | null;
  /** Null of what has no end. */
  readonly expiresAt: string | null;
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
 * was moved, purged or erased ends its links, whatever the trail says. Of an address at a CDN, which has no end, the last time that it was
 * told. Newest first.
 * @param given an id, or what documents are attached to: then the links to these alone.
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
  const attached = await idsOfAttached(site, given);
  const filters =
    userId === undefined
      ? [...kinds.keys()].map((action) => ({ action, ...(mayBeEndless(action) ? {} : { since }) }))
      : [{ userId }];
  const endless = new Set<string>();
  for (const filter of filters) {
    for await (const entry of listAudit(trail, filter)) {
      const { action, details } = entry;
      if (!kinds.has(action) || attached?.has(text(details["documentId"]) ?? "") === false) continue;
      const address = addressOf(entry);
      const end = timeOf(details["expiresAt"]) ?? Number.NEGATIVE_INFINITY;
      if (address === undefined ? end > now.getTime() : !endless.has(address)) entries.push(entry);
      if (address !== undefined) endless.add(address);
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
      kind: addressOf(entry) === undefined ? (kinds.get(entry.action) ?? "document") : "cdn",
      id: text(entry.details["documentId"]),
      name: text(entry.details["name"]),
      expiresAt: text(entry.details["expiresAt"]),
      createdAt: entry.timestamp,
      createdBy: entry.actor,
    }));
}

/** Ids of the documents that are attached to what is given instead of somebody; undefined for somebody. */
async function idsOfAttached({ rows }: DocumentSite, given = ""): Promise<ReadonlySet<string> | undefined> {
  if (rows === undefined || attachmentIn(rows, given) === undefined) return undefined;
  return new Set((await rowsOfUser(rows, given)).map(({ document }) => document.id));
}

/** Addresses at a CDN have no end, so that they are looked for through the whole trail. */
function mayBeEndless(action: string): boolean {
  return action === ("document.link-created" satisfies AuditAction);
}

/** What an address at a CDN leads to, and as what; undefined of a link that ends. */
function addressOf({ details }: AuditEntry): string | undefined {
  const { method, bucket, key, url, transformation } = details;
  return method === cdnMethod ? JSON.stringify([bucket, key, url, transformation]) : undefined;
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
