import { Command } from "@commander-js/extra-typings";
import { table } from "../../../output/table.ts";
import type { AnyCommand, Begin } from "../../command.ts";
import { accountSite } from "../site.ts";

/** `mawps user group list`. */
export function userGroupList(begin: Begin): AnyCommand {
  return new Command("list")
    .description("the groups of the user pool")
    .addHelpText("after", "\nExample:\n  mawps user group list")
    .action(async (_options, command) => {
      const run = await begin(command as AnyCommand);
      const { listGroups } = await import("../../../aws/cognito/groups.ts");
      const site = await accountSite(run);
      await run.printRows(await listGroups(site.aws, site.poolId, site), (groups, layout) =>
        groups.length === 0
          ? "no groups"
          : table(
              groups,
              [
                { title: "GROUP", cell: ({ name }) => name },
                { title: "PRECEDENCE", cell: ({ precedence }) => String(precedence ?? ""), align: "right" },
                { title: "DESCRIPTION", cell: ({ description = "" }) => description, folds: true },
              ],
              layout,
            ),
      );
    });
}
