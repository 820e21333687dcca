import { randomBytes } from "node:crypto";
import { ClassicLevel } from "classic-level";
import type { Bucket, ObjectVersion, Part, Upload } from "./records.ts";

/*
 * What the index holds. Names of buckets and keys are separated by NUL; keys are escaped so that they hold
 * none and keep their UTF-8 order, which is the order LevelDB keeps.
 *
 *   b NUL bucket                              Bucket
 *   v NUL bucket NUL key NUL sequence         ObjectVersion, newest first: the sequence is written inverted
 *   u NUL bucket NUL key NUL upload           Upload, oldest first
 *   p NUL upload NUL part                     Part
 *   w NUL blob                                a blob file that no record refers to (yet, or any more)
 */

export type Change =
  | { readonly type: "put"; readonly key: string; readonly value: unknown }
  | { readonly type: "del"; readonly key: string };

interface Entry<T> {
  readonly key: string;
  readonly value: T;
}

export interface ObjectIndex {
  bucket(name: string): Bucket | undefined;
  buckets(): AsyncIterable<Bucket>;
  /** Newest version or delete marker of a key. */
  newest(bucket: string, key: string): Promise<ObjectVersion | undefined>;
  version(bucket: string, key: string, versionId: string): Promise<ObjectVersion | undefined>;
  /** All versions of a bucket from `from` on, by key in UTF-8 order, newest first within a key. */
  versions(bucket: string, from?: Position): Cursor<ObjectVersion>;
  upload(bucket: string, key: string, uploadId: string): Promise<Upload | undefined>;
  uploads(bucket: string, from?: Position): Cursor<Upload>;
  part(uploadId: string, number: number): Promise<Part | undefined>;
  parts(uploadId: string): AsyncIterable<Part>;
  /** Blobs noted as unused. */
  unused(): Promise<string[]>;
  /** All or nothing. `durable` waits until the disk has it. */
  write(changes: readonly Change[], options: { durable: boolean }): Promise<void>;
  close(): Promise<void>;
}

/** Where a walk starts: at the first key not below, behind a key, or behind all keys of a prefix. */
export type Position =
  | { readonly at: string }
  | { readonly behindKey: string }
  | { readonly behindPrefix: string }
  | { readonly behindRecord: string };

/** A walk over keys that can skip a whole prefix. Ends by itself or by `close`. */
export interface Cursor<T> {
  next(): Promise<(Entry<T> & { record: string }) | undefined>;
  skipPrefix(prefix: string): void;
  close(): Promise<void>;
}

