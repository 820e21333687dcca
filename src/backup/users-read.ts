import type { Aws } from "../aws/clients.ts";
import { listGroups, readMemberships, type PoolGroup } from "../aws/cognito/groups.ts";
import { readUserPool, type UserPool } from "../aws/cognito/user-pool.ts";
import { listPoolUsers } from "../aws/cognito/users-list.ts";
import { listsPerSecond, pacedFor } from "../aws/cognito/users-pace.ts";
import { CliError } from "../errors.ts";
import { userLine, userLineText } from "./user-line.ts";

export interface ReadUsers {
  readonly aws: Aws;
  readonly poolId: string;
  /** Takes whole lines, each with its end; is called with a page of 60 at a time and waited for. */
  readonly add: (lines: Buffer) => Promise<void>;
  readonly signal?: AbortSignal;
  readonly now: () => Date;
}

/**
 * Reads every account of a pool with its groups, as lines of a snapshot, below Cognito's rate for lists. What changes
 * meanwhile is in it as it was read: Cognito has no reading of one moment. Memory: the names of users that are in groups.
 * @throws CliError when there is no such pool.
 */
export async function readUsers({
  aws,
  poolId,
  add,
  signal,
  now,
}: ReadUsers): Promise<{ readonly users: number; readonly groups: readonly PoolGroup[] }> {
  const calls = { paced: pacedFor(aws, { perSecond: listsPerSecond, now }), signal };
  const pool = await existingPool(aws, poolId, signal);
  const groups = await listGroups(aws, poolId, calls);
  const memberships = await readMemberships(aws, poolId, { ...calls, groups });
  let users = 0;
  for await (const page of listPoolUsers(aws, poolId, calls)) {
    const lines = page.map((account) =>
      userLineText(userLine(account, pool, memberships.get(account.username) ?? [])),
    );
    users += lines.length;
    await add(Buffer.from(`${lines.join("\n")}\n`));
  }
  return { users, groups };
}

/** @throws CliError when there is no such pool. */
export async function existingPool(
  aws: Aws,
  poolId: string,
  signal: AbortSignal | undefined,
): Promise<UserPool> {
  const pool = await readUserPool(aws, poolId, signal);
  if (pool !== undefined) return pool;
  throw new CliError(`there is no user pool ${poolId} in ${aws.region}`, {
    hint: "check userPoolId, the region and the profile; a lost pool is made anew at AWS first",
  });
}
