import { itemTypes } from "../model/mawps.ts";
import { getItem, scanItems, type Item } from "../aws/dynamodb/items.ts";
import { findPoolUser, findPoolUsers, type PoolUser } from "../aws/cognito/users.ts";
import type { Paced } from "../aws/cognito/users-pace.ts";
import { attributeOf, listPoolUsers } from "../aws/cognito/users-list.ts";
import { updateAttributes } from "../aws/dynamodb/update-item.ts";
import { CliError, exitCodes } from "../errors.ts";
import { judgedAttributes, nobodyIn, nobodyWith } from "../model/nobodies.ts";
import { afterKind } from "../model/person-rows.ts";
import { peopleHints, userIdFault } from "../model/user-id.ts";
import { documentItemKey, notAUser, readDocuments, refuseNobody } from "./entries.ts";
import type { UserDocuments } from "./entry.ts";
import { accountsFor } from "./row-accounts.ts";
import { attachmentIn, ownerSubject, type DocumentRows } from "./row-model.ts";
import type { DocumentSite } from "./site.ts";

/** What to do with a user of whom no profile is found. */
export type Unknown =
  /** An error. */
  | "refuse"
  /** Their id is taken as it is given: somebody whose item is lost may still have objects. */
  | "take"
  /** An error, unless they have an account: then they are about to get a profile. */
  | "account"
  /** They are about to get a profile: an id is taken as it is given, an address where the site makes ids itself. */
  | "make";

/**
 * The id behind what an admin has at hand.
 *
 * | given              | with a user pool                           | without one                            |
 * |--------------------|--------------------------------------------|----------------------------------------|
 * | a user name or sub | its sub; without an account the id itself  | the id itself                          |
 * | an e-mail address  | the sub of the one account that has it     | the id of the one profile that has it  |
 *
 * An address is never an id: what stands under one in the table is an access record. Items that are no people are no users.
 * @throws CliError for what cannot be an id, when nobody is found, and when several are.
 */
export async function resolveUser(site: DocumentSite, given: string, unknown: Unknown): Promise<string> {
  if (site.rows !== undefined) return (await findInRows(site, site.rows, { given, unknown })).userId;
  const { userId, without, isTaken } = await identify(site, given, unknown);
  if (isTaken || without === undefined || (await hasItem(site, userId))) return userId;
  throw without;
}

/**
 * The documents of the user whom `resolveUser` finds. What is given is an id most of the time: its items are read beside
 * the question whose it is.
 */
export async function findDocuments(
  site: DocumentSite,
  given: string,
  unknown: Unknown = "refuse",
): Promise<UserDocuments> {
  if (site.rows !== undefined) return findInRows(site, site.rows, { given, unknown });
  refuseFault(given);
  const early = given.includes("@") ? undefined : readDocuments(site, given);
  early?.catch(() => undefined);
  const { userId, without, isTaken } = await identify(site, given, unknown);
  const user = await (userId === given && early !== undefined ? early : readDocuments(site, userId));
  if (isTaken || without === undefined || user.isKnown) return user;
  throw without;
}

/** The same of a site with rows, whose accounts are an entity of its model; where it has none every id is taken as it is given. */
async function findInRows(
  site: DocumentSite,
  rows: DocumentRows,
  { given: text, unknown }: { readonly given: string; readonly unknown: Unknown },
): Promise<UserDocuments> {
  // `customer:max@example.com` says of which kind they are, where nobody's id begins like that.
  const kind = ownerSubject(rows);
  const named = afterKind(text, kind === undefined ? [] : [kind]);
  const whole = named === undefined ? [] : await accountsFor(rows, text);
  const isId = whole !== "no accounts" && whole.length > 0;
  const given = isId ? text : (named?.name ?? text);
  const attached = attachmentIn(rows, given);
  refuseFaulty(attached?.id ?? given, text);
  const early = given.includes("@") ? undefined : readDocuments(site, given);
  early?.catch(() => undefined);
  const found = await accountsFor(rows, given);
  if (found === "no accounts") return early ?? readDocuments(site, given);
  const [only, ...others] = found;
  if (others.length > 0) throw several(given, [only ?? "", ...others]);
  if (only === undefined && early === undefined) throw nobodyInRows(rows, given);
  const user = await (only === given || only === undefined
    ? (early ?? readDocuments(site, given))
    : readDocuments(site, only));
  const isRefused = unknown === "refuse" || unknown === "account";
  if (only === undefined && isRefused && !user.isKnown) throw nobodyInRows(rows, given);
  return user;
}

