import type { AnyCommand, Begin } from "../command.ts";
import { heroList } from "./list.ts";
import { heroRm } from "./rm.ts";
import { heroRollback } from "./rollback.ts";
import { heroSet } from "./set.ts";
import { heroShow } from "./show.ts";

/** `mawps hero …`: the picture on the home page. */
export function hero(noun: AnyCommand, begin: Begin): void {
  for (const verb of [heroSet, heroShow, heroList, heroRollback, heroRm]) noun.addCommand(verb(begin));
}
