import { Command } from "@commander-js/extra-typings";
import { trailOf } from "../../../audit/place.ts";
import type { Hold } from "../../../audit/holds.ts";
import type { Column } from "../../../output/table.ts";
import { idColumn } from "../../../output/tones.ts";
import type { AnyCommand, Begin } from "../../command.ts";
import { storedTime } from "../../stored-time.ts";

/** `mawps user hold list`. */
export function userHoldList(begin: Begin): AnyCommand {
  return new Command("list")
    .description("who is under a legal hold, and why")
    .addHelpText("after", "\nExample:\n  mawps user hold list")
    .action(async (_options, command) => {
      const run = await begin(command as AnyCommand);
      const { readHolds } = await import("../../../audit/holds.ts");
      const holds = await readHolds(trailOf(await run.context("reads")));
      await run.printTable(told(holds), columns, "nobody is under a legal hold");
    });
}

type Told = Pick<Hold, "reason" | "since"> & { readonly userId: string | null };

async function* told(holds: readonly Hold[]): AsyncGenerator<Told> {
  for (const { userId = null, reason, since } of holds) yield { userId, reason, since };
}

const columns: readonly Column<Told>[] = [
  { title: "SINCE", cell: ({ since }) => storedTime(since) },
  { title: "REASON", cell: ({ reason }) => reason, least: 16 },
  idColumn({ title: "USER", cell: ({ userId }) => userId ?? "known by an address alone" }),
];
