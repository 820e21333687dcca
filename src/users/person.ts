import { findPoolUsers } from "../aws/cognito/users.ts";
import { attributeOf, isOwnAddress, readPoolAccount, type PoolAccount } from "../aws/cognito/users-list.ts";
import { getItem } from "../aws/dynamodb/items.ts";
import type { IsErased } from "../backup/erasures.ts";
import { documentItemKey } from "../documents/entries.ts";
import type { DocumentSite } from "../documents/site.ts";
import { inParallel } from "../concurrency.ts";
import { findAccount, profilesWithAddress, resolveUser } from "../documents/users.ts";
import { CliError, exitCodes } from "../errors.ts";
import { nobodyWith } from "../model/nobodies.ts";
import { own } from "../model/json.ts";
import { accountSubjects, afterKind, isStandIn, rowSubjects } from "../model/person-rows.ts";
import { peopleHints, userIdFault } from "../model/user-id.ts";
import type { PeopleRows } from "../stores/person-rows.ts";
import { accountsInItems } from "./account-items.ts";
import { refuseReserved, type AccountSite } from "./pool.ts";
import type { PeopleSite } from "./traces.ts";

/** Where people are known by their names. */
export interface People extends PeopleSite {
  /** Of the user pool, with the profiles by which somebody without an account is known; undefined where accounts are items of a table. */
  readonly known: KnownPeople | undefined;
}

export interface KnownPeople extends AccountSite {
  readonly documents: DocumentSite;
}

/** Somebody, by everything that stands for them. */
export interface Person {
  readonly userId: string;
  /** What people call them: the address, or the id of who has none. */
  readonly name: string;
  /** All that stands for the person: id, user name, addresses. */
  readonly ids: readonly string[];
  /** Addresses that somebody else has too, or that nobody has verified: what stands under them is not looked for. */
  readonly sharedAddresses: readonly string[];
  /** In the user pool. */
  readonly account: PoolAccount | undefined;
  /** Of which of the model's people, where their accounts are rows of a database. */
  readonly subject?: string;
}

/**
 * Who is meant by an id, a user name or an address. Somebody need not have anything.
 * @param isErased tells of whom nobody is found by their address any more.
 * @throws CliError for what can be nobody, and when several could be meant.
 */
export async function findPerson(
  site: People,
  given: string,
  isErased: IsErased = () => false,
): Promise<Person> {
  refuseReserved(given);
  const { known } = site;
  const { subject } = subjectMeant(site.model, given) ?? {};
  if (subject !== undefined) {
    throw new CliError(
      `${JSON.stringify(given)} is no person: this model knows no accounts of the kind ${subject}`,
      {
        exitCode: exitCodes.usage,
        hint: "`mawps user show` tells what is stored of it; the rest is for people, one by one",
      },
    );
  }
  if (site.rows !== undefined) return inAccountRows({ ...site, rows: site.rows }, given, isErased);
  if (known === undefined) return inAccountItems(site, given, isErased);
  const { aws, poolId, documents } = known;
  const found = await findAccount(known, poolId, given);
  const account =
    found === undefined
      ? undefined
      : await readPoolAccount(aws, poolId, { ...known, username: found.username });
  const userId = account?.sub ?? (await idWithoutAccount(site, documents, { given, isErased }));
  refuseReserved(userId);
  return knownPerson(known, userId, account);
}

/** By an account of the user pool, or the profile of who has none. */
export async function knownPerson(
  known: KnownPeople,
  userId: string,
  account: PoolAccount | undefined,
): Promise<Person> {
  const { documents } = known;
  const addresses = await addressesOf(documents, userId, account);
  const isClaimed = account !== undefined && addresses.some((each) => !isOwnAddress(account, each));
  const shared = isClaimed ? addresses : await sharedOf(known, userId, addresses);
  const own = addresses.filter((address) => !shared.includes(address));
  const names = account === undefined ? [] : await ownName(documents, account);
  const ids = [...new Set([userId, ...names, ...own])];
  return { userId, name: addresses[0] ?? userId, ids, sharedAddresses: shared, account };
}

/** Whoever data can be about and who has no accounts, by their kind: `organization:o1`. Pure. */
export function subjectMeant(
  { subjects }: Pick<People["model"], "subjects">,
  given: string,
): Person | undefined {
  const kinds = Object.keys(subjects).filter((kind) => own(subjects, kind)?.accounts === undefined);
  const { kind: subject, name } = afterKind(given, kinds) ?? { kind: "", name: "" };
  if (name === "") return undefined;
  return { userId: name, name, ids: [name], sharedAddresses: [], account: undefined, subject };
}

