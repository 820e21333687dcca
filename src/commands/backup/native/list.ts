import { Command } from "@commander-js/extra-typings";
import type { AnyCommand, Begin } from "../../command.ts";

/** `mawps backup native list`: the backups that AWS keeps of the tables. */
export function nativeList(begin: Begin): AnyCommand {
  return new Command("list")
    .description("the backups that AWS keeps of the tables, of every kind, newest first")
    .option("--table <table>", "only of this one, by role or name")
    .addHelpText("after", "\nExample:\n  mawps backup native list --table userProfiles")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ backupsOf }, { tablesMeant }, { nativeRow, nativeTable }] = await Promise.all([
        import("../../../backup/native.ts"),
        import("../../../backup/native-tables.ts"),
        import("./table.ts"),
      ]);
      const context = await run.context("reads");
      const names = tablesMeant(context, options.table).map(({ name }) => name);
      const rows = (await backupsOf(context, names)).map(nativeRow);
      await run.printRows(rows, async (rows, layout) =>
        rows.length === 0 ? "AWS keeps no backup of these tables" : nativeTable(rows, layout),
      );
    });
}
