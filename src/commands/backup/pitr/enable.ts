import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import type { RecoveryChange } from "../../../backup/pitr.ts";
import { count } from "../../../output/text.ts";
import type { AnyCommand, Begin } from "../../command.ts";

type Row =
  | (RecoveryChange & { readonly result: "done" | "planned" | "unknown to this server" })
  /** Recovery is on, before or now; for how long the server does not tell. One that was on is left as it is. */
  | { readonly table: string; readonly result: "period not told" };

/** `mawps backup pitr enable`: switches recovery on, or lets it reach further back. */
export function pitrEnable(begin: Begin): AnyCommand {
  return new Command("enable")
    .description("switch recovery on where it is off, or reaches back less far than it should")
    .option("--table <table>", "only this one, by role or name")
    .option("--days <n>", "how far back it reaches, 1 to 35; default as declared", days)
    .addHelpText("after", "\nExample:\n  mawps backup pitr enable --table userProfiles")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const [pitr, { tablesMeant }] = await Promise.all([
        import("../../../backup/pitr.ts"),
        import("../../../backup/native-tables.ts"),
      ]);
      const context = await run.context("writes");
      const tables = tablesMeant(context, options.table);
      const stati = await pitr.recoveryStatus(context, tables);
      const changes = pitr.recoveryChanges(tables, stati, options.days);
      const untold = pitr.untoldPeriods(stati).map((table): Row => ({ table, result: "period not told" }));
      if (changes.length === 0 || run.config.dryRun) {
        const planned = changes.map((change): Row => ({ ...change, result: "planned" }));
        return run.print([...planned, ...untold], asText);
      }
      const which = changes.map(({ table, days }) => `${table} (${count(days, "day")})`).join(", ");
      await run.confirm({
        question: `Switch on point-in-time recovery of ${which}? AWS bills it by the size of the table, each month.`,
        destructive: false,
      });
      await context.audit.open();
      context.progress("switching on recovery");
      const done = await pitr.enableRecoveries(context, changes);
      const made = done.map(({ isDone, daysNow, ...change }): Row => {
        if (isDone && daysNow === undefined) return { table: change.table, result: "period not told" };
        return { ...change, result: isDone ? "done" : "unknown to this server" };
      });
      await run.print([...made, ...untold], asText);
    });
}

function days(text: string): number {
  if (/^\d{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= 35) return Number(text);
  throw new InvalidArgumentError("expected a number of days from 1 to 35.");
}

function asText(rows: readonly Row[]): string {
  if (rows.length === 0) return "recovery is on for every table, as far back as it should be";
  return rows
    .map((row) => {
      if (row.result === "period not told")
        return `${row.table}: recovery is on; how far back it reaches the server does not tell`;
      const { table, days, daysBefore, result } = row;
      const before = daysBefore === undefined ? "" : ` instead of ${daysBefore}`;
      const said = { done: "now reaches", planned: "would reach", "unknown to this server": "cannot reach" };
      return `${table}: recovery ${said[result]} ${count(days, "day")}${before} back`;
    })
    .join("\n");
}
