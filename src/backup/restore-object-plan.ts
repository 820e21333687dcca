import { createHash } from "node:crypto";
import { readCors } from "../aws/s3/bucket-settings.ts";
import { findBucket } from "../aws/s3/bucket.ts";
import type { Aws } from "../aws/clients.ts";
import { objectTags } from "../aws/s3/objects.ts";
import { headWhole, type ObjectPut, openWhole, type StoredWhole } from "../aws/s3/stored-object.ts";
import { errorName } from "../aws/setting.ts";
import { inParallel } from "../concurrency.ts";
import { CliError } from "../errors.ts";
import { sameJson } from "../model/json.ts";
import { type ObjectLine, parseObjectLine } from "./object-line.ts";
import { partLines } from "./parts.ts";
import { remapObject } from "./remap.ts";
import { isErased } from "./restore-items.ts";
import type { Planning } from "./restore-compare.ts";
import { fileName, isNarrow, wantsObject } from "./restore-scope.ts";
import {
  destinationOf,
  type Fate,
  type FateCounts,
  fateOfDifferent,
  fates,
  noCounts,
  type RestoreSite,
} from "./restore-site.ts";
import type { BucketSnapshot } from "./snapshot.ts";

/** What is to be done to one bucket. */
export interface BucketPlan {
  readonly role: string;
  readonly name: string;
  readonly snapshot: BucketSnapshot;
  readonly state: "missing" | "there";
  readonly counts: FateCounts;
  /** Of what is created or overwritten. */
  readonly bytes: number;
  /** One for each line of each part. */
  readonly fates: readonly Uint8Array[];
  /** Keys of the first that differ. */
  readonly differing: readonly string[];
  /** Of the files that rows name, those that are there or come back (`fileName`). */
  readonly named: ReadonlySet<string>;
  /** Of CORS: `write` where the bucket has none and the snapshot has, `differs` where another one is there and stays. */
  readonly cors: "same" | "write" | "differs";
}

/** Objects looked at, or written, at once. */
export const objectsAtOnce = 16;
/** Contents read at once to be checked. */
const readsAtOnce = 4;
const mostNamed = 5;

/**
 * Compares the objects of a bucket in the snapshot with those in the bucket that it goes to; writes nothing. The content of
 * every object that would be written is read to its end and checked. Memory: a byte an object besides a thousand lines.
 * @throws DamagedError; CliError when the bucket cannot be used.
 */
export async function planBucket(
  site: RestoreSite,
  snapshot: BucketSnapshot,
  planning: Planning,
): Promise<BucketPlan> {
  const { aws, signal, repository } = site;
  const { role } = snapshot;
  const name = destinationOf(site, "bucket", snapshot);
  const presence = await findBucket(aws, name, signal);
  if (presence.state === "denied" || presence.state === "elsewhere") {
    const why =
      presence.state === "denied"
        ? "belongs to somebody else, or may not be read"
        : `is in region ${presence.region}`;
    throw new CliError(`bucket ${name} ${why}; nothing was changed`);
  }
  const state = presence.state === "here" ? "there" : "missing";
  const counts = noCounts();
  const differing: string[] = [];
  const named = new Set<string>();
  const all: Uint8Array[] = [];
  let bytes = 0;
  for (const part of snapshot.parts) {
    const found = new Uint8Array(part.lines);
    let at = 0;
    for await (const lines of partLines(repository, part, signal)) {
      const done = Object.values(counts).reduce((sum, count) => sum + count, 0);
      site.onProgress(`comparing ${name}`, { done, total: snapshot.objects, of: "objects" });
      const looked = await inParallel(lines, objectsAtOnce, (line) =>
        lookAt(site, { role, bucket: name, isMissing: state === "missing", planning }, line),
      );
      const due = looked.filter(({ fate }) => fate === "create" || fate === "overwrite");
      await inParallel(due, readsAtOnce, ({ object }) => check(site, object));
      for (const { fate, object } of looked) {
        found[at++] = fates.indexOf(fate);
        if (fate === "left out") continue;
        counts[fate] += 1;
        const name = fileName(role, object.put.Key);
        if (fate !== "suppressed" && planning.named.has(name)) named.add(name);
        if (fate === "create" || fate === "overwrite") bytes += object.seen.size;
        if ((fate === "conflict" || fate === "overwrite") && differing.length < mostNamed)
          differing.push(object.put.Key);
      }
    }
    all.push(found);
  }
  const cors = isNarrow(site.scope) ? "same" : await corsDue(site, { name, state }, snapshot.cors);
  return { role, name, snapshot, state, counts, bytes, fates: all, differing, named, cors };
}

