import type { AnyCommand, Begin } from "../command.ts";
import { storageUsage } from "./usage.ts";

/** `mawps storage …`: how much the site stores. */
export function storage(noun: AnyCommand, begin: Begin): void {
  for (const verb of [storageUsage]) noun.addCommand(verb(begin));
}
