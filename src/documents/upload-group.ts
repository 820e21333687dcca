import type { Item } from "../aws/dynamodb/items.ts";
import { headObject } from "../aws/s3/objects.ts";
import { httpStatus } from "../aws/setting.ts";
import { removeUnfinishedUploads } from "../aws/s3/open-uploads.ts";
import { CliError } from "../errors.ts";
import type { AuditEvent } from "../model/audit.ts";
import { documentJson, legalHold } from "../model/documents.ts";
import { uuid } from "../model/uuid.ts";
import type { Buffers } from "./buffers.ts";
import { readDocuments } from "./entries.ts";
import { addEntries, addUnlessPresent, changeEntries, removeEntries } from "./entry-changes.ts";
import type { NewEntry, StoredEntry, UserDocuments } from "./entry.ts";
import { isUnchanged, type Examined, type UploadSource } from "./examine.ts";
import { failureOf } from "./failure.ts";
import { inParallel } from "../concurrency.ts";
import {
  isInfected,
  isNotTaken,
  isUndecided,
  judgementChange,
  mayBeReady,
  scanResultOf,
  unscannedText,
} from "./scanning.ts";
import { keepsHashes } from "./row-model.ts";
import { knownIds, withKnownHashes } from "./known-ids.ts";
import { rowFileKey } from "./file-owners.ts";
import { isLarge, isSent, send, type Send } from "./send.ts";
import { documentUrl, type ChangingSite } from "./site.ts";
import { decide, isSameDocument, newEntry, supersededBy } from "./upload-plan.ts";
import type { UploadRequest, UploadResult } from "./upload-request.ts";
import { entriesAttribute } from "../model/mawps.ts";

/** A file after its examination. */
export type Checked = { readonly source: UploadSource } & (
  | { readonly file: Examined }
  | { readonly failure: CliError }
);

export interface SendGroup {
  /** As known so far; the entries of earlier groups of this run are among them. */
  readonly user: UserDocuments;
  readonly checked: readonly Checked[];
  /** Get back what the checked files hold of them, each when it was sent or is not to be. */
  readonly buffers: Buffers;
  /** Hashes of what this call stores, or found stored, by keys: the groups share it. */
  readonly claimed: Map<string, string>;
  readonly onToSend: (bytes: number) => void;
  readonly onSent: (bytes: number) => void;
  readonly onDone: () => void;
}

/** Calls of S3 at once for small files; a large one has several of its own, so these go one by one. */
const smallAtOnce = 10;

/** A checked file, and the entry that it has already. */
interface Judged {
  readonly file: Examined;
  readonly infected: boolean;
  readonly known: StoredEntry | undefined;
}

/** A file that gets an entry unless it has one. */
interface Planned extends Judged {
  readonly fresh: NewFileEntry;
  /** Earlier uploads of it, broken off before it got its present content. */
  readonly superseded: readonly StoredEntry[];
  /** Infected, and its key is another file's: it is refused, and no entry tells of it. */
  readonly isUntold?: boolean;
}

type NewFileEntry = ReturnType<typeof newEntry>;

/** A file with its entry, on its way into the bucket. */
interface Job extends Planned {
  readonly entry: StoredEntry;
}

/** A group whose entries are written. */
export interface BegunGroup {
  /** With the entries of this group among the others, as they stand before their bytes are there. */
  readonly user: UserDocuments;
  /** Sends the objects. */
  send(): Promise<SentGroup>;
}

/** A group whose bytes are in the bucket. */
interface SentGroup {
  /** Writes the trail, then makes the entries ready; answers the outcomes in the files' order. */
  finish(): Promise<UploadResult[]>;
}

/**
 * Begins one group of checked files: one write for all new entries. Then to be sent, and finished before the command
 * ends: one write to the trail, one that makes the entries ready. The next group may be begun while this one is sent, and
 * sent while it is finished.
 */
