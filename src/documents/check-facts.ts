import { createHash } from "node:crypto";
import { listObjects } from "../aws/s3/listing.ts";
import { getObject, headObject } from "../aws/s3/objects.ts";
import { listUnfinishedUploads, type UnfinishedUpload } from "../aws/s3/open-uploads.ts";
import { fromObjectMetadata } from "../model/documents.ts";
import { readDocuments, type UserDocuments } from "./entries.ts";
import { inParallel } from "./parallel.ts";
import type { DocumentSite } from "./site.ts";

/** What is known of an object in a user's folders. */
export interface ObjectFacts {
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
  readonly objects: ReadonlyMap<string, ObjectFacts>;
  readonly uploads: readonly UnfinishedUpload[];
}

/** Folders of a user's documents, today's and the website's older one. */
export function documentFolders(userId: string): readonly string[] {
  return [`public/documents/${userId}/`, `users/${userId}/documents/`];
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
  const keys: string[] = [];
  const uploads: UnfinishedUpload[] = [];
  const documents = await readDocuments(site, userId);
  for (const prefix of documentFolders(userId)) {
    for await (const page of listObjects(aws, { bucket, prefix, signal })) {
      keys.push(...page.objects.map(({ key }) => key));
    }
    for await (const upload of listUnfinishedUploads(aws, { bucket, prefix, signal })) uploads.push(upload);
  }
  // An entry may name an object outside of its user's folders.
  const all = new Set([...keys, ...documents.entries.map(({ document }) => document.s3Key)]);
  all.delete("");
  const hashed = new Set(
    documents.entries.flatMap(({ document }) => (document.sha256 === undefined ? [] : document.s3Key)),
  );
  const found = await inParallel(all, headsAtOnce, async (key): Promise<ObjectFacts | undefined> => {
    const head = await headObject(aws, { bucket, key }, signal);
    if (head === undefined) return undefined;
    const said = fromObjectMetadata(head.metadata);
    const isRead = readAll || (said.sha256 === undefined && hashed.has(key));
    return {
      key,
      sizeBytes: head.sizeBytes,
      contentType: head.contentType,
      lastModified: head.lastModified,
      said,
      sha256: isRead ? await hashOf(site, key) : said.sha256,
    };
  });
  const objects = new Map(found.flatMap((each) => (each === undefined ? [] : [[each.key, each]])));
  return { documents, objects, uploads };
}

async function hashOf({ aws, bucket, signal }: DocumentSite, key: string): Promise<string> {
  const { body } = await getObject(aws, { bucket, key, signal });
  const hash = createHash("sha256");
  for await (const chunk of body) hash.update(chunk);
  return hash.digest("hex");
}
