import {
  AdminCreateUserCommand,
  type AdminCreateUserCommandInput,
  AdminGetUserCommand,
  type AttributeType,
  CognitoIdentityProviderClient,
  CreateGroupCommand,
  CreateUserPoolCommand,
  type CreateUserPoolCommandInput,
  DeleteUserPoolCommand,
  ListGroupsCommand,
  type ListGroupsCommandOutput,
  ListUsersCommand,
  type ListUsersCommandInput,
  type ListUsersCommandOutput,
  ListUsersInGroupCommand,
  type ListUsersInGroupCommandOutput,
  UpdateUserPoolCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { randomUUID } from "node:crypto";
import type { Account, End, RawAnswer, RawRequest } from "../ends.ts";

/** One fact about Cognito, checked by state on whichever end the scope belongs to. */
export interface Check {
  readonly name: string;
  readonly run: (scope: Scope) => Promise<void>;
}

type PoolShape = Partial<CreateUserPoolCommandInput>;

/** What a check works with. Pools made or named through it are deleted after the check. */
export interface Scope {
  readonly client: CognitoIdentityProviderClient;
  /** The end's own account. */
  readonly credentials: Account;
  readonly region: string;
  /** A second client on the same end, with this account. */
  readonly connect: (credentials: Account) => CognitoIdentityProviderClient;
  /** A request as it is, unsigned. */
  readonly send: (request: RawRequest) => Promise<RawAnswer>;
  /** Makes a pool with user names, unless the shape says otherwise, and gives its id. */
  readonly pool: (shape?: PoolShape) => Promise<string>;
}

/** Runs one check with pools of its own and takes them away again, whatever came of it. */
export async function runCheck(check: Check, end: End): Promise<void> {
  const pools: string[] = [];
  const clients: CognitoIdentityProviderClient[] = [];
  const connect = (credentials: Account) => {
    const client = new CognitoIdentityProviderClient({
      region: end.region,
      endpoint: end.endpoint,
      credentials,
      requestHandler: end.requestHandler,
    });
    clients.push(client);
    return client;
  };
  const client = connect(end.credentials);
  try {
    await check.run({
      client,
      credentials: end.credentials,
      region: end.region,
      connect,
      send: (request) => end.send(request),
      async pool(shape = {}) {
        const input = { PoolName: `conformance-${randomUUID()}`, ...shape };
        const { UserPool: made } = await client.send(new CreateUserPoolCommand(input));
        const id = made?.Id ?? "";
        pools.push(id);
        return id;
      },
    });
  } finally {
    await Promise.all(pools.map((id) => removePool(client, id)));
    for (const opened of clients) opened.destroy();
  }
}

async function removePool(client: CognitoIdentityProviderClient, UserPoolId: string): Promise<void> {
  try {
    await client.send(new DeleteUserPoolCommand({ UserPoolId }));
  } catch (error) {
    if (!(error instanceof Error) || error.name === "ResourceNotFoundException") return;
    try {
      await client.send(new UpdateUserPoolCommand({ UserPoolId, DeletionProtection: "INACTIVE" }));
      await client.send(new DeleteUserPoolCommand({ UserPoolId }));
    } catch {
      // A pool that stays is named "conformance-…" and seen by whoever owns the account; it must not hide the check's result.
    }
  }
}

/** Sign-in by e-mail, case not told apart, as new sites have it. */
export const emailPool: PoolShape = {
  UsernameAttributes: ["email"],
  UsernameConfiguration: { CaseSensitive: false },
};

export const emailAliasPool: PoolShape = { AliasAttributes: ["email"] };

export interface NewUser extends Partial<Omit<AdminCreateUserCommandInput, "UserAttributes">> {
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Makes a user without any message to them; gives the user name that Cognito answered. */
export async function createUser(
  { client }: Scope,
  UserPoolId: string,
  Username: string,
  { attributes = {}, ...rest }: NewUser = {},
): Promise<string> {
  const { User: user } = await client.send(
    new AdminCreateUserCommand({
      UserPoolId,
      Username,
      MessageAction: "SUPPRESS",
      UserAttributes: pairs(attributes),
      ...rest,
    }),
  );
  return user?.Username ?? "";
}

export function pairs(attributes: Readonly<Record<string, string>>): AttributeType[] {
  return Object.entries(attributes).map(([Name, Value]) => ({ Name, Value }));
}

export interface ReadUser {
  readonly username: string;
  readonly sub: string;
  /** Without sub. */
  readonly attributes: Record<string, string>;
  readonly enabled: boolean | undefined;
  readonly status: string | undefined;
  readonly createdAt: Date | undefined;
  readonly modifiedAt: Date | undefined;
}

export async function getUser({ client }: Scope, UserPoolId: string, Username: string): Promise<ReadUser> {
  const answer = await client.send(new AdminGetUserCommand({ UserPoolId, Username }));
  const { sub = "", ...attributes } = record(answer.UserAttributes);
  return {
    username: answer.Username ?? "",
    sub,
    attributes,
    enabled: answer.Enabled,
    status: answer.UserStatus,
    createdAt: answer.UserCreateDate,
    modifiedAt: answer.UserLastModifiedDate,
  };
}

export function record(attributes: readonly AttributeType[] = []): Record<string, string> {
  return Object.fromEntries(attributes.map(({ Name, Value }) => [Name ?? "", Value ?? ""]));
}

/** User names of a listing, page by page; sorted, for Cognito names no order. */
export async function listNames(
  { client }: Scope,
  UserPoolId: string,
  input: Partial<ListUsersCommandInput> = {},
): Promise<string[]> {
  const names: string[] = [];
  let token: string | undefined;
  do {
    const page: ListUsersCommandOutput = await client.send(
      new ListUsersCommand({ UserPoolId, ...input, PaginationToken: token }),
    );
    names.push(...(page.Users ?? []).map((user) => user.Username ?? ""));
    token = page.PaginationToken;
  } while (token !== undefined);
  return names.toSorted();
}

export async function createGroup({ client }: Scope, UserPoolId: string, GroupName: string): Promise<void> {
  await client.send(new CreateGroupCommand({ UserPoolId, GroupName }));
}

/** User names of a group's members, page by page; sorted. */
export async function membersOf(
  { client }: Scope,
  UserPoolId: string,
  { group, Limit }: { readonly group: string; readonly Limit?: number },
): Promise<string[]> {
  const names: string[] = [];
  let token: string | undefined;
  do {
    const page: ListUsersInGroupCommandOutput = await client.send(
      new ListUsersInGroupCommand({ UserPoolId, GroupName: group, Limit, NextToken: token }),
    );
    names.push(...(page.Users ?? []).map((user) => user.Username ?? ""));
    token = page.NextToken;
  } while (token !== undefined);
  return names.toSorted();
}

/** Names of a pool's groups, page by page; sorted. */
export async function groupNames({ client }: Scope, UserPoolId: string, Limit?: number): Promise<string[]> {
  const names: string[] = [];
  let token: string | undefined;
  do {
    const page: ListGroupsCommandOutput = await client.send(
      new ListGroupsCommand({ UserPoolId, Limit, NextToken: token }),
    );
    names.push(...(page.Groups ?? []).map((group) => group.GroupName ?? ""));
    token = page.NextToken;
  } while (token !== undefined);
  return names.toSorted();
}

export const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
