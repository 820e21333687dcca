import type { Aws } from "../aws/clients.ts";
import { readCors } from "../aws/s3/bucket-settings.ts";
import { listObjects } from "../aws/s3/listing.ts";
import { objectTags, tagQuery } from "../aws/s3/objects.ts";
import { dueTag } from "../model/handed-over.ts";
import { errorName, httpStatus, isDenied } from "../aws/setting.ts";
import { headWhole, openWhole, type StoredWhole } from "../aws/s3/stored-object.ts";
import { roomFor, type Room } from "../concurrency.ts";
import { CliError } from "../errors.ts";
import { twoSizes } from "../model/bytes.ts";
import type { Reading } from "./create-tables.ts";
import { damageIn } from "./damage.ts";
import { objectLineText, parseObjectLine, type ObjectLine } from "./object-line.ts";
import { partLines, partWriter, type WrittenPart } from "./parts.ts";
import { withSignal, type BackupSite } from "./site.ts";
import type { BucketSnapshot, ChangedObject } from "./snapshot.ts";

/** Memory for the objects of all buckets that are read side by side. Each holds 8 MiB at most; larger ones go by way of a file. */
const readBytes = 64 * 1024 ** 2;
const mostBytesOfOne = 8 * 1024 ** 2;
/** Small ones from afar, where each call waits for its answer; a local store works on them itself. */
const mostAtOnce = { aws: 32, local: 8 };

/** For all buckets of a backup. */
export function roomForObjects(): Room {
  return roomFor(readBytes);
}
/** A run that is broken off reads no more than these again. */
const bytesPerStep = 256 * 1024 ** 2;

export interface BucketToRead {
  readonly role: string;
  readonly name: string;
  /** The same bucket in the newest backup that can be read. */
  readonly before: BucketSnapshot | undefined;
  readonly room: Room;
}

interface BucketState {
  readonly from: string;
  readonly parts: readonly WrittenPart[];
  /** Key of the last object in `parts`. */
  readonly behind: string;
  readonly bytes: number;
  readonly changed: readonly ChangedObject[];
  readonly done: boolean;
}

interface ReadingSite extends BackupSite {
  readonly hasTags: ReturnType<typeof tagsOf>;
}

interface Listed {
  readonly key: string;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly lastModified: Date | undefined;
}

/** A line, or what has become of the object meanwhile. */
type Read = { readonly line: ObjectLine; readonly storedBytes: number } | { readonly changed: ChangedObject };

/**
 * Reads a bucket's current objects with all that a PutObject can give them again. What the backup before has with the same ETag,
 * size and time is not read again. An object that changes while it is read is tried once more, then told.
 */
export async function readBucket(
  site: BackupSite,
  bucket: BucketToRead,
  reading: Reading,
): Promise<BucketSnapshot> {
  const { pending, cost, onRead } = reading;
  const step = `bucket-${bucket.role}`;
  let state = (pending.steps.get(step) as BucketState | undefined) ?? {
    from: site.now().toISOString(),
    parts: [],
    behind: "",
    bytes: 0,
    changed: [],
    done: false,
  };
  const cors = corsOf(site, bucket.name);
  cors.catch(() => undefined);
  onRead(0, state.bytes);
  for (const { lines, storedBytes } of state.parts) {
    onRead(lines);
    cost.storedBytes += storedBytes;
  }
  const changed = [...state.changed];
  /** Of the objects in parts to come, in order. */
  const sizes: number[] = [];
  let bytesHere = 0;
  const save = async (next: Partial<BucketState>) => {
    state = { ...state, ...next };
    await pending.step(step, state);
  };
  if (!state.done) {
    const writer = partWriter(site.repository, {
      signal: site.signal,
      async onPart(part, lastLine) {
        cost.storedBytes += part.storedBytes;
        const behind = parseObjectLine(lastLine).put.Key;
        await save({
          parts: [...state.parts, part],
          behind,
          bytes: sizes.splice(0, part.lines).reduce((sum, size) => sum + size, state.bytes),
          changed: changed.filter(({ key }) => !isBefore(behind, key)),
        });
      },
    });
    for await (const read of readInOrder(site, bucket, state.behind)) {
      if ("changed" in read) {
        changed.push(read.changed);
        continue;
      }
      const { line, storedBytes } = read;
      cost.storedBytes += storedBytes;
      sizes.push(line.seen.size);
      bytesHere += line.seen.size;
      await writer.add(Buffer.from(objectLineText(line)));
      onRead(1, line.seen.size);
      if (bytesHere >= bytesPerStep) {
        await writer.flush();
        bytesHere = 0;
      }
    }
    await writer.finish();
    await save({ changed, done: true });
  }
  return {
    role: bucket.role,
    name: bucket.name,
    from: state.from,
    to: site.now().toISOString(),
    objects: state.parts.reduce((sum, { lines }) => sum + lines, 0),
    bytes: state.bytes,
    parts: state.parts.map(({ sha256, bytes: size, lines }) => ({ sha256, bytes: size, lines })),
    changed: state.changed,
    ...(await cors),
  };
}

