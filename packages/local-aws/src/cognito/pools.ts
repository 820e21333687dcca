import { randomBytes } from "node:crypto";
import { localPoolId } from "../service.ts";
import { invalid } from "./fault.ts";
import {
  type Input,
  isInput,
  limitOf,
  optionalBoolean,
  optionalStructure,
  optionalText,
  poolIdOf,
  rules,
  text,
  texts,
} from "./input.ts";
import { defaultPolicy } from "./passwords.ts";
import {
  type Context,
  del,
  existingPool,
  keys,
  keysOfPool,
  page,
  type Pool,
  put,
  seconds,
} from "./records.ts";
import { schemaOf } from "./schema.ts";
import { placeOf, tokenOf } from "./tokens.ts";

/** What AWS's own documents use for an account that does not exist. */
const account = "000000000000";

/** Kept as they were said and told again; this store acts on those that `passwords.ts` and `deleteUserPool` read. */
const settingNames = [
  "AccountRecoverySetting",
  "AdminCreateUserConfig",
  "AutoVerifiedAttributes",
  "DeletionProtection",
  "DeviceConfiguration",
  "EmailConfiguration",
  "EmailVerificationMessage",
  "EmailVerificationSubject",
  "LambdaConfig",
  "MfaConfiguration",
  "Policies",
  "SmsAuthenticationMessage",
  "SmsConfiguration",
  "SmsVerificationMessage",
  "UserAttributeUpdateSettings",
  "UserPoolAddOns",
  "UserPoolTags",
  "UserPoolTier",
  "VerificationMessageTemplate",
];

const defaults = {
  AdminCreateUserConfig: { AllowAdminCreateUserOnly: false, UnusedAccountValidityDays: 7 },
  DeletionProtection: "INACTIVE",
  EmailConfiguration: { EmailSendingAccount: "COGNITO_DEFAULT" },
  LambdaConfig: {},
  MfaConfiguration: "OFF",
  Policies: { PasswordPolicy: defaultPolicy },
  UserPoolTier: "ESSENTIALS",
  VerificationMessageTemplate: { DefaultEmailOption: "CONFIRM_WITH_CODE" },
};

/** Makes a store's own pool: sign-in by e-mail. Once a region: a deleted one stays deleted. */
export async function makeFirstPool(context: Context): Promise<void> {
  const { database, region } = context;
  const marker = keys.region(region);
  if ((await database.get(marker)) !== undefined) return;
  const pool = newPool(context, localPoolId(region), {
    PoolName: "local",
    UsernameAttributes: ["email"],
    AutoVerifiedAttributes: ["email"],
    UsernameConfiguration: { CaseSensitive: false },
  });
  await database.write([put(keys.pool(pool.id), pool), put(marker, true)]);
}

export async function createUserPool(context: Context, input: Input): Promise<object> {
  const pool = newPool(context, `${context.region}_${randomName()}`, input);
  await context.database.write([put(keys.pool(pool.id), pool)]);
  return { UserPool: await described(context, pool) };
}

function newPool(context: Context, id: string, input: Input): Pool {
  const createdMs = context.now().getTime();
  const signIn = { oneOf: ["email", "phone_number"] };
  const usernameAttributes = texts(input, "UsernameAttributes", signIn);
  const aliasAttributes = texts(input, "AliasAttributes", { oneOf: [...signIn.oneOf, "preferred_username"] });
  if (usernameAttributes.length > 0 && aliasAttributes.length > 0)
    throw invalid("Only one of the aliasAttributes or usernameAttributes can be set in a user pool.");
  const configuration = optionalStructure(input, "UsernameConfiguration");
  const caseSensitive =
    configuration === undefined ? undefined : optionalBoolean(configuration, "CaseSensitive");
  return {
    id,
    name: text(input, "PoolName", rules.poolName),
    createdMs,
    modifiedMs: createdMs,
    schema: schemaOf(input),
    usernameAttributes,
    aliasAttributes,
    caseSensitive,
    settings: settingsIn(input),
  };
}

/** Nine letters and digits, as Cognito's are. */
function randomName(): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from(randomBytes(9), (byte) => letters[byte % letters.length]).join("");
}

