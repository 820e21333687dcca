import { parseKey, type ParsedKey } from "../model/keys.ts";
import { ownerId } from "../model/user-id.ts";
import type { ImageDue } from "./plan-entry.ts";
import { placeOf, provenPictures } from "./proven-pictures.ts";
import { referencesOf } from "./references.ts";
import { day, agesOf, duePictures, isPast, type Picture } from "./rules.ts";
import type { ProfileSite } from "./site.ts";
import {
  bytesOf,
  keysWithVersions,
  newestBytesMs,
  plannedVersion,
  type KeyVersions,
} from "./stored-versions.ts";

/** A picture with the objects that belong to it: itself and its responsive variants. */
interface StoredPicture extends Pick<Picture, "id" | "role"> {
  /** The later of what the key says and of S3's times of its objects. */
  readonly madeMs: number;
  readonly keys: readonly KeyVersions[];
}

export interface PictureFolder {
  readonly bucket: string;
  /** With the slash at its end. */
  readonly folder: string;
  readonly keys: readonly KeyVersions[];
  readonly strangers: ReadonlySet<string>;
}

/** The folder of a key that is a picture's; undefined for all other keys. */
export function pictureFolder(key: string): string | undefined {
  return pictureName(parseKey(key)) === undefined ? undefined : key.slice(0, key.lastIndexOf("/") + 1);
}

/** What is due in a folder of pictures, and how many are as old, and nothing says what they are. */
export interface JudgedPictures {
  readonly due: readonly ImageDue[];
  readonly unknown: number;
}

/**
 * The pictures of one folder, all variants with them, that certainly were live, that nothing points to, and that are
 * neither young nor among the newest. A user's pictures may lie in two folders, by the present and by an older layout:
 * they count together. What the user's items point at, and what was live, is only read where something could go.
 */
export async function findPictures(site: ProfileSite, folder: PictureFolder): Promise<JudgedPictures> {
  const { rules } = site;
  const rule = rules.byId.get("unreferenced-images");
  const here = picturesIn(folder.keys);
  if (rule === undefined || !here.some(({ madeMs }) => isPast(rule, madeMs, rules))) {
    return { due: [], unknown: 0 };
  }
  const userId = ownerOf(parseKey(folder.keys[0]?.key ?? "")) ?? "";
  const beside = otherFolder(folder.folder, userId);
  const others: KeyVersions[] = [];
  if (beside !== undefined) {
    for await (const stored of keysWithVersions(site, folder.bucket, beside)) others.push(stored);
  }
  const all = [...here, ...picturesIn(others)];
  const references = await referencesOf(site, userId, folder.strangers);
  const proven = await provenPictures(site.proofs, { userId, history: references.history }, (key) =>
    pictureName(parseKey(key)),
  );
  const judged = all.flatMap((picture): Picture[] => {
    const liveMs = proven.get(placeOf(folder.bucket, picture.id));
    if (liveMs === undefined) return [];
    const isReferenced = references.has(picture.id);
    return [{ ...picture, sinceMs: Math.max(picture.madeMs, liveMs), isReferenced }];
  });
  const going = new Map(duePictures(judged, rules).map(({ id, sinceMs }) => [id, sinceMs]));
  const unknown = here.filter(
    ({ id, madeMs }) =>
      !proven.has(placeOf(folder.bucket, id)) && !references.has(id) && isPast(rule, madeMs, rules),
  );
  const due = here
    .filter(({ id }) => going.has(id))
    .flatMap((picture) =>
      picture.keys.map(({ key, versions }): ImageDue => {
        const sinceMs = going.get(picture.id) ?? picture.madeMs;
        return {
          kind: "image",
          action: "purge",
          rule: rule.id,
          by: rule.by,
          reason: `nothing points to it since ${day(sinceMs)}, and ${rule.keepNewest ?? 0} newer ones are kept`,
          userId,
          bucket: folder.bucket,
          key,
          picture: picture.id,
          bytes: bytesOf(versions.map(plannedVersion)),
          ...agesOf({ rule, sinceMs }, rules),
          versions: versions.map(plannedVersion),
        };
      }),
    );
  return { due, unknown: unknown.length };
}

/** Pictures by their ids. A key whose newest version is a delete marker is no picture any more. */
function picturesIn(keys: readonly KeyVersions[]): StoredPicture[] {
  const pictures = new Map<string, StoredPicture & { keys: KeyVersions[] }>();
  for (const stored of keys) {
    const parsed = parseKey(stored.key);
    const name = pictureName(parsed);
    if (parsed === undefined || name === undefined || stored.versions[0]?.isDeleteMarker === true) continue;
    const madeMs = Math.max(parsed.timestampMs, newestBytesMs(stored.versions) ?? 0);
    const known = pictures.get(name);
    pictures.set(name, {
      id: name,
      role: parsed.layout === "hero" && parsed.role === "hover" ? "hover" : "default",
      madeMs: Math.max(madeMs, known?.madeMs ?? 0),
      keys: [...(known?.keys ?? []), stored],
    });
  }
  return [...pictures.values()];
}

/** What a picture's key and those of its variants have in common, and no other's. */
function pictureName(parsed: ParsedKey | undefined): string | undefined {
  switch (parsed?.layout) {
    case "hero":
      return parsed.id;
    case "avatar":
      return `${parsed.timestampMs}-${parsed.random}`;
    case "old-avatar":
      return `avatar-${parsed.timestampMs}`;
    case "document":
    case "old-document":
    case undefined:
      return undefined;
  }
}

/** Whose an object is by its key; null where it does not tell. */
export function ownerOf(parsed: ParsedKey | undefined): string | null {
  if (parsed === undefined) return null;
  return parsed.layout === "hero" ? ownerId : parsed.userId;
}

function otherFolder(folder: string, userId: string): string | undefined {
  if (userId === ownerId) return undefined;
  const present = `public/profile-images/${userId}/`;
  return folder === present ? `profile-images/${userId}/` : present;
}
