import type { Aws } from "../clients.ts";
import { abortable } from "../s3/objects.ts";
import type { ListOptions, UserAttribute } from "./users-list.ts";

/** One account of one pool, and how calls about it are sent. */
export interface AccountAddress extends ListOptions {
  readonly username: string;
}

/**
 * Makes an account with a password that nobody knows, and sends no message about it. Its state is
 * FORCE_CHANGE_PASSWORD: an invitation can still be sent.
 * @throws UsernameExistsException, AliasExistsException, InvalidParameterException of Cognito.
 */
export async function createUser(
  aws: Aws,
  poolId: string,
  { username, attributes, paced, signal }: AccountAddress & { readonly attributes: readonly UserAttribute[] },
): Promise<{ readonly username: string }> {
  const [cognito, { AdminCreateUserCommand }] = await sdk(aws);
  const asked = new AdminCreateUserCommand({
    UserPoolId: poolId,
    Username: username,
    UserAttributes: attributes.map(({ name, value }) => ({ Name: name, Value: value })),
    MessageAction: "SUPPRESS",
  });
  const { User: user } = await paced(() => cognito.send(asked, abortable(signal)), signal);
  return { username: user?.Username ?? username };
}

/** Sets the attributes given and removes those named; others stay. */
export async function changeAttributes(
  aws: Aws,
  poolId: string,
  change: AccountAddress & { readonly set: readonly UserAttribute[]; readonly remove: readonly string[] },
): Promise<void> {
  const { username, paced, signal } = change;
  const account = { UserPoolId: poolId, Username: username };
  const [cognito, { AdminDeleteUserAttributesCommand, AdminUpdateUserAttributesCommand }] = await sdk(aws);
  if (change.set.length > 0) {
    const UserAttributes = change.set.map(({ name, value }) => ({ Name: name, Value: value }));
    const asked = new AdminUpdateUserAttributesCommand({ ...account, UserAttributes });
    await paced(() => cognito.send(asked, abortable(signal)), signal);
  }
  if (change.remove.length > 0) {
    const asked = new AdminDeleteUserAttributesCommand({
      ...account,
      UserAttributeNames: [...change.remove],
    });
    await paced(() => cognito.send(asked, abortable(signal)), signal);
  }
}

/** A disabled account cannot sign in; its tokens end with their time. */
export async function disableUser(aws: Aws, poolId: string, address: AccountAddress): Promise<void> {
  const [cognito, { AdminDisableUserCommand }] = await sdk(aws);
  const asked = new AdminDisableUserCommand({ UserPoolId: poolId, Username: address.username });
  await address.paced(() => cognito.send(asked, abortable(address.signal)), address.signal);
}

export async function enableUser(aws: Aws, poolId: string, address: AccountAddress): Promise<void> {
  const [cognito, { AdminEnableUserCommand }] = await sdk(aws);
  const asked = new AdminEnableUserCommand({ UserPoolId: poolId, Username: address.username });
  await address.paced(() => cognito.send(asked, abortable(address.signal)), address.signal);
}

/** An account that is in the group already stays in it. */
export async function addToGroup(
  aws: Aws,
  poolId: string,
  address: AccountAddress & { readonly group: string },
): Promise<void> {
  const [cognito, { AdminAddUserToGroupCommand }] = await sdk(aws);
  const { username, group, paced, signal } = address;
  const asked = new AdminAddUserToGroupCommand({ UserPoolId: poolId, Username: username, GroupName: group });
  await paced(() => cognito.send(asked, abortable(signal)), signal);
}

export async function removeFromGroup(
  aws: Aws,
  poolId: string,
  address: AccountAddress & { readonly group: string },
): Promise<void> {
  const [cognito, { AdminRemoveUserFromGroupCommand }] = await sdk(aws);
  const { username, group, paced, signal } = address;
  const asked = new AdminRemoveUserFromGroupCommand({
    UserPoolId: poolId,
    Username: username,
    GroupName: group,
  });
  await paced(() => cognito.send(asked, abortable(signal)), signal);
}

function sdk(aws: Aws) {
  return Promise.all([aws.cognito(), import("./sdk.ts")]);
}
