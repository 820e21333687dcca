import { typed } from "../aws/dynamodb/plain.ts";
import { transact } from "../aws/dynamodb/transact.ts";
import { removeUnfinishedUploads } from "../aws/s3/open-uploads.ts";
import { removeUpload } from "../aws/s3/multipart.ts";
import { deleteObjects, versionsToDelete, type Doomed } from "../aws/s3/deletion.ts";
import { heldReason, type Hold } from "../audit/holds.ts";
import type { AuditEvent } from "../model/audit.ts";
import { addressFields, legalHold, type ScanResult } from "../model/documents.ts";
import { groupedBy } from "../model/graph.ts";
import { faultsNow, type Checking } from "./check.ts";
import type { Finding, Repair } from "./check-finding.ts";
import { nameOfLost, rebuiltEntry, type Judged } from "./check-orphans.ts";
import { readDocuments, storedEntry } from "./entries.ts";
import { addEntries, appendEntries } from "./entry-append.ts";
import { changeEntries, keeping, removeEntries } from "./entry-changes.ts";
import type { EntryChange, StoredEntry, UserDocuments } from "./entry.ts";
import { examineStored, type Judging } from "./examine-stored.ts";
import { failureOf } from "./failure.ts";
import { holdsOfPerson } from "./held.ts";
import { inParallel } from "../concurrency.ts";
import { otherNameOf } from "./row-files.ts";
import { entryNow } from "./rows.ts";
import {
  isInfected,
  isNotTaken,
  isUndecided,
  judgementChange,
  mayBeReady,
  unscannedText,
} from "./scanning.ts";
import { documentUrl, type ChangingSite } from "./site.ts";
import { createProfile } from "./users.ts";

/** Objects that are read at once. */
const judgedAtOnce = 4;

/** What came of repairs: those that are dealt with, and why some are not. */
export interface Repaired {
  readonly done: ReadonlySet<Finding>;
  readonly refused: ReadonlyMap<Finding, string>;
}

export interface RepairOptions extends Judging, Checking {
  /** Reads the holds that stand by now. */
  readonly holds: () => Promise<readonly Hold[]>;
}

/**
 * Repairs what was found of one user. Entries are written in one go, each on condition that it still stands as it was read. No document gets ready, and none comes back, whose bytes were not judged
 * here as `doc confirm` judges them. What comes back takes up what the audit trail remembers of it. What is taken away is looked at again right before: it must be found again, and nobody's whose it
 * is under a legal hold.
 */
export async function repair(
  site: ChangingSite,
  findings: readonly Finding[],
  options: RepairOptions,
): Promise<Repaired> {
  const open = findings.filter((finding) => finding.repair !== undefined);
  const [first, ...rest] = open;
  if (first === undefined) return { done: new Set(), refused: new Map() };
  const isRemoving = ({ repair: each }: Finding) => each !== undefined && isRemoval(each);
  const removing = open.filter(isRemoving);
  const others = open.filter((finding) => !isRemoving(finding));
  const work = () =>
    site.audit.change(
      others.map((finding) => eventOf(finding)),
      () => repairAll(site, [first, ...rest], options),
      ({ done }) => others.filter((finding) => done.has(finding)).map((finding) => eventOf(finding, "done")),
    );
  if (removing.length === 0) return work();
  return site.audit.irreversible(
    removing.map((finding) => eventOf(finding)),
    work,
    ({ done }) => removing.map((finding) => eventOf(finding, done.has(finding) ? "done" : "failed")),
  );
}

