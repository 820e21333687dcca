import { Command } from "@commander-js/extra-typings";
import { bytes } from "../../model/bytes.ts";
import type { Layout } from "../../output/layout.ts";
import { table } from "../../output/table.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { TwinState } from "../../site/twin/store.ts";
import { storedTime } from "../stored-time.ts";

interface Row {
  readonly version: number;
  readonly current: boolean;
  /** `analytics.lastTraining` or `updatedAt` of the twin itself. */
  readonly trainedAt: string | null;
  readonly storedAt: string | null;
  readonly replacedAt: string | null;
  readonly bytes: number;
}

/** `mawps twin history`: the versions that are kept, newest first. */
export function twinHistoryVerb(begin: Begin): AnyCommand {
  return new Command("history")
    .description("list the versions of the twin, newest first")
    .addHelpText("after", "\nExample:\n  mawps twin history --json | jq .version")
    .action(async (_options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ readTwin, twinHistory }, { twinAge }] = await Promise.all([
        import("../../site/twin/store.ts"),
        import("../../site/twin/merge.ts"),
      ]);
      const context = await run.context("reads");
      const read = await readTwin(context);
      const row = (state: TwinState): Row => ({
        version: state.version,
        current: state === read.current,
        trainedAt: twinAge(state.value)?.date ?? null,
        storedAt: state.updatedAt ?? null,
        replacedAt: state.replacedAt ?? null,
        bytes: state.bytes,
      });
      const rows = async function* (): AsyncGenerator<Row> {
        if (read.current !== undefined) yield row(read.current);
        for await (const state of twinHistory(context, read)) yield row(state);
      };
      await run.printRows(rows(), asText);
    });
}

async function asText(rows: readonly Row[], layout: Layout): Promise<string> {
  if (rows.length === 0) return "no digital twin yet; `mawps twin migrate <source>` brings it here";
  return table(
    rows,
    [
      { title: "VERSION", cell: ({ version }) => String(version), align: "right" },
      { title: "", cell: ({ current }) => (current ? "current" : ""), tone: () => "good" },
      { title: "TRAINED", cell: ({ trainedAt }) => storedTime(trainedAt) },
      { title: "STORED", cell: ({ storedAt }) => storedTime(storedAt) },
      { title: "REPLACED", cell: ({ replacedAt }) => storedTime(replacedAt) },
      { title: "SIZE", cell: (row) => bytes(row.bytes), align: "right" },
    ],
    layout,
  );
}
