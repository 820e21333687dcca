import { addToGroup, changeAttributes, removeFromGroup } from "../aws/cognito/users-change.ts";
import type { UserPool } from "../aws/cognito/user-pool.ts";
import {
  attributeOf,
  readPoolAccount,
  type PoolAccount,
  type UserAttribute,
} from "../aws/cognito/users-list.ts";
import { groupsOfUser, listGroups } from "../aws/cognito/groups.ts";
import { CliError, exitCodes } from "../errors.ts";
import { refused, refuseReserved, theUserPool, type AccountSite, type ChangingAccounts } from "./pool.ts";

/** What setting attributes of an account would change. */
export interface AttributePlan {
  readonly account: PoolAccount;
  readonly set: readonly UserAttribute[];
  readonly remove: readonly string[];
}

/** Why no account of a pool can be given an attribute; undefined where it can. Pure. */
export function attributeFault(
  { attributes, tellsAttributes }: Pick<UserPool, "attributes" | "tellsAttributes">,
  { name, value }: UserAttribute,
): string | undefined {
  const isKnown = attributes.some((each) => each.name === name);
  const mayBe = !tellsAttributes && name.startsWith("custom:");
  if (name === "sub" || (!isKnown && !mayBe)) return `the user pool has no attribute ${JSON.stringify(name)}`;
  return /\p{Cc}/u.test(value) ? `the value of ${name} holds a control character or a line break` : undefined;
}

/**
 * Plans to give attributes of an account these values; an empty value takes an attribute away. What is so already is not in the plan.
 * @throws CliError for attributes that the pool does not have or does not let change.
 */
export async function planAttributes(
  site: AccountSite,
  account: PoolAccount,
  wanted: readonly UserAttribute[],
): Promise<AttributePlan> {
  const pool = await theUserPool(site);
  const twice = wanted.find(({ name }, at) => wanted.some((each, other) => each.name === name && other < at));
  if (twice !== undefined) throw new CliError(`${twice.name} is given twice`, { exitCode: exitCodes.usage });
  for (const { name, value } of wanted) {
    const known = pool.attributes.find((each) => each.name === name);
    const fault = attributeFault(pool, { name, value });
    if (fault !== undefined) {
      const hint = "custom attributes are written with their prefix: custom:level";
      throw new CliError(fault, { hint: known === undefined ? hint : undefined });
    }
    if (known?.isMutable === false) throw new CliError(`the attribute ${name} cannot be changed any more`);
    if (value === "" && known?.isRequired === true) throw new CliError(`every account must have ${name}`);
    if ((name === "email" || name === "preferred_username") && value !== "") refuseReserved(value);
  }
  return {
    account,
    set: wanted.filter(({ name, value }) => value !== "" && attributeOf(account, name) !== value),
    remove: wanted.flatMap(({ name, value }) =>
      value === "" && attributeOf(account, name) !== undefined ? [name] : [],
    ),
  };
}

/** Carries a plan out. The audit trail is told the names of the attributes, not their values. */
export async function setAttributes(site: ChangingAccounts, plan: AttributePlan): Promise<PoolAccount> {
  const { account, set, remove } = plan;
  const { username, sub } = account;
  const attributes = [...set.map(({ name }) => name), ...remove];
  if (attributes.length === 0) return account;
  const { aws, poolId, paced, signal } = site;
  await site.trail.change({ action: "user.changed", userId: sub, details: { attributes } }, async () => {
    const at = { username, paced, signal };
    try {
      await changeAttributes(aws, poolId, { ...at, set, remove: [] });
    } catch (error) {
      throw refused(error, refusals, `the account ${username} stays as it is`);
    }
    await changeAttributes(aws, poolId, { ...at, set: [], remove });
  });
  return (await readPoolAccount(aws, poolId, { ...site, username })) ?? account;
}

/** What Cognito answers to a value that the attribute cannot have. */
const refusals = new Set(["InvalidParameterException", "AliasExistsException"]);

/** An account, a group, and whether it is to be in it. */
export interface Membership {
  readonly account: PoolAccount;
  readonly group: string;
  readonly isMember: boolean;
}

/**
 * Whether something has to be done for it.
 * @throws CliError when the pool has no such group.
 */
export async function isMembershipDue(
  site: AccountSite,
  { account, group, isMember }: Membership,
): Promise<boolean> {
  const [own] = await Promise.all([
    groupsOfUser(site.aws, site.poolId, { ...site, username: account.username }),
    assertGroup(site, group),
  ]);
  return own.includes(group) !== isMember;
}

/** @throws CliError when the pool has no such group. */
export async function assertGroup(site: AccountSite, group: string): Promise<void> {
  const groups = await listGroups(site.aws, site.poolId, site);
  if (!groups.some(({ name }) => name === group)) {
    const names = groups.map(({ name }) => name).join(", ");
    throw new CliError(`the user pool has no group ${JSON.stringify(group)}`, {
      hint: names === "" ? "it has no groups at all" : `there are: ${names}`,
    });
  }
}

/** Puts an account into a group, or takes it out. */
export async function changeMembership(
  site: ChangingAccounts,
  { account, group, isMember }: Membership,
): Promise<void> {
  const { aws, poolId, paced, signal } = site;
  const at = { username: account.username, group, paced, signal };
  await site.trail.change({ action: "user.grouped", userId: account.sub, details: { group, isMember } }, () =>
    isMember ? addToGroup(aws, poolId, at) : removeFromGroup(aws, poolId, at),
  );
}
