import { Command } from "@commander-js/extra-typings";
import type { Counts } from "../../backup/manifest.ts";
import type { ArchivedPartition } from "../../backup/snapshot.ts";
import type { SnapshotEntry } from "../../backup/snapshots.ts";
import { bytes } from "../../model/bytes.ts";
import { localTime } from "../../output/dates.ts";
import type { Layout } from "../../output/layout.ts";
import { table } from "../../output/table.ts";
import { count, grouped } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { repoFlag } from "./repository.ts";
import { idColumn } from "../../output/tones.ts";

interface Listed extends SnapshotEntry {
  /** Absent where the manifest cannot be read here. */
  readonly counts?: Counts;
  readonly damaged?: string;
  readonly archive?: ArchivedPartition | undefined;
}

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
      const [{ openBackups, tellAhead }, { listSnapshots, readManifest }, { countsOf }, { CliError }] =
        await Promise.all([
          import("./repository.ts"),
          import("../../backup/snapshots.ts"),
          import("../../backup/manifest.ts"),
          import("../../errors.ts"),
        ]);
      const { signal } = run.world;
      const repository = await openBackups(run, options.repo);
      if (!repository.canRead)
        run.note("the repository is encrypted: what the backups hold is shown with its key only");
      const { snapshots, ahead } = await listSnapshots(repository, { now: run.world.now(), signal });
      tellAhead(run, ahead);
      const rows = async function* (): AsyncGenerator<Listed> {
        for (const entry of snapshots) {
          if (!repository.canRead) {
            yield entry;
            continue;
          }
          try {
            const manifest = await readManifest(repository, entry.id, signal);
            yield { ...entry, counts: countsOf(manifest), archive: manifest.archive };
          } catch (error) {
            if (!(error instanceof CliError)) throw error;
            yield { ...entry, damaged: error.message };
          }
        }
      };
      await run.printRows(rows(), asText);
    });
}

async function asText(rows: Listed[], layout: Layout): Promise<string> {
  if (rows.length === 0) return "there is no backup yet";
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
