import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { checkSecretHash, clientByItself, type Client, clientOf } from "./clients.ts";
import { Fault } from "../fault.ts";
import { invalid, userNotFound } from "./fault.ts";
import { parseJson } from "../json.ts";
import {
  type Input,
  isInput,
  limitOf,
  optionalStructure,
  optionalText,
  poolIdOf,
  rules,
  text,
  usernameOf,
} from "./input.ts";
import { newUser } from "./create-user.ts";
import { checkPassword, hashOf, isPassword } from "./passwords.ts";
import { type Context, existingPool, keys, page, type Pool, put, seconds, type User } from "./records.ts";
import { attributesIn } from "./schema.ts";
import { placeOf, tokenOf } from "./tokens.ts";
import { attributeList, existingUser, findUser, keyName, saving } from "./users.ts";

/** Signs tokens and sessions of this process: no operation here takes a token. */
const processKey = randomBytes(32);
const accessSeconds = 3600;
const sessionSeconds = 180;

/** Signs a user in by password. */
export async function adminInitiateAuth(context: Context, input: Input): Promise<object> {
  const flow = text(input, "AuthFlow", {
    oneOf: [
      "ADMIN_NO_SRP_AUTH",
      "ADMIN_USER_PASSWORD_AUTH",
      "CUSTOM_AUTH",
      "REFRESH_TOKEN",
      "REFRESH_TOKEN_AUTH",
      "USER_AUTH",
      "USER_PASSWORD_AUTH",
      "USER_SRP_AUTH",
    ],
  });
  const client = await clientOf(context, input);
  const isByPassword = flow === "ADMIN_NO_SRP_AUTH" || flow === "ADMIN_USER_PASSWORD_AUTH";
  if (!isByPassword)
    throw invalid(`The local store signs in by ADMIN_USER_PASSWORD_AUTH only, not by ${flow}.`);
  const isAllowed = ["ADMIN_NO_SRP_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"].some((name) =>
    client.flows.includes(name),
  );
  if (!isAllowed) throw invalid("Auth flow not enabled for this client");
  const given = optionalStructure(input, "AuthParameters") ?? {};
  const username = optionalText(given, "USERNAME");
  const password = optionalText(given, "PASSWORD");
  if (username === undefined) throw invalid("Missing required parameter USERNAME");
  if (password === undefined) throw invalid("Missing required parameter PASSWORD");
  const pool = await existingPool(context, client.poolId);
  checkSecretHash(client, username, optionalText(given, "SECRET_HASH"));
  const user = await findUser(context, pool, username);
  if (user === undefined) throw client.hidesUsers ? wrongPassword() : userNotFound();
  const isRight = await isPassword(password, user.password);
  const fault = isRight ? stateFault(user) : wrongPassword();
  await note(context, pool, { user, isRight: fault === undefined });
  if (fault !== undefined) throw fault;
  if (user.status === "FORCE_CHANGE_PASSWORD") return newPasswordChallenge(context, client, user);
  return authenticated(context, client, user);
}

function wrongPassword(): Fault {
  return new Fault("NotAuthorizedException", "Incorrect username or password.");
}

function stateFault({ enabled, status }: User): Fault | undefined {
  if (!enabled) return new Fault("NotAuthorizedException", "User is disabled.");
  if (status === "UNCONFIRMED") return new Fault("UserNotConfirmedException", "User is not confirmed.");
  if (status !== "RESET_REQUIRED") return undefined;
  return new Fault("PasswordResetRequiredException", "Password reset required for the user");
}

function newPasswordChallenge(context: Context, client: Client, user: User): object {
  const expiresSeconds = Math.floor(context.now().getTime() / 1000) + sessionSeconds;
  return {
    ChallengeName: "NEW_PASSWORD_REQUIRED",
    Session: signed({ client: client.id, sub: user.sub, modifiedMs: user.modifiedMs, exp: expiresSeconds }),
    ChallengeParameters: {
      USER_ID_FOR_SRP: user.username,
      requiredAttributes: "[]",
      userAttributes: JSON.stringify(user.attributes),
    },
  };
}

/** A temporary password is changed for one of the user's own. */
export async function adminRespondToAuthChallenge(context: Context, input: Input): Promise<object> {
  const client = await clientOf(context, input);
  const challenge = text(input, "ChallengeName");
  if (challenge !== "NEW_PASSWORD_REQUIRED") throw invalid(`The local store never asks for ${challenge}.`);
  const given = optionalStructure(input, "ChallengeResponses") ?? {};
  const username = text(given, "USERNAME");
  const password = text(given, "NEW_PASSWORD", rules.password);
  checkSecretHash(client, username, optionalText(given, "SECRET_HASH"));
  const session = optionalText(input, "Session");
  return context.database.exclusive(async () => {
    const pool = await existingPool(context, client.poolId);
    const user = await existingUser(context, pool, username);
    const { exp, ...about } = claimsIn(session) ?? {};
    const expected = { client: client.id, sub: user.sub, modifiedMs: user.modifiedMs };
    const isOver = typeof exp !== "number" || exp * 1000 < context.now().getTime();
    if (isOver || JSON.stringify(about) !== JSON.stringify(expected)) {
      throw new Fault("NotAuthorizedException", "Invalid session for the user.");
    }
    checkPassword(pool, password);
    const changed: User = {
      ...user,
      status: "CONFIRMED",
      password: await hashOf(password),
      modifiedMs: context.now().getTime(),
    };
    await context.database.write(await saving(context, pool, changed, { before: user }));
    return authenticated(context, client, changed);
  });
}

