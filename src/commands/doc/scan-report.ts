import type { ScanReport } from "../../documents/scan-report.ts";
import type { Nobodies } from "../../model/nobodies.ts";
import type { Layout } from "../../output/layout.ts";
import { facts, table } from "../../output/table.ts";
import { noteNobodies } from "../nobodies.ts";
import { openDocumentsWith } from "../../documents/site.ts";
import type { Run } from "../run.ts";
import { idColumn, stateColumn } from "../../output/tones.ts";

/**
 * What `mawps doc scan --report` says: nothing is scanned and nothing changed.
 * @returns how many documents `--unscanned` would scan.
 */
export async function printScanReport(run: Run, given: string | undefined): Promise<number> {
  const [{ entriesByUser }, { scanReport }, { findDocuments }] = await Promise.all([
    import("../../documents/list.ts"),
    import("../../documents/scan-report.ts"),
    import("../../documents/users.ts"),
  ]);
  const { site, seen: user } = await openDocumentsWith(await run.context("reads"), async (look) =>
    given === undefined ? undefined : findDocuments(look, given),
  );
  const nobodies: Nobodies = new Map();
  const report = await scanReport(entriesByUser(site, user?.userId, nobodies));
  await run.print(report, reportText);
  noteNobodies(run, nobodies);
  return report.due;
}

async function reportText({ counts, unscanned }: ScanReport, layout: Layout): Promise<string> {
  const totals = facts(Object.entries(counts).map(([verdict, number]) => [verdict, String(number)] as const));
  if (unscanned.length === 0) return totals;
  const listed = await table(
    unscanned,
    [
      { title: "USER", cell: ({ userId }) => userId },
      idColumn({ title: "ID", cell: ({ id }) => id }),
      { title: "NAME", cell: ({ name }) => name, least: 12 },
      stateColumn({ title: "VERDICT", cell: ({ scanResult }) => scanResult }),
      { title: "WHY", cell: ({ scanReason }) => scanReason ?? "", folds: true },
    ],
    layout,
  );
  return `${totals}\n\n${listed}`;
}
