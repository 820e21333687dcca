import { Command } from "@commander-js/extra-typings";
import { visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { accountSite } from "./site.ts";

/** `mawps user duplicates`: accounts with the same address. */
export function userDuplicates(begin: Begin): AnyCommand {
  return new Command("duplicates")
    .description("accounts with the same address in another case or spelling, and those that may be the same")
    .addHelpText("after", "\nExample:\n  mawps user duplicates")
    .action(async (_options, command) => {
      const run = await begin(command as AnyCommand);
      const { findDuplicates } = await import("../../users/duplicates.ts");
      const found = await findDuplicates(await accountSite(run));
      await run.printRows(found, (all) =>
        all.length === 0
          ? "no two accounts have the same address"
          : all
              .flatMap(({ kind, accounts, addresses }) => [
                `${kind === "same" ? "the same" : "maybe the same"}:`,
                ...accounts.map(
                  ({ sub, status, enabled }, at) =>
                    `  ${visible(addresses[at] ?? "")}  ${enabled ? status : `disabled, ${status}`}  ${visible(sub)}`,
                ),
              ])
              .join("\n"),
      );
    });
}
