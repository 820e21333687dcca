import { isRecord, timeOf, type JsonObject } from "./json.ts";
import { dataUrlIn, shownUrl, type DataUrl } from "./data-url.ts";
import { parseKey, pluralFileType } from "./keys.ts";
import { addressAttribute, siteSecrets } from "./mawps.ts";
import { secretsMasked } from "./secrets.ts";
import { encodeSegment } from "./urls.ts";

/**
 * Where a document stands.
 *
 * | status    | bytes in the bucket | may be read | becomes                          |
 * |-----------|---------------------|-------------|----------------------------------|
 * | UPLOADING | not yet, or not all | no          | SCANNING, READY, INFECTED        |
 * | SCANNING  | yes, unjudged       | no          | READY, INFECTED                  |
 * | READY     | yes                 | yes         | INFECTED (scanned again), DELETED |
 * | INFECTED  | none, or quarantined | no         | UPLOADING, READY (judged anew), DELETED |
 * | DELETED   | yes, until retention | no         | READY, INFECTED (restored)       |
 */
export const documentStatuses = ["UPLOADING", "SCANNING", "READY", "INFECTED", "DELETED"] as const;
export type DocumentStatus = (typeof documentStatuses)[number];

const successors: Readonly<Record<DocumentStatus, readonly DocumentStatus[]>> = {
  UPLOADING: ["SCANNING", "READY", "INFECTED"],
  SCANNING: ["READY", "INFECTED"],
  READY: ["INFECTED", "DELETED"],
  INFECTED: ["UPLOADING", "READY", "DELETED"],
  DELETED: ["READY", "INFECTED"],
};

/** Whether a document of one status may get the other; staying as it is always may. */
export function mayBecome(from: DocumentStatus | "UNKNOWN", to: DocumentStatus): boolean {
  return from === to || (from !== "UNKNOWN" && successors[from].includes(to));
}

export const scanResults = ["CLEAN", "INFECTED", "ERROR", "SKIPPED"] as const;
export type ScanResult = (typeof scanResults)[number];

/**
 * A document's entry as it is understood. `attributes` is all of it as it came, also what is not known here;
 * the fields beside are read leniently from them: the website writes entries without most of these.
 */
export interface DocumentEntry {
  /** Unique among a user's documents; the key of the object where the entry has no id of its own, else "". */
  readonly id: string;
  readonly name: string;
  /** In its plural form, whatever the entry says. */
  readonly type: string;
  /** "" when the entry names no object. */
  readonly s3Key: string;
  /** Bytes. */
  readonly size: number | undefined;
  readonly uploadedAt: string | undefined;
  readonly contentType: string | undefined;
  /** The file itself, where the website has put it into the entry instead of a bucket. */
  readonly inline: DataUrl | undefined;
  /** Hex, lower case. */
  readonly sha256: string | undefined;
  /** READY without one; UNKNOWN for a word that is none of the model's, which nothing may rely on. */
  readonly status: DocumentStatus | "UNKNOWN";
  /** Undefined: never scanned. */
  readonly scanResult: ScanResult | undefined;
  readonly scannedAt: string | undefined;
  readonly uploadedBy: string | undefined;
  readonly tags: readonly string[];
  readonly expiresAt: string | undefined;
  readonly deletedAt: string | undefined;
  readonly deletedBy: string | undefined;
  readonly attributes: JsonObject;
}

/**
 * Reads an entry. Nothing is refused: what is missing or of another kind is undefined, "" or empty.
 *
 * | here        | the website's documents-api | the website's uploads of today     |
 * |-------------|-----------------------------|------------------------------------|
 * | id          | documentId                  | id                                 |
 * | name        | fileName                    | name                               |
 * | type        | documentType                | category                           |
 * | contentType | fileType                    | fileType, or type                  |
 * | size        | fileSize                    | size                               |
 * | uploadedAt  | uploadedAt                  | createdAt                          |
 */
