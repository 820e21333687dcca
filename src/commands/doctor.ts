import { access, constants, readFile, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Command } from "@commander-js/extra-typings";
import type { Aws } from "../aws/clients.ts";
import type { DatabaseFacts, ExaminedDatabase } from "../doctor/databases.ts";
import type { Outside } from "../doctor/outside.ts";
import type { ScannerFacts } from "../doctor/scanner.ts";
import type { Finding } from "../doctor/finding.ts";
import type { MigrationFacts } from "../doctor/migrations.ts";
import type { NetworkFacts, ToolFacts } from "../doctor/tool.ts";
import type { Context } from "../context.ts";
import { CliError, exitCodes } from "../errors.ts";
import { tablesOf } from "../model/database.ts";
import { mawpsModel } from "../model/mawps.ts";
import type { Layout } from "../output/layout.ts";
import { table } from "../output/table.ts";
import { findingTones } from "../output/tones.ts";
import { count } from "../output/text.ts";
import type { AnyCommand, Begin } from "./command.ts";
import { storeFolder } from "../target.ts";
import { scannerOf } from "./doc/scanner.ts";
import type { Run } from "./run.ts";

/** `mawps doctor`: everything that is looked at, each finding with its remedy; exit 4 when something is wrong. */
export function doctor(noun: Command, begin: Begin): void {
  noun
    .addHelpText(
      "after",
      "\nExample:\n  mawps doctor --json | jq -r 'select(.status == \"problem\") | .remedy'",
    )
    .action(async (_options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ examine }, { inventoried }] = await Promise.all([
        import("../doctor/doctor.ts"),
        import("../setup/inventory.ts"),
      ]);
      const declaration = inventoried(await run.unconnected("reads"));
      const outside = await outsideOf(run);
      const aws = await run.aws("reads");
      const progress = await run.progress("examining");
      const statuses: Finding["status"][] = [];
      const findings = (async function* () {
        for await (const finding of examine(aws, declaration, outside)) {
          progress.update(`${finding.check} ${finding.subject}`);
          statuses.push(finding.status);
          yield finding;
        }
        progress.stop();
      })();
      await run.printRows(findings, findingsText);
      const problems = statuses.filter((status) => status === "problem").length;
      run.measure({ Problems: problems });
      if (problems > 0) {
        throw new CliError(`${count(problems, "problem")} found`, { exitCode: exitCodes.findings });
      }
    });
}

/** What the examination needs of the outside; opens the target. */
export async function outsideOf(run: Run): Promise<Outside> {
  const { world, config } = run;
  const [{ anonymousGet }, { explain }, { knownBackups }, { watchedOf }, tool] = await Promise.all([
    import("../aws/anonymous.ts"),
    import("../aws/explain/explain.ts"),
    import("../backup/list.ts"),
    import("../setup/alarms.ts"),
    toolFacts(run),
  ]);
  const context = await run.context("reads");
  const { aws } = context;
  return {
    now: () => world.now(),
    tool,
    caller: config.target === "local" ? undefined : await callerOf(aws, world.signal),
    backups: config.backup.repository === undefined ? undefined : () => knownBackups(context),
    databases: config.site.databases === undefined ? undefined : () => databaseFacts(run, aws),
    migrations: config.site === mawpsModel ? () => migrationFacts(context) : undefined,
    takesDocuments: config.site === mawpsModel,
    scanner: scannerFacts(run),
    anonymousGet: (url) => anonymousGet(aws, url, world.signal),
    explain: (error) => (error instanceof CliError ? error : explain(error, context.explaining)),
    ...(config.target === "local"
      ? { unwatchedMetrics: config.metrics.namespace }
      : { alarms: watchedOf(context) }),
    publicBaseUrl: config.publicBaseUrl,
    signal: world.signal,
  };
}

async function callerOf(aws: Aws, signal: AbortSignal): Promise<NonNullable<Outside["caller"]>> {
  const { callerIdentity } = await import("../aws/sts.ts");
  return () => callerIdentity(aws, signal);
}

