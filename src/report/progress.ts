import {
  cut,
  escapedHtml,
  figure,
  foreignHtml,
  htmlTable,
  pageEnd,
  pageHead,
  tiles,
} from "../output/html.ts";
import type { Language } from "../model/sentences.ts";
import { sketchError } from "../site/progress/quantiles.ts";
import type { PageStatistics, ProgressStatistics } from "../site/progress/statistics.ts";
import { distributionChart, pagesChart, stopsChart } from "./charts.ts";
import { wordsOf, type Words } from "./words.ts";

export interface PageOptions {
  readonly madeAt: Date;
  /** What it is about: a site, or a table. */
  readonly title: string;
  readonly language: Language;
}

/**
 * One self-contained page about the progress of all users. Holds numbers and page names only, no user's name or id. Pure.
 */
export function* progressPage(
  statistics: ProgressStatistics,
  { madeAt, title, language }: PageOptions,
): Generator<string> {
  const words = wordsOf(language);
  yield pageHead(language, `${words.progressTitle}: ${title}`);
  yield `<header><h1>${words.progressTitle}</h1><p>${foreignHtml(title)} · ${words.figures.time(madeAt)}</p></header>\n`;
  yield* progressParts(statistics, language);
  yield pageEnd;
}

/** Charts stay readable up to here; the table has every page. */
const maxPagesShown = 25;

/** The same as parts of another page: charts as SVG with their numbers as tables beside them. Pure. */
export function* progressParts(statistics: ProgressStatistics, language: Language): Generator<string> {
  const { users, usersWithProgress, active, completion, pages } = statistics;
  const words = wordsOf(language);
  const { overall, figures } = words;
  const { grouped, percent } = figures;
  const shown = pages.slice(0, maxPagesShown);
  const stops = stopsChart(shown, words);
  const pictured = (heading: readonly string[], drawing: string) =>
    figure(heading[0] ?? "", heading[1] ?? "", drawing);
  const columns = words.pageColumns;
  yield tiles([
    [overall.users, grouped(users)],
    [overall.withProgress, grouped(usersWithProgress)],
    [overall.active7, grouped(active.last7Days)],
    [overall.active30, grouped(active.last30Days)],
    [overall.active90, grouped(active.last90Days)],
    [overall.mean, percent(completion.meanPercent)],
  ]);
  yield pictured(words.completion, distributionChart(completion.distribution, words));
  if (shown.length > 0) yield pictured(words.pages, pagesChart(shown, words));
  yield htmlTable(pages, [
    { title: columns[0] ?? "", cell: ({ page }) => page },
    { title: columns[1] ?? "", cell: ({ visitors }) => grouped(visitors), isNumber: true },
    { title: columns[2] ?? "", cell: ({ completed }) => grouped(completed), isNumber: true },
    { title: columns[3] ?? "", cell: ({ meanPercent }) => percent(meanPercent), isNumber: true },
    { title: columns[4] ?? "", cell: (page) => medianText(page, words), isNumber: true },
  ]);
  if (stops !== "") {
    yield pictured(words.stops, stops);
    yield stopsTable(shown, words);
  }
  yield footnotes(statistics, words);
}

function medianText({ medianSecondsToComplete: median, medianError }: PageStatistics, words: Words): string {
  if (median === null) return "–";
  return `${medianError > 0 ? "≈ " : ""}${words.figures.duration(median * 1000)}`;
}

function stopsTable(pages: readonly PageStatistics[], { stopColumns, stages, figures }: Words): string {
  const rows = pages.map(({ page, stops }) => {
    const text = stops.map(
      ({ step, users }) =>
        `<span>${foreignHtml(cut(step ?? stages[0] ?? "", 40))} ${figures.grouped(users)}</span>`,
    );
    return `<tr><th scope="row">${foreignHtml(cut(page, 300))}</th><td>${text.join(" · ")}</td></tr>`;
  });
  const heads = stopColumns.map((title) => `<th scope="col">${escapedHtml(title)}</th>`).join("");
  return `<table><thead><tr>${heads}</tr></thead>\n<tbody>${rows.join("\n")}</tbody></table>\n`;
}

function footnotes({ usersWithProblems, leftOut, pages }: ProgressStatistics, words: Words): string {
  const { grouped } = words.figures;
  const notes = [
    ...(usersWithProblems > 0 ? [`${words.broken} ${grouped(usersWithProblems)}`] : []),
    ...(leftOut > 0 ? [`${words.leftOut} ${grouped(leftOut)}`] : []),
    ...(pages.length > maxPagesShown ? [`${words.mostVisited} ${maxPagesShown}`] : []),
    ...(pages.some(({ medianError }) => medianError > 0)
      ? [`${words.approximate} ${sketchError * 100} %`]
      : []),
  ];
  return notes.length === 0 ? "" : `<footer>${notes.map((note) => `<p>${note}</p>`).join("")}</footer>\n`;
}
