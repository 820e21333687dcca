import type { SnapshotEntry } from "../backup/snapshots.ts";
import { latest } from "../doctor/backups.ts";
import { findingIn } from "../doctor/finding.ts";
import { nameIn } from "../doctor/sentences/checks.ts";
import type { MeasureName, Measures } from "../metrics/job.ts";
import type { JobRecord } from "../metrics/read.ts";
import { figure, foreignHtml, htmlTable, pageEnd, pageHead, tiles } from "../output/html.ts";
import type { Language } from "../model/sentences.ts";
import type { Tone } from "../output/layout.ts";
import { findingTones, stateTone } from "../output/tones.ts";
import { liveIn } from "../site/hero/live.ts";
import { lineIn, savingIn } from "../usage/cost-words.ts";
import { dayOf } from "../usage/history.ts";
import { topOf } from "../usage/sums.ts";
import { moreText, periodParts } from "./audit.ts";
import { timeChart } from "./charts.ts";
import { inGerman } from "./german.ts";
import { progressParts, type PageOptions } from "./progress.ts";
import { partNames, type Parts, type PartName, type Report } from "./report.ts";
import { wordsOf, type Words } from "./words.ts";

interface Telling {
  readonly words: Words;
  readonly language: Language;
  /** A text of the tool in the language of the page. */
  readonly said: (text: string) => string;
  readonly madeAt: Date;
}

/**
 * The whole report as one self-contained page, part by part: what could not be read stands in its place. Everything stored
 * stands in it as text, and no more than a page can hold. Pure.
 */
export function* reportPage(
  { parts, failures, absent }: Report,
  { title, madeAt, language }: PageOptions,
): Generator<string> {
  const words = wordsOf(language);
  const said = language === "de" ? inGerman : (text: string) => text;
  yield pageHead(language, `${words.title} ${title}`);
  yield `<header><h1>${words.title} ${foreignHtml(title)}</h1><p>${words.madeAt} ${words.figures.time(madeAt)}</p></header>\n`;
  for (const name of partNames.filter((each) => !absent.includes(each))) {
    yield `<section id="${name}"><h2>${words.parts[name]}</h2>\n`;
    for (const { part, why, hint } of failures)
      if (part === name)
        yield `<p class="bad">${words.notRead}: ${foreignHtml(said(why))}</p>\n${hint === undefined ? "" : `<p>${foreignHtml(said(hint))}</p>\n`}`;
    yield* tellers[name](parts, { words, language, said, madeAt });
    yield "</section>\n";
  }
  if (absent.length > 0)
    yield `<footer><p>${words.notThere} ${absent.map((name) => words.parts[name]).join(", ")}</p></footer>\n`;
  yield pageEnd;
}

type Tell<T> = (of: T, telling: Telling) => Iterable<string>;

const tellers: Readonly<Record<PartName, Tell<Partial<Parts>>>> = {
  hero: teller("hero", heroParts),
  people: teller("people", peopleParts),
  documents: teller("documents", documentParts),
  storage: teller("storage", storageParts),
  retention: teller("retention", retentionParts),
  backups: teller("backups", backupParts),
  jobs: teller("jobs", jobParts),
  audit: teller("audit", (period, { language }) => periodParts(period, language)),
  doctor: teller("doctor", doctorParts),
};

function teller<Name extends PartName>(name: Name, tell: Tell<Parts[Name]>): Tell<Partial<Parts>> {
  return (parts, telling) => {
    const part = parts[name];
    return part === undefined ? [] : tell(part, telling);
  };
}

/** The picture is elsewhere, and the page loads nothing: its addresses are told. */
function* heroParts(hero: Parts["hero"], { words }: Telling): Generator<string> {
  const { updatedAt } = hero;
  const url = liveIn(hero, "default");
  const rows = [
    [words.live, url],
    [words.hover, liveIn(hero, "hover")],
    [words.updated, typeof updatedAt === "string" ? words.figures.iso(updatedAt) : null],
  ].flatMap(([name, value]) => (typeof value === "string" ? [{ name: name ?? "", value }] : []));
  if (url === null) yield `<p class="warning">${words.noPicture}</p>\n`;
  for (const { name, value } of rows) yield `<p>${name}: ${foreignHtml(value)}</p>\n`;
}

