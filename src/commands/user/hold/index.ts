import { Command } from "@commander-js/extra-typings";
import type { AnyCommand, Begin } from "../../command.ts";
import { userHoldAdd } from "./add.ts";
import { userHoldList } from "./list.ts";
import { userHoldRm } from "./rm.ts";

/** `mawps user hold …`. */
export function userHold(begin: Begin): AnyCommand {
  const noun: AnyCommand = new Command("hold").description("legal holds: people of whom nothing is deleted");
  for (const verb of [userHoldList, userHoldAdd, userHoldRm]) noun.addCommand(verb(begin));
  return noun;
}
