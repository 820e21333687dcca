import { bytes } from "../model/bytes.ts";
import type { CheckFacts } from "./check-facts.ts";
import type { Finding, Repair } from "./check-finding.ts";
import { faultsOf, finding, oldUploads, shared, type CheckRules } from "./check-plan.ts";
import { isForeignFile, type DocumentRows } from "./rows.ts";

/** What is wrong with one user's documents of a site with rows: all of it is for a person to mend. Pure, as `findFaults`. */
export function findRowFaults(rows: DocumentRows, facts: CheckFacts, rules: CheckRules): Finding[] {
  const { entries } = facts.documents;
  const found = [
    ...entries.flatMap((entry) =>
      isForeignFile(rows, entry)
        ? [
            finding(entry, {
              kind: "wrong-item",
              what: `its file is somebody else's, or of no kind that an entry may name`,
              remedy: "find out whose document it is; then delete the entry that is wrong",
            }),
          ]
        : faultsOf(entry, facts, rules),
    ),
    ...shared(entries),
    ...filesWithoutEntry(facts),
    ...oldUploads(facts, rules),
  ];
  return found.map(({ repair, remedy, ...rest }) => ({
    ...rest,
    remedy: repair === undefined ? remedy : (byHand[repair.does] ?? remedy),
  }));
}

const byHand: Partial<Record<Repair["does"], string>> = {
  finish: "upload the file again, which finishes it",
  withdraw: "upload the file again, which goes on; retention removes the entry in its time",
  "correct-size": "correct the size in the entry: the hash is right",
  "abort-upload": "the lifecycle rule of `mawps setup` removes them",
};

function filesWithoutEntry({ documents, objects }: CheckFacts): Finding[] {
  const named = new Set(documents.entries.map(({ document }) => document.s3Key));
  return [...objects.values()]
    .filter(({ key }) => !named.has(key))
    .map(({ key, sizeBytes, lastModified }) => ({
      userId: documents.userId,
      kind: "object-without-entry",
      key,
      storedAt: lastModified?.toISOString(),
      what: `no entry of theirs names it (${bytes(sizeBytes)})`,
      remedy: "look whether something else of the site needs it, before somebody deletes it",
    }));
}
