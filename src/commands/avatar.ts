import type { AnyCommand, Begin } from "../program.ts";
import { avatarRm } from "./avatar-rm.ts";
import { avatarSet } from "./avatar-set.ts";
import { avatarUrl } from "./avatar-url.ts";

/** `mawps avatar …`: a user's own picture. */
export function avatar(noun: AnyCommand, begin: Begin): void {
  for (const verb of [avatarSet, avatarUrl, avatarRm]) noun.addCommand(verb(begin));
}
