import type { LocalResponse } from "../service.ts";
import { type Call, bucketOf, isoTime, numberOf, ownerId, respondXml } from "./call.ts";
import { S3Fault } from "./fault.ts";
import { type Cursor, type Position, versionRecord } from "./object-index.ts";
import type { ObjectVersion, StoredObject } from "./records.ts";
import { type Markup, el, optional, xmlDocument } from "./xml.ts";

const maxPage = 1000;

/** One page of a walk: entries and common prefixes in the order of their names. */
export interface Page<T> {
  readonly items: readonly ({ readonly key: string; readonly value: T } | { readonly prefix: string })[];
  readonly truncated: boolean;
}

export interface PageOptions<T> {
  readonly prefix: string;
  readonly delimiter: string;
  readonly limit: number;
  /** A common prefix that a former page has already given. */
  readonly seenPrefix?: string;
  /** Which entries count; `isFirst`: the first of its key. */
  readonly include: (value: T, isFirst: boolean) => boolean;
}

/** Collects a page; a common prefix counts as one entry, however many keys it stands for. */
export async function collectPage<T>(cursor: Cursor<T>, options: PageOptions<T>): Promise<Page<T>> {
  const { prefix, delimiter, limit } = options;
  const items: ({ key: string; value: T } | { prefix: string })[] = [];
  let lastKey: string | undefined;
  try {
    for (let found = await cursor.next(); found !== undefined; found = await cursor.next()) {
      const { key, value } = found;
      if (!key.startsWith(prefix)) break;
      const isFirst = key !== lastKey;
      lastKey = key;
      if (!options.include(value, isFirst)) continue;
      const cut = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
      if (cut < 0) {
        if (items.length === limit) return { items, truncated: true };
        items.push({ key, value });
        continue;
      }
      const common = key.slice(0, cut + delimiter.length);
      if (common !== options.seenPrefix) {
        if (items.length === limit) return { items, truncated: true };
        items.push({ prefix: common });
      }
      cursor.skipPrefix(common);
    }
    return { items, truncated: false };
  } finally {
    await cursor.close();
  }
}

/** ListObjectsV2. Tokens are opaque: the last key or prefix of the page before. */
export async function listObjectsV2(call: Call): Promise<LocalResponse> {
  const { query } = call;
  const token = query.get("continuation-token");
  if (token === "") {
    throw new S3Fault("InvalidArgument", { message: "The continuation token provided is incorrect" });
  }
  const startAfter = query.get("start-after") ?? "";
  const from = token === undefined ? behindMarker(startAfter) : readToken(token);
  const { page, name, encode } = await listCurrent(call, from);
  const owner = query.get("fetch-owner") === "true";
  const last = page.items.at(-1);
  return respondXml(
    xmlDocument(
      "ListBucketResult",
      el("Name", name),
      el("Prefix", encode(query.get("prefix") ?? "")),
      optional("StartAfter", startAfter === "" ? undefined : encode(startAfter)),
      optional("ContinuationToken", token),
      page.truncated && last !== undefined ? el("NextContinuationToken", writeToken(last)) : undefined,
      el("KeyCount", page.items.length),
      el("MaxKeys", pageSize(call)),
      optional("Delimiter", nonEmpty(query.get("delimiter"), encode)),
      optional("EncodingType", nonEmpty(query.get("encoding-type"))),
      el("IsTruncated", page.truncated),
      objectElements(page, { encode, owner }),
    ),
  );
}

/** ListObjects, the older one. */
export async function listObjects(call: Call): Promise<LocalResponse> {
  const { query } = call;
  const marker = query.get("marker") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const { page, name, encode } = await listCurrent(call, behindMarker(marker));
  const last = page.items.at(-1);
  const next = last === undefined ? undefined : "prefix" in last ? last.prefix : last.key;
  return respondXml(
    xmlDocument(
      "ListBucketResult",
      el("Name", name),
      el("Prefix", encode(query.get("prefix") ?? "")),
      el("Marker", encode(marker)),
      // Without a delimiter the last key is the next marker, and S3 says nothing.
      page.truncated && delimiter !== "" && next !== undefined ? el("NextMarker", encode(next)) : undefined,
      el("MaxKeys", pageSize(call)),
      optional("Delimiter", nonEmpty(delimiter, encode)),
      optional("EncodingType", nonEmpty(query.get("encoding-type"))),
      el("IsTruncated", page.truncated),
      objectElements(page, { encode, owner: true }),
    ),
  );
}

