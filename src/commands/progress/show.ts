import { Command } from "@commander-js/extra-typings";
import { secretsMasked } from "../../model/secrets.ts";
import { percentBar } from "../../output/bar.ts";
import { localTime } from "../../output/dates.ts";
import type { Layout } from "../../output/layout.ts";
import { facts, table } from "../../output/table.ts";
import { visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { Overall } from "../../site/progress/overall.ts";
import type { OverallStats, ReadPage, ReadProgress } from "../../site/progress/read.ts";
import { configuredSite } from "../../target.ts";
import { openDocumentsWith } from "../../documents/site.ts";
import { BrokenData } from "./problems.ts";

/** `mawps progress show`: one user's pages, sections, test results and totals. */
export function progressShow(begin: Begin): AnyCommand {
  return new Command("show")
    .description("how far one user is: pages, steps, sections, test results")
    .argument("<user>", "id, user name or e-mail address")
    .addHelpText("after", "\nExample:\n  mawps progress show user-123")
    .action(async (user, _options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ resolveUser }, { userProgress }, { readProgress }, { computeOverall }] = await Promise.all([
        import("../../documents/users.ts"),
        import("../../site/progress/store.ts"),
        import("../../site/progress/read.ts"),
        import("../../site/progress/overall.ts"),
      ]);
      const { site, seen: userId } = await openDocumentsWith(await run.context("reads"), (look) =>
        resolveUser(look, user, "refuse"),
      );
      const stored = await userProgress(site, userId);
      const progress = secretsMasked(configuredSite(run.config).secrets, stored.progress);
      const read = readProgress(progress, stored.updatedAt);
      await run.print(progress ?? {}, (_data, layout) => asText(read, computeOverall(read), layout));
      const broken = new BrokenData();
      broken.add(userId, read);
      broken.warn(run);
      broken.end();
    });
}

async function asText(read: ReadProgress, overall: Overall, layout: Layout): Promise<string> {
  const { pages, sections } = read;
  if (pages.length === 0 && sections.length === 0) return "no progress yet";
  const parts = [pages.length === 0 ? "no pages" : await pagesText(pages, layout)];
  if (sections.length > 0) {
    const steps = sections.flatMap(({ name, steps: each }) =>
      each.map((step) => ({ section: name, step: step.name, updated: timeText(step.updatedAt) })),
    );
    parts.push(
      await table(
        steps,
        [
          { title: "SECTION", cell: ({ section }) => section },
          { title: "STEP", cell: ({ step }) => step, least: 12 },
          { title: "UPDATED", cell: ({ updated }) => updated },
        ],
        layout,
      ),
    );
  }
  const tests = pages.filter(({ testResults }) => testResults !== undefined);
  if (tests.length > 0) {
    parts.push(facts(tests.map((page) => [visible(page.name), visible(JSON.stringify(page.testResults))])));
  }
  parts.push(overallText(overall));
  return parts.join("\n\n");
}

function pagesText(pages: readonly ReadPage[], layout: Layout): Promise<string> {
  return table(
    pages,
    [
      { title: "PAGE", cell: ({ name }) => name, least: 12 },
      { title: "PROGRESS", cell: ({ percent }) => percentBar(percent, 20) },
      { title: "%", cell: ({ percent }) => String(percent), align: "right" },
      { title: "COMPLETED", cell: ({ completed }) => (completed ? "yes" : ""), tone: () => "good" },
      { title: "VISITS", cell: ({ visitCount }) => String(visitCount), align: "right" },
      {
        title: "STEPS",
        cell: ({ steps }) =>
          steps.length === 0 ? "" : `${steps.filter((step) => step.completed).length}/${steps.length}`,
        align: "right",
      },
      { title: "LAST VISIT", cell: ({ lastVisit }) => timeText(lastVisit) },
    ],
    layout,
  );
}

function overallText({ model, tracker, stored, matches }: Overall): string {
  const lines = facts([
    ["stored", stored === undefined ? "none" : statsText(stored)],
    ["pages completed of all", statsText(model)],
    ["mean of visited pages", statsText(tracker)],
  ]);
  if (stored === undefined || matches.length > 0) return lines;
  return `${lines}\nwhat is stored fits neither: \`mawps progress recompute\` corrects it`;
}

function statsText({ totalPages, visitedPages, completedPages, completionPercentage }: OverallStats): string {
  return `${completionPercentage} % (${completedPages} of ${totalPages} completed, ${visitedPages} visited)`;
}

function timeText(time: number | undefined): string {
  return time === undefined ? "" : localTime(new Date(time));
}
