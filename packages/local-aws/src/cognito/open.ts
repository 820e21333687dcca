import { randomUUID } from "node:crypto";
import type { LocalOptions, LocalRequest, LocalResponse, LocalService } from "../service.ts";
import { readBody, signatureFault } from "../signed-json.ts";
import { parseJson } from "../json.ts";
import { openDatabase } from "./database.ts";
import { Fault } from "./fault.ts";
import { type Input, isInput } from "./input.ts";
import { makeFirstPool } from "./pools.ts";
import type { Context } from "./records.ts";

/** More than any call of this API takes. */
const requestLimitBytes = 1024 * 1024;

const api = "AWSCognitoIdentityProviderService";

type Operation = (context: Context, input: Input) => Promise<object>;

// Every group is loaded with the first request for it.
const pools = () => import("./pools.ts");
const changes = () => import("./change-user.ts");
const groups = () => import("./groups.ts");
const clients = () => import("./clients.ts");
const signIn = () => import("./sign-in.ts");

const operations: Readonly<Record<string, () => Promise<Operation>>> = {
  AdminAddUserToGroup: async () => (await groups()).adminAddUserToGroup,
  AdminConfirmSignUp: async () => (await changes()).adminConfirmSignUp,
  AdminCreateUser: async () => (await import("./create-user.ts")).adminCreateUser,
  AdminDeleteUser: async () => (await changes()).adminDeleteUser,
  AdminDeleteUserAttributes: async () => (await changes()).adminDeleteUserAttributes,
  AdminDisableUser: async () => (await changes()).adminDisableUser,
  AdminEnableUser: async () => (await changes()).adminEnableUser,
  AdminForgetDevice: async () => (await signIn()).adminForgetDevice,
  AdminGetUser: async () => (await changes()).adminGetUser,
  AdminInitiateAuth: async () => (await signIn()).adminInitiateAuth,
  AdminListDevices: async () => (await signIn()).adminListDevices,
  AdminListGroupsForUser: async () => (await groups()).adminListGroupsForUser,
  AdminListUserAuthEvents: async () => (await signIn()).adminListUserAuthEvents,
  AdminRemoveUserFromGroup: async () => (await groups()).adminRemoveUserFromGroup,
  AdminResetUserPassword: async () => (await changes()).adminResetUserPassword,
  AdminRespondToAuthChallenge: async () => (await signIn()).adminRespondToAuthChallenge,
  AdminSetUserMFAPreference: async () => (await changes()).adminSetUserMfaPreference,
  AdminSetUserPassword: async () => (await changes()).adminSetUserPassword,
  AdminUpdateUserAttributes: async () => (await changes()).adminUpdateUserAttributes,
  AdminUserGlobalSignOut: async () => (await changes()).adminUserGlobalSignOut,
  CreateGroup: async () => (await groups()).createGroup,
  CreateUserPool: async () => (await pools()).createUserPool,
  CreateUserPoolClient: async () => (await clients()).createUserPoolClient,
  DeleteGroup: async () => (await groups()).deleteGroup,
  DeleteUserPool: async () => (await pools()).deleteUserPool,
  DeleteUserPoolClient: async () => (await clients()).deleteUserPoolClient,
  DescribeUserPool: async () => (await pools()).describeUserPool,
  DescribeUserPoolClient: async () => (await clients()).describeUserPoolClient,
  GetGroup: async () => (await groups()).getGroup,
  ListGroups: async () => (await groups()).listGroups,
  ListUserPoolClients: async () => (await clients()).listUserPoolClients,
  ListUserPools: async () => (await pools()).listUserPools,
  ListUsers: async () => (await import("./list-users.ts")).listUsers,
  ListUsersInGroup: async () => (await groups()).listUsersInGroup,
  SignUp: async () => (await signIn()).signUp,
  UpdateGroup: async () => (await groups()).updateGroup,
  UpdateUserPool: async () => (await pools()).updateUserPool,
  UpdateUserPoolClient: async () => (await clients()).updateUserPoolClient,
};

/**
 * Opens (or makes) the Cognito end in `dir`: what administrators do with pools, users and groups. Passwords sign
 * in, and no message is sent. The folder belongs to one process at a time: the caller holds the store's lock. Every
 * acknowledged write is on the disk. Rejects when the database cannot be opened.
 */
export async function openCognito(dir: string, options: LocalOptions): Promise<LocalService> {
  const database = await openDatabase(dir);
  const context: Context = { database, region: options.region, now: options.now };
  try {
    await makeFirstPool(context);
  } catch (error) {
    await database.close();
    throw error;
  }
  return {
    async handle(request) {
      try {
        return respond(200, await answer(context, request, options), options.now());
      } catch (error) {
        if (request.signal?.aborted === true) throw error;
        return refusal(error, options.now());
      }
    },
    close: () => database.close(),
  };
}

async function answer(context: Context, request: LocalRequest, options: LocalOptions): Promise<object> {
  const body = await readBody(request, requestLimitBytes);
  if (body === undefined) throw new Fault("RequestEntityTooLarge", "The request is too large.", 413);
  const [service, name = ""] = (request.headers["x-amz-target"] ?? "").split(".");
  const operation = service === api && Object.hasOwn(operations, name) ? operations[name] : undefined;
  // Whoever signs up has no keys of the account.
  const fault =
    name === "SignUp" ? undefined : signatureFault(request, body, { ...options, service: "cognito-idp" });
  if (fault !== undefined) throw new Fault(fault.type, fault.message);
  if (request.method !== "POST" || operation === undefined)
    throw new Fault("UnknownOperationException", `${name} is not offered by the local store`);
  return (await operation())(context, parse(body));
}

function parse(body: Buffer): Input {
  let parsed: unknown;
  try {
    parsed = parseJson(body.toString());
  } catch {
    parsed = undefined;
  }
  if (isInput(parsed)) return parsed;
  throw new Fault("SerializationException", "The request is not a JSON object");
}

function refusal(error: unknown, now: Date): LocalResponse {
  if (!(error instanceof Fault)) {
    const message = `the local store failed: ${error instanceof Error ? error.message : String(error)}`;
    return respond(500, { __type: "InternalErrorException", message }, now);
  }
  const { type, message, status } = error;
  const { headers, ...rest } = respond(status, { __type: type, message }, now);
  return {
    ...rest,
    headers: { ...headers, "x-amzn-errortype": `${type}:`, "x-amzn-errormessage": headerText(message) },
  };
}

/** A header takes no line's end and no character beyond Latin-1. */
function headerText(message: string): string {
  return message.replaceAll(/[^\x20-\x7e]/g, " ").trim();
}

function respond(status: number, document: object, now: Date): LocalResponse {
  const body = Buffer.from(JSON.stringify(document));
  return {
    status,
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "content-length": String(body.length),
      // By this a client corrects a clock that is off, and sends again.
      date: now.toUTCString(),
      "x-amzn-requestid": randomUUID(),
    },
    body,
  };
}
