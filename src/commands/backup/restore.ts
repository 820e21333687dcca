import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { conflictsOf, isDue, leftRows, rowCounts } from "../../backup/restore-due.ts";
import type { RestorePlan } from "../../backup/restore-plan.ts";
import type { RestoreOutcome } from "../../backup/restore.ts";
import type { OnConflict, RestoreSite } from "../../backup/restore-site.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { count, grouped, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { repoFlag, snapshotArgument, snapshotName } from "./flags.ts";
import type { Run } from "../run.ts";

const policies = ["skip", "newer", "replace", "fail"] as const satisfies readonly OnConflict[];

/** `mawps backup restore`: brings a snapshot back, or a part of it, beside what is there. */
export function backupRestore(begin: Begin): AnyCommand {
  return new Command("restore")
    .description("bring back what is missing; what is there and differs is only changed when told so")
    .argument(...snapshotArgument, snapshotName, "latest")
    .option(...repoFlag)
    .option("--only <what...>", "tables, files, users, databases, or roles and names of single ones")
    .option("--user <user>", "what one person owns: items, objects, and rows of databases")
    .option(
      "--item <item>",
      "<table>:<key>, a row of a database; or <user>[/<type>], one person's items, or the one of that type",
      itemNamed,
    )
    .option("--into-prefix <prefix>", "into tables and buckets of other names, such as test-", prefixed)
    .option("--into-table <name>", "the one table of --only, under another name", tableNamed)
    .addOption(
      new Option("--on-conflict <policy>", "what to do where something else is there")
        .choices(policies)
        .default("skip" as const),
    )
    .option("--remap", "write the new ids of accounts that had to be made anew into items and keys")
    .option("--from-elsewhere", "the backup is of another account, region or store, and is meant")
    .option("--resume-from <file>", "only what an earlier restore has left: its failed.ndjson")
    .addHelpText(
      "after",
      "\nExamples:\n  mawps backup restore --dry-run\n  mawps backup restore --user user-123 --on-conflict newer\n  mawps --model lopez backup restore --item chat_sessions:s-1 --dry-run",
    )
    .action(async (snapshot, options, command) => {
      const run = await begin(command as AnyCommand);
      if (options.intoPrefix !== undefined && options.intoTable !== undefined) {
        throw new CliError("--into-prefix and --into-table are both given", { exitCode: exitCodes.usage });
      }
      const [{ openRestore }, { planRestore }] = await Promise.all([
        import("../../backup/restore-open.ts"),
        import("../../backup/restore-plan.ts"),
      ]);
      const context = await run.context("writes");
      const { site, isLedgerEmpty, poolId } = await openRestore(context, { ...options, snapshot });
      const plan = await planRestore(site, { poolId, isLedgerEmpty });
      const { planJson, planText, outcomeJson, outcomeText } = await import("./restore-text.ts");
      if (run.config.dryRun) {
        const exitCode = foreseenExit(site, plan);
        const planned = { dryRun: true, exitCode, ...planJson(site, plan) };
        return run.print(
          planned,
          async (_plan, layout) => `${await planText(site, plan, layout)}\n${endText(site, plan)}`,
        );
      }
      if (isRefused(site, plan)) throw refusal(site, plan);
      if (!isDue(plan)) {
        await run.print(outcomeJson(site, plan), () => outcomeText(site, plan));
        return tellFailures(run, { site, plan });
      }
      await run.outline((layout) => planText(site, plan, layout));
      await run.confirm({ question: questionOf(plan), destructive: overwritten(plan) > 0 });
      const { carryOutRestore } = await import("../../backup/restore.ts");
      context.progress("restoring");
      const outcome = await carryOutRestore(site, plan, {
        isLedgerEmpty,
        remap: options.remap === true,
        trailTable: context.tables.auditLog,
        audit: context.audit,
      });
      await run.print(outcomeJson(site, plan, outcome), () => outcomeText(site, plan, outcome));
      await tellFailures(run, { site, plan, outcome });
    });
}

function itemNamed(text: string): string {
  if (/^[^/]/s.test(text) && !/^[^/]+\/$/s.test(text)) return text;
  throw new InvalidArgumentError("expected a user id, user id/type, or table:key.");
}

function prefixed(text: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,20}$/.test(text)) return text;
  throw new InvalidArgumentError("expected up to 21 of a-z, 0-9 and hyphens, as buckets take them.");
}