export function parseDocument(attributes: JsonObject): DocumentEntry {
  const s3Key = text(attributes["s3Key"]) ?? "";
  const inline = s3Key === "" ? dataUrlIn(attributes) : undefined;
  const type = text(attributes["type"]);
  const mediaType = [attributes["fileType"], type].find(isMediaType);
  const parsed = parseKey(s3Key);
  const inKey =
    parsed?.layout === "document" || parsed?.layout === "old-document" ? parsed.fileType : "documents";
  return {
    id: text(attributes["id"]) ?? text(attributes["documentId"]) ?? s3Key,
    name: text(attributes["name"]) ?? text(attributes["fileName"]) ?? s3Key.slice(s3Key.lastIndexOf("/") + 1),
    type: pluralFileType(
      (isMediaType(type) ? undefined : type) ??
        text(attributes["documentType"]) ??
        text(attributes["category"]) ??
        inKey,
    ),
    s3Key,
    size: bytes(attributes["size"]) ?? bytes(attributes["fileSize"]) ?? inline?.sizeBytes,
    uploadedAt: text(attributes["uploadedAt"]) ?? text(attributes["createdAt"]),
    contentType: text(attributes["contentType"]) ?? mediaType ?? inline?.mediaType,
    inline,
    sha256: hash(attributes["sha256"]),
    status: statusOf(attributes["status"]),
    scanResult: scanResults.find((result) => result === upper(attributes["scanResult"])),
    scannedAt: text(attributes["scannedAt"]),
    uploadedBy: text(attributes["uploadedBy"]),
    tags: texts(attributes["tags"]),
    expiresAt: text(attributes["expiresAt"]),
    deletedAt: text(attributes["deletedAt"]),
    deletedBy: text(attributes["deletedBy"]),
    attributes,
  };
}

/**
 * The entry as JSON with the model's names: all that it holds, what it says under other names, and the status that counts
 * where it has none. No file that stands in it, no link that opens one, and no secret.
 */
export function documentJson(userId: string, entry: DocumentEntry): JsonObject {
  const { id, status, name, type, s3Key, size, uploadedAt, contentType } = entry;
  const known = Object.entries({ name, type, s3Key, size, uploadedAt, contentType });
  return {
    userId,
    ...Object.fromEntries(known.filter(([, value]) => value !== undefined && value !== "")),
    ...(secretsMasked(siteSecrets, jsonOf(entry.attributes)) as JsonObject),
    ...(id === "" ? {} : { id }),
    status,
  };
}

/** What names an entry's object besides its key: by its own address, without a signature; the website's buttons open `url`. */
export function addressFields(url: string): Readonly<Record<string, string>> {
  return { [addressAttribute]: url, url };
}

/** What an entry has beside the model's fields for pages of the website: its address, and what their lists show. */
export function websiteFields(entry: {
  readonly url: string;
  readonly type: string;
  readonly contentType?: string | undefined;
  readonly createdAt?: string | undefined;
}): Readonly<Record<string, string>> {
  const { url, type, contentType, createdAt } = entry;
  return {
    ...addressFields(url),
    category: type,
    storage: "s3",
    ...(contentType === undefined ? {} : { fileType: contentType }),
    ...(createdAt === undefined ? {} : { createdAt }),
  };
}

/** Newest first; entries without a readable time last, then by id, so that the order is always the same. */
export function newestFirst(one: DocumentEntry, other: DocumentEntry): number {
  const difference = (timeOf(other.uploadedAt) ?? -1) - (timeOf(one.uploadedAt) ?? -1);
  return difference === 0 ? compare(one.id, other.id) : difference;
}

/** A document whose bytes nobody has vouched for: never scanned, skipped, or not scanned because of an error. */
export function isUnscanned({ scanResult }: DocumentEntry): boolean {
  return scanResult !== "CLEAN" && scanResult !== "INFECTED";
}

/** Why a document must not be touched; undefined where nothing holds it. */
export function legalHold(attributes: JsonObject): string | undefined {
  const hold = attributes["legalHold"];
  if (hold === undefined || hold === null || hold === false || hold === "") return undefined;
  if (typeof hold === "string") return hold;
  if (isRecord(hold) && typeof hold["reason"] === "string" && hold["reason"] !== "") return hold["reason"];
  return "no reason given";
}