interface Identified {
  readonly userId: string;
  /** What is to be told where nothing is found under the id; undefined when it was found in a profile. */
  readonly without: CliError | undefined;
  /** Whether the id counts also where nothing is found under it. */
  readonly isTaken: boolean;
}

async function identify(site: DocumentSite, given: string, unknown: Unknown): Promise<Identified> {
  refuseFault(given);
  const { userPoolId } = site;
  const pool = userPoolId === undefined ? undefined : await inPool(site, userPoolId, given);
  if (pool !== undefined) {
    refuseFault(pool);
    const without = new CliError(`unknown user ${JSON.stringify(given)}: account ${pool} has no profile`, {
      hint: "`mawps doc upload`, `doc request` and `progress import` make the profile of an account",
    });
    return { userId: pool, without, isTaken: unknown !== "refuse" };
  }
  const isTaken = unknown === "take" || unknown === "make";
  const nowhere = userPoolId === undefined ? "there is no profile" : "there is no account and no profile";
  const without = nobody(given, nowhere);
  if (!given.includes("@")) return { userId: given, without, isTaken };
  const [only, ...others] = (await profilesWithAddress(site, given)).keys();
  if (others.length > 0) throw several(given, [only ?? "", ...others]);
  if (only !== undefined) return { userId: only, without: undefined, isTaken };
  if (unknown === "make" && site.newId !== undefined) return { userId: site.newId(), without, isTaken };
  throw userPoolId === undefined ? unknownAddress(given) : without;
}

/** Makes an empty profile where the user has none. */
export async function createProfile(
  site: DocumentSite,
  user: { userId: string; email?: string },
): Promise<void> {
  const now = { S: site.now().toISOString() };
  const attributes: Item = {
    ...(site.shape.kind === "simple" ? { type: { S: itemTypes.profile } } : {}),
    ...(user.email === undefined ? {} : { email: { S: user.email } }),
    createdAt: now,
    updatedAt: now,
  };
  await updateAttributes(site.aws, {
    table: site.table,
    key: documentItemKey(site, user.userId, "profile"),
    set: Object.entries(attributes).map(([path, value]) => ({ path, value })),
    // Somebody else's profile of the same user, made meanwhile, is as good.
    conditions: [{ path: "userId", is: "absent" }],
    signal: site.signal,
  });
}

/** @param shown what was typed, where that is more than the id. @throws CliError for what can be no id; nothing at all is wrong usage. */
function refuseFaulty(userId: string, shown = userId): void {
  const fault = userIdFault(userId);
  if (fault === undefined) return;
  const exitCode = userId === "" ? exitCodes.usage : exitCodes.failed;
  if (userId === shown) throw new CliError(`the user id ${JSON.stringify(userId)} ${fault}`, { exitCode });
  throw new CliError(`the id in ${JSON.stringify(shown)} ${fault}`, { exitCode });
}

function refuseFault(userId: string): void {
  refuseFaulty(userId);
  const what = userId.includes("@") ? undefined : nobodyWith(userId);
  if (what !== undefined) throw notAUser(userId, what);
}

/** The sub of the account; undefined when the pool has none. */
async function inPool(site: DocumentSite, poolId: string, given: string): Promise<string | undefined> {
  return (await findAccount(site, poolId, given))?.sub;
}

interface PoolPlace extends Pick<DocumentSite, "aws" | "signal"> {
  /** By default as fast as it goes. */
  readonly paced?: Paced;
}

/**
 * The account behind what an admin has at hand: its user name, its sub or its address. Case does not matter in what people type: an
 * address that nobody has exactly so is looked for through the whole pool. Undefined when there is none.
 * @throws CliError when several accounts could be meant; all of them are named.
 */
