import type { Aws } from "../aws/clients.ts";
import { listGroups, readMemberships, type PoolGroup } from "../aws/cognito/groups.ts";
import type { UserPool } from "../aws/cognito/user-pool.ts";
import { listPoolUsers, type PoolAccount, type UserAttribute } from "../aws/cognito/users-list.ts";
import { listsPerSecond, pacedFor } from "../aws/cognito/users-pace.ts";
import { identityOf, namedOf, signInName, type UserLine } from "./user-line.ts";
import { existingPool } from "./users-read.ts";

export interface PlanUsers {
  readonly aws: Aws;
  readonly poolId: string;
  /** Of the snapshot; `parseUserLine` makes them of lines. Gone through once. */
  readonly users: AsyncIterable<UserLine>;
  /** Of the snapshot. */
  readonly groups: readonly PoolGroup[];
  readonly onConflict: "fail" | "skip" | "newer" | "replace";
  /** Whether somebody was erased: their account is left out and counted. */
  readonly suppressed: (sub: string, username: string) => boolean;
  readonly signal?: AbortSignal;
  readonly now: () => Date;
}

export interface UserCounts {
  /** Accounts that are missing. */
  readonly create: number;
  /** Made by an earlier run that was ended before it gave them their groups, or disabled them. */
  readonly finish: number;
  readonly same: number;
  /** Accounts that differ, under the policy `fail`: nothing may be restored then. */
  readonly conflict: number;
  /** Accounts that differ and are set to what the snapshot has. */
  readonly overwrite: number;
  /** Accounts that differ and stay as they are. */
  readonly skip: number;
  readonly suppressed: number;
  /** Accounts that cannot be made; `left` says why. */
  readonly left: number;
}

/** What is to be done to one account. */
export type UserStep = CreateStep | ChangeStep;

export interface CreateStep {
  readonly kind: "create";
  readonly username: string;
  readonly attributes: readonly UserAttribute[];
  readonly enabled: boolean;
  readonly groups: readonly string[];
}

export interface ChangeStep {
  readonly kind: "finish" | "overwrite";
  readonly username: string;
  readonly set: readonly UserAttribute[];
  readonly remove: readonly string[];
  /** Undefined: stays as it is. */
  readonly enabled: boolean | undefined;
  readonly join: readonly string[];
  readonly leave: readonly string[];
}

export interface UsersPlan {
  readonly poolId: string;
  readonly counts: UserCounts;
  /** Groups to make first. */
  readonly groups: readonly PoolGroup[];
  readonly steps: readonly UserStep[];
  /** Accounts that differ, whatever becomes of them, and in what: names of attributes, `enabled`, `groups`. */
  readonly differing: readonly { readonly username: string; readonly differs: readonly string[] }[];
  /** Accounts that cannot be made, and why. */
  readonly left: readonly { readonly username: string; readonly why: string }[];
  /** What no restore brings back, in sentences; empty when no account is made. */
  readonly lost: readonly string[];
}

interface Existing extends PoolAccount {
  readonly groups: readonly string[];
}

/**
 * Compares the accounts of a snapshot with those of a pool and decides what is to be done; writes nothing. An account is
 * the same person's by user name, or by e-mail address or telephone number where the pool signs in with those.
 *
 * | in the pool                            | fail     | skip | newer                          | replace   |
 * |----------------------------------------|----------|------|--------------------------------|-----------|
 * | missing                                | create   | create | create                       | create    |
 * | the same                               | same     | same | same                           | same      |
 * | left unfinished by an earlier restore  | finish   | finish | finish                       | finish    |
 * | differs                                | conflict | skip | overwrite, if changed last in the snapshot; else skip | overwrite |
 *
 * Memory: about 2 KB for every account of the snapshot and of the pool.
 * @throws CliError when there is no such pool.
 */
export async function planUsers(options: PlanUsers): Promise<UsersPlan> {
  const { aws, poolId, signal, now } = options;
  const calls = { paced: pacedFor(aws, { perSecond: listsPerSecond, now }), signal };
  const pool = await existingPool(aws, poolId, signal);
  const groups = await listGroups(aws, poolId, calls);
  const memberships = await readMemberships(aws, poolId, { ...calls, groups });
  const existing = new Map<string, Existing>();
  for await (const page of listPoolUsers(aws, poolId, calls)) {
    for (const account of page) {
      const of = memberships.get(account.username) ?? [];
      existing.set(identityOf(account, pool), { ...account, groups: of });
    }
  }
  return decide(options, pool, { existing, groups });
}

