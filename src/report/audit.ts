import { mostFirst, type AuditPeriod, type AuditReport } from "../audit/report.ts";
import { escapedHtml, figure, foreignHtml, htmlTable, pageEnd, pageHead, tiles } from "../output/html.ts";
import type { Language } from "../model/sentences.ts";
import { count, grouped } from "../output/text.ts";
import { timeChart } from "./charts.ts";
import type { PageOptions } from "./progress.ts";
import { wordsOf, type Words } from "./words.ts";

/** A page for people about a period of the trail, and whether the trail can be believed. Everything stored is text. Pure. */
export function* auditPage(report: AuditReport, { title, madeAt }: Omit<PageOptions, "language">) {
  const { entries, from, to, verification, found, head, moreFound } = report;
  const { faults, interrupted, acknowledged, expired } = verification;
  yield pageHead("en", `Audit report of ${title}`);
  yield `<header><h1>Audit report of ${foreignHtml(title)}</h1><p>Made ${madeAt.toISOString()}. ${count(entries, "entry", "entries")}`;
  yield from === null
    ? ".</p></header>\n"
    : `, from ${escapedHtml(from)} to ${escapedHtml(to ?? "")}.</p></header>\n`;
  yield `<h2>Is the trail sound?</h2>\n<p>${faults === 0 ? "Yes: every entry is as it was written." : `No: ${count(faults, "fault")}.`} `;
  yield `${count(interrupted, "change")} without an outcome, ${acknowledged} acknowledged, ${expired} expired.</p>\n`;
  yield `<p>Last entry: <code>${head.sequence}:${escapedHtml(head.hash)}</code></p>\n`;
  if (found.length > 0) {
    const lines = found.map((each) =>
      "fault" in each ? `${each.fault} ${each.sequence}: ${each.what}` : `interrupted ${each.action}`,
    );
    yield `<ul>${lines.map((line) => `<li>${foreignHtml(line)}</li>`).join("")}</ul>\n`;
    if (moreFound > 0) yield `<p>And ${grouped(moreFound)} more.</p>\n`;
  }
  yield* periodParts(report, "en");
  yield pageEnd;
}

/** Of what a period tells the tables show so many rows. */
const mostRows = 200;

/** What a period tells, as parts of a page. Pure. */
export function* periodParts(period: AuditPeriod, language: Language): Generator<string> {
  const { entries, weeks, actions, actors, letters, moreLetters } = period;
  const words = wordsOf(language);
  const { grouped, iso } = words.figures;
  yield tiles([[words.entries, grouped(entries)]]);
  if (weeks.size > 0) {
    const [heading = "", caption = ""] = words.weeks;
    const days = [...weeks.keys()].slice(-53);
    const values = days.map((day) => weeks.get(day) ?? 0);
    yield figure(
      heading,
      caption,
      timeChart(heading, days, {
        series: [{ name: words.entries, color: "first", values }],
        figures: words.figures,
      }),
    );
  }
  for (const [counts, titles] of [
    [actions, words.actions],
    [actors, words.actors],
  ] as const) {
    yield htmlTable(mostFirst(counts).slice(0, mostRows), [
      { title: titles[0] ?? "", cell: ([name]) => name },
      { title: titles[1] ?? "", cell: ([, number]) => grouped(number), isNumber: true },
    ]);
    yield moreText(counts.size - mostRows, words);
  }
  yield htmlTable(letters, [
    { title: words.letters[0] ?? "", cell: ({ timestamp }) => iso(timestamp) },
    { title: words.letters[1] ?? "", cell: ({ action, details }) => whatOf(action, details["phase"]) },
    { title: words.letters[2] ?? "", cell: ({ userId }) => userId ?? "-" },
    { title: words.letters[3] ?? "", cell: ({ actor }) => actor },
    { title: words.letters[4] ?? "", cell: ({ sequence }) => String(sequence), isNumber: true },
  ]);
  yield moreText(moreLetters, words);
}

/** That so many more are not shown. */
export function moreText(number: number, words: Words): string {
  return number > 0 ? `<p>+ ${words.figures.grouped(number)} ${escapedHtml(words.more)}</p>\n` : "";
}

function whatOf(action: string, phase: unknown): string {
  return phase === "begun" || phase === "failed" ? `${action} (${phase})` : action;
}
