import { listPoolUsers, attributeOf } from "../aws/cognito/users-list.ts";
import { scanItems } from "../aws/dynamodb/items.ts";
import { listFolders, listVersions } from "../aws/s3/listing.ts";
import { whereThere } from "../aws/setting.ts";
import {
  accountItems,
  personalBuckets,
  personalTables,
  type AccountItems,
  type FoundLink,
  type PersonalTable,
} from "../model/links.ts";
import { groupedBy } from "../model/graph.ts";
import { own } from "../model/json.ts";
import { isPseudonym, isStandIn } from "../model/person-rows.ts";
import { nobodyWith } from "../model/nobodies.ts";
import { ownerId } from "../model/user-id.ts";
import type { People } from "./person.ts";
import { nameOfBucket, nameOfTable } from "./traces.ts";

/** Data of nobody who has an account, rows that go by others which are gone, or an account without any data. */
export interface Orphan {
  readonly kind: "data without account" | "data without owner" | "account without data";
  /** Of rows without their owner what they go by: the id of a chat, say. */
  readonly userId: string;
  /** Where the data are: tables and buckets. */
  readonly places: readonly string[];
  readonly email: string | null;
}

/**
 * Compares the accounts with whom the stores name, by one pass through each: tables are scanned for ids alone, buckets listed by the
 * folders of people, with those whose files are deleted and kept as earlier versions. No call is about a single person. What there is a duty to keep, and what only mentions somebody, needs no account.
 */
export async function findOrphans(site: People): Promise<Orphan[]> {
  const [inPool, inRows, { inTable, holders }] = await Promise.all([
    poolAccounts(site),
    rowAccounts(site),
    lookThrough(site),
  ]);
  const accounts = [...inPool, ...inTable];
  const known = new Set([...accounts, ...inRows].flatMap(({ names }) => names));
  const found: Orphan[] = [];
  for (const [userId, places] of holders) {
    const isNobody = userId === ownerId || (!userId.includes("@") && nobodyWith(userId) !== undefined);
    if (!isNobody && !known.has(userId))
      found.push({ kind: "data without account", userId, places: [...places].toSorted(), email: null });
  }
  for (const { id, email, names } of accounts)
    if (!names.some((name) => holders.has(name)))
      found.push({ kind: "account without data", userId: id, places: [], email: email ?? null });
  found.push(...(await orphansInRows(site, inRows)));
  return found.toSorted((one, other) => (one.userId < other.userId ? -1 : 1));
}

/** Accounts that are rows of databases: that nothing else is stored of somebody is nothing to wonder at there. */
async function rowAccounts({ rows }: People): Promise<RowAccount[]> {
  const found: RowAccount[] = [];
  for await (const { subject, id, value } of rows?.allAccounts() ?? []) {
    const texts = subject.ids.flatMap((name) => own(value, name) ?? []);
    const names = [id, ...texts.filter((text) => typeof text === "string")].map(comparable);
    found.push({ subject: subject.subject, names });
  }
  return found;
}

interface RowAccount extends Pick<Account, "names"> {
  readonly subject: string;
}

/** What foreign keys do not hold: names of nobody that an erasure would take out, and what goes by something that is gone. */
async function orphansInRows({ rows, model }: People, accounts: readonly RowAccount[]): Promise<Orphan[]> {
  if (rows === undefined) return [];
  const known = groupedBy(accounts, ({ subject }) => subject);
  const namesOf = new Map(
    [...known].map(([kind, all]) => [kind, new Set(all.flatMap(({ names }) => names))]),
  );
  const places = new Map<
    string,
    { readonly kind: Orphan["kind"]; readonly userId: string; readonly at: Set<string> }
  >();
  const add = (kind: Orphan["kind"], userId: string, place: string) => {
    const name = JSON.stringify([kind, userId]);
    const found = places.get(name) ?? { kind, userId, at: new Set() };
    places.set(name, found);
    found.at.add(place);
  };
  for await (const { link, table, id, isErased } of rows.everyName()) {
    const isSomebody = namesOf.get(link.subject)?.has(comparable(id)) === true;
    if (isErased && !isSomebody && !isStandIn(model, id) && !isPseudonym(id))
      add("data without account", comparable(id), table);
  }
  for await (const { table, value } of rows.ownerless()) add("data without owner", value, table);
  return [...places.values()].map(({ at, ...orphan }) => ({
    ...orphan,
    places: [...at].toSorted(),
    email: null,
  }));
}