/** ListObjectVersions: versions and delete markers, newest first within a key. */
export async function listObjectVersions(call: Call): Promise<LocalResponse> {
  const bucket = bucketOf(call);
  const { query } = call;
  const encode = encoder(call);
  const keyMarker = query.get("key-marker") ?? "";
  const idMarker = query.get("version-id-marker") ?? "";
  if (idMarker !== "" && keyMarker === "") {
    throw new S3Fault("InvalidArgument", {
      message: "A version-id marker cannot be specified without a key marker.",
      fields: { ArgumentName: "version-id-marker", ArgumentValue: idMarker },
    });
  }
  const marked =
    idMarker === "" ? undefined : await call.store.index.version(bucket.name, keyMarker, idMarker);
  const from: Start =
    marked === undefined
      ? behindMarker(keyMarker)
      : { position: { behindRecord: versionRecord(bucket.name, keyMarker, marked.sequence) } };
  const limit = pageSize(call);
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  // A page that starts within a key goes on with versions that are not the latest.
  const latest = new Set<ObjectVersion>();
  const cursor = call.store.index.versions(bucket.name, startFor(prefix, from.position));
  let lastKey = marked === undefined ? undefined : keyMarker;
  const page = await collectPage<ObjectVersion>(
    withKey(cursor, (key, value) => {
      if (key !== lastKey) latest.add(value);
      lastKey = key;
    }),
    { prefix, delimiter, limit, include: () => limit > 0, ...seen(from) },
  );
  const last = page.items.at(-1);
  return respondXml(
    xmlDocument(
      "ListVersionsResult",
      el("Name", bucket.name),
      el("Prefix", encode(prefix)),
      el("KeyMarker", encode(keyMarker)),
      el("VersionIdMarker", idMarker),
      page.truncated && last !== undefined
        ? "prefix" in last
          ? el("NextKeyMarker", encode(last.prefix))
          : [el("NextKeyMarker", encode(last.key)), el("NextVersionIdMarker", last.value.versionId)]
        : undefined,
      el("MaxKeys", limit),
      optional("Delimiter", nonEmpty(delimiter, encode)),
      optional("EncodingType", nonEmpty(query.get("encoding-type"))),
      el("IsTruncated", page.truncated),
      page.items.map((item) =>
        "prefix" in item
          ? undefined
          : versionElement(item.key, item.value, { encode, isLatest: latest.has(item.value) }),
      ),
      commonPrefixes(page, encode),
    ),
  );
}

interface Start {
  readonly position: Position;
  readonly seenPrefix?: string;
}

async function listCurrent(call: Call, from: Start) {
  const bucket = bucketOf(call);
  const encode = encoder(call);
  const prefix = call.query.get("prefix") ?? "";
  const cursor = call.store.index.versions(bucket.name, startFor(prefix, from.position));
  const limit = pageSize(call);
  const page = await collectPage<ObjectVersion>(cursor, {
    prefix,
    delimiter: call.query.get("delimiter") ?? "",
    limit,
    include: (value, isFirst) => limit > 0 && isFirst && value.deleteMarker !== true,
    ...seen(from),
  });
  return { page, name: bucket.name, encode };
}

/** A marker is a key, or the common prefix that ended the page before: then its keys do not come again. */
export function behindMarker(marker: string): Start {
  return marker === "" ? { position: { at: "" } } : { position: { behindKey: marker }, seenPrefix: marker };
}

