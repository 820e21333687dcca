import { createHash } from "node:crypto";
import { copyObject } from "../aws/s3/copy.ts";
import { deleteAllVersions } from "../aws/s3/deletion.ts";
import { getObject, headObject, type ObjectHead, type ObjectHeaders } from "../aws/s3/objects.ts";
import { httpStatus } from "../aws/setting.ts";
import { CliError } from "../errors.ts";
import { addressFields, legalHold } from "../model/documents.ts";
import { timeOf } from "../model/json.ts";
import { documentKey, parseKey } from "../model/keys.ts";
import { documentFolders } from "./check-facts.ts";
import { changeEntries } from "./entry-changes.ts";
import type { StoredEntry } from "./entry.ts";
import { formerRowKey, nextRowKey, otherNameOf } from "./row-files.ts";
import { entryNow } from "./rows.ts";
import { documentUrl, type ChangingSite, type DocumentSite } from "./site.ts";
import { count } from "../model/count.ts";

/** Attribute of an entry that was moved and whose former object may still be there: that object's key. */
const movedFrom = "movedFrom";

/**
 * Where a document moves to: today's layout, the same time, another random part. It follows from the key moved from, so
 * that a run after a crash finds its own copy, and so that `movedFrom` on an entry can be believed.
 */
export function nextKey({ userId, document }: StoredEntry, from = document.s3Key): string {
  const parsed = parseKey(from);
  const { type, uploadedAt } = document;
  const ext = /\.([a-z0-9]{1,10})$/i.exec(from)?.[1]?.toLowerCase() ?? "bin";
  return documentKey({
    userId,
    fileType: /^[a-z0-9]+(-[a-z0-9]+)*$/.test(type) ? type : "documents",
    timestampMs: parsed?.layout.endsWith("document") ? parsed.timestampMs : (timeOf(uploadedAt) ?? 0),
    random: createHash("sha256").update(`moved from ${from}`).digest("hex").slice(0, 8),
    ext,
  });
}

/** Where a document of the site moves to. */
export function placeToMove(site: DocumentSite, entry: StoredEntry): string {
  return site.rows === undefined ? nextKey(entry) : nextRowKey(site.rows, entry);
}

export interface Move {
  readonly entry: StoredEntry;
  /** The object as it was looked at: only this is moved. */
  readonly head: ObjectHead;
  /** Replaces what the object carries beside its bytes; else that is moved along. */
  readonly headers?: Pick<ObjectHeaders, "contentType" | "metadata">;
  /** Changes of the entry, made with that of its key. */
  readonly set?: Readonly<Record<string, unknown>>;
  readonly remove?: readonly string[];
  /** Rejects where a hold stands on the person by now. */
  readonly assertFree: () => Promise<void>;
}

/**
 * Moves a document's object to another key, and its entry with it. Order: copy, compare, entry (on condition that it
 * still stands as read), delete the former object in every version, clear the mark of that. A crash leaves either the
 * document where it was, or at its new place with the mark `movedFrom`, by which `finishMove` goes on.
 * Answers the entry as it then stands.
 */
export async function moveDocument(site: ChangingSite, move: Move): Promise<StoredEntry> {
  const { entry, head, headers, assertFree } = move;
  const from = entry.document.s3Key;
  const to = placeToMove(site, entry);
  try {
    await copyObject(site.aws, {
      from: { bucket: site.bucket, key: from },
      to: { bucket: site.bucket, key: to },
      replaceHeaders: headers,
      ifMatch: head.etag,
      signal: site.signal,
    });
  } catch (error) {
    if (httpStatus(error) !== 412) throw error;
    throw new CliError(`${entry.document.id}: its object changed while it was looked at`, {
      hint: "run the command again",
      cause: error,
    });
  }
  await Promise.all([assertSame(site, head, { from, to }), assertFree()]);
  const { changed, refused } = await changeEntries(site, [
    {
      entry,
      set: {
        ...move.set,
        s3Key: to,
        ...addressFields(documentUrl(site, to)),
        [movedFrom]: from,
      },
      remove: (move.remove ?? []).filter((name) => entry.raw[name] !== undefined),
      // A hold may come while the copy is made.
      unchanged: ["s3Key", "status", "legalHold"],
    },
  ]);
  // Another run of the same command may have been quicker: the copy is at the same place then.
  const moved = changed[0] ?? refused.find(({ found }) => found.document.s3Key === to)?.found;
  if (moved === undefined) {
    throw new CliError(
      `${entry.document.id}: somebody else changed its entry meanwhile; it stays where it was`,
      {
        hint: `run the command again; \`mawps doc check ${entry.userId}\` shows what is left over`,
      },
    );
  }
  // Of a site with rows it is asked of whole tables first, which takes its time.
  const asked = site.rows === undefined ? async () => undefined : assertFree;
  return finishMove(site, moved, { others: [], assertFree: asked });
}