export async function beginGroup(
  site: ChangingSite,
  request: UploadRequest,
  given: SendGroup,
): Promise<BegunGroup> {
  const group = { ...given, user: userOf(site, given) };
  const { outcomes, fail, succeed, settle } = tally(group);
  const ordered = async () => group.checked.flatMap(({ source }) => outcomes.get(source) ?? []);
  const judged: Judged[] = [];
  const twins: { file: Examined; of: Judged }[] = [];
  for (const checked of group.checked) {
    const { source } = checked;
    const verdict = judge(site, request, group.user.entries, checked);
    if ("failure" in verdict) fail(source, verdict.failure);
    else if ("unchanged" in verdict) {
      const { s3Key, sha256 = "" } = verdict.unchanged.document;
      if (isOthers(site, group.claimed, { s3Key, sha256 })) fail(source, twice(s3Key));
      else {
        group.claimed.set(s3Key, sha256);
        succeed(source, "unchanged", verdict.unchanged);
      }
    } else {
      const { sha256 } = verdict.file;
      const of = judged.find(({ file }) => file.sha256 === sha256 && file.source.name === source.name);
      if (of === undefined) judged.push(verdict);
      else twins.push({ file: verdict.file, of });
    }
  }
  const planned = await planFiles(site, { judged, group, request }, fail);
  const release = ({ bytes }: Examined) => {
    if (bytes !== undefined) group.buffers.release(bytes);
  };
  const releaseOthers = (jobs: readonly Job[]) => {
    const sent = new Set(jobs.map(({ file }) => file));
    for (const checked of group.checked) {
      if ("file" in checked && !sent.has(checked.file)) release(checked.file);
    }
  };
  const failInfected = () => {
    for (const { file, infected } of planned) if (infected) fail(file.source, infection(file));
    for (const { file, of } of twins) if (of.infected) fail(file.source, infection(file));
  };
  if (request.dryRun) {
    failInfected();
    releaseOthers([]);
    for (const { file, known, fresh } of planned.filter(({ infected }) => !infected)) {
      const attributes = known?.document.attributes ?? fresh;
      const entry = { userId: group.user.userId, ...attributes };
      settle(file.source, { label: file.source.label, outcome: "planned", entry });
    }
    return { user: group.user, send: async () => ({ finish: ordered }) };
  }

  const { jobs, user } = await writeEntries(site, request, { planned, user: group.user });
  failInfected();
  releaseOthers(jobs);
  const arrived: Job[] = [];
  const sendOne = async (job: Job) => {
    const { file, entry, known } = job;
    const one: Send = {
      file,
      id: entry.document.id,
      key: entry.document.s3Key,
      uploadedBy: entry.document.uploadedBy ?? site.actor,
      isContinued: known !== undefined,
      onSent: group.onSent,
      onNote: request.onNote,
    };
    try {
      await send(site, one);
      release(file);
      arrived.push(job);
    } catch (error) {
      // Another run of the same upload was quicker.
      if (httpStatus(error) === 412 && (await isSent(site, one))) {
        release(file);
        arrived.push(job);
        return;
      }
      fail(file.source, httpStatus(error) === 412 ? taken(entry.document.s3Key) : failureOf(site, error));
      await withdrawIfChanged(site, job, httpStatus(error) === 412);
    }
  };
  const finish = async () => {
    const ready = await makeReady(site, arrived);
    await removeReplaced(site, group.user, [...ready.values()]);
    for (const { file } of arrived) {
      const entry = ready.get(file);
      if (entry === undefined) fail(file.source, overtaken(group.user.userId));
      else succeed(file.source, "uploaded", entry);
    }
    for (const { file, of } of twins.filter((twin) => !twin.of.infected)) {
      const first = ready.get(of.file);
      if (first === undefined) fail(file.source, new CliError("the same file failed above"));
      else succeed(file.source, "unchanged", first);
    }
    return ordered();
  };
  return {
    user,
    async send() {
      group.onToSend(jobs.reduce((sum, { file }) => sum + file.sizeBytes, 0));
      const small = jobs.filter(({ file }) => !isLarge(file));
      const large = jobs.filter(({ file }) => isLarge(file));
      await Promise.all([inParallel(small, smallAtOnce, sendOne), inParallel(large, 1, sendOne)]);
      return { finish };
    },
  };
}

/** The user; where the site keeps no hashes, with those that the checked files tell. */
function userOf({ rows }: ChangingSite, { user, checked }: SendGroup): UserDocuments {
  if (rows === undefined || keepsHashes(rows)) return user;
  return withKnownHashes(
    user,
    checked.flatMap((each) => ("file" in each ? [each.file] : [])),
  );
}

