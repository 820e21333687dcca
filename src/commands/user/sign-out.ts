import type { AnyCommand, Begin } from "../command.ts";
import { accountVerb } from "./changed.ts";

/** `mawps user sign-out`: sign somebody out on all devices. */
export function userSignOut(begin: Begin): AnyCommand {
  return accountVerb(begin, {
    name: "sign-out",
    description: "sign somebody out on all devices",
    change: "sign-out",
    question: ["Sign", " out on all devices"],
    done: "signed out everywhere",
    wasSo: "was signed out already",
    endsSessions: true,
  });
}
