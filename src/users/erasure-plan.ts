import { getItem } from "../aws/dynamodb/items.ts";
import { findPoolUsers } from "../aws/cognito/users.ts";
import { readPoolAccount, type PoolAccount } from "../aws/cognito/users-list.ts";
import { recoveryStatus, type RecoveryStatus } from "../backup/pitr.ts";
import { erasedUsers, tableErasures, type ErasureEntry } from "../backup/erasures.ts";
import { listSnapshots } from "../backup/snapshots.ts";
import type { Store } from "../backup/store.ts";
import type { TrailPlace } from "../audit/place.ts";
import { documentItemKey } from "../documents/entries.ts";
import { liveLinks, type LiveLink } from "../documents/live-links.ts";
import type { DocumentSite } from "../documents/site.ts";
import { findAccount, resolveUser } from "../documents/users.ts";
import { CliError } from "../errors.ts";
import { attributeOf, refuseReserved } from "./pool.ts";
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
  /** Tables that AWS can bring back as they were, and for how long from now. */
  readonly recovery: readonly { readonly table: string; readonly until: Date }[];
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
  /** Those of the ids that the ledger does not have yet. It has some after an earlier run, done or broken off. */
  readonly unlisted: readonly string[];
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
  const found = await findAccount(site, poolId, given);
  const account =
    found === undefined
      ? undefined
      : await readPoolAccount(aws, poolId, { ...site, username: found.username });
  const userId = account?.sub ?? (await idWithoutAccount(site, given, isErased(given)));
  const addresses = await addressesOf(site, userId, account);
  const shared = await sharedOf(site, userId, addresses);
  const own = addresses.filter((address) => !shared.includes(address));
  const ids = [...new Set([userId, ...(account === undefined ? [] : [account.username]), ...own])];
  const [traces, links, copies] = await Promise.all([
    findTraces(site, ids),
    liveLinks(documents, site.trailPlace, userId),
    copiesOf(site),
  ]);
  const unlisted = ids.filter((id) => !isErased(id));
  if (account === undefined && isNothing(traces) && unlisted.length === ids.length) throw nobody(given);
  const name = addresses[0] ?? userId;
  return { userId, name, ids, sharedAddresses: shared, account, traces, links, copies, unlisted };
}

function nobody(given: string): CliError {
  return new CliError(`nothing is stored of ${JSON.stringify(given)}, and there is no such account`, {
    hint: "give a sub, a user name or an e-mail address; `mawps user list` shows them",
  });
}

/** Somebody who has data and no account; after an erasure that came to its end nobody is found by their address. */
async function idWithoutAccount(site: ErasureSite, given: string, isErased: boolean): Promise<string> {
  if (isErased || !given.includes("@")) return given;
  try {
    return await resolveUser(site.documents, given, "take");
  } catch (error) {
    if (error instanceof CliError && error.message.startsWith("unknown user")) throw nobody(given);
    throw error;
  }
}

/** Of the account, and of the profile. */
async function addressesOf(
  { documents }: ErasureSite,
  userId: string,
  account: PoolAccount | undefined,
): Promise<string[]> {
  const key = documentItemKey(documents, userId, "profile");
  const { aws, table, signal } = documents;
  const profile = await getItem(aws, { table, key, attributes: ["email"], signal });
  const told = [account === undefined ? undefined : attributeOf(account, "email"), profile?.["email"]?.S];
  return [...new Set(told.filter((address) => address !== undefined && address !== ""))] as string[];
}

async function sharedOf(
  { aws, poolId, signal }: ErasureSite,
  userId: string,
  addresses: readonly string[],
): Promise<string[]> {
  const shared = await Promise.all(
    addresses.map(async (value) => {
      const users = await findPoolUsers(aws, poolId, { attribute: "email", value, signal });
      return users.some(({ sub }) => sub !== userId) ? [value] : [];
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
  const isOn = ({ state }: RecoveryStatus) => state === "on";
  return {
    backups: backups.map(({ id }) => id),
    recovery: recovery.filter(isOn).map(({ table, days = mostRecoveryDays }) => ({
      table,
      until: new Date(now.getTime() + days * 86_400_000),
    })),
  };
}

/** The longest that DynamoDB keeps for point-in-time recovery. */
const mostRecoveryDays = 35;
