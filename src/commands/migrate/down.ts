import { Command } from "@commander-js/extra-typings";
import { revertible } from "../../migrations/choose.ts";
import { defaultBatchSize } from "../../migrations/runner.ts";
import { count } from "../../output/text.ts";
import { version } from "../../version.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { repoFlag } from "../backup/flags.ts";
import { partial } from "../partial.ts";
import { nothingToTakeBack } from "./nothing.ts";
import { hasSqlMigrations, sqlDown } from "./sql.ts";

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
      if (hasSqlMigrations(run)) return sqlDown(run, options);
      const [{ openMigrations }, { migrations }] = await Promise.all([
        import("../../migrations/site.ts"),
        import("../../migrations/registry.ts"),
      ]);
      const context = await run.context("writes");
      const { site, states } = await openMigrations(context);
      const chosen = revertible(migrations, states, options.to);
      const would = chosen.map(({ migration: { id } }) => ({
        migration: id,
        changed: states.get(id)?.counts.changed ?? 0,
        objects: states.get(id)?.counts.objects ?? 0,
      }));
      if (run.config.dryRun || chosen.length === 0) {
        return run.print({ plans: would }, () =>
          would.length === 0
            ? nothingToTakeBack(options.to)
            : would.map((each) => `${each.migration}: would take back ${amount(each)}`).join("\n"),
        );
      }
      await run.confirm({
        question: `Take back ${would.map((each) => `${each.migration} (${amount(each)})`).join(", ")}?`,
        destructive: true,
      });
      const { revertApplied } = await import("../../migrations/run.ts");
      const running = { tool: `mawps/${version}`, batchSize: defaultBatchSize };
      const outcomes = await revertApplied(context, site, { to: options.to, ...running });
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