async function repairAll(
  site: ChangingSite,
  open: readonly [Finding, ...Finding[]],
  options: RepairOptions,
): Promise<Repaired> {
  const [{ userId }] = open;
  const done = new Set<Finding>();
  const refused = new Map<Finding, string>();
  const judged = new Map<Finding, Judged>();
  await inParallel(open, judgedAtOnce, async (finding) => {
    const verdict = await judge(site, finding, options);
    if (typeof verdict === "string") refused.set(finding, verdict);
    else judged.set(finding, verdict);
  });

  const of = <D extends Repair["does"]>(does: D) =>
    open.flatMap((finding) =>
      finding.repair?.does === does && !refused.has(finding)
        ? [{ finding, repair: finding.repair as Extract<Repair, { does: D }> }]
        : [],
    );
  const settle = (each: readonly { readonly finding: Finding }[]) => {
    for (const { finding } of each) done.add(finding);
  };

  const rebuilt = of("rebuild");
  const moved = of("move");
  if (rebuilt.length + moved.length > 0) {
    let user = await readDocuments(site, userId);
    if (user.profile === undefined) {
      await createProfile(site, { userId });
      user = await readDocuments(site, userId);
    }
    await addEntries(
      site,
      user,
      rebuilt.map(({ finding, repair: { object, remembered } }) =>
        rebuiltEntry(
          object,
          { id: newId(site), url: documentUrl(site, object.key), judged: judged.get(finding) ?? {} },
          remembered,
        ),
      ),
    );
    settle(rebuilt);
    await appendEntries(
      site,
      { userId, profile: undefined },
      { values: moved.map(({ repair: { entry } }) => ({ M: { ...entry.raw } })) },
    );
  }

  const buried = of("keep-deleted");
  for (const { finding, repair: each } of buried) {
    const { object, remembered, deletion } = each;
    const { sizeBytes: size, contentType, said } = object;
    const judged = { size, contentType, sha256: said.sha256, status: "READY", ...remembered.infection };
    const made = { id: object.key, url: documentUrl(site, object.key), judged };
    const raw = typed(rebuiltEntry(object, made, remembered)).M ?? {};
    const entry = storedEntry(site, { userId, place: "profile", index: 0, raw });
    await transact(site.aws, [keeping(site, entry, deletion)], site.signal);
    done.add(finding);
  }

  // A move is done when the older entry is gone; broken off in between it shows as a copy the next time.
  const dropped = [...moved, ...of("drop-entry")];
  const kept = await remove(
    site,
    dropped.map(({ repair: { entry } }) => entry),
  );
  settle(dropped.filter(({ repair: { entry } }) => !kept.has(entry)));

  const changing = [...of("finish"), ...of("point"), ...of("correct-size"), ...of("rename-id")];
  const changes = changing.map(({ finding, repair: each }) =>
    changeOf(site, each, judged.get(finding) ?? {}),
  );
  const outcome = await changeEntries(site, changes);
  const failed = new Set<StoredEntry>([...outcome.missing, ...outcome.refused.map(({ entry }) => entry)]);
  settle(changing.filter(({ repair: { entry } }) => !failed.has(entry)));

  const taken = await takeAway(
    site,
    [...of("withdraw"), ...of("delete-object"), ...of("abort-upload")],
    options,
  );
  for (const [finding, why] of taken) {
    if (why === undefined) done.add(finding);
    else refused.set(finding, why);
  }
  return { done, refused };
}

/** Removes entries that stand as they were read. Resolves to those that do not, which stay. */
async function remove(
  site: ChangingSite,
  entries: readonly StoredEntry[],
): Promise<ReadonlySet<StoredEntry>> {
  const unchanged = ["s3Key", "status", "legalHold"];
  const { refused } = await removeEntries(
    site,
    entries.map((entry) => ({ entry, unchanged })),
  );
  return new Set(refused.map(({ entry }) => entry));
}

type Removal = Extract<Repair, { does: "withdraw" | "delete-object" | "abort-upload" }>;

interface Taking {
  readonly finding: Finding;
  readonly repair: Removal;
}

/**
 * Takes away what a new look finds again, and of objects the versions that were there before it: one that comes behind it stays.
 * Resolves to why something stays, undefined of what is gone.
 */
