import { type Call, type Store, wholeSeconds } from "./call.ts";
import type { NewContent } from "./content.ts";
import { S3Fault } from "./fault.ts";
import { type Change, newVersionId, unusedRecord, versionRecord } from "./object-index.ts";
import type { Bucket, Description, ObjectVersion, Segment, StoredObject } from "./records.ts";

/** What a write changes in the index, and the blob files that are unused after it. */
export interface Plan {
  readonly changes: readonly Change[];
  readonly freed: readonly Segment[];
}

/** A version as it is to be written; its place among the others is for `planVersion` to give. */
type Draft<T> = T extends unknown ? Omit<T, "versionId" | "sequence"> : never;

/**
 * Makes a version the newest of its key: beside the others where the bucket is versioned, else in place of the
 * "null" version. To be called, and its plan carried out, under the key's lock.
 */
export async function planVersion<T extends ObjectVersion>(
  store: Store,
  place: { readonly bucket: Bucket; readonly key: string },
  draft: Draft<T>,
): Promise<Plan & { readonly version: T }> {
  const { bucket, key } = place;
  const newest = await store.index.newest(bucket.name, key);
  const sequence = (newest?.sequence ?? 0) + 1;
  const versioned = bucket.versioning === "Enabled";
  const replaced = versioned ? undefined : await nullVersion(store, place, newest);
  const versionId = versioned ? newVersionId(sequence) : "null";
  const version = { ...draft, versionId, sequence } as unknown as T;
  return {
    version,
    changes: [
      ...(replaced === undefined ? [] : [removal(bucket.name, key, replaced)]),
      { type: "put", key: versionRecord(bucket.name, key, sequence), value: version },
    ],
    freed: segmentsOf(replaced),
  };
}

/** Makes an object with this content the newest version of its key. To be called under the key's lock. */
export async function commitObject(
  call: Call,
  place: { readonly bucket: Bucket; readonly key: string },
  { description, content }: { readonly description: Description; readonly content: NewContent },
): Promise<StoredObject> {
  const { bytes, etag, segments, checksum } = content;
  const modifiedMs = wholeSeconds(call.now);
  const draft = { ...description, modifiedMs, bytes, etag, segments, checksum };
  const plan = await planVersion<StoredObject>(call.store, place, draft);
  await commit(call.store, [plan], segments);
  return plan.version;
}

/** Takes one version away for good. */
export function planRemoval(bucket: string, key: string, version: ObjectVersion): Plan {
  return { changes: [removal(bucket, key, version)], freed: segmentsOf(version) };
}

/** The version a read is about. Throws what S3 answers when there is none, or a delete marker. */
export async function readVersion(call: Call, bucket: Bucket, key: string): Promise<StoredObject> {
  const versionId = requestedVersion(call);
  const found =
    versionId === undefined
      ? await call.store.index.newest(bucket.name, key)
      : await call.store.index.version(bucket.name, key, versionId);
  if (found === undefined) throw missing(call, key, versionId);
  if (found.deleteMarker !== true) return found;
  const headers = { "x-amz-delete-marker": "true", "x-amz-version-id": found.versionId };
  if (versionId === undefined) throw new S3Fault("NoSuchKey", { fields: { Key: key }, headers });
  throw new S3Fault("MethodNotAllowed", {
    fields: { Method: call.request.method, ResourceType: "DeleteMarker" },
    headers: { ...headers, allow: "DELETE", "last-modified": new Date(found.modifiedMs).toUTCString() },
  });
}

/** `versionId` of the query. Throws InvalidArgument when it can be none. */
export function requestedVersion(call: Call): string | undefined {
  const versionId = call.query.get("versionId");
  if (versionId === undefined) return undefined;
  checkVersionId(versionId);
  return versionId;
}

export function checkVersionId(versionId: string): void {
  if (versionId === "null" || /^[\w.-]{32}$/.test(versionId)) return;
  throw new S3Fault("InvalidArgument", {
    message: versionId === "" ? "Version id cannot be the empty string" : "Invalid version id specified",
    fields: { ArgumentName: "versionId", ArgumentValue: versionId },
  });
}

/** `x-amz-version-id`, which a bucket that was never versioned does not send. */
export function versionHeader(bucket: Bucket, version: ObjectVersion): Record<string, string> {
  return bucket.versioning === undefined ? {} : { "x-amz-version-id": version.versionId };
}

/** Carries plans out at once, durably, then removes the files they freed. */
export async function commit(
  store: Store,
  plans: readonly Plan[],
  used: readonly Segment[] = [],
): Promise<void> {
  const freed = plans.flatMap((plan) => plan.freed.map((segment) => segment.blob));
  await store.index.write(
    [
      ...plans.flatMap((plan) => plan.changes),
      ...used.map(({ blob }): Change => ({ type: "del", key: unusedRecord(blob) })),
      ...freed.map((blob): Change => ({ type: "put", key: unusedRecord(blob), value: 0 })),
    ],
    { durable: true },
  );
  if (freed.length > 0) await store.blobs.remove(freed);
}

/**
 * Holds a key against other writers, and its bucket against removal, while `work` decides and commits. Throws
 * NoSuchBucket when the bucket went away meanwhile.
 */
export function withKeys<T>(
  store: Store,
  place: { readonly bucket: string; readonly keys: readonly string[] },
  work: (bucket: Bucket) => Promise<T>,
): Promise<T> {
  const names = [...new Set(place.keys)].sort().map((key) => `${place.bucket}/${key}`);
  const locked = names.reduceRight<(bucket: Bucket) => Promise<T>>(
    (inner, name) => (bucket) => store.locks.exclusive(name, () => inner(bucket)),
    work,
  );
  return store.locks.shared(place.bucket, async () => {
    const bucket = store.index.bucket(place.bucket);
    if (bucket === undefined) throw new S3Fault("NoSuchBucket", { fields: { BucketName: place.bucket } });
    return await locked(bucket);
  });
}

function missing(call: Call, key: string, versionId: string | undefined): S3Fault {
  // Who may not list the bucket is not told what it lacks.
  if (!call.may("s3:ListBucket")) return new S3Fault("AccessDenied");
  if (versionId === undefined) return new S3Fault("NoSuchKey", { fields: { Key: key } });
  return new S3Fault("NoSuchVersion", { fields: { Key: key, VersionId: versionId } });
}

async function nullVersion(
  store: Store,
  place: { readonly bucket: Bucket; readonly key: string },
  newest: ObjectVersion | undefined,
): Promise<ObjectVersion | undefined> {
  if (newest === undefined || newest.versionId === "null") return newest;
  return await store.index.version(place.bucket.name, place.key, "null");
}

function removal(bucket: string, key: string, version: ObjectVersion): Change {
  return { type: "del", key: versionRecord(bucket, key, version.sequence) };
}

function segmentsOf(version: ObjectVersion | undefined): readonly Segment[] {
  return version === undefined || version.deleteMarker === true ? [] : version.segments;
}
