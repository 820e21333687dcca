import { deleteAllVersions } from "../aws/s3/deletion.ts";
import { CliError } from "../errors.ts";
import type { AuditEvent } from "../model/audit.ts";
import { legalHold, objectMetadata } from "../model/documents.ts";
import { timeOf } from "../model/json.ts";
import { entryWithId, readDocuments } from "./entries.ts";
import { assertNoneRefused, changedMeanwhile, changeEntries, removeEntries } from "./entry-changes.ts";
import type { EntryChange, StoredEntry, UserDocuments } from "./entry.ts";
import { examineStored, Unfit, type Arrived, type Judging } from "./examine-stored.ts";
import { assertOwnFolder } from "./link.ts";
import { finishMove, isHalfMoved, moveDocument } from "./move.ts";
import {
  isInfected,
  isNotTaken,
  isUndecided,
  judgementChange,
  scanResultOf,
  unscannedText,
} from "./scanning.ts";
import { otherNameOf } from "./row-files.ts";
import { entryNow, isOver } from "./rows.ts";
import { isOwnDocument } from "./file-owners.ts";
import type { DocumentRows } from "./row-model.ts";
import type { ChangingSite } from "./site.ts";

export interface ConfirmOptions extends Judging {
  readonly id: string;
  readonly dryRun: boolean;
  readonly onWarning: (warning: string) => void;
  /** Rejects where a hold stands on the person by now. */
  readonly assertFree: () => Promise<void>;
  /** Whether a link to upload a file with this key was made for it, as far as the audit trail knows. */
  readonly wasRequested: (key: string) => Promise<boolean>;
}

export interface Confirmed {
  readonly outcome: "confirmed" | "confirmed before" | "would be confirmed";
  readonly entry: StoredEntry;
}

/**
 * Looks at what was sent for a requested document and makes it ready, or refuses it: then the object goes in every version,
 * and the entry with it; that of an infected one stays as `INFECTED`. A document that is taken moves to another
 * key: the link by which it came works until its end, and must not be able to replace it; that to a site with rows replaces
 * nothing, so that the file stays where it is. When no scanner answers and
 * the policy is `refuse`, nothing changes: what was sent waits for the next call.
 */
export async function confirmDocument(
  site: ChangingSite,
  user: UserDocuments,
  options: ConfirmOptions,
): Promise<Confirmed> {
  const known = entryWithId(user, options.id);
  const entry = await entryNow(site, known);
  const others = user.entries.filter((each) => each !== known);
  const { id, name, status } = entry.document;
  if (status === "READY") {
    if (options.dryRun || !isHalfMoved(entry)) return { outcome: "confirmed before", entry };
    return { outcome: "confirmed before", entry: await finishMove(site, entry, { ...options, others }) };
  }
  if (status !== "UPLOADING") {
    throw new CliError(`${id} (${name}) is ${status}: there is nothing to confirm`, {
      hint: "`mawps doc request` asks for it again",
    });
  }
  assertOwnFolder(entry);
  assertNotHeld(entry);
  if (site.rows !== undefined) assertAsked(site, site.rows, { entry, others });
  const object = { what: `${id} (${name})`, name, key: entry.document.s3Key };
  const arrived = await examineStored(site, object, options).catch(async (error: unknown) => {
    if (!(error instanceof Unfit)) throw error;
    if (!options.dryRun)
      await refuse(site, entry, { ...options, reason: error.message, sizeBytes: error.sizeBytes });
    throw new CliError(error.message, { hint: removed, cause: error.cause });
  });
  if (arrived === undefined) {
    throw new CliError(`${id} (${name}): nothing has arrived yet`, { hint: waiting(entry) });
  }
  const { judgement } = arrived;
  if (isInfected(judgement)) {
    const { sizeBytes } = arrived.head;
    if (!options.dryRun) await refuse(site, entry, { ...options, reason: "infected", sizeBytes, arrived });
    throw new CliError(`${id} (${name}) is infected (${judgement.signature})`, { hint: removed });
  }
  const text = `${id} (${name}): ${unscannedText(judgement)}`;
  if (isNotTaken(judgement, options.scanner, site.rows)) {
    throw new CliError(text, {
      hint: 'nothing was changed: confirm it when the scanner answers; "scanPolicy": "allow" takes it unscanned',
    });
  }
  if (isUndecided(judgement)) options.onWarning(text);
  if (options.dryRun) return { outcome: "would be confirmed", entry };
  return { outcome: "confirmed", entry: await accept(site, entry, { ...arrived, ...options }) };
}

