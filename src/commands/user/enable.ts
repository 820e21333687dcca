import type { AnyCommand, Begin } from "../command.ts";
import { accountVerb } from "./changed.ts";

/** `mawps user enable`: let somebody who was disabled sign in again. */
export function userEnable(begin: Begin): AnyCommand {
  return accountVerb(begin, {
    name: "enable",
    description: "let somebody who was disabled sign in again",
    change: "enable",

    done: "enabled",
    wasSo: "was enabled already",
  });
}
