import type { Aws } from "../aws/clients.ts";
import { listPoolUsers, type PoolAccount, type UserAttribute } from "../aws/cognito/users-list.ts";
import { listsPerSecond, pacedFor } from "../aws/cognito/users-pace.ts";
import { isRecord, type JsonObject } from "../model/json.ts";
import { identityOf, namedOf, type UserLine } from "./user-line.ts";
import { existingPool } from "./users-read.ts";

/** A user's id in the snapshot to the same user's id now; only those that differ. */
export type NewIds = ReadonlyMap<string, string>;

export interface FoundIds {
  readonly newIds: NewIds;
  /** Ids of users that have no account in the pool: not made yet, or left out. */
  readonly missing: readonly string[];
  /** Ids of users whose name another person seems to have now: both accounts have an address, and not the same. */
  readonly doubtful: readonly string[];
}

/**
 * Who of the snapshot has which id now. Computed from the snapshot's users and the pool's alone, so a second run, after
 * a crash too, finds the same. No id is given to two users, and nobody's to somebody who may be another person. Who was
 * erased should not be among `users`. Memory: about 300 bytes a user.
 */
export async function readNewIds({
  aws,
  poolId,
  users,
  signal,
  now,
}: {
  readonly aws: Aws;
  readonly poolId: string;
  readonly users: AsyncIterable<UserLine>;
  readonly signal?: AbortSignal;
  readonly now: () => Date;
}): Promise<FoundIds> {
  const pool = await existingPool(aws, poolId, signal);
  const accounts = new Map<string, Pick<PoolAccount, "sub" | "attributes">>();
  const calls = { paced: pacedFor(aws, { perSecond: listsPerSecond, now }), signal };
  for await (const page of listPoolUsers(aws, poolId, calls))
    for (const account of page)
      accounts.set(identityOf(account, pool), { sub: account.sub, attributes: addressesOf(account) });
  const newIds = new Map<string, string>();
  const missing: string[] = [];
  const doubtful: string[] = [];
  for await (const user of users) {
    const { sub } = user.seen;
    const identity = identityOf(namedOf(user), pool);
    const account = accounts.get(identity);
    if (account === undefined) {
      missing.push(sub);
      continue;
    }
    accounts.delete(identity);
    if (account.sub === sub) continue;
    if (isAnother(namedOf(user), account)) doubtful.push(sub);
    else newIds.set(sub, account.sub);
  }
  return { newIds, missing, doubtful };
}

type Addressed = Pick<PoolAccount, "attributes">;

function addressesOf({ attributes }: Addressed): UserAttribute[] {
  return attributes.filter(({ name }) => name === "email" || name === "phone_number");
}

/** Whether both have an e-mail address, or both a telephone number, and none of them agrees. */
function isAnother(one: Addressed, other: Addressed): boolean {
  const theirs = new Map(addressesOf(other).map(({ name, value }) => [name, value.toLowerCase()]));
  const shared = addressesOf(one).filter(({ name }) => theirs.has(name));
  return shared.length > 0 && shared.every(({ name, value }) => theirs.get(name) !== value.toLowerCase());
}

/**
 * A text in which each path segment that is an old id is the new one: an id alone, a key, a URL, with or without a
 * query. An id inside of a longer word stays: it is not known to be one there.
 */
export function remapText(text: string, newIds: NewIds): string {
  const whole = newIds.get(text);
  if (whole !== undefined) return whole;
  if (!/[/?#]/.test(text)) return text;
  return text.replaceAll(/[^/?#]+/g, (segment) => newIds.get(segment) ?? segment);
}

/**
 * An item in DynamoDB's typed JSON with the new ids: in every string, string set and the keys of the table, at any depth.
 * Names of attributes, numbers and binary stay as they are. Pure; gives the very same object when nothing changes.
 *
 * Not for the audit trail: its entries are a chain of hashes over their own text, and they tell what was.
 */
export function remapItem(item: JsonObject, newIds: NewIds): JsonObject {
  let changed = item;
  for (const [name, value] of Object.entries(item)) {
    const mapped = remapValue(value, newIds);
    if (mapped === value) continue;
    if (changed === item) changed = { ...item };
    (changed as Record<string, unknown>)[name] = mapped;
  }
  return changed;
}

function remapValue(value: unknown, newIds: NewIds): unknown {
  if (!isRecord(value)) return value;
  const { S, SS, L, M } = value;
  if (typeof S === "string") {
    const mapped = remapText(S, newIds);
    return mapped === S ? value : { S: mapped };
  }
  if (Array.isArray(SS)) {
    const mapped = SS.map((member) => remapText(String(member), newIds));
    return mapped.every((member, index) => member === SS[index]) ? value : { SS: [...new Set(mapped)] };
  }
  if (Array.isArray(L)) {
    const mapped = L.map((member) => remapValue(member, newIds));
    return mapped.every((member, index) => member === L[index]) ? value : { L: mapped };
  }
  if (isRecord(M)) {
    const mapped = remapItem(M, newIds);
    return mapped === M ? value : { M: mapped };
  }
  return value;
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Subs are UUIDs: whether a line of a snapshot can hold one of these ids, without parsing it. */
export function mayHold(line: string, newIds: NewIds): boolean {
  for (const [id] of line.matchAll(uuid)) if (newIds.has(id)) return true;
  return false;
}

/** An object's key and its own metadata (`uploaded-by` among it) with the new ids. Pure. */
export function remapObject<
  T extends { readonly Key: string; readonly Metadata?: Readonly<Record<string, string>> },
>(put: T, newIds: NewIds): T {
  const { Metadata: metadata } = put;
  return {
    ...put,
    Key: remapText(put.Key, newIds),
    ...(metadata === undefined
      ? {}
      : {
          Metadata: Object.fromEntries(
            Object.entries(metadata).map(([name, value]) => [name, remapText(value, newIds)]),
          ),
        }),
  };
}
