import { Command } from "@commander-js/extra-typings";
import { standings, type Standing } from "../../migrations/choose.ts";
import { localTime } from "../../output/dates.ts";
import type { Layout } from "../../output/layout.ts";
import { table } from "../../output/table.ts";
import { grouped } from "../../output/text.ts";
import { hasSqlMigrations } from "../../model/reach.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { idColumn, stateTone } from "../../output/tones.ts";
import { noMigrationsText } from "./nothing.ts";
import { faultOf, judge } from "./faults.ts";

import { sqlStatus } from "./sql-status.ts";

/** `mawps migrate status`: which migrations are applied, when, by whom; exit 4 when something about them is wrong. */
export function migrateStatus(begin: Begin): AnyCommand {
  return new Command("status")
    .description("show which migrations are applied, and whether their code is still the same")
    .option("--exit-code", "end with 5 when migrations are pending")
    .addHelpText("after", "\nExample:\n  mawps migrate status --exit-code")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      if (hasSqlMigrations(run.config.site)) return sqlStatus(run, options);
      const [{ openMigrations }, { migrationsOf }, { readLock }] = await Promise.all([
        import("../../migrations/site.ts"),
        import("../../migrations/registry.ts"),
        import("../../migrations/lock.ts"),
      ]);
      const migrations = migrationsOf(run.config.site);
      if (migrations.length === 0) return run.printRows([], () => noMigrationsText(run));
      const context = await run.context("reads");
      const [{ states }, holder] = await Promise.all([
        openMigrations(context),
        readLock({ ...context, migrationsTable: context.tables.migrations }),
      ]);
      const rows = standings(migrations, states);
      await run.printRows(rows.map(rowOf), asText);
      const isRunning = holder !== undefined && Date.parse(holder.leaseEnd) > run.world.now().getTime();
      if (isRunning)
        run.note(`${holder.actor} on ${holder.host} is at it since ${localTime(new Date(holder.since))}`);
      judge(rows, {
        faults: rows.flatMap((row) => faultOf(row, isRunning)),
        exitCode: options.exitCode === true,
      });
    });
}

function rowOf({ id, status, description, isKnown, isCodeChanged, state }: Standing) {
  return {
    migration: id,
    status,
    description,
    isKnown,
    isCodeChanged,
    startedAt: state?.startedAt ?? null,
    endedAt: state?.endedAt ?? null,
    by: state?.by ?? null,
    tool: state?.tool ?? null,
    checksum: state?.checksum ?? null,
    counts: state?.counts ?? null,
  };
}

type Row = ReturnType<typeof rowOf>;

function asText(rows: readonly Row[], layout: Layout): Promise<string> {
  return table(
    rows,
    [
      idColumn({ title: "MIGRATION", cell: ({ migration }) => migration }),
      {
        title: "STATUS",
        cell: (row) => `${row.status}${row.isCodeChanged ? ", code changed" : ""}`,
        tone: ({ status, isCodeChanged }) => (isCodeChanged ? "bad" : stateTone(status)),
      },
      {
        title: "WHEN",
        cell: (row) => (row.startedAt === null ? "-" : localTime(new Date(row.endedAt ?? row.startedAt))),
      },
      { title: "CHANGED", cell: ({ counts }) => grouped(counts?.changed), align: "right" },
      { title: "LEFT", cell: ({ counts }) => grouped(counts?.left), align: "right" },
      { title: "BY", cell: ({ by }) => by ?? "-", least: 12 },
    ],
    layout,
  );
}
