import { Command } from "@commander-js/extra-typings";
import { visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { warnOfForeignType } from "./warnings.ts";

/** `mawps hero rollback`: an earlier picture is live again. */
export function heroRollback(begin: Begin): AnyCommand {
  return new Command("rollback")
    .description("make an earlier picture live again; without an id the one that was live before")
    .argument("[id]", "id of the picture, as `mawps hero list` shows it")
    .option("--hover", "the picture shown on hover")
    .addHelpText("after", "\nExamples:\n  mawps hero rollback\n  mawps hero rollback 1734384121711-4f9c2a1b")
    .action(async (id, options, command) => {
      const run = await begin(command as AnyCommand);
      const { rollbackHero } = await import("../../site/hero/rollback.ts");
      const { dryRun } = run.config;
      const result = await rollbackHero(await run.context("writes"), { id, hover: options.hover === true });
      for (const url of result.gone) run.warn(`the object of ${visible(url)}, live in between, is gone`);
      if (result.key === null)
        run.warn(`${visible(result.url)} is in no bucket of the site: nobody looked at it`);
      warnOfForeignType(run, result.foreignType);
      await run.print(result, ({ role, url, changed }) =>
        changed
          ? `${role}: ${visible(url)}`
          : `${role}: ${dryRun ? "would be" : "is already"} ${visible(url)}`,
      );
    });
}