interface Account {
  readonly id: string;
  readonly email: string | undefined;
  /** By which data may be theirs. */
  readonly names: readonly string[];
}

async function poolAccounts({ known }: People): Promise<Account[]> {
  const found: Account[] = [];
  if (known === undefined) return found;
  for await (const page of listPoolUsers(known.aws, known.poolId, known)) {
    for (const account of page) {
      const email = attributeOf(account, "email");
      const names = [account.sub, account.username, ...(email === undefined ? [] : [email])];
      found.push({ id: account.sub, email, names: names.map(comparable) });
    }
  }
  return found;
}

/** Addresses are one in whatever case. */
function comparable(name: string): string {
  return name.includes("@") ? name.toLowerCase() : name;
}

/** Whom the stores name, and where; and the accounts, where these are items of a table. */
async function lookThrough(site: People): Promise<{
  readonly inTable: readonly Account[];
  readonly holders: ReadonlyMap<string, ReadonlySet<string>>;
}> {
  const { aws, model, signal } = site;
  const inTable: Account[] = [];
  const holders = new Map<string, Set<string>>();
  const add = (found: string, place: string) => {
    if (found === "") return;
    const id = comparable(found);
    const places = holders.get(id);
    if (places === undefined) holders.set(id, new Set([place]));
    else places.add(place);
  };
  const accounts = site.known === undefined ? accountItems(model) : undefined;
  // The accounts themselves are no data of theirs.
  const isData = ({ link: { entity, erase }, isKnownKind }: FoundLink) =>
    erase === "delete" && !(isKnownKind && entity === accounts?.entity);
  const tables = new Map<string, { personal?: PersonalTable; accounts?: AccountItems }>(
    personalTables(model).flatMap((personal) => (personal.isErased ? [[personal.role, { personal }]] : [])),
  );
  if (accounts !== undefined) tables.set(accounts.table, { ...tables.get(accounts.table), accounts });
  await Promise.all([
    ...[...tables].map(async ([role, looked]) => {
      const table = nameOfTable(site, role);
      const keys = await site.keysOf(table);
      if (keys === undefined) return;
      const named = [looked.personal, looked.accounts].flatMap((each) => each?.attributes ?? []);
      const attributes = [...new Set([...keys.primary, ...named])];
      for await (const page of scanItems(aws, { table, attributes, signal })) {
        for (const item of page) {
          const account = looked.accounts?.accountIn(item);
          if (account !== undefined) {
            const names = [account.id, ...[account.email ?? []].flat()].map(comparable);
            inTable.push({ ...account, names });
          }
          for (const id of looked.personal?.ownersOf(item, keys, isData) ?? []) add(id, table);
        }
      }
    }),
    ...personalBuckets(model).map(async (personal) => {
      const bucket = nameOfBucket(site, personal.role);
      const addOwners = (key: string) => {
        for (const { id } of personal.ownersIn(key)) add(id, bucket);
      };
      await whereThere(async () => {
        for (const prefix of personal.folders) {
          for await (const folders of listFolders(aws, { bucket, prefix, delimiter: "/", signal }))
            for (const folder of folders) addOwners(`${folder}any`);
        }
        for (const prefix of personal.mixed) {
          for await (const versions of listVersions(aws, { bucket, prefix, signal }))
            for (const { key } of versions) addOwners(key);
        }
      });
    }),
  ]);
  return { inTable, holders };
}
