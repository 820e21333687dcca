import { Fault } from "../fault.ts";
import { invalid } from "./fault.ts";
import {
  type Input,
  optionalBoolean,
  optionalStructure,
  poolIdOf,
  rules,
  text,
  texts,
  usernameOf,
} from "./input.ts";
import { checkPassword, hashOf } from "./passwords.ts";
import { type Context, existingPool, type Pool, type User } from "./records.ts";
import { attributeOf, attributesIn } from "./schema.ts";
import { attributeList, changedAttributes, described, existingUser, removing, saving } from "./users.ts";

export async function adminGetUser(context: Context, input: Input): Promise<object> {
  const pool = await existingPool(context, poolIdOf(input));
  const user = await existingUser(context, pool, usernameOf(input));
  const { Attributes: _attributes, ...rest } = described(user);
  const { on = [], preferred } = user.factors ?? {};
  return {
    ...rest,
    UserAttributes: attributeList(user),
    ...(on.length === 0 ? {} : { UserMFASettingList: on }),
    ...(preferred === undefined ? {} : { PreferredMfaSetting: preferred }),
  };
}

/** Takes a user who signed up for confirmed, without a code. */
export async function adminConfirmSignUp(context: Context, input: Input): Promise<object> {
  return change(context, input, (user) => {
    if (user.status !== "UNCONFIRMED")
      throw new Fault("NotAuthorizedException", `User cannot be confirmed. Current status is ${user.status}`);
    return { ...user, status: "CONFIRMED" };
  });
}

/** Second factors by Cognito's names, with what a user needs for each. */
const factors = [
  { setting: "SMSMfaSettings", name: "SMS_MFA", needs: "phone_number" },
  { setting: "EmailMfaSettings", name: "EMAIL_OTP", needs: "email" },
  { setting: "SoftwareTokenMfaSettings", name: "SOFTWARE_TOKEN_MFA", needs: undefined },
] as const;

/** Which second factors a user has; nobody has an authenticator here, because none is ever associated. */
export async function adminSetUserMfaPreference(context: Context, input: Input): Promise<object> {
  const asked = factors.flatMap((factor) => {
    const given = optionalStructure(input, factor.setting);
    if (given === undefined) return [];
    const isOn = optionalBoolean(given, "Enabled") ?? false;
    return [{ ...factor, isOn, isPreferred: isOn && optionalBoolean(given, "PreferredMfa") === true }];
  });
  if (asked.filter(({ isPreferred }) => isPreferred).length > 1)
    throw invalid("Only one MFA method can be set as preferred.");
  return change(context, input, (user) => {
    for (const { name, needs, isOn } of asked) {
      if (isOn && (needs === undefined || user.attributes[needs] === undefined))
        throw invalid(`User does not have delivery config set to turn on ${name}`);
    }
    const off = new Set<string>(asked.map(({ name }) => name));
    const kept = (user.factors?.on ?? []).filter((name) => !off.has(name));
    const on = [...kept, ...asked.flatMap(({ name, isOn }) => (isOn ? [name] : []))];
    const before = user.factors?.preferred;
    const preferred =
      asked.find(({ isPreferred }) => isPreferred)?.name ??
      (before === undefined || off.has(before) ? undefined : before);
    return { ...user, factors: { on, preferred } };
  });
}

/** Reads, changes and writes one user as one step. */
async function change(
  context: Context,
  input: Input,
  changed: (user: User, pool: Pool) => User | Promise<User>,
): Promise<object> {
  const poolId = poolIdOf(input);
  const username = usernameOf(input);
  return context.database.exclusive(async () => {
    const pool = await existingPool(context, poolId);
    const before = await existingUser(context, pool, username);
    const after = { ...(await changed(before, pool)), modifiedMs: context.now().getTime() };
    await context.database.write(await saving(context, pool, after, { before }));
    return {};
  });
}

export async function adminUpdateUserAttributes(context: Context, input: Input): Promise<object> {
  return change(context, input, (user, pool) => {
    const given = attributesIn(pool, input);
    for (const [name, value] of Object.entries(given)) {
      if (attributeOf(pool, name)?.Mutable === false && user.attributes[name] !== value)
        throw invalid(`user.${name}: Attribute cannot be updated.\n`);
    }
    return { ...user, attributes: changedAttributes(pool, user.attributes, given) };
  });
}

export async function adminDeleteUserAttributes(context: Context, input: Input): Promise<object> {
  const names = texts(input, "UserAttributeNames", { least: 1, most: 32 });
  return change(context, input, (user, pool) => {
    const attributes = { ...user.attributes };
    for (const name of names) {
      const attribute = attributeOf(pool, name);
      if (attribute === undefined) throw invalid(`user.${name}: Attribute does not exist in the schema.\n`);
      if (!attribute.Mutable) throw invalid(`user.${name}: Attribute cannot be updated.\n`);
      if (attribute.Required || pool.usernameAttributes.includes(name))
        throw invalid(`user.${name}: Attribute is required and cannot be deleted.\n`);
      delete attributes[name];
      if (name === "email" || name === "phone_number") delete attributes[`${name}_verified`];
    }
    return { ...user, attributes };
  });
}

export async function adminDisableUser(context: Context, input: Input): Promise<object> {
  return change(context, input, (user) => ({ ...user, enabled: false }));
}

export async function adminEnableUser(context: Context, input: Input): Promise<object> {
  return change(context, input, (user) => ({ ...user, enabled: true }));
}

/** The user has to choose another password with a code; this store sends none. */
export async function adminResetUserPassword(context: Context, input: Input): Promise<object> {
  return change(context, input, (user) => {
    if (user.status === "FORCE_CHANGE_PASSWORD")
      throw new Fault("NotAuthorizedException", "User password cannot be reset in the current state.");
    const canBeReached = ["email", "phone_number"].some(
      (name) => user.attributes[`${name}_verified`] === "true",
    );
    if (!canBeReached)
      throw invalid(
        "Cannot reset password for the user as there is no registered/verified email or phone_number",
      );
    return { ...user, status: "RESET_REQUIRED" };
  });
}

export async function adminSetUserPassword(context: Context, input: Input): Promise<object> {
  const password = text(input, "Password", rules.password);
  const isPermanent = optionalBoolean(input, "Permanent") ?? false;
  return change(context, input, async (user, pool) => {
    checkPassword(pool, password);
    const status = isPermanent ? "CONFIRMED" : "FORCE_CHANGE_PASSWORD";
    return { ...user, status, password: await hashOf(password) };
  });
}

export async function adminDeleteUser(context: Context, input: Input): Promise<object> {
  const poolId = poolIdOf(input);
  const username = usernameOf(input);
  return context.database.exclusive(async () => {
    const pool = await existingPool(context, poolId);
    const user = await existingUser(context, pool, username);
    await context.database.write(await removing(context, pool, user));
    return {};
  });
}

/** Nobody is ever signed in here; the account has to be there all the same. */
export async function adminUserGlobalSignOut(context: Context, input: Input): Promise<object> {
  const pool = await existingPool(context, poolIdOf(input));
  await existingUser(context, pool, usernameOf(input));
  return {};
}
