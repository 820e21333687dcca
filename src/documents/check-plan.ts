import { isDeepStrictEqual } from "node:util";
import { bytes, twoSizes } from "../model/bytes.ts";
import { timeOf } from "../model/json.ts";
import { parseKey } from "../model/keys.ts";
import { objectName, type CheckFacts, type ObjectFacts } from "./check-facts.ts";
import { byRepair, isAstray, type Finding } from "./check-finding.ts";
import { orphans } from "./check-orphans.ts";
import type { StoredEntry } from "./entry.ts";

export interface CheckRules {
  readonly now: Date;
  /** From which age on an unfinished multipart upload without an entry is a finding. */
  readonly oldUploadMs: number;
}

/** Finds what is wrong with one user's documents. Pure: the same facts give the same findings. */
export function findFaults(facts: CheckFacts, rules: CheckRules): Finding[] {
  const { documents } = facts;
  const entries = documents.entries.filter(({ place }) => place !== "removed");
  const kept = withoutCopies(entries);
  const oldestFirst = (one: Finding, other: Finding) =>
    (one.storedAt ?? "") < (other.storedAt ?? "") ? -1 : one.storedAt === other.storedAt ? 0 : 1;
  return [
    ...strange(facts),
    ...duplicates(entries, kept),
    ...kept.flatMap((entry) =>
      isAstray(entry) ? [astray(entry)] : [...misplaced(entry), ...faultsOf(entry, facts, rules)],
    ),
    ...shared(kept),
    ...orphans(facts, kept).toSorted(oldestFirst),
    ...oldUploads(facts, rules),
  ];
}

/** What is found of an entry. */
export function finding(entry: StoredEntry, rest: Omit<Finding, "userId" | "id" | "key">): Finding {
  const { id, s3Key } = entry.document;
  return { userId: entry.userId, id, ...(s3Key === "" ? {} : { key: s3Key }), ...rest };
}

function strange({ documents: { userId, strange: found } }: CheckFacts): Finding[] {
  return found.map(({ place, index }) => ({
    userId,
    kind: "strange-entry",
    what:
      index === undefined ? `"documents" of the ${place} item is no list` : `element ${index} is no entry`,
    remedy: "look at the item: neither the website nor this tool writes that",
  }));
}

/** Of equal entries the first one counts: those on the profile come first. */
function withoutCopies(entries: readonly StoredEntry[]): StoredEntry[] {
  return entries.filter((entry, at) => entries.findIndex((each) => isCopy(each, entry)) === at);
}

/** What documents-api has as well is no copy: each is for pages of its own. */
function isCopy(one: StoredEntry, other: StoredEntry): boolean {
  return (
    one === other ||
    ((one.place === "api") === (other.place === "api") && isDeepStrictEqual(one.raw, other.raw))
  );
}

function duplicates(entries: readonly StoredEntry[], kept: readonly StoredEntry[]): Finding[] {
  const copies = entries.filter((entry) => !kept.includes(entry));
  const namesakes = kept.filter(
    ({ document, place }, at) =>
      document.id !== "" &&
      place !== "api" &&
      kept.findIndex((each) => each.document.id === document.id) < at,
  );
  return [
    ...copies.map((entry) =>
      finding(entry, {
        kind: "duplicate-id",
        what: "the same entry stands there twice",
        ...(isOurs(entry) || isMoved(entry, kept)
          ? {
              remedy: `${byRepair} takes the second one away`,
              repair: { does: "drop-entry" as const, entry },
            }
          : { remedy: "the website wrote it: delete the second one there, if it is one too many" }),
      }),
    ),
    ...namesakes.map((entry) =>
      finding(entry, {
        kind: "duplicate-id",
        what: `another document (${entry.document.name}) has the same id`,
        ...(isOurs(entry) && !kept.some((each) => each !== entry && objectName(each) === objectName(entry))
          ? { remedy: `${byRepair} gives it an id of its own`, repair: { does: "rename-id" as const, entry } }
          : { remedy: "look at both: if one of them is one too many, delete it on the website" }),
      }),
    ),
  ];
}