function* peopleParts({ statistics, users, moreUsers }: Parts["people"], { words, language }: Telling) {
  yield* progressParts(statistics, language);
  if (users.length === 0) return;
  const { each, figures } = words;
  yield `<p>${words.lastActive}</p>\n`;
  yield htmlTable(users, [
    { title: each[0] ?? "", cell: ({ userId }) => userId },
    { title: each[1] ?? "", cell: ({ percent }) => figures.percent(percent), isNumber: true },
    { title: each[2] ?? "", cell: ({ completedPages }) => figures.grouped(completedPages), isNumber: true },
    {
      title: each[3] ?? "",
      cell: ({ lastActivity: at }) => (at === undefined ? "-" : figures.time(new Date(at))),
      isShort: true,
    },
  ]);
  yield moreText(moreUsers, words);
}

function* documentParts(documents: Parts["documents"], { words, said }: Telling): Generator<string> {
  const { states, counts, unscanned, moreUnscanned } = documents;
  const { grouped } = words.figures;
  const names = Object.keys(words.statuses) as (keyof Words["statuses"])[];
  yield tiles(
    names
      .filter((name) => name === "READY" || (states[name] ?? 0) > 0)
      .map((name) => [
        words.statuses[name],
        grouped(states[name] ?? 0),
        name === "INFECTED" ? "bad" : undefined,
      ]),
  );
  const [scan = "", number = ""] = words.scans;
  const verdicts = Object.entries(counts) as [keyof Words["verdicts"], number][];
  const isBad = new Set(["INFECTED", "SKIPPED", "ERROR"]);
  const tone = ([verdict, found]: (typeof verdicts)[number]): Tone | undefined =>
    isBad.has(verdict) && found > 0 ? "bad" : undefined;
  yield htmlTable(verdicts, [
    { title: scan, cell: ([verdict]) => words.verdicts[verdict], tone },
    { title: number, cell: ([, found]) => grouped(found), isNumber: true, tone },
  ]);
  if (unscanned.length === 0) return;
  const [user = "", document = "", verdict = "", why = ""] = words.unscannedColumns;
  yield `<p class="bad">${words.unscanned}</p>\n`;
  yield htmlTable(unscanned, [
    { title: user, cell: ({ userId }) => userId },
    { title: document, cell: ({ name }) => name },
    {
      title: verdict,
      cell: ({ scanResult }) => words.verdicts[scanResult],
      isShort: true,
      tone: () => "bad",
    },
    { title: why, cell: ({ scanReason = "" }) => said(scanReason) },
  ]);
  yield moreText(moreUnscanned, words);
}

const mostKinds = 20;
const mostDays = 60;

function* storageParts(
  { usage, cost, days }: Parts["storage"],
  { words, language, madeAt }: Telling,
): Generator<string> {
  const { files, accounts } = usage;
  const { figures } = words;
  const { grouped, bytes, dollars } = figures;
  const today = { ...dayOf(usage, madeAt), usd: cost.usd };
  const ofFiles = (amount: number) => (files === null ? "?" : bytes(amount));
  yield tiles([
    [words.files, ofFiles(today.objectBytes)],
    [words.oldVersions, ofFiles(today.noncurrentBytes)],
    [
      words.unfinished,
      ofFiles(today.unfinishedBytes),
      (files?.unfinished.count ?? 0) > 0 ? "warning" : undefined,
    ],
    [words.tables, bytes(today.tableBytes)],
    ...(today.databaseBytes === undefined ? [] : [[words.databases, bytes(today.databaseBytes)] as const]),
    ...(today.backupBytes === undefined ? [] : [[words.parts.backups, bytes(today.backupBytes)] as const]),
    ...(accounts === undefined ? [] : [[words.accounts, `≈ ${grouped(accounts)}`] as const]),
    [words.month, dollars(cost.usd)],
  ]);
  for (const { what, why } of cost.failures)
    yield `<p class="bad">${foreignHtml(what)} ${words.notRead}: ${foreignHtml(why)}</p>\n`;
  const [kind = "", objects = "", old = "", unfinished = "", all = ""] = words.kinds;
  yield htmlTable(topOf(usage.groups, mostKinds), [
    {
      title: kind,
      cell: ({ group }) => group ?? words.undeclared,
      tone: ({ group }) => (group === null ? "warning" : undefined),
    },
    { title: objects, cell: (group) => grouped(group.objects.count), isNumber: true },
    { title: old, cell: (group) => grouped(group.noncurrent.count), isNumber: true },
    { title: unfinished, cell: (group) => grouped(group.unfinished.count), isNumber: true },
    { title: all, cell: (group) => bytes(group.bytes), isNumber: true },
  ]);
  // A day on which not all could be looked at would look like one on which something went.
  const isWhole = cost.failures.length === 0;
  const shown = [...days.filter(({ day }) => day < today.day), ...(isWhole ? [today] : [])].slice(-mostDays);
  const series = [
    { name: words.files, color: "first", of: "objectBytes" },
    { name: words.oldVersions, color: "second", of: "noncurrentBytes" },
    { name: words.unfinished, color: "third", of: "unfinishedBytes" },
    { name: words.tables, color: "fourth", of: "tableBytes" },
  ] as const;
  const named = shown.map(({ day }) => day);
  const [trend = "", caption = ""] = words.trend;
  yield figure(
    trend,
    caption,
    timeChart(trend, named, {
      series: series.map(({ of, ...each }) => ({ ...each, values: shown.map((day) => day[of]) })),
      figures,
      unit: bytes,
      least: 1000,
    }),
  );
  const priced = shown.flatMap(({ day, usd }) => (usd === undefined ? [] : [{ day, usd }]));
  const month = `USD ${words.month}`;
  yield figure(
    month,
    words.prices,
    timeChart(
      month,
      priced.map(({ day }) => day),
      {
        series: [{ name: month, color: "first", values: priced.map(({ usd }) => usd) }],
        figures,
        unit: figures.axis,
        least: 0.01,
      },
    ),
  );
  const [what = "", quantity = "", usd = "", assumption = ""] = words.costs;
  const lines = cost.lines.map((line) => ({ ...line, ...lineIn(language, line) }));
  yield htmlTable(lines, [
    { title: what, cell: (line) => line.what },
    {
      title: quantity,
      cell: (line) => `${figures.quantity(line.quantity)} ${line.unit}`,
      isNumber: true,
    },
    { title: usd, cell: (line) => (line.usd === null ? "?" : dollars(line.usd)), isNumber: true },
    {
      title: assumption,
      cell: (line) => [line.assumption, figures.iso(line.price?.date ?? "")].filter(Boolean).join("; "),
      tone: () => "dim",
    },
  ]);
  if (cost.lines.some((line) => line.usd === null)) yield `<p>${words.unpriced}</p>\n`;
  const [saved = "", by = "", how = ""] = words.savings;
  yield htmlTable(
    cost.savings
      .filter((saving) => saving.usd === null || saving.usd > 0)
      .map((saving) => ({ ...saving, ...savingIn(language, saving) })),
    [
      { title: saved, cell: (saving) => saving.what },
      {
        title: by,
        cell: (saving) => (saving.usd === null ? "?" : dollars(saving.usd)),
        isNumber: true,
      },
      { title: how, cell: (saving) => saving.remedy },
    ],
  );
}

