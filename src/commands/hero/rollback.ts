import { Command } from "@commander-js/extra-typings";
import { ownerId } from "../../model/user-id.ts";
import type { AnyCommand, Begin } from "../../program.ts";
import { heroSite } from "./site.ts";
import { warnOfForeignType } from "./warnings.ts";

/** `mawps hero rollback`: an earlier picture is live again. */
export function heroRollback(begin: Begin): AnyCommand {
  return new Command("rollback")
    .description("make an earlier picture live again; without an id the one before")
    .argument("[id]", "id of the picture, as `mawps hero list` shows it")
    .option("--hover", "the picture shown on hover")
    .addHelpText("after", "\nExample:\n  mawps hero rollback")
    .action(async (id, options, command) => {
      const run = await begin(command as AnyCommand);
      const { rollbackHero } = await import("../../site/hero/rollback.ts");
      const { dryRun } = run.config;
      const [site, trail] = await Promise.all([heroSite(run, "writes"), run.audit()]);
      const result = await rollbackHero(
        site,
        { id, hover: options.hover === true },
        { dryRun, now: () => run.world.now() },
      );
      if (result.changed) {
        const { role, bucket, key, previousUrl } = result;
        await trail.record({
          action: "hero.rolled-back",
          userId: ownerId,
          details: { role, bucket, key, previousUrl: previousUrl ?? undefined },
        });
      }
      warnOfForeignType(run, result.foreignType);
      await run.print(result, ({ role, url, changed }) =>
        changed ? `${role}: ${url}` : `${role}: ${dryRun ? "would be" : "is already"} ${url}`,
      );
    });
}
