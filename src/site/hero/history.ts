import { trailOf } from "../../audit/place.ts";
import { pictureEntries, picturesNamed } from "../../audit/pictures.ts";
import { listObjects } from "../../aws/s3/listing.ts";
import { headObject } from "../../aws/s3/objects.ts";
import { errorName, isDenied } from "../../aws/setting.ts";
import type { AuditEntry } from "../../model/audit.ts";
import { heroFolder, ownerUploads, parseKey, type HeroRole } from "../../model/keys.ts";
import type { ObjectAddress } from "../../model/urls.ts";
import { ownerId } from "../../model/user-id.ts";
import type { HeroVariant } from "./live.ts";
import { readPointer, type ReadPointer } from "./pointer.ts";
import { addressOf, placesOf, urlOf } from "./addresses.ts";
import type { Context } from "../../context.ts";

export interface StoredPicture extends StoredObject {
  readonly id: string;
  /** What the key says; the website's own names say nothing, unless the picture is live. */
  readonly role: HeroRole | "unknown";
  /** What it is live as; `default` also where it is both. */
  readonly current: HeroRole | null;
  /** All that it is live as: the website shows one picture in both roles. */
  readonly liveAs: readonly HeroRole[];
  readonly variants: readonly StoredVariant[];
}

interface StoredObject {
  readonly bucket: string;
  readonly key: string;
  readonly url: string;
  readonly bytes: number;
  /** When it was made, by its key, else by S3; ISO 8601 UTC. */
  readonly createdAt: string | null;
}

export interface StoredVariant {
  readonly key: string;
  readonly url: string;
  /** Pixels. */
  readonly width: number;
  readonly ext: string;
}

/** What lies where hero images do. */
export interface HeroPictures {
  /** Live now or once: a pointer, the history beside it or the audit trail says so. Newest first. */
  readonly heroes: readonly StoredPicture[];
  /** All else under the same prefixes: the website's own, of which only browsers may know. Newest first. */
  readonly unknown: readonly StoredObject[];
  /** Buckets that this identity may not list. */
  readonly unlisted: readonly string[];
}

/** Every picture of the owner's that is there, parted by whether it is known to have been a hero image. */
export async function heroPictures(context: Context): Promise<HeroPictures> {
  const [read, entries, own, theirs] = await Promise.all([
    readPointer(context),
    pictureEntries(trailOf(context), ownerId),
    listed(context, { bucket: context.buckets.publicMedia, prefix: heroFolder }),
    listed(context, { bucket: context.buckets.profileImages, prefix: ownerUploads }),
  ]);
  const known = knownHeroes(context, read, entries);
  const objects = [...(own ?? []), ...(theirs ?? [])];
  const seen = new Set(objects.map(nameOf));
  const elsewhere = [...known.values()].filter((address) => !seen.has(nameOf(address)));
  objects.push(...(await Promise.all(elsewhere.map((address) => looked(context, address)))).flat());

  const isKnown = (object: ObjectAddress) => known.has(stemOf(object));
  return {
    heroes: pictured(context, read, objects.filter(isKnown)).sort(newestFirst),
    unknown: objects.filter((object) => !isKnown(object)).sort(newestFirst),
    unlisted: [
      ...(own === undefined ? [context.buckets.publicMedia] : []),
      ...(theirs === undefined ? [context.buckets.profileImages] : []),
    ],
  };
}

/** The objects under a prefix; none where there is no such bucket, undefined where it may not be listed. */
async function listed(
  context: Context,
  place: { readonly bucket: string; readonly prefix: string },
): Promise<StoredObject[] | undefined> {
  const found: StoredObject[] = [];
  try {
    for await (const { objects } of listObjects(context.aws, { ...place, signal: context.signal })) {
      for (const { key, sizeBytes, lastModified } of objects) {
        found.push(described(context, { bucket: place.bucket, key }, { sizeBytes, lastModified }));
      }
    }
  } catch (error) {
    if (errorName(error) === "NoSuchBucket" && place.bucket === context.buckets.profileImages) return [];
    if (isDenied(error) && place.bucket === context.buckets.profileImages) return undefined;
    throw error;
  }
  return found;
}

/** An object that no listing gives; none when it is gone, or in a bucket that is not the site's. */
async function looked(context: Context, address: ObjectAddress): Promise<StoredObject[]> {
  if (!isOurs(context, address)) return [];
  const head = await headObject(context.aws, address, context.signal);
  return head === undefined ? [] : [described(context, address, head)];
}

/** Whether a bucket is one that the site keeps hero images in. */
function isOurs({ buckets }: Context, address: ObjectAddress): boolean {
  return address.bucket === buckets.publicMedia || address.bucket === buckets.profileImages;
}

