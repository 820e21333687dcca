import { under } from "../json-database.ts";
import { Fault } from "../fault.ts";
import { groupNotFound } from "./fault.ts";
import {
  groupNameOf,
  type Input,
  limitOf,
  optionalNumber,
  optionalText,
  poolIdOf,
  rules,
  usernameOf,
} from "./input.ts";
import {
  type Context,
  del,
  existingPool,
  type Group,
  keys,
  lastPart,
  page,
  type Pool,
  put,
  seconds,
  type User,
} from "./records.ts";
import { placeOf, tokenOf } from "./tokens.ts";
import { described as describedUser, existingUser, keyName } from "./users.ts";

async function existingGroup(context: Context, pool: Pool, name: string): Promise<Group> {
  const group = await context.database.get<Group>(keys.group(pool.id, name));
  if (group === undefined) throw groupNotFound();
  return group;
}

function described(pool: Pool, group: Group): object {
  const { name, description, precedence, roleArn, createdMs, modifiedMs } = group;
  return {
    GroupName: name,
    UserPoolId: pool.id,
    Description: description,
    Precedence: precedence,
    RoleArn: roleArn,
    CreationDate: seconds(createdMs),
    LastModifiedDate: seconds(modifiedMs),
  };
}

function settingsIn(input: Input): Pick<Group, "description" | "precedence" | "roleArn"> {
  const description = optionalText(input, "Description", { most: 2048 });
  const precedence = optionalNumber(input, "Precedence", { least: 0 });
  const roleArn = optionalText(input, "RoleArn", { least: 20, most: 2048 });
  return {
    description,
    precedence,
    roleArn,
  };
}

export async function createGroup(context: Context, input: Input): Promise<object> {
  const poolId = poolIdOf(input);
  const name = groupNameOf(input);
  const settings = settingsIn(input);
  return context.database.exclusive(async () => {
    const pool = await existingPool(context, poolId);
    const key = keys.group(pool.id, name);
    if ((await context.database.get(key)) !== undefined)
      throw new Fault("GroupExistsException", "A group with the name already exists.");
    const createdMs = context.now().getTime();
    const group: Group = { name, ...settings, createdMs, modifiedMs: createdMs };
    await context.database.write([put(key, group)]);
    return { Group: described(pool, group) };
  });
}

export async function getGroup(context: Context, input: Input): Promise<object> {
  const pool = await existingPool(context, poolIdOf(input));
  return { Group: described(pool, await existingGroup(context, pool, groupNameOf(input))) };
}

/** What is not named stays. */
export async function updateGroup(context: Context, input: Input): Promise<object> {
  const poolId = poolIdOf(input);
  const name = groupNameOf(input);
  const settings = settingsIn(input);
  return context.database.exclusive(async () => {
    const pool = await existingPool(context, poolId);
    const before = await existingGroup(context, pool, name);
    const {
      description = before.description,
      precedence = before.precedence,
      roleArn = before.roleArn,
    } = settings;
    const modifiedMs = context.now().getTime();
    const group: Group = { ...before, description, precedence, roleArn, modifiedMs };
    await context.database.write([put(keys.group(pool.id, name), group)]);
    return { Group: described(pool, group) };
  });
}

export async function deleteGroup(context: Context, input: Input): Promise<object> {
  const poolId = poolIdOf(input);
  const name = groupNameOf(input);
  return context.database.exclusive(async () => {
    const pool = await existingPool(context, poolId);
    await existingGroup(context, pool, name);
    const members = await context.database.keys(under(keys.members(pool.id, name)));
    await context.database.write([
      del(keys.group(pool.id, name)),
      ...members.flatMap((key) => [del(key), del(keys.membership(pool.id, lastPart(key), name))]),
    ]);
    return {};
  });
}

export async function listGroups(context: Context, input: Input): Promise<object> {
  const pool = await existingPool(context, poolIdOf(input));
  const about = `groups ${pool.id}`;
  const { items, next } = await page(context, keys.groups(pool.id), {
    limit: limitOf(input),
    token: placeOf(optionalText(input, "NextToken", rules.token), about),
    take: (_key, group: Group) => described(pool, group),
  });
  return { Groups: items, NextToken: tokenOf(next, about) };
}

/** Also when the user is in it already. */
export async function adminAddUserToGroup(context: Context, input: Input): Promise<object> {
  return member(context, input, (inGroup, ofUser) => [put(inGroup, true), put(ofUser, true)]);
}

/** Also when the user is not in it. */
export async function adminRemoveUserFromGroup(context: Context, input: Input): Promise<object> {
  return member(context, input, (inGroup, ofUser) => [del(inGroup), del(ofUser)]);
}

async function member(
  context: Context,
  input: Input,
  writes: (inGroup: string, ofUser: string) => Parameters<Context["database"]["write"]>[0],
): Promise<object> {
  const poolId = poolIdOf(input);
  const username = usernameOf(input);
  const group = groupNameOf(input);
  return context.database.exclusive(async () => {
    const pool = await existingPool(context, poolId);
    await existingGroup(context, pool, group);
    const user = await existingUser(context, pool, username);
    const name = keyName(pool, user.username);
    await context.database.write(
      writes(keys.member(pool.id, group, name), keys.membership(pool.id, name, group)),
    );
    return {};
  });
}

export async function adminListGroupsForUser(context: Context, input: Input): Promise<object> {
  const pool = await existingPool(context, poolIdOf(input));
  const user = await existingUser(context, pool, usernameOf(input));
  const name = keyName(pool, user.username);
  const about = `groups ${pool.id} ${user.sub}`;
  const { items, next } = await page(context, keys.memberships(pool.id, name), {
    limit: limitOf(input),
    token: placeOf(optionalText(input, "NextToken", rules.token), about),
    async take(key) {
      const group = await context.database.get<Group>(keys.group(pool.id, lastPart(key)));
      return group === undefined ? undefined : described(pool, group);
    },
  });
  return { Groups: items, NextToken: tokenOf(next, about) };
}

export async function listUsersInGroup(context: Context, input: Input): Promise<object> {
  const pool = await existingPool(context, poolIdOf(input));
  const { name } = await existingGroup(context, pool, groupNameOf(input));
  const about = `users ${pool.id} in ${name}`;
  const { items, next } = await page(context, keys.members(pool.id, name), {
    limit: limitOf(input),
    token: placeOf(optionalText(input, "NextToken", rules.token), about),
    async take(key) {
      const user = await context.database.get<User>(keys.user(pool.id, lastPart(key)));
      return user === undefined ? undefined : describedUser(user);
    },
  });
  return { Users: items, NextToken: tokenOf(next, about) };
}