/** What may not be deleted may not be judged: who is refused loses every version. */
function assertNotHeld({ userId, document: { id, name, attributes } }: StoredEntry): void {
  const hold = legalHold(attributes);
  if (hold === undefined) return;
  throw new CliError(`${id} (${name}) is under a legal hold (${hold})`, { hint: unchangedHint(userId) });
}

function unchangedHint(userId: string): string {
  return `\`mawps doc list ${userId}\` shows the documents; nothing was changed`;
}

/**
 * What is refused is deleted in every version, so that it must be sure that it came by this link: the entry is of a request, its file
 * of the kind that requests make, and no other document has it. An entry to whose file nothing can come any more has none.
 */
function assertAsked(
  { now }: ChangingSite,
  rows: DocumentRows,
  { entry, others }: { readonly entry: StoredEntry; readonly others: readonly StoredEntry[] },
): void {
  const { id, name, s3Key } = entry.document;
  const why = (): string | undefined => {
    const { uploadUntil } = rows.documents.fields;
    if (uploadUntil !== undefined && timeOf(entry.document.attributes["uploadUntil"]) === undefined)
      return "no link was made for it";
    if (!isOwnDocument(rows, entry)) return "its file is of a kind that no link leads to";
    const isShared = others.some((each) => each.document.s3Key === s3Key && !isOver(each, now()));
    return isShared ? "another document has the same file" : undefined;
  };
  const fault = why();
  if (fault === undefined) return;
  throw new CliError(`${id} (${name}): ${fault}`, { hint: unchangedHint(entry.userId) });
}

const removed = "what had arrived was removed in every version; `mawps doc request` asks for it again";

async function accept(
  site: ChangingSite,
  entry: StoredEntry,
  { head, type, sha256, judgement, assertFree }: Arrived & Pick<ConfirmOptions, "assertFree">,
): Promise<StoredEntry> {
  const { id, name, uploadedBy = site.actor } = entry.document;
  const now = site.now();
  const { set, remove } = judgementChange(judgement, now);
  const event = eventOf(entry, "document.confirmed", {
    contentType: type.contentType,
    sizeBytes: head.sizeBytes,
    sha256,
    scanResult: scanResultOf(judgement),
  });
  const change = {
    entry,
    set: {
      ...set,
      status: "READY",
      size: head.sizeBytes,
      sha256,
      contentType: type.contentType,
      uploadedAt: now.toISOString(),
    },
    remove: [...remove, "uploadUntil"],
  };
  if (site.rows !== undefined) return site.audit.change(event, () => acceptRow(site, change));
  return site.audit.irreversible(event, () =>
    moveDocument(site, {
      ...change,
      head,
      assertFree,
      headers: {
        contentType: type.contentType,
        metadata: objectMetadata({ id, name, sha256, uploadedBy }),
      },
    }),
  );
}

async function acceptRow(site: ChangingSite, change: EntryChange): Promise<StoredEntry> {
  const { changed } = await changeEntries(site, [{ ...change, unchanged: ["status", "s3Key"] }]);
  const [accepted] = changed;
  if (accepted !== undefined) return accepted;
  throw changedMeanwhile(change.entry);
}

