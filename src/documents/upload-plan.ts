import { websiteFields, type DocumentEntry } from "../model/documents.ts";
import { documentKey, pluralFileType } from "../model/keys.ts";
import { documentFolders } from "./check-facts.ts";
import type { NewEntry, StoredEntry } from "./entry.ts";
import type { Examined } from "./examine.ts";
import { isInfected, judgementChange, type Judgement } from "./scanning.ts";

/** What happens to one examined file. */
export type Decision =
  /** The document is there, ready, with these bytes. */
  | { readonly kind: "unchanged"; readonly entry: StoredEntry }
  /** An upload of it was begun, or judged otherwise: it goes on under the same id and key. */
  | { readonly kind: "continue"; readonly entry: StoredEntry; readonly infected: boolean }
  | { readonly kind: "new"; readonly infected: boolean };

/**
 * Decides by what the user's entries say of the same document: same type, name and bytes.
 *
 * | file     | READY     | UPLOADING, SCANNING | INFECTED | DELETED, none |
 * |----------|-----------|---------------------|----------|---------------|
 * | may pass | unchanged | continue            | continue | new           |
 * | infected | continue  | continue            | continue | new           |
 */
export function decide(
  entries: readonly StoredEntry[],
  { type, file }: { readonly type: string; readonly file: Examined },
): Decision {
  const infected = isInfected(file.judgement);
  const same = entries.filter(({ document }) =>
    isSameDocument({ type, name: file.source.name, sha256: file.sha256 }, document),
  );
  const ready = same.find(({ document }) => document.status === "READY");
  if (ready !== undefined) {
    return infected ? { kind: "continue", entry: ready, infected } : { kind: "unchanged", entry: ready };
  }
  // The website lets users write their items: an entry must not lead an upload over somebody else's object.
  const open = same.find(
    ({ userId, isOwn, document: { status, s3Key } }) =>
      (isOwn ?? documentFolders(userId).some((folder) => s3Key.startsWith(folder))) &&
      (status === "UPLOADING" || status === "SCANNING" || status === "INFECTED"),
  );
  return open === undefined ? { kind: "new", infected } : { kind: "continue", entry: open, infected };
}

/** Whether an entry is of the same document: same type, name and bytes. */
export function isSameDocument(
  { type, name, sha256 }: { readonly type: string; readonly name: string; readonly sha256: string },
  document: DocumentEntry,
): boolean {
  return document.type === pluralFileType(type) && document.name === name && document.sha256 === sha256;
}

/**
 * Uploads of the same document that were broken off before the file got its present content: same type, name and
 * uploader, other bytes. Nobody will finish them.
 */
export function supersededBy(
  entries: readonly StoredEntry[],
  { type, file, actor }: { readonly type: string; readonly file: Examined; readonly actor: string },
): StoredEntry[] {
  return entries.filter(
    ({ userId, isOwn, document }) =>
      document.status === "UPLOADING" &&
      (isOwn ?? documentFolders(userId).some((folder) => document.s3Key.startsWith(folder))) &&
      document.type === pluralFileType(type) &&
      document.name === file.source.name &&
      (document.uploadedBy === actor || (isOwn === true && document.uploadedBy === undefined)) &&
      document.sha256 !== undefined &&
      document.sha256 !== file.sha256,
  );
}

export interface EntryFacts {
  readonly userId: string;
  readonly type: string;
  readonly name: string;
  readonly ext: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly judgement: Judgement;
  readonly tags: readonly string[];
  readonly expiresAt: string | undefined;
  readonly isPublic?: boolean | undefined;
  readonly uploadedBy: string;
}

/**
 * The entry of a new document, as it is before its bytes are there. Its size is that of the finished entry: what
 * changes later does not make it longer.
 */
export function newEntry(
  facts: EntryFacts,
  made: {
    readonly now: Date;
    /** Twelve random bytes in hex: the object's name takes the first four, the id the rest. */
    readonly random: string;
    readonly urlOf: (key: string) => string;
    /** Of a site with rows: the document's id, and the key of its file. */
    readonly row?: { readonly id: string; readonly key: string } | undefined;
  },
): NewEntry & { readonly s3Key: string } {
  const type = pluralFileType(facts.type);
  const s3Key =
    made.row?.key ??
    documentKey({
      userId: facts.userId,
      fileType: type,
      timestampMs: made.now.getTime(),
      random: made.random.slice(0, 8),
      ext: facts.ext,
    });
  const url = made.urlOf(s3Key);
  const createdAt = made.now.toISOString();
  return {
    id: made.row?.id ?? `doc-${made.random.slice(8)}`,
    name: facts.name,
    type,
    s3Key,
    ...websiteFields({ url, type, contentType: facts.contentType, createdAt }),
    size: facts.sizeBytes,
    uploadedAt: createdAt,
    contentType: facts.contentType,
    sha256: facts.sha256,
    status: isInfected(facts.judgement) ? "INFECTED" : "UPLOADING",
    ...judgementChange(facts.judgement, made.now).set,
    uploadedBy: facts.uploadedBy,
    tags: facts.tags,
    ...(facts.expiresAt === undefined ? {} : { expiresAt: facts.expiresAt }),
    ...(facts.isPublic === undefined ? {} : { isPublic: facts.isPublic }),
  };
}
