import { Command } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../errors.ts";
import { nobodiesCount, type Nobodies } from "../../model/nobodies.ts";
import { barChart } from "../../output/charts.ts";
import { duration } from "../../output/dates.ts";
import type { Layout } from "../../output/layout.ts";
import { facts, table } from "../../output/table.ts";
import { visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { PageStatistics, ProgressStatistics } from "../../site/progress/statistics.ts";
import { since } from "../audit/period.ts";
import { openDocuments } from "../../documents/site.ts";
import { noteNobodies } from "../nobodies.ts";
import { overwriteFlag, pageFile } from "../page-file.ts";
import { BrokenData } from "./problems.ts";

/** `mawps progress stats`: numbers over all users. */
export function progressStats(begin: Begin): AnyCommand {
  return new Command("stats")
    .description("numbers over all users: activity, completion, and where people stop")
    .option("--page <name>", "only this page")
    .option("--since <when>", "only users active since a day, a time, or an age such as 90d", since)
    .option("--csv", "print a row a page as CSV")
    .option("--html <file>", "also write a page with charts, into a new file")
    .option(...overwriteFlag)
    .addHelpText(
      "after",
      "\nExamples:\n  mawps progress stats --since 90d\n  mawps progress stats --html report.html",
    )
    .action(async ({ page, since: from, csv, html, overwrite }, command) => {
      const run = await begin(command as AnyCommand);
      const { world, config } = run;
      if (csv === true && config.json) {
        throw new CliError("--csv and --json are two formats", { exitCode: exitCodes.usage });
      }
      const file = html === undefined ? undefined : await pageFile(run, html, overwrite);
      const [{ scanProgress }, { readProgress }, { ProgressTally }] = await Promise.all([
        import("../../site/progress/store.ts"),
        import("../../site/progress/read.ts"),
        import("../../site/progress/statistics.ts"),
      ]);
      const now = world.now();
      const tally = new ProgressTally({
        now,
        page,
        since: from?.(now),
      });
      const broken = new BrokenData();
      const nobodies: Nobodies = new Map();
      const site = await openDocuments(await run.context("reads"));
      for await (const { userId, progress, updatedAt } of scanProgress(site, nobodies)) {
        const read = readProgress(progress, updatedAt);
        tally.add(read);
        broken.add(userId, read);
      }
      const statistics = tally.result();
      if (file !== undefined) {
        const { progressPage } = await import("../../report/progress.ts");
        await file.write(progressPage(statistics, { madeAt: now, title: site.table, language: "en" }));
        if (!config.dryRun) run.note(`wrote ${file.path}`);
      }
      if (csv === true) {
        const [{ csvLine }, { pageColumns, pageRows }] = await Promise.all([
          import("../../output/csv.ts"),
          import("../../site/progress/rows.ts"),
        ]);
        await run.write([pageColumns, ...pageRows(statistics)].map(csvLine).join(""));
      } else {
        const result = { ...statistics, nobodies: nobodiesCount(nobodies), problems: broken.users };
        await run.print(result, (_result, layout) => asText(statistics, layout));
      }
      noteNobodies(run, nobodies);
      if (!config.json) broken.warn(run);
      broken.end();
    });
}

async function asText(statistics: ProgressStatistics, layout: Layout): Promise<string> {
  const { columns } = layout;
  const { stopName } = await import("../../site/progress/statistics.ts");
  const { users, usersWithProgress, active, completion, pages } = statistics;
  const parts = [
    facts([
      ["users", `${users}, ${usersWithProgress} with progress`],
      ["active", `${active.last7Days} in 7 days, ${active.last30Days} in 30, ${active.last90Days} in 90`],
      ["completion", `${completion.meanPercent} % on average`],
    ]),
    barChart(
      completion.distribution.map(({ from, to, users: value }) => ({ label: `${from}-${to} %`, value })),
      columns,
    ),
  ];
  if (pages.length > 0) parts.push(await pagesText(pages, layout));
  for (const { page, stops } of pages.slice(0, maxStopCharts)) {
    if (stops.length === 0) continue;
    const rows = stops.map(({ step, users: value }) => ({ label: stopName(step), value }));
    parts.push(`where people stop on ${visible(page)}\n${barChart(rows, columns)}`);
  }
  return parts.join("\n\n");
}

/** More than a few charts are for the report. */
const maxStopCharts = 5;

function pagesText(pages: readonly PageStatistics[], layout: Layout): Promise<string> {
  return table(
    pages,
    [
      { title: "PAGE", cell: ({ page }) => page, least: 12 },
      { title: "VISITORS", cell: ({ visitors }) => String(visitors), align: "right" },
      { title: "COMPLETED", cell: ({ completed }) => String(completed), align: "right" },
      { title: "MEAN %", cell: ({ meanPercent }) => String(meanPercent), align: "right" },
      {
        title: "MEDIAN TIME",
        cell: ({ medianSecondsToComplete: seconds }) => (seconds === null ? "" : duration(seconds * 1000)),
        align: "right",
      },
    ],
    layout,
  );
}
