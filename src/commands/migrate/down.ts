import { Command } from "@commander-js/extra-typings";
import { count } from "../../output/text.ts";
import { hasSqlMigrations } from "../../model/reach.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { repoFlag } from "../backup/flags.ts";
import { partial } from "../partial.ts";
import { noMigrations, nothingToTakeBack } from "./nothing.ts";
import { sqlDown } from "./sql.ts";

/** `mawps migrate down`: brings back what was there before, from the journal. */
export function migrateDown(begin: Begin): AnyCommand {
  return new Command("down")
    .description(
      "take the newest migration back: what it changed becomes what it was, unless it was changed since",
    )
    .option("--to <id>", "take back all behind this one; `none` for all of them")
    .option(...repoFlag)
    .option("--no-backup-check", "of a database where rows would go: without a backup of the last 24 hours")
    .addHelpText("after", "\nExample:\n  mawps migrate down --to 0002")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      if (hasSqlMigrations(run.config.site)) return sqlDown(run, options);
      const [{ migrationsOf }, { planDown }, { revertApplied }] = await Promise.all([
        import("../../migrations/registry.ts"),
        import("../../migrations/planned.ts"),
        import("../../migrations/run.ts"),
      ]);
      if (migrationsOf(run.config.site).length === 0) return noMigrations(run, { reverted: [] }, options.to);
      const context = await run.context("writes");
      const plan = await planDown(context, options.to);
      const { plans } = plan;
      if (context.dryRun || plans.length === 0) {
        return run.print({ plans }, () =>
          plans.length === 0
            ? nothingToTakeBack(options.to)
            : plans.map((each) => `${each.migration}: would take back ${amount(each)}`).join("\n"),
        );
      }
      await run.confirm({
        question: `Take back ${plans.map((each) => `${each.migration} (${amount(each)})`).join(", ")}?`,
        destructive: true,
      });
      const outcomes = await revertApplied(context, plan);
      await run.print({ reverted: outcomes }, () =>
        outcomes.map(({ id, counts }) => `${id}: took back ${amount(counts)}`).join("\n"),
      );
      const conflicts = outcomes.flatMap(({ id, conflicts: left }) =>
        left.map(({ userId, why }) => ({
          what: `${id} ${userId}`,
          why: `${why}; it stays`,
        })),
      );
      if (conflicts.length > 0) {
        throw partial(
          conflicts,
          outcomes.reduce((sum, { counts }) => sum + counts.changed, 0),
        );
      }
    });
}

function amount({ changed, objects }: { readonly changed: number; readonly objects: number }): string {
  return `${count(changed, "user")}${objects === 0 ? "" : `, ${count(objects, "object")}`}`;
}
