import type { AnyCommand, Begin } from "../command.ts";
import { accountVerb } from "./changed.ts";

/** `mawps user reset-password`: end somebody's password; Cognito sends them a code to choose another. */
export function userResetPassword(begin: Begin): AnyCommand {
  return accountVerb(begin, {
    name: "reset-password",
    description: "end somebody's password; Cognito sends them a code to choose another",
    change: "reset-password",
    question: ["End the password of", ""],
    done: "sent a code to choose another password",
    wasSo: "had no password already",
  });
}
