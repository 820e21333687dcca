import type { Item } from "../aws/dynamodb/items.ts";
import { removeUnfinishedUploads } from "../aws/s3/open-uploads.ts";
import type { AuditEvent } from "../model/audit.ts";
import { entriesAttribute } from "../model/mawps.ts";
import { readDocuments } from "./entries.ts";
import { addEntries, addUnlessPresent } from "./entry-append.ts";
import { changeEntries, removeEntries } from "./entry-changes.ts";
import type { NewEntry, StoredEntry, UserDocuments } from "./entry.ts";
import { liesAt } from "./file-owners.ts";
import { isUnchanged, type Examined } from "./examine.ts";
import { isInfected, judgementChange, scanResultOf } from "./scanning.ts";
import type { ChangingSite } from "./site.ts";
import type { Planned } from "./upload-places.ts";
import { isSameDocument } from "./upload-plan.ts";
import type { UploadRequest } from "./upload-request.ts";

/** A file with its entry, on its way into the bucket. */
export interface Job extends Planned {
  readonly entry: StoredEntry;
}

/** Makes the entries that say what is under way, and those of infected files, whose bytes go nowhere. */
export async function writeEntries(
  site: ChangingSite,
  request: UploadRequest,
  { planned, user }: { planned: readonly Planned[]; user: UserDocuments },
): Promise<{ jobs: Job[]; user: UserDocuments }> {
  const refused = planned.filter(({ infected }) => infected);
  return site.audit.change(
    refused.map(({ file, known }) => refusal(user.userId, file, known)),
    () => enter(site, request, { planned, user }),
  );
}

async function enter(
  site: ChangingSite,
  request: UploadRequest,
  { planned, user }: { planned: readonly Planned[]; user: UserDocuments },
): Promise<{ jobs: Job[]; user: UserDocuments }> {
  const added = planned
    .filter(({ known, isUntold }) => known === undefined && isUntold !== true)
    .map((plan) => ({ plan, entry: plan.fresh }));
  let known = user;
  if (added.length > 0 && user.profile === undefined && request.createProfile !== undefined) {
    await request.createProfile();
    known = await readDocuments(site, user.userId);
  }
  await withdrawSuperseded(site, request, planned);
  const { entries, present } = await addUnlessPresent(site, known, {
    added: added.map(({ entry }) => entry),
    // Another run may have begun the same document since, or be done with it: it is taken up as one that was broken off.
    isSame: ({ name, sha256 }, entry) =>
      entry.document.status !== "DELETED" &&
      liesAt(site.rows, request.given ?? {}, entry) &&
      isSameDocument({ type: request.type, name: String(name), sha256: String(sha256) }, entry.document),
  });
  const byId = new Map(entries.map((entry) => [entry.document.id, entry]));
  const begun = added.flatMap(({ plan, entry: { id } }): Job[] => {
    const entry = byId.get(id);
    const other = present.get(id);
    if (other !== undefined) return [{ ...plan, known: other, entry: other }];
    return entry === undefined ? [] : [{ ...plan, entry }];
  });
  const continued = planned.flatMap((plan): Job[] =>
    plan.known === undefined ? [] : [{ ...plan, entry: plan.known }],
  );
  await rejudge(site, continued);
  return {
    jobs: [...begun, ...continued].filter((job) => !job.infected),
    user: { ...known, profile: withAppended(known.profile, entries), entries: [...user.entries, ...entries] },
  };
}

/** The profile as it should be now: the next entries go behind these, and their size counts. */
function withAppended(profile: Item | undefined, entries: readonly StoredEntry[]): Item | undefined {
  if (profile === undefined) return undefined;
  const before = profile[entriesAttribute]?.L ?? [];
  return {
    ...profile,
    [entriesAttribute]: { L: [...before, ...entries.map(({ raw }) => ({ M: { ...raw } }))] },
  };
}

/** Entries of earlier runs get the judgement of this one; what was infected and is not any more is under way again. */
async function rejudge(site: ChangingSite, continued: readonly Job[]): Promise<void> {
  const changes = continued.flatMap(({ file, infected, entry }) => {
    const before = entry.document.status;
    if (!infected && before !== "INFECTED") return [];
    const { set, remove } = judgementChange(file.judgement, site.now());
    return [{ entry, set: { ...set, status: infected ? "INFECTED" : "UPLOADING" }, remove }];
  });
  await changeEntries(site, changes);
}

/**
 * Takes the uploads away that were broken off before the file got its present content. Should somebody still be at one
 * of them: whoever finishes an upload whose entry is gone writes the entry again, or where it is a row, hears of it.
 */