async function takeAway(
  site: ChangingSite,
  takings: readonly Taking[],
  options: RepairOptions,
): Promise<ReadonlyMap<Finding, string | undefined>> {
  const [first] = takings;
  if (first === undefined) return new Map();
  const { userId } = first.finding;
  const versions = new Map<string, Doomed[]>();
  for (const { repair: each } of takings) {
    if (each.does !== "delete-object") continue;
    const of = { bucket: site.bucket, what: { key: each.key } };
    const there: Doomed[] = [];
    for await (const version of versionsToDelete(site.aws, of, site.signal)) there.push(version);
    versions.set(each.key, there);
  }
  const [found, holds] = await Promise.all([faultsNow(site, userId, options), options.holds()]);
  const again = groupedBy(found, nameOf);
  const stays = new Map<Finding, string | undefined>();
  const withdrawn = new Map<Finding, StoredEntry>();
  for (const { finding } of takings) {
    const same = again.get(nameOf(finding)) ?? [];
    // Two may have one key; one whose id was changed is none of the others.
    const at = Math.max(
      0,
      same.findIndex(({ id }) => id === finding.id),
    );
    const now = same.splice(at, 1)[0]?.repair;
    if (now === undefined || !isRemoval(now)) {
      const other = found.find(({ kind, key }) => kind === finding.kind && key === finding.key);
      stays.set(finding, other?.remedy ?? "it is not so any more");
      continue;
    }
    const entries = now.does === "abort-upload" ? [] : [now.entry];
    const held = await whyHeld(site, holds, { userId, entries });
    if (held !== undefined) stays.set(finding, held);
    else if (now.does === "withdraw") withdrawn.set(finding, now.entry);
    else if (now.does === "abort-upload") {
      await removeUpload(site.aws, now.upload);
      stays.set(finding, undefined);
    } else
      stays.set(finding, await deleteAgain(site, now, { versions: versions.get(now.key) ?? [], ...options }));
  }
  for (const { document } of withdrawn.values())
    await removeUnfinishedUploads(site.aws, { bucket: site.bucket, key: document.s3Key });
  const kept = await remove(site, [...withdrawn.values()]);
  for (const [finding, entry] of withdrawn)
    stays.set(finding, kept.has(entry) ? "its entry changed meanwhile" : undefined);
  return stays;
}

/** What a finding is recognized by when it is found again: its id may be another by then. */
function nameOf({ key, id, repair: each }: Finding): string {
  const upload = each?.does === "abort-upload" ? each.upload.uploadId : undefined;
  return JSON.stringify([each?.does, key ?? id, upload]);
}

/** Why nothing of these is taken away: a hold of one of them, or of whose they are; undefined where there is none. */
async function whyHeld(
  site: ChangingSite,
  holds: readonly Hold[],
  of: Pick<UserDocuments, "userId" | "entries">,
): Promise<string | undefined> {
  const [hold] = of.entries.flatMap(({ document }) => legalHold(document.attributes) ?? []);
  if (hold !== undefined) return `it is under a legal hold (${hold})`;
  const held = await holdsOfPerson(holds, site, of);
  return held.length > 0 ? heldReason(held) : undefined;
}

/** Deletes the versions of an object that holds a document's bytes a second time; resolves to why it stays. */
async function deleteAgain(
  site: ChangingSite,
  { key, entry }: Extract<Removal, { does: "delete-object" }>,
  { versions, holds }: Pick<RepairOptions, "holds"> & { readonly versions: readonly Doomed[] },
): Promise<string | undefined> {
  if (site.rows !== undefined) {
    const other = await otherNameOf(site.rows, key);
    if (other !== undefined) return `something else names it (${other})`;
    // That has read whole tables, which takes its time.
    const [now, standing] = await Promise.all([entryNow(site, entry), holds()]);
    const held = await whyHeld(site, standing, { userId: entry.userId, entries: [now] });
    if (held !== undefined) return held;
  }
  const { failures } = await deleteObjects(site.aws, site.bucket, versions, site.signal);
  return failures[0]?.message;
}

