import type { AnyCommand, Begin } from "../command.ts";
import { accountVerb } from "./changed.ts";

/** `mawps user disable`: let somebody sign in no more, and sign them out everywhere. */
export function userDisable(begin: Begin): AnyCommand {
  return accountVerb(begin, {
    name: "disable",
    description: "let somebody sign in no more, and sign them out everywhere",
    change: "disable",
    question: ["Disable", " and sign them out everywhere"],
    done: "disabled, and signed out everywhere",
    wasSo: "was disabled already",
    endsSessions: true,
  });
}
