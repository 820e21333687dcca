import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import type { RecoveryChange } from "../../../backup/pitr.ts";
import { count } from "../../../output/text.ts";
import type { AnyCommand, Begin } from "../../../program.ts";

interface Row extends RecoveryChange {
  readonly result: "done" | "planned" | "unknown to this server";
}

/** `mawps backup pitr enable`: switches recovery on, or lets it reach further back. */
export function pitrEnable(begin: Begin): AnyCommand {
  return new Command("enable")
    .description("switch recovery on where it is off, or reaches back less far than it should")
    .option("--table <table>", "only this one, by role or name")
    .option("--days <n>", "how far back it reaches, 1 to 35; default as declared", days)
    .addHelpText("after", "\nExample:\n  mawps backup pitr enable --table userProfiles")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ nativeRun }, pitr, { tablesMeant }] = await Promise.all([
        import("../native/site.ts"),
        import("../../../backup/pitr.ts"),
        import("../../../backup/native-site.ts"),
      ]);
      const native = await nativeRun(run, "writes");
      const tables = tablesMeant(native.site.declaration, options.table);
      const stati = await pitr.recoveryStatus(native.site, tables);
      const changes = pitr.recoveryChanges(tables, stati, options.days);
      if (changes.length === 0 || run.config.dryRun) {
        return run.print(
          changes.map((change): Row => ({ ...change, result: "planned" })),
          asText,
        );
      }
      const which = changes.map(({ table, days }) => `${table} (${count(days, "day")})`).join(", ");
      await run.confirm({
        question: `Switch on point-in-time recovery of ${which}? AWS bills it by the size of the table, each month.`,
        destructive: false,
      });
      await native.audit();
      const working = await native.waiting("switching on recovery");
      const done = await pitr.enableRecoveries(native.site, changes);
      working.stop();
      await run.print(
        done.map(({ isDone, ...change }): Row => ({
          ...change,
          result: isDone ? "done" : "unknown to this server",
        })),
        asText,
      );
    });
}

function days(text: string): number {
  if (/^\d{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= 35) return Number(text);
  throw new InvalidArgumentError("expected a number of days from 1 to 35.");
}

function asText(rows: readonly Row[]): string {
  if (rows.length === 0) return "recovery is on for every table, as far back as it should be";
  return rows
    .map(({ table, days, daysBefore, result }) => {
      const before = daysBefore === undefined ? "" : ` instead of ${daysBefore}`;
      const said = { done: "now reaches", planned: "would reach", "unknown to this server": "cannot reach" };
      return `${table}: recovery ${said[result]} ${count(days, "day")}${before} back`;
    })
    .join("\n");
}
