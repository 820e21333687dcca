import { fileStamp } from "../model/file-stamp.ts";
import { Option, type Command } from "@commander-js/extra-typings";
import type { DoctorFinding } from "../doctor/finding.ts";
import { CliError, exitCodes } from "../errors.ts";
import { localTime } from "../output/dates.ts";
import { languages } from "../model/sentences.ts";
import { paint, type Layout } from "../output/layout.ts";
import { facts } from "../output/table.ts";
import { count, dollars, json, visible } from "../output/text.ts";
import { bytes } from "../model/bytes.ts";
import type { Parts, Report } from "../report/report.ts";
import { liveIn } from "../site/hero/live.ts";
import type { AnyCommand, Begin } from "./command.ts";
import { outsideOf } from "./doctor.ts";
import { overwriteFlag, pageFile } from "./page-file.ts";

/** `mawps report`: all that an owner wants to know on Monday, as one page. */
export function report(noun: Command, begin: Begin): void {
  noun
    .option(
      "-o, --output <file>",
      "a page, or with .json at its end the same as JSON; by default report-<time>.html, with --json none",
    )
    .option(...overwriteFlag)
    .addOption(
      new Option("--lang <language>", "language of the page").choices(languages).default("en" as const),
    )
    .addHelpText("after", "\nExample:\n  mawps report --lang de -o monday.html")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const { config, world } = run;
      const madeAt = world.now();
      const { output = config.json ? undefined : nameAt(madeAt), lang, overwrite } = options;
      const file = output === undefined ? undefined : await pageFile(run, output, overwrite);
      const [{ makeReport }, outside] = await Promise.all([import("../report/sources.ts"), outsideOf(run)]);
      const read = await makeReport(await run.context("reads"), outside, madeAt);
      const written = config.dryRun ? undefined : file?.path;
      const told = { site: config.site.name, madeAt, file: written ?? null, ...(await plain(read)) };
      if (file?.path.toLowerCase().endsWith(".json") === true) await file.write([`${json(told)}\n`]);
      else if (file !== undefined) {
        const { reportPage } = await import("../report/page.ts");
        await file.write(reportPage(read, { title: config.site.name, madeAt, language: lang }));
      }
      await run.print(told, (_told, layout) => textOf(read, written, layout));
      assertWhole(read);
    });
}

/** A report takes no other one's place. */
function nameAt(madeAt: Date): string {
  return `report-${fileStamp(madeAt)}.html`;
}

/** As JSON has it: maps as objects, and each part under its name, null where it is missing. */
async function plain({ parts, ...rest }: Report) {
  const { plainPeriod } = await import("../audit/report.ts");
  const { hero = null, people = null, documents = null, storage = null } = parts;
  const { retention = null, backups = null, jobs = null, audit, doctor = null } = parts;
  const counted = audit === undefined ? null : plainPeriod(audit);
  return { hero, people, documents, storage, retention, backups, jobs, audit: counted, doctor, ...rest };
}

function textOf({ parts }: Report, file: string | undefined, layout: Layout): string {
  const { hero, people, documents, storage, retention, backups, jobs, audit, doctor } = parts;
  const bad = (number: number, text: string) => (number > 0 ? paint(text, "bad", layout) : text);
  const found = (status: DoctorFinding["status"]) =>
    doctor?.filter((each) => each.status === status).length ?? 0;
  const { SKIPPED = 0, ERROR = 0 } = documents?.counts ?? {};
  return facts([
    ["hero", hero && visible(liveIn(hero, "default") ?? "none is set")],
    ["users", people && usersText(people)],
    [
      "documents",
      documents &&
        `${count(documents.states.READY ?? 0, "document")} READY, ${bad(SKIPPED + ERROR, `${SKIPPED + ERROR} not scanned`)}`,
    ],
    ["stored", storage && storedText(storage.usage)],
    ["a month", storage && dollars(storage.cost.usd)],
    ["due", retention && count(retention.due, "thing")],
    [
      "last backup",
      backups && (backups.snapshots[0] === undefined ? "never" : localTime(backups.snapshots[0].startedAt)),
    ],
    ["jobs", jobs && jobsText(jobs, layout)],
    ["audit", audit && `${count(audit.entries, "entry", "entries")} in 13 weeks`],
    [
      "doctor",
      doctor &&
        `${bad(found("problem"), count(found("problem"), "problem"))}, ${count(found("warning"), "warning")}`,
    ],
    [file?.toLowerCase().endsWith(".json") === true ? "JSON" : "page", file && visible(file)],
  ]);
}

function storedText({ files, uncountedBuckets }: Parts["storage"]["usage"]): string {
  if (files === null) return "not known";
  const { length: buckets } = uncountedBuckets;
  const without = buckets === 0 ? "" : `, without ${count(buckets, "bucket")}`;
  return `${bytes(files.objects.bytes)} in ${count(files.objects.count, "object")}${without}`;
}

function jobsText(jobs: Parts["jobs"], layout: Layout): string {
  const failed = jobs.filter(({ hasFailedLast }) => hasFailedLast).map(({ command }) => command);
  const told = `${count(jobs.length, "job")} in two weeks`;
  return failed.length === 0 ? told : `${told}; ${paint(`failed last: ${failed.join(", ")}`, "bad", layout)}`;
}

function usersText({ statistics }: Parts["people"]): string {
  return `${statistics.users}, ${statistics.usersWithProgress} with progress, ${statistics.active.last7Days} active in 7 days`;
}

/** @throws CliError (partial) where a part is missing. */
function assertWhole({ failures, parts }: Report): void {
  const measured = parts.storage?.cost.failures ?? [];
  if (failures.length + measured.length === 0) return;
  const hints = new Set(failures.flatMap(({ hint }) => hint ?? []));
  throw new CliError("not all could be looked at:", {
    exitCode: exitCodes.partial,
    details: [
      ...failures.map(({ part, why }) => `${part}: ${why}`),
      ...measured.map(({ what, why }) => `storage: ${what}: ${why}`),
    ],
    hint: hints.size > 0 ? [...hints].join("; ") : "docs/report.md has the permissions that are needed",
  });
}
