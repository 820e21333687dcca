import { resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { trailOf } from "../../audit/place.ts";
import type { AuditReport } from "../../audit/report.ts";
import { escapedHtml, foreignHtml, pageHead } from "../../output/html.ts";
import { facts } from "../../output/table.ts";
import { count, grouped, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { assertSound } from "./faults.ts";
import { periodOf, since, until } from "./period.ts";

/** `mawps audit report`: what a period tells, and whether the trail can be believed, to be filed. */
export function auditReport(begin: Begin): AnyCommand {
  return new Command("report")
    .description(
      "what was done in a period, in numbers, with exports and erasures one by one, and whether the trail is sound",
    )
    .option("--html <file>", "write it as a page into this new file")
    .option("--since <when>", "a day, a time, or an age such as 90d", since)
    .option("--until <when>", "a day (to its end), a time, or an age", until)
    .addHelpText("after", "\nExample:\n  mawps audit report --since 2026-01-01 --html audit-2026.html")
    .action(async ({ html, ...options }, command) => {
      const run = await begin(command as AnyCommand);
      const { config, world } = run;
      const { reportOf } = await import("../../audit/report.ts");
      const now = world.now();
      const report = await reportOf(trailOf(await run.context("reads")), periodOf(options, now), now);
      const file = html === undefined || config.dryRun ? undefined : resolve(world.cwd, html);
      if (file !== undefined) {
        const { writeNewFile } = await import("../../atomic-file.ts");
        await writeNewFile(file, pageOf(report, { site: config.site.name, now }));
      }
      if (html !== undefined && config.dryRun) run.note(`would write ${visible(resolve(world.cwd, html))}`);
      const { actions, actors, ...rest } = report;
      const told = {
        ...rest,
        actions: Object.fromEntries(actions),
        actors: Object.fromEntries(actors),
        file: file ?? null,
      };
      await run.print(told, () => textOf(report, file));
      assertSound(report.verification);
    });
}

function textOf(
  { entries, from, to, actions, actors, verification, head }: AuditReport,
  file: string | undefined,
): string {
  const most = (counts: ReadonlyMap<string, number>) =>
    sorted(counts)
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

function sorted(counts: ReadonlyMap<string, number>): (readonly [string, number])[] {
  return [...counts].toSorted(([one, few], [other, many]) => many - few || (one < other ? -1 : 1));
}

/** A page for people, without a script; everything stored is shown as text. */
function* pageOf(
  report: AuditReport,
  { site, now }: { readonly site: string; readonly now: Date },
): Generator<string> {
  const { entries, from, to, actions, actors, letters, verification, found, head } = report;
  const more = (number: number) => (number === 0 ? "" : `<p>And ${grouped(number)} more.</p>\n`);
  const rows = (title: string, counts: ReadonlyMap<string, number>) =>
    `<h2>${title}</h2>\n<table>${sorted(counts)
      .map(([name, number]) => `<tr><th>${foreignHtml(name)}</th><td>${number}</td></tr>`)
      .join("")}</table>\n`;
  yield pageHead("en", `Audit report of ${site}`);
  yield `<h1>Audit report of ${foreignHtml(site)}</h1>\n<p>Made ${now.toISOString()}. ${count(entries, "entry", "entries")}`;
  yield from === null ? ".</p>\n" : `, from ${escapedHtml(from)} to ${escapedHtml(to ?? "")}.</p>\n`;
  yield `<h2>Is the trail sound?</h2>\n<p>${verification.faults === 0 ? "Yes: every entry is as it was written." : `No: ${count(verification.faults, "fault")}.`} `;
  yield `${count(verification.interrupted, "change")} without an outcome, ${verification.acknowledged} acknowledged, ${verification.expired} expired.</p>\n`;
  yield `<p>Last entry: <code>${head.sequence}:${escapedHtml(head.hash)}</code></p>\n`;
  if (found.length > 0) {
    const lines = found.map((each) =>
      "fault" in each ? `${each.fault} ${each.sequence}: ${each.what}` : `interrupted ${each.action}`,
    );
    yield `<ul>${lines.map((line) => `<li>${foreignHtml(line)}</li>`).join("")}</ul>\n${more(report.moreFound)}`;
  }
  yield rows("What was done", actions);
  yield rows("By whom", actors);
  yield "<h2>Exports and erasures</h2>\n<table><tr><th>time</th><th>what</th><th>of</th><th>by</th><th>entry</th></tr>\n";
  for (const { timestamp, action, userId = "-", actor, sequence } of letters)
    yield `<tr>${[timestamp, action, userId, actor, String(sequence)].map((cell) => `<td>${foreignHtml(cell)}</td>`).join("")}</tr>\n`;
  yield `</table>\n${more(report.moreLetters)}</body></html>\n`;
}
