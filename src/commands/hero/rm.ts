import { Command } from "@commander-js/extra-typings";
import type { AnyCommand, Begin } from "../command.ts";

/** `mawps hero rm`: no picture any more; the object stays for a rollback. */
export function heroRm(begin: Begin): AnyCommand {
  return new Command("rm")
    .description("take the picture off the website; it can be brought back with rollback")
    .option("--hover", "the picture shown on hover")
    .addHelpText("after", "\nExample:\n  mawps hero rm --hover --yes")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const { planRemoval, removeHero } = await import("../../site/hero/rm.ts");
      const context = await run.context("writes");
      run.audit.prepare();
      const removal = await planRemoval(context, options.hover ? "hover" : "default");
      const { role, previousUrl } = removal;
      const changed = previousUrl !== null && !context.dryRun;
      if (changed) {
        await run.confirm({
          question: `Take 1 picture (${role}) off the website? ${previousUrl} stays in the bucket.`,
          destructive: true,
          deletes: true,
        });
        await removeHero(context, removal);
      }
      await run.print({ role, previousUrl, changed }, () =>
        previousUrl === null
          ? `no ${role} image is set`
          : changed
            ? `${role}: none (was ${previousUrl}; \`mawps hero rollback\` brings one back)`
            : `would take away ${previousUrl}`,
      );
    });
}