/** Keeps what became of each file. */
function tally({ onDone }: SendGroup) {
  const outcomes = new Map<UploadSource, UploadResult>();
  const settle = (source: UploadSource, outcome: UploadResult) => {
    outcomes.set(source, outcome);
    onDone();
  };
  return {
    outcomes,
    settle,
    fail: (source: UploadSource, failure: CliError) =>
      settle(source, { label: source.label, outcome: "failed", failure }),
    succeed: (source: UploadSource, outcome: "uploaded" | "unchanged", { userId, document }: StoredEntry) =>
      settle(source, { label: source.label, outcome, entry: documentJson(userId, document) }),
  };
}

/** What is to happen to one file, by its scan and by what the user's entries say of it. */
function judge(
  { rows }: ChangingSite,
  request: UploadRequest,
  entries: readonly StoredEntry[],
  checked: Checked,
): Judged | { readonly failure: CliError } | { readonly unchanged: StoredEntry } {
  if ("failure" in checked) return checked;
  const { file, source } = checked;
  const { judgement } = file;
  const text = unscannedText(judgement);
  if (isNotTaken(judgement, request.scanner, rows)) {
    const isOfSite = !mayBeReady(rows, scanResultOf(judgement));
    return {
      failure: new CliError(text, {
        hint: isOfSite
          ? "the site takes no document that was not scanned"
          : '"scanPolicy": "allow" takes documents that could not be scanned, --no-scan this one',
      }),
    };
  }
  if (isUndecided(judgement)) request.onWarning(`${source.label}: ${text}`);
  const decision = decide(entries, { type: request.type, file });
  if (decision.kind === "unchanged") return { unchanged: decision.entry };
  const known = decision.kind === "continue" ? decision.entry : undefined;
  return { file, infected: decision.infected, known };
}

