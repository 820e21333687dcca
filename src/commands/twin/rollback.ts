import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { CliError } from "../../errors.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { currentTwin } from "./current.ts";
import { carryOut, nothingToDo } from "./write.ts";

/** `mawps twin rollback`: a new version with the content of an earlier one. */
export function twinRollback(begin: Begin): AnyCommand {
  return new Command("rollback")
    .description("make an earlier version current again, as a new one; without a number the one before")
    .argument("[version]", "number, as `mawps twin history` shows it", versionNumber)
    .addHelpText("after", "\nExample:\n  mawps twin rollback 1 --dry-run")
    .action(async (wanted, _options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ readTwin, twinHistory, twinVersion }, { planWrite }] = await Promise.all([
        import("../../site/twin/store.ts"),
        import("../../site/twin/migration-plan.ts"),
      ]);
      const context = await run.context("writes");
      context.audit.prepare();
      const read = await readTwin(context);
      const current = currentTwin(read);
      const { value: before } =
        wanted === undefined
          ? await twinHistory(context, read).next()
          : { value: await twinVersion(context, read, wanted) };
      if (before === undefined) {
        throw new CliError(`there is no version before ${current.version} of the digital twin`);
      }
      const plan = planWrite(current, before.value);
      if (plan.action !== "write") {
        return run.print(
          nothingToDo(read),
          () => `nothing to do: version ${current.version} is the same as version ${before.version}`,
        );
      }
      const method = `version ${before.version}`;
      const outcome = await carryOut(run, { context, read }, { ...plan, action: "twin.rolled-back", method });
      await run.print(outcome, ({ version }) =>
        run.config.dryRun
          ? `would bring back version ${before.version}; nothing was changed (dry run)`
          : `the digital twin is version ${version}, with the content of version ${before.version}`,
      );
    });
}

/** A version's number from the command line. */
export function versionNumber(text: string): number {
  if (!/^[1-9]\d{0,7}$/.test(text)) throw new InvalidArgumentError("expected the number of a version.");
  return Number(text);
}
