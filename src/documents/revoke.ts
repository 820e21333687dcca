import { CliError } from "../errors.ts";
import type { AuditEvent } from "../model/audit.ts";
import { legalHold } from "../model/documents.ts";
import { entryWithId } from "./entries.ts";
import type { StoredEntry, UserDocuments } from "./entry.ts";
import { storedObject } from "./link.ts";
import { finishMove, formerKey, moveDocument, placeToMove } from "./move.ts";
import { namedBy } from "./named-by.ts";
import { otherNameOf } from "./row-files.ts";
import { entryNow } from "./rows.ts";
import type { DocumentRows } from "./row-model.ts";
import type { ChangingSite } from "./site.ts";

export interface Revoked {
  readonly entry: StoredEntry;
  readonly previousKey: string;
  readonly key: string;
}

interface RevokeOptions {
  readonly id: string;
  readonly dryRun: boolean;
  /** Rejects where a hold stands on the person by now. */
  readonly assertFree: () => Promise<void>;
}

/**
 * Ends every link to a document by moving its object: a signature cannot be taken back. Everything that the former key
 * held is deleted, in all versions. After a crash the same call finishes: what an earlier one left is deleted first.
 * @throws CliError when nothing may be deleted (legal hold), something else names the same object, or the website reaches it
 * by its key.
 */
export async function revokeLinks(
  site: ChangingSite,
  user: UserDocuments,
  { id, dryRun, assertFree }: RevokeOptions,
): Promise<Revoked> {
  const known = entryWithId(user, id);
  const found = await entryNow(site, known);
  const others = user.entries.filter((each) => each !== known);
  assertMovable(site, found, { ...user, entries: [found, ...others] });
  if (site.rows !== undefined) await assertNamedOnce(site.rows, found);
  const entry = dryRun ? found : await finishMove(site, found, { others, assertFree });
  const head = await storedObject(site, entry);
  const previousKey = entry.document.s3Key;
  const key = placeToMove(site, entry);
  if (dryRun) return { entry, previousKey, key };
  const moved = await site.audit.irreversible(eventOf(entry, { previousKey, key }), () =>
    moveDocument(site, { entry, head, assertFree }),
  );
  return { entry: moved, previousKey, key };
}

function assertMovable(
  site: ChangingSite,
  entry: StoredEntry,
  { userId, entries, profile }: UserDocuments,
): void {
  const { document, place, bucket } = entry;
  const { id, name, status, s3Key, attributes } = document;
  const stays = { hint: "its links end by themselves; `mawps doc url --list` tells when" };
  if (document.inline !== undefined) {
    throw new CliError(`${id} (${name}) stands in its entry: no link leads to it`);
  }
  const hasSameObject = (each: StoredEntry) => each.document.s3Key === s3Key && each.bucket === bucket;
  if (place === "api" || entries.some((each) => each.place === "api" && hasSameObject(each))) {
    throw new CliError(
      `${id} (${name}) is kept by the website's documents-api, which finds it by its key: moved, its download there would answer 404`,
      stays,
    );
  }
  if (bucket !== site.bucket) {
    throw new CliError(
      `${id} (${name}) lies in ${bucket}, where the website opens it by its address: moved, its button there would find nothing`,
      stays,
    );
  }
  const naming = [s3Key, formerKey(entry)].flatMap((key) => namedBy(profile, key) ?? []);
  if (naming[0] !== undefined) {
    throw new CliError(
      `${id} (${name}): ${JSON.stringify(naming[0])} of the profile names its object too, and would not find it any more`,
      stays,
    );
  }
  if (status === "UPLOADING") {
    throw new CliError(`${id} (${name}) is UPLOADING: there is nothing yet that a link could read`, {
      hint: "a link to upload ends by itself; `mawps doc url --list` tells when",
    });
  }
  const hold = legalHold(attributes);
  if (hold !== undefined) {
    throw new CliError(`${id} (${name}) is under a legal hold (${hold}): no version of it may be deleted`, {
      ...stays,
    });
  }
  if (entries.filter(hasSameObject).length > 1) {
    throw new CliError(`${id} (${name}): another entry names the same object`, {
      hint: `\`mawps doc check ${userId}\` shows both`,
    });
  }
}

/** Whatever else names the file would not find it any more. */
async function assertNamedOnce(rows: DocumentRows, entry: StoredEntry): Promise<void> {
  const { id, name, s3Key } = entry.document;
  const other = await otherNameOf(rows, s3Key, entry);
  if (other === undefined) return;
  throw new CliError(
    `${id} (${name}): something else names its file too (${other}), and would not find it any more`,
    {
      hint: "its links end by themselves; `mawps doc url --list` tells when",
    },
  );
}

function eventOf({ userId, document }: StoredEntry, details: AuditEvent["details"]): AuditEvent {
  const { id, name, type } = document;
  return {
    action: "document.link-revoked",
    userId,
    details: { documentId: id, name, fileType: type, ...details },
  };
}