interface Found {
  readonly existing: ReadonlyMap<string, Existing>;
  readonly groups: readonly PoolGroup[];
}

async function decide(options: PlanUsers, pool: UserPool, found: Found): Promise<UsersPlan> {
  const counts = {
    create: 0,
    finish: 0,
    same: 0,
    conflict: 0,
    overwrite: 0,
    skip: 0,
    suppressed: 0,
    left: 0,
  };
  const steps: UserStep[] = [];
  const differing: { username: string; differs: readonly string[] }[] = [];
  const left: { username: string; why: string }[] = [];
  const identities = new Set<string>();
  const losses: Losses = { unknown: new Set(), fixed: new Set(), created: 0, signedIn: 0, linked: 0 };
  for await (const user of options.users) {
    const username = user.put.Username;
    if (options.suppressed(user.seen.sub, username)) {
      counts.suppressed += 1;
      continue;
    }
    const { attributes, unknown } = restorable(user, pool);
    for (const name of unknown) losses.unknown.add(name);
    const identity = identityOf(namedOf(user), pool);
    if (identities.has(identity)) {
      counts.left += 1;
      left.push({ username, why: "another account of the snapshot has its name or address in this pool" });
      continue;
    }
    identities.add(identity);
    const account = found.existing.get(identity);
    if (account === undefined) {
      const why = whyNotMade(user, pool);
      if (why !== undefined) {
        counts.left += 1;
        left.push({ username, why });
        continue;
      }
      counts.create += 1;
      losses.created += 1;
      if (user.seen.status !== "FORCE_CHANGE_PASSWORD") losses.signedIn += 1;
      if (user.seen.identities !== undefined) losses.linked += 1;
      const { enabled, groups } = user.seen;
      steps.push({ kind: "create", username, attributes, enabled, groups });
      continue;
    }
    const { differs, fixed, step } = difference(user, account, { attributes, pool });
    if (differs.length === 0) {
      counts.same += 1;
    } else if (isUnfinished(user, account, step) && fixed.length === 0) {
      counts.finish += 1;
      steps.push({ ...step, kind: "finish" });
    } else {
      differing.push({ username, differs });
      const decision = onDifference(options.onConflict, user, account);
      counts[decision] += 1;
      if (decision !== "overwrite") continue;
      for (const name of fixed) losses.fixed.add(name);
      steps.push({ ...step, kind: "overwrite" });
    }
  }
  const names = new Set(found.groups.map(({ name }) => name));
  const groups = options.groups.filter(({ name }) => !names.has(name));
  return { poolId: options.poolId, counts, groups, steps, differing, left, lost: sentences(losses) };
}

/** What Cognito sets itself: no call takes it. */
function isReadOnly(name: string): boolean {
  return name === "sub" || name === "identities" || name.startsWith("cognito:");
}

/** The attributes that the pool can hold, as far as it tells, and the names of the others. */
function restorable(user: UserLine, pool: UserPool): { attributes: UserAttribute[]; unknown: string[] } {
  const told = new Set(pool.attributes.map(({ name }) => name));
  const isKnown = (name: string) =>
    told.has(name) || (!pool.tellsAttributes && /^(?:dev:)?custom:/.test(name));
  const attributes = namedOf(user).attributes.filter(({ name }) => !isReadOnly(name));
  return {
    attributes: attributes.filter(({ name }) => isKnown(name)),
    unknown: attributes.filter(({ name }) => !isKnown(name)).map(({ name }) => name),
  };
}

function whyNotMade(user: UserLine, pool: UserPool): string | undefined {
  if (user.seen.status === "EXTERNAL_PROVIDER")
    return "it signs in with another provider: that makes it again at the next sign-in";
  if (pool.signIn.length > 0 && signInName(namedOf(user), pool) === undefined)
    return "it has no e-mail address or telephone number, and the pool signs in with nothing else";
  return undefined;
}

interface Difference {
  readonly differs: readonly string[];
  /** Names of attributes that differ and that the pool lets nobody change. */
  readonly fixed: readonly string[];
  readonly step: Omit<ChangeStep, "kind">;
}

