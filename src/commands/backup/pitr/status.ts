import { Command } from "@commander-js/extra-typings";
import type { DatabaseRecovery } from "../../../backup/pitr-reach.ts";
import type { RecoveryStatus } from "../../../backup/pitr.ts";
import { localTime } from "../../../output/dates.ts";
import type { Layout } from "../../../output/layout.ts";
import { table } from "../../../output/table.ts";
import { stateColumn } from "../../../output/tones.ts";
import { visible } from "../../../output/text.ts";
import type { AnyCommand, Begin } from "../../command.ts";
import { repoFlag } from "../flags.ts";

/** The earliest and latest moment there stand for the time by which AWS's lag behind. */
export const presentOnly =
  "the local store keeps no past: recovery gives its tables as they are now, whatever the moment";

/** `mawps backup pitr status`: from when to when each table can be restored. */
export function pitrStatus(begin: Begin): AnyCommand {
  return new Command("status")
    .description("from when to when each table, and each MySQL database, can be restored")
    .option("--table <table>", "only this one, by role or name")
    .option(...repoFlag)
    .addHelpText("after", "\nExample:\n  mawps backup pitr status")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ recoveryStatus }, { recoveryOfDatabases }, { tablesMeant }] = await Promise.all([
        import("../../../backup/pitr.ts"),
        import("../../../backup/pitr-open.ts"),
        import("../../../backup/native-tables.ts"),
      ]);
      const context = await run.context("reads");
      const tables = await recoveryStatus(context, tablesMeant(context, options.table));
      const databases = options.table === undefined ? await recoveryOfDatabases(context, options.repo) : [];
      if (run.config.target === "local") run.note(presentOnly);
      await run.printRows([...tables, ...databases], asText);
    });
}

type Row = RecoveryStatus | DatabaseRecovery;

async function asText(rows: readonly Row[], layout: Layout): Promise<string> {
  const moment = (at: Date | undefined) => (at === undefined ? "" : localTime(at));
  const all = await table(
    rows,
    [
      { title: "OF", cell: (row) => ("table" in row ? row.table : row.database) },
      stateColumn({ title: "RECOVERY", cell: (row) => (row.state === "not offered" ? "-" : row.state) }),
      { title: "DAYS", cell: (row) => (row.days === undefined ? "" : String(row.days)) },
      { title: "EARLIEST", cell: (row) => moment(row.earliest) },
      { title: "LATEST", cell: (row) => moment(row.latest) },
    ],
    layout,
  );
  return [all, ...rows.flatMap((row) => ("log" in row ? logText(row) : []))].join("\n");
}

function logText({ database, state, log, backup }: DatabaseRecovery): string[] {
  if (state === "not offered")
    return [visible(`${database}: PostgreSQL comes back as a backup has it, not as it was in between`)];
  const [first, last] = [log?.files[0], log?.files.at(-1)];
  const files =
    first === undefined || last === undefined
      ? "no binary log"
      : `binary log ${first.name} to ${last.name} at ${last.bytes}, format ${log?.format ?? ""}`;
  const without = state === "left out" ? "it leaves this database out" : "no backup has a position in it";
  const reach = backup === undefined ? without : `reached from the backup ${backup} on`;
  return [visible(`${database}: ${files}; ${reach}`)];
}
