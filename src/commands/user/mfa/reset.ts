import type { AnyCommand, Begin } from "../../command.ts";
import { accountVerb } from "../changed.ts";

/** `mawps user mfa reset`: turn somebody's second factors off, for when the device is lost. */
export function userMfaReset(begin: Begin): AnyCommand {
  return accountVerb(begin, {
    name: "reset",
    path: "mfa reset",
    description: "turn somebody's second factors off, for when the device is lost",
    change: "reset-mfa",
    question: ["Turn off the second factors of", ""],
    done: "without a second factor",
    wasSo: "had no second factor already",
  });
}