function described(
  context: Context,
  address: ObjectAddress,
  { sizeBytes, lastModified }: { readonly sizeBytes: number; readonly lastModified: Date | undefined },
): StoredObject {
  const named = /(?:^|\/)(\d{12,15})-[^/]*$/.exec(address.key)?.[1];
  const made = named === undefined ? lastModified : new Date(Number(named));
  return {
    ...address,
    url: urlOf(context, address),
    bytes: sizeBytes,
    createdAt: made?.toISOString() ?? null,
  };
}

/** Where each hero image lies that is or was live, by what it has in common with its variants. */
function knownHeroes(
  context: Context,
  { pointer, past }: ReadPointer,
  entries: readonly AuditEntry[],
): Map<string, ObjectAddress> {
  const { profileImageDefault, profileImageHover } = pointer;
  const urls = [profileImageDefault, profileImageHover, ...past.default, ...past.hover, ...past.left];
  const addresses = [
    ...urls.flatMap((url) => (url === null ? [] : (addressOf(context, url) ?? []))),
    ...entries.flatMap((entry) => picturesNamed(entry, placesOf(context))),
  ];
  return new Map(addresses.map((address) => [stemOf(address), address]));
}

function nameOf({ bucket, key }: ObjectAddress): string {
  return `${bucket}/${key}`;
}

/** The same for a picture and its variants, and for no other. */
function stemOf(address: ObjectAddress): string {
  const parsed = parseKey(address.key);
  return parsed?.layout === "hero" ? `${address.bucket}/${heroFolder}${parsed.id}` : nameOf(address);
}

/** What a person calls a picture by: its file's name without width and extension. */
export function pictureId({ key }: ObjectAddress): string {
  const parsed = parseKey(key);
  if (parsed?.layout === "hero") return parsed.id;
  return key.slice(key.lastIndexOf("/") + 1).replace(/\.[^.]*$/, "");
}

function pictured(context: Context, read: ReadPointer, objects: readonly StoredObject[]): StoredPicture[] {
  const live = new Map<string, HeroRole[]>();
  for (const role of ["default", "hover"] as const) {
    const url = role === "hover" ? read.pointer.profileImageHover : read.pointer.profileImageDefault;
    const address = url === null ? undefined : addressOf(context, url);
    if (address !== undefined) live.set(nameOf(address), [...(live.get(nameOf(address)) ?? []), role]);
  }
  const variants = new Map<string, StoredVariant[]>();
  const mains = objects.filter((object) => {
    const variant = variantOf(object);
    if (variant === undefined) return true;
    variants.set(stemOf(object), [...(variants.get(stemOf(object)) ?? []), variant]);
    return false;
  });
  return mains.map((object) => {
    const parsed = parseKey(object.key);
    const liveAs = live.get(nameOf(object)) ?? [];
    const [current = null] = liveAs;
    const named = parsed?.layout === "hero" ? parsed.role : "unknown";
    return {
      id: pictureId(object),
      ...object,
      role: named === "unknown" ? (current ?? "unknown") : named,
      current,
      liveAs,
      variants: variants.get(stemOf(object)) ?? [],
    };
  });
}

function variantOf({ key, url }: StoredObject): StoredVariant | undefined {
  const parsed = parseKey(key);
  if (parsed?.layout !== "hero" || parsed.width === undefined) return undefined;
  return { key, url, width: parsed.width, ext: parsed.ext };
}

/** The variants as a pointer names them. */
function pointedAt(variants: readonly StoredVariant[]): HeroVariant[] {
  return variants
    .filter(({ ext }) => ext === "webp" || ext === "avif")
    .map(({ url, width, ext }) => ({ url, width, type: `image/${ext}` }));
}

function newestFirst(one: StoredObject, other: StoredObject): number {
  return compare(other.createdAt ?? "", one.createdAt ?? "") || compare(one.key, other.key);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/**
 * Looks whether a picture that was live can be live again: with its variants, by one listing of what they have in common.
 * `gone` when its object is; `foreign` when it is in no bucket of the site, where nobody can look.
 */
export async function findPicture(
  context: Context,
  url: string,
): Promise<
  { readonly address: ObjectAddress; readonly variants: readonly HeroVariant[] } | "gone" | "foreign"
> {
  const address = addressOf(context, url);
  if (address === undefined || !isOurs(context, address)) return "foreign";
  const parsed = parseKey(address.key);
  if (parsed?.layout !== "hero") {
    const head = await headObject(context.aws, address, context.signal);
    return head === undefined ? "gone" : { address, variants: [] };
  }
  const prefix = `${heroFolder}${parsed.id}`;
  const objects = (await listed(context, { bucket: address.bucket, prefix })) ?? [];
  if (!objects.some(({ key }) => key === address.key)) return "gone";
  const together = objects.filter((object) => stemOf(object) === stemOf(address));
  return { address, variants: pointedAt(together.flatMap((object) => variantOf(object) ?? [])) };
}
