import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { Fault } from "../fault.ts";
import { isInput, optionalBoolean, optionalNumber, optionalStructure } from "./input.ts";
import type { PasswordHash, Pool } from "./records.ts";

const derive = promisify<string, Buffer, number, Buffer>(scrypt);

/** What a pool demands unless told otherwise. */
export const defaultPolicy = {
  MinimumLength: 8,
  RequireUppercase: true,
  RequireLowercase: true,
  RequireNumbers: true,
  RequireSymbols: true,
  TemporaryPasswordValidityDays: 7,
};

/** The kind of characters that a policy may demand, and Cognito's word for it. */
const kinds = [
  ["RequireLowercase", /[a-z]/, "lowercase"],
  ["RequireUppercase", /[A-Z]/, "uppercase"],
  ["RequireNumbers", /[0-9]/, "numeric"],
  ["RequireSymbols", /[\^$*.[\]{}()?"!@#%&/\\,><':;|_~`=+\- ]/, "symbol"],
] as const;

/** @throws Fault when the pool's policy does not let it pass. */
export function checkPassword(pool: Pool, password: string): void {
  const given = pool.settings["Policies"];
  const policy = isInput(given) ? (optionalStructure(given, "PasswordPolicy") ?? {}) : defaultPolicy;
  if (
    password.length < (optionalNumber(policy, "MinimumLength", { least: 0 }) ?? defaultPolicy.MinimumLength)
  )
    throw refusal("Password not long enough");
  for (const [name, characters, word] of kinds)
    if (optionalBoolean(policy, name) === true && !characters.test(password))
      throw refusal(`Password must have ${word} characters`);
}

function refusal(why: string): Fault {
  return new Fault("InvalidPasswordException", `Password did not conform with password policy: ${why}`);
}

/** A password is kept as this only, so that nobody can read it out of the store. */
export async function hashOf(password: string): Promise<PasswordHash> {
  const salt = randomBytes(16);
  return { salt: salt.toString("hex"), hash: (await derive(password, salt, 32)).toString("hex") };
}

/** Whether this is the password that was kept; false where nobody was told it. */
export async function isPassword(password: string, kept: PasswordHash | undefined): Promise<boolean> {
  if (kept === undefined) return false;
  const hash = await derive(password, Buffer.from(kept.salt, "hex"), 32);
  return timingSafeEqual(hash, Buffer.from(kept.hash, "hex"));
}
