import { planPast, restorePast, type RestoredPast } from "../../../backup/pitr-database.ts";
import { openPast, type PastWanted } from "../../../backup/pitr-open.ts";
import { localTime } from "../../../output/dates.ts";
import { count } from "../../../output/text.ts";
import type { Run } from "../../run.ts";

/** Plans, asks, makes a database as one was at a moment, and prints. */
export async function restoreDatabase(run: Run, wanted: Omit<PastWanted, "path">): Promise<void> {
  const context = await run.unconnected("writes");
  const { site, before, at } = await openPast(context, { ...wanted, path: run.world.env["PATH"] });
  const past = await planPast(site, before, at);
  const { into } = site;
  const state = `${before.snapshot.name} as of ${localTime(at)}`;
  if (context.dryRun) {
    const planned = {
      dryRun: true,
      database: into.name,
      from: before.snapshot.name,
      at,
      backup: before.manifest.id,
    };
    return run.print(
      planned,
      () => `would make ${into.name} of ${state}: the backup ${before.manifest.id}, then the binary log`,
    );
  }
  await run.confirm({ question: `Make the database ${into.name} of ${state}?`, destructive: false });
  context.progress("restoring");
  const restored = await restorePast(past, { audit: context.audit, onProgress: context.progress });
  await run.print(restored, asText);
}

function asText({ database, backup, at, rows, replayed, erased }: RestoredPast): string {
  const { rows: gone, accounts, names } = erased;
  return [
    `made ${database} as of ${localTime(at)}: ${count(rows, "row")} of ${backup}, then ${count(replayed, "change")} of the binary log`,
    ...(gone + accounts + names === 0
      ? []
      : [
          `of people who were erased: ${[
            ...(gone === 0 ? [] : [`${count(gone, "row")} left out`]),
            ...(accounts === 0 ? [] : [`${count(accounts, "account")} kept by the id alone`]),
            ...(names === 0 ? [] : [`${count(names, "row")} kept without the name`]),
          ].join(", ")}`,
        ]),
  ].join("\n");
}
