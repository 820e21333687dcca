import { listPoolUsers, attributeOf } from "../aws/cognito/users-list.ts";
import { scanItems } from "../aws/dynamodb/items.ts";
import { listFolders, listVersions } from "../aws/s3/listing.ts";
import { whereThere } from "../aws/setting.ts";
import { accountItems, personalBuckets, personalTables } from "../model/links.ts";
import { nobodyWith } from "../model/nobodies.ts";
import { ownerId } from "../model/user-id.ts";
import type { PersonSite } from "./person.ts";
import { keysOf, nameOfBucket, nameOfTable } from "./traces.ts";

/** Data of nobody who has an account, or an account without any data. */
export interface Orphan {
  readonly kind: "data without account" | "account without data";
  readonly userId: string;
  /** Where the data are: tables and buckets. */
  readonly places: readonly string[];
  readonly email: string | null;
}

/**
 * Compares the accounts with whom the stores name, by one pass through each: tables are scanned for ids alone, buckets listed by the
 * folders of people, with those whose files are deleted and kept as earlier versions. No call is about a single person. What there is a duty to keep, and what only mentions somebody, needs no account.
 */
export async function findOrphans(site: PersonSite): Promise<Orphan[]> {
  const [accounts, holders] = await Promise.all([allAccounts(site), allHolders(site)]);
  const known = new Set(accounts.flatMap(({ names }) => names));
  const found: Orphan[] = [];
  for (const [userId, places] of holders) {
    const isNobody = userId === ownerId || (!userId.includes("@") && nobodyWith(userId) !== undefined);
    if (!isNobody && !known.has(userId))
      found.push({ kind: "data without account", userId, places: [...places].toSorted(), email: null });
  }
  for (const { id, email, names } of accounts)
    if (!names.some((name) => holders.has(name)))
      found.push({ kind: "account without data", userId: id, places: [], email: email ?? null });
  return found.toSorted((one, other) => (one.userId < other.userId ? -1 : 1));
}

interface Account {
  readonly id: string;
  readonly email: string | undefined;
  /** By which data may be theirs. */
  readonly names: readonly string[];
}

async function allAccounts(site: PersonSite): Promise<Account[]> {
  const { known, aws, model, signal } = site;
  const found: Account[] = [];
  if (known !== undefined) {
    for await (const page of listPoolUsers(known.aws, known.poolId, known)) {
      for (const account of page) {
        const email = attributeOf(account, "email");
        const names = [account.sub, account.username, ...(email === undefined ? [] : [email])];
        found.push({ id: account.sub, email, names: names.map(comparable) });
      }
    }
    return found;
  }
  const items = accountItems(model);
  if (items === undefined) return [];
  const table = nameOfTable(site, items.table);
  const primary = (await keysOf(site, table))?.primary ?? [];
  if (primary.length === 0) return [];
  const attributes = [...new Set([...primary, ...items.attributes])];
  for await (const page of scanItems(aws, { table, attributes, signal })) {
    for (const item of page) {
      const account = items.accountIn(item, primary);
      if (account !== undefined)
        found.push({ ...account, names: [account.id, ...[account.email ?? []].flat()].map(comparable) });
    }
  }
  return found;
}

/** Addresses are one in whatever case. */
function comparable(name: string): string {
  return name.includes("@") ? name.toLowerCase() : name;
}

/** Whom the stores name, and where. */
async function allHolders(site: PersonSite): Promise<Map<string, Set<string>>> {
  const { aws, model, signal } = site;
  const holders = new Map<string, Set<string>>();
  const add = (found: string | undefined, place: string) => {
    if (found === undefined || found === "") return;
    const id = comparable(found);
    const places = holders.get(id);
    if (places === undefined) holders.set(id, new Set([place]));
    else places.add(place);
  };
  // The accounts themselves are no data of theirs.
  const accounts = site.known === undefined ? accountItems(model)?.table : undefined;
  const tables = personalTables(model).filter(({ role, isErased }) => isErased && role !== accounts);
  await Promise.all([
    ...tables.map(async (personal) => {
      const table = nameOfTable(site, personal.role);
      const keys = await keysOf(site, table);
      if (keys === undefined) return;
      const attributes = [...new Set([...keys.primary, ...personal.attributes])];
      for await (const page of scanItems(aws, { table, attributes, signal }))
        for (const item of page)
          for (const id of personal.ownersOf(item, keys, (erase) => erase === "delete")) add(id, table);
    }),
    ...personalBuckets(model).map(async (personal) => {
      const bucket = nameOfBucket(site, personal.role);
      await whereThere(async () => {
        for (const prefix of personal.folders) {
          for await (const folders of listFolders(aws, { bucket, prefix, delimiter: "/", signal }))
            for (const folder of folders) add(personal.ownerOf(`${folder}any`), bucket);
        }
        for (const prefix of personal.mixed) {
          for await (const versions of listVersions(aws, { bucket, prefix, signal }))
            for (const { key } of versions) add(personal.ownerOf(key), bucket);
        }
      });
    }),
  ]);
  return holders;
}
