import { Command } from "@commander-js/extra-typings";
import type { Listed } from "../../backup/list.ts";
import { bytes } from "../../model/bytes.ts";
import { localTime } from "../../output/dates.ts";
import type { Layout } from "../../output/layout.ts";
import { table } from "../../output/table.ts";
import { count, grouped } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { repoFlag } from "./flags.ts";
import { idColumn } from "../../output/tones.ts";

/** `mawps backup list`: the backups in a repository, newest first. */
export function backupList(begin: Begin): AnyCommand {
  return new Command("list")
    .description(
      "list the backups of a repository, newest first, with what they hold and when they were proven",
    )
    .option(...repoFlag)
    .addHelpText("after", "\nExample:\n  mawps backup list --json")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const { listBackups } = await import("../../backup/list.ts");
      await run.printRows(await listBackups(await run.unconnected("reads"), options.repo), asText);
    });
}

async function asText(rows: Listed[], layout: Layout): Promise<string> {
  if (rows.length === 0) return "there is no backup yet";
  const hasRows = rows.some(({ counts }) => counts?.rows !== undefined);
  return table(
    rows,
    [
      idColumn({ title: "BACKUP", cell: ({ id }) => id }),
      { title: "MADE", cell: ({ startedAt }) => localTime(startedAt) },
      { title: "ITEMS", cell: ({ counts }) => grouped(counts?.items), align: "right" },
      { title: "OBJECTS", cell: ({ counts }) => grouped(counts?.objects), align: "right" },
      {
        title: "SIZE",
        cell: ({ counts }) => (counts === undefined ? "-" : bytes(counts.bytes)),
        align: "right",
      },
      { title: "ACCOUNTS", cell: ({ counts }) => grouped(counts?.users), align: "right" },
      ...(hasRows
        ? [{ title: "ROWS", cell: ({ counts }: Listed) => grouped(counts?.rows), align: "right" as const }]
        : []),
      {
        title: "VERIFIED",
        cell: ({ verifiedAt }) => (verifiedAt === undefined ? "-" : localTime(verifiedAt)),
        tone: ({ verifiedAt }) => (verifiedAt === undefined ? undefined : "good"),
      },
      {
        title: "DRILLED",
        cell: ({ drilledAt }) => (drilledAt === undefined ? "-" : localTime(drilledAt)),
        tone: ({ drilledAt }) => (drilledAt === undefined ? undefined : "good"),
      },
      { title: "", cell: remark, folds: true, tone: (listed) => (isBad(listed) ? "bad" : undefined) },
    ],
    layout,
  );
}

function isBad({ damaged, lastCheck }: Listed): boolean {
  return damaged !== undefined || lastCheck?.outcome === "failed";
}

function remark({ damaged, lastCheck, archive, counts }: Listed): string {
  if (damaged !== undefined) return `DAMAGED: ${damaged}`;
  if (lastCheck?.outcome === "failed") return `${lastCheck.kind} found faults`;
  return archive === undefined
    ? ""
    : `archive of ${archive.table}, ${archive.partition}: ${count(counts?.rows ?? 0, "row")}`;
}