/** The status to go back to from a soft delete: an infection is not forgotten by deleting and restoring. */
export function restoredStatus({ scanResult }: DocumentEntry): DocumentStatus {
  return scanResult === "INFECTED" ? "INFECTED" : "READY";
}

/**
 * Why a text cannot be a document's name, or undefined when it can. It is a file's name for whoever downloads it, and
 * in S3's metadata, which holds 2 KB, each byte may take three characters.
 */
export function documentNameFault(name: string): string | undefined {
  if (name === "" || /^[\s.]+$/.test(name)) return "is empty";
  if (/[/\\]/.test(name)) return "holds a slash";
  if (/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u.test(name)) return "holds control characters";
  if (/\p{Surrogate}/u.test(name)) return "is no valid Unicode";
  return Buffer.byteLength(name) > 255 ? "is longer than 255 bytes in UTF-8" : undefined;
}

/** Why a text cannot be a tag, or undefined when it can. */
export function tagFault(tag: string): string | undefined {
  if (tag.trim() === "") return "is empty";
  if (/\p{Cc}/u.test(tag)) return "holds control characters";
  return Buffer.byteLength(tag) > 128 ? "is longer than 128 bytes in UTF-8" : undefined;
}

/** The user metadata of a document's object: enough to write its entry anew. S3 takes ASCII, 2 KB in all. */
export function objectMetadata(document: {
  readonly id: string;
  readonly name: string;
  readonly sha256: string;
  readonly uploadedBy: string;
}): Record<string, string> {
  return {
    "original-name": encodeSegment(document.name),
    "document-id": document.id,
    "uploaded-by": document.uploadedBy.replaceAll(/[^!-$&-~]/gu, (sign) => encodeSegment(sign)),
    sha256: document.sha256,
  };
}

/** What an object's metadata says of its document; empty for an object that the website wrote. */
export function fromObjectMetadata(metadata: Readonly<Record<string, string>>): {
  readonly id?: string;
  readonly name?: string;
  readonly sha256?: string;
  readonly uploadedBy?: string;
} {
  // The second is documents-api's; S3 gives names in lower case.
  const id = metadata["document-id"] ?? metadata["documentid"];
  const name = decoded(metadata["original-name"]);
  const uploadedBy = decoded(metadata["uploaded-by"]);
  const sha256 = hash(metadata["sha256"]);
  return {
    ...(id === undefined || id === "" ? {} : { id }),
    ...(name === undefined || documentNameFault(name) !== undefined ? {} : { name }),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(uploadedBy === undefined ? {} : { uploadedBy }),
  };
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined || text === "" ? undefined : decodeURIComponent(text);
  } catch {
    // Others write names as they are; a percent sign in one is no escape.
    return text;
  }
}

function statusOf(value: unknown): DocumentStatus | "UNKNOWN" {
  if (value === undefined || value === null || value === "") return "READY";
  return documentStatuses.find((status) => status === upper(value)) ?? "UNKNOWN";
}

/** `application/pdf`; a word that names a folder has no slash. */
function isMediaType(value: unknown): value is string {
  return typeof value === "string" && /^[\w.+-]+\/[\w.+-]+(\s*;.*)?$/s.test(value);
}

function upper(value: unknown): unknown {
  return typeof value === "string" ? value.toUpperCase() : value;
}

/** A text, or a number's digits: ids of older pages are times in milliseconds. */
function text(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function bytes(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function hash(value: unknown): string | undefined {
  const lower = typeof value === "string" ? value.toLowerCase() : "";
  return /^[0-9a-f]{64}$/.test(lower) ? lower : undefined;
}

function texts(value: unknown): string[] {
  const list = value instanceof Set ? [...value] : Array.isArray(value) ? value : [];
  return list.filter((each): each is string => typeof each === "string");
}

/** DynamoDB's sets as lists, its binary values in base64, URLs without what they hold or open. */
function jsonOf(value: unknown): unknown {
  if (value instanceof Set) return [...value].map(jsonOf);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value === "string") return shownUrl(value);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, jsonOf(inner)]));
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
