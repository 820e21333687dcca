import { objectsOf, ownerField } from "../model/objects.ts";
import { own } from "../model/json.ts";
import type { Model } from "../model/schema.ts";

/** By what the bytes in buckets are summed up. */
export const groupings = ["entity", "user", "type", "class", "age"] as const;
export type Grouping = (typeof groupings)[number];

/** A version, a delete marker or an unfinished upload, as a listing tells of it. */
export interface Piece {
  readonly key: string;
  readonly part: keyof Sums;
  readonly bytes: number;
  readonly at: Date | undefined;
  readonly storageClass?: string | undefined;
}

export interface Amount {
  readonly count: number;
  readonly bytes: number;
}

export interface Sums {
  /** What is read without naming a version. */
  readonly objects: Amount;
  /** Versions that were replaced or deleted. */
  readonly noncurrent: Amount;
  readonly markers: Amount;
  /** Uploads in parts that were neither completed nor removed. */
  readonly unfinished: Amount;
}

/** What one group of a grouping takes. */
export interface Group extends Sums {
  /** Of a grouping by entity: the bucket. */
  readonly bucket?: string;
  /** Null for what is of none: no entity, nobody's, without an ending, of an unknown age. */
  readonly group: string | null;
  /** Of all that is counted here, beside the delete markers. */
  readonly bytes: number;
}

export const parts = ["objects", "noncurrent", "markers", "unfinished"] as const;

export const nothing: Sums = {
  objects: { count: 0, bytes: 0 },
  noncurrent: { count: 0, bytes: 0 },
  markers: { count: 0, bytes: 0 },
  unfinished: { count: 0, bytes: 0 },
};

/** Adds up pieces group by group: as much memory as there are groups, however many pieces. */
export interface Tally {
  add(group: string | null, piece: Pick<Piece, "part" | "bytes">): void;
  groups(): { readonly group: string | null; readonly sums: Sums }[];
}

export function tally(): Tally {
  const all = new Map<string | null, Record<keyof Sums, { count: number; bytes: number }>>();
  return {
    add(group, { part, bytes }) {
      let sums = all.get(group);
      if (sums === undefined) {
        sums = structuredClone(nothing);
        // A part of a text keeps the whole of it in memory: a page of a listing, a chunk of an inventory.
        all.set(group === null ? null : Buffer.from(group, "utf16le").toString("utf16le"), sums);
      }
      sums[part].count += 1;
      sums[part].bytes += bytes;
    },
    groups: () => [...all].map(([group, sums]) => ({ group, sums })),
  };
}

export function plus(one: Sums, other: Sums): Sums {
  const both = (part: keyof Sums) => ({
    count: one[part].count + other[part].count,
    bytes: one[part].bytes + other[part].bytes,
  });
  return {
    objects: both("objects"),
    noncurrent: both("noncurrent"),
    markers: both("markers"),
    unfinished: both("unfinished"),
  };
}

export function bytesOf({ objects, noncurrent, unfinished }: Sums): number {
  return objects.bytes + noncurrent.bytes + unfinished.bytes;
}

/** The largest first, those of none last among equals. */
export function largestFirst(groups: readonly Group[]): Group[] {
  return groups.toSorted((one, other) => other.bytes - one.bytes || nameOrder(one, other));
}

/** The first groups, and all others as one. */
export function topOf(groups: readonly Group[], most: number | undefined): readonly Group[] {
  const rest = most === undefined ? [] : groups.slice(most);
  if (rest.length < 2) return groups;
  const sums = rest.reduce<Sums>(plus, nothing);
  return [...groups.slice(0, most), { group: `${rest.length} others`, ...sums, bytes: bytesOf(sums) }];
}

function nameOrder(one: Group, other: Group): number {
  const text = ({ bucket = "", group }: Group) => `${group === null ? "\u{10FFFF}" : group}\0${bucket}`;
  return text(one) < text(other) ? -1 : 1;
}

interface Grouped {
  readonly model: Pick<Model, "entities">;
  /** Role of the bucket. */
  readonly bucket: string;
  readonly now: Date;
}

/** Prepares a grouping of what lies in one bucket: the group of each piece. */
export function grouperOf(by: Grouping, { model, bucket, now }: Grouped): (piece: Piece) => string | null {
  switch (by) {
    case "entity": {
      const kinds = objectsOf(model, bucket);
      return ({ key }) => kinds.valueOf(key) ?? null;
    }
    case "user":
      return ownerOf(model, bucket);
    case "type":
      return ({ key }) => endingOf(key);
    case "class":
      return ({ storageClass, part }) => (part === "markers" ? null : (storageClass ?? "STANDARD"));
    case "age":
      return ({ at }) => (at === undefined ? null : ageOf(now.getTime() - at.getTime()));
  }
}

/** Prepares whose the objects of one bucket are, as their keys say; null for nobody's. */
export function ownerOf(
  model: Pick<Model, "entities">,
  bucket: string,
): (piece: Pick<Piece, "key">) => string | null {
  const kinds = objectsOf(model, bucket);
  const fields = new Map(Object.entries(model.entities).map(([name, entity]) => [name, ownerField(entity)]));
  return ({ key }) => {
    const found = kinds.find(key);
    const field = found === undefined ? undefined : fields.get(found.value);
    return (field === undefined ? undefined : own(found?.fields ?? {}, field)) ?? null;
  };
}

/** What a name ends in, in lower case, as long as it looks like the type of a file; else null. */
function endingOf(key: string): string | null {
  return /[^/]\.([A-Za-z0-9]{1,8})$/.exec(key)?.[1]?.toLowerCase() ?? null;
}

const dayMs = 86_400_000;

const ages = [
  { days: 1, text: "up to 1 day" },
  { days: 7, text: "up to 7 days" },
  { days: 30, text: "up to 30 days" },
  { days: 90, text: "up to 90 days" },
  { days: 365, text: "up to 1 year" },
  { days: 1095, text: "up to 3 years" },
] as const;

function ageOf(ageMs: number): string {
  return ages.find(({ days }) => ageMs <= days * dayMs)?.text ?? "older";
}
