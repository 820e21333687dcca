import type { ChangePlan, ChangeResult } from "../../documents/change.ts";
import type { StoredEntry, UserDocuments } from "../../documents/entry.ts";
import { documentJson } from "../../model/documents.ts";
import type { JsonObject } from "../../model/json.ts";
import { table } from "../../output/table.ts";
import { documentColumns } from "./table.ts";
import { failPartly } from "../failures.ts";
import type { ChangingSite } from "../../documents/site.ts";
import type { Run } from "../run.ts";
import { stateColumn } from "../../output/tones.ts";

interface Row {
  readonly entry: StoredEntry;
  readonly result: string;
  toJSON(): JsonObject;
}

function rowOf(entry: StoredEntry, result: string): Row {
  return { entry, result, toJSON: () => documentJson(entry.userId, entry.document) };
}

/**
 * Does what was planned, or with `--dry-run` shows it, and prints the entries as they then stand. What could not be done
 * ends the command.
 */
export async function changeAndPrint(
  run: Run,
  { site, user }: { readonly site: ChangingSite; readonly user: UserDocuments },
  plan: ChangePlan,
): Promise<void> {
  const { carryOut, foreseen } = await import("../../documents/change.ts");
  const { dryRun } = run.config;
  const { changed, failures }: ChangeResult = dryRun
    ? { changed: plan.changes.map(foreseen), failures: [] }
    : await carryOut(site, plan.changes, user);
  const rows = [
    ...changed.map((entry) => rowOf(entry, dryRun ? "would be" : "done")),
    ...plan.unchanged.map((entry) => rowOf(entry, "was so already")),
  ];
  await run.printRows(rows, (all, layout) =>
    all.length === 0
      ? ""
      : table(
          all,
          [
            stateColumn({ title: "RESULT", cell: ({ result }) => result }),
            ...documentColumns<Row>(({ entry }) => entry.document),
          ],
          layout,
        ),
  );
  failPartly(
    failures.map(({ entry, failure }) => ({ what: entry.document.id, failure })),
    rows.length,
  );
}