/** Of whom nothing is found. */
export function nobody({ known, model }: Pick<People, "known" | "model">, given: string): CliError {
  if (subjectMeant(model, given) !== undefined)
    return new CliError(`nothing is stored of ${JSON.stringify(given)}`, {
      hint: "give the id as it is stored, behind the colon",
    });
  return new CliError(`nothing is stored of ${JSON.stringify(given)}, and there is no such account`, {
    hint: peopleHints[known === undefined ? "model" : "pool"],
  });
}

/**
 * Somebody of whom there is no account: an id as it is given, or an address that the ledger of erasures knows, so or in small letters.
 * @param told what was typed, where that is more than the id or address.
 */
function withoutAccount(
  site: People,
  given: string,
  { isErased, told = given }: { readonly isErased: (id: string) => boolean; readonly told?: string },
): Person {
  const ids = given.includes("@") ? [...new Set([given, given.toLowerCase()])].filter(isErased) : [given];
  const [userId] = ids;
  if (userId === undefined) throw nobody(site, told);
  refuseReserved(userId, told);
  return { userId, name: userId, ids, sharedAddresses: [], account: undefined };
}

/**
 * By the tables of databases that have the accounts. An id without an account is taken as it is given, of whatever kind: there may be
 * data; and so is an address after an erasure.
 */
async function inAccountRows(
  site: People & { readonly rows: PeopleRows },
  text: string,
  isErased: IsErased,
): Promise<Person> {
  const { model, rows } = site;
  const { kind, given, accounts } = await accountsMeant(site, text);
  const [only, ...others] = accounts;
  if (only === undefined) {
    const person = withoutAccount(site, given, { isErased: (id) => isErased(id, kind), told: text });
    return { ...person, ...ofKind(kind) };
  }
  const sayKind = accounts.map(({ subject, id }) => `${subject}:${id}`).join(" or ");
  if (others.length > 0) {
    throw new CliError(`${accounts.length} accounts have this name`, {
      hint: `say which of them is meant: ${sayKind}`,
    });
  }
  const { subject, id: userId, email = "" } = only;
  refuseReserved(userId);
  const isSeveral = rowSubjects(model).length > 1;
  const isUnsaid = kind === undefined && !given.includes("@") && !isUuid(userId);
  if (isSeveral && isUnsaid && isErased(userId)) {
    throw new CliError(
      `${userId} is on the ledger of erasures, and may be that of somebody of another kind (${subject})`,
      { hint: `say that it is meant: ${sayKind}` },
    );
  }
  if (isStandIn(model, userId)) {
    throw new CliError(`${userId} stands for people who were erased, and is nobody's`, {
      exitCode: exitCodes.usage,
    });
  }
  const isFit = email.includes("@") && !isEmptied(email) && userIdFault(email) === undefined;
  const addresses = isFit ? [...new Set([email, email.toLowerCase()])] : [];
  const same = isFit ? await rows.accounts(email) : [];
  // Rows name addresses in any case, so that somebody else's may be written otherwise, and stand in another column.
  const isShared = same.some((each) => each.subject !== subject || each.id !== userId);
  const shared = isShared ? addresses : [];
  const own = isShared ? [] : addresses;
  const name = addresses[0] ?? userId;
  return { userId, name, ids: [userId, ...own], sharedAddresses: shared, account: undefined, subject };
}

/** The accounts that are meant by an id or an address, of one kind alone where that stands in front and nobody's id begins like that. */
async function accountsMeant(
  { model, rows }: Pick<People, "model"> & { readonly rows: PeopleRows },
  text: string,
) {
  const subjects = rowSubjects(model).map(({ subject }) => subject);
  const named = afterKind(text, subjects);
  const whole = await rows.accounts(text);
  if (named === undefined || whole.length > 0) return { kind: undefined, given: text, accounts: whole };
  const { kind, name } = named;
  const accounts = (await rows.accounts(name)).filter(({ subject }) => subject === kind);
  return { kind, given: name, accounts };
}

function ofKind(subject: string | undefined): Pick<Person, "subject"> {
  return subject === undefined ? {} : { subject };
}

/** Whether nobody of another kind can have the same id. */
function isUuid(id: string): boolean {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id);
}

/** What an erasure puts in the place of an address that the database must have. */
function isEmptied(address: string): boolean {
  return address.endsWith("@invalid");
}

/** Accounts that are asked for at once. */
const sideBySide = 4;

/** Whom an id stands for; of which of the model's people, where that is known. */
interface Named {
  readonly userId: string | undefined;
  readonly subject?: string | undefined;
}