/** The attributes that an object's bytes give its entry, or why nothing may be done about it. Empty where nothing is judged. */
async function judge(
  site: ChangingSite,
  { repair: each }: Finding,
  judging: Judging,
): Promise<Judged | string> {
  const wanted = each === undefined ? undefined : wantedOf(each);
  if (wanted === undefined) return {};
  const { name, key, sha256 } = wanted;
  let arrived;
  try {
    arrived = await examineStored(site, { what: name, name, key }, judging);
  } catch (error) {
    return failureOf(site, error).message;
  }
  if (arrived === undefined) return "its object is gone";
  if (sha256 !== undefined && sha256 !== arrived.sha256) return "its bytes are not those that its hash says";
  const { head, type, judgement } = arrived;
  const isAsked = typeof judgement !== "string" && !isUndecided(judgement);
  const verdict = isAsked ? undefined : wanted.verdict;
  const isRemembered = verdict?.scanResult === "INFECTED" || mayBeReady(site.rows, verdict?.scanResult);
  const isLeft = isUndecided(judgement) || verdict === undefined || !isRemembered;
  if (isLeft && isNotTaken(judgement, judging.scanner, site.rows)) return unscannedText(judgement);
  return {
    size: head.sizeBytes,
    contentType: type.contentType,
    sha256: arrived.sha256,
    ...(verdict ?? judgementChange(judgement, site.now()).set),
    status: isInfected(judgement) || verdict?.scanResult === "INFECTED" ? "INFECTED" : "READY",
  };
}

/** What is to be judged before a repair: what is stored at a key, as a document of a name. */
interface Wanted {
  readonly name: string;
  readonly key: string;
  readonly sha256: string | undefined;
  /** Of an earlier scan of the same bytes; it counts where nobody can say anything now. */
  readonly verdict: { readonly scanResult: ScanResult } | undefined;
}

function wantedOf(each: Repair): Wanted | undefined {
  switch (each.does) {
    case "rebuild": {
      const { object, remembered } = each;
      const { key, said } = object;
      return {
        name: nameOfLost(object, remembered),
        key,
        sha256: said.sha256,
        verdict: remembered.infection,
      };
    }
    case "finish":
    case "point": {
      const { name, s3Key, sha256, scanResult } = each.entry.document;
      const key = each.does === "point" ? each.key : s3Key;
      const isKnown = scanResult !== undefined && sha256 !== undefined;
      return { name, key, sha256, verdict: isKnown ? { scanResult } : undefined };
    }
    default:
      return undefined;
  }
}

/** Whether a repair takes something away that no other repair brings back. */
function isRemoval(each: Repair): each is Removal {
  const { does } = each;
  return does === "delete-object" || does === "abort-upload" || does === "withdraw";
}

function changeOf(
  site: ChangingSite,
  repair: Extract<Repair, { does: "finish" | "point" | "correct-size" | "rename-id" }>,
  judged: Judged,
): EntryChange {
  const { entry } = repair;
  switch (repair.does) {
    case "finish":
      return {
        entry,
        set: { ...judged, uploadedAt: site.now().toISOString() },
        unchanged: ["status", "s3Key"],
      };
    case "point":
      return {
        entry,
        set: {
          ...judged,
          s3Key: repair.key,
          ...addressFields(documentUrl(site, repair.key)),
          status: judged["status"] === "INFECTED" ? "INFECTED" : undefined,
        },
        unchanged: ["s3Key"],
      };
    case "correct-size":
      return { entry, set: { size: repair.sizeBytes }, unchanged: ["size", "s3Key"] };
    case "rename-id":
      return { entry, set: { id: newId(site) }, unchanged: ["s3Key"] };
  }
}

function newId(site: ChangingSite): string {
  return `doc-${site.randomHex(8)}`;
}

function eventOf({ userId, kind, id, key, repair }: Finding, phase?: "done" | "failed"): AuditEvent {
  return {
    action: "document.repaired",
    userId,
    details: { documentId: id, key, rule: kind, method: repair?.does, phase },
  };
}
