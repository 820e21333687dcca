import { headObject, type ObjectHead } from "../aws/s3/objects.ts";
import { presignGet, type EndsWithSession, type Link } from "../aws/s3/presign.ts";
import { CliError } from "../errors.ts";
import { documentTypes, type DocumentType } from "../model/document-types.ts";
import type { AuditEvent } from "../model/audit.ts";
import type { AuditDetails } from "../model/audit-details.ts";
import { isUnscanned, type DocumentEntry } from "../model/documents.ts";
import { publicUrl } from "../model/urls.ts";
import { readableFolders } from "./check-facts.ts";
import type { StoredEntry } from "./entry.ts";
import { entryNow } from "./rows.ts";
import type { ChangingSite, DocumentSite } from "./site.ts";

/** How long a link is to last. */
export interface LinkSpan {
  /** At most 7 days, S3's limit. */
  readonly expiresInSeconds: number;
  /** Takes a link that ends earlier, with the session that signs it. */
  readonly allowShorter: boolean;
}

export interface LinkOptions extends LinkSpan {
  /** Shown by the browser instead of saved. */
  readonly inline: boolean;
  readonly allowUnscanned: boolean;
  readonly dryRun: boolean;
}

/** A link that was handed out; a dry run hands out none. */
export interface HandedOut {
  readonly url: string | null;
  readonly expiresAt: Date;
  readonly endsWithSession: EndsWithSession;
}

/**
 * Signs a link to a document and records it before it is handed out: none is ever around that the trail does not know.
 * @throws CliError when the document may not be read, its object is not there, or the link would end too early.
 */
export async function linkTo(
  site: ChangingSite,
  known: StoredEntry,
  options: LinkOptions,
): Promise<HandedOut> {
  const entry = await openable(site, known, options);
  const { document } = entry;
  const kind = kindOf(document);
  if (options.inline && kind === undefined) {
    throw new CliError(`${document.name} is of no kind that a browser should show`, {
      hint: "without --inline the link saves it",
    });
  }
  const link = await presignGet(site.aws, {
    bucket: entry.bucket,
    key: document.s3Key,
    fileName: document.name,
    inline: options.inline,
    contentType: kind?.contentType,
    expiresInSeconds: options.expiresInSeconds,
    now: signingTime(site),
  });
  assertLongEnough(link, options);
  const { expiresAt, endsWithSession } = link;
  if (options.dryRun) return { url: null, expiresAt, endsWithSession };
  await site.audit.record(eventOf(entry, { method: "GET", expiresAt: expiresAt.toISOString() }));
  return { url: link.url, expiresAt, endsWithSession };
}

export interface CdnOptions extends Pick<LinkOptions, "allowUnscanned" | "dryRun"> {
  /** What stands in front of the bucket of documents. */
  readonly baseUrl: string;
  /** What the CDN is to make of it: `w=300&h=300&fit=crop&format=webp`; empty for the file as it is. */
  readonly transformation: string;
}

/** How the trail calls what was told of a document at a CDN. */
export const cdnMethod = "CDN";

export interface CdnAddress {
  /** Null in a dry run. */
  readonly url: string | null;
  readonly contentType: string | undefined;
}

/**
 * The address of a document at the site's CDN, which is recorded before it is told. It has no end: the CDN decides whom it serves.
 * @throws CliError as `linkTo`.
 */
export async function cdnAddress(
  site: ChangingSite,
  known: StoredEntry,
  { baseUrl, transformation, ...options }: CdnOptions,
): Promise<CdnAddress> {
  const entry = await openable(site, known, options);
  if (entry.bucket !== site.bucket)
    throw new CliError(
      `${entry.document.id} lies in ${entry.bucket}, and the CDN stands in front of ${site.bucket}`,
      {
        hint: "`mawps doc url` without --cdn makes a link to it",
      },
    );
  const { bucket, document } = entry;
  const { contentType } = document;
  if (options.dryRun) return { url: null, contentType };
  const how = { method: cdnMethod, url: baseUrl, ...(transformation === "" ? {} : { transformation }) };
  await site.audit.record(eventOf(entry, how));
  const address = publicUrl({ bucket, key: document.s3Key, region: site.aws.region, publicBaseUrl: baseUrl });
  return { url: transformation === "" ? address : `${address}?${transformation}`, contentType };
}

