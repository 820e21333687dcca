import { Command } from "@commander-js/extra-typings";
import { trailOf } from "../../audit/place.ts";
import { mostFirst, plainPeriod, type AuditReport } from "../../audit/report.ts";
import { facts } from "../../output/table.ts";
import { count, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { overwriteFlag, pageFile } from "../page-file.ts";
import { assertSound } from "./faults.ts";
import { periodOf, since, until } from "./period.ts";

/** `mawps audit report`: what a period tells, and whether the trail can be believed, to be filed. */
export function auditReport(begin: Begin): AnyCommand {
  return new Command("report")
    .description(
      "what was done in a period, in numbers, with exports and erasures one by one, and whether the trail is sound",
    )
    .option("--html <file>", "write it as a page into this new file")
    .option(...overwriteFlag)
    .option("--since <when>", "a day, a time, or an age such as 90d", since)
    .option("--until <when>", "a day (to its end), a time, or an age", until)
    .addHelpText("after", "\nExample:\n  mawps audit report --since 2026-01-01 --html audit-2026.html")
    .action(async ({ html, overwrite, ...options }, command) => {
      const run = await begin(command as AnyCommand);
      const { config, world } = run;
      const file = html === undefined ? undefined : await pageFile(run, html, overwrite);
      const { reportOf } = await import("../../audit/report.ts");
      const now = world.now();
      const report = await reportOf(trailOf(await run.context("reads")), periodOf(options, now), now);
      if (file !== undefined) {
        const { auditPage } = await import("../../report/audit.ts");
        await file.write(auditPage(report, { title: config.site.name, madeAt: now }));
      }
      const written = config.dryRun ? undefined : file?.path;
      await run.print({ ...plainPeriod(report), file: written ?? null }, () => textOf(report, written));
      assertSound(report.verification);
    });
}

function textOf(
  { entries, from, to, actions, actors, verification, head }: AuditReport,
  file: string | undefined,
): string {
  const most = (counts: ReadonlyMap<string, number>) =>
    mostFirst(counts)
      .map(([name, number]) => `${visible(name)} ${number}`)
      .join(", ");
  return facts([
    ["entries", entries === 0 ? "none" : `${entries}, from ${from ?? ""} to ${to ?? ""}`],
    ["actions", entries === 0 ? undefined : most(actions)],
    ["by", entries === 0 ? undefined : most(actors)],
    ["trail", verification.faults === 0 ? "sound" : count(verification.faults, "fault")],
    ["head", `${head.sequence}:${head.hash}`],
    ["page", file === undefined ? undefined : visible(file)],
  ]);
}
