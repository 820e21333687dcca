import { Command } from "@commander-js/extra-typings";
import type { AnyCommand, Begin } from "../../program.ts";
import { heroSite } from "./site.ts";

/** `mawps hero rm`: no picture any more; the object stays for a rollback. */
export function heroRm(begin: Begin): AnyCommand {
  return new Command("rm")
    .description("take the picture off the website; it can be brought back with rollback")
    .option("--hover", "the picture shown on hover")
    .addHelpText("after", "\nExample:\n  mawps hero rm --hover --yes")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const { removeHero } = await import("../../site/hero/rm.ts");
      const { dryRun } = run.config;
      const role = options.hover ? "hover" : "default";
      void run.audit.prepare();
      const result = await removeHero(await heroSite(run, "writes"), role, {
        dryRun,
        now: () => run.world.now(),
        confirm: (url) =>
          run.confirm({
            question: `Take 1 picture (${role}) off the website? ${url} stays in the bucket.`,
            destructive: true,
            deletes: true,
          }),
        audit: run.audit,
      });
      await run.print(result, ({ previousUrl, changed }) =>
        previousUrl === null
          ? `no ${role} image is set`
          : changed
            ? `${role}: none (was ${previousUrl}; \`mawps hero rollback\` brings one back)`
            : `would take away ${previousUrl}`,
      );
    });
}
