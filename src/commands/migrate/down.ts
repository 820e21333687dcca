import { Command } from "@commander-js/extra-typings";
import { revertible } from "../../migrations/choose.ts";
import type { MigrationState } from "../../migrations/state.ts";
import type { Reverted } from "../../migrations/revert.ts";
import { count } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { defaultBatchSize, migrationSite, withRunner } from "./site.ts";
import { partial } from "../partial.ts";

/** `mawps migrate down`: brings back what was there before, from the journal. */
export function migrateDown(begin: Begin): AnyCommand {
  return new Command("down")
    .description(
      "take the newest migration back: what it changed becomes what it was, unless it was changed since",
    )
    .option("--to <id>", "take back all behind this one; `none` for all of them")
    .addHelpText("after", "\nExample:\n  mawps migrate down --to 0002")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ migrations }, { readStates }, { revertMigration }] = await Promise.all([
        import("../../migrations/registry.ts"),
        import("../../migrations/state.ts"),
        import("../../migrations/revert.ts"),
      ]);
      const site = await migrationSite(run, "writes");
      const ids = migrations.map(({ migration: { id } }) => id);
      const states = await readStates(site, ids);
      const chosen = revertible(migrations, states, options.to);
      const would = chosen.map(({ migration: { id } }) => ({
        migration: id,
        changed: states.get(id)?.counts.changed ?? 0,
        objects: states.get(id)?.counts.objects ?? 0,
      }));
      if (run.config.dryRun || chosen.length === 0) {
        return run.print({ plans: would }, () =>
          would.length === 0
            ? "nothing to take back: no migration is applied"
            : would.map((each) => `${each.migration}: would take back ${amount(each)}`).join("\n"),
        );
      }
      await run.confirm({
        question: `Take back ${would.map((each) => `${each.migration} (${amount(each)})`).join(", ")}?`,
        destructive: true,
      });
      await run.audit.open();
      const outcomes = await withRunner(run, site, {
        batchSize: defaultBatchSize,
        async work(runner) {
          const now = await readStates(site, ids);
          const done: Reverted[] = [];
          for (const { migration } of revertible(migrations, now, options.to)) {
            // It is among those that were begun.
            const state = now.get(migration.id) as MigrationState;
            done.push(
              await run.audit.irreversible(
                { action: "migration.reverted", details: { migration: migration.id } },
                () => revertMigration(runner, migration, state),
                ({ counts, conflicts }) => ({
                  items: counts.changed,
                  objects: counts.objects,
                  failed: conflicts.length,
                }),
              ),
            );
          }
          return done;
        },
      });
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
