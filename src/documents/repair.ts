import { removeUnfinishedUploads } from "../aws/s3/open-uploads.ts";
import { removeUpload } from "../aws/s3/multipart.ts";
import { deleteAllVersions } from "../aws/s3/deletion.ts";
import type { AuditEvent } from "../model/audit.ts";
import type { Finding, Repair } from "./check-finding.ts";
import { rebuiltEntry } from "./check-orphans.ts";
import { readDocuments, type StoredEntry } from "./entries.ts";
import {
  addEntries,
  appendEntries,
  changeEntries,
  removeEntries,
  type EntryChange,
} from "./entry-changes.ts";
import type { Remembered } from "./remembered.ts";
import { documentUrl, type ChangingSite } from "./site.ts";
import { createProfile } from "./users.ts";

/**
 * Repairs what was found of one user; answers the findings that are dealt with. Entries are written in one go, each on
 * condition that it still stands as it was read; what is removed for good is recorded before and after. Entries that are written
 * again take up what is `remembered` of their documents, by id: one that was deleted comes back as deleted.
 */
export async function repair(
  site: ChangingSite,
  userId: string,
  findings: readonly Finding[],
  remembered: ReadonlyMap<string, Remembered>,
): Promise<ReadonlySet<Finding>> {
  const open = findings.filter((finding) => finding.repair !== undefined);
  const done = new Set<Finding>();
  if (open.length === 0) return done;
  const removing = open.filter(({ repair: each }) => each !== undefined && isRemoval(each));
  if (removing.length > 0) await site.record(removing.map((finding) => eventOf(finding, "begun")));

  const of = <D extends Repair["does"]>(does: D) =>
    open.flatMap((finding) =>
      finding.repair?.does === does
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
      rebuilt.map(({ repair: { object } }) =>
        rebuiltEntry(
          object,
          { id: newId(site), url: documentUrl(site, object.key) },
          remembered.get(object.said.id ?? ""),
        ),
      ),
    );
    settle(rebuilt);
    await appendEntries(
      site,
      { userId, profile: undefined },
      moved.map(({ repair: { entry } }) => ({ M: { ...entry.raw } })),
    );
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
    dropped.map(({ repair: { entry } }) => ({ entry, unchanged: ["s3Key", "status"] })),
  );
  const kept = new Set(removed.refused.map(({ entry }) => entry));
  settle(dropped.filter(({ repair: { entry } }) => !kept.has(entry)));

  const changing = [...of("finish"), ...of("point"), ...of("correct-size"), ...of("rename-id")];
  const changes = changing.map(({ repair: each }) => changeOf(site, each));
  const outcome = await changeEntries(site, changes);
  const failed = new Set<StoredEntry>([...outcome.missing, ...outcome.refused.map(({ entry }) => entry)]);
  settle(changing.filter(({ repair: { entry } }) => !failed.has(entry)));

  for (const {
    finding,
    repair: { key },
  } of of("delete-object")) {
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
  if (done.size > 0) await site.record([...done].map((finding) => eventOf(finding, "done")));
  return done;
}

/** Whether a repair takes something away that no other repair brings back. */
function isRemoval({ does }: Repair): boolean {
  return does === "delete-object" || does === "abort-upload" || does === "withdraw";
}

function changeOf(
  site: ChangingSite,
  repair: Extract<Repair, { does: "finish" | "point" | "correct-size" | "rename-id" }>,
): EntryChange {
  const { entry } = repair;
  switch (repair.does) {
    case "finish":
      return {
        entry,
        set: { status: "READY", uploadedAt: site.now().toISOString() },
        unchanged: ["status", "s3Key"],
      };
    case "point":
      return {
        entry,
        set: { s3Key: repair.key, s3Url: documentUrl(site, repair.key) },
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

function eventOf({ userId, kind, id, key, repair }: Finding, phase: string): AuditEvent {
  return {
    action: "document.repaired",
    userId,
    details: { documentId: id, key, rule: kind, method: repair?.does, phase },
  };
}