export async function findAccount(
  site: PoolPlace,
  poolId: string,
  given: string,
): Promise<PoolUser | undefined> {
  const { aws, signal } = site;
  const isAddress = given.includes("@");
  const attribute = isAddress ? "email" : "sub";
  const [named, alike] = await Promise.all([
    findPoolUser(aws, poolId, { username: given, signal }),
    isAddress ? findPoolUsers(aws, poolId, { attribute, value: given, signal }) : [],
  ]);
  const exact = named === undefined ? alike : [named, ...alike];
  if (exact.length > 0) return onlyOne(given, exact);
  if (!isAddress)
    return onlyOne(given, await findPoolUsers(aws, poolId, { attribute, value: given, signal }));
  return onlyOne(given, await withAddress(site, poolId, given));
}

function onlyOne(given: string, found: readonly PoolUser[]): PoolUser | undefined {
  const subs = new Set(found.map(({ sub }) => sub));
  if (subs.size > 1) throw several(given, [...subs]);
  return found[0];
}

/** The accounts with this address in whatever case. */
async function withAddress(
  { aws, signal, paced = (call) => call() }: PoolPlace,
  poolId: string,
  address: string,
): Promise<PoolUser[]> {
  const wanted = address.toLowerCase();
  const found: PoolUser[] = [];
  for await (const page of listPoolUsers(aws, poolId, { paced, signal })) {
    for (const account of page) {
      const { username, sub } = account;
      const email = attributeOf(account, "email");
      if (email?.toLowerCase() === wanted) found.push({ username, sub, email });
    }
  }
  return found;
}

async function hasItem(site: DocumentSite, userId: string): Promise<boolean> {
  const places = site.shape.kind === "simple" ? (["profile"] as const) : (["profile", "document"] as const);
  const items = await Promise.all(
    places.map((place) =>
      getItem(site.aws, {
        table: site.table,
        key: documentItemKey(site, userId, place),
        attributes: judgedAttributes,
        signal: site.signal,
      }),
    ),
  );
  for (const item of items) refuseNobody(userId, item);
  return items.some((item) => item !== undefined);
}

/** Ids and spellings of the profiles with this address; there is no index on it. Case does not matter in what people type. */
export async function profilesWithAddress(
  site: DocumentSite,
  email: string,
): Promise<ReadonlyMap<string, string>> {
  const wanted = email.toLowerCase();
  const found = new Map<string, string>();
  const { aws, table, signal } = site;
  for await (const page of scanItems(aws, { table, attributes: [...judgedAttributes, "email"], signal })) {
    for (const item of page) {
      const [userId, told] = [item["userId"]?.S, item["email"]?.S];
      if (userId === undefined || told?.toLowerCase() !== wanted) continue;
      if (nobodyIn(item) === undefined && userIdFault(userId) === undefined) found.set(userId, told);
    }
  }
  return found;
}

/** The same where accounts are items or rows that the model names. */
function nobodyInRows(rows: DocumentRows, given: string): CliError {
  if (attachmentIn(rows, given) !== undefined)
    return new CliError(`there is no ${given}`, { hint: "give its id as the site has it" });
  const why = given.includes("@") ? "no account has this address" : "there is no account";
  return new CliError(`unknown user ${JSON.stringify(given)}: ${why}`, { hint: peopleHints.model });
}

function nobody(given: string, why: string): CliError {
  return new CliError(`unknown user ${JSON.stringify(given)}: ${why}`, {
    hint: "give a sub, a user name or an e-mail address; for somebody without an account, --create-profile of upload, request and import makes a profile",
  });
}

/** Without a user pool an address is known from profiles alone, so that none can be made for it. */
function unknownAddress(given: string): CliError {
  return new CliError(`unknown user ${JSON.stringify(given)}: no profile has this address`, {
    hint: "give the user's id, or set userPoolId, so that Cognito is asked whose address it is",
  });
}

function several(given: string, ids: readonly string[]): CliError {
  return new CliError(`${ids.length} users have the address ${given}: ${ids.join(", ")}`, {
    hint: "give the id of the one that is meant",
  });
}
