import { Command } from "@commander-js/extra-typings";
import { CliError } from "../../../errors.ts";
import type { AnyCommand, Begin } from "../../command.ts";
import { nativeName } from "./names.ts";

/** `mawps backup native restore`: a new table from a backup of DynamoDB's. */
export function nativeRestore(begin: Begin): AnyCommand {
  return new Command("restore")
    .description("make a new table from one of DynamoDB's backups; waits for it")
    .argument("<backup>", "its name, id or ARN")
    .requiredOption("--into <table>", "name of the new table", nativeName)
    .option("--table <table>", "of which table the backup is, by role or name")
    .addHelpText(
      "after",
      "\nExample:\n  mawps backup native restore before-the-move --table userProfiles --into profiles-before",
    )
    .action(async (named, options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ restoreNatively }, { backupNamed }, { tablesMeant }] = await Promise.all([
        import("../restored.ts"),
        import("../../../backup/native.ts"),
        import("../../../backup/native-tables.ts"),
      ]);
      const context = await run.context("writes");
      const tables = tablesMeant(context, options.table).map(({ name }) => name);
      const backup = await backupNamed(context, named, tables);
      if (backup.status !== "AVAILABLE") {
        throw new CliError(`the backup ${backup.name} is not finished yet`, {
          hint: "try again in a minute",
        });
      }
      await restoreNatively(run, context, { source: { kind: "backup", backup }, target: options.into });
    });
}
