import type { AuditTrail } from "../audit/trail.ts";
import type { Aws } from "../aws/clients.ts";
import { readPoolAccount, type PoolAccount } from "../aws/cognito/users-list.ts";
import { readUserPool, type UserPool } from "../aws/cognito/user-pool.ts";
import { changesPerSecond, listsPerSecond, pacedFor, type Paced } from "../aws/cognito/users-pace.ts";
import type { Context } from "../context.ts";
import { findAccount } from "../documents/users.ts";
import { errorName } from "../aws/setting.ts";
import { CliError, exitCodes, NothingChanged } from "../errors.ts";
import type { Declaration } from "../model/declaration.ts";
import { nobodyWith } from "../model/nobodies.ts";
import { peopleHints, userIdFault } from "../model/user-id.ts";

/** Where the accounts of one environment are. */
export interface AccountSite {
  readonly aws: Aws;
  readonly poolId: string;
  readonly paced: Paced;
  readonly signal: AbortSignal;
}

/** What the accounts are opened for: each goes at the pace that Cognito gives it. */
export type PoolWork = "reads" | "writes";

/** @throws CliError (usage) where no user pool is configured. */
export function poolIdOf({ userPool }: Pick<Declaration, "userPool">): string {
  if (userPool !== undefined) return userPool.id;
  throw new CliError("no user pool is configured", {
    exitCode: exitCodes.usage,
    hint: "set userPoolId in the configuration, or MAWPS_USER_POOL_ID",
  });
}

/** The accounts of the site's user pool. @throws CliError (usage) where none is configured. */
export function openPool(context: Context, work: PoolWork): AccountSite {
  const { aws, declaration, signal } = context;
  const perSecond = work === "reads" ? listsPerSecond : changesPerSecond;
  const paced = pacedFor(aws, { perSecond, now: () => context.now() });
  return { aws, poolId: poolIdOf(declaration), paced, signal };
}

/** The same with what changing an account needs besides. */
export interface ChangingAccounts extends AccountSite {
  readonly trail: Pick<AuditTrail, "change">;
}

/**
 * The account of a user name, sub or address, as it stands now.
 * @throws CliError for what can be no user, when there is none, and when several could be meant.
 */
export async function theAccount(site: AccountSite, given: string): Promise<PoolAccount> {
  refuseReserved(given);
  const found = await findAccount(site, site.poolId, given);
  const { username } = found ?? {};
  const account =
    username === undefined ? undefined : await readPoolAccount(site.aws, site.poolId, { ...site, username });
  if (account !== undefined) return account;
  throw new CliError(`no account is ${JSON.stringify(given)}`, {
    hint: peopleHints.pool,
  });
}

/** @throws CliError when there is no such pool. */
export async function theUserPool({ aws, poolId, signal }: AccountSite): Promise<UserPool> {
  const pool = await readUserPool(aws, poolId, signal);
  if (pool === undefined) throw new CliError(`there is no user pool ${poolId} in ${aws.region}`);
  return pool;
}

/** What Cognito refuses of what was asked for, in its own words; any other failure as it is. */
export function refused(error: unknown, names: ReadonlySet<string>, what: string): unknown {
  if (!names.has(errorName(error) ?? "")) return error;
  return new NothingChanged(`${what}: ${error instanceof Error ? error.message : ""}`, { cause: error });
}

/**
 * @param shown what was typed, where that is more than the name.
 * @throws CliError for what no account may be called: the owner's name, those of the site's settings, what leaves a folder.
 */
export function refuseReserved(name: string, shown = name): void {
  const fault = userIdFault(name);
  const exitCode = name === "" ? exitCodes.usage : exitCodes.failed;
  const who = shown === name ? "the user" : "the id in";
  if (fault !== undefined) throw new CliError(`${who} ${JSON.stringify(shown)} ${fault}`, { exitCode });
  const what = name.includes("@") ? undefined : nobodyWith(name);
  if (what !== undefined) throw new CliError(`${JSON.stringify(name)} is no user: it is the name of ${what}`);
}