/** The entry as it stands, of a document that may be given to somebody and whose object is there. */
async function openable(
  site: ChangingSite,
  known: StoredEntry,
  options: Pick<LinkOptions, "allowUnscanned">,
): Promise<StoredEntry> {
  const entry = await entryNow(site, known);
  const { document } = entry;
  assertReadable(document, options);
  if (document.inline !== undefined) {
    throw new CliError(`${document.id} (${document.name}) stands in its entry, where no link leads`, {
      hint: "`mawps doc get` writes it to a file",
    });
  }
  await storedObject(site, entry);
  return entry;
}

function eventOf(
  { userId, bucket, document: { id, name, type, s3Key: key } }: StoredEntry,
  how: Pick<AuditDetails, "method" | "expiresAt" | "url" | "transformation">,
): AuditEvent {
  const details = { documentId: id, name, fileType: type, bucket, key, ...how };
  return { action: "document.link-created", userId, details };
}

/**
 * The document's object, as S3 has it.
 * @throws CliError when it is not there, or lies outside of the user's own folders.
 */
export async function storedObject(site: DocumentSite, entry: StoredEntry): Promise<ObjectHead> {
  assertOwnFolder(entry);
  const { id, s3Key } = entry.document;
  const head = await headObject(site.aws, { bucket: entry.bucket, key: s3Key }, site.signal);
  if (head !== undefined) return head;
  throw new CliError(`${id}: its object is not in the bucket`, {
    hint: `\`mawps doc check ${entry.userId}\` tells more`,
  });
}

/**
 * Fails for an entry whose object lies outside of the user's own folders: the website lets users write their items, and
 * an entry must not open somebody else's file.
 */
export function assertOwnFolder({ userId, isOwn, document: { id, s3Key } }: StoredEntry): void {
  if (isOwn === true) return;
  if (
    isOwn === undefined &&
    readableFolders(userId).some((folder) => s3Key.startsWith(folder) && s3Key !== folder)
  )
    return;
  throw new CliError(`${id}: its object is in none of the folders of ${userId}`, {
    hint: `\`mawps doc check ${userId}\` shows where it lies`,
  });
}

/** The moment to sign for. Signatures know whole seconds: with less cut off, the end told would be late. */
export function signingTime({ now }: Pick<DocumentSite, "now">): Date {
  return new Date(Math.floor(now().getTime() / 1000) * 1000);
}

/** Refuses a link that ends before the time asked for, unless that is all right. */
export function assertLongEnough({ endsWithSession, expiresAt }: Link, { allowShorter }: LinkSpan): void {
  if (endsWithSession !== true || allowShorter) return;
  throw new CliError(
    `the link would end at ${expiresAt.toISOString()}, with the temporary credentials that sign it`,
    { hint: "--allow-shorter takes it; or sign in again first, or ask for less with --expires" },
  );
}

/** Fails unless the document may be given to somebody. */
function assertReadable(
  document: DocumentEntry,
  { allowUnscanned }: { readonly allowUnscanned: boolean },
): void {
  const { id, name, status, scanResult } = document;
  if (status !== "READY" || scanResult === "INFECTED") {
    throw new CliError(`${id} (${name}) is ${status === "READY" ? "INFECTED" : status}, not READY`);
  }
  if (isUnscanned(document) && !allowUnscanned) {
    throw new CliError(`${id} (${name}) has not been scanned (${scanResult ?? "never"})`, {
      hint: "`mawps doc scan` does it where a scanner is set; --allow-unscanned gives the link all the same",
    });
  }
}

/** The kind that entry and name agree on; what the website wrote may say anything. */
function kindOf({ contentType, name }: DocumentEntry): DocumentType | undefined {
  const ext = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase();
  const byName = documentTypes.find((type) => type.ext === (ext === "jpeg" ? "jpg" : ext));
  return contentType === undefined || byName?.contentType === contentType ? byName : undefined;
}