function* retentionParts({ rules, due }: Parts["retention"], { words }: Telling): Generator<string> {
  if (due === 0) yield `<p class="good">${words.nothingDue}</p>\n`;
  const [rule = "", action = "", number = "", size = ""] = words.due;
  const { grouped, bytes } = words.figures;
  yield htmlTable(rules, [
    { title: rule, cell: (total) => words.rules[total.rule] ?? total.rule },
    {
      title: action,
      cell: (total) => words.dues[total.action],
      isShort: true,
      tone: (total) => stateTone(total.action),
    },
    { title: number, cell: ({ count }) => grouped(count), isNumber: true },
    { title: size, cell: (total) => bytes(total.bytes), isNumber: true },
  ]);
}

function* backupParts({ snapshots, where }: Parts["backups"], { words, madeAt }: Telling): Generator<string> {
  const { grouped, time } = words.figures;
  const shown = (at: Date | undefined): readonly [string, Tone | undefined] =>
    at === undefined ? [words.never, "bad"] : [time(at), undefined];
  yield tiles([
    [words.parts.backups, grouped(snapshots.length)],
    [words.lastBackup, ...shown(latest(snapshots.map(({ startedAt }) => startedAt)))],
    [words.lastDrill, ...shown(latest(snapshots.flatMap(({ drilledAt }) => drilledAt ?? [])))],
  ]);
  yield `<p>${foreignHtml(where)}</p>\n`;
  const [heading = "", caption = ""] = words.calendar;
  yield figure(heading, caption, calendar(snapshots, { words, madeAt }));
}

const calendarWeeks = 13;
const dayMs = 86_400_000;

