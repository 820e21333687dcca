import { sketchError } from "./quantiles.ts";
import { distributionChart, pagesChart, stopsChart } from "./report-charts.ts";
import { stopName, type PageStatistics, type ProgressStatistics } from "./statistics.ts";

export interface ReportOptions {
  readonly generatedAt: Date;
  /** `https://www.example.com` or a table's name: what the numbers are about. */
  readonly title: string;
}

/**
 * One self-contained page about the progress of all users: no script, no request to anywhere (a policy in the page
 * forbids both), charts as SVG with their numbers as tables beside them, light and dark as the reader's system has it,
 * light on paper. Holds numbers and page names only, no user's name or id.
 */
export function progressReport(statistics: ProgressStatistics, options: ReportOptions): string {
  const { completion, pages } = statistics;
  const shown = pages.slice(0, maxPagesShown);
  const stops = stopsChart(shown);
  const title = escapeHtml(options.title);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>Progress: ${title}</title>
<style>${css}</style>
</head>
<body>
<header>
<h1>Progress of the users</h1>
<p>${title} · ${options.generatedAt.toISOString().slice(0, 16).replace("T", " ")} UTC</p>
</header>
${tiles(statistics)}
${figure("Completion", "How many users are how far, in steps of 10 %.", distributionChart(completion.distribution))}
${shown.length === 0 ? "" : figure("Pages", "Who came, and who completed the page.", pagesChart(shown))}
${pageTable(pages)}
${stops === "" ? "" : figure("Where people stop", "The last step completed by those who did not complete the page, in the order of its steps.", stops)}
${stops === "" ? "" : stopsTable(shown)}
${footnotes(statistics)}
</body>
</html>
`;
}

/** Charts stay readable up to here; the table has every page. */
const maxPagesShown = 25;

function tiles({ users, usersWithProgress, active, completion }: ProgressStatistics): string {
  const facts: readonly (readonly [string, string])[] = [
    ["users", number(users)],
    ["with progress", number(usersWithProgress)],
    ["active in 7 days", number(active.last7Days)],
    ["active in 30 days", number(active.last30Days)],
    ["active in 90 days", number(active.last90Days)],
    ["mean completion", `${completion.meanPercent}\u00A0%`],
  ];
  return `<dl class="tiles">${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join("")}</dl>`;
}

function figure(heading: string, caption: string, svg: string): string {
  return `<figure><h2>${heading}</h2><figcaption>${caption}</figcaption>${svg}</figure>`;
}

function pageTable(pages: readonly PageStatistics[]): string {
  const rows = pages.map((page) => {
    const median = page.medianSecondsToComplete;
    const time = median === null ? "–" : `${page.medianError > 0 ? "≈ " : ""}${span(median)}`;
    const cells = [number(page.visitors), number(page.completed), `${page.meanPercent}\u00A0%`, time];
    return `<tr><th scope="row">${escapeHtml(page.page)}</th>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  });
  return table(["Page", "Visitors", "Completed", "Mean", "Median time to complete"], rows);
}

function stopsTable(pages: readonly PageStatistics[]): string {
  const rows = pages.map(({ page, stops }) => {
    const text = stops
      .map(({ step, users }) => `<span>${escapeHtml(stopName(step))} ${number(users)}</span>`)
      .join(" · ");
    return `<tr><th scope="row">${escapeHtml(page)}</th><td class="list">${text}</td></tr>`;
  });
  return table(["Page", "Users by the last step they completed"], rows);
}

function table(heads: readonly string[], rows: readonly string[]): string {
  const head = heads.map((text) => `<th scope="col">${text}</th>`).join("");
  return `<table><thead><tr>${head}</tr></thead>\n<tbody>${rows.join("\n")}</tbody></table>`;
}

function footnotes({ usersWithProblems, leftOut, pages }: ProgressStatistics): string {
  const notes = [
    ...(usersWithProblems > 0
      ? [`Users whose data is broken in part: ${number(usersWithProblems)}. What can be read is counted.`]
      : []),
    ...(leftOut > 0 ? [`Visits to further pages or steps, not counted apart: ${number(leftOut)}.`] : []),
    ...(pages.length > maxPagesShown ? [`The charts show the ${maxPagesShown} most visited pages.`] : []),
    ...(pages.some((page) => page.medianError > 0)
      ? [`Times with ≈ are within ${sketchError * 100} %.`]
      : []),
  ];
  return notes.length === 0 ? "" : `<footer>${notes.map((note) => `<p>${note}</p>`).join("")}</footer>`;
}

function number(value: number): string {
  return value.toLocaleString("en");
}

function span(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 360) / 10} h`;
  return `${Math.round(seconds / 8640) / 10} days`;
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** Paper gets the light colours, whatever the system prefers. */
const css = `
:root { --page: #fff; --text: #1c2733; --muted: #5a6b7b; --line: #dce3ea; --first: #2f6fb0; --second: #1d9a6c; --third: #c9772a; --fourth: #8a5fbf; --fifth: #b5487d; --rest: #7b8894; --on-bar: #fff; }
@media screen and (prefers-color-scheme: dark) {
  :root { --page: #12181f; --text: #e6edf3; --muted: #9fb0c0; --line: #2c3844; --first: #5aa0e6; --second: #3cc492; --third: #e59a52; --fourth: #b08be0; --fifth: #e386b3; --rest: #8a98a6; --on-bar: #12181f; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.6rem; } h2 { margin: 0; font-size: 1.15rem; }
header p, figcaption, footer { color: var(--muted); margin: .2rem 0 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 1.5rem 0; }
.tiles div { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; }
dt { color: var(--muted); font-size: .85rem; } dd { margin: 0; font-size: 1.5rem; font-weight: 600; font-variant-numeric: tabular-nums; }
figure { margin: 0 0 2rem; break-inside: avoid; }
figure svg { display: block; width: 100%; height: auto; } svg.narrow { display: none; max-width: 34rem; }
table { width: 100%; margin-bottom: 2rem; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .5rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child { text-align: left; overflow-wrap: anywhere; } tbody th { font-weight: 500; } tr { break-inside: avoid; }
td.list, table:has(td.list) th { text-align: left; } td span { white-space: nowrap; }
@media screen and (max-width: 34rem) { svg.wide { display: none !important; } figure svg.narrow { display: block; } body { padding: 1rem .625rem; } th, td { padding: .3rem .25rem; font-size: .75rem; } th:first-child { min-width: 5rem; } }
footer { margin-top: 1.5rem; font-size: .9rem; } footer p { margin: 0; }
@media print { body { max-width: none; padding: 0; font-size: 11pt; } * { print-color-adjust: exact; } }
`;