/**
 * Deletes what a move left behind, in every version, and takes the mark away; without a mark nothing happens. The mark is
 * believed only where it fits the present key and no other entry of the user needs the object. A row has no mark: its key tells where it
 * was, and what lies there goes while it is the same and nothing of the site names it.
 */
export async function finishMove(
  site: ChangingSite,
  entry: StoredEntry,
  { others, assertFree }: { readonly others: readonly StoredEntry[] } & Pick<Move, "assertFree">,
): Promise<StoredEntry> {
  const { userId, document } = entry;
  const isNamed = (key: string) => others.some((each) => each.document.s3Key === key);
  if (site.rows !== undefined) {
    const from = formerRowKey(site.rows, entry);
    if (from === undefined || isNamed(from)) return entry;
    const head = await headObject(site.aws, { bucket: site.bucket, key: from }, site.signal);
    if (head === undefined || !(await isCopy(site, head, { from, to: document.s3Key }))) return entry;
    if ((await otherNameOf(site.rows, from, entry)) !== undefined) return entry;
    const [now] = await Promise.all([entryNow(site, entry), assertFree()]);
    const hold = legalHold(now.document.attributes);
    if (hold !== undefined)
      throw new CliError(`${document.id}: its former object stays under a legal hold (${hold})`, {
        hint: "links to it go on working; run the command again when the hold is lifted",
      });
    await deleteFormer(site, entry, from);
    return entry;
  }
  const from = formerKey(entry);
  if (from === "") return entry;
  const isOurs =
    documentFolders(userId).some((folder) => from.startsWith(folder)) &&
    nextKey(entry, from) === document.s3Key &&
    !isNamed(from);
  if (isOurs) {
    await assertFree();
    await deleteFormer(site, entry, from);
  }
  const { changed } = await changeEntries(site, [{ entry, remove: [movedFrom], unchanged: ["s3Key"] }]);
  return changed[0] ?? entry;
}

async function deleteFormer(site: ChangingSite, { document }: StoredEntry, key: string): Promise<void> {
  const { failures } = await deleteAllVersions(site.aws, site.bucket, { key }, site.signal);
  const [first] = failures;
  if (first === undefined) return;
  throw new CliError(
    `${document.id}: ${count(failures.length, "version")} of its former object could not be deleted: ${first.message}`,
    { hint: "until then links to it go on working; run the command again" },
  );
}

/** The key of what a broken-off move may have left behind; "" without one. */
export function formerKey({ document }: StoredEntry): string {
  const from = document.attributes[movedFrom];
  return typeof from === "string" ? from : "";
}

/** Whether a move of the document was broken off after its entry had changed. */
export function isHalfMoved({ raw }: StoredEntry): boolean {
  return raw[movedFrom] !== undefined;
}

/**
 * Fails with CliError when a copy is not its source: by ETag, or by a checksum of the same kind; where S3 keeps neither
 * for both (a KMS key, parts), both are read.
 */
export async function assertSame(
  site: DocumentSite,
  head: ObjectHead,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  if (await isCopy(site, head, { from, to })) return;
  throw new CliError(`the copy of ${from} is not the same; nothing was changed`, {
    hint: "run the command again; if it happens again, somebody else writes to that key",
  });
}

async function isCopy(
  site: DocumentSite,
  head: ObjectHead,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<boolean> {
  const copy = await headObject(site.aws, { bucket: site.bucket, key: to }, site.signal);
  if (copy?.sizeBytes !== head.sizeBytes) return false;
  if (copy.etag === head.etag) return true;
  const sums = [copy.checksum, head.checksum].map(
    (sum) => sum && `${sum.algorithm} ${sum.type} ${sum.value}`,
  );
  if (sums[0] !== undefined && sums[0] === sums[1]) return true;
  const [one, other] = await Promise.all([from, to].map((key) => hashOf(site, key)));
  return one === other;
}

async function hashOf({ aws, bucket, signal }: DocumentSite, key: string): Promise<string> {
  const { body } = await getObject(aws, { bucket, key, signal });
  const hash = createHash("sha256");
  for await (const chunk of body) hash.update(chunk);
  return hash.digest("hex");
}