/** A walk need not begin before the prefix. */
export function startFor(prefix: string, position: Position): Position {
  if ("at" in position) return { at: prefix };
  if ("behindKey" in position && Buffer.compare(Buffer.from(position.behindKey), Buffer.from(prefix)) < 0) {
    return { at: prefix };
  }
  return position;
}

function seen(from: Start): { seenPrefix?: string } {
  return from.seenPrefix === undefined ? {} : { seenPrefix: from.seenPrefix };
}

function writeToken(last: { readonly key: string } | { readonly prefix: string }): string {
  const text = "prefix" in last ? `p${last.prefix}` : `k${last.key}`;
  return Buffer.from(text).toString("base64url");
}

function readToken(token: string): Start {
  const text = Buffer.from(token, "base64url").toString();
  if (text.startsWith("p")) return { position: { behindPrefix: text.slice(1) } };
  if (text.startsWith("k")) return { position: { behindKey: text.slice(1) } };
  throw new S3Fault("InvalidArgument", { message: "The continuation token provided is incorrect" });
}

function pageSize(call: Call): number {
  return numberOf(call, "max-keys", { missing: maxPage, min: 0, max: maxPage });
}

function objectElements(
  page: Page<ObjectVersion>,
  options: { readonly encode: (text: string) => string; readonly owner: boolean },
): (Markup | undefined)[] {
  const contents = page.items.map((item) =>
    "prefix" in item
      ? undefined
      : el(
          "Contents",
          el("Key", options.encode(item.key)),
          el("LastModified", isoTime(item.value.modifiedMs)),
          objectFields(item.value as StoredObject),
          options.owner ? ownerElement() : undefined,
        ),
  );
  return [...contents, ...commonPrefixes(page, options.encode)];
}

function versionElement(
  key: string,
  version: ObjectVersion,
  options: { readonly encode: (text: string) => string; readonly isLatest: boolean },
): Markup {
  const marker = version.deleteMarker === true;
  return el(
    marker ? "DeleteMarker" : "Version",
    el("Key", options.encode(key)),
    el("VersionId", version.versionId),
    el("IsLatest", options.isLatest),
    el("LastModified", isoTime(version.modifiedMs)),
    marker ? undefined : objectFields(version),
    ownerElement(),
  );
}

function objectFields(object: StoredObject): (Markup | undefined)[] {
  return [
    el("ETag", `"${object.etag}"`),
    optional("ChecksumAlgorithm", object.checksum?.algorithm),
    optional("ChecksumType", object.checksum?.type),
    el("Size", object.bytes),
    el("StorageClass", object.storageClass),
  ];
}

function ownerElement(): Markup {
  return el("Owner", el("ID", ownerId));
}

export function commonPrefixes(page: Page<unknown>, encode: (text: string) => string): Markup[] {
  return page.items.flatMap((item) =>
    "prefix" in item ? [el("CommonPrefixes", el("Prefix", encode(item.prefix)))] : [],
  );
}

/** `encoding-type=url` for clients whose XML cannot hold what keys can. Throws InvalidArgument for another. */
export function encoder(call: Call): (text: string) => string {
  const type = call.query.get("encoding-type");
  if (type === undefined || type === "") return (text) => text;
  if (type !== "url") {
    throw new S3Fault("InvalidArgument", {
      message: "Invalid Encoding Method specified in Request",
      fields: { ArgumentName: "encoding-type", ArgumentValue: type },
    });
  }
  // As S3 writes it: a slash stays, a blank becomes a plus.
  return (text) =>
    encodeURIComponent(text)
      .replaceAll("%2F", "/")
      .replaceAll("%20", "+")
      .replaceAll(/[!'()]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function nonEmpty(text: string | undefined, encode = (same: string) => same): string | undefined {
  return text === undefined || text === "" ? undefined : encode(text);
}

function withKey<T>(cursor: Cursor<T>, look: (key: string, value: T) => void): Cursor<T> {
  return {
    ...cursor,
    async next() {
      const found = await cursor.next();
      if (found !== undefined) look(found.key, found.value);
      return found;
    },
  };
}
