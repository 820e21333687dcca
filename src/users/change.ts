import {
  confirmUser,
  disableUser,
  enableUser,
  inviteAgain,
  removeSecondFactors,
  resetPassword,
  signOutUser,
  type AccountAddress,
} from "../aws/cognito/users-change.ts";
import type { Aws } from "../aws/clients.ts";
import { accessTokenMinutes } from "../aws/cognito/user-pool.ts";
import { readPoolAccount, type PoolAccount } from "../aws/cognito/users-list.ts";
import { isRepeated } from "../aws/setting.ts";
import type { AuditAction } from "../model/audit.ts";
import { refused, type AccountSite, type ChangingAccounts } from "./pool.ts";

/** What can be done to an account as a whole. */
export type AccountChange =
  | "invite"
  | "confirm"
  | "disable"
  | "enable"
  | "sign-out"
  | "reset-password"
  | "reset-mfa";

interface Change {
  readonly action: AuditAction;
  /** Whether the account is so already, and nothing has to be done. */
  readonly isSo?: (account: PoolAccount) => boolean;
  readonly act: Act;
  readonly behind?: Act;
}

type Act = (
  aws: Aws,
  poolId: string,
  at: AccountAddress & { readonly account: PoolAccount },
) => Promise<void>;

const changes: Readonly<Record<AccountChange, Change>> = {
  invite: { action: "user.invited", act: inviteAgain },
  confirm: { action: "user.confirmed", isSo: ({ status }) => status === "CONFIRMED", act: confirmUser },
  disable: {
    action: "user.disabled",
    act: disableUser,
    // A session that is opened in between would not be ended.
    behind: signOutUser,
  },
  enable: { action: "user.enabled", isSo: ({ enabled }) => enabled, act: enableUser },
  "sign-out": { action: "user.signed-out", act: signOutUser },
  "reset-password": { action: "user.password-reset", act: resetPassword },
  "reset-mfa": {
    action: "user.mfa-reset",
    isSo: ({ secondFactors }) => secondFactors.length === 0,
    act: (aws, poolId, { account, ...at }) =>
      removeSecondFactors(aws, poolId, { ...at, factors: account.secondFactors }),
  },
};

export interface Changed {
  readonly account: PoolAccount;
  /** False where it was so already. */
  readonly changed: boolean;
}

/** Whether a change has anything to do. */
export function isDue(account: PoolAccount, change: AccountChange): boolean {
  return changes[change].isSo?.(account) !== true;
}

/**
 * Does something to an account, and tells the audit trail. What is so already is left as it is; called again it ends the same.
 * @throws CliError where the account's state does not allow it.
 */
export async function changeAccount(
  site: ChangingAccounts,
  account: PoolAccount,
  change: AccountChange,
): Promise<Changed> {
  const { action, isSo, act, behind } = changes[change];
  if (!isDue(account, change)) return { account, changed: false };
  const { username, sub, status } = account;
  const { aws, poolId, paced, signal } = site;
  const read = async () => (await readPoolAccount(aws, poolId, { ...site, username })) ?? account;
  const at = { username, account, paced, signal };
  await site.trail.change({ action, userId: sub }, async () => {
    try {
      await act(aws, poolId, at);
    } catch (error) {
      // Done by a call whose answer was lost, and refused to the one behind it.
      const isDone = isRepeated(error) && isSo?.(await read()) === true;
      if (!isDone) throw refused(error, refusals, `the account ${username} is ${status}`);
    }
    await behind?.(aws, poolId, at);
  });
  return { account: await read(), changed: true };
}

/** What Cognito answers where the state of the account does not allow what is asked. */
const refusals = new Set([
  "UnsupportedUserStateException",
  "NotAuthorizedException",
  "InvalidParameterException",
]);

/** How long somebody who was disabled or signed out may still use an access token that they have. */
export function tokensLiveMinutes({ aws, poolId, signal }: AccountSite): Promise<number> {
  return accessTokenMinutes(aws, poolId, signal);
}
