import { Command } from "@commander-js/extra-typings";
import type { AnyCommand, Begin } from "../../command.ts";
import { userMfaReset } from "./reset.ts";

/** `mawps user mfa …`. */
export function userMfa(begin: Begin): AnyCommand {
  const noun: AnyCommand = new Command("mfa").description("the second factors of an account");
  noun.addCommand(userMfaReset(begin));
  return noun;
}
