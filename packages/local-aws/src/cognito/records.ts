import { type Database, type Write, under } from "../json-database.ts";
import { poolNotFound } from "./fault.ts";

/*
 * What the database holds. User names, e-mail addresses and names of groups hold no control characters.
 *
 *   r NUL region                               the region's first pool was made
 *   p NUL pool                                 Pool
 *   u NUL pool NUL name                        User; the name in lower case where the pool does not tell case apart
 *   i NUL pool NUL attribute NUL value         the key name of the user who has it: sub, and what signs in
 *   g NUL pool NUL group                       Group
 *   m NUL pool NUL group NUL name              a member
 *   n NUL pool NUL name NUL group              the same, from the user's side
 *   c NUL pool NUL client                      Client
 *   d NUL client                               its pool
 *   e NUL pool NUL name NUL time and id        a sign-in, the newest first
 */

export interface Pool {
  readonly id: string;
  readonly name: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
  readonly schema: readonly SchemaAttribute[];
  /** What signs in instead of a user name: `email`, `phone_number`. */
  readonly usernameAttributes: readonly string[];
  /** What signs in besides the user name, once it is verified. */
  readonly aliasAttributes: readonly string[];
  /** Undefined where it was never said: case counts then. */
  readonly caseSensitive?: boolean;
  /** Everything else that was said at its making or last change, as it was said. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** In Cognito's own form. */
export interface SchemaAttribute {
  readonly Name: string;
  readonly AttributeDataType: "String" | "Number" | "DateTime" | "Boolean";
  readonly DeveloperOnlyAttribute: boolean;
  readonly Mutable: boolean;
  readonly Required: boolean;
  readonly StringAttributeConstraints?: { readonly MinLength?: string; readonly MaxLength?: string };
  readonly NumberAttributeConstraints?: { readonly MinValue?: string; readonly MaxValue?: string };
}

export interface User {
  readonly username: string;
  readonly sub: string;
  /** Without sub. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly status: "UNCONFIRMED" | "FORCE_CHANGE_PASSWORD" | "CONFIRMED" | "RESET_REQUIRED";
  readonly enabled: boolean;
  readonly createdMs: number;
  readonly modifiedMs: number;
  /** Undefined for a password that was made at random and told nobody. */
  readonly password?: PasswordHash;
  /** Second factors that are on, and the preferred one. */
  readonly factors?: { readonly on: readonly string[]; readonly preferred?: string };
}

/** Of scrypt with Node's own cost; hex. */
export interface PasswordHash {
  readonly salt: string;
  readonly hash: string;
}

export interface Group {
  readonly name: string;
  readonly description?: string;
  readonly precedence?: number;
  readonly roleArn?: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

/** What an operation works with. */
export interface Context {
  readonly database: Database;
  readonly region: string;
  readonly now: () => Date;
}

export const keys = {
  region: (region: string) => `r\0${region}`,
  pools: "p\0",
  pool: (id: string) => `p\0${id}`,
  users: (pool: string) => `u\0${pool}\0`,
  user: (pool: string, name: string) => `u\0${pool}\0${name}`,
  index: (pool: string, attribute: string, value: string) => `i\0${pool}\0${attribute}\0${value}`,
  groups: (pool: string) => `g\0${pool}\0`,
  group: (pool: string, group: string) => `g\0${pool}\0${group}`,
  members: (pool: string, group: string) => `m\0${pool}\0${group}\0`,
  member: (pool: string, group: string, name: string) => `m\0${pool}\0${group}\0${name}`,
  memberships: (pool: string, name: string) => `n\0${pool}\0${name}\0`,
  clients: (pool: string) => `c\0${pool}\0`,
  client: (pool: string, id: string) => `c\0${pool}\0${id}`,
  poolOf: (client: string) => `d\0${client}`,
  events: (pool: string, name: string) => `e\0${pool}\0${name}\0`,
  membership: (pool: string, name: string, group: string) => `n\0${pool}\0${name}\0${group}`,
};

export function put(key: string, value: unknown): Write {
  return { type: "put", key, value };
}

export function del(key: string): Write {
  return { type: "del", key };
}

export async function existingPool(context: Context, id: string): Promise<Pool> {
  const pool = await context.database.get<Pool>(keys.pool(id));
  if (pool === undefined) throw poolNotFound(id);
  return pool;
}

/** The part of a key behind its last NUL. */
export function lastPart(key: string): string {
  return key.slice(key.lastIndexOf("\0") + 1);
}

/** Keys of all that belongs to a pool besides the pool itself. */
export async function keysOfPool(context: Context, id: string): Promise<string[]> {
  const kinds = await Promise.all(
    ["u", "i", "g", "m", "n", "c", "e"].map((kind) => context.database.keys(under(`${kind}\0${id}\0`))),
  );
  const all = kinds.flat();
  const clients = all.filter((key) => key.startsWith(keys.clients(id)));
  return [...all, ...clients.map((key) => keys.poolOf(lastPart(key)))];
}

export function seconds(ms: number): number {
  return ms / 1000;
}

interface Page<T> {
  readonly items: T[];
  readonly next: string | undefined;
}

/**
 * So many of a range's entries as asked for, from behind the token on, and the token for those after them. The key of the
 * last one is the token: what is made or removed meanwhile neither repeats nor hides others.
 */
export async function page<T>(
  context: Context,
  prefix: string,
  {
    limit,
    token,
    take,
  }: {
    readonly limit: number;
    readonly token: string | undefined;
    /** Undefined leaves an entry out. */
    readonly take: (key: string, value: never) => Promise<T | undefined> | T | undefined;
  },
): Promise<Page<T>> {
  const { lt } = under(prefix);
  const start = token === undefined ? { gte: prefix } : { gt: prefix + token };
  const items: T[] = [];
  let last = "";
  for await (const [key, value] of context.database.entries<never>({
    ...start,
    ...(lt === undefined ? {} : { lt }),
  })) {
    const item = await take(key, value);
    if (item === undefined) continue;
    if (items.length === limit) return { items, next: last };
    items.push(item);
    last = key.slice(prefix.length);
  }
  return { items, next: undefined };
}
