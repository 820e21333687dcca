import type { AnyCommand, Begin } from "../command.ts";
import { accessCheck } from "./check.ts";
import { accessPolicy } from "./policy.ts";

/** `mawps access …`: who may do what. */
export function access(noun: AnyCommand, begin: Begin): void {
  for (const verb of [accessPolicy, accessCheck]) noun.addCommand(verb(begin));
}
