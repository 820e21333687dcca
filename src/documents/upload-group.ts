import { httpStatus } from "../aws/setting.ts";
import { inParallel } from "../concurrency.ts";
import { CliError } from "../errors.ts";
import { documentJson } from "../model/documents.ts";
import type { Buffers } from "./buffers.ts";
import type { StoredEntry, UserDocuments } from "./entry.ts";
import type { Examined, UploadSource } from "./examine.ts";
import { failureOf } from "./failure.ts";
import { liesAt } from "./file-owners.ts";
import { withKnownHashes } from "./known-ids.ts";
import { keepsHashes } from "./row-model.ts";
import { isInfected, isNotTaken, isUndecided, mayBeReady, scanResultOf, unscannedText } from "./scanning.ts";
import { isLarge, isSent, send, type Send } from "./send.ts";
import type { ChangingSite } from "./site.ts";
import { makeReady, removeReplaced, withdrawIfChanged, writeEntries, type Job } from "./upload-entries.ts";
import { isOthers, planFiles, taken, twice, type Judged } from "./upload-places.ts";
import { decide } from "./upload-plan.ts";
import type { UploadRequest, UploadResult } from "./upload-request.ts";

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
  const entriesThere = group.user.entries.filter((entry) => liesAt(site.rows, request.given ?? {}, entry));
  const judged: Judged[] = [];
  const twins: { file: Examined; of: Judged }[] = [];
  for (const checked of group.checked) {
    const { source } = checked;
    const verdict = judge(site, request, entriesThere, checked);
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
  const planned = await planFiles(site, { judged, user: group.user, claimed: group.claimed, request }, fail);
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

function infection({ judgement }: Examined): CliError {
  const signature = isInfected(judgement) ? judgement.signature : "";
  return new CliError(`it is infected (${signature}); nothing of it was stored`);
}

function overtaken(userId: string): CliError {
  return new CliError("somebody else changed its entry meanwhile; its bytes are stored", {
    hint: `\`mawps doc check ${userId}\` shows what stands there now`,
  });
}