/** Whether the tool wrote an entry, of an object: what the website wrote has no status, and may be the file itself. */
function isOurs({ raw, document }: StoredEntry): boolean {
  return raw["status"] !== undefined && document.s3Key !== "";
}

/** Whether a copy is what a broken-off move to the profile leaves on the older item. */
function isMoved(copy: StoredEntry, kept: readonly StoredEntry[]): boolean {
  return (
    copy.document.s3Key !== "" &&
    copy.place === "document" &&
    kept.some((each) => each.place === "profile" && isCopy(each, copy))
  );
}

function astray(entry: StoredEntry): Finding {
  const parsed = parseKey(entry.document.s3Key);
  const whose = parsed === undefined || parsed.layout === "hero" ? "" : `, but in one of ${parsed.userId}`;
  return finding(entry, {
    kind: "wrong-item",
    what: `its object is in none of the folders of ${entry.userId}${whose}`,
    remedy: "find out whose document it is; then delete the entry that is wrong",
  });
}

function misplaced(entry: StoredEntry): Finding[] {
  if (entry.place !== "document") return [];
  return [
    finding(entry, {
      kind: "wrong-item",
      what: 'it stands on the older item of type "document", which the website does not change any more',
      remedy: `${byRepair} moves it to the profile`,
      repair: { does: "move", entry },
    }),
  ];
}

/**
 * What is wrong with an entry whose object is where it may be.
 *
 * | status              | object                     | finding                                     |
 * |---------------------|----------------------------|---------------------------------------------|
 * | UPLOADING, SCANNING | its link is still good     | none                                        |
 * | UPLOADING, SCANNING | there, size and hash right | half-done: finish                           |
 * | UPLOADING, SCANNING | there, not confirmed       | half-done: `doc confirm`                    |
 * | UPLOADING, SCANNING | not there                  | half-done: withdraw                         |
 * | INFECTED            | any                        | none: mostly nothing was stored             |
 * | any                 | the entry holds the file   | none                                        |
 * | any other           | not there                  | entry without object                        |
 * | any other           | other size or hash         | wrong size (corrected if the hash is right), wrong hash |
 */
export function faultsOf(entry: StoredEntry, facts: CheckFacts, { now }: CheckRules): Finding[] {
  const { document } = entry;
  const object = facts.objects.get(objectName(entry));
  if (document.status === "UNKNOWN") {
    return [
      finding(entry, {
        kind: "strange-entry",
        what: `its status ${JSON.stringify(document.attributes["status"])} is none of the model's`,
        remedy: "find out who writes it; until then no link to the document is given",
      }),
    ];
  }
  if (document.status === "UPLOADING" || document.status === "SCANNING") {
    return halfDone(entry, { object, arrivedBytes: facts.arrivedBytes.get(document.s3Key) ?? 0, now });
  }
  if (document.status === "INFECTED" || document.inline !== undefined) return [];
  if (object === undefined) {
    const isDeleted = document.status === "DELETED";
    return [
      finding(entry, {
        kind: "entry-without-object",
        what: document.s3Key === "" ? "it names no object" : "its object is not in the bucket",
        remedy: isDeleted
          ? "it is deleted: retention removes the entry in its time"
          : `bring the object back from a backup or an older version, or delete the entry ${entry.place === "api" ? "on the website" : "with `mawps doc rm`"}`,
      }),
    ];
  }
  return wrongBytes(entry, object);
}

