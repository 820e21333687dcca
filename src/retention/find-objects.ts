import type { ListedVersion } from "../aws/s3/listing.ts";
import type { RetentionRule } from "../model/declaration.ts";
import { heroFolder, parseKey } from "../model/keys.ts";
import { own } from "../model/json.ts";
import { ownerField } from "../model/objects.ts";
import type { Noticed } from "./find-documents.ts";
import { findPictures, ownerOf, pictureFolder } from "./find-pictures.ts";
import type { ImageDue, ObjectDue, VersionDue } from "./plan-entry.ts";
import { day, agesOf, isPast, type Rules } from "./rules.ts";
import { ownersOf } from "../stores/row-owners.ts";
import { hasProfiles, lifecycleRule, type ProfileSite, type RetentionSite } from "./site.ts";
import {
  bytesOf,
  newestBytesMs,
  placeText,
  plannedVersion,
  timeMs,
  type KeyVersions,
} from "./stored-versions.ts";

/** The trail's anchor has its versions on purpose; only the bucket's own rules thin them out. */
const untouched = "audit/";

export interface BucketListing {
  readonly bucket: string;
  /** All keys of the bucket in order, each with its versions. */
  readonly stored: AsyncIterable<KeyVersions>;
  readonly noticed: Noticed;
}

/**
 * What is due in one bucket, by one listing of all its versions: objects by the rules of their entities, pictures that nothing
 * points to, and versions that were replaced. In memory are the pictures of one owner.
 */
export async function* findObjects(
  site: RetentionSite,
  { bucket, stored: all, noticed }: BucketListing,
): AsyncGenerator<ImageDue | ObjectDue | VersionDue> {
  let folder: { name: string; keys: KeyVersions[] } | undefined;
  for await (const stored of all) {
    noticed.there += stored.versions.length;
    if (!hasProfiles(site)) {
      yield* ofKey(site, stored, { bucket, noticed });
      continue;
    }
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
  if (folder !== undefined && hasProfiles(site)) yield* ofFolder(site, { ...folder, bucket, noticed });
}

/** Pictures go with all their versions; what stays may have old versions that go. */
async function* ofFolder(
  site: ProfileSite,
  { name, keys, bucket, noticed }: { name: string; keys: KeyVersions[]; bucket: string; noticed: Noticed },
): AsyncGenerator<ImageDue | ObjectDue | VersionDue> {
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
): Generator<ObjectDue | VersionDue> {
  const place = placeText(bucket, stored.key);
  if (noticed.held.has(place) || noticed.purgedWhole.has(place)) return;
  const due = noticed.named.has(place) ? undefined : objectDue(site, bucket, stored);
  if (due !== undefined) {
    yield due;
    return;
  }
  const rule = lifecycleRule(site, bucket, "purge");
  if (rule === undefined) return;
  for (const replaced of replacedVersions(site.rules, rule, stored))
    yield versionDue(site, { bucket, rule, replaced });
}

/** An object that goes by the rule of its entity, in all its versions: its age counts from its newest bytes. */
export function objectDue(site: RetentionSite, bucket: string, stored: KeyVersions): ObjectDue | undefined {
  const writtenMs = newestBytesMs(stored.versions);
  const kind = site.files.find((each) => each.bucket === bucket)?.kinds.valueOf(stored.key);
  const { expires = [] } = (kind === undefined ? undefined : own(site.model.entities, kind)) ?? {};
  for (const { id, by } of expires) {
    const rule = site.rules.byId.get(id);
    if (by !== "run" || rule === undefined || writtenMs === undefined) continue;
    if (!isPast(rule, writtenMs, site.rules)) continue;
    return {
      kind: "object",
      action: "purge",
      rule: rule.id,
      by: rule.by,
      reason: `it is of ${day(writtenMs)}`,
      userId: ownerOfKey(site, bucket, stored.key),
      bucket,
      key: stored.key,
      bytes: bytesOf(stored.versions.map(plannedVersion)),
      ...agesOf({ rule, sinceMs: writtenMs }, site.rules),
      versions: stored.versions.map(plannedVersion),
    };
  }
  return undefined;
}

/** Whose an object is by its key, whatever else that says; null where it does not tell. */
export function ownerOfKey(site: RetentionSite, bucket: string, key: string): string | null {
  return ownerOfKind(site, bucket, key) ?? site.personal.get(bucket)?.ownersIn(key)[0]?.id ?? null;
}

/** Everybody whose an object is: by its key, by whatever the model links in its bucket, and by the rows that its key goes by. */
export async function ownersOfKey(
  site: RetentionSite,
  { bucket, key, userId }: Pick<ObjectDue, "bucket" | "key" | "userId">,
): Promise<readonly string[]> {
  const found = site.files.find((each) => each.bucket === bucket)?.kinds.find(key);
  const [through = []] =
    found === undefined ? [] : await ownersOf(site, [{ entity: found.value, fields: found.fields }]);
  const linked = site.personal.get(bucket)?.ownersIn(key) ?? [];
  return [...new Set([...(userId === null ? [] : [userId]), ...linked.map(({ id }) => id), ...through])];
}

function ownerOfKind(site: RetentionSite, bucket: string, key: string): string | null {
  if (hasProfiles(site)) return ownerOf(parseKey(key));
  const found = site.files.find((each) => each.bucket === bucket)?.kinds.find(key);
  const entity = found === undefined ? undefined : own(site.model.entities, found.value);
  const field = entity === undefined ? undefined : ownerField(entity);
  return (field === undefined ? undefined : own(found?.fields ?? {}, field)) ?? null;
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
export function replacedVersions(
  rules: Pick<Rules, "at">,
  rule: RetentionRule,
  { key, versions }: KeyVersions,
): Replaced[] {
  const [newest] = versions;
  if (newest === undefined || key.startsWith(untouched)) return [];
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

interface ReplacedHere {
  readonly bucket: string;
  readonly rule: RetentionRule;
  readonly replaced: Replaced;
}

function versionDue(site: RetentionSite, { bucket, rule, replaced }: ReplacedHere): VersionDue {
  const { listed, sinceMs, reason } = replaced;
  return {
    kind: "version",
    action: "purge",
    rule: rule.id,
    by: rule.by,
    reason,
    userId: ownerOfKey(site, bucket, listed.key),
    bucket,
    key: listed.key,
    bytes: listed.sizeBytes,
    ...agesOf({ rule, sinceMs }, site.rules),
    versions: [plannedVersion(listed)],
  };
}