/** What people call those who have these ids, in their order: their address. Of whom nobody knows one, or several have one, there is nothing. */
export async function namesOf(
  site: People,
  people: readonly Named[],
): Promise<readonly (string | undefined)[]> {
  const { rows, known } = site;
  const items = rows === undefined && known === undefined ? await accountsInItems(site) : [];
  const nameOf = async ({ userId, subject }: Named): Promise<string | undefined> => {
    if (userId === undefined) return undefined;
    if (rows !== undefined) {
      const accounts = await rows.accounts(userId);
      const meant = accounts.filter((each) => subject === undefined || each.subject === subject);
      return meant.length === 1 ? meant[0]?.email : undefined;
    }
    if (known === undefined) return items.find(({ id }) => id === userId)?.email;
    const account = await readPoolAccount(known.aws, known.poolId, { ...known, username: userId });
    return (await addressesOf(known.documents, userId, account))[0];
  };
  return inParallel(people, sideBySide, nameOf);
}

/** By the table that has the accounts: whose case people type is not that of who stored it, so that all of it is looked through. */
async function inAccountItems(site: People, given: string, isErased: IsErased): Promise<Person> {
  const all = await accountsInItems(site);
  const isAddress = given.includes("@");
  const wanted = given.toLowerCase();
  const [only, ...others] = all.filter(({ id, email }) =>
    isAddress ? email?.toLowerCase() === wanted : id === given,
  );
  if (others.length > 0) {
    const ids = [only, ...others].map((each) => each?.id).join(", ");
    throw new CliError(`${others.length + 1} users have the address ${given}: ${ids}`, {
      hint: "give the id of the one that is meant",
    });
  }
  const accountKinds = accountSubjects(site.model).map(({ subject }) => subject);
  const { name: named } = afterKind(given, accountKinds) ?? {};
  if (only === undefined && named !== undefined) return inAccountItems(site, named, isErased);
  if (only === undefined) return withoutAccount(site, given, { isErased });
  const { id: userId, email = "" } = only;
  refuseReserved(userId);
  const isFit = email.includes("@") && userIdFault(email) === undefined;
  const addresses = isFit ? [...new Set([email, email.toLowerCase()])] : [];
  const shared = addresses.filter((address) =>
    all.some((each) => each.id !== userId && each.email === address),
  );
  const own = addresses.filter((address) => !shared.includes(address));
  const name = addresses[0] ?? userId;
  return { userId, name, ids: [userId, ...own], sharedAddresses: shared, account: undefined };
}

/** Somebody who has data and no account; after an erasure that came to its end nobody is found by their address. */
async function idWithoutAccount(
  site: People,
  documents: DocumentSite,
  { given, isErased }: { readonly given: string; readonly isErased: IsErased },
): Promise<string> {
  if (!given.includes("@")) return given;
  try {
    return await resolveUser(documents, given, "take");
  } catch (error) {
    if (!(error instanceof CliError) || !error.message.startsWith("unknown user")) throw error;
    return withoutAccount(site, given, { isErased }).userId;
  }
}

/**
 * The user name, where it can be nothing but the person's: people choose theirs, and one may be the name of the owner, of the site's
 * settings or of somebody else.
 */
async function ownName(documents: DocumentSite, { username, sub }: PoolAccount): Promise<string[]> {
  if (username === sub || username.includes("@")) return [];
  if (userIdFault(username) !== undefined || nobodyWith(username) !== undefined) return [];
  const { aws, table, signal } = documents;
  const key = documentItemKey(documents, username, "profile");
  const profile = await getItem(aws, { table, key, attributes: ["userId"], signal });
  return profile === undefined ? [username] : [];
}

/** Of the account; of the profile, which people write themselves, only where there is no account. */
async function addressesOf(
  documents: DocumentSite,
  userId: string,
  account: PoolAccount | undefined,
): Promise<string[]> {
  const key = documentItemKey(documents, userId, "profile");
  const { aws, table, signal } = documents;
  const profile = await getItem(aws, { table, key, attributes: ["email"], signal });
  const told =
    account === undefined ? profile?.["email"]?.S : (attributeOf(account, "email") ?? account.username);
  const isAddress = told?.includes("@") === true && userIdFault(told) === undefined;
  return isAddress ? [...new Set([told, told.toLowerCase()])] : [];
}

/** Addresses that another account has, or another profile tells. */
async function sharedOf(
  { aws, poolId, documents, signal }: KnownPeople,
  userId: string,
  addresses: readonly string[],
): Promise<string[]> {
  const shared = await Promise.all(
    addresses.map(async (value) => {
      const [users, profiles] = await Promise.all([
        findPoolUsers(aws, poolId, { attribute: "email", value, signal }),
        profilesWithAddress(documents, value),
      ]);
      // In another case it is the address of a record of its own.
      const telling = [...profiles].flatMap(([id, told]) => (told === value ? [id] : []));
      const others = [...users.map(({ sub }) => sub), ...telling].filter((id) => id !== userId);
      return others.length > 0 ? [value] : [];
    }),
  );
  return shared.flat();
}
