import { Command } from "@commander-js/extra-typings";
import { table, type Column } from "../../output/table.ts";
import { idColumn } from "../../output/tones.ts";
import type { Duplicates } from "../../users/duplicates.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { accountSite, stateOf } from "./site.ts";

/** `mawps user duplicates`: accounts with the same address. */
export function userDuplicates(begin: Begin): AnyCommand {
  return new Command("duplicates")
    .description("accounts with the same address in another case or spelling, and those that may be the same")
    .addHelpText("after", "\nExample:\n  mawps user duplicates")
    .action(async (_options, command) => {
      const run = await begin(command as AnyCommand);
      const { findDuplicates } = await import("../../users/duplicates.ts");
      const found = await findDuplicates(await accountSite(run));
      await run.printRows(found, (all, layout) =>
        all.length === 0
          ? "no two accounts have the same address"
          : table(all.flatMap(rowsOf), columns, layout),
      );
    });
}

interface Row {
  readonly group: number;
  readonly kind: Duplicates["kind"];
  readonly address: string;
  readonly account: Duplicates["accounts"][number];
}

function rowsOf({ kind, accounts, addresses }: Duplicates, at: number): Row[] {
  return accounts.map((account, index) => ({
    group: at + 1,
    kind,
    address: addresses[index] ?? "",
    account,
  }));
}

const columns: readonly Column<Row>[] = [
  { title: "GROUP", cell: ({ group }) => String(group), align: "right" },
  { title: "ARE", cell: ({ kind }) => (kind === "same" ? "the same" : "maybe the same") },
  { title: "E-MAIL", cell: ({ address }) => address, least: 12 },
  { title: "STATE", cell: ({ account }) => stateOf(account) },
  idColumn({ title: "USER", cell: ({ account: { sub } }) => sub }),
];
