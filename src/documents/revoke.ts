import { CliError } from "../errors.ts";
import type { AuditEvent } from "../model/audit.ts";
import { legalHold } from "../model/documents.ts";
import { entryWithId, type StoredEntry, type UserDocuments } from "./entries.ts";
import { storedObject } from "./link.ts";
import { finishMove, moveDocument, nextKey } from "./move.ts";
import type { ChangingSite } from "./site.ts";

export interface Revoked {
  readonly entry: StoredEntry;
  readonly previousKey: string;
  readonly key: string;
}

/**
 * Ends every link to a document by moving its object: a signature cannot be taken back. Everything that the former key
 * held is deleted, in all versions. After a crash the same call finishes: what an earlier one left is deleted first.
 * @throws CliError when nothing may be deleted (legal hold), or another entry names the same object.
 */
export async function revokeLinks(
  site: ChangingSite,
  user: UserDocuments,
  { id, dryRun }: { readonly id: string; readonly dryRun: boolean },
): Promise<Revoked> {
  const found = entryWithId(user, id);
  assertMovable(found, user);
  const others = user.entries.filter((each) => each !== found);
  const entry = dryRun ? found : await finishMove(site, found, others);
  const head = await storedObject(site, entry);
  const previousKey = entry.document.s3Key;
  const key = nextKey(entry);
  if (dryRun) return { entry, previousKey, key };
  const moved = await site.irreversible(eventOf(entry, { previousKey, key }), () =>
    moveDocument(site, { entry, head }),
  );
  return { entry: moved, previousKey, key };
}

function assertMovable({ document }: StoredEntry, { userId, entries }: UserDocuments): void {
  const { id, name, status, s3Key, attributes } = document;
  if (status === "UPLOADING") {
    throw new CliError(`${id} (${name}) is UPLOADING: there is nothing yet that a link could read`, {
      hint: "a link to upload ends by itself; `mawps doc url --list` tells when",
    });
  }
  const hold = legalHold(attributes);
  if (hold !== undefined) {
    throw new CliError(`${id} (${name}) is under a legal hold (${hold}): no version of it may be deleted`, {
      hint: "its links end by themselves; `mawps doc url --list` tells when",
    });
  }
  if (entries.filter((each) => each.document.s3Key === s3Key).length > 1) {
    throw new CliError(`${id} (${name}): another entry names the same object`, {
      hint: `\`mawps doc check ${userId}\` shows both`,
    });
  }
}

function eventOf({ userId, document }: StoredEntry, details: AuditEvent["details"]): AuditEvent {
  const { id, name, type } = document;
  return {
    action: "document.link-revoked",
    userId,
    details: { documentId: id, name, fileType: type, ...details },
  };
}