function halfDone(
  entry: StoredEntry,
  { object, arrivedBytes = 0, now }: { object: ObjectFacts | undefined; arrivedBytes?: number; now: Date },
): Finding[] {
  const { document } = entry;
  const until = timeOf(document.attributes["uploadUntil"]);
  if (until !== undefined && until > now.getTime()) return [];
  const begun = `an upload begun ${document.uploadedAt ?? "at a time unknown"} is not done`;
  if (object === undefined) {
    return [
      finding(entry, {
        kind: "half-done-upload",
        what: `${begun}, and ${arrivedBytes === 0 ? "nothing has arrived" : `of its parts ${bytes(arrivedBytes)} have arrived`}`,
        remedy: `upload the file again, which goes on, or ${byRepair} withdraws it`,
        repair: { does: "withdraw", entry },
      }),
    ];
  }
  // Where entries have no hash, that which an upload of this very document has put there.
  const sha256 = document.sha256 ?? (object.said.id === document.id ? object.said.sha256 : undefined);
  const isRight = sha256 !== undefined && object.sha256 === sha256 && object.sizeBytes === document.size;
  const isJudged = document.scanResult !== undefined && document.scanResult !== "INFECTED";
  if (!isRight || !isJudged) {
    return [
      finding(entry, {
        kind: "half-done-upload",
        what: `${begun}; an object has arrived that nobody has looked at`,
        remedy: `\`mawps doc confirm ${entry.userId} ${document.id}\` looks at it and takes or removes it`,
      }),
    ];
  }
  return [
    finding(entry, {
      kind: "half-done-upload",
      what: `${begun}, but all its bytes are there`,
      remedy: `upload the file again, or ${byRepair} finishes it`,
      repair: { does: "finish", entry },
    }),
  ];
}

function wrongBytes(entry: StoredEntry, object: ObjectFacts): Finding[] {
  const { document } = entry;
  const isOther = document.sha256 !== undefined && object.sha256 !== document.sha256;
  if (isOther) {
    return [
      finding(entry, {
        kind: "wrong-hash",
        what: "the object has other bytes than the entry's sha256 says",
        remedy: "bring the right object back from a backup or an older version",
      }),
    ];
  }
  if (document.size === undefined || document.size === object.sizeBytes) return [];
  const [has, said] = twoSizes(object.sizeBytes, document.size);
  const what = `the object has ${has}, the entry says ${said}`;
  if (document.sha256 === undefined) {
    return [
      finding(entry, {
        kind: "wrong-size",
        what,
        remedy: "look at the document: it has been replaced, or its upload was cut off",
      }),
    ];
  }
  return [
    finding(entry, {
      kind: "wrong-size",
      what: `${what}; the hash is right`,
      remedy: `${byRepair} corrects the entry`,
      repair: { does: "correct-size", entry, sizeBytes: object.sizeBytes },
    }),
  ];
}

/** Entries that name the same object as one before them. */
export function shared(entries: readonly StoredEntry[]): Finding[] {
  return entries
    .filter(
      (entry, at) =>
        entry.document.s3Key !== "" &&
        entries.findIndex((each) => objectName(each) === objectName(entry)) < at,
    )
    .map((entry) =>
      finding(
        entry,
        entry.place === "api"
          ? {
              kind: "shared-object",
              what: "the website's documents-api and the profile both have an entry of it",
              remedy: "the profile's may be deleted with `mawps doc rm`: the object stays for the other",
            }
          : {
              kind: "shared-object",
              what: "another entry names the same object",
              remedy:
                "delete none of the two before it is clear which is right: retention would remove the object of both",
            },
      ),
    );
}

/** Unfinished uploads that nobody goes on with. */
export function oldUploads({ documents, uploads }: CheckFacts, { now, oldUploadMs }: CheckRules): Finding[] {
  const open = new Set(
    documents.entries
      .filter(({ document }) => document.status === "UPLOADING")
      .map(({ document }) => document.s3Key),
  );
  return uploads
    .filter(({ key, begunAt }) => !open.has(key) && now.getTime() - (begunAt?.getTime() ?? 0) > oldUploadMs)
    .map((upload) => ({
      userId: documents.userId,
      kind: "old-multipart-upload",
      key: upload.key,
      what: `parts of an upload begun ${upload.begunAt?.toISOString() ?? "at a time unknown"} that nobody finishes`,
      remedy: `${byRepair} removes them; so does the lifecycle rule of \`mawps setup\``,
      repair: { does: "abort-upload", upload },
    }));
}