async function databaseFacts(run: Run, aws: Aws): Promise<DatabaseFacts> {
  const [databases, { examineDatabase }] = await Promise.all([
    run.databases(),
    import("../doctor/databases.ts"),
  ]);
  const unreadable: { readonly name: string; readonly error: unknown }[] = [];
  const { steps, compared } = await databases.compare(
    aws,
    (name, error) => void unreadable.push({ name, error }),
  );
  const examined: ExaminedDatabase[] = [];
  for (const { database, found } of compared) {
    const tables = tablesOf(run.config.site, database.role);
    await examineDatabase(database, found, tables).then(
      (facts) => examined.push(facts),
      (error: unknown) => unreadable.push({ name: database.name, error }),
    );
  }
  return { steps, examined, unreadable };
}

async function migrationFacts(context: Context): Promise<MigrationFacts> {
  const [{ standings }, { migrations }, { readStates }] = await Promise.all([
    import("../migrations/choose.ts"),
    import("../migrations/registry.ts"),
    import("../migrations/state.ts"),
  ]);
  const place = { ...context, migrationsTable: context.tables.migrations };
  const ids = migrations.map(({ migration: { id } }) => id);
  return { table: place.migrationsTable, standings: standings(migrations, await readStates(place, ids)) };
}

/** One step of a conversation with a clamd that works takes far less; a scan may take as long as is configured. */
const trialTimeoutMs = 10_000;

function scannerFacts(run: Run): (() => Promise<ScannerFacts>) | undefined {
  const scanner = scannerOf(run);
  if (typeof scanner === "string") return undefined;
  const { clamd, maxBytes } = scanner;
  const timeoutMs = Math.min(scanner.timeoutMs, trialTimeoutMs);
  return async () => {
    const { tryScanner } = await import("../scan/trial.ts");
    return {
      where: "socket" in clamd ? clamd.socket : `${clamd.host}:${clamd.port}`,
      maxBytes,
      trial: await tryScanner(clamd, maxBytes, { timeoutMs, signal: run.world.signal }),
    };
  };
}

async function toolFacts({ world, config }: Run): Promise<ToolFacts> {
  const { imageLibrary } = await import("../images/sharp.ts");
  const facts = { nodeVersion: `v${world.nodeVersion}`, images: await imageLibrary() };
  if (config.target !== "local") return { ...facts, network: await networkFacts(world.env) };
  const folder = storeFolder(config, world);
  const place = await nearestFolder(folder);
  const { bavail, bsize } = await statfs(place);
  return { ...facts, store: { folder, isWritable: await isWritable(place), freeBytes: bavail * bsize } };
}

async function networkFacts(env: Run["world"]["env"]): Promise<NetworkFacts> {
  const { proxySettings } = await import("../aws/proxy.ts");
  const path = env["AWS_CA_BUNDLE"] ?? "";
  if (path === "") return { ...proxySettings(env), bundle: undefined };
  const text = await readFile(path, "utf8").catch(() => undefined);
  const certificates = text?.match(/^-----BEGIN (?:TRUSTED )?CERTIFICATE-----/gm)?.length ?? 0;
  return {
    ...proxySettings(env),
    bundle: { path, certificates: text === undefined ? undefined : certificates },
  };
}

/** The store's folder, or the nearest one above it that is there already. */
async function nearestFolder(path: string): Promise<string> {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  return there || dirname(path) === path ? path : nearestFolder(dirname(path));
}

async function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}

/** Findings with what to do about them. No finding is shortened. */
export async function findingsText(findings: readonly Finding[], layout: Layout): Promise<string> {
  const signs = { ok: "ok", warning: "warning", problem: "PROBLEM", skipped: "skipped" } as const;
  const list = await table(
    findings,
    [
      { title: "", cell: ({ status }) => signs[status], tone: ({ status }) => findingTones[status] },
      { title: "CHECK", cell: ({ check }) => check },
      { title: "OF", cell: ({ subject }) => subject },
      { title: "FINDING", cell: ({ message }) => message, folds: true },
    ],
    layout,
  );
  const remedies = findings.filter(({ status, remedy }) => status !== "ok" && remedy !== undefined);
  if (remedies.length === 0) return list;
  const todo = remedies.map(({ check, subject, remedy }) => `  ${check} ${subject}: ${remedy}`);
  return `${list}\n\nWhat to do:\n${[...new Set(todo)].join("\n")}`;
}
