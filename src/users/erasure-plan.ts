import { getItem } from "../aws/dynamodb/items.ts";
import { findPoolUsers } from "../aws/cognito/users.ts";
import { attributeOf, readPoolAccount, type PoolAccount } from "../aws/cognito/users-list.ts";
import { recoveryStatus, type RecoveryStatus } from "../backup/pitr.ts";
import { erasedUsers, tableErasures, type ErasureEntry } from "../backup/erasures.ts";
import { listSnapshots } from "../backup/snapshots.ts";
import type { Store } from "../backup/store.ts";
import type { TrailPlace } from "../audit/place.ts";
import { documentItemKey } from "../documents/entries.ts";
import { liveLinks, type LiveLink } from "../documents/live-links.ts";
import type { DocumentSite } from "../documents/site.ts";
import { findAccount, profilesWithAddress, resolveUser } from "../documents/users.ts";
import { CliError } from "../errors.ts";
import { nobodyWith } from "../model/nobodies.ts";
import { userIdFault } from "../model/user-id.ts";
import { tokensLiveMinutes } from "./change.ts";
import { refuseReserved } from "./pool.ts";
import { findTraces, isNothing, type PeopleSite, type Traces } from "./traces.ts";

/** Where a person is erased: what is looked through, and where copies of it may be. */
export interface ErasureSite extends PeopleSite {
  readonly documents: DocumentSite;
  /** Where the audit trail is. */
  readonly trailPlace: TrailPlace;
  /** Of the backups, where there is a repository. */
  readonly store: Store | undefined;
}

/** Copies that an erasure does not reach. Each ends by itself, and a restore from it leaves the person out. */
export interface Copies {
  readonly backups: readonly string[];
  /** Tables that AWS can bring back as they were, and for how long from now; null where that may not be read. */
  readonly recovery: readonly { readonly table: string; readonly until: Date | null }[];
}

/** What an erasure of one person will do. */
export interface ErasurePlan {
  readonly userId: string;
  /** What is typed to confirm it: the address, or the id of who has none. */
  readonly name: string;
  /** All that stands for the person: id, user name, addresses. */
  readonly ids: readonly string[];
  /** Addresses that somebody else has too: what stands under them is not looked for. */
  readonly sharedAddresses: readonly string[];
  readonly account: PoolAccount | undefined;
  readonly traces: Traces;
  readonly links: readonly LiveLink[];
  readonly copies: Copies;
  /** How long those who are signed in can go on: tokens that were given out are not called back. */
  readonly tokenMinutes: number | undefined;
  /** Those of the ids that the ledger does not have yet. It has some after an earlier run, done or broken off. */
  readonly unlisted: readonly string[];
  /** What the ledger has of the person: of ids, too, that nobody can tell any more. */
  readonly listed: readonly ErasureEntry[];
}

/**
 * Finds everything of a person. Changes nothing.
 * @throws CliError when nobody is found who could be meant and nobody of that name was erased before, and when several could be meant.
 */
export async function planErasure(site: ErasureSite, given: string): Promise<ErasurePlan> {
  refuseReserved(given);
  const { aws, poolId, documents, signal } = site;
  const ledger: ErasureEntry[] = [];
  for await (const entry of tableErasures({ aws, table: site.trailPlace.table, signal })) ledger.push(entry);
  const isErased = erasedUsers(ledger);
  const known = await findAccount(site, poolId, given);
  const account =
    known === undefined
      ? undefined
      : await readPoolAccount(aws, poolId, { ...site, username: known.username });
  const userId = account?.sub ?? (await idWithoutAccount(site, given, isErased(given)));
  refuseReserved(userId);
  const addresses = await addressesOf(site, userId, account);
  const shared = await sharedOf(site, userId, addresses);
  const own = addresses.filter((address) => !shared.includes(address));
  const names = account === undefined ? [] : await ownName(site, account);
  const ids = [...new Set([userId, ...names, ...own])];
  const [traces, links, copies, tokenMinutes] = await Promise.all([
    findTraces(site, ids),
    liveLinks(documents, site.trailPlace, userId),
    copiesOf(site),
    account === undefined ? undefined : tokensLiveMinutes(site),
  ]);
  const unlisted = ids.filter((id) => !isErased(id));
  if (account === undefined && isNothing(traces) && unlisted.length === ids.length) throw nobody(given);
  const name = addresses[0] ?? userId;
  const listed = ofPerson(ledger, ids);
  const found = { userId, name, ids, sharedAddresses: shared, account, traces };
  return { ...found, links, copies, tokenMinutes, unlisted, listed };
}

function nobody(given: string): CliError {
  return new CliError(`nothing is stored of ${JSON.stringify(given)}, and there is no such account`, {
    hint: "give a sub, a user name or an e-mail address; `mawps user list` shows them",
  });
}

/** One salt is for all ids of a person. */
function ofPerson(ledger: readonly ErasureEntry[], ids: readonly string[]): ErasureEntry[] {
  const salts = new Set(ledger.filter((entry) => ids.some(erasedUsers([entry]))).map(({ salt }) => salt));
  return ledger.filter(({ salt }) => salts.has(salt));
}

/** Somebody who has data and no account; after an erasure that came to its end nobody is found by their address. */
async function idWithoutAccount(site: ErasureSite, given: string, isErased: boolean): Promise<string> {
  if (!given.includes("@")) return given;
  try {
    return await resolveUser(site.documents, given, "take");
  } catch (error) {
    if (!(error instanceof CliError) || !error.message.startsWith("unknown user")) throw error;
    if (isErased) return given;
    throw nobody(given);
  }
}

/**
 * The user name, where it can be nothing but the person's: people choose theirs, and one may be the name of the owner, of the site's
 * settings or of somebody else.
 */
async function ownName({ documents }: ErasureSite, { username, sub }: PoolAccount): Promise<string[]> {
  if (username === sub || username.includes("@")) return [];
  if (userIdFault(username) !== undefined || nobodyWith(username) !== undefined) return [];
  const { aws, table, signal } = documents;
  const key = documentItemKey(documents, username, "profile");
  const profile = await getItem(aws, { table, key, attributes: ["userId"], signal });
  return profile === undefined ? [username] : [];
}

/** Of the account; of the profile, which people write themselves, only where there is no account. */
async function addressesOf(
  { documents }: ErasureSite,
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
  { aws, poolId, documents, signal }: ErasureSite,
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

async function copiesOf(site: ErasureSite): Promise<Copies> {
  const { aws, declaration, signal, store, documents } = site;
  const now = documents.now();
  const names = new Set(declaration.owned.flatMap((each) => (each.kind === "items" ? [each.table] : [])));
  const tables = declaration.tables.filter(({ role }) => names.has(role));
  const [recovery, backups] = await Promise.all([
    recoveryStatus({ aws, signal }, tables),
    store === undefined ? [] : listSnapshots({ store }, { now, signal }).then(({ snapshots }) => snapshots),
  ]);
  const mayBe = ({ state }: RecoveryStatus) => state === "on" || state === "may not be read";
  return {
    backups: backups.map(({ id }) => id),
    recovery: recovery.filter(mayBe).map(({ table, state, days = mostRecoveryDays }) => ({
      table,
      until: state === "on" ? new Date(now.getTime() + days * 86_400_000) : null,
    })),
  };
}

/** The longest that DynamoDB keeps for point-in-time recovery. */
const mostRecoveryDays = 35;
