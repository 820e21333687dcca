import type { AnyCommand, Begin } from "../command.ts";
import { accountVerb } from "./changed.ts";

/** `mawps user invite`: send the invitation again, with a new password. */
export function userInvite(begin: Begin): AnyCommand {
  return accountVerb(begin, {
    name: "invite",
    description: "send the invitation again, with a new password",
    change: "invite",

    done: "invited again",
    wasSo: "was invited already",
  });
}
