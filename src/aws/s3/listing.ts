import type { DeleteMarkerEntry, ObjectVersion } from "@aws-sdk/client-s3";
import type { Aws } from "../clients.ts";
import { abortable } from "./objects.ts";
import { onwards } from "../paging.ts";

export interface ListObjects {
  readonly bucket: string;
  /** Default: the whole bucket. */
  readonly prefix?: string;
  /** Groups keys up to this character behind the prefix, such as `/`. */
  readonly delimiter?: string;
  /** Lists the keys behind this one only. */
  readonly startAfter?: string;
  /** Keys asked for at once; at most and by default 1,000. */
  readonly pageSize?: number;
  readonly signal?: AbortSignal;
}

interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly lastModified: Date | undefined;
  readonly storageClass: string | undefined;
}

export interface ObjectPage {
  readonly objects: readonly ListedObject[];
  /** Groups of keys, when a delimiter was given. */
  readonly prefixes: readonly string[];
}

/** The objects of a bucket in the order of their keys' UTF-8 bytes, page by page to the very end. */
export async function* listObjects(aws: Aws, list: ListObjects): AsyncGenerator<ObjectPage> {
  const [s3, { ListObjectsV2Command }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  let token: string | undefined;
  const onward = onwards<NonNullable<typeof token>>("objects");
  do {
    const page = await s3.send(
      new ListObjectsV2Command({
        Bucket: list.bucket,
        Prefix: list.prefix,
        Delimiter: list.delimiter,
        StartAfter: list.startAfter,
        MaxKeys: list.pageSize,
        // XML 1.0 cannot carry control characters, which are ordinary in keys.
        EncodingType: "url",
        ContinuationToken: token,
      }),
      abortable(list.signal),
    );
    const decode = decoder(page.EncodingType);
    yield {
      objects: (page.Contents ?? []).map((object) => ({
        key: decode(object.Key),
        sizeBytes: object.Size ?? 0,
        etag: object.ETag ?? "",
        lastModified: object.LastModified,
        storageClass: object.StorageClass,
      })),
      prefixes: (page.CommonPrefixes ?? []).map((group) => decode(group.Prefix)),
    };
    token = onward(nextOf(page.IsTruncated, page.NextContinuationToken));
  } while (token !== undefined);
}

export interface ListedVersion {
  readonly key: string;
  /** `null` (the word) for what was written while the bucket was not versioned. */
  readonly version: string;
  readonly isLatest: boolean;
  readonly isDeleteMarker: boolean;
  /** 0 for a delete marker. */
  readonly sizeBytes: number;
  readonly etag: string;
  readonly lastModified: Date | undefined;
  /** Undefined for a delete marker. */
  readonly storageClass?: string | undefined;
}

/**
 * Every version and delete marker under a prefix, page by page; within a page the versions come first, then the
 * markers, each in the order of keys, newest first. A bucket without versioning gives its objects as version `null`.
 */
export async function* listVersions(
  aws: Aws,
  list: Omit<ListObjects, "delimiter">,
): AsyncGenerator<readonly ListedVersion[]> {
  for await (const { versions } of versionPages(aws, list)) yield versions;
}

/** The groups of keys under a prefix, those included that have only earlier versions and delete markers. */
export async function* listFolders(
  aws: Aws,
  list: ListObjects & { readonly delimiter: string },
): AsyncGenerator<readonly string[]> {
  for await (const { prefixes } of versionPages(aws, list)) yield prefixes;
}

async function* versionPages(
  aws: Aws,
  list: ListObjects,
): AsyncGenerator<{ readonly versions: readonly ListedVersion[]; readonly prefixes: readonly string[] }> {
  const [s3, { ListObjectVersionsCommand }] = await Promise.all([aws.s3(), import("./sdk.ts")]);
  let next: { key: string; version: string | undefined } | undefined;
  const onward = onwards<NonNullable<typeof next>>("versions");
  do {
    const page = await s3.send(
      new ListObjectVersionsCommand({
        Bucket: list.bucket,
        Prefix: list.prefix,
        Delimiter: list.delimiter,
        MaxKeys: list.pageSize,
        EncodingType: "url",
        KeyMarker: next?.key ?? list.startAfter,
        VersionIdMarker: next?.version,
      }),
      abortable(list.signal),
    );
    const decode = decoder(page.EncodingType);
    yield {
      versions: [
        ...(page.Versions ?? []).map((entry) => listedVersion(entry, decode, false)),
        ...(page.DeleteMarkers ?? []).map((entry) => listedVersion(entry, decode, true)),
      ],
      prefixes: (page.CommonPrefixes ?? []).map((group) => decode(group.Prefix)),
    };
    const key = nextOf(page.IsTruncated, page.NextKeyMarker);
    next = onward(key === undefined ? undefined : { key: decode(key), version: page.NextVersionIdMarker });
  } while (next !== undefined);
}

function listedVersion(
  entry: ObjectVersion & DeleteMarkerEntry,
  decode: (text: string | undefined) => string,
  isDeleteMarker: boolean,
): ListedVersion {
  return {
    key: decode(entry.Key),
    version: entry.VersionId ?? "null",
    isLatest: entry.IsLatest ?? false,
    isDeleteMarker,
    sizeBytes: entry.Size ?? 0,
    etag: entry.ETag ?? "",
    lastModified: entry.LastModified,
    storageClass: entry.StorageClass,
  };
}

/** Where the next page starts. A list cut off without saying where would otherwise pass for the whole. */
export function nextOf(isTruncated: boolean | undefined, marker: string | undefined): string | undefined {
  if (isTruncated !== true) return undefined;
  if (marker === undefined || marker === "")
    throw new Error("the server cut a list off and gave no marker to go on");
  return marker;
}

/** S3 writes keys the way of HTML forms when asked for `url`: a blank is a plus. Other servers may ignore the wish. */
export function decoder(encodingType: string | undefined): (text: string | undefined) => string {
  return encodingType === "url"
    ? (text) => decodeURIComponent((text ?? "").replaceAll("+", " "))
    : (text) => text ?? "";
}
