import { typed } from "../aws/dynamodb/plain.ts";
import { transact } from "../aws/dynamodb/transact.ts";
import { removeUnfinishedUploads } from "../aws/s3/open-uploads.ts";
import { removeUpload } from "../aws/s3/multipart.ts";
import { deleteAllVersions } from "../aws/s3/deletion.ts";
import type { AuditEvent } from "../model/audit.ts";
import { legalHold, type ScanResult } from "../model/documents.ts";
import type { Finding, Repair } from "./check-finding.ts";
import { nameOfLost, rebuiltEntry, type Judged } from "./check-orphans.ts";
import { readDocuments, storedEntry } from "./entries.ts";
import { addEntries, appendEntries, changeEntries, keeping, removeEntries } from "./entry-changes.ts";
import type { EntryChange, StoredEntry } from "./entry.ts";
import { examineStored, type Judging } from "./examine-stored.ts";
import { failureOf } from "./failure.ts";
import { inParallel } from "../concurrency.ts";
import { otherNameOf } from "./row-files.ts";
import { isInfected, isUndecided, judgementChange } from "./scanning.ts";
import { documentUrl, type ChangingSite } from "./site.ts";
import { createProfile } from "./users.ts";

/** Objects that are read at once. */
const judgedAtOnce = 4;

/** What came of repairs: those that are dealt with, and why some are not. */
export interface Repaired {
  readonly done: ReadonlySet<Finding>;
  readonly refused: ReadonlyMap<Finding, string>;
}

/**
 * Repairs what was found of one user. Entries are written in one go, each on condition that it still stands as it was read. No document gets ready, and none comes back, whose bytes were not judged
 * here as `doc confirm` judges them. What comes back takes up what the audit trail remembers of it.
 */
export async function repair(
  site: ChangingSite,
  findings: readonly Finding[],
  judging: Judging,
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
      () => repairAll(site, [first, ...rest], judging),
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
  judging: Judging,
): Promise<Repaired> {
  const [{ userId }] = open;
  const done = new Set<Finding>();
  const refused = new Map<Finding, string>();
  const judged = new Map<Finding, Judged>();
  await inParallel(open, judgedAtOnce, async (finding) => {
    const verdict = await judge(site, finding, judging);
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
  const dropped = [...moved, ...of("drop-entry"), ...of("withdraw")];
  for (const {
    repair: { entry },
  } of of("withdraw")) {
    await removeUnfinishedUploads(site.aws, { bucket: site.bucket, key: entry.document.s3Key });
  }
  const removed = await removeEntries(
    site,
    dropped.map(({ repair: { entry } }) => ({ entry, unchanged: ["s3Key", "status", "legalHold"] })),
  );
  const kept = new Set(removed.refused.map(({ entry }) => entry));
  settle(dropped.filter(({ repair: { entry } }) => !kept.has(entry)));

  const changing = [...of("finish"), ...of("point"), ...of("correct-size"), ...of("rename-id")];
  const changes = changing.map(({ finding, repair: each }) =>
    changeOf(site, each, judged.get(finding) ?? {}),
  );
  const outcome = await changeEntries(site, changes);
  const failed = new Set<StoredEntry>([...outcome.missing, ...outcome.refused.map(({ entry }) => entry)]);
  settle(changing.filter(({ repair: { entry } }) => !failed.has(entry)));

  for (const {
    finding,
    repair: { key },
  } of of("delete-object")) {
    const other = site.rows && (await otherNameOf(site.rows, key));
    if (other !== undefined) {
      refused.set(finding, `something else names it (${other})`);
      continue;
    }
    const { failures } = await deleteAllVersions(site.aws, site.bucket, { key }, site.signal);
    if (failures.length === 0) done.add(finding);
  }
  for (const {
    finding,
    repair: { upload },
  } of of("abort-upload")) {
    await removeUpload(site.aws, upload);
    done.add(finding);
  }
  return { done, refused };
}

/** The attributes that an object's bytes give its entry, or why nothing may be done about it. Empty where nothing is judged. */
async function judge(
  site: ChangingSite,
  { repair: each }: Finding,
  judging: Judging,
): Promise<Judged | string> {
  const hold = each?.does === "withdraw" ? legalHold(each.entry.document.attributes) : undefined;
  if (hold !== undefined) return `it is under a legal hold (${hold})`;
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
  if (isUndecided(judgement) && typeof judging.scanner !== "string" && judging.scanner.policy === "refuse") {
    return `it was not scanned: ${judgement.detail}`;
  }
  const isAsked = typeof judgement !== "string" && !isUndecided(judgement);
  const verdict = isAsked ? undefined : wanted.verdict;
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
function isRemoval({ does }: Repair): boolean {
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
          s3Url: documentUrl(site, repair.key),
          url: documentUrl(site, repair.key),
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
