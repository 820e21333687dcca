import { bytes } from "../model/bytes.ts";
import { timeOf } from "../model/json.ts";
import { objectName, type CheckFacts, type ObjectFacts } from "./check-facts.ts";
import type { Finding, Repair } from "./check-finding.ts";
import { leftOver } from "./check-orphans.ts";
import { faultsOf, finding, oldUploads, shared, type CheckRules } from "./check-plan.ts";
import type { StoredEntry } from "./entry.ts";
import { formerRowKey } from "./row-files.ts";
import { isForeignFile, isOwnDocument } from "./file-owners.ts";
import type { DocumentRows } from "./row-model.ts";

/** What is wrong with one user's documents of a site with rows. Pure, as `findFaults`. */
export function findRowFaults(rows: DocumentRows, facts: CheckFacts, rules: CheckRules): Finding[] {
  const { entries } = facts.documents;
  return [
    ...entries.flatMap((entry) =>
      isForeignFile(rows, entry)
        ? [
            finding(entry, {
              kind: "wrong-item",
              what: `its file is somebody else's, or of no kind that an entry may name`,
              remedy: "find out whose document it is; then delete the entry that is wrong",
            }),
          ]
        : faultsOf(entry, facts, rules).flatMap((found) => {
            if (isOver(rows, entry, rules)) return [found];
            return mayBeAwaited(rows, { entry, found }, rules) ? [] : [byHand(found)];
          }),
    ),
    ...shared(entries),
    ...filesWithoutEntry(rows, facts),
    ...oldUploads(facts, rules),
  ];
}

/** As long the site itself may still be at an upload of its own. */
const longestUploadMs = 86_400_000;

/** Where entries keep no end of a link, one that was begun lately and of which nothing has come may be what a link was made for. */
function mayBeAwaited(
  rows: DocumentRows,
  { entry, found }: { readonly entry: StoredEntry; readonly found: Finding },
  { now }: CheckRules,
): boolean {
  const begunMs = timeOf(entry.document.uploadedAt);
  const isYoung = begunMs !== undefined && now.getTime() < begunMs + longestUploadMs;
  const hasNothing = found.kind === "half-done-upload" && found.repair?.does === "withdraw";
  return (
    rows.documents.fields.uploadUntil === undefined && isYoung && hasNothing && isOwnDocument(rows, entry)
  );
}

/** Whether nobody is at an upload any more, so that it may be finished or withdrawn: one of a file that such uploads make. */
function isOver(rows: DocumentRows, entry: StoredEntry, { now }: CheckRules): boolean {
  const { uploadedAt, attributes } = entry.document;
  const begunMs = timeOf(attributes["uploadUntil"]) ?? (timeOf(uploadedAt) ?? Number.NaN) + longestUploadMs;
  return isOwnDocument(rows, entry) && begunMs <= now.getTime();
}

const handiwork: Partial<Record<Repair["does"], string>> = {
  finish: "upload the file again, which finishes it",
  withdraw: "upload the file again, which goes on; retention removes the entry in its time",
};

function byHand({ repair, ...found }: Finding): Finding {
  const remedy = repair && handiwork[repair.does];
  return remedy === undefined ? { ...found, ...(repair && { repair }) } : { ...found, remedy };
}

function filesWithoutEntry(rows: DocumentRows, { documents, objects }: CheckFacts): Finding[] {
  const { userId, entries } = documents;
  const named = new Set(entries.map(({ document }) => document.s3Key));
  const former = new Map(entries.map((entry) => [formerRowKey(rows, entry), entry]));
  return [...objects.values()]
    .filter(({ key }) => !named.has(key))
    .map((object): Finding => {
      const { key, sizeBytes, lastModified } = object;
      const entry = former.get(key);
      if (entry !== undefined && isSame(object, objects.get(objectName(entry)))) {
        return leftOver(entry, { key, profile: undefined });
      }
      return {
        userId,
        kind: "object-without-entry",
        key,
        storedAt: lastModified?.toISOString(),
        what: `no entry of theirs names it (${bytes(sizeBytes)})`,
        remedy: "look whether something else of the site needs it, before somebody deletes it",
      };
    });
}

function isSame(one: ObjectFacts, other: ObjectFacts | undefined): boolean {
  return one.sha256 !== undefined && one.sha256 === other?.sha256;
}
