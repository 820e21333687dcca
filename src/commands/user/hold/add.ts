import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { visible } from "../../../output/text.ts";
import type { AnyCommand, Begin } from "../../command.ts";
import { userArgument } from "../site.ts";

/** `mawps user hold add`. */
export function userHoldAdd(begin: Begin): AnyCommand {
  return new Command("add")
    .description(
      "put a person under a legal hold: no erasure and no retention run deletes anything of theirs",
    )
    .argument("<user>", userArgument)
    .requiredOption(
      "--reason <text>",
      "why, as a case number: it is kept, and should name nobody",
      reasonOption,
    )
    .addHelpText("after", '\nExample:\n  mawps user hold add max@example.com --reason "case 4711"')
    .action(async (given, { reason }, command) => {
      const run = await begin(command as AnyCommand);
      const { config, world } = run;
      const [{ findHeld, holdPerson, isHeldFor }, { openPeople }] = await Promise.all([
        import("../../../users/hold.ts"),
        import("../../../users/people.ts"),
      ]);
      if (!config.dryRun) run.audit.prepare();
      const context = await run.context("writes");
      const held = await findHeld(await openPeople(context, "writes"), given);
      const { person } = held;
      const changed = !isHeldFor(held, reason);
      const { dryRun } = config;
      let hold: number | null = null;
      if (changed && !dryRun) {
        await run.audit.open();
        const why = { reason, salt: world.randomHex(16) };
        hold = await holdPerson(context, person, why);
      }
      const how = changed ? (dryRun ? "would be" : "is now") : "is already";
      await run.print(
        { userId: person.userId, hold, reason, changed, dryRun },
        () =>
          `${visible(person.name)} ${how} under a legal hold${hold === null ? "" : `, number ${hold}`}: ${visible(reason)}`,
      );
    });
}

function reasonOption(text: string): string {
  const reason = text.trim();
  if (reason === "" || reason.length > 200 || /\p{Cc}/u.test(reason))
    throw new InvalidArgumentError("expected one line of 1 to 200 characters, no control characters.");
  // It outlives the erasure of whom it would name.
  if (/[^\s@]@[^\s@]+\.[^\s@]/.test(reason))
    throw new InvalidArgumentError("an e-mail address names somebody; give a case number.");
  return reason;
}
