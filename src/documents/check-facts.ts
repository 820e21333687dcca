import { createHash } from "node:crypto";
import { listObjects } from "../aws/s3/listing.ts";
import { getObject, headObject } from "../aws/s3/objects.ts";
import { listUnfinishedUploads, type UnfinishedUpload } from "../aws/s3/open-uploads.ts";
import { uploadedBytes } from "../aws/s3/upload-size.ts";
import { fromObjectMetadata } from "../model/documents.ts";
import { readDocuments } from "./entries.ts";
import type { StoredEntry, UserDocuments } from "./entry.ts";
import { inParallel } from "../concurrency.ts";
import { filePrefixes, ownerOfFile } from "./file-owners.ts";
import type { DocumentSite } from "./site.ts";

/** What is known of an object in a user's folders. */
export interface ObjectFacts {
  readonly bucket: string;
  readonly key: string;
  readonly sizeBytes: number;
  readonly contentType: string | undefined;
  readonly lastModified: Date | undefined;
  /** What its metadata says; nothing for an object that the website wrote. */
  readonly said: ReturnType<typeof fromObjectMetadata>;
  /** Of its bytes where they were read, else what its metadata says. */
  readonly sha256: string | undefined;
}

/** All that a check of one user looks at. */
export interface CheckFacts {
  readonly documents: UserDocuments;
  /** By `objectName`: those in the user's folders of the private bucket (of a site with rows: files of theirs), and all others that an entry names. */
  readonly objects: ReadonlyMap<string, ObjectFacts>;
  /** Of the private bucket. */
  readonly uploads: readonly UnfinishedUpload[];
  /** Of unfinished uploads for which there is an entry: what their parts take, by key. */
  readonly arrivedBytes: ReadonlyMap<string, number>;
}

/** What an entry's object is called among all buckets. */
export function objectName({ bucket, document }: StoredEntry): string {
  return nameOf({ bucket, key: document.s3Key });
}

function nameOf({ bucket, key }: { readonly bucket: string; readonly key: string }): string {
  return `${bucket}/${key}`;
}

/** Folders of a user's documents, today's and the website's older one. */
export function documentFolders(userId: string): readonly string[] {
  return [`public/documents/${userId}/`, `users/${userId}/documents/`];
}

/** All folders in which a user's documents may be read: the website's uploads of today have a bucket of their own. */
export function readableFolders(userId: string): readonly string[] {
  const today = ["document", "resume", "voice", "profile"].map((what) => `${what}/${userId}/`);
  return [...documentFolders(userId), ...today];
}

const headsAtOnce = 16;

/**
 * Reads a user's entries, objects and unfinished uploads. Bytes are read only of objects whose hash is not known
 * otherwise although their entry has one, or with `readAll` of each.
 */
export async function readFacts(
  site: DocumentSite,
  userId: string,
  { readAll }: { readAll: boolean },
): Promise<CheckFacts> {
  const { aws, bucket, signal } = site;
  const uploads: UnfinishedUpload[] = [];
  const documents = await readDocuments(site, userId);
  // An entry may name an object outside of its user's folders.
  const named = documents.entries.filter(({ document }) => document.s3Key !== "");
  const all = new Map(
    named.map((entry) => [objectName(entry), { bucket: entry.bucket, key: entry.document.s3Key }]),
  );
  const { rows } = site;
  const isTheirs = (key: string) => rows === undefined || ownerOfFile(rows, key) === userId;
  for (const prefix of rows === undefined ? documentFolders(userId) : filePrefixes(rows, userId)) {
    for await (const page of listObjects(aws, { bucket, prefix, signal })) {
      for (const { key } of page.objects) {
        if (isTheirs(key)) all.set(nameOf({ bucket, key }), { bucket, key });
      }
    }
    for await (const upload of listUnfinishedUploads(aws, { bucket, prefix, signal }))
      if (isTheirs(upload.key)) uploads.push(upload);
  }
  const hashed = new Set(named.filter(({ document }) => document.sha256 !== undefined).map(objectName));
  const found = await inParallel(all, headsAtOnce, async ([name, object]) => {
    const head = await headObject(aws, object, signal);
    if (head === undefined) return [];
    const said = fromObjectMetadata(head.metadata);
    const isRead = readAll || (said.sha256 === undefined && hashed.has(name));
    const facts: ObjectFacts = {
      ...object,
      sizeBytes: head.sizeBytes,
      contentType: head.contentType,
      lastModified: head.lastModified,
      said,
      sha256: isRead ? await hashOf(site, object) : said.sha256,
    };
    return [[name, facts] as const];
  });
  const awaited = new Set(
    named.flatMap(({ document }) => (document.status === "UPLOADING" ? document.s3Key : [])),
  );
  const arrived = await inParallel(
    uploads.filter(({ key }) => awaited.has(key)),
    headsAtOnce,
    async (upload) => [upload.key, await uploadedBytes(aws, upload, signal)] as const,
  );
  return { documents, objects: new Map(found.flat()), uploads, arrivedBytes: new Map(arrived) };
}

async function hashOf(
  { aws, signal }: DocumentSite,
  object: { readonly bucket: string; readonly key: string },
): Promise<string> {
  const { body } = await getObject(aws, { ...object, signal });
  const hash = createHash("sha256");
  for await (const chunk of body) hash.update(chunk);
  return hash.digest("hex");
}
