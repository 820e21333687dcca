import { Command } from "@commander-js/extra-typings";
import { localTime } from "../../../output/dates.ts";
import { visible } from "../../../output/text.ts";
import type { AnyCommand, Begin } from "../../command.ts";

/** `mawps backup native rm`: deletes one of DynamoDB's backups. */
export function nativeRm(begin: Begin): AnyCommand {
  return new Command("rm")
    .description("delete one of DynamoDB's backups for good")
    .argument("<backup>", "its name, id or ARN")
    .option("--table <table>", "of which table the backup is, by role or name")
    .addHelpText("after", "\nExample:\n  mawps backup native rm before-the-move --table userProfiles")
    .action(async (named, options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ backupNamed, removeBackup }, { tablesMeant }, { nativeRow }] = await Promise.all([
        import("../../../backup/native.ts"),
        import("../../../backup/native-tables.ts"),
        import("./table.ts"),
      ]);
      const context = await run.context("writes");
      const tables = tablesMeant(context, options.table).map(({ name }) => name);
      const backup = await backupNamed(context, named, tables);
      const made = backup.createdAt === undefined ? "" : ` of ${localTime(backup.createdAt)}`;
      const what = `backup ${visible(backup.name)} of ${backup.table}${made}`;
      if (run.config.dryRun) {
        return run.print({ dryRun: true, ...nativeRow(backup) }, () => `would delete ${what}`);
      }
      await run.confirm({ question: `Delete ${what} for good?`, destructive: true, deletes: true });
      await context.audit.open();
      await removeBackup(context, backup);
      await run.print({ ...nativeRow(backup), status: "DELETED" }, () => `deleted ${what}`);
    });
}
