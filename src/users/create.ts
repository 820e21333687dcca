import { createUser } from "../aws/cognito/users-change.ts";
import type { UserPool } from "../aws/cognito/user-pool.ts";
import {
  isOwnAddress,
  readPoolAccount,
  type PoolAccount,
  type UserAttribute,
} from "../aws/cognito/users-list.ts";
import { errorName, isRepeated } from "../aws/setting.ts";
import { findAccount } from "../documents/users.ts";
import { CliError } from "../errors.ts";
import { attributeFault } from "./attributes.ts";
import { refused, refuseReserved, theUserPool, type AccountSite, type ChangingAccounts } from "./pool.ts";

/** An account that is wanted. */
export interface NewAccount {
  readonly email: string;
  readonly name?: string | undefined;
  /** Others. */
  readonly attributes?: readonly UserAttribute[];
  /** `sent`: Cognito makes a first password and sends it. Else a first password, or none that anybody knows; nobody is told. */
  readonly invitation: "sent" | { readonly password: string | undefined };
}

export interface CreatePlan {
  readonly wanted: NewAccount;
  /** With this address, in whatever case: it stays as it is. */
  readonly existing: PoolAccount | undefined;
  /** What is made: the address where the pool signs in by it, a name by chance where no name may look like one. */
  readonly username: string;
}

/** @throws CliError for what is no address that an account may have. */
export function checkAddress(email: string): void {
  refuseReserved(email);
  if (!/^[^\s@"(),:;<>[\\\]]+@[^\s@"(),:;<>[\\\]]+$/u.test(email))
    throw new CliError(`${JSON.stringify(email)} is no e-mail address`);
}

/**
 * Looks whether an account has to be made. Changes nothing.
 * @throws CliError for what is no address and attributes that the pool does not have, when there is no such pool, when several accounts have the address, and when one claims it
 * without having shown that it is theirs.
 */
export async function planAccount(site: AccountSite, wanted: NewAccount): Promise<CreatePlan> {
  checkAddress(wanted.email);
  const { aws, poolId } = site;
  const [pool, found] = await Promise.all([theUserPool(site), findAccount(site, poolId, wanted.email)]);
  for (const attribute of othersOf(wanted)) {
    const fault = attributeFault(pool, attribute);
    if (fault !== undefined) throw new CliError(fault);
  }
  const existing =
    found === undefined
      ? undefined
      : await readPoolAccount(aws, poolId, { ...site, username: found.username });
  if (existing !== undefined && !isOwnAddress(existing, wanted.email))
    throw new CliError(claimed, {
      hint: `it is ${existing.username}: have the address verified there, or set another`,
    });
  return { wanted, existing, username: usernameFor(pool, wanted.email) };
}

/** The address, but where no user name may look like one. */
export function usernameFor({ aliases }: Pick<UserPool, "aliases">, email: string): string {
  return aliases.includes("email") ? crypto.randomUUID() : email;
}

/** The attributes but the address. */
function othersOf({ name, attributes = [] }: NewAccount): readonly UserAttribute[] {
  return [...(name === undefined ? [] : [{ name: "name", value: name }]), ...attributes];
}

/** Why an account is neither made nor taken for that of somebody: whoever signed up wrote the address. */
export const claimed = "an account claims this address, unverified";

export interface MadeAccount {
  readonly account: PoolAccount;
  /** Why the invitation was not sent, in Cognito's words; undefined where all went as it was wanted. */
  readonly undelivered: string | undefined;
}

/**
 * Makes the account of a plan, unless there is one. Its address counts as verified: the admin vouches for it. An invitation that cannot
 * be sent does not unmake it.
 */
export async function makeAccount(site: ChangingAccounts, plan: CreatePlan): Promise<MadeAccount> {
  const { wanted, existing, username } = plan;
  if (existing !== undefined) return { account: existing, undelivered: undefined };
  let undelivered: string | undefined;
  const { aws, poolId, paced, signal } = site;
  const { email, invitation } = wanted;
  const attributes = [
    { name: "email", value: email },
    { name: "email_verified", value: "true" },
    ...othersOf(wanted),
  ];
  const made = await site.trail.change(
    { action: "user.created" },
    async () => {
      try {
        return await createUser(aws, poolId, { username, attributes, invitation, paced, signal });
      } catch (error) {
        // Made by a call whose answer was lost.
        if (errorName(error) === "UsernameExistsException" && isRepeated(error)) {
          const { sub = "" } = (await readPoolAccount(aws, poolId, { ...site, username })) ?? {};
          return { username, sub };
        }
        if (error instanceof Error && error.name === "CodeDeliveryFailureException") {
          const there = await readPoolAccount(aws, poolId, { ...site, username });
          if (there !== undefined) {
            undelivered = error.message;
            return there;
          }
        }
        throw refused(error, refusals, `no account was made for ${email}`);
      }
    },
    ({ sub }) => [{ action: "user.created", userId: sub }],
  );
  const account = await readPoolAccount(aws, poolId, { ...site, username: made.username });
  if (account === undefined) throw new CliError(`the account of ${email} is gone again`);
  return { account, undelivered };
}

/** What is wrong with what was asked for, in Cognito's words. */
const refusals = new Set([
  "AliasExistsException",
  "InvalidParameterException",
  "InvalidPasswordException",
  "UsernameExistsException",
]);
