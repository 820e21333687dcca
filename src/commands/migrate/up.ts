import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import type { Applied } from "../../migrations/apply.ts";
import { changedCode, pending } from "../../migrations/choose.ts";
import type { Registered } from "../../migrations/registry.ts";
import { count, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { repoFlag } from "../backup/repository.ts";
import { leftLines, nothingToDo, planAll, printPlans, planText, type Plan } from "./plan.ts";
import { defaultBatchSize, migrationSite, withRunner } from "./site.ts";
import { assertSafetyNet } from "./safety.ts";
import { partial } from "../partial.ts";

/** `mawps migrate up`: applies what is pending, or goes on where a run was broken off. */
export function migrateUp(begin: Begin): AnyCommand {
  return new Command("up")
    .description("apply the migrations that are pending, in order; interrupted, the same command goes on")
    .option("--to <id>", "only up to this migration")
    .option(...repoFlag)
    .option("--no-backup-check", "on AWS: without a backup of the last 24 hours or point-in-time recovery")
    .option(
      "--accept-changed",
      "take applied migrations whose code has changed since for applied as they are",
    )
    .option(
      "--batch <items>",
      "items worked on between two notes of how far it is",
      wholeBatch,
      defaultBatchSize,
    )
    .addHelpText("after", "\nExample:\n  mawps migrate up --dry-run")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ migrations }, { readStates }, { applyMigration }, { saveState }] = await Promise.all([
        import("../../migrations/registry.ts"),
        import("../../migrations/state.ts"),
        import("../../migrations/apply.ts"),
        import("../../migrations/runner.ts"),
      ]);
      const site = await migrationSite(run, "writes");
      const ids = migrations.map(({ migration: { id } }) => id);
      const acceptChanged = options.acceptChanged === true;
      const states = await readStates(site, ids);
      const chosen = pending(migrations, states, { to: options.to, acceptChanged });
      const changed = changedCode(migrations, states);
      const plans = await planAll(run, site, chosen);
      if (run.config.dryRun) return printPlans(run, plans, states);
      if (chosen.length + changed.length === 0) return run.print({ applied: [] }, () => nothingToDo);

      if (options.backupCheck && chosen.length > 0) await assertSafetyNet(run, options.repo, site);
      const texts = plans.map((plan) => planText(plan, states.get(plan.migration)));
      await run.outline(() => texts.join("\n\n"));
      await run.confirm({ question: questionOf(plans, changed), destructive: true });
      await run.audit.open();
      const outcomes = await withRunner(run, site, {
        batchSize: options.batch,
        async work(runner) {
          // Once more, now that nobody else can change it.
          const now = await readStates(site, ids);
          const done: Applied[] = [];
          for (const { migration, checksum } of changedCode(migrations, now)) {
            const state = now.get(migration.id);
            if (state === undefined) continue;
            const details = { migration: migration.id, method: "accept-changed" };
            await run.audit.change({ action: "migration.applied", details }, () =>
              saveState(runner, { ...state, checksum }),
            );
          }
          for (const registered of pending(migrations, now, { to: options.to, acceptChanged })) {
            const { id } = registered.migration;
            const outcome = await run.audit.irreversible(
              { action: "migration.applied", details: { migration: id } },
              () => applyMigration(runner, registered, now.get(id)),
              ({ counts, unfinished }) => ({
                items: counts.changed,
                objects: counts.objects,
                failed: unfinished.length,
              }),
            );
            done.push(outcome);
            // What comes behind it may build on it.
            if (outcome.unfinished.length > 0) break;
          }
          return done;
        },
      });
      const changes = outcomes.reduce((sum, { counts }) => sum + counts.changed, 0);
      run.measure({ ItemsChanged: changes });
      await run.print({ applied: outcomes }, () =>
        outcomes.length === 0
          ? `taken for applied: ${count(changed.length, "migration")}`
          : outcomes.map(outcomeText).join("\n"),
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

function questionOf(plans: readonly Plan[], changed: readonly Registered[]): string {
  const taken = changed.map(({ migration: { id } }) => id).join(", ");
  if (plans.length === 0) return `Take ${taken} for applied with the code that is here?`;
  const users = Math.max(...plans.map(({ changes }) => changes));
  const objects = plans.reduce((sum, plan) => sum + plan.objects, 0);
  const moved = objects === 0 ? "" : ` and move ${count(objects, "object")}`;
  return `Apply ${count(plans.length, "migration")}: change what is stored of ${count(users, "user")}${moved}?`;
}

function outcomeText({ id, counts, left, unfinished }: Applied): string {
  const moved = counts.objects === 0 ? "" : `, ${count(counts.objects, "object")} moved`;
  const head = `${id}: ${unfinished.length === 0 ? "applied" : "not finished"}, ${count(counts.changed, "user")} changed${moved}`;
  return [head, ...leftLines(left).map(visible)].join("\n");
}
