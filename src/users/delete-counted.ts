import { isDeepStrictEqual } from "node:util";
import { getItem } from "../aws/dynamodb/items.ts";
import { transact, type TransactStep } from "../aws/dynamodb/transact.ts";
import { countsOf, type TypedKey } from "../model/counts.ts";
import { groupedBy } from "../model/graph.ts";
import { textOf } from "../model/items.ts";
import { backOff } from "../retry.ts";
import { nameOfTable, type OwnedItem, type PeopleSite } from "./traces.ts";

/** As many others may be at the same count at once. */
const mostLost = 24;

/**
 * Deletes an item of which something else says how many there are, in one transaction with that number, which goes down by one; where
 * it is no number, or says that there is none, it stays. @returns whether it went.
 */
export async function deleteCounted(site: PeopleSite, item: OwnedItem): Promise<boolean> {
  const { aws, signal } = site;
  const parents = countingOf(site, item);
  const own = deletionOf(item);
  // What somebody else has deleted meanwhile, they have counted off.
  const isThere = Object.keys(item.key).map((path) => ({ path, is: "present" as const }));
  const deletion = { ...own, conditions: [...(own.conditions ?? []), ...isThere] };
  const tries = backOff({ attempts: mostLost, firstDelayMs: 20, longestDelayMs: 160, signal });
  do {
    const steps = await Promise.all(parents.map((parent) => countedOff(site, parent)));
    const refusal = await transact(aws, [deletion, ...steps.flat()], signal);
    if (refusal === undefined) return true;
    if (refusal.refused.includes(0)) return false;
  } while (await tries.again());
  return false;
}

/** One less in the counts of a parent, as long as they are what they were; nothing where there are none. */
async function countedOff(site: PeopleSite, { table, key, attributes }: Counting): Promise<TransactStep[]> {
  const { aws, signal } = site;
  const now = (await getItem(aws, { table, key, attributes, signal })) ?? {};
  const counts = attributes.flatMap((path) => {
    const to = now[path];
    const number = Number(to?.N ?? 0);
    return to === undefined || !Number.isSafeInteger(number) || number < 1 ? [] : [{ path, to, number }];
  });
  if (counts.length === 0) return [];
  const set = counts.map(({ path, number }) => ({ path, value: { N: String(number - 1) } }));
  const conditions = counts.map(({ path, to }) => ({ path, is: "equal" as const, to }));
  return [{ kind: "update", table, key, change: { set }, conditions }];
}

/** An item that counts others, in one attribute or several. */
interface Counting {
  readonly table: string;
  readonly key: TypedKey;
  readonly attributes: readonly string[];
}

/** Each other item that counts this one, once: two steps of a transaction may not be of the same. */
function countingOf(site: PeopleSite, { entity, table: place, key }: OwnedItem): Counting[] {
  const texts = Object.fromEntries(Object.entries(key).map(([name, value]) => [name, textOf(value) ?? ""]));
  const found = countsOf(site.model, entity).flatMap(({ table: role, attribute, keyOf }) => {
    const [parent, table] = [keyOf(texts), nameOfTable(site, role)];
    const isItself = table === place && isDeepStrictEqual(parent, { ...key });
    return parent === undefined || isItself ? [] : [{ table, key: parent, attribute }];
  });
  const places = groupedBy(found, ({ table, key: parent }) => JSON.stringify([table, parent]));
  return [...places.values()].flatMap((same) =>
    same.slice(0, 1).map(({ table, key: parent }) => ({
      table,
      key: parent,
      attributes: same.map(({ attribute }) => attribute),
    })),
  );
}

/** As long as it still names whom it named, and nothing holds it. */
export function deletionOf({ table, key, links, guards }: OwnedItem): TransactStep {
  const names = links.flatMap(({ place: { attribute: path }, named }) =>
    path in key ? [] : [{ path, is: "equal" as const, to: named }],
  );
  return { kind: "delete", table, key, conditions: [...names, ...guards] };
}
