import { headObject } from "../aws/s3/objects.ts";
import { presignPost, presignPut, type EndsWithSession } from "../aws/s3/presign.ts";
import { CliError, exitCodes } from "../errors.ts";
import type { DocumentType } from "../model/document-types.ts";
import { documentNameFault, websiteFields } from "../model/documents.ts";
import { documentKey } from "../model/keys.ts";
import { uuid } from "../model/uuid.ts";
import { readDocuments } from "./entries.ts";
import { addEntries } from "./entry-append.ts";
import { assertNoneRefused, removeEntries } from "./entry-changes.ts";
import type { NewEntry, StoredEntry } from "./entry.ts";
import { assertLongEnough, signingTime, type LinkSpan } from "./link.ts";
import { isOver } from "./rows.ts";
import { rowFileKey } from "./file-owners.ts";
import { documentUrl, type ChangingSite } from "./site.ts";

export interface DocumentRequest extends LinkSpan {
  readonly userId: string;
  /** In its plural form. */
  readonly type: string;
  readonly name: string;
  /** What the name says; the sender must name it, and the content must be of it. */
  readonly kind: DocumentType;
  /** PUT has no limit of size; POST, a form, has one. */
  readonly method: "PUT" | "POST";
  readonly maxBytes: number;
  /** Fields of the file's key that nothing but the caller knows, of a site with rows. */
  readonly given?: Readonly<Record<string, string>>;
  /** Who asks for it, where the site keeps that as one of its own; else whoever is at work. */
  readonly uploader?: string | undefined;
  /** What it is attached to besides, by the fields that say so. */
  readonly attached?: Readonly<Record<string, string>> | undefined;
  /** Makes the profile of a user who has none, of a site that keeps documents in profiles. */
  readonly createProfile: () => Promise<unknown>;
  readonly dryRun: boolean;
}

/** How somebody without credentials sends a document: secrets, like a link. */
export interface UploadLink {
  readonly method: "PUT" | "POST";
  readonly url: string;
  /** To be sent exactly so with a PUT. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of the form of a POST, in this order, before the field `file`. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface Requested {
  /** The entry that waits for its bytes, `UPLOADING` until `uploadUntil`. */
  readonly entry: NewEntry;
  readonly expiresAt: Date;
  readonly endsWithSession: EndsWithSession;
  /** Null in a dry run. */
  readonly link: UploadLink | null;
}

/**
 * Asks for a document: signs a link to upload it, makes its entry, records both, and only then hands the link out. What
 * arrives counts for nothing until it is confirmed. Of a site with rows the link is to where the file stays, and works once: it
 * can never replace what is there.
 */
export async function requestDocument(site: ChangingSite, request: DocumentRequest): Promise<Requested> {
  const { userId, type, name, kind, method, dryRun } = request;
  const fault = documentNameFault(name);
  if (fault !== undefined) throw new CliError(`the name ${JSON.stringify(name)} ${fault}`);
  assertRemembered(site, request);
  const now = signingTime(site);
  const random = site.randomHex(12);
  const { rows } = site;
  const row = rows && { id: uuid(site.randomHex(16)), name, ext: kind.ext, userId, now };
  const key =
    rows !== undefined && row !== undefined
      ? rowFileKey(rows, { ...row, given: request.given ?? {} })
      : documentKey({
          userId,
          fileType: type,
          timestampMs: now.getTime(),
          random: random.slice(0, 8),
          ext: kind.ext,
        });
  const lapsed = rows === undefined ? [] : await lapsedRequests(site, { userId, key, now });
  const { contentType } = kind;
  const once = rows === undefined ? {} : { ifNoneMatch: "*" as const };
  const place = { bucket: site.bucket, key, contentType, now, expiresInSeconds: request.expiresInSeconds };
  // A dry run asks for the end of a link alone, and signing a form makes no request of any kind.
  const signed =
    method === "POST" || dryRun
      ? await presignPost(site.aws, { ...place, minBytes: 1, maxBytes: request.maxBytes })
      : { ...(await presignPut(site.aws, { ...place, ...once })), fields: {} };
  assertLongEnough(signed, request);
  const { url, fields, expiresAt, endsWithSession } = signed;
  const headers: Record<string, string> =
    method === "PUT"
      ? { "Content-Type": contentType, ...(rows === undefined ? {} : { "If-None-Match": "*" }) }
      : {};
  const address = documentUrl(site, key);
  const entry: NewEntry = {
    id: row?.id ?? `doc-${random.slice(8)}`,
    name,
    type,
    s3Key: key,
    ...websiteFields({ url: address, type, contentType, createdAt: now.toISOString() }),
    uploadedAt: now.toISOString(),
    contentType,
    status: "UPLOADING",
    uploadedBy: request.uploader ?? site.actor,
    // A column may want a number.
    ...(rows?.accounts === undefined ? {} : { size: 0 }),
    ...request.attached,
    tags: [],
    uploadUntil: expiresAt.toISOString(),
  };
  if (dryRun) return { entry, expiresAt, endsWithSession, link: null };
  const details = {
    documentId: entry.id,
    name,
    fileType: type,
    key,
    contentType,
    method,
    expiresAt: expiresAt.toISOString(),
  };
  await site.audit.change({ action: "document.requested", userId, details }, async () => {
    await withdraw(site, lapsed);
    const user = rows === undefined ? await readDocuments(site, userId) : { userId, profile: undefined };
    if (rows === undefined && user.profile === undefined) await request.createProfile();
    await addEntries(site, user, [entry]);
  });
  return { entry, expiresAt, endsWithSession, link: { method, url, headers, fields } };
}

/** Where nothing says until when a link works, what waits for it is over a day after it was made. */
const longestUnkeptSeconds = 12 * 3600;

function assertRemembered({ rows }: ChangingSite, { expiresInSeconds }: DocumentRequest): void {
  if (rows === undefined || rows.documents.fields.uploadUntil !== undefined) return;
  if (expiresInSeconds <= longestUnkeptSeconds) return;
  throw new CliError("a link to upload to this site works for 12 hours at most: nothing keeps until when", {
    exitCode: exitCodes.usage,
    hint: "--expires 12h",
  });
}

/**
 * The entries of earlier requests of this file to which nothing was sent before their links ended.
 * @throws CliError where there is a file with this key, or another entry may get one there: of two with one file none is confirmed.
 */
async function lapsedRequests(
  site: ChangingSite,
  { userId, key, now }: { readonly userId: string; readonly key: string; readonly now: Date },
): Promise<StoredEntry[]> {
  const [head, { entries }] = await Promise.all([
    headObject(site.aws, { bucket: site.bucket, key }, site.signal),
    readDocuments(site, userId),
  ]);
  const hint = "--name gives the document another name";
  if (head !== undefined) throw new CliError(`there is a file ${key} already`, { hint });
  const same = entries.filter(({ document }) => document.s3Key === key);
  const open = same.find((entry) => !isOver(entry, now));
  if (open === undefined) return same.filter(({ document }) => document.status === "UPLOADING");
  const { id, name, attributes } = open.document;
  const until = attributes["uploadUntil"];
  const why = typeof until === "string" ? `waits for ${key} until ${until}` : `has ${key}`;
  throw new CliError(`${id} (${name}) ${why}`, { hint });
}

/** @throws CliError when somebody has changed one of them since it was read. */
async function withdraw(site: ChangingSite, lapsed: readonly StoredEntry[]): Promise<void> {
  assertNoneRefused(
    await removeEntries(
      site,
      lapsed.map((entry) => ({ entry, unchanged: ["status", "s3Key", "uploadUntil"] })),
    ),
  );
}
