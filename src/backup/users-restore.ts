import type { Aws } from "../aws/clients.ts";
import { createGroup } from "../aws/cognito/groups.ts";
import { errorName } from "../aws/setting.ts";
import {
  addToGroup,
  changeAttributes,
  createUser,
  disableUser,
  enableUser,
  removeFromGroup,
} from "../aws/cognito/users-change.ts";
import { readPoolAccount } from "../aws/cognito/users-list.ts";
import { changesPerSecond, pacedFor, type Paced } from "../aws/cognito/users-pace.ts";
import { inParallel } from "../concurrency.ts";
import type { CreateStep, UsersPlan, UserStep } from "./users-plan.ts";

export interface RestoreUsers {
  readonly signal?: AbortSignal;
  readonly now: () => Date;
  /** Is told of each account that is as planned. */
  readonly onDone?: (username: string) => void;
}

export interface RestoredUsers {
  readonly groups: number;
  readonly created: number;
  readonly finished: number;
  readonly overwritten: number;
  /** `account anna` or `group admins`, and what Cognito says. */
  readonly failed: readonly { readonly what: string; readonly why: string }[];
}

/** The pace limits it anyway; a few at once hide the latency. */
const atOnce = 4;

/**
 * Carries out a plan: groups first, then account by account, each made, put into its groups, then disabled if it was. No
 * message goes to anybody. A refusal of one account or group does not end the run; it is listed, and nobody joins that group. May be ended at any point: a new
 * plan over the same snapshot finds what is done and finishes what is half done. An account that somebody else made since
 * the plan is left alone and listed.
 */
export async function restoreUsers(aws: Aws, plan: UsersPlan, options: RestoreUsers): Promise<RestoredUsers> {
  const { signal, now, onDone } = options;
  const calls = { paced: pacedFor(aws, { perSecond: changesPerSecond, now }), signal };
  const done = { groups: 0, create: 0, finish: 0, overwrite: 0 };
  const failed: { what: string; why: string }[] = [];
  const refused = new Set<string>();
  for (const group of plan.groups) {
    try {
      if ((await createGroup(aws, plan.poolId, { ...calls, group })) === "created") done.groups += 1;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refused.add(group.name);
      failed.push({ what: `group ${group.name}`, why: error.message });
    }
  }
  await inParallel(plan.steps, atOnce, async (step) => {
    try {
      await carryOut({ aws, poolId: plan.poolId, refused, ...calls }, step);
      done[step.kind] += 1;
      onDone?.(step.username);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      failed.push({ what: `account ${step.username}`, why: error.message });
    }
  });
  const { groups, create, finish, overwrite } = done;
  return { groups, created: create, finished: finish, overwritten: overwrite, failed };
}

interface Pool {
  readonly aws: Aws;
  readonly poolId: string;
  /** Groups that Cognito would not make. */
  readonly refused: ReadonlySet<string>;
  readonly paced: Paced;
  readonly signal: AbortSignal | undefined;
}

async function carryOut(pool: Pool, step: UserStep): Promise<void> {
  const { aws, poolId, refused, paced, signal } = pool;
  const existing = (groups: readonly string[]) => groups.filter((group) => !refused.has(group));
  if (step.kind === "create") {
    const address = { username: await create(pool, step), paced, signal };
    for (const group of existing(step.groups)) await addToGroup(aws, poolId, { ...address, group });
    // A new account is enabled.
    if (!step.enabled) await disableUser(aws, poolId, address);
    return;
  }
  const { username, set, remove, join, leave, enabled } = step;
  const address = { username, paced, signal };
  await changeAttributes(aws, poolId, { ...address, set, remove });
  for (const group of existing(join)) await addToGroup(aws, poolId, { ...address, group });
  for (const group of leave) await removeFromGroup(aws, poolId, { ...address, group });
  if (enabled === true) await enableUser(aws, poolId, address);
  if (enabled === false) await disableUser(aws, poolId, address);
}

/** The user name of the new account: Cognito makes one itself where the pool signs in with an address. */
async function create({ aws, poolId, paced, signal }: Pool, step: CreateStep): Promise<string> {
  const { username, attributes } = step;
  try {
    return (await createUser(aws, poolId, { username, attributes, paced, signal })).username;
  } catch (error) {
    if (errorName(error) !== "UsernameExistsException") throw error;
    // The answer to an earlier attempt may have been lost: then the account is just as it was to become.
    const account = await readPoolAccount(aws, poolId, { username, paced, signal });
    const isOurs =
      account?.status === "FORCE_CHANGE_PASSWORD" &&
      account.attributes.length === attributes.length &&
      attributes.every((wanted) =>
        account.attributes.some(({ name, value }) => name === wanted.name && value === wanted.value),
      );
    if (!isOurs) throw error;
    return account.username;
  }
}

const refusals = new Set([
  "AliasExistsException",
  "InvalidLambdaResponseException",
  "InvalidParameterException",
  "InvalidPasswordException",
  "PreconditionNotMetException",
  "UnexpectedLambdaException",
  "UnsupportedUserStateException",
  "UserLambdaValidationException",
  "UserNotFoundException",
  "UsernameExistsException",
]);

/** Whether Cognito refuses this account or group; anything else (no permission, no pool, no network) would hit all of them. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && refusals.has(error.name);
}