/** Makes the entries that say what is under way, and those of infected files, whose bytes go nowhere. */
async function writeEntries(
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
    isSame: ({ name, sha256 }, { document }) =>
      document.status !== "DELETED" &&
      isSameDocument({ type: request.type, name: String(name), sha256: String(sha256) }, document),
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
async function withdrawIfChanged(
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
async function makeReady(site: ChangingSite, arrived: readonly Job[]): Promise<Map<Examined, StoredEntry>> {
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

interface ToPlan {
  readonly judged: readonly Judged[];
  readonly group: SendGroup;
  readonly request: UploadRequest;
}

/**
 * Plans an entry for each file, and tells of those that get none. Where the site makes keys of plain file names these are files whose key is
 * another file's, of whatever status, since a document that is deleted can still be restored; where the newest takes the place
 * of the others, those that would take that of another file of the call, or of one under a legal hold.
 */
async function planFiles(
  site: ChangingSite,
  { judged, group, request }: ToPlan,
  fail: (source: UploadSource, failure: CliError) => void,
): Promise<Planned[]> {
  const { user, claimed } = group;
  const { type } = request;
  // What is infected takes no place: it must not keep another file from its own.
  const rank = ({ known, infected }: Judged) => (infected ? 2 : known === undefined ? 1 : 0);
  const planned: Planned[] = [];
  const refused = new Set<string>();
  for (const each of judged.toSorted((one, other) => rank(one) - rank(other))) {
    const { file, known, infected } = each;
    const { sha256 } = file;
    const fresh = entryFor(site, request, { file, user });
    const { s3Key } = known?.document ?? fresh;
    // What this call has begun is under way.
    const superseded =
      known === undefined
        ? supersededBy(user.entries, { type, file, actor: request.uploader ?? site.actor }).filter(
            ({ document }) => !claimed.has(document.s3Key),
          )
        : [];
    const others = user.entries.filter(
      (entry) => entry.document.s3Key === s3Key && entry !== known && !superseded.includes(entry),
    );
    const isTwice = isOthers(site, claimed, { s3Key, sha256 });
    if (infected) {
      const isKnown = known !== undefined || site.rows === undefined;
      const isUntold = !isKnown && (isTwice || others.length > 0 || refused.has(s3Key));
      refused.add(s3Key);
      planned.push({ ...each, fresh, superseded, isUntold });
      continue;
    }
    const failure = isTwice ? twice(s3Key) : placeFault(site, each, { s3Key, others });
    if (failure !== undefined) {
      fail(file.source, failure);
      continue;
    }
    claimed.set(s3Key, sha256);
    planned.push({ ...each, fresh, superseded });
  }
  if (site.rows === undefined || site.rows.replaces) return planned;
  const heads = await inParallel(
    planned,
    smallAtOnce,
    async ({ known, infected, fresh: { id, s3Key: key } }) =>
      // Nothing else has a key with this id.
      known !== undefined || infected || key.includes(`/${id}/`)
        ? undefined
        : headObject(site.aws, { bucket: site.bucket, key }, site.signal),
  );
  return planned.filter(({ file, fresh }, at) => {
    if (heads[at] !== undefined) fail(file.source, taken(fresh.s3Key));
    return heads[at] === undefined;
  });
}

/** Whether other bytes of the same call have this key: the second file would take the place of the first. */
function isOthers(
  { rows }: ChangingSite,
  claimed: ReadonlyMap<string, string>,
  { s3Key, sha256 }: { readonly s3Key: string; readonly sha256: string },
): boolean {
  const before = claimed.get(s3Key);
  return rows !== undefined && before !== undefined && before !== sha256;
}

/** Why a file cannot have its place where these other entries have its key. */
function placeFault(
  { rows }: ChangingSite,
  { known }: Judged,
  { s3Key, others }: { readonly s3Key: string; readonly others: readonly StoredEntry[] },
): CliError | undefined {
  if (rows === undefined || others.length === 0) return undefined;
  if (!rows.replaces) return known === undefined ? taken(s3Key) : undefined;
  const held = others.find(({ document }) => legalHold(document.attributes) !== undefined);
  if (held === undefined) return undefined;
  return new CliError(`${held.document.id}, which it would replace, is under a legal hold`, {
    hint: "--name gives the document another name",
  });
}

/**
 * Removes the rows of files whose place another file of the same name took: the former bytes are an old version of it. A row
 * that somebody has changed or put under a legal hold meanwhile stays.
 */
async function removeReplaced(
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

function twice(key: string): CliError {
  return new CliError(`another file of this call has the key ${key}`, {
    hint: "nothing replaces it; give one of them another name",
  });
}

function taken(key: string): CliError {
  return new CliError(`there is a file ${key} already`, { hint: "--name gives the document another name" });
}

function entryFor(
  site: ChangingSite,
  request: UploadRequest,
  { file, user }: { readonly file: Examined; readonly user: UserDocuments },
) {
  const { type, tags, expiresAt, isPublic, uploader = site.actor } = request;
  const { userId } = request.user;
  const { source, sizeBytes, sha256, judgement } = file;
  const { ext, contentType } = file.type;
  const facts = { userId, type, tags, expiresAt, isPublic, sizeBytes, sha256, judgement, ext, contentType };
  const now = site.now();
  const { name } = source;
  const made = newEntry(
    { ...facts, name, uploadedBy: uploader },
    {
      now,
      random: site.randomHex(12),
      urlOf: (key) => documentUrl(site, key),
      row: rowFor(site, { user, sha256 }, { userId, name, ext, now, given: request.given ?? {} }),
    },
  );
  return { ...made, ...request.attached };
}

/** Id and key of a new document where the site keeps rows. */
function rowFor(
  site: ChangingSite,
  { user, sha256 }: { readonly user: UserDocuments; readonly sha256: string },
  facts: Omit<Parameters<typeof rowFileKey>[1], "id">,
): { readonly id: string; readonly key: string } | undefined {
  if (site.rows === undefined) return undefined;
  const id = keepsHashes(site.rows)
    ? uuid(site.randomHex(16))
    : knownIds({ user, name: facts.name, sha256 }).next;
  return { id, key: rowFileKey(site.rows, { ...facts, id }) };
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

function infection({ judgement }: Examined): CliError {
  const signature = isInfected(judgement) ? judgement.signature : "";
  return new CliError(`it is infected (${signature}); nothing of it was stored`);
}

function overtaken(userId: string): CliError {
  return new CliError("somebody else changed its entry meanwhile; its bytes are stored", {
    hint: `\`mawps doc check ${userId}\` shows what stands there now`,
  });
}
