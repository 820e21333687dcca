import { ownerId, userIdFault } from "./user-id.ts";

export type HeroRole = "default" | "hover";

/** What a key in a bucket of the site says. `unknown` roles are the website's own names; the pointer tells them. */
export type ParsedKey =
  | HeroKey
  | AvatarKey
  | DocumentKey
  | { layout: "old-document"; userId: string; fileType: string; timestampMs: number; fileName: string }
  | { layout: "old-avatar"; userId: string; timestampMs: number; ext: string };

interface HeroKey {
  layout: "hero";
  /** The stem without a variant's width: `1734384121711-4f9c2a1b`. One per picture, shared by its variants. */
  id: string;
  timestampMs: number;
  role: HeroRole | "unknown";
  /** Pixels, of a responsive variant. */
  width?: number;
  ext: string;
}

export interface AvatarKey {
  layout: "avatar";
  userId: string;
  timestampMs: number;
  random: string;
  ext: string;
}

export interface DocumentKey {
  layout: "document";
  userId: string;
  /** The folder as it stands in the key; `pluralFileType` gives the one to write. */
  fileType: string;
  timestampMs: number;
  random: string;
  ext: string;
}

export interface HeroImage {
  readonly timestampMs: number;
  /** Eight hex digits. */
  readonly random: string;
  readonly role: HeroRole;
  readonly ext: string;
}

const heroPrefixes = { default: "", hover: "hover" } as const;

/** Folder of the hero images in the public bucket. The website keeps other pictures of the owner's in it too. */
export const heroFolder = `public/profile-images/${ownerId}/`;

/** Where the website puts the owner's pictures in the bucket to which it uploads today. */
export const ownerUploads = `profile/${ownerId}/`;

/** What names one hero image and its variants: `1734384121711-4f9c2a1b`, `1734384121711-hover4f9c2a1b`. */
export function heroId(image: Omit<HeroImage, "ext">): string {
  return `${checkedTime(image.timestampMs)}-${heroPrefixes[image.role]}${checkedRandom(image.random)}`;
}

/** Key of a hero image, or of its variant of `width` pixels. */
export function heroKey(image: HeroImage, width?: number): string {
  if (width !== undefined && !(Number.isInteger(width) && width > 0)) {
    throw new RangeError(`not a width in pixels: ${width}`);
  }
  const variant = width === undefined ? "" : `w${width}`;
  return `${heroFolder}${heroId(image)}${variant}.${checkedExt(image.ext)}`;
}

/** Key of a user's avatar in the private bucket. */
export function avatarKey(avatar: Omit<AvatarKey, "layout">): string {
  const { userId, timestampMs, random, ext } = avatar;
  return `public/profile-images/${checkedUserId(userId)}/${checkedTime(timestampMs)}-${checkedRandom(random)}.${checkedExt(ext)}`;
}

/** Key of a user's document in the private bucket. The type is written in its plural form. */
export function documentKey(document: Omit<DocumentKey, "layout">): string {
  const { userId, fileType, timestampMs, random, ext } = document;
  const folder = pluralFileType(fileType);
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(folder)) {
    throw new RangeError(`not a document type (a-z, 0-9, single hyphens): ${JSON.stringify(fileType)}`);
  }
  return `public/documents/${checkedUserId(userId)}/${folder}/${checkedTime(timestampMs)}-${checkedRandom(random)}.${checkedExt(ext)}`;
}

/** The website's upload API uses its words as folders; `document` is what it calls a cover letter's or any other file. */
const fileTypeAliases: Readonly<Record<string, string>> = {
  certificate: "certificates",
  "cover-letter": "cover-letters",
  document: "documents",
};

/** The form of a document type that is written: `certificate` -> `certificates`. Types it does not know stay. */
export function pluralFileType(fileType: string): string {
  return Object.hasOwn(fileTypeAliases, fileType) ? (fileTypeAliases[fileType] ?? fileType) : fileType;
}

/**
 * What a key says, by any layout the site has ever written; undefined for other keys. Takes every user id and name
 * part that has been written, also ones that would not be written today.
 */
export function parseKey(key: string): ParsedKey | undefined {
  return parseImage(key) ?? parseDocument(key) ?? parseOld(key);
}

function parseImage(key: string): HeroKey | AvatarKey | undefined {
  const match = /^public\/profile-images\/([^/]+)\/(\d{1,15})-([^/]+)\.([^./]+)$/s.exec(key);
  if (match === null) return undefined;
  const [, userId = "", time = "", random = "", ext = ""] = match;
  const timestampMs = Number(time);
  if (userId !== ownerId) return { layout: "avatar", userId, timestampMs, random, ext };
  const ours = /^((?:hover)?[0-9a-f]{8})(?:w([1-9]\d{0,5}))?$/.exec(random);
  const [, name = random, width] = ours ?? [];
  const role = random.startsWith("hover") ? "hover" : ours === null ? "unknown" : "default";
  const image: HeroKey = { layout: "hero", id: `${time}-${name}`, timestampMs, role, ext };
  return width === undefined ? image : { ...image, width: Number(width) };
}

function parseDocument(key: string): DocumentKey | undefined {
  const match = /^public\/documents\/([^/]+)\/([^/]+)\/(\d{1,15})-([^/]+?)(?:\.([^./]*))?$/s.exec(key);
  if (match === null) return undefined;
  const [, userId = "", fileType = "", time = "", random = "", ext = ""] = match;
  return { layout: "document", userId, fileType, timestampMs: Number(time), random, ext };
}

function parseOld(key: string): ParsedKey | undefined {
  const document = /^users\/([^/]+)\/documents\/([^/]+)\/(\d{1,15})-(.+)$/s.exec(key);
  if (document !== null) {
    const [, userId = "", fileType = "", time = "", fileName = ""] = document;
    return { layout: "old-document", userId, fileType, timestampMs: Number(time), fileName };
  }
  const avatar = /^profile-images\/([^/]+)\/avatar-(\d{1,15})\.([^./]+)$/s.exec(key);
  if (avatar === null) return undefined;
  const [, userId = "", time = "", ext = ""] = avatar;
  return { layout: "old-avatar", userId, timestampMs: Number(time), ext };
}

function checkedUserId(userId: string): string {
  const fault = userIdFault(userId);
  if (fault !== undefined) throw new RangeError(`user id ${JSON.stringify(userId)} ${fault}`);
  return userId;
}

function checkedTime(timestampMs: number): number {
  if (!Number.isSafeInteger(timestampMs) || timestampMs < 0 || timestampMs >= 1e15) {
    throw new RangeError(`not a time in milliseconds: ${timestampMs}`);
  }
  return timestampMs;
}

function checkedRandom(random: string): string {
  if (!/^[0-9a-f]{8}$/.test(random)) throw new RangeError("the random part is eight hex digits");
  return random;
}

function checkedExt(ext: string): string {
  if (!/^[a-z0-9]{1,10}$/.test(ext)) throw new RangeError(`not a file extension: ${JSON.stringify(ext)}`);
  return ext;
}
