import { openDatabase } from "../json-database.ts";
import { answerJson } from "../json-service.ts";
import type { LocalOptions, LocalService } from "../service.ts";
import type { Input } from "./input.ts";
import { makeFirstPool } from "./pools.ts";
import type { Context } from "./records.ts";

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
  const database = await openDatabase(dir, { sync: true });
  const context: Context = { database, region: options.region, now: options.now };
  try {
    await makeFirstPool(context);
  } catch (error) {
    await database.close();
    throw error;
  }
  const service = {
    api: "AWSCognitoIdentityProviderService",
    signedFor: "cognito-idp",
    contentType: "application/x-amz-json-1.1",
    // Whoever signs up has no keys of the account.
    unsigned: ["SignUp"],
    operation: (name: string) =>
      Object.hasOwn(operations, name)
        ? operations[name]?.().then((operation) => (input: Input) => operation(context, input))
        : undefined,
  };
  return {
    handle: (request) => answerJson(service, request, options),
    close: () => database.close(),
  };
}
