import type { Aws } from "../clients.ts";
import { abortable } from "../s3/objects.ts";
import { errorName, isRepeated } from "../setting.ts";
import type { ListOptions } from "./users-list.ts";
import { onwards } from "../paging.ts";

/** A group of a Cognito user pool. */
export interface PoolGroup {
  readonly name: string;
  readonly description?: string;
  /** The lower number wins where a user's groups disagree. */
  readonly precedence?: number;
  readonly roleArn?: string;
}

/** The groups of a pool, by name. */
export async function listGroups(
  aws: Aws,
  poolId: string,
  { paced, signal }: ListOptions,
): Promise<PoolGroup[]> {
  const [cognito, { ListGroupsCommand }] = await sdk(aws);
  const groups: PoolGroup[] = [];
  let token: string | undefined;
  const onward = onwards<NonNullable<typeof token>>("groups");
  do {
    const asked = new ListGroupsCommand({ UserPoolId: poolId, Limit: 60, NextToken: token });
    const page = await paced(() => cognito.send(asked, abortable(signal)), signal);
    for (const { GroupName, Description, Precedence, RoleArn } of page.Groups ?? []) {
      groups.push({
        name: GroupName ?? "",
        ...(Description === undefined || Description === "" ? {} : { description: Description }),
        precedence: Precedence,
        ...(RoleArn === undefined || RoleArn === "" ? {} : { roleArn: RoleArn }),
      });
    }
    token = onward(page.NextToken);
  } while (token !== undefined);
  return groups.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/**
 * User name to the names of the groups, sorted; users in no group are not in it. Asked for by group, not by user: a
 * call for 60 members instead of one for each user of the pool.
 */
export async function readMemberships(
  aws: Aws,
  poolId: string,
  { groups, paced, signal }: ListOptions & { readonly groups: readonly PoolGroup[] },
): Promise<ReadonlyMap<string, readonly string[]>> {
  const [cognito, { ListUsersInGroupCommand }] = await sdk(aws);
  const memberships = new Map<string, string[]>();
  for (const { name } of groups) {
    let token: string | undefined;
    const onward = onwards<NonNullable<typeof token>>("groups");
    do {
      const asked = new ListUsersInGroupCommand({
        UserPoolId: poolId,
        GroupName: name,
        Limit: 60,
        NextToken: token,
      });
      const page = await paced(() => cognito.send(asked, abortable(signal)), signal);
      for (const { Username = "" } of page.Users ?? []) {
        memberships.set(Username, [...(memberships.get(Username) ?? []), name].toSorted());
      }
      token = onward(page.NextToken);
    } while (token !== undefined);
  }
  return memberships;
}

/** The names of the groups of one account, sorted. */
export async function groupsOfUser(
  aws: Aws,
  poolId: string,
  { username, paced, signal }: ListOptions & { readonly username: string },
): Promise<string[]> {
  const [cognito, { AdminListGroupsForUserCommand }] = await sdk(aws);
  const names: string[] = [];
  let token: string | undefined;
  const onward = onwards<NonNullable<typeof token>>("groups");
  do {
    const account = { UserPoolId: poolId, Username: username };
    const asked = new AdminListGroupsForUserCommand({ ...account, Limit: 60, NextToken: token });
    const page = await paced(() => cognito.send(asked, abortable(signal)), signal);
    names.push(...(page.Groups ?? []).map(({ GroupName }) => GroupName ?? ""));
    token = onward(page.NextToken);
  } while (token !== undefined);
  return names.toSorted();
}

/** Makes a group; `exists` when somebody else did. One that is there after an answer was lost counts as made by that call. */
export async function createGroup(
  aws: Aws,
  poolId: string,
  { group, paced, signal }: ListOptions & { readonly group: PoolGroup },
): Promise<"created" | "exists"> {
  const [cognito, { CreateGroupCommand }] = await sdk(aws);
  const asked = new CreateGroupCommand({
    UserPoolId: poolId,
    GroupName: group.name,
    Description: group.description,
    Precedence: group.precedence,
    // Servers in AWS's place tell of an empty one, which none takes.
    RoleArn: group.roleArn === "" ? undefined : group.roleArn,
  });
  try {
    await paced(() => cognito.send(asked, abortable(signal)), signal);
    return "created";
  } catch (error) {
    if (errorName(error) === "GroupExistsException") return isRepeated(error) ? "created" : "exists";
    throw error;
  }
}

function sdk(aws: Aws) {
  return Promise.all([aws.cognito(), import("./sdk.ts")]);
}