function settingsIn(input: Input): Record<string, unknown> {
  optionalText(input, "DeletionProtection", { oneOf: ["ACTIVE", "INACTIVE"] });
  optionalText(input, "MfaConfiguration", { oneOf: ["OFF", "ON", "OPTIONAL"] });
  const given = settingNames.flatMap((name) => {
    const value = input[name];
    return value === undefined || value === null ? [] : [[name, value] as const];
  });
  return { ...defaults, ...Object.fromEntries(given), Policies: policiesIn(input) };
}

function policiesIn(input: Input): object {
  const given = optionalStructure(input, "Policies")?.["PasswordPolicy"];
  if (!isInput(given)) return defaults.Policies;
  // What a given policy does not name is not demanded.
  const lax = {
    RequireUppercase: false,
    RequireLowercase: false,
    RequireNumbers: false,
    RequireSymbols: false,
  };
  const { MinimumLength, TemporaryPasswordValidityDays } = defaultPolicy;
  return { PasswordPolicy: { MinimumLength, ...lax, TemporaryPasswordValidityDays, ...given } };
}

export async function describeUserPool(context: Context, input: Input): Promise<object> {
  return { UserPool: await described(context, await existingPool(context, poolIdOf(input))) };
}

async function described(context: Context, pool: Pool): Promise<object> {
  const users = await context.database.keys({ gte: keys.users(pool.id), lt: `u\0${pool.id}\u0001` });
  const { usernameAttributes, aliasAttributes, caseSensitive } = pool;
  return {
    Id: pool.id,
    Arn: `arn:aws:cognito-idp:${context.region}:${account}:userpool/${pool.id}`,
    Name: pool.name,
    CreationDate: seconds(pool.createdMs),
    LastModifiedDate: seconds(pool.modifiedMs),
    EstimatedNumberOfUsers: users.length,
    SchemaAttributes: pool.schema,
    ...(usernameAttributes.length === 0 ? {} : { UsernameAttributes: usernameAttributes }),
    ...(aliasAttributes.length === 0 ? {} : { AliasAttributes: aliasAttributes }),
    ...(caseSensitive === undefined ? {} : { UsernameConfiguration: { CaseSensitive: caseSensitive } }),
    ...pool.settings,
  };
}

export async function listUserPools(context: Context, input: Input): Promise<object> {
  if (input["MaxResults"] === undefined)
    throw invalid(
      "1 validation error detected: Value null at 'maxResults' failed to satisfy constraint: Member must not be null",
    );
  const about = "pools";
  const { items, next } = await page(context, keys.pools, {
    limit: limitOf(input, "MaxResults"),
    token: placeOf(optionalText(input, "NextToken", rules.token), about),
    take: (_key, pool: Pool) => ({
      Id: pool.id,
      Name: pool.name,
      LambdaConfig: {},
      CreationDate: seconds(pool.createdMs),
      LastModifiedDate: seconds(pool.modifiedMs),
    }),
  });
  return { UserPools: items, NextToken: tokenOf(next, about) };
}

/** What is not named goes back to its default, as at AWS. */
export async function updateUserPool(context: Context, input: Input): Promise<object> {
  const id = poolIdOf(input);
  return context.database.exclusive(async () => {
    const pool = await existingPool(context, id);
    const name = optionalText(input, "PoolName", rules.poolName) ?? pool.name;
    const changed = { ...pool, name, modifiedMs: context.now().getTime(), settings: settingsIn(input) };
    await context.database.write([put(keys.pool(id), changed)]);
    return {};
  });
}

export async function deleteUserPool(context: Context, input: Input): Promise<object> {
  const id = poolIdOf(input);
  return context.database.exclusive(async () => {
    const pool = await existingPool(context, id);
    if (pool.settings["DeletionProtection"] === "ACTIVE")
      throw invalid(
        "The user pool cannot be deleted because deletion protection is activated. Deletion protection must be inactivated first.",
      );
    const contents = await keysOfPool(context, id);
    await context.database.write([keys.pool(id), ...contents].map((key) => del(key)));
    return {};
  });
}
