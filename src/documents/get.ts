import { createHash } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { access, lstat, open, readdir, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { AuditTrail } from "../audit/trail.ts";
import { smallBytes, smallDownloads, type DownloadSmall } from "../aws/raw/download-small.ts";
import { downloadFile } from "../aws/s3/download.ts";
import { partPathOf } from "../aws/raw/save-file.ts";
import { openSaver, type Saver } from "../aws/raw/saver.ts";
import { verificationOf, type Verified } from "../aws/s3/verification.ts";
import { CliError } from "../errors.ts";
import { makeFolders } from "../make-folders.ts";
import type { AuditEvent } from "../model/audit.ts";
import { mostTexts } from "../model/audit-details.ts";
import type { DocumentEntry } from "../model/documents.ts";
import { entryWithId } from "./entries.ts";
import type { StoredEntry, UserDocuments } from "./entry.ts";
import { failureOf } from "./failure.ts";
import { fileNames } from "./file-names.ts";
import { assertOwnFolder, storedObject } from "./link.ts";
import { inParallel } from "../concurrency.ts";
import { entryNow } from "./rows.ts";
import type { DocumentSite } from "./site.ts";

/** Documents by their ids, or all that are ready, or those of a type. */
export type Wanted = { readonly ids: readonly string[] } | { readonly type: string | undefined };

/** A document and the file it becomes. */
export interface Target {
  readonly entry: StoredEntry;
  /** Without a folder. */
  readonly fileName: string;
}

export interface GetPlan {
  readonly targets: readonly Target[];
  /** Not ready, and not asked for by id. */
  readonly leftOut: readonly StoredEntry[];
}

/**
 * Decides which documents become which files. Pure.
 * @throws CliError for an id that is not there, or whose document is not ready.
 */
export function planGet(user: UserDocuments, wanted: Wanted): GetPlan {
  const names = fileNames(user.entries);
  const target = (entry: StoredEntry): Target => ({ entry, fileName: names.get(entry) ?? "" });
  if ("ids" in wanted) {
    const entries = [...new Set(wanted.ids)].map((id) => entryWithId(user, id));
    for (const entry of entries) assertReady(entry);
    return { targets: entries.map(target), leftOut: [] };
  }
  const meant = user.entries.filter(
    ({ document }) => wanted.type === undefined || document.type === wanted.type,
  );
  const isReady = ({ document }: StoredEntry) => document.status === "READY";
  return { targets: meant.filter(isReady).map(target), leftOut: meant.filter((entry) => !isReady(entry)) };
}

function assertReady({ document: { id, name, status } }: StoredEntry): void {
  if (status === "READY") return;
  throw new CliError(`${id} (${name}) is ${status}, not READY`, {
    hint:
      status === "DELETED" ? "`mawps doc restore` brings it back" : "`mawps doc show` tells more about it",
  });
}

/** What became of one document. */
export type Got = Target &
  (
    | {
        readonly outcome: "fetched" | "already exists";
        readonly path: string;
        /** What its bytes were compared with. */
        readonly verified: Verified;
      }
    | { readonly outcome: "failed"; readonly failure: CliError }
  );

export interface GetOptions {
  /** Absolute; made where it is not there. */
  readonly folder: string;
  /** Replaces files that hold something else. */
  readonly overwrite: boolean;
  readonly onReceived: (bytes: number) => void;
  /** The program of the thread that saves files; without it this one does. */
  readonly saveWorker: string | undefined;
  readonly audit: AuditTrail;
}

const atOnce = 10;
/** Fewer files are written before another thread has started. */
const fewestForThread = 10;

/**
 * Downloads documents into a folder, several at once, each compared with its stored hash, or with what S3 knows of it,
 * before its file gets its name. A file that holds the document already counts as done; one that holds something else is
 * kept, and a failure, unless it is to be overwritten. The same call again goes on with what was broken off.
 * Who took what is recorded beside the download; the call fails where that cannot be recorded.
 */
export async function getDocuments(
  site: DocumentSite,
  targets: readonly Target[],
  options: GetOptions,
): Promise<Got[]> {
  await makeFolders(options.folder, 0o700);
  await access(options.folder, constants.W_OK);
  const recorded = options.audit.record(taken(targets));
  recorded.catch(() => undefined);
  const there = new Set(await readdir(options.folder));
  const begun = new Set([...there].flatMap((name) => partOf.exec(name)?.[1] ?? []));
  const saver = openSaver(targets.length < fewestForThread ? undefined : options.saveWorker);
  try {
    const downloadSmall = await smallDownloads(site.aws, { bucket: site.bucket, saver });
    const got = await inParallel(targets, atOnce, async (target): Promise<Got> => {
      const path = join(options.folder, target.fileName);
      const given = { ...options, downloadSmall, saver, there, begun, path };
      try {
        return { ...target, path, ...(await getDocument(site, target, given)) };
      } catch (error) {
        return { ...target, outcome: "failed", failure: failureOf(site, error) };
      }
    });
    await recorded;
    return got;
  } finally {
    await saver.close();
  }
}

/** One event for each hundred documents of a user. */
function taken(targets: readonly Target[]): AuditEvent[] {
  const events: AuditEvent[] = [];
  for (let from = 0; from < targets.length; from += mostTexts) {
    const some = targets.slice(from, from + mostTexts).map(({ entry }) => entry);
    const documentIds = some.map(({ document }) => document.id);
    events.push({
      action: "document.downloaded",
      userId: some[0]?.userId,
      details: { documentIds, objects: some.length },
    });
  }
  return events;
}

interface GetDocument extends GetOptions {
  readonly path: string;
  /** From the private bucket. */
  readonly downloadSmall: DownloadSmall;
  readonly saver: Saver;
  /** What the folder held in the beginning. */
  readonly there: ReadonlySet<string>;
  /** Names of which it held a part file: `downloadFile` takes it up, or removes it. */
  readonly begun: ReadonlySet<string>;
}

/** As `downloadFile` names its part files. */
const partOf = /^(.+)\.[^.]+\.part$/s;

async function getDocument(
  site: DocumentSite,
  { entry: known, fileName }: Target,
  { path, overwrite, onReceived, downloadSmall, saver, there, begun }: GetDocument,
): Promise<{ outcome: "fetched" | "already exists"; verified: Verified }> {
  const entry = await entryNow(site, known);
  assertReady(entry);
  const { s3Key: key, size, sha256, inline } = entry.document;
  if (inline !== undefined) {
    const outcome = await saveInline(inline.bytes(), { path, overwrite, sha256, saver, there });
    return { outcome, verified: sha256 === undefined ? "size" : "sha256" };
  }
  assertOwnFolder(entry);
  const stats = there.has(fileName) ? await statOf(path) : undefined;
  if (stats !== undefined) {
    const verified = await sameAs(site, entry, { path, stats });
    if (verified !== undefined) {
      // A crash between the file's name and the end of its part file leaves both.
      if (begun.has(fileName) && sha256 !== undefined) {
        await rm(partPathOf({ path, sha256 }), { force: true });
      }
      return { outcome: "already exists", verified };
    }
    if (!overwrite) {
      throw new CliError(`${path} holds something else`, { hint: "--overwrite replaces it" });
    }
  }
  const { signal } = site;
  const { bucket } = entry;
  const isSmall = size !== undefined && size <= smallBytes && bucket === site.bucket;
  if (isSmall && sha256 !== undefined && !begun.has(fileName)) {
    const small = { key, path, overwrite, sizeBytes: size, sha256, signal };
    if (await downloadSmall(small)) {
      onReceived(size);
      return { outcome: "fetched", verified: "sha256" };
    }
  }
  let received = 0;
  const { verified } = await downloadFile(site.aws, {
    bucket,
    key,
    path,
    overwrite,
    sha256,
    signal,
    onProgress(receivedBytes) {
      onReceived(receivedBytes - received);
      received = receivedBytes;
    },
  });
  return { outcome: "fetched", verified };
}

/** A file that stands in its entry. */
async function saveInline(
  bytes: Buffer,
  to: Pick<GetDocument, "path" | "overwrite" | "saver" | "there"> & { readonly sha256: string | undefined },
): Promise<"fetched" | "already exists"> {
  const { path, saver, there } = to;
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (to.sha256 !== undefined && to.sha256 !== sha256) {
    throw new CliError("the bytes in its entry are not those that its hash says");
  }
  const stats = there.has(basename(path)) ? await statOf(path) : undefined;
  if (stats?.isFile() === true && stats.size === bytes.byteLength) {
    if (bytes.equals(await readFile(path))) return "already exists";
  }
  const saved = await saver.save([bytes], { path, overwrite: to.overwrite, sha256 });
  if (saved !== "saved")
    throw new CliError(`${path} holds something else`, { hint: "--overwrite replaces it" });
  return "fetched";
}

/** What a file's bytes were compared with when they are the document's; undefined when they are not. */
async function sameAs(
  site: DocumentSite,
  entry: StoredEntry,
  { path, stats }: { readonly path: string; readonly stats: Stats },
): Promise<Verified | undefined> {
  if (!stats.isFile()) return undefined;
  const { size, sha256 }: DocumentEntry = entry.document;
  if (size !== undefined && sha256 !== undefined && size !== stats.size) return undefined;
  const head = await storedObject(site, entry);
  if (head.sizeBytes !== stats.size) return undefined;
  const verification = verificationOf(head, sha256);
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    for await (const chunk of file.createReadStream({ autoClose: false })) {
      verification.update(chunk as Uint8Array);
    }
  } finally {
    await file.close();
  }
  return verification.matches() ? verification.by : undefined;
}

async function statOf(path: string): Promise<Stats | undefined> {
  return lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}
