import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../../errors.ts";
import { count, visible } from "../../../output/text.ts";
import type { AnyCommand, Begin } from "../../command.ts";
import { namelessNote, userArgument } from "../site.ts";

/** `mawps user hold rm`. */
export function userHoldRm(begin: Begin): AnyCommand {
  return new Command("rm")
    .description("lift a legal hold of a person: without another one what is due of theirs is deleted again")
    .argument("[user]", `${userArgument}; may be left out with --hold`)
    .option("--hold <number>", "only this one, as `mawps user hold list` shows it", numberOption)
    .option("--all", "all of them, where several stand")
    .addHelpText("after", "\nExample:\n  mawps user hold rm max@example.com --hold 3")
    .action(async (given, { hold: number, all: isAll = false }, command) => {
      const run = await begin(command as AnyCommand);
      if (given === undefined && number === undefined)
        throw new CliError("whose hold is meant is not said", {
          exitCode: exitCodes.usage,
          hint: "give the user, or --hold with a number of `mawps user hold list`",
        });
      if (number !== undefined && isAll)
        throw new CliError("--hold is one of them, and --all is all", {
          exitCode: exitCodes.usage,
          hint: "leave one of the two out",
        });
      const { dryRun } = run.config;
      const { findLifting, liftHold } = await import("../../../users/hold.ts");
      if (!dryRun) run.audit.prepare();
      const context = await run.context("writes");
      const {
        userId = null,
        name,
        holds,
        others,
        nameless,
      } = await findLifting(context, { given, number, isAll });
      if (nameless !== undefined) run.note(namelessNote(nameless));
      const reasons = holds.map(({ reason }) => reason);
      const person = visible(name);
      if (holds.length > 0 && !dryRun) {
        await run.confirm({
          question: `Lift ${count(holds.length, "legal hold")} of ${person} (${visible(reasons.join("; "))})?`,
          destructive: true,
        });
        await run.audit.open();
        await liftHold(context, holds);
      }
      const lifted = holds.map(({ sequence }) => sequence);
      const rest = others ?? null;
      const done = `${dryRun ? "would lift" : "lifted"} ${count(holds.length, "legal hold")} of ${person}`;
      const rests = `${others} more ${others === 1 ? "stands" : "stand"}`;
      const none = dryRun ? "none would stand any more" : "none stands any more";
      const standing = others === undefined ? [] : [others === 0 ? none : rests];
      await run.print({ userId, lifted, reasons, others: rest, changed: holds.length > 0, dryRun }, () =>
        holds.length === 0
          ? `${person} is under no legal hold`
          : [`${done}: ${visible(reasons.join("; "))}`, ...standing].join("\n"),
      );
    });
}

function numberOption(text: string, before?: number): number {
  if (before !== undefined) throw new InvalidArgumentError("give it once; --all lifts several.");
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError("expected a number.");
  return Number(text);
}
