import { randomUUID } from "node:crypto";
import { Fault } from "../fault.ts";
import { invalid } from "./fault.ts";
import { type Input, optionalBoolean, optionalText, poolIdOf, rules, texts, usernameOf } from "./input.ts";
import { checkPassword, hashOf } from "./passwords.ts";
import { type Context, existingPool, keys, type PasswordHash, type Pool, put, type User } from "./records.ts";
import { attributesIn, isEmail, isPhoneNumber } from "./schema.ts";
import { changedAttributes, described, existingUser, keyName, saving } from "./users.ts";

/** No message is ever sent: whatever an invitation would have said is lost. */
export async function adminCreateUser(context: Context, input: Input): Promise<object> {
  const pool = await existingPool(context, poolIdOf(input));
  const username = usernameOf(input);
  const action = optionalText(input, "MessageAction", { oneOf: ["RESEND", "SUPPRESS"] });
  const given = optionalText(input, "TemporaryPassword", rules.password);
  if (given !== undefined) checkPassword(pool, given);
  const password = given === undefined ? undefined : await hashOf(given);
  if (action === "RESEND") return resend(context, pool, { username, password });
  const attributes = attributesIn(pool, input);
  const mediums = texts(input, "DesiredDeliveryMediums", { oneOf: ["SMS", "EMAIL"] });
  const hasEmail = attributesOf(pool, username, attributes)["email"] !== undefined;
  if (action === undefined && mediums.includes("EMAIL") && !hasEmail)
    throw invalid("User does not have an email address to which the message could be sent.");
  const takesAliases = optionalBoolean(input, "ForceAliasCreation") ?? false;
  const status = "FORCE_CHANGE_PASSWORD";
  const user = await newUser(context, pool, { username, given: attributes, password, status, takesAliases });
  return { User: described(user) };
}

interface NewUser {
  readonly username: string;
  /** Attributes as they were said. */
  readonly given: Record<string, string>;
  readonly password: PasswordHash | undefined;
  readonly status: User["status"];
  /** An alias that another user has is taken from them instead of refused. */
  readonly takesAliases?: boolean;
}

/** Makes an account. @throws Fault when there is one of this name, or a name is none. */
export async function newUser(
  context: Context,
  pool: Pool,
  { username, given, password, status, takesAliases = false }: NewUser,
): Promise<User> {
  const attributes = attributesOf(pool, username, given);
  return context.database.exclusive(async () => {
    await existingPool(context, pool.id);
    const sub = randomUUID();
    const createdMs = context.now().getTime();
    const user: User = {
      username: pool.usernameAttributes.length > 0 ? sub : username,
      sub,
      attributes,
      status,
      enabled: true,
      createdMs,
      modifiedMs: createdMs,
      password,
    };
    const key = keys.user(pool.id, keyName(pool, user.username));
    if ((await context.database.get(key)) !== undefined)
      throw new Fault("UsernameExistsException", "User account already exists");
    await context.database.write(await saving(context, pool, user, { takesAliases }));
    return user;
  });
}

/** The attributes of a new user, with the address that they are known by. */
function attributesOf(pool: Pool, username: string, given: Record<string, string>): Record<string, string> {
  const { usernameAttributes, aliasAttributes } = pool;
  const attributes = changedAttributes(pool, {}, given);
  const kind = isEmail(username) ? "email" : isPhoneNumber(username) ? "phone_number" : undefined;
  if (usernameAttributes.length > 0) {
    if (kind === undefined || !usernameAttributes.includes(kind)) throw wrongName(usernameAttributes);
    const address = attributes[kind];
    if (address !== undefined && keyName(pool, address) !== keyName(pool, username))
      throw invalid(`The ${kind} and the username are two different addresses.`);
    return { [kind]: username, ...attributes };
  }
  if (kind !== undefined && aliasAttributes.includes(kind)) {
    const word = kind === "email" ? "email" : "phone number";
    throw invalid(`Username cannot be of ${word} format, since user pool is configured for ${word} alias.`);
  }
  return attributes;
}

function wrongName(usernameAttributes: readonly string[]): Fault {
  if (usernameAttributes.length > 1) return invalid("Username should be either an email or a phone number.");
  return invalid(
    usernameAttributes.includes("email")
      ? "Username should be an email."
      : "Username should be a phone number.",
  );
}

/** The invitation once more, with a new password. */
function resend(
  context: Context,
  pool: Pool,
  { username, password }: { readonly username: string; readonly password: PasswordHash | undefined },
): Promise<object> {
  return context.database.exclusive(async () => {
    const { password: _former, ...user } = await existingUser(context, pool, username);
    if (user.status !== "FORCE_CHANGE_PASSWORD")
      throw new Fault(
        "UnsupportedUserStateException",
        "Resend not possible. status is not FORCE_CHANGE_PASSWORD",
      );
    const changed: User = {
      ...user,
      modifiedMs: context.now().getTime(),
      ...(password === undefined ? {} : { password }),
    };
    await context.database.write([put(keys.user(pool.id, keyName(pool, user.username)), changed)]);
    return { User: described(changed) };
  });
}
