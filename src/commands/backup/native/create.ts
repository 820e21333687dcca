import { Command } from "@commander-js/extra-typings";
import { count } from "../../../output/text.ts";
import type { AnyCommand, Begin } from "../../command.ts";
import { nativeName } from "./names.ts";

/** `mawps backup native create`: lets DynamoDB make a backup of the tables. */
export function nativeCreate(begin: Begin): AnyCommand {
  return new Command("create")
    .description("let DynamoDB make a backup of every table, or of one; waits for it")
    .option("--table <table>", "only this one, by role or name")
    .option("--name <name>", "how they are called; default mawps- and the time", nativeName)
    .addHelpText("after", "\nExample:\n  mawps backup native create --name before-the-move")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ makeBackups, planBackups }, { tablesMeant }, { nativeRow, nativeTable }] = await Promise.all([
        import("../../../backup/native.ts"),
        import("../../../backup/native-tables.ts"),
        import("./table.ts"),
      ]);
      const context = await run.context("writes");
      const tables = tablesMeant(context, options.table);
      const plans = await planBackups(context, tables, options.name);
      if (run.config.dryRun) {
        return run.print({ dryRun: true, backups: plans }, () =>
          plans.length === 0
            ? "there is no table to back up"
            : plans
                .map(({ table, name, underWay }) =>
                  underWay === undefined
                    ? `would back up ${table} as ${name}`
                    : `DynamoDB backs up ${table} as ${name} already; would wait for it`,
                )
                .join("\n"),
        );
      }
      await context.audit.open();
      context.progress(`DynamoDB backs up ${count(plans.length, "table")}`);
      const rows = (await makeBackups(context, plans)).map(nativeRow);
      await run.printRows(rows, nativeTable);
    });
}