async function withdrawSuperseded(
  site: ChangingSite,
  { onNote }: UploadRequest,
  planned: readonly Planned[],
): Promise<void> {
  const superseded = planned.flatMap(({ file, superseded: entries }) => {
    if (entries.length > 0) {
      onNote(`${file.source.label}: it has changed since an upload of it was interrupted; starting over`);
    }
    return entries;
  });
  for (const { document } of superseded) {
    await removeUnfinishedUploads(site.aws, {
      bucket: site.bucket,
      key: document.s3Key,
      signal: site.signal,
    });
  }
  await removeEntries(
    site,
    superseded.map((entry) => ({ entry, unchanged: ["status"] })),
  );
}

/** A file that changed under the upload, or whose key somebody else took, will never be finished under this entry. */
export async function withdrawIfChanged(
  site: ChangingSite,
  { file, entry, known }: Job,
  isTaken: boolean,
): Promise<void> {
  if (!isTaken && (known !== undefined || isUnchanged(file))) return;
  const { s3Key } = entry.document;
  await removeUnfinishedUploads(site.aws, { bucket: site.bucket, key: s3Key, signal: site.signal });
  await removeEntries(site, [{ entry, unchanged: ["status"] }]);
}

/**
 * Writes the trail, then makes the entries ready: a crash between the two leads to a second record of the upload, never to a
 * document without one. An entry that the website's saving of the profile has lost meanwhile is written again. Files
 * whose entry somebody changed otherwise are missing in the answer.
 */
export async function makeReady(
  site: ChangingSite,
  arrived: readonly Job[],
): Promise<Map<Examined, StoredEntry>> {
  const ready = new Map<Examined, StoredEntry>();
  const [first] = arrived;
  if (first === undefined) return ready;
  const now = site.now();
  await site.audit.record(arrived.map(uploadedEvent));
  const changes = arrived.map(({ file, entry, known }) => {
    // An entry of this run was made with it.
    const { set, remove } =
      known === undefined ? { set: {}, remove: [] } : judgementChange(file.judgement, now);
    return {
      entry,
      set: { ...set, status: "READY", uploadedAt: now.toISOString() },
      remove: remove.filter((name) => entry.raw[name] !== undefined),
      unchanged: ["s3Key"],
    };
  });
  const { changed, missing } = await changeEntries(site, changes);
  // No saving of something else loses a row: somebody took it away.
  const lost = new Set((site.rows === undefined ? missing : []).map(({ document }) => document.id));
  const again = changes
    .filter(({ entry }) => lost.has(entry.document.id))
    .map(({ entry, set, remove }): NewEntry => {
      const kept = Object.entries(entry.document.attributes).filter(([name]) => !remove.includes(name));
      return { ...Object.fromEntries(kept), ...set, id: entry.document.id };
    });
  const added = await addEntries(site, { userId: first.entry.userId, profile: undefined }, again);
  const byId = new Map([...changed, ...added].map((entry) => [entry.document.id, entry]));
  for (const { file, entry } of arrived) {
    const stands = byId.get(entry.document.id);
    if (stands !== undefined) ready.set(file, stands);
  }
  return ready;
}

/**
 * Removes the rows of files whose place another file of the same name took: the former bytes are an old version of it. A row
 * that somebody has changed or put under a legal hold meanwhile stays.
 */
export async function removeReplaced(
  site: ChangingSite,
  user: UserDocuments,
  ready: readonly StoredEntry[],
): Promise<void> {
  if (site.rows?.replaces !== true) return;
  const ids = new Set(ready.map(({ document }) => document.id));
  const keys = new Set(ready.map(({ document }) => document.s3Key));
  const replaced = user.entries.filter(({ document }) => keys.has(document.s3Key) && !ids.has(document.id));
  if (replaced.length === 0) return;
  await site.audit.change(
    replaced.map(replacedEvent),
    () =>
      removeEntries(
        site,
        replaced.map((entry) => ({ entry, unchanged: ["status", "s3Key"] })),
      ),
    ({ changed }) => changed.map(replacedEvent),
  );
}

function replacedEvent({ userId, document: { id, name, type, s3Key } }: StoredEntry): AuditEvent {
  const details = { documentId: id, name, fileType: type, key: s3Key, method: "replaced" };
  return { action: "document.deleted", userId, details };
}

function uploadedEvent({ file, entry }: Job): AuditEvent {
  const { id, name, type, s3Key } = entry.document;
  return {
    action: "document.uploaded",
    userId: entry.userId,
    details: {
      documentId: id,
      name,
      fileType: type,
      key: s3Key,
      contentType: file.type.contentType,
      sizeBytes: file.sizeBytes,
      sha256: file.sha256,
      scanResult: scanResultOf(file.judgement),
    },
  };
}

function refusal(userId: string, file: Examined, known: StoredEntry | undefined): AuditEvent {
  const { judgement } = file;
  return {
    action: "document.refused",
    userId,
    details: {
      documentId: known?.document.id,
      name: file.source.name,
      sizeBytes: file.sizeBytes,
      sha256: file.sha256,
      scanResult: "INFECTED",
      ...(isInfected(judgement) ? { signature: judgement.signature, engine: judgement.engine } : {}),
    },
  };
}
