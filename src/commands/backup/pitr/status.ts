import { Command } from "@commander-js/extra-typings";
import type { RecoveryStatus } from "../../../backup/pitr.ts";
import { localTime } from "../../../output/dates.ts";
import type { Layout } from "../../../output/layout.ts";
import { table } from "../../../output/table.ts";
import { stateColumn } from "../../../output/tones.ts";
import type { AnyCommand, Begin } from "../../command.ts";

/** `mawps backup pitr status`: from when to when each table can be restored. */
export function pitrStatus(begin: Begin): AnyCommand {
  return new Command("status")
    .description("from when to when each table can be restored")
    .option("--table <table>", "only this one, by role or name")
    .addHelpText("after", "\nExample:\n  mawps backup pitr status")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ recoveryStatus }, { tablesMeant }] = await Promise.all([
        import("../../../backup/pitr.ts"),
        import("../../../backup/native-tables.ts"),
      ]);
      const context = await run.context("reads");
      await run.printRows(
        await recoveryStatus(context, tablesMeant(context.declaration, options.table)),
        asText,
      );
    });
}

function asText(rows: readonly RecoveryStatus[], layout: Layout): Promise<string> {
  const moment = (at: Date | undefined) => (at === undefined ? "" : localTime(at));
  return table(
    rows,
    [
      { title: "table", cell: (row) => row.table },
      stateColumn({ title: "recovery", cell: (row) => row.state }),
      { title: "days", cell: (row) => (row.days === undefined ? "" : String(row.days)) },
      { title: "earliest", cell: (row) => moment(row.earliest) },
      { title: "latest", cell: (row) => moment(row.latest) },
    ],
    layout,
  );
}
