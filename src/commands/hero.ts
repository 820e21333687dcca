import type { AnyCommand, Begin } from "../program.ts";
import { heroList } from "./hero-list.ts";
import { heroRm } from "./hero-rm.ts";
import { heroRollback } from "./hero-rollback.ts";
import { heroSet } from "./hero-set.ts";
import { heroShow } from "./hero-show.ts";

/** `mawps hero …`: the picture on the home page. */
export function hero(noun: AnyCommand, begin: Begin): void {
  for (const verb of [heroSet, heroShow, heroList, heroRollback, heroRm]) noun.addCommand(verb(begin));
}