/** Undefined where it may not be read: then nobody knows whether there is one. */
async function corsOf({ aws, signal }: BackupSite, bucket: string): Promise<Pick<BucketSnapshot, "cors">> {
  try {
    const rules = await readCors(aws, bucket, signal);
    return rules === "unsupported" ? {} : { cors: rules ?? [] };
  } catch (error) {
    if (isDenied(error)) return {};
    throw error;
  }
}

/** How much there is in these buckets, by their listings alone: for whoever waits. */
export async function measureBuckets(
  { aws, signal }: Pick<BackupSite, "aws" | "signal">,
  names: readonly string[],
): Promise<{ readonly objects: number; readonly bytes: number }> {
  const total = { objects: 0, bytes: 0 };
  for (const bucket of names) {
    for await (const page of listObjects(aws, { bucket, signal })) {
      total.objects += page.objects.length;
      for (const { sizeBytes } of page.objects) total.bytes += sizeBytes;
    }
  }
  return total;
}

/** Several objects are under way, and come in the order of their keys. */
async function* readInOrder(backup: BackupSite, bucket: BucketToRead, behind: string): AsyncGenerator<Read> {
  const site = { ...withSignal(backup, backup.signal), hasTags: tagsOf(backup) };
  const most = mostAtOnce[site.target];
  const known = knownLines(site, bucket.before, behind);
  const underWay: Promise<Read>[] = [];
  let isLeft = false;
  try {
    for await (const { objects } of listObjects(site.aws, {
      bucket: bucket.name,
      startAfter: behind === "" ? undefined : behind,
      signal: site.signal,
    })) {
      for (const listed of objects) {
        const before = await known.upTo(listed.key);
        const neededBytes = Math.max(readBytes / most, Math.min(listed.sizeBytes, mostBytesOfOne));
        const one = bucket.room.within(neededBytes, async () => {
          if (isLeft) throw new Error("nobody waits for this object any more");
          return readObject(site, bucket.name, { listed, before });
        });
        one.catch(() => undefined);
        underWay.push(one);
        if (underWay.length < most) continue;
        const first = await underWay.shift();
        if (first !== undefined) yield first;
      }
    }
    for (const one of underWay.splice(0)) yield await one;
  } finally {
    isLeft = true;
    await known.close();
    await Promise.allSettled(underWay);
  }
}

/** The lines of the backup before, walked along with the listing: both are in the order of the keys' UTF-8 bytes. */
function knownLines(site: BackupSite, before: BucketSnapshot | undefined, behind: string) {
  const lines = linesOf(site, before);
  let ahead: ObjectLine | undefined;
  let ended = before === undefined;
  return {
    async upTo(key: string): Promise<ObjectLine | undefined> {
      while (!ended && (ahead === undefined || isBefore(ahead.put.Key, key) || ahead.put.Key === behind)) {
        const next = await lines.next();
        if (next.done === true) {
          ended = true;
          ahead = undefined;
        } else ahead = next.value;
      }
      return ahead?.put.Key === key ? ahead : undefined;
    },
    close: () => lines.return(undefined),
  };
}

/** In the order of listings. */
function isBefore(one: string, other: string): boolean {
  return Buffer.compare(Buffer.from(one), Buffer.from(other)) < 0;
}

/** A part that is damaged is as good as none: its objects are read again. */
async function* linesOf(site: BackupSite, before: BucketSnapshot | undefined): AsyncGenerator<ObjectLine> {
  const { repository } = site;
  for (const part of before?.parts ?? []) {
    if (repository.distrusted.has(repository.contentName(part.sha256))) continue;
    try {
      for await (const batch of partLines(repository, part, site.signal)) {
        for (const line of batch) yield parseObjectLine(line);
      }
    } catch (error) {
      damageIn(error);
    }
  }
}

