import {
  AdminAddUserToGroupCommand,
  AdminCreateUserCommand,
  AdminDisableUserCommand,
  AdminSetUserPasswordCommand,
  CreateGroupCommand,
  CreateUserPoolCommand,
  type CreateUserPoolCommandInput,
} from "@aws-sdk/client-cognito-identity-provider";
import type { Aws } from "../../src/aws/clients.ts";
import type { PoolGroup } from "../../src/aws/cognito/groups.ts";
import { parseUserLine, type UserLine } from "../../src/backup/user-line.ts";
import { planUsers, type PlanUsers, type UsersPlan } from "../../src/backup/users-plan.ts";
import { readUsers } from "../../src/backup/users-read.ts";

/** Goes on by a second each time it is looked at: no call is ever waited with. */
export function fastClock(): () => Date {
  let ms = Date.parse("2026-03-01T12:00:00.000Z");
  return () => new Date((ms += 1000));
}

export async function makePool(aws: Aws, shape: Partial<CreateUserPoolCommandInput> = {}): Promise<string> {
  const cognito = await aws.cognito();
  const { UserPool: pool } = await cognito.send(new CreateUserPoolCommand({ PoolName: "test", ...shape }));
  return pool?.Id ?? "";
}

export interface TestUser {
  readonly attributes?: Readonly<Record<string, string>>;
  readonly groups?: readonly string[];
  readonly disabled?: boolean;
  readonly confirmed?: boolean;
}

export async function makeUsers(
  aws: Aws,
  UserPoolId: string,
  users: Readonly<Record<string, TestUser>>,
): Promise<void> {
  const cognito = await aws.cognito();
  for (const [Username, user] of Object.entries(users)) {
    const about = { UserPoolId, Username };
    const UserAttributes = Object.entries(user.attributes ?? {}).map(([Name, Value]) => ({ Name, Value }));
    await cognito.send(new AdminCreateUserCommand({ ...about, MessageAction: "SUPPRESS", UserAttributes }));
    if (user.confirmed === true)
      await cognito.send(
        new AdminSetUserPasswordCommand({ ...about, Password: "Correct-1-Horse", Permanent: true }),
      );
    for (const GroupName of user.groups ?? [])
      await cognito.send(new AdminAddUserToGroupCommand({ ...about, GroupName }));
    if (user.disabled === true) await cognito.send(new AdminDisableUserCommand(about));
  }
}

export async function makeGroups(aws: Aws, UserPoolId: string, names: readonly string[]): Promise<void> {
  const cognito = await aws.cognito();
  for (const GroupName of names) await cognito.send(new CreateGroupCommand({ UserPoolId, GroupName }));
}

export interface Snapshot {
  readonly lines: readonly UserLine[];
  readonly groups: readonly PoolGroup[];
}

/** What a backup of the pool holds. */
export async function snapshotOf(aws: Aws, poolId: string): Promise<Snapshot> {
  const lines: UserLine[] = [];
  const { groups, users } = await readUsers({
    aws,
    poolId,
    now: fastClock(),
    async add(text) {
      for (const line of text.toString().trimEnd().split("\n")) lines.push(parseUserLine(line));
    },
  });
  if (users !== lines.length) throw new Error(`${users} counted, ${lines.length} given`);
  return { lines, groups };
}

/** The accounts of a pool without what Cognito makes anew, by name. */
export async function stateOf(aws: Aws, poolId: string): Promise<unknown[]> {
  const { lines } = await snapshotOf(aws, poolId);
  return lines
    .map(({ seen: { enabled, groups }, put }) => ({ ...put, enabled, groups }))
    .toSorted((one, other) => one.Username.localeCompare(other.Username));
}

export async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

export function plan(
  aws: Aws,
  poolId: string,
  { snapshot, ...options }: Partial<PlanUsers> & { readonly snapshot: Snapshot },
): Promise<UsersPlan> {
  return planUsers({
    aws,
    poolId,
    users: each(snapshot.lines),
    groups: snapshot.groups,
    onConflict: "fail",
    suppressed: () => false,
    now: fastClock(),
    ...options,
  });
}
