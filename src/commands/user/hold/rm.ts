import { Command } from "@commander-js/extra-typings";
import { count, visible } from "../../../output/text.ts";
import type { AnyCommand, Begin } from "../../command.ts";
import { holdSite } from "../erasure-site.ts";
import { userArgument } from "../site.ts";

/** `mawps user hold rm`. */
export function userHoldRm(begin: Begin): AnyCommand {
  return new Command("rm")
    .description("lift the legal holds of a person: what is due of theirs is deleted again")
    .argument("<user>", userArgument)
    .addHelpText("after", "\nExample:\n  mawps user hold rm max@example.com")
    .action(async (given, _options, command) => {
      const run = await begin(command as AnyCommand);
      const { dryRun } = run.config;
      const { findHeld, liftHold } = await import("../../../users/hold.ts");
      if (!dryRun) run.audit.prepare();
      const site = await holdSite(run, "writes");
      const found = await findHeld(site, given);
      const { person, holds } = found;
      const reasons = holds.map(({ reason }) => reason);
      const name = visible(person.name);
      if (holds.length > 0 && !dryRun) {
        await run.confirm({
          question: `Lift ${count(holds.length, "legal hold")} of ${name} (${visible(reasons.join("; "))})?`,
          destructive: true,
        });
        await run.audit.open();
        await liftHold({ ...site, trail: run.audit }, found);
      }
      await run.print({ userId: person.userId, reasons, changed: holds.length > 0, dryRun }, () =>
        holds.length === 0
          ? `${name} is under no legal hold`
          : `${name} ${dryRun ? "would be" : "is"} under no legal hold any more: ${visible(reasons.join("; "))}`,
      );
    });
}
