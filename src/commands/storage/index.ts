import type { AnyCommand, Begin } from "../command.ts";
import { storageCost } from "./cost.ts";
import { storageUsage } from "./usage.ts";

/** `mawps storage …`: how much the site stores, and what that costs. */
export function storage(noun: AnyCommand, begin: Begin): void {
  for (const verb of [storageUsage, storageCost]) noun.addCommand(verb(begin));
}