async function readObject(
  site: ReadingSite,
  bucket: string,
  { listed, before }: { listed: Listed; before: ObjectLine | undefined },
): Promise<Read> {
  const { key } = listed;
  try {
    return await readOnce(site, bucket, {
      key,
      etag: listed.etag,
      before: isSame(listed, before) ? before : undefined,
    });
  } catch (error) {
    if (isUnreadable(error)) return { changed: { key, what: "unreadable" } };
    if (!isOther(error)) throw error;
  }
  // It changed since it was listed: as it is now.
  try {
    return await readOnce(site, bucket, { key, etag: undefined, before: undefined });
  } catch (error) {
    if (isUnreadable(error)) return { changed: { key, what: "unreadable" } };
    if (!isOther(error)) throw error;
    return { changed: { key, what: errorName(error) === "PreconditionFailed" ? "changed" : "deleted" } };
  }
}

function isSame({ etag, sizeBytes, lastModified }: Listed, before: ObjectLine | undefined): boolean {
  if (before === undefined) return false;
  const { seen } = before;
  return (
    seen.etag === etag &&
    seen.size === sizeBytes &&
    // A listing tells milliseconds, an answer's header none.
    Math.trunc(Date.parse(seen.lastModified) / 1000) === Math.trunc((lastModified?.getTime() ?? -1) / 1000)
  );
}

/** Not to be read by this identity, or by nobody until it is fetched from an archive (GLACIER, DEEP_ARCHIVE). */
function isUnreadable(error: unknown): boolean {
  return isDenied(error) || errorName(error) === "InvalidObjectState";
}

/** Not found, or not the one that was listed. A HEAD answers without a name for the error. */
function isOther(error: unknown): boolean {
  const status = httpStatus(error);
  return status === 404 || status === 412;
}

async function readOnce(
  site: ReadingSite,
  bucket: string,
  { key, etag, before }: { key: string; etag: string | undefined; before: ObjectLine | undefined },
): Promise<Read> {
  const { aws, repository, signal } = site;
  const ask = { bucket, key, ifMatch: etag, signal };
  if (before !== undefined && (await repository.hasContent(before.content, signal))) {
    const head = await headWhole(aws, ask);
    return { line: await lineOf(site, bucket, { whole: head, content: before.content }), storedBytes: 0 };
  }
  const whole = await openWhole(aws, ask);
  const { sha256, bytes, storedBytes } = await repository.putContentFrom(whole.body, signal);
  if (bytes !== whole.sizeBytes) {
    const [came, said] = twoSizes(bytes, whole.sizeBytes);
    throw new Error(`${bucket}/${key}: ${came} came of ${said}`);
  }
  return { line: await lineOf(site, bucket, { whole, content: sha256 }), storedBytes };
}

/**
 * Whether an object has tags that have to be asked for. S3 tells their number, and nothing where there are none; it tells
 * nothing either to whoever may not read tags. So the first object of a bucket is asked, and a refusal ends the backup. Of
 * another server nothing is known: each object is asked.
 */
function tagsOf({ aws, target, signal }: BackupSite) {
  const mayAsk = new Map<string, Promise<unknown>>();
  const tellsNothing = target === "aws" && aws.endpointUrl !== undefined;
  return async (bucket: string, { put, version, tagCount }: StoredWhole): Promise<boolean> => {
    if (tagCount !== undefined) return tagCount > 0;
    if (tellsNothing) return true;
    const asked = mayAsk.get(bucket) ?? readTags(aws, { bucket, key: put.Key, version }, signal);
    mayAsk.set(bucket, asked);
    await asked;
    return false;
  };
}

/** A refusal is no property of the object: taken for one, it would leave out every object of the bucket. */
async function readTags(
  aws: Aws,
  object: Parameters<typeof objectTags>[1],
  signal: AbortSignal,
): Promise<Record<string, string>> {
  try {
    return await objectTags(aws, object, signal);
  } catch (cause) {
    if (!isDenied(cause)) throw cause;
    throw new CliError(`the tags of the objects in bucket ${object.bucket} may not be read`, {
      hint: "it wants s3:GetObjectTagging, and s3:GetObjectVersionTagging where the bucket is versioned",
      cause,
    });
  }
}

/** Without the tag that has S3 expire what is handed over to it: what is brought back is to stay. */
async function lineOf(
  { aws, signal, hasTags }: ReadingSite,
  bucket: string,
  { whole, content }: { whole: StoredWhole; content: string },
): Promise<ObjectLine> {
  const { put, etag, version, sizeBytes, lastModified } = whole;
  const { [dueTag.key]: _expires, ...tags } = (await hasTags(bucket, whole))
    ? await readTags(aws, { bucket, key: put.Key, version }, signal)
    : {};
  return {
    content,
    seen: {
      versionId: version,
      etag,
      size: sizeBytes,
      lastModified: (lastModified ?? new Date(0)).toISOString(),
    },
    put: Object.keys(tags).length === 0 ? put : { ...put, Tagging: tagQuery(tags) },
  };
}