async function corsDue(
  { aws, signal }: RestoreSite,
  { name, state }: Pick<BucketPlan, "name" | "state">,
  wanted: BucketSnapshot["cors"],
): Promise<BucketPlan["cors"]> {
  if (wanted === undefined || wanted.length === 0) return "same";
  if (state === "missing") return "write";
  const there = await readCors(aws, name, signal);
  if (there === undefined || (typeof there === "object" && there.length === 0)) return "write";
  return there !== "unsupported" && sameJson(there, wanted) ? "same" : "differs";
}

/** Reads a content to its end: it fails there when it is not what was stored. */
async function check({ repository, signal }: RestoreSite, { content, seen }: ObjectLine): Promise<void> {
  let bytes = 0;
  for await (const piece of repository.openContent({ sha256: content, bytes: seen.size }, signal))
    bytes += piece.byteLength;
  if (bytes !== seen.size) throw new RangeError("a content ended early without an error");
}

interface Place {
  readonly role: string;
  /** In the destination. */
  readonly bucket: string;
  readonly isMissing: boolean;
  readonly planning: Planning;
}

export interface LookedAt {
  readonly fate: Fate;
  /** With new ids in its key. */
  readonly object: ObjectLine;
  readonly there?: StoredWhole;
}

/** What is to become of one object, by what is there now. */
export async function lookAt(site: RestoreSite, place: Place, line: Buffer): Promise<LookedAt> {
  const { role, bucket, planning } = place;
  const stored = parseObjectLine(line);
  const object =
    site.ids === undefined ? stored : { ...stored, put: remapObject(stored.put, site.ids.newIds) };
  const key = object.put.Key;
  const owner = planning.owners.ofKey(role, stored.put.Key);
  const personal = owner?.erasure === "delete" ? owner.userId : undefined;
  const isNamed = planning.named.has(fileName(role, stored.put.Key));
  const asked = { key, bucket, owner: personal, subject: owner?.subject, isNamed };
  if (isAnchor(key) || !wantsObject(site.scope, asked)) return { fate: "left out", object };
  if (personal !== undefined && isErased(site, personal, owner?.subject)) {
    planning.onSuppressed(personal);
    return { fate: "suppressed", object };
  }
  const isNew = personal !== undefined && site.ids?.missing.has(personal) === true;
  if (place.isMissing || isNew) return { fate: "create", object };
  const there = await headOrNone(site, { bucket, key });
  if (there === undefined) return { fate: "create", object };
  if (await isSame(site, bucket, { object, there })) return { fate: "same", object };
  const isNewer = () => Date.parse(object.seen.lastModified) > (there.lastModified?.getTime() ?? Infinity);
  return { fate: fateOfDifferent(site.onConflict, isNewer), object, there };
}

/**
 * Anchors and claims of an audit trail belong to the chain that is there: older ones in their place would hide that entries
 * behind them are missing. They are never restored; see restore-audit.ts.
 */
export function isAnchor(key: string): boolean {
  return /^audit\/[^/]+\/.+\.json$/.test(key);
}

async function headOrNone(
  { aws, signal }: RestoreSite,
  { bucket, key }: { bucket: string; key: string },
): Promise<StoredWhole | undefined> {
  try {
    return await headWhole(aws, { bucket, key, signal });
  } catch (error) {
    if (errorName(error) === "NotFound") return undefined;
    throw error;
  }
}

/**
 * The same bytes, headers and tags. Where the ETags do not tell (an object sent in parts, a KMS key) and the sizes are
 * equal, the object is read.
 */
async function isSame(
  { aws, signal }: RestoreSite,
  bucket: string,
  { object: { content, seen, put }, there }: { object: ObjectLine; there: StoredWhole },
): Promise<boolean> {
  if (there.sizeBytes !== seen.size || !sameJson(headersOf(put), headersOf(there.put))) return false;
  if (!(await hasSameTags(aws, bucket, { put, there, signal }))) return false;
  if (there.etag === seen.etag) return true;
  const hash = createHash("sha256");
  const { body } = await openWhole(aws, { bucket, key: put.Key, ifMatch: there.etag, signal });
  for await (const piece of body) hash.update(piece);
  return hash.digest("hex") === content;
}

/** Without the key, the tags, and the storage class, which a lifecycle rule may change. */
function headersOf({ Key: _key, Tagging: _tags, StorageClass: _class, ...headers }: ObjectPut): object {
  return headers;
}

/** Nothing tells of tags but their number, and where there are none, or the identity may not read them, not even that. */
async function hasSameTags(
  aws: Aws,
  bucket: string,
  { put, there, signal }: { put: ObjectPut; there: StoredWhole; signal: AbortSignal },
): Promise<boolean> {
  const wanted = new URLSearchParams(put.Tagging);
  if (wanted.size === 0) return (there.tagCount ?? 0) === 0;
  if (there.tagCount !== undefined && there.tagCount !== wanted.size) return false;
  const tags = await objectTags(aws, { bucket, key: put.Key }, signal);
  return sameJson(tags, Object.fromEntries(wanted));
}
