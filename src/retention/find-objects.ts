import type { ListedVersion } from "../aws/s3/listing.ts";
import { heroFolder, parseKey } from "../model/keys.ts";
import type { Noticed } from "./find-documents.ts";
import { findPictures, ownerOf, pictureFolder } from "./find-pictures.ts";
import type { ImageDue, VersionDue } from "./plan-entry.ts";
import { day, daysBetween, isPast, type Rules } from "./rules.ts";
import type { RetentionSite } from "./site.ts";
import { plannedVersion, timeMs, type KeyVersions } from "./stored-versions.ts";

/** The trail's anchor has its versions on purpose; only the bucket's own rules thin them out. */
const untouched = "audit/";

export interface BucketListing {
  readonly bucket: string;
  /** All keys of the bucket in order, each with its versions. */
  readonly stored: AsyncIterable<KeyVersions>;
  readonly noticed: Noticed;
}

/**
 * What is due in one bucket, by one listing of all its versions: pictures that nothing points to, and versions that
 * were replaced. In memory are the pictures of one owner.
 */
export async function* findObjects(
  site: RetentionSite,
  { bucket, stored: all, noticed }: BucketListing,
): AsyncGenerator<ImageDue | VersionDue> {
  let folder: { name: string; keys: KeyVersions[] } | undefined;
  for await (const stored of all) {
    noticed.there += stored.versions.length;
    const name = pictureFolder(stored.key);
    if (folder !== undefined && folder.name !== name) {
      yield* ofFolder(site, { ...folder, bucket, noticed });
      folder = undefined;
    }
    if (name === undefined) {
      yield* ofKey(site, stored, { bucket, noticed });
      continue;
    }
    folder ??= { name, keys: [] };
    folder.keys.push(stored);
  }
  if (folder !== undefined) yield* ofFolder(site, { ...folder, bucket, noticed });
}

/** Pictures go with all their versions; what stays may have old versions that go. */
async function* ofFolder(
  site: RetentionSite,
  { name, keys, bucket, noticed }: { name: string; keys: KeyVersions[]; bucket: string; noticed: Noticed },
): AsyncGenerator<ImageDue | VersionDue> {
  const { strangers } = noticed;
  const { due, unknown } = await findPictures(site, { bucket, folder: name, keys, strangers });
  if (unknown > 0) {
    // Other folders are one a user: all of a layout are told together.
    const prefix = name === heroFolder ? name : name.slice(0, name.lastIndexOf("/", name.length - 2) + 1);
    const place = `${bucket}/${prefix}`;
    const count = (noticed.unknownPictures.get(place)?.count ?? 0) + unknown;
    noticed.unknownPictures.set(place, { bucket, prefix, count });
  }
  yield* due;
  const going = new Set(due.map(({ key }) => key));
  for (const stored of keys) {
    if (!going.has(stored.key)) yield* ofKey(site, stored, { bucket, noticed });
  }
}

function* ofKey(
  site: RetentionSite,
  stored: KeyVersions,
  { bucket, noticed }: { bucket: string; noticed: Noticed },
): Generator<VersionDue> {
  if (noticed.held.has(stored.key) || noticed.purgedWhole.has(stored.key)) return;
  for (const replaced of replacedVersions(site.rules, stored)) yield versionDue(site, bucket, replaced);
}

/** A version that is not the current one any more, and when it stopped being that. */
export interface Replaced {
  readonly listed: ListedVersion;
  readonly sinceMs: number;
  readonly reason: string;
}

/**
 * The versions of a key whose successor is older than the period: a version's age counts from when it was replaced, as
 * S3's own rule counts. A delete marker goes after the same time, and only when nothing is left under it: it would
 * bring to light what it hides.
 */
export function replacedVersions(rules: Rules, { key, versions }: KeyVersions): Replaced[] {
  const rule = rules.byId.get("noncurrent-versions");
  const [newest] = versions;
  if (rule === undefined || newest === undefined || key.startsWith(untouched)) return [];
  if (versions.length === 1 && newest.isDeleteMarker) {
    const reason = "a delete marker with nothing under it";
    return isPast(rule, timeMs(newest), rules) ? [{ listed: newest, sinceMs: timeMs(newest), reason }] : [];
  }
  return versions.flatMap((listed, at): Replaced[] => {
    const successor = versions[at - 1];
    if (successor === undefined || listed.isLatest) return [];
    const sinceMs = timeMs(successor);
    const reason = `${successor.isDeleteMarker ? "deleted" : "replaced"} on ${day(sinceMs)}`;
    return isPast(rule, sinceMs, rules) ? [{ listed, sinceMs, reason }] : [];
  });
}

function versionDue({ rules }: RetentionSite, bucket: string, replaced: Replaced): VersionDue {
  const { listed, sinceMs, reason } = replaced;
  return {
    kind: "version",
    action: "purge",
    rule: "noncurrent-versions",
    by: rules.byId.get("noncurrent-versions")?.by ?? "lifecycle",
    reason,
    userId: ownerOf(parseKey(listed.key)),
    bucket,
    key: listed.key,
    bytes: listed.sizeBytes,
    ageDays: daysBetween(sinceMs, rules),
    versions: [plannedVersion(listed)],
  };
}
