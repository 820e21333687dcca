import { listVersions, type ListedVersion } from "../aws/s3/listing.ts";
import type { ChainHead } from "../model/audit.ts";
import { inParallel } from "../concurrency.ts";
import { anchorIn } from "./anchor.ts";
import {
  anchorKey,
  claimWriterOf,
  keptAnchorKey,
  keptAnchorOf,
  trailPrefix,
  type TrailPlace,
} from "./place.ts";

/** What the bucket still knows of a trail, in every version of its anchors and claims. */
export interface Evidence {
  /** Hashes that were anchored, by the place in the chain. More than one for a place: one of them was forged. */
  readonly hashes: ReadonlyMap<number, ReadonlySet<string>>;
  /** The furthest head that was ever anchored. */
  readonly anchored: ChainHead | undefined;
  readonly anchor: "here" | "missing" | "damaged";
  /** Where an older anchor was put back in the place of a newer one. */
  readonly setBack: readonly { readonly from: number; readonly to: number }[];
  /** The runs that ever announced themselves. */
  readonly writers: ReadonlySet<string>;
  /** Those of them that did not say that nothing is under way any more. */
  readonly unclosed: readonly string[];
}

/** Anchors that are read at once. */
const sideBySide = 16;

/** Reads the list of versions, and each version of the anchor that writers move. */
export async function readEvidence(site: TrailPlace): Promise<Evidence> {
  const { aws, bucket, signal } = site;
  const hashes = new Map<number, Set<string>>();
  const moved: ListedVersion[] = [];
  const writers = new Set<string>();
  const unclosed: string[] = [];
  let kept = { sequence: 0, hash: "" };
  for await (const page of listVersions(aws, { bucket, prefix: trailPrefix(site), signal })) {
    for (const each of page) {
      const anchor = keptAnchorOf(site, each.key);
      const writer = claimWriterOf(site, each.key);
      if (each.key === anchorKey(site)) moved.push(each);
      if (anchor !== undefined) {
        add(hashes, anchor);
        if (anchor.sequence > kept.sequence) kept = anchor;
      }
      if (writer !== undefined) {
        writers.add(writer);
        if (each.isLatest && each.sizeBytes > 0) unclosed.push(writer);
      }
    }
  }

  const versions = moved.filter(({ isDeleteMarker }) => !isDeleteMarker);
  const heads = new Map<ListedVersion, ChainHead | undefined>();
  await inParallel(versions, sideBySide, async (each) => {
    const { key, version } = each;
    heads.set(each, (await anchorIn(aws, { bucket, key, version, signal })).stored);
  });
  let anchored: ChainHead | undefined;
  let before: ChainHead | undefined;
  const setBack: { from: number; to: number }[] = [];
  // As S3 lists them, the newest comes first.
  for (const version of versions.toReversed()) {
    const head = heads.get(version);
    if (head === undefined) continue;
    if (head.sequence > 0) add(hashes, head);
    if (before !== undefined && head.sequence < before.sequence)
      setBack.push({ from: before.sequence, to: head.sequence });
    if (head.sequence >= (anchored?.sequence ?? 0)) anchored = head;
    before = head;
  }
  const latest = versions.find(({ isLatest }) => isLatest);
  return {
    hashes,
    anchored: kept.sequence > (anchored?.sequence ?? 0) ? await keptHead(site, kept) : anchored,
    anchor: latest === undefined ? "missing" : heads.get(latest) === undefined ? "damaged" : "here",
    setBack,
    writers,
    unclosed,
  };
}

function add(hashes: Map<number, Set<string>>, { sequence, hash }: { sequence: number; hash: string }): void {
  hashes.set(sequence, (hashes.get(sequence) ?? new Set()).add(hash));
}

/** What a kept anchor says; where it was removed or written over, what its key alone does. */
async function keptHead(site: TrailPlace, { sequence, hash }: { sequence: number; hash: string }) {
  const { aws, bucket, signal } = site;
  const fromKey = { sequence, hash, timestamp: "", ttl: 0 };
  try {
    const key = keptAnchorKey(site, fromKey);
    const { stored: said } = await anchorIn(aws, { bucket, key, signal });
    return said?.sequence === sequence && said.hash === hash ? said : fromKey;
  } catch (error) {
    if (error instanceof Error && error.name === "NoSuchKey") return fromKey;
    throw error;
  }
}