interface Refused extends Pick<ConfirmOptions, "assertFree" | "wasRequested"> {
  readonly sizeBytes: number;
  readonly reason: string;
  /** Of an infected one, whose entry stays. */
  readonly arrived?: Arrived;
}

async function refuse(
  site: ChangingSite,
  entry: StoredEntry,
  { sizeBytes, reason, arrived, assertFree, wasRequested }: Refused,
): Promise<void> {
  if (site.rows !== undefined) await assertSole(site.rows, entry, { reason, wasRequested });
  const judgement = arrived?.judgement;
  const verdict =
    judgement !== undefined && isInfected(judgement)
      ? { scanResult: "INFECTED", signature: judgement.signature, engine: judgement.engine }
      : {};
  const event = eventOf(entry, "document.refused", {
    reason,
    sizeBytes,
    sha256: arrived?.sha256,
    ...verdict,
  });
  await site.audit.irreversible(event, async () => {
    await Promise.all([assertStillWaiting(site, entry), assertFree()]);
    const { failures } = await deleteAllVersions(
      site.aws,
      site.bucket,
      { key: entry.document.s3Key },
      site.signal,
    );
    const [first] = failures;
    if (first !== undefined) {
      throw new CliError(`${entry.document.id}: it could not be removed: ${first.message}`, {
        hint: "run the command again",
      });
    }
    if (arrived === undefined) {
      assertNoneRefused(await removeEntries(site, [{ entry, unchanged: ["status", "s3Key", "legalHold"] }]));
      return;
    }
    const { set, remove } = judgementChange(arrived.judgement, site.now());
    const outcome = await changeEntries(site, [
      {
        entry,
        set: { ...set, status: "INFECTED", size: sizeBytes, sha256: arrived.sha256 },
        remove: [...remove, "uploadUntil"].filter((attribute) => entry.raw[attribute] !== undefined),
        unchanged: ["status", "s3Key"],
      },
    ]);
    assertNoneRefused(outcome);
  });
}

/**
 * What is refused is deleted: it must have come by a link of this tool, and nothing else may name it.
 * @throws CliError (nothing is changed) where that is not so.
 */
async function assertSole(
  rows: DocumentRows,
  entry: StoredEntry,
  { reason, wasRequested }: Pick<Refused, "reason" | "wasRequested">,
): Promise<void> {
  const { id, name, s3Key } = entry.document;
  const fault = async () => {
    // An entry that keeps no end of a link does not tell whether there was one.
    if (rows.documents.fields.uploadUntil === undefined && !(await wasRequested(s3Key)))
      return "the audit trail knows no link that was made for it";
    const other = await otherNameOf(rows, s3Key, entry);
    return other === undefined ? undefined : `something else names its file (${other})`;
  };
  const why = await fault();
  if (why !== undefined)
    throw new CliError(`${id} (${name}): ${reason}; ${why}`, { hint: unchangedHint(entry.userId) });
}

/** A scan takes its time: somebody may have confirmed the document meanwhile, or have put it under a hold. */
async function assertStillWaiting(site: ChangingSite, entry: StoredEntry): Promise<void> {
  const { id, status, s3Key } = entry.document;
  const now =
    site.rows === undefined
      ? entryWithId(await readDocuments(site, entry.userId), id)
      : await entryNow(site, entry);
  assertNotHeld(now);
  if (now.document.status !== status || now.document.s3Key !== s3Key) throw changedMeanwhile(entry);
}

function waiting({ document }: StoredEntry): string {
  const until = document.attributes["uploadUntil"];
  return typeof until === "string"
    ? `the link to upload it is good until ${until}`
    : "where a link was given for it, it is not used yet; where `mawps doc upload` was interrupted, the same command goes on";
}

function eventOf(
  { userId, document }: StoredEntry,
  action: "document.confirmed" | "document.refused",
  details: AuditEvent["details"],
): AuditEvent {
  const { id, name, type, s3Key } = document;
  return { action, userId, details: { documentId: id, name, fileType: type, key: s3Key, ...details } };
}