/** Opens the index; it is locked against other processes until closed. */
export async function openObjectIndex(folder: string): Promise<ObjectIndex> {
  const db = new ClassicLevel<string, unknown>(folder, { keyEncoding: "utf8", valueEncoding: "json" });
  await db.open();

  /** A key's versions, newest first. */
  function versionsOf(bucket: string, key: string, limit: number): AsyncIterable<unknown> {
    const prefix = `v\0${bucket}\0${escapeKey(key)}`;
    return db.values({ gt: `${prefix}\0`, lt: `${prefix}\u{1}`, limit });
  }

  function walk<T>(kind: string, bucket: string, from: Position): Cursor<T> {
    const root = `${kind}\0${bucket}\0`;
    const iterator = db.iterator({ gt: root, lt: `${kind}\0${bucket}\u{1}` });
    const start = startOf(root, from);
    if (start !== undefined) iterator.seek(start, { keyEncoding: "buffer" });
    let batch: [string, unknown][] = [];
    let at = 0;
    // Pages begin small, for most walks are short, and grow.
    let size = 8;
    return {
      async next() {
        if (at === batch.length) {
          batch = await iterator.nextv(size);
          size = Math.min(size * 4, 512);
          at = 0;
        }
        const found = batch[at++];
        if (found === undefined) return undefined;
        const [record, value] = found;
        const key = unescapeKey(record.slice(root.length, record.lastIndexOf("\0")));
        return { key, value: value as T, record };
      },
      skipPrefix(prefix) {
        const target = behind(root, prefix);
        // Within the page at hand a look is cheaper than a new search.
        while (at < batch.length && Buffer.compare(Buffer.from(batch[at]?.[0] ?? ""), target) < 0) at++;
        if (at < batch.length) return;
        batch = [];
        at = 0;
        iterator.seek(target, { keyEncoding: "buffer" });
      },
      close: () => iterator.close(),
    };
  }

  return {
    bucket: (name) => db.getSync(bucketRecord(name)) as Bucket | undefined,
    async *buckets() {
      for await (const value of db.values({ gt: "b\0", lt: "b\u{1}" })) yield value as Bucket;
    },
    async newest(bucket, key) {
      for await (const value of versionsOf(bucket, key, 1)) return value as ObjectVersion;
      return undefined;
    },
    async version(bucket, key, versionId) {
      const sequence = sequenceOf(versionId);
      if (sequence !== undefined) {
        const found = (await db.get(versionRecord(bucket, key, sequence))) as ObjectVersion | undefined;
        return found?.versionId === versionId ? found : undefined;
      }
      for await (const value of versionsOf(bucket, key, Infinity)) {
        const version = value as ObjectVersion;
        if (version.versionId === versionId) return version;
      }
      return undefined;
    },
    versions: (bucket, from = { at: "" }) => walk("v", bucket, from),
    async upload(bucket, key, uploadId) {
      return (await db.get(uploadRecord(bucket, key, uploadId))) as Upload | undefined;
    },
    uploads: (bucket, from = { at: "" }) => walk("u", bucket, from),
    async part(uploadId, number) {
      return (await db.get(partRecord(uploadId, number))) as Part | undefined;
    },
    async *parts(uploadId) {
      for await (const value of db.values({ gt: `p\0${uploadId}\0`, lt: `p\0${uploadId}\u{1}` })) {
        yield value as Part;
      }
    },
    async unused() {
      const found: string[] = [];
      for await (const key of db.keys({ gt: "w\0", lt: "w\u{1}" })) found.push(key.slice(2));
      return found;
    },
    write: (changes, { durable }) => db.batch([...changes], { sync: durable }),
    close: () => db.close(),
  };
}

export function bucketRecord(name: string): string {
  return `b\0${name}`;
}

export function versionRecord(bucket: string, key: string, sequence: number): string {
  return `v\0${bucket}\0${escapeKey(key)}\0${hex8(maxSequence - sequence)}`;
}

export function uploadRecord(bucket: string, key: string, uploadId: string): string {
  return `u\0${bucket}\0${escapeKey(key)}\0${uploadId}`;
}

export function partRecord(uploadId: string, number: number): string {
  return `p\0${uploadId}\0${String(number).padStart(5, "0")}`;
}

export function unusedRecord(blob: string): string {
  return `w\0${blob}`;
}

/** An opaque id of 32 characters that leads straight to its record. */
export function newVersionId(sequence: number): string {
  return randomBytes(18).toString("base64url") + hex8(sequence);
}

/** Ids of one key sort by time, as ListMultipartUploads has to give them. */
export function newUploadId(now: Date): string {
  return now.getTime().toString(16).padStart(12, "0") + randomBytes(24).toString("hex");
}

const maxSequence = 0xffffffff;

function sequenceOf(versionId: string): number | undefined {
  return /^[\w-]{24}[\da-f]{8}$/.test(versionId) ? Number.parseInt(versionId.slice(24), 16) : undefined;
}

function hex8(value: number): string {
  return value.toString(16).padStart(8, "0");
}

/** NUL and SOH become two characters each, so that a lone NUL ends a key and the order stays. */
function escapeKey(key: string): string {
  return key.replaceAll("\u{1}", "\u{1}\u{2}").replaceAll("\0", "\u{1}\u{1}");
}

function unescapeKey(escaped: string): string {
  return escaped.replaceAll("\u{1}\u{1}", "\0").replaceAll("\u{1}\u{2}", "\u{1}");
}

function startOf(root: string, from: Position): Buffer | undefined {
  if ("behindPrefix" in from) return behind(root, from.behindPrefix);
  if ("behindRecord" in from) return Buffer.from(`${from.behindRecord}\u{1}`);
  if ("behindKey" in from) return Buffer.from(`${root}${escapeKey(from.behindKey)}\u{1}`);
  return from.at === "" ? undefined : Buffer.from(root + escapeKey(from.at));
}

/** No byte of UTF-8 is 0xFF, so this lies behind every key with the prefix. */
function behind(root: string, prefix: string): Buffer {
  return Buffer.concat([Buffer.from(root + escapeKey(prefix)), Buffer.of(0xff)]);
}