/** A column a week, a row a day of it: what colour says stands in the cell's title, too. */
function calendar(
  snapshots: readonly SnapshotEntry[],
  { words, madeAt }: Pick<Telling, "words" | "madeAt">,
): string {
  const dayText = (at: Date) => at.toISOString().slice(0, 10);
  const made = new Map<string, number>();
  const marks = new Map<string, "✓" | "✕">();
  for (const { startedAt, drilledAt, lastCheck } of snapshots) {
    const day = dayText(startedAt);
    made.set(day, (made.get(day) ?? 0) + 1);
    if (drilledAt !== undefined && !marks.has(dayText(drilledAt))) marks.set(dayText(drilledAt), "✓");
    if (lastCheck?.outcome === "failed") marks.set(lastCheck.at.slice(0, 10), "✕");
  }
  const today = dayText(madeAt);
  const monday = Date.parse(today) - ((madeAt.getUTCDay() + 6) % 7) * dayMs;
  const weeks = Array.from(
    { length: calendarWeeks },
    (_, at) => monday - (calendarWeeks - 1 - at) * 7 * dayMs,
  );
  const cell = (day: string) => {
    if (day > today) return `<td class="none"></td>`;
    const [number, mark] = [made.get(day) ?? 0, marks.get(day)];
    const title = `${words.figures.iso(day)}: ${number}${mark === undefined ? "" : ` ${mark}`}`;
    const classes = [number > 0 ? "made" : "", mark === "✕" ? "bad" : ""].join(" ").trim();
    return `<td class="${classes}" title="${title}">${mark ?? (number > 0 ? "●" : "")}</td>`;
  };
  const rows = words.weekdays.map(
    (name, at) =>
      `<tr><th scope="row">${name}</th>${weeks.map((week) => cell(dayText(new Date(week + at * dayMs)))).join("")}</tr>`,
  );
  const heads = weeks.map((week, at) => {
    const month = new Date(week).toISOString().slice(5, 7);
    const isNew = at === 0 || new Date(week - 7 * dayMs).toISOString().slice(5, 7) !== month;
    return `<th scope="col">${isNew ? month : ""}</th>`;
  });
  return `<table class="calendar"><thead><tr><th></th>${heads.join("")}</tr></thead>\n<tbody>${rows.join("\n")}</tbody></table>`;
}

function* jobParts(records: Parts["jobs"], { words }: Telling): Generator<string> {
  if (records.length === 0) yield `<p>${words.noJobs}</p>\n`;
  const [command = "", last = "", done = "", failed = "", seconds = "", told = ""] = words.jobs;
  const { grouped, fixed, time } = words.figures;
  const tone = ({ hasFailedLast }: JobRecord): Tone | undefined => (hasFailedLast ? "bad" : undefined);
  yield htmlTable(records, [
    { title: command, cell: (each) => `mawps ${each.command}`, tone },
    { title: last, cell: ({ lastAt }) => time(lastAt), isShort: true, tone },
    { title: done, cell: (each) => grouped(each.done), isNumber: true },
    { title: failed, cell: (each) => grouped(each.failed), isNumber: true, tone },
    { title: seconds, cell: (each) => fixed(each.seconds, 1), isNumber: true },
    { title: told, cell: ({ measures }) => measuresText(measures, words) },
  ]);
}

function measuresText(measures: Measures, { measures: names, figures }: Words): string {
  const texts: Partial<Record<MeasureName, (value: number) => string>> = {
    BackupAge: (seconds) => figures.duration(seconds * 1000),
    Bytes: figures.bytes,
    MonthlyCost: figures.dollars,
  };
  return (Object.entries(measures) as [MeasureName, number][])
    .map(([name, value]) => `${names[name]} ${(texts[name] ?? figures.grouped)(value)}`)
    .join(", ");
}

const statuses = ["problem", "warning", "skipped", "ok"] as const;

function* doctorParts(findings: Parts["doctor"], { words, language, said }: Telling): Generator<string> {
  const { grouped } = words.figures;
  const open = findings.filter((each) => each.status !== "ok");
  yield tiles(
    statuses.map((status) => {
      const number = findings.filter((each) => each.status === status).length;
      return [words.results[status], grouped(number), number === 0 ? undefined : findingTones[status]];
    }),
  );
  if (open.length === 0) yield `<p class="good">${words.nothingFound}</p>\n`;
  const [result = "", check = "", of = "", finding = "", todo = ""] = words.findings;
  const sorted = open.toSorted((one, other) => statuses.indexOf(one.status) - statuses.indexOf(other.status));
  const shown = sorted.slice(0, mostFindings).map((each) => {
    const { message, remedy = "" } =
      each.code === "setup"
        ? { message: said(each.message), remedy: said(each.remedy ?? "") }
        : findingIn(language, each);
    return { ...each, message, remedy };
  });
  yield htmlTable(shown, [
    {
      title: result,
      cell: ({ status }) => words.results[status],
      isShort: true,
      tone: ({ status }) => findingTones[status],
    },
    { title: check, cell: (each) => nameIn(language, each.check), isShort: true },
    { title: of, cell: ({ subject }) => nameIn(language, subject) },
    { title: finding, cell: ({ message }) => message, isWhole: true },
    { title: todo, cell: ({ remedy }) => remedy, isWhole: true },
  ]);
  yield moreText(open.length - mostFindings, words);
}

const mostFindings = 200;
