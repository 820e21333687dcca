import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../errors.ts";
import { bytes } from "../../model/bytes.ts";
import type { Layout } from "../../output/layout.ts";
import { count, grouped, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { RuleTotal, Totals } from "../../retention/plan.ts";
import type { PlanOnDisk } from "../../retention/plan-file.ts";
import type { DueEntry } from "../../retention/plan-entry.ts";
import type { HandOver } from "../../retention/hand-over.ts";
import type { Manifest } from "../../retention/batch-job.ts";
import type { RunOutcome } from "../../retention/run.ts";
import type { RetentionSite } from "../../retention/site.ts";
import type { LagTeller } from "../../sql/replicas.ts";
import { actedOn, isToArchive, noteUnknown, totalsText, whatIs } from "./plan.ts";
import { repoFlag } from "../backup/flags.ts";
import { partial } from "../partial.ts";
import type { Run } from "../run.ts";

/** `mawps retention run`: deletes what is due, or what a plan says and is still due. */
export function retentionRun(begin: Begin): AnyCommand {
  return new Command("run")
    .description("delete what is due, or exactly what a plan says; each precondition is checked again")
    .argument("[plan]", "file written by `retention plan --output`; without one what is due now")
    .option("--max-delete <n>", "delete at most so many; default 500, or 5 % of what is there", whole)
    .option(
      "--hand-over <folder>",
      "leave objects to S3 where many are due: write manifests for S3 Batch Operations into this new folder",
      newFolder,
    )
    .option(
      "--above <n>",
      `with --hand-over, delete as ever what is not more than so many entries; default ${grouped(fewest)}`,
      whole,
    )
    .option(...repoFlag)
    .option(
      "--no-archive",
      "drop partitions of databases without keeping their rows in the backup repository",
    )
    .option("--with-secrets", "archive also unencrypted where secrets would lie open")
    .addHelpText("after", "\nExample:\n  mawps retention run plan.json --yes")
    .action(async (file, options, command) => {
      const run = await begin(command as AnyCommand);
      if (options.above !== undefined && options.handOver === undefined)
        throw new CliError("--above is for --hand-over, which is not given", { exitCode: exitCodes.usage });
      const [{ environmentOf }, { planRetention }, plans, { assertClock, openRetention }] = await Promise.all(
        [
          import("./environment.ts"),
          import("../../retention/plan.ts"),
          import("../../retention/plan-file.ts"),
          import("../../retention/site.ts"),
        ],
      );
      const site = await openRetention(await run.unconnected("writes"));
      assertClock(site);
      const environment = await environmentOf(run, site);
      if (file !== undefined) {
        const plan = await plans.checkPlan(resolve(run.world.cwd, file));
        plans.assertSameEnvironment(plan, environment);
        return carryOutPlan(run, { site, plan, ...options });
      }
      const looking = await run.progress("looking for what is due");
      const head = { created: site.rules.at.toISOString(), environment };
      await plans.withPassingPlan(head, planRetention(site), (plan) => {
        looking.stop();
        return carryOutPlan(run, { site, plan, ...options });
      });
    });
}

/** Up to so many entries a run deletes as ever, where no other number is given. */
const fewest = 1_000_000;

function newFolder(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("expected the name of a new folder.");
  return text;
}

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("expected a whole number");
  return Number(text);
}

interface Wanted {
  readonly site: RetentionSite;
  readonly plan: PlanOnDisk;
  readonly maxDelete?: number | undefined;
  /** Folder of the manifests. */
  readonly handOver?: string | undefined;
  readonly above?: number | undefined;
  /** Backup repository in which the rows of partitions are kept. */
  readonly repo?: string | undefined;
  readonly archive: boolean;
  readonly withSecrets?: true | undefined;
}

