import { Command } from "@commander-js/extra-typings";
import type { AnyCommand, Begin } from "../../command.ts";
import { momentNamed } from "../moment.ts";
import { nativeName } from "../native/names.ts";

/** `mawps backup pitr restore`: a new table with the state of one at a moment. */
export function pitrRestore(begin: Begin): AnyCommand {
  return new Command("restore")
    .description("make a new table with the state that one had at a moment; waits for it")
    .requiredOption("--at <time>", "2026-03-01T12:00:00Z, '2h ago' or latest", momentNamed)
    .requiredOption("--into <table>", "name of the new table", nativeName)
    .option("--table <table>", "which one, by role or name; default the model's first: the profiles")
    .addHelpText("after", "\nExample:\n  mawps backup pitr restore --at '2h ago' --into profiles-before")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ restoreNatively }, { tableNamed }] = await Promise.all([
        import("../restored.ts"),
        import("../../../backup/native-tables.ts"),
      ]);
      const context = await run.context("writes");
      const { declaration } = context;
      const { name } = tableNamed(declaration, options.table ?? declaration.tables[0]?.role ?? "");
      const { of, isNamed } = options.at;
      await restoreNatively(run, context, {
        source: { kind: "time", table: name, at: of(run.world.now()), isNamed },
        target: options.into,
      });
    });
}
