import { Command } from "@commander-js/extra-typings";
import type { AnyCommand, Begin } from "../../command.ts";
import { userArgument } from "../site.ts";
import { changeGroup } from "./change.ts";

/** `mawps user group rm`. */
export function userGroupRm(begin: Begin): AnyCommand {
  return new Command("rm")
    .description("take somebody out of a group")
    .argument("<user>", userArgument)
    .argument("<group>", "a group of the user pool, as `mawps user group list` shows it")
    .addHelpText("after", "\nExample:\n  mawps user group rm max@example.com admin")
    .action(async (given, group, _options, command) =>
      changeGroup(await begin(command as AnyCommand), given, { group, isMember: false }),
    );
}
