import { fileStamp } from "../model/file-stamp.ts";
import { Option, type Command } from "@commander-js/extra-typings";
import { roomFor } from "../concurrency.ts";
import type { DoctorFinding } from "../doctor/finding.ts";
import type { Outside } from "../doctor/outside.ts";
import { CliError, exitCodes } from "../errors.ts";
import { mawpsModel } from "../model/mawps.ts";
import { whyNoDocuments, whyNoRetention } from "../model/reach.ts";
import { localTime } from "../output/dates.ts";
import { languages } from "../model/sentences.ts";
import { paint, type Layout } from "../output/layout.ts";
import { facts } from "../output/table.ts";
import { count, dollars, json, visible } from "../output/text.ts";
import { bytes } from "../model/bytes.ts";
import type { Parts, Report, Sources } from "../report/report.ts";
import { liveIn } from "../site/hero/live.ts";
import { configuredSite } from "../target.ts";
import type { AnyCommand, Begin } from "./command.ts";
import { outsideOf } from "./doctor.ts";
import { inventoriedSite } from "./configured.ts";
import { openDocuments } from "../documents/site.ts";
import { metricsOf } from "./metrics.ts";
import { overwriteFlag, pageFile } from "./page-file.ts";
import type { Run } from "./run.ts";

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
      const [{ readReport }, outside] = await Promise.all([import("../report/report.ts"), outsideOf(run)]);
      const progress = await run.progress("looking at everything");
      const read = await readReport(await sourcesOf(run, outside, madeAt), {
        record: () => recorded(run),
        explain: outside.explain,
      });
      progress.stop();
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

/** How each part that this site can have is read: as the command does that is there for it alone. */
async function sourcesOf(run: Run, outside: Outside, now: Date): Promise<Sources> {
  const { config, world } = run;
  const { site } = config;
  const isMawps = site === mawpsModel;
  const declaration = configuredSite(config);
  const aws = await run.aws("reads");
  const { signal } = world;
  const [{ madeStore }, { knownBackups }] = await Promise.all([
    import("../backup/open.ts"),
    import("../backup/list.ts"),
  ]);
  const context = await run.context("reads");
  const hasBackups = config.backup.repository !== undefined || (await madeStore(context)) !== undefined;
  const backups = hasBackups ? once(() => knownBackups(context)) : undefined;
  // Nobody has to keep backups of a local store: doctor judges those alone that are configured.
  const looked = { ...outside, backups: outside.backups && backups };
  const metrics = metricsOf(config);
  const documents = once(async () => openDocuments(await run.context("reads")));
  const due = async () => {
    const [{ isActedOn, planRetention }, { openRetention }] = await Promise.all([
      import("../retention/plan.ts"),
      import("../retention/site.ts"),
    ]);
    const entries = planRetention(await openRetention(await run.context("reads")));
    let step = await entries.next();
    while (step.done !== true) step = await entries.next();
    const acted = step.value.rules.filter(isActedOn);
    return { ...step.value, due: acted.reduce((sum, rule) => sum + rule.count, 0) };
  };
  const hasRetention = isMawps || whyNoRetention(site) === undefined;
  // On the one connection to a database what is due takes deletions on trial back, and doctor reads a copy beside it.
  const turns = roomFor(site.databases === undefined ? Number.POSITIVE_INFINITY : 1);
  const inTurn = async <T>(read: () => Promise<T>) => turns.within(1, read);
  return {
    ...(isMawps && {
      async hero() {
        const { readPointer } = await import("../site/hero/pointer.ts");
        return (await readPointer(await run.context("reads"))).pointer;
      },
      async people() {
        const { readPeople } = await import("../report/people.ts");
        return readPeople(await documents(), now);
      },
    }),
    ...((isMawps || whyNoDocuments(site, "list") === undefined) && {
      async documents() {
        const { readDocumentStates } = await import("../report/people.ts");
        return inTurn(async () => readDocumentStates(await documents()));
      },
    }),
    async storage() {
      const [{ measureCost }, { loadPrices }, { keptDays }] = await Promise.all([
        import("../usage/measure-cost.ts"),
        import("../usage/prices.ts"),
        import("./storage/days.ts"),
      ]);
      const prices = await loadPrices(undefined);
      const engine = "listing" as const;
      const query = { model: site, declaration, engine, prices, now, signal, onProgress() {} };
      const priced = await measureCost(aws, query);
      const days = await keptDays(run, priced.usage, { isKept: true, usd: priced.cost.usd });
      return { ...priced, days };
    },
    ...(hasRetention && { retention: () => inTurn(due) }),
    ...(backups && { backups }),
    ...(metrics && {
      async jobs() {
        const { readJobs } = await import("../metrics/read.ts");
        return readJobs(aws, metrics, { now, signal });
      },
    }),
    ...(declaration.trail && {
      async audit() {
        const [{ periodOf }, { trailOf }] = await Promise.all([
          import("../audit/report.ts"),
          import("../audit/place.ts"),
        ]);
        return periodOf(trailOf({ aws, declaration, signal }), {
          since: new Date(now.getTime() - auditMs),
        });
      },
    }),
    async doctor() {
      const { examine } = await import("../doctor/doctor.ts");
      const inventoried = await inventoriedSite(config);
      return inTurn(async () => {
        const findings: DoctorFinding[] = [];
        for await (const finding of examine(aws, inventoried, looked)) findings.push(finding);
        return findings;
      });
    },
  };
}

/** Thirteen weeks. */
const auditMs = 91 * 86_400_000;

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  return () => (reading ??= read());
}

/** Who is how far leaves the store with the page, as with `progress export`. */
async function recorded(run: Run): Promise<void> {
  if (run.config.dryRun) return;
  await run.audit.record({
    action: "progress.exported",
    details: { table: run.config.tables.userProfiles, method: "report" },
  });
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
