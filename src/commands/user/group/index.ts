import { Command } from "@commander-js/extra-typings";
import type { AnyCommand, Begin } from "../../command.ts";
import { userGroupAdd } from "./add.ts";
import { userGroupList } from "./list.ts";
import { userGroupRm } from "./rm.ts";

/** `mawps user group …`. */
export function userGroup(begin: Begin): AnyCommand {
  const noun: AnyCommand = new Command("group").description(
    "the groups of the user pool, and who is in them",
  );
  for (const verb of [userGroupList, userGroupAdd, userGroupRm]) noun.addCommand(verb(begin));
  return noun;
}
