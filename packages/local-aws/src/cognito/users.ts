import { under, type Write } from "../json-database.ts";
import { Fault } from "../fault.ts";
import { invalid, userNotFound } from "./fault.ts";
import { type Context, del, keys, lastPart, type Pool, put, seconds, type User } from "./records.ts";
import { attributeOf } from "./schema.ts";

/** The name under which a user's records lie. */
export function keyName(pool: Pool, username: string): string {
  return pool.caseSensitive === false ? username.toLowerCase() : username;
}

/** The user behind a user name, a sub, or what signs in (an address of the pool's kind, a verified alias). */
export async function findUser(context: Context, pool: Pool, name: string): Promise<User | undefined> {
  const { database } = context;
  const direct = await database.get<User>(keys.user(pool.id, keyName(pool, name)));
  if (direct !== undefined) return direct;
  for (const attribute of ["sub", ...pool.usernameAttributes, ...pool.aliasAttributes]) {
    const owner = await database.get<string>(keys.index(pool.id, attribute, indexed(pool, attribute, name)));
    if (owner !== undefined) return database.get<User>(keys.user(pool.id, owner));
  }
  return undefined;
}

export async function existingUser(context: Context, pool: Pool, name: string): Promise<User> {
  const user = await findUser(context, pool, name);
  if (user === undefined) throw userNotFound();
  return user;
}

function indexed(pool: Pool, attribute: string, value: string): string {
  return pool.caseSensitive === false && attribute !== "sub" ? value.toLowerCase() : value;
}

/** Keys of the index that this user has: each belongs to one user at a time. */
function indexKeys(pool: Pool, user: User): Map<string, string> {
  const { attributes } = user;
  const signsIn = [
    ...pool.usernameAttributes,
    ...pool.aliasAttributes.filter(
      (name) => name === "preferred_username" || attributes[`${name}_verified`] === "true",
    ),
  ];
  const owned = new Map([[keys.index(pool.id, "sub", user.sub), "sub"]]);
  for (const name of signsIn) {
    const value = attributes[name];
    if (value !== undefined) owned.set(keys.index(pool.id, name, indexed(pool, name, value)), name);
  }
  return owned;
}

interface SaveOptions {
  /** As it was before; undefined for a new one. */
  readonly before?: User;
  /** An alias that another user has is taken from them instead of refused. */
  readonly takesAliases?: boolean;
}

/**
 * What writes a user with the rows of the index. To be called within `exclusive`.
 * @throws Fault when somebody else signs in with the same.
 */
export async function saving(
  context: Context,
  pool: Pool,
  user: User,
  { before, takesAliases = false }: SaveOptions = {},
): Promise<Write[]> {
  const name = keyName(pool, user.username);
  const owned = indexKeys(pool, user);
  const writes: Write[] = [put(keys.user(pool.id, name), user)];
  for (const [key, attribute] of owned) {
    const owner = await context.database.get<string>(key);
    if (owner === name) continue;
    if (owner !== undefined) {
      if (!takesAliases) throw taken(pool, attribute, before === undefined);
      writes.push(...(await withoutAlias(context, pool, { owner, attribute })));
    }
    writes.push(put(key, name));
  }
  if (before !== undefined)
    for (const key of indexKeys(pool, before).keys()) if (!owned.has(key)) writes.push(del(key));
  return writes;
}

function taken(pool: Pool, attribute: string, isNew: boolean): Fault {
  const word = attribute === "phone_number" ? "phone_number" : attribute;
  const isName = isNew && pool.usernameAttributes.includes(attribute);
  return new Fault(
    isName ? "UsernameExistsException" : "AliasExistsException",
    `An account with the given ${word} already exists.`,
  );
}

/** The former owner keeps the address, unverified. */
async function withoutAlias(
  context: Context,
  pool: Pool,
  { owner, attribute }: { readonly owner: string; readonly attribute: string },
): Promise<Write[]> {
  const user = await context.database.get<User>(keys.user(pool.id, owner));
  if (user === undefined) return [];
  const attributes = { ...user.attributes };
  if (attribute === "preferred_username") delete attributes[attribute];
  else attributes[`${attribute}_verified`] = "false";
  return [put(keys.user(pool.id, owner), { ...user, attributes, modifiedMs: context.now().getTime() })];
}

/** What removes a user, with the index and the memberships. */
export async function removing(context: Context, pool: Pool, user: User): Promise<Write[]> {
  const name = keyName(pool, user.username);
  const [memberships, events] = await Promise.all([
    context.database.keys(under(keys.memberships(pool.id, name))),
    context.database.keys(under(keys.events(pool.id, name))),
  ]);
  return [
    del(keys.user(pool.id, name)),
    ...[...indexKeys(pool, user).keys(), ...events].map((key) => del(key)),
    ...memberships.flatMap((key) => [del(key), del(keys.member(pool.id, lastPart(key), name))]),
  ];
}

/**
 * The attributes after a change. An empty value takes one away; an address that changes is unverified unless the same
 * call verifies it.
 * @throws Fault for attributes that may not be changed, and for a verified address that is not there.
 */
export function changedAttributes(
  pool: Pool,
  before: Readonly<Record<string, string>>,
  change: Readonly<Record<string, string>>,
): Record<string, string> {
  const attributes: Record<string, string> = { ...before };
  for (const address of ["email", "phone_number"]) {
    const value = change[address];
    if (value !== undefined && value !== before[address]) delete attributes[`${address}_verified`];
  }
  for (const [name, value] of Object.entries(change)) {
    if (value === "") delete attributes[name];
    else
      attributes[name] =
        attributeOf(pool, name)?.AttributeDataType === "Boolean" ? value.toLowerCase() : value;
  }
  for (const address of ["email", "phone_number"])
    if (attributes[`${address}_verified`] === "true" && attributes[address] === undefined)
      throw invalid(`${address} is required when ${address}_verified is set to true.`);
  return attributes;
}

/** A user as an answer gives it; `Attributes` but for AdminGetUser. */
export function described(user: User, wanted?: readonly string[]): Record<string, unknown> {
  return {
    Username: user.username,
    Attributes: attributeList(user).filter(({ Name }) => wanted === undefined || wanted.includes(Name)),
    UserCreateDate: seconds(user.createdMs),
    UserLastModifiedDate: seconds(user.modifiedMs),
    Enabled: user.enabled,
    UserStatus: user.status,
  };
}

export function attributeList(user: User): { Name: string; Value: string }[] {
  return [...Object.entries(user.attributes), ["sub", user.sub] as const].map(([Name, Value]) => ({
    Name,
    Value,
  }));
}
