import { Command } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../../errors.ts";
import type { AnyCommand, Begin } from "../../command.ts";
import { momentNamed } from "../moment.ts";
import { nativeName } from "../native/names.ts";
import { repoFlag } from "../flags.ts";
import { presentOnly } from "./status.ts";

/** `mawps backup pitr restore`: a new table, or database, with the state of one at a moment. */
export function pitrRestore(begin: Begin): AnyCommand {
  return new Command("restore")
    .description("make a new table, or database, with the state that one had at a moment; waits for it")
    .requiredOption("--at <time>", "2026-03-01T12:00:00Z, '2h ago' or latest", momentNamed)
    .requiredOption(
      "--into <name>",
      "name of the new table: 3 to 255 of A-Z a-z 0-9 _ - . ; or of the new database: up to 63 of A-Z a-z 0-9 _ -",
      nativeName,
    )
    .option("--table <table>", "which one, by role or name; default the site's first, such as the profiles")
    .option(
      "--database <database>",
      "a database of MySQL instead (of PostgreSQL there is no way back to a moment), by role or name: the backup before, then the binary log",
    )
    .option(...repoFlag)
    .addHelpText(
      "after",
      "\nExamples:\n  mawps backup pitr restore --at '2h ago' --into profiles-before\n  mawps --model lopez backup pitr restore --database main --at '2h ago' --into before",
    )
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      if (options.database !== undefined) {
        if (options.table !== undefined)
          throw new CliError("--table and --database are both given", { exitCode: exitCodes.usage });
        const { database, at } = options;
        return (await import("./database.ts")).restoreDatabase(run, { ...options, database, at: at.of });
      }
      if (options.repo !== undefined) throw needsDatabase(Object.keys(run.config.site.databases ?? {}));
      const [{ restoreNatively }, { firstTable, tableNamed }] = await Promise.all([
        import("../restored.ts"),
        import("../../../backup/native-tables.ts"),
      ]);
      const context = await run.context("writes");
      const { name } = options.table === undefined ? firstTable(context) : tableNamed(context, options.table);
      if (run.config.target === "local") run.note(presentOnly);
      const { of, isNamed } = options.at;
      await restoreNatively(run, context, {
        source: { kind: "time", table: name, at: of(run.world.now()), isNamed },
        target: options.into,
      });
    });
}

/** Tables come back without any backup. */
function needsDatabase(roles: readonly string[]): CliError {
  return new CliError("--repo is for databases, and none is named", {
    exitCode: exitCodes.usage,
    hint:
      roles.length === 0
        ? "the model has none; a table comes back without a repository"
        : `name one by --database: ${roles.join(", ")}`,
  });
}
