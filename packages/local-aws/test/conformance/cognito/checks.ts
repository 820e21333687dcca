import { attributeChecks } from "./attributes.ts";
import type { Check } from "./check.ts";
import { groupChecks } from "./groups.ts";
import { listingChecks } from "./listing.ts";
import { passwordChecks } from "./passwords.ts";
import { poolChecks } from "./pools.ts";
import { protocolChecks } from "./protocol.ts";
import { signInChecks } from "./sign-in.ts";
import { userChecks } from "./users.ts";

/** Every check, by theme. */
export const cognitoChecks: Readonly<Record<string, readonly Check[]>> = {
  pools: poolChecks,
  users: userChecks,
  attributes: attributeChecks,
  listing: listingChecks,
  passwords: passwordChecks,
  groups: groupChecks,
  signIn: signInChecks,
  protocol: protocolChecks,
};
