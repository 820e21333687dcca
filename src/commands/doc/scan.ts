import { Command } from "@commander-js/extra-typings";
import type { Due, Rescanned } from "../../documents/rescan.ts";
import type { Scanner } from "../../documents/scanning.ts";
import { CliError, exitCodes } from "../../errors.ts";
import type { Nobodies } from "../../model/nobodies.ts";
import type { Layout } from "../../output/layout.ts";
import { table } from "../../output/table.ts";
import { count } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { noteNobodies } from "../nobodies.ts";
import { spanOption } from "./options.ts";
import { printScanReport } from "./scan-report.ts";
import { changeDocumentsWith } from "../../documents/site.ts";
import { scannerOf } from "./scanner.ts";
import { failPartly, type Failed } from "../failures.ts";
import type { Run } from "../run.ts";
import { idColumn, stateColumn } from "../../output/tones.ts";

interface ScanOptions {
  readonly all?: true;
  readonly unscanned?: true;
  readonly olderThan?: number;
}

/** `mawps doc scan`: looks again at what is stored. */
export function docScan(begin: Begin): AnyCommand {
  return new Command("scan")
    .description("scan stored documents, of a user or of all users, or report what is known of them")
    .argument("[user]", "sub, user name or e-mail address")
    .option("--all", "all documents of all users")
    .option("--unscanned", "only those that no engine has judged")
    .option("--older-than <span>", "only those judged longer ago, such as 7d, or never", spanOption)
    .option("--report", "scan nothing: count by verdict, and list what was skipped or failed")
    .option("--exit-code", "with --report: end with 4 when there are documents that no engine has judged")
    .addHelpText("after", "\nExamples:\n  mawps doc scan --unscanned\n  mawps doc scan --report --json")
    .action(async (given, options, command) => {
      const run = await begin(command as AnyCommand);
      if (options.report || given !== undefined) run.keepFromMetrics();
      if (options.exitCode && !options.report)
        throw new CliError("--exit-code is for --report", {
          exitCode: exitCodes.usage,
          hint: "a scan ends with 4 where it finds viruses, and with 3 or 1 where it could not judge",
        });
      if (options.report) {
        const left = await printScanReport(run, given);
        if (options.exitCode !== true || left === 0) return;
        throw new CliError(`no engine has judged ${count(left, "document")}`, {
          exitCode: exitCodes.findings,
          hint:
            scannerOf(run) === "no-scanner"
              ? `${scannerHint}; then \`mawps doc scan --unscanned\` asks it`
              : "`mawps doc scan --unscanned` asks it again",
        });
      }
      const due = dueOf(options, { given, now: run.world.now() });
      const scanner = neededScanner(run);
      const [{ rescanEach }, { findDocuments }] = await Promise.all([
        import("../../documents/rescan.ts"),
        import("../../documents/users.ts"),
      ]);
      const { site, seen: user } = await changeDocumentsWith(await run.context("writes"), async (look) =>
        given === undefined ? undefined : findDocuments(look, given),
      );
      const userId = user?.userId;
      const { dryRun } = run.config;
      const failures: Failed[] = [];
      const nobodies: Nobodies = new Map();
      const found = { scanned: 0, infected: 0, skipped: 0 };
      const progress = await run.progress("scanning");
      async function* rows(): AsyncGenerator<Row> {
        for await (const outcome of rescanEach(site, scanner, { userId, due, dryRun, nobodies })) {
          found.skipped += outcome.failures.length;
          for (const { entry, failure } of outcome.failures) {
            failures.push({ what: `${entry.userId} ${entry.document.id}`, failure });
          }
          for (const { entry, scanResult, detail = "it could not be scanned" } of outcome.scanned) {
            // A nightly scan that an engine never answers must not look like one that found nothing.
            if (scanResult === "ERROR") {
              failures.push({ what: `${entry.userId} ${entry.document.id}`, failure: new CliError(detail) });
            } else found.scanned += 1;
            if (scanResult === "INFECTED") found.infected += 1;
            if (scanResult === "SKIPPED" || scanResult === "ERROR") found.skipped += 1;
          }
          progress.update(`scanning: ${count(found.scanned, "document")}`);
          for (const each of outcome.scanned) yield rowOf(each, each.scanResult, each.detail);
          if (!dryRun) continue;
          for (const entry of outcome.due) yield rowOf({ entry, before: entry.document.scanResult }, "due");
        }
      }
      await run.printRows(rows(), asText);
      progress.stop();
      run.measure({ SkippedScans: found.skipped, Infected: found.infected });
      noteNobodies(run, nobodies);
      if (found.infected > 0) {
        for (const { what, failure } of failures) run.warn(`${what}: ${failure.message}`);
        throw new CliError(`${count(found.infected, "document is", "documents are")} infected`, {
          exitCode: exitCodes.findings,
          hint: "no link to them is given any more; `mawps doc rm` deletes them",
        });
      }
      failPartly(failures, found.scanned);
    });
}

const scannerHint = 'set "clamav.host" or "clamav.socket" (docs/virus-scan.md)';

function neededScanner(run: Run): Scanner {
  const scanner = scannerOf(run);
  if (typeof scanner !== "string") return scanner;
  throw new CliError("no virus scanner is configured", { hint: scannerHint });
}

function dueOf(
  { all, unscanned, olderThan }: ScanOptions,
  { given, now }: { given: string | undefined; now: Date },
): Due {
  if ([all, unscanned, olderThan].filter((each) => each !== undefined).length > 1) {
    throw new CliError("--all, --unscanned and --older-than exclude each other", {
      exitCode: exitCodes.usage,
    });
  }
  if (unscanned) return "unscanned";
  if (olderThan !== undefined) return { before: new Date(now.getTime() - olderThan) };
  if (given === undefined && all === undefined) {
    throw new CliError("say what to scan: a user, --all, --unscanned or --older-than", {
      exitCode: exitCodes.usage,
    });
  }
  return "all";
}

interface Row {
  readonly userId: string;
  readonly id: string;
  readonly name: string;
  readonly scanResult: string;
  readonly before: string | null;
  readonly detail?: string;
}

function rowOf(
  { entry, before }: Pick<Rescanned, "entry" | "before">,
  scanResult: string,
  detail?: string,
): Row {
  const { id, name } = entry.document;
  return {
    userId: entry.userId,
    id,
    name,
    scanResult,
    before: before ?? null,
    detail,
  };
}

async function asText(rows: readonly Row[], layout: Layout): Promise<string> {
  if (rows.length === 0) return "nothing to scan";
  return table(
    rows,
    [
      { title: "USER", cell: ({ userId }) => userId },
      idColumn({ title: "ID", cell: ({ id }) => id }),
      { title: "NAME", cell: ({ name }) => name, least: 12 },
      stateColumn({ title: "BEFORE", cell: ({ before }) => before ?? "never" }),
      stateColumn({ title: "VERDICT", cell: ({ scanResult }) => scanResult }),
      { title: "", cell: ({ detail }) => detail ?? "", folds: true },
    ],
    layout,
  );
}
