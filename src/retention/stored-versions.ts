import { listVersions, type ListedVersion } from "../aws/s3/listing.ts";
import type { PlannedVersion } from "./plan-entry.ts";
import type { RetentionSite } from "./site.ts";

/** A place as a text, by which places are told apart. */
export function placeText(bucket: string, key: string): string {
  return `${bucket}/${key}`;
}

/** An object's key with its versions and delete markers, newest first. */
export interface KeyVersions {
  readonly key: string;
  readonly versions: readonly ListedVersion[];
}

/**
 * The keys under a prefix in the order of their UTF-8 bytes, each with all its versions and markers. In memory is one
 * page, and the versions of one key.
 */
export async function* keysWithVersions(
  { aws, signal }: Pick<RetentionSite, "aws" | "signal">,
  bucket: string,
  prefix?: string,
): AsyncGenerator<KeyVersions> {
  let open: { key: string; versions: ListedVersion[] } | undefined;
  for await (const page of listVersions(aws, { bucket, prefix, signal })) {
    for (const listed of inOrder(page)) {
      if (open?.key === listed.key) {
        open.versions.push(listed);
        continue;
      }
      if (open !== undefined) yield open;
      open = { key: listed.key, versions: [listed] };
    }
  }
  if (open !== undefined) yield open;
}

/**
 * Versions and markers of a page, each sorted, merged into the one order that S3 cuts its pages in. Of a version and a marker of
 * the same second the later one is the latest, or else it does not matter.
 */
function inOrder(page: readonly ListedVersion[]): ListedVersion[] {
  const markers = page.findIndex(({ isDeleteMarker }) => isDeleteMarker);
  if (markers <= 0) return [...page];
  return page.toSorted(
    (one, other) =>
      (one.key === other.key ? 0 : Buffer.compare(Buffer.from(one.key), Buffer.from(other.key))) ||
      timeMs(other) - timeMs(one) ||
      Number(other.isLatest) - Number(one.isLatest),
  );
}

/**
 * The versions of some keys of one user: by one listing of what the keys have in common, which is a folder of the
 * user's at least, or of the key itself. Keys that are not there have none.
 */
export async function versionsOf(
  site: Pick<RetentionSite, "aws" | "signal">,
  bucket: string,
  keys: readonly string[],
): Promise<Map<string, readonly ListedVersion[]>> {
  const wanted = new Set(keys);
  const found = new Map<string, readonly ListedVersion[]>();
  for (const prefix of commonPrefixes(wanted)) {
    for await (const { key, versions } of keysWithVersions(site, bucket, prefix)) {
      if (wanted.has(key)) found.set(key, versions);
    }
  }
  return found;
}

/** For each first two folders (`public/documents`, `users/{userId}`) the longest beginning that all keys have. */
function commonPrefixes(keys: ReadonlySet<string>): string[] {
  const groups = new Map<string, string>();
  for (const key of keys) {
    const folder = key.split("/", 3).slice(0, 2).join("/");
    groups.set(folder, common(groups.get(folder) ?? key, key));
  }
  return [...groups.values()];
}

function common(one: string, other: string): string {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  // A prefix must not end within a surrogate pair.
  return one.slice(0, length).replace(/[\uD800-\uDBFF]$/, "");
}

/** When S3 wrote the newest bytes of an object; undefined when it has none. Markers hold no bytes. */
export function newestBytesMs(versions: readonly ListedVersion[]): number | undefined {
  const times = versions.filter(({ isDeleteMarker }) => !isDeleteMarker).map(timeMs);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** The last moment that a Date can tell. */
const latestMs = 8.64e15;

/** LastModified in milliseconds; without one as young as can be, so that nothing is due by it. */
export function timeMs({ lastModified }: Pick<ListedVersion, "lastModified">): number {
  return lastModified?.getTime() ?? latestMs;
}

export function plannedVersion(listed: ListedVersion): PlannedVersion {
  return {
    version: listed.version,
    etag: listed.etag,
    lastModified: listed.lastModified?.toISOString() ?? "",
    bytes: listed.sizeBytes,
    ...(listed.isDeleteMarker ? { deleteMarker: true } : {}),
  };
}

/** Bytes of all versions. */
export function bytesOf(versions: readonly Pick<PlannedVersion, "bytes">[]): number {
  return versions.reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * What an object has now that the plan did not know, in words; undefined when all of it is in the plan. Versions that
 * are gone meanwhile are as they should be: a run that was broken off took them.
 */
export function unplanned(
  planned: readonly PlannedVersion[],
  now: readonly ListedVersion[],
): string | undefined {
  const known = new Map(planned.map((each) => [each.version, each]));
  for (const listed of now) {
    const expected = known.get(listed.version);
    const found = plannedVersion(listed);
    // Under a new delete marker, such as S3's lifecycle sets, lie the same bytes.
    if (expected === undefined && listed.isDeleteMarker) continue;
    if (expected === undefined) return `a version was added (${found.version})`;
    if (expected.etag !== found.etag) return "it has other bytes now (ETag)";
    if (expected.lastModified !== found.lastModified) return `it was written anew on ${found.lastModified}`;
  }
  return undefined;
}
