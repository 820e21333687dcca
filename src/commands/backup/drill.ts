import { Command } from "@commander-js/extra-typings";
import type { Counts } from "../../backup/manifest.ts";
import type { DrillReport } from "./drilling.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { bytes } from "../../model/bytes.ts";
import { paint, type Layout } from "../../output/layout.ts";
import { count, grouped, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { repoFlag, snapshotArgument, snapshotName } from "./flags.ts";

/** `mawps backup drill`: restores a backup on trial and looks whether it fits together. */
export function backupDrill(begin: Begin): AnyCommand {
  return new Command("drill")
    .description(
      "restore a backup into a throw-away store and check what came back; exit 4 when it is not right",
    )
    .argument(...snapshotArgument, snapshotName, "latest")
    .option(...repoFlag)
    .option(
      "--check <command>",
      "a check of your own: runs by the shell with the restored store as its target",
    )
    .addHelpText(
      "after",
      "\nExample:\n  mawps backup drill --check 'mawps doc list user-123 --json | grep -q READY'",
    )
    .action(async (snapshot, options, command) => {
      const run = await begin(command as AnyCommand);
      if (snapshot !== "latest") run.keepFromMetrics();
      const { drilledBackup, plannedDrill } = await import("./drilling.ts");
      if (run.config.dryRun) {
        return run.print(
          await plannedDrill(run, { snapshot, repo: options.repo }),
          ({ snapshot: id, ...of }) => `would restore ${id} on trial: ${countsText(of)}`,
        );
      }
      const report = await drilledBackup(run, { snapshot, ...options });
      run.measure({ Bytes: report.bytes, Problems: report.faultCount });
      await run.print(report, reportText);
      if (report.outcome === "ok") return;
      throw new CliError(`${count(report.faultCount, "finding")} in the drill of ${report.snapshot}`, {
        exitCode: exitCodes.findings,
        hint: "`mawps backup verify --all` tells whether the backup itself is damaged",
      });
    });
}

function countsText({ items, objects, users, rows, bytes: size }: Counts): string {
  const inDatabases = rows === undefined ? "" : `, ${count(rows, "row")}`;
  return `${count(items, "item")}, ${count(objects, "object")} of ${bytes(size)}, ${count(users, "account")}${inDatabases}`;
}

function reportText(report: DrillReport, layout: Layout): string {
  const { snapshot, faults, faultCount, suppressed, lost, steps } = report;
  const more = faultCount - faults.length;
  return [
    `${snapshot}: ${countsText(report)}`,
    ...(suppressed === 0
      ? []
      : [`${grouped(suppressed)} suppressed (ids and addresses of people who were erased)`]),
    ...lost.map((what) => `not restored: ${what}`),
    ...steps.map(({ step, seconds }) => `${step}: ${seconds.toFixed(1)} s`),
    ...faults.map(({ what, why }) => paint(visible(`FAULT ${what}: ${why}`), "bad", layout)),
    ...(more > 0 ? [`and ${grouped(more)} more`] : []),
    report.outcome === "ok" ? paint("restored and sound", "good", layout) : paint("NOT sound", "bad", layout),
  ].join("\n");
}
