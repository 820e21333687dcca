import type { AnyCommand, Begin } from "../command.ts";
import { avatarRm } from "./rm.ts";
import { avatarSet } from "./set.ts";
import { avatarUrl } from "./url.ts";

/** `mawps avatar …`: a user's own picture. */
export function avatar(noun: AnyCommand, begin: Begin): void {
  for (const verb of [avatarSet, avatarUrl, avatarRm]) noun.addCommand(verb(begin));
}