/** What sets an account to what the snapshot has. */
function difference(
  user: UserLine,
  account: Existing,
  { attributes, pool }: { readonly attributes: readonly UserAttribute[]; readonly pool: UserPool },
): Difference {
  const schema = new Map(pool.attributes.map((attribute) => [attribute.name, attribute]));
  const isFixed = (name: string) => schema.get(name)?.isMutable === false;
  const current = new Map(account.attributes.map(({ name, value }) => [name, value]));
  const wanted = new Map(attributes.map(({ name, value }) => [name, value]));
  const changed = attributes.filter(({ name, value }) => current.get(name) !== value);
  // Whatever the pool says of its attributes: what the snapshot has is never removed.
  const inSnapshot = new Set(user.put.UserAttributes.map(({ Name }) => Name));
  const surplus = [...current.keys()].filter((name) => !inSnapshot.has(name) && !isReadOnly(name));
  const isKept = (name: string) => isFixed(name) || schema.get(name)?.isRequired === true;
  const { enabled, groups } = user.seen;
  const join = groups.filter((name) => !account.groups.includes(name));
  const leave = account.groups.filter((name) => !groups.includes(name));
  return {
    differs: [
      ...changed.map(({ name }) => name),
      ...surplus,
      ...(account.enabled === enabled ? [] : ["enabled"]),
      ...(join.length + leave.length === 0 ? [] : ["groups"]),
    ],
    fixed: [...changed.map(({ name }) => name).filter(isFixed), ...surplus.filter(isKept)],
    step: {
      username: account.username,
      set: withVerification(
        changed.filter(({ name }) => !isFixed(name)),
        wanted,
      ),
      remove: surplus.filter((name) => !isKept(name)),
      enabled: account.enabled === enabled ? undefined : enabled,
      join,
      leave,
    },
  };
}

/** An address that changes counts as not verified unless the same call says that it is. */
function withVerification(
  set: readonly UserAttribute[],
  wanted: ReadonlyMap<string, string>,
): readonly UserAttribute[] {
  const added = ["email", "phone_number"].flatMap((address) => {
    const name = `${address}_verified`;
    const value = wanted.get(name);
    const isMissing = set.some((each) => each.name === address) && !set.some((each) => each.name === name);
    return isMissing && value !== undefined ? [{ name, value }] : [];
  });
  return [...set, ...added];
}

/**
 * Whether the account is one that a restore made and could not finish: another id than in the snapshot, never signed in,
 * all attributes as wanted, and only groups or the disabling are missing. Nobody's change is lost by finishing it.
 */
function isUnfinished(user: UserLine, account: Existing, step: Omit<ChangeStep, "kind">): boolean {
  return (
    account.sub !== user.seen.sub &&
    account.status === "FORCE_CHANGE_PASSWORD" &&
    step.set.length + step.remove.length + step.leave.length === 0 &&
    step.enabled !== true
  );
}

function onDifference(
  policy: PlanUsers["onConflict"],
  user: UserLine,
  account: Existing,
): "conflict" | "skip" | "overwrite" {
  switch (policy) {
    case "fail":
      return "conflict";
    case "skip":
      return "skip";
    case "replace":
      return "overwrite";
    case "newer":
      return Date.parse(user.seen.modifiedAt) > account.modifiedAt.getTime() ? "overwrite" : "skip";
  }
}

interface Losses {
  readonly unknown: Set<string>;
  readonly fixed: Set<string>;
  created: number;
  /** Of those created: had a password of their own, or had begun to. */
  signedIn: number;
  /** Of those created: signed in through another provider too. */
  linked: number;
}

function sentences({ unknown, fixed, created, signedIn, linked }: Losses): string[] {
  const lost: string[] = [];
  if (created > 0) {
    lost.push(
      "passwords: no copy has them; every account that is made needs an invitation (aws cognito-idp admin-create-user --message-action RESEND)",
      "ids (sub): Cognito gives every account a new one; --remap writes them into items and keys",
      "second factors and remembered devices: users set them up again",
    );
  }
  if (signedIn > 0)
    lost.push(`states: ${signedIn} accounts will be FORCE_CHANGE_PASSWORD until their first sign-in`);
  if (linked > 0)
    lost.push(
      `links to other providers: ${linked} accounts have to be linked again (aws cognito-idp admin-link-provider-for-user)`,
    );
  if (unknown.size > 0)
    lost.push(`attributes that the pool does not have: ${[...unknown].toSorted().join(", ")}`);
  if (fixed.size > 0)
    lost.push(`attributes that an existing account keeps as they are: ${[...fixed].toSorted().join(", ")}`);
  return lost;
}