function tableNamed(text: string): string {
  if (/^[\w.-]{3,255}$/.test(text)) return text;
  throw new InvalidArgumentError("expected the name of a table: 3 to 255 of A-Z, a-z, 0-9, _ . -");
}

function isRefused({ onConflict }: RestoreSite, plan: RestorePlan): boolean {
  return onConflict === "fail" && conflictsOf(plan).length > 0;
}

function refusal({ manifest }: RestoreSite, plan: RestorePlan): CliError {
  return new CliError(`what is there differs from ${manifest.id}; nothing was changed:`, {
    details: conflictsOf(plan),
    hint: "--on-conflict skip leaves these, newer and replace overwrite them; --into-prefix test- restores beside",
  });
}

/** With which code the real run would end. */
function foreseenExit(site: RestoreSite, plan: RestorePlan): number {
  if (isRefused(site, plan)) return exitCodes.failed;
  return leftRows(plan).length > 0 ? exitCodes.partial : 0;
}

/** How the real run would end. */
function endText(site: RestoreSite, plan: RestorePlan): string {
  const exitCode = foreseenExit(site, plan);
  if (isRefused(site, plan))
    return "would restore nothing, with exit code 1, as not all is missing or the same";
  return isDue(plan)
    ? `would end with exit code ${exitCode}`
    : `would find nothing to do, with exit code ${exitCode}`;
}

function overwritten({ tables, buckets, users, databases }: RestorePlan): number {
  const rows = databases.map((plan) => rowCounts(plan).overwrite);
  const counts = [...[...tables, ...buckets].map((each) => each.counts.overwrite), ...rows];
  return counts.reduce((sum, each) => sum + each, users?.counts.overwrite ?? 0);
}

function questionOf(plan: RestorePlan): string {
  const { tables, buckets, users, databases } = plan;
  const rows = databases.map((each) => ({ counts: rowCounts(each) }));
  const created = (of: readonly { counts: { create: number } }[]) =>
    of.reduce((sum, { counts }) => sum + counts.create, 0);
  const parts = [
    count(created(tables), "item"),
    count(created(buckets), "object"),
    ...(users === undefined ? [] : [count(users.counts.create, "account")]),
    ...(rows.length === 0 ? [] : [count(created(rows), "row")]),
  ];
  const over = overwritten(plan);
  return `Create ${parts.join(", ")}${over === 0 ? "" : `, and overwrite ${grouped(over)} that differ`}?`;
}

/** What was left goes into a file, by which the next run takes it up. */
async function tellFailures(
  run: Run,
  {
    site: { manifest },
    plan,
    outcome,
  }: { readonly site: RestoreSite; readonly plan: RestorePlan; readonly outcome?: RestoreOutcome },
): Promise<void> {
  const { failures = [], items = 0, objects = 0, users, rows } = outcome ?? {};
  const left = leftRows(plan);
  const others = [...(users?.failed ?? []), ...(rows?.failed ?? []), ...left].map(({ what, why }) => ({
    what: visible(what),
    why: visible(why),
  }));
  if (failures.length + others.length === 0) return;
  const [{ partial }, { writeLeftKeys }, { nameOfLeft }] = await Promise.all([
    import("../partial.ts"),
    import("../../backup/restore-scope.ts"),
    import("./restore-text.ts"),
  ]);
  let hint =
    left.length > 0
      ? "bring back first what they refer to (--item <table>:<key>, --user), then run the same command again"
      : "run the same command again: what already exists counts as done";
  if (failures.length > 0) {
    const file = await writeLeftKeys(
      run.world.cwd,
      failures.map(({ left }) => left),
    );
    hint = `their keys are in ${file}; take them up with the same flags and --resume-from: \`mawps backup restore ${manifest.id} --resume-from ${file}\``;
  }
  const named = failures.slice(0, 20).map(({ left, why }) => ({ what: nameOfLeft(left), why }));
  const othersNamed = others.slice(0, 20);
  const told = partial([...named, ...othersNamed], items + objects + (rows?.rows ?? 0));
  const more = failures.length - named.length + others.length - othersNamed.length;
  throw new CliError(told.message, {
    exitCode: exitCodes.partial,
    details: more > 0 ? [...told.details, `and ${grouped(more)} more`] : told.details,
    hint,
  });
}
