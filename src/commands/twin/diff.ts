import { Command } from "@commander-js/extra-typings";
import { CliError } from "../../errors.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { changeJson, changesText, toldChanges } from "./changes.ts";
import { versionNumber } from "./rollback.ts";
import { currentTwin } from "./current.ts";

/** `mawps twin diff`: field by field, what changed between two versions. */
export function twinDiff(begin: Begin): AnyCommand {
  return new Command("diff")
    .description("show what changed from one version to another, by default from the one before to now")
    .argument("[a]", "the earlier version; default the one before the current", versionNumber)
    .argument("[b]", "the later version; default the current", versionNumber)
    .addHelpText("after", "\nExamples:\n  mawps twin diff\n  mawps twin diff 1 2")
    .action(async (a, b, _options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ readTwin, twinHistory, twinVersion }, { diffTwin }] = await Promise.all([
        import("../../site/twin/store.ts"),
        import("../../site/twin/difference.ts"),
      ]);
      const context = await run.context("reads");
      const read = await readTwin(context);
      const to = b === undefined ? currentTwin(read) : await twinVersion(context, read, b);
      const { value: from } =
        a === undefined
          ? await twinHistory(context, read).next()
          : { value: await twinVersion(context, read, a) };
      if (from === undefined) {
        throw new CliError(`there is no version before ${to.version} of the digital twin`, {
          hint: "`mawps twin history` lists what is kept",
        });
      }
      const changes = toldChanges(run, diffTwin(from.value, to.value));
      const result = { from: from.version, to: to.version, changes: changes.map(changeJson) };
      await run.print(result, (_result, layout) =>
        changes.length === 0
          ? `version ${from.version} and version ${to.version} are the same`
          : `version ${from.version} -> ${to.version}\n${changesText(changes, layout)}`,
      );
    });
}