async function carryOutPlan(
  run: Run,
  { site, plan, maxDelete, handOver, above = fewest, ...wanted }: Wanted,
): Promise<void> {
  const [{ isActedOn, irreversible }, { plannedEntries }, { carryOut }] = await Promise.all([
    import("../../retention/plan.ts"),
    import("../../retention/plan-file.ts"),
    import("../../retention/run.ts"),
  ]);
  const due = plan.totals.rules.filter(isActedOn);
  const { dryRun } = run.config;
  noteUnknown(run, plan.totals);
  let outcome: RunOutcome = {
    rules: [],
    done: 0,
    handedOver: 0,
    gone: 0,
    skipped: [],
    failures: [],
    left: new Map(),
  };
  let manifests: readonly Manifest[] = [];
  if (due.length > 0) {
    run.audit.prepare();
    await assertLimit(plan.totals, maxDelete);
    const isMany = irreversible(plan.totals.rules) > above;
    if (handOver !== undefined && !isMany)
      run.note(`not more than ${grouped(above)} are due (--above): deleted without S3 Batch Operations`);
    const folder = handOver === undefined || !isMany ? undefined : resolve(run.world.cwd, handOver);
    if (folder !== undefined)
      await (await import("../../retention/hand-over.ts")).assertHandable(site, folder);
    if (dryRun && folder !== undefined)
      run.note(`those with objects would be handed over, in manifests in ${visible(folder)}`);
    const archiving = wanted.archive && (await archivingOf(site, { plan, ...wanted }));
    const context = await run.context("writes");
    if (archiving !== false)
      await (await import("../../retention/archive.ts")).foreseeArchive(context, archiving);
    const pauseForReplicas = dryRun ? undefined : await replicaPausesOf(run, site);
    if (!dryRun)
      await run.confirm({
        question: questionOf(due, folder !== undefined),
        destructive: true,
        deletes: true,
      });
    await run.audit.open();
    const archive =
      dryRun || archiving === false
        ? undefined
        : await (await import("../../retention/archive.ts")).archiveOf(context, archiving);
    const working = await run.progress("deleting");
    const carrying = (handing?: HandOver) =>
      carryOut(site, () => plannedEntries(plan), {
        dryRun,
        audit: run.audit,
        archive,
        handOver: handing,
        pauseForReplicas,
        onDone: (done) => working.update(`deleting: ${grouped(done)} done`),
      });
    if (folder === undefined || dryRun) outcome = await carrying();
    else {
      const { handingOver } = await import("../../retention/hand-over.ts");
      ({ outcome, manifests } = await handingOver(
        site,
        { folder, plan: plan.path, audit: run.audit },
        carrying,
      ));
    }
    working.stop();
  }
  run.measure({ ItemsDue: actedOn(due).count, Bytes: actedOn(outcome.rules).bytes });
  for (const { due: entry, why } of outcome.skipped) run.warn(`skipped ${nameOf(entry)}: ${why}`);
  const said = { ...asJson(outcome), ...(manifests.length > 0 && { manifests }), dryRun };
  await run.print(said, (_result, layout) => asText(outcome, dryRun, layout));
  for (const { bucket, versions, file } of manifests)
    run.note(`${count(versions, "version")} of ${visible(bucket)} in ${visible(file)}`);
  if (manifests.length > 0)
    run.note(
      "start.sh beside it creates the jobs: docs/scale.md#leaving-it-to-s3; nothing of these is gone before",
    );
  const failures = outcome.failures.map(({ due: entry, why }) => ({ what: nameOf(entry), why }));
  const left = [...outcome.left].map(([why, entries]) => `${grouped(entries)} left: ${why}`);
  const hint = "run the same command again later; replicas.lagSeconds says how far replicas may be behind";
  if (failures.length === 0 && left.length > 0)
    throw new CliError(`${grouped(outcome.done)} done, ${left.join(", ")}`, {
      exitCode: exitCodes.partial,
      hint,
    });
  for (const each of left) run.warn(each);
  if (failures.length > 0) throw partial(failures, outcome.done);
}

