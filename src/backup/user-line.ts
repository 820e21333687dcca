import type { UserPool } from "../aws/cognito/user-pool.ts";
import { attributeOf, type PoolAccount } from "../aws/cognito/users-list.ts";
import { isDeeperThan, isRecord } from "../model/json.ts";
import { DamagedError } from "./damage.ts";

/** Far more than an account has, and far less than what goes down into it can take. */
const maxLevels = 30;

/** One account in a snapshot. */
export interface UserLine {
  /** What Cognito decides itself, or takes by calls of its own. */
  readonly seen: {
    /** What the site's items and keys call `userId`. */
    readonly sub: string;
    readonly status: string;
    readonly enabled: boolean;
    readonly createdAt: string;
    readonly modifiedAt: string;
    readonly groups: readonly string[];
    /** The accounts at other providers that sign in as this one, in Cognito's own text. */
    readonly identities?: string;
  };
  /** Input of AdminCreateUser, but for the pool. */
  readonly put: {
    /** In pools with sign-in by e-mail or telephone that address: there Cognito makes the names. */
    readonly Username: string;
    readonly UserAttributes: readonly { readonly Name: string; readonly Value: string }[];
  };
}

/** The account as a snapshot keeps it. */
export function userLine(account: PoolAccount, pool: UserPool, groups: readonly string[]): UserLine {
  const identities = attributeOf(account, "identities");
  return {
    seen: {
      sub: account.sub,
      status: account.status,
      enabled: account.enabled,
      createdAt: account.createdAt.toISOString(),
      modifiedAt: account.modifiedAt.toISOString(),
      groups: groups.toSorted(),
      identities,
    },
    put: {
      Username: signInName(account, pool) ?? account.username,
      UserAttributes: account.attributes
        .filter(({ name }) => name !== "identities")
        .map(({ name, value }) => ({ Name: name, Value: value })),
    },
  };
}

/** As one line of JSON without the line's end. Strings under `seen` hold no braces: `sed` can then cut `put` out. */
export function userLineText({ seen, put }: UserLine): string {
  const shown = JSON.stringify(seen)
    .slice(1, -1)
    .replaceAll("{", String.raw`\u007b`)
    .replaceAll("}", String.raw`\u007d`);
  return `{"seen":{${shown}},"put":${JSON.stringify(put)}}`;
}

/** @throws DamagedError for a line that is none; the part it lies in was checked before, so another program wrote it. */
export function parseUserLine(line: Uint8Array | string): UserLine {
  const text = typeof line === "string" ? line : Buffer.from(line).toString();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  if (!isDeeperThan(parsed, maxLevels) && isUserLine(parsed)) return parsed;
  throw new DamagedError("a line of the snapshot's users is not an account as this program writes them");
}

function isUserLine(value: unknown): value is UserLine {
  if (!isRecord(value) || !isRecord(value["seen"]) || !isRecord(value["put"])) return false;
  const { seen, put } = value;
  return (
    ["sub", "status", "createdAt", "modifiedAt"].every((name) => typeof seen[name] === "string") &&
    typeof seen["enabled"] === "boolean" &&
    Array.isArray(seen["groups"]) &&
    typeof put["Username"] === "string" &&
    Array.isArray(put["UserAttributes"]) &&
    put["UserAttributes"].every(
      (each) => isRecord(each) && typeof each["Name"] === "string" && typeof each["Value"] === "string",
    )
  );
}

type Named = Pick<PoolAccount, "username" | "attributes">;

/** The line's user name and attributes in the form of an account. */
export function namedOf({ put }: UserLine): Named {
  return {
    username: put.Username,
    attributes: put.UserAttributes.map(({ Name, Value }) => ({ name: Name, value: Value })),
  };
}

/** What a user signs in with in this pool in place of a user name; undefined where that is the user name, or is missing. */
export function signInName(account: Named, pool: Pick<UserPool, "signIn">): string | undefined {
  for (const name of ["email", "phone_number"] as const) {
    const value = pool.signIn.includes(name) ? attributeOf(account, name) : undefined;
    if (value !== undefined && value !== "") return value;
  }
  return undefined;
}

/**
 * What makes two accounts of a pool, or of a snapshot and a pool, the same person's: the e-mail address or telephone
 * number where the pool signs in with those, else the user name. Never the sub: Cognito gives a new one to every account.
 */
export function identityOf(account: Named, pool: Pick<UserPool, "signIn" | "isCaseSensitive">): string {
  const name = signInName(account, pool) ?? account.username;
  return pool.isCaseSensitive ? name : name.toLowerCase();
}
