import type { Aws } from "../clients.ts";
import { abortable } from "../s3/objects.ts";
import { errorName } from "../setting.ts";
import type { ListOptions, UserAttribute } from "./users-list.ts";

/** One account of one pool, and how calls about it are sent. */
export interface AccountAddress extends ListOptions {
  readonly username: string;
}

/** Who is told of a new account, and by what password it is signed in the first time. */
type Invitation =
  /** Nobody: with this password, or with one that nobody knows. */
  | { readonly password: string | undefined }
  /** The person, by a message of Cognito with a password that it makes. */
  | "sent";

/**
 * Makes an account. Its state is FORCE_CHANGE_PASSWORD: an invitation can still be sent.
 * @throws UsernameExistsException, AliasExistsException, InvalidParameterException, InvalidPasswordException of Cognito.
 */
export async function createUser(
  aws: Aws,
  poolId: string,
  account: AccountAddress & {
    readonly attributes: readonly UserAttribute[];
    /** Default: nobody is told. */
    readonly invitation?: Invitation;
  },
): Promise<{ readonly username: string; readonly sub: string }> {
  const { username, attributes, invitation = { password: undefined }, paced, signal } = account;
  const [cognito, { AdminCreateUserCommand }] = await sdk(aws);
  const asked = new AdminCreateUserCommand({
    UserPoolId: poolId,
    Username: username,
    UserAttributes: attributes.map(({ name, value }) => ({ Name: name, Value: value })),
    ...(invitation === "sent"
      ? { DesiredDeliveryMediums: ["EMAIL"] }
      : { MessageAction: "SUPPRESS", TemporaryPassword: invitation.password }),
  });
  const { User: user } = await paced(() => cognito.send(asked, abortable(signal)), signal);
  const sub = user?.Attributes?.find(({ Name }) => Name === "sub")?.Value ?? "";
  return { username: user?.Username ?? username, sub };
}

/** Sends the invitation again, with a new password. @throws UnsupportedUserStateException where it was accepted. */
export async function inviteAgain(aws: Aws, poolId: string, address: AccountAddress): Promise<void> {
  const [cognito, { AdminCreateUserCommand }] = await sdk(aws);
  const account = { UserPoolId: poolId, Username: address.username };
  const asked = new AdminCreateUserCommand({
    ...account,
    MessageAction: "RESEND",
    DesiredDeliveryMediums: ["EMAIL"],
  });
  await address.paced(() => cognito.send(asked, abortable(address.signal)), address.signal);
}

/** Takes who signed up for confirmed, without the code. */
export async function confirmUser(aws: Aws, poolId: string, address: AccountAddress): Promise<void> {
  const [cognito, { AdminConfirmSignUpCommand }] = await sdk(aws);
  const asked = new AdminConfirmSignUpCommand({ UserPoolId: poolId, Username: address.username });
  await address.paced(() => cognito.send(asked, abortable(address.signal)), address.signal);
}

/** Ends the sessions on all devices: no token can be renewed; access tokens that were given out live to their end. */
export async function signOutUser(aws: Aws, poolId: string, address: AccountAddress): Promise<void> {
  const [cognito, { AdminUserGlobalSignOutCommand }] = await sdk(aws);
  const asked = new AdminUserGlobalSignOutCommand({ UserPoolId: poolId, Username: address.username });
  await address.paced(() => cognito.send(asked, abortable(address.signal)), address.signal);
}

/** The password is no longer valid; a code to choose another is sent. @throws NotAuthorizedException, InvalidParameterException. */
export async function resetPassword(aws: Aws, poolId: string, address: AccountAddress): Promise<void> {
  const [cognito, { AdminResetUserPasswordCommand }] = await sdk(aws);
  const asked = new AdminResetUserPasswordCommand({ UserPoolId: poolId, Username: address.username });
  await address.paced(() => cognito.send(asked, abortable(address.signal)), address.signal);
}

/** What Cognito calls a second factor in a list, and in a call that changes it. */
const factorSettings = {
  SMS_MFA: "SMSMfaSettings",
  SOFTWARE_TOKEN_MFA: "SoftwareTokenMfaSettings",
  EMAIL_OTP: "EmailMfaSettings",
} as const;

/** Turns these second factors off. An authenticator that was set up has to be set up again. */
export async function removeSecondFactors(
  aws: Aws,
  poolId: string,
  { username, factors, paced, signal }: AccountAddress & { readonly factors: readonly string[] },
): Promise<void> {
  const [cognito, { AdminSetUserMFAPreferenceCommand }] = await sdk(aws);
  const off = { Enabled: false, PreferredMfa: false };
  const settings = Object.entries(factorSettings).filter(([name]) => factors.includes(name));
  const asked = new AdminSetUserMFAPreferenceCommand({
    UserPoolId: poolId,
    Username: username,
    ...Object.fromEntries(settings.map(([, setting]) => [setting, off])),
  });
  await paced(() => cognito.send(asked, abortable(signal)), signal);
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

/** Deletes an account for good; one that is gone already is fine. */
export async function deleteUser(aws: Aws, poolId: string, address: AccountAddress): Promise<void> {
  const [cognito, { AdminDeleteUserCommand }] = await sdk(aws);
  const asked = new AdminDeleteUserCommand({ UserPoolId: poolId, Username: address.username });
  try {
    await address.paced(() => cognito.send(asked, abortable(address.signal)), address.signal);
  } catch (error) {
    if (errorName(error) !== "UserNotFoundException") throw error;
  }
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
