import type { AnyCommand, Begin } from "../command.ts";
import { accountVerb } from "./changed.ts";

/** `mawps user confirm`: take somebody who signed up for confirmed, without the code. */
export function userConfirm(begin: Begin): AnyCommand {
  return accountVerb(begin, {
    name: "confirm",
    description: "take somebody who signed up for confirmed, without the code",
    change: "confirm",

    done: "confirmed",
    wasSo: "was confirmed already",
  });
}
