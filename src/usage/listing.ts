import type { Aws } from "../aws/clients.ts";
import { listVersions, type ListedVersion } from "../aws/s3/listing.ts";
import { roomFor, stoppable } from "../concurrency.ts";
import type { Piece } from "./sums.ts";

/** Keys after the one and up to the other, both without a limit where undefined. */
interface Range {
  readonly prefix?: string;
  readonly after?: string;
  readonly upTo?: string;
  readonly isWhole?: true;
}

/** What is to be looked at of a bucket, by whichever way. */
export interface Walk {
  readonly bucket: string;
  /** Only the keys that begin with one of these. */
  readonly prefixes?: readonly string[];
  /** Where keys are likely to lie close together: beginnings of them, such as `users/`. */
  readonly starts: readonly string[];
  /** Keys asked for at once; at most and by default 1,000. */
  readonly pageSize?: number;
  /** Names of an inventory's fields without which the question cannot be answered; a listing has them all. */
  readonly needs: readonly string[];
  readonly signal: AbortSignal;
  readonly onPieces: (pieces: readonly Piece[]) => void;
}

/** Listings at a time: S3 answers one page after the other within each. */
const atOnce = 8;
/** So many pages show that a bucket is large; a small one is not asked for more often than it has pages. */
const pagesBeforeParting = 4;

/**
 * Every version and delete marker of a bucket once, in no order. A large bucket is listed in ranges side by side: behind the
 * beginnings that its keys have, and within each of them by the hexadecimal digit that ids begin with.
 */
export async function walkVersions(aws: Aws, walk: Walk): Promise<void> {
  const { signal, stop } = stoppable(walk.signal);
  const room = roomFor(atOnce);
  const begun: Promise<void>[] = [];
  let failure: { readonly error: unknown } | undefined;
  const begin = (range: Range) => {
    const reading = room
      .within(1, () => read(range))
      .catch((error: unknown) => {
        failure ??= { error };
        stop();
      });
    begun.push(reading);
  };

  async function read(range: Range): Promise<void> {
    const { prefix, after, isWhole } = range;
    let { upTo } = range;
    let pages = 0;
    const seen = new Set<string>();
    const list = { bucket: walk.bucket, prefix, startAfter: after, pageSize: walk.pageSize, signal };
    for await (const versions of listVersions(aws, list)) {
      const within = versions.filter(({ key }) => isAfter(key, after) && !isBehind(key, upTo));
      walk.onPieces(within.map(pieceOf));
      if (versions.some(({ key }) => isBehind(key, upTo))) return;
      pages += 1;
      if (isWhole !== true || pages > pagesBeforeParting) continue;
      for (const { key } of versions) seen.add(key);
      if (pages < pagesBeforeParting || !(await beginsBehind(aws, walk, seen))) continue;
      const last = [...seen].reduce((most, key) => (key > most ? key : most), "");
      const [first, ...others] = parted(boundaries(walk.starts).filter((key) => key > last));
      upTo = first?.upTo;
      for (const range of others) begin(range);
    }
  }

  if (walk.prefixes === undefined) begin({ isWhole: true });
  for (const prefix of walk.prefixes ?? []) begin({ prefix });
  // More are begun while these are waited for.
  for (const reading of begun) await reading;
  if (failure !== undefined) throw failure.error;
}

/**
 * Whether the server begins a listing right behind a text that is no key, as S3 does. Some begin one version further on: there a bucket is
 * listed in one go. `seen` has all keys from the first on.
 */
async function beginsBehind(
  aws: Aws,
  { bucket, signal }: Pick<Walk, "bucket" | "signal">,
  seen: ReadonlySet<string>,
): Promise<boolean> {
  const behind = [...seen]
    .map((key) => key.slice(0, -1))
    .find((text) => /^[ -~]+$/.test(text) && !seen.has(text));
  if (behind === undefined) return false;
  const next = [...seen].filter((key) => key > behind).reduce((least, key) => (key < least ? key : least));
  for await (const versions of listVersions(aws, { bucket, startAfter: behind, pageSize: 1, signal }))
    return versions[0]?.key === next && versions[0].isLatest;
  return false;
}

function pieceOf({ isDeleteMarker, isLatest, ...version }: ListedVersion): Piece {
  const { key, sizeBytes: bytes, lastModified: at, storageClass } = version;
  return {
    key,
    part: isDeleteMarker ? "markers" : isLatest ? "objects" : "noncurrent",
    bytes,
    at,
    storageClass,
  };
}

function isAfter(key: string, after: string | undefined): boolean {
  return after === undefined || key > after;
}

function isBehind(key: string, upTo: string | undefined): boolean {
  return upTo !== undefined && key > upTo;
}

const digits = "0123456789abcdef".split("");

/**
 * Keys at which a listing can be parted, in order. Of ASCII alone: compared with these, a text stands on the same side by its
 * UTF-16 units as by its UTF-8 bytes, in whose order S3 lists.
 */
export function boundaries(starts: readonly string[]): string[] {
  const plain = starts.filter((start) => start !== "" && /^[ -~]+$/.test(start));
  return [...new Set(plain.flatMap((start) => [start, ...digits.map((digit) => start + digit)]))].sort();
}

/** `["b", "d"]` is everything up to b, from there up to d, and what is behind. */
function parted(keys: readonly string[]): Range[] {
  return [...keys, undefined].map((upTo, at) => ({ after: keys[at - 1], upTo }));
}
