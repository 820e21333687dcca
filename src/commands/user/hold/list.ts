import { Command } from "@commander-js/extra-typings";
import type { Column } from "../../../output/table.ts";
import { idColumn } from "../../../output/tones.ts";
import type { NamedHold } from "../../../users/hold.ts";
import type { AnyCommand, Begin } from "../../command.ts";
import { storedTime } from "../../stored-time.ts";
import { namelessNote } from "../site.ts";

/** `mawps user hold list`. */
export function userHoldList(begin: Begin): AnyCommand {
  return new Command("list")
    .description("who is under a legal hold, why, and since when")
    .addHelpText("after", "\nExample:\n  mawps user hold list")
    .action(async (_options, command) => {
      const run = await begin(command as AnyCommand);
      const { listHolds } = await import("../../../users/hold.ts");
      const { holds, nameless } = await listHolds(await run.context("reads"));
      if (nameless !== undefined) run.note(namelessNote(nameless));
      await run.printTable(told(holds), columns, "nobody is under a legal hold");
    });
}

interface Told {
  readonly hold: number;
  readonly since: string;
  readonly reason: string;
  readonly name: string | null;
  readonly userId: string | null;
}

async function* told(holds: readonly NamedHold[]): AsyncGenerator<Told> {
  for (const { sequence: hold, since, reason, name = null, userId = null } of holds)
    yield { hold, since, reason, name, userId };
}

const columns: readonly Column<Told>[] = [
  { title: "HOLD", cell: ({ hold }) => String(hold), align: "right" },
  { title: "SINCE", cell: ({ since }) => storedTime(since) },
  { title: "REASON", cell: ({ reason }) => reason, least: 16 },
  { title: "PERSON", cell: ({ name, userId }) => name ?? userId ?? "known by an address alone", least: 16 },
  idColumn({ title: "USER", cell: ({ userId }) => userId ?? "" }),
];