function authenticated(context: Context, client: Client, user: User): object {
  const issuedSeconds = Math.floor(context.now().getTime() / 1000);
  const common = {
    sub: user.sub,
    iss: `https://cognito-idp.${context.region}.amazonaws.com/${client.poolId}`,
    iat: issuedSeconds,
    auth_time: issuedSeconds,
    exp: issuedSeconds + accessSeconds,
    jti: randomUUID(),
  };
  const attributes = Object.fromEntries(attributeList(user).map(({ Name, Value }) => [Name, Value]));
  return {
    ChallengeParameters: {},
    AuthenticationResult: {
      AccessToken: signed({ ...common, token_use: "access", client_id: client.id, username: user.username }),
      IdToken: signed({
        ...attributes,
        ...common,
        token_use: "id",
        aud: client.id,
        "cognito:username": user.username,
      }),
      RefreshToken: randomBytes(96).toString("base64url"),
      ExpiresIn: accessSeconds,
      TokenType: "Bearer",
    },
  };
}

/** What a token of this process says; undefined for every other text. */
function claimsIn(token: string | undefined): Input | undefined {
  const [, body = ""] = (token ?? "").split(".");
  const claims = parsed(Buffer.from(body, "base64url").toString());
  return isInput(claims) && signed(claims) === token ? claims : undefined;
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** A JSON Web Token; nobody outside this process can verify it. */
function signed(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const content = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${content}.${createHmac("sha256", processKey).update(content).digest("base64url")}`;
}

/** A user makes an account; it waits for its confirmation, for which no message is sent. */
export async function signUp(context: Context, input: Input): Promise<object> {
  const client = await clientByItself(context, input);
  const username = usernameOf(input);
  const password = text(input, "Password", rules.password);
  checkSecretHash(client, username, optionalText(input, "SecretHash"));
  const pool = await existingPool(context, client.poolId);
  const settings = pool.settings["AdminCreateUserConfig"] as
    | { AllowAdminCreateUserOnly?: boolean }
    | undefined;
  if (settings?.AllowAdminCreateUserOnly === true) {
    throw new Fault("NotAuthorizedException", "SignUp is not permitted for this user pool");
  }
  checkPassword(pool, password);
  const made = await newUser(context, pool, {
    username,
    given: attributesIn(pool, input),
    password: await hashOf(password),
    status: "UNCONFIRMED",
  });
  return { UserConfirmed: false, UserSub: made.sub };
}

/** Sign-ins as a pool with threat protection tells them, the newest first. */
export async function adminListUserAuthEvents(context: Context, input: Input): Promise<object> {
  const pool = await existingPool(context, poolIdOf(input));
  const user = await existingUser(context, pool, usernameOf(input));
  if (!hasEvents(pool)) {
    throw new Fault("UserPoolAddOnNotEnabledException", "User pool add-ons are not enabled for this pool.");
  }
  const about = `events of ${user.sub}`;
  const { items, next } = await page(context, keys.events(pool.id, keyName(pool, user.username)), {
    limit: limitOf(input, "MaxResults"),
    token: placeOf(optionalText(input, "NextToken", rules.token), about),
    take: (_key, event: { id: string; atMs: number; isRight: boolean }) => ({
      EventId: event.id,
      EventType: "SignIn",
      CreationDate: seconds(event.atMs),
      EventResponse: event.isRight ? "Pass" : "Fail",
      ChallengeResponses: [
        { ChallengeName: "Password", ChallengeResponse: event.isRight ? "Success" : "Failure" },
      ],
    }),
  });
  return { AuthEvents: items, NextToken: tokenOf(next, about) };
}

async function note(
  context: Context,
  pool: Pool,
  { user, isRight }: { user: User; isRight: boolean },
): Promise<void> {
  if (!hasEvents(pool)) return;
  const [atMs, id] = [context.now().getTime(), randomUUID()];
  const newestFirst = String(Number.MAX_SAFE_INTEGER - atMs).padStart(16, "0");
  const key = keys.events(pool.id, keyName(pool, user.username)) + `${newestFirst}-${id}`;
  await context.database.write([put(key, { id, atMs, isRight })]);
}

function hasEvents(pool: Pool): boolean {
  const addOns = pool.settings["UserPoolAddOns"] as { AdvancedSecurityMode?: string } | undefined;
  return addOns?.AdvancedSecurityMode === "AUDIT" || addOns?.AdvancedSecurityMode === "ENFORCED";
}

/** No device is ever remembered here. */
export async function adminListDevices(context: Context, input: Input): Promise<object> {
  const pool = await existingPool(context, poolIdOf(input));
  await existingUser(context, pool, usernameOf(input));
  limitOf(input);
  return { Devices: [] };
}

export async function adminForgetDevice(context: Context, input: Input): Promise<object> {
  await adminListDevices(context, input);
  text(input, "DeviceKey", { least: 1, most: 55, pattern: String.raw`[\w-]+_[0-9a-f-]+` });
  throw new Fault("ResourceNotFoundException", "Device does not exist.");
}
