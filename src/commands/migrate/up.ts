import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import type { Applied } from "../../migrations/apply.ts";
import type { UpPlan } from "../../migrations/planned.ts";
import { defaultBatchSize } from "../../migrations/runner.ts";
import { count, visible } from "../../output/text.ts";
import { hasSqlMigrations } from "../../model/reach.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { repoFlag } from "../backup/flags.ts";
import { noMigrations, nothingToDo } from "./nothing.ts";
import { leftLines, plansText, printPlans } from "./plan.ts";
import { backupLines, backupsJson } from "./safety.ts";
import { sqlUp } from "./sql.ts";
import { partial } from "../partial.ts";

/** `mawps migrate up`: applies what is pending, or goes on where a run was broken off. */
export function migrateUp(begin: Begin): AnyCommand {
  return new Command("up")
    .description("apply the migrations that are pending, in order; interrupted, the same command goes on")
    .option("--to <id>", "only up to this migration")
    .option(...repoFlag)
    .option(
      "--no-backup-check",
      "without a backup of the last 24 hours: on AWS or point-in-time recovery, of a database where rows would go",
    )
    .option("--native-backup", "let DynamoDB back up the table first, which is a way back too; waits for it")
    .option(
      "--accept-changed",
      "take applied migrations whose code has changed since for applied as they are",
    )
    .option(
      "--batch <items>",
      `items worked on between two notes of how far it is; default ${defaultBatchSize}`,
      wholeBatch,
    )
    .addHelpText("after", "\nExample:\n  mawps migrate up --dry-run")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      if (hasSqlMigrations(run.config.site)) return sqlUp(run, options);
      const [{ migrationsOf }, { planUp }, { applyPending }] = await Promise.all([
        import("../../migrations/registry.ts"),
        import("../../migrations/planned.ts"),
        import("../../migrations/run.ts"),
      ]);
      if (migrationsOf(run.config.site).length === 0) return noMigrations(run, { applied: [] }, options.to);
      const context = await run.context("writes");
      const plan = await planUp(context, {
        to: options.to,
        acceptChanged: options.acceptChanged === true,
        nativeBackup: options.nativeBackup === true,
        backupIn: options.backupCheck ? { repo: options.repo } : undefined,
      });
      const { plans, changed, backups } = plan;
      if (context.dryRun) return printPlans(run, plan);
      if (plans.length + changed.length === 0)
        return run.print({ applied: [] }, () => nothingToDo(options.to));
      await run.outline(() => plansText(plan));
      await run.confirm({ question: questionOf(plan), destructive: true });
      const outcomes = await applyPending(context, plan, options.batch ?? defaultBatchSize);
      const changes = outcomes.reduce((sum, { counts }) => sum + counts.changed, 0);
      run.measure({ ItemsChanged: changes });
      await run.print({ applied: outcomes, ...backupsJson(backups) }, () =>
        outcomes.length === 0
          ? `taken for applied: ${count(changed.length, "migration")}`
          : [...backupLines(backups, true), ...outcomes.map(outcomeText)].join("\n"),
      );
      const failed = outcomes.flatMap(({ id, unfinished }) =>
        unfinished.map(({ userId, what, why }) => ({
          what: `${id} ${userId} ${what}`,
          why: `${why}; it was changed again and again meanwhile`,
        })),
      );
      if (failed.length > 0) {
        throw partial(failed, changes);
      }
    });
}

function wholeBatch(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError("expected a whole number from 1 to 9999.");
  return Number(text);
}

function questionOf({ plans, changed, backups }: UpPlan): string {
  if (plans.length === 0) return `Take ${changed.join(", ")} for applied with the code that is here?`;
  const users = Math.max(...plans.map(({ changes }) => changes));
  const objects = plans.reduce((sum, plan) => sum + plan.objects, 0);
  const moved = objects === 0 ? "" : ` and move ${count(objects, "object")}`;
  const first = backups.length > 0 ? "Let DynamoDB back up the table, then apply" : "Apply";
  return `${first} ${count(plans.length, "migration")}: change what is stored of ${count(users, "user")}${moved}?`;
}

function outcomeText({ id, counts, left, unfinished }: Applied): string {
  const moved = counts.objects === 0 ? "" : `, ${count(counts.objects, "object")} moved`;
  const head = `${id}: ${unfinished.length === 0 ? "applied" : "not finished"}, ${count(counts.changed, "user")} changed${moved}`;
  return [head, ...leftLines(left).map(visible)].join("\n");
}