/** Where rows of databases are deleted, who tells how far their replicas are. */
async function replicaPausesOf(run: Run, { databases, signal }: RetentionSite) {
  const { lagSeconds, waitSeconds } = run.config.replicas;
  if (lagSeconds === "off" || databases.length === 0) return undefined;
  const opened = await run.databases();
  const [{ replicaPauses }, { lagOf }] = await Promise.all([
    import("../../retention/replica-pauses.ts"),
    import("../../sql/replicas.ts"),
  ]);
  const asked = new Map<string, readonly LagTeller[]>();
  for (const { role, engine, sql } of databases) {
    const primary = { where: sql.where, lag: () => lagOf(sql) };
    asked.set(role, engine === "postgres" ? [primary] : await opened.replicas(role));
  }
  return replicaPauses(asked, { lagSeconds, waitSeconds, signal, note: (text) => run.note(text) });
}

/** What is to be archived; false where nothing is. */
async function archivingOf(
  site: RetentionSite,
  { plan, repo, withSecrets }: Pick<Wanted, "plan" | "repo" | "withSecrets">,
) {
  const { plannedEntries } = await import("../../retention/plan-file.ts");
  const tables = new Set<string>();
  for await (const entry of plannedEntries(plan))
    if (entry.kind === "partition" && isToArchive(entry)) tables.add(entry.role);
  return tables.size > 0 && { site, repo, withSecrets: withSecrets === true, tables };
}

async function assertLimit(totals: Totals, maxDelete: number | undefined): Promise<void> {
  const { defaultLimit, irreversible } = await import("../../retention/plan.ts");
  const deletions = irreversible(totals.rules);
  const limit = maxDelete ?? defaultLimit(totals);
  if (deletions <= limit) return;
  const whose =
    maxDelete === undefined ? ` (500, or 5 % of the ${grouped(totals.there)} that are there)` : "";
  throw new CliError(
    `${count(deletions, "deletion is", "deletions are")} due, more than the limit of ${grouped(limit)}${whose}; nothing was deleted`,
    { hint: `look at \`mawps retention plan\`; if it is right, pass --max-delete ${deletions}` },
  );
}

function questionOf(due: readonly RuleTotal[], isHandedOver: boolean): string {
  const parts = due.map((total) => {
    const verb =
      total.action === "soft-delete"
        ? "mark as deleted"
        : total.action === "abort-upload"
          ? "abort"
          : total.action === "put-back"
            ? "put back"
            : isHandedOver
              ? "hand over, or delete for good,"
              : "delete for good";
    return `${verb} ${grouped(total.count)} (${total.rule}, ${bytes(total.bytes)})`;
  });
  const text = parts.join(", ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}?`;
}

function nameOf(entry: DueEntry): string {
  return `${entry.rule} ${whatIs(entry)}`;
}

function asJson({ rules, done, handedOver, gone, skipped, failures, left }: RunOutcome) {
  const named = ({ due, why }: { due: DueEntry; why: string }) => ({
    rule: due.rule,
    userId: due.userId,
    ...("key" in due ? { key: due.key } : {}),
    ...("item" in due ? { item: due.item } : {}),
    ...("documentId" in due ? { documentId: due.documentId } : {}),
    ...(due.kind === "partition" ? { table: due.table, partition: due.partition } : {}),
    why,
  });
  return {
    done,
    handedOver,
    gone,
    rules,
    skipped: skipped.map(named),
    failed: failures.map(named),
    ...(left.size === 0 ? {} : { left: [...left].map(([why, entries]) => ({ entries, why })) }),
  };
}

async function asText(
  { rules, done, handedOver, gone, skipped, failures, left: waiting }: RunOutcome,
  dryRun: boolean,
  layout: Layout,
): Promise<string> {
  if (done + handedOver + gone + skipped.length + failures.length + waiting.size === 0)
    return "nothing is due";
  const before = gone === 0 ? "" : `, ${grouped(gone)} were done before`;
  const left = skipped.length === 0 ? "" : `, ${grouped(skipped.length)} skipped`;
  const handed = handedOver === 0 ? "" : `, ${grouped(handedOver)} handed over`;
  const said = `${grouped(done)} ${dryRun ? "would be done" : "done"}${handed}${before}${left}`;
  return rules.length === 0 ? said : `${said}\n${await totalsText({ rules }, layout)}`;
}
