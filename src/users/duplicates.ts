import { attributeOf, listPoolUsers, type PoolAccount } from "../aws/cognito/users-list.ts";
import type { AccountSite } from "./pool.ts";

/** Accounts that may be one person's. */
export interface Duplicates {
  /** `same`: one address in other case or another spelling of its letters. `maybe`: the same but for dots or what stands behind a plus. */
  readonly kind: "same" | "maybe";
  readonly address: string;
  readonly accounts: readonly Pick<PoolAccount, "sub" | "username" | "status" | "enabled" | "createdAt">[];
  readonly addresses: readonly string[];
}

/**
 * Finds accounts with the same address, by one pass through the pool. In order of the address, of one address `same` before
 * `maybe`, and within each the accounts in order of their own address and id, however the pool lists them.
 */
export async function findDuplicates(site: AccountSite): Promise<Duplicates[]> {
  const alike = new Map<string, PoolAccount[]>();
  for await (const page of listPoolUsers(site.aws, site.poolId, site)) {
    for (const account of page) {
      const email = attributeOf(account, "email") ?? account.username;
      const name = email.includes("@") ? withoutTag(sameAddress(email)) : undefined;
      if (name !== undefined) alike.set(name, [...(alike.get(name) ?? []), account]);
    }
  }
  return [...alike]
    .flatMap(([name, accounts]) => duplicatesIn(name, accounts.toSorted(inOrder)))
    .toSorted((one, other) => order(one.address, other.address) || order(other.kind, one.kind));
}

/** Pure. */
function duplicatesIn(name: string, accounts: readonly PoolAccount[]): Duplicates[] {
  if (accounts.length < 2) return [];
  const bySpelling = new Map<string, PoolAccount[]>();
  for (const account of accounts) {
    const address = sameAddress(addressOf(account));
    bySpelling.set(address, [...(bySpelling.get(address) ?? []), account]);
  }
  const told = (kind: Duplicates["kind"], address: string, all: readonly PoolAccount[]): Duplicates => ({
    kind,
    address,
    addresses: all.map(addressOf),
    accounts: all.map(({ sub, username, status, enabled, createdAt }) => ({
      sub,
      username,
      status,
      enabled,
      createdAt,
    })),
  });
  const same = [...bySpelling].flatMap(([address, all]) =>
    all.length > 1 ? [told("same", address, all)] : [],
  );
  return bySpelling.size > 1 ? [...same, told("maybe", name, accounts)] : same;
}

function inOrder(one: PoolAccount, other: PoolAccount): number {
  return order(addressOf(one), addressOf(other)) || order(one.sub, other.sub);
}

function order(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

function addressOf(account: PoolAccount): string {
  return attributeOf(account, "email") ?? account.username;
}

/** An address as it is the same to people: in whatever case, and however its letters are composed. Pure. */
function sameAddress(address: string): string {
  return address.normalize("NFC").toLowerCase();
}

/** Many providers, not all, deliver these to the same person. */
function withoutTag(address: string): string {
  const at = address.lastIndexOf("@");
  const local = address.slice(0, at).replace(/\+.*$/s, "").replaceAll(".", "");
  return `${local}${address.slice(at)}`;
}
