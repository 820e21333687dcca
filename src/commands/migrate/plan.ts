import { Command } from "@commander-js/extra-typings";
import type { Left } from "../../migrations/migration.ts";
import type { Planned, UpPlan } from "../../migrations/planned.ts";
import type { MigrationState } from "../../migrations/state.ts";
import { bytes } from "../../model/bytes.ts";
import { count, visible } from "../../output/text.ts";
import { hasSqlMigrations } from "../../model/reach.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { Run } from "../run.ts";
import { noMigrations, nothingToDo } from "./nothing.ts";
import { backupLines, backupsJson } from "./safety.ts";
import { printSqlPlan } from "./sql.ts";

/** `mawps migrate plan`: what `up` would do, with samples; writes nothing at all. */
export function migratePlan(begin: Begin): AnyCommand {
  return new Command("plan")
    .description("count what `up` would change, and show three samples of each; writes nothing")
    .option("--to <id>", "only up to this migration")
    .option("--accept-changed", "also when the code of an applied migration has changed")
    .addHelpText("after", "\nExample:\n  mawps migrate plan --to 0002")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      if (hasSqlMigrations(run.config.site)) return printSqlPlan(run, options);
      const [{ migrationsOf }, { planUp }] = await Promise.all([
        import("../../migrations/registry.ts"),
        import("../../migrations/planned.ts"),
      ]);
      const wanted = { to: options.to, acceptChanged: options.acceptChanged === true };
      if (migrationsOf(run.config.site).length === 0) return noMigrations(run, { plans: [] }, options.to);
      const context = await run.context("reads");
      await printPlans(run, await planUp(context, { ...wanted, nativeBackup: false, backupIn: undefined }));
    });
}

/** Prints plans; with `--json` as one object. */
export async function printPlans(run: Run, plan: UpPlan): Promise<void> {
  const { plans, backups, wanted } = plan;
  await run.print({ plans, ...backupsJson(backups) }, () =>
    plans.length === 0 ? nothingToDo(wanted.to) : plansText(plan),
  );
}

/** Plans for people, and what is backed up before them. */
export function plansText({ plans, states, backups }: UpPlan): string {
  const texts = plans.map((plan) => planText(plan, states.get(plan.migration)));
  return [...backupLines(backups, false), ...texts].join("\n\n");
}

const mostTold = 10;

/** A plan for people; each is planned on what is stored now, not on what the one before would leave. */
function planText(plan: Planned, state: MigrationState | undefined): string {
  const lines = [`${plan.migration}  ${plan.description}`];
  if (state?.status === "applying") lines.push(`  begun on ${state.startedAt} and interrupted: goes on`);
  if (plan.pointless !== null) return [...lines, `  nothing to do: ${plan.pointless}`].join("\n");
  const moved = plan.objects === 0 ? "" : `, ${count(plan.objects, "object")} (${bytes(plan.bytes)}) moved`;
  lines.push(`  ${count(plan.items, "item")} looked at, ${count(plan.changes, "user")} to change${moved}`);
  if (plan.nobodies > 0) lines.push(`  not looked at: ${count(plan.nobodies, "item")} of no person's`);
  if (plan.lossy !== null) lines.push(`  given up: ${plan.lossy} (now: ${count(plan.losses, "value")})`);
  for (const sample of plan.samples) {
    lines.push(`  ${sample.userId}`);
    for (const { path, before, after } of sample.differences.slice(0, mostTold))
      lines.push(`    ${path}: ${before} -> ${after}`);
    if (sample.differences.length > mostTold)
      lines.push(`    and ${sample.differences.length - mostTold} more`);
  }
  return [...lines, ...leftLines(plan.left)].map(visible).join("\n");
}

/** What stays as it is, and why. */
export function leftLines(left: readonly Left[]): string[] {
  if (left.length === 0) return [];
  const told = left.slice(0, mostTold).map(({ userId, what, why }) => `    ${userId} ${what}: ${why}`);
  const more = left.length > mostTold ? [`    and ${left.length - mostTold} more (--json shows all)`] : [];
  return [`  left as they are: ${left.length}`, ...told, ...more];
}
