import { getItem } from "../aws/dynamodb/items.ts";
import { transact, type TransactStep } from "../aws/dynamodb/transact.ts";
import { countsOf, type CountPlace } from "../model/counts.ts";
import { textOf } from "../model/items.ts";
import type { Fields } from "../model/template.ts";
import { backOff } from "../retry.ts";
import { nameOfTable, type OwnedItem, type PeopleSite } from "./traces.ts";

/** As many others may be at the same count at once. */
const mostLost = 24;

/**
 * Deletes an item of which something else says how many there are, in one transaction with that number, which goes down by one; where
 * it is no number, or says that there is none, it stays. @returns whether it went.
 */
export async function deleteCounted(site: PeopleSite, item: OwnedItem): Promise<boolean> {
  const { aws, model, signal } = site;
  const places = countsOf(model, item.entity);
  const key = Object.fromEntries(
    Object.entries(item.key).map(([name, value]) => [name, textOf(value) ?? ""]),
  );
  const own = deletionOf(item);
  // What somebody else has deleted meanwhile, they have counted off.
  const isThere = Object.keys(key).map((path) => ({ path, is: "present" as const }));
  const deletion = { ...own, conditions: [...(own.conditions ?? []), ...isThere] };
  const tries = backOff({ attempts: mostLost, firstDelayMs: 20, longestDelayMs: 160, signal });
  do {
    const steps = await Promise.all(places.map((place) => countedOff(site, place, key)));
    const refusal = await transact(aws, [deletion, ...steps.flat()], signal);
    if (refusal === undefined) return true;
    if (refusal.refused.includes(0)) return false;
  } while (await tries.again());
  return false;
}

/** One less in a count, as long as it is what it was; nothing where there is none. */
async function countedOff(
  site: PeopleSite,
  { table: role, attribute: path, keyOf }: CountPlace,
  of: Fields,
): Promise<TransactStep[]> {
  const values = keyOf(of);
  if (values === undefined) return [];
  const { aws, signal } = site;
  const table = nameOfTable(site, role);
  const key = Object.fromEntries(Object.entries(values).map(([name, text]) => [name, { S: text }]));
  const now = (await getItem(aws, { table, key, attributes: [path], signal }))?.[path];
  const number = Number(now?.N ?? 0);
  if (now === undefined || !Number.isSafeInteger(number) || number < 1) return [];
  const change = { set: [{ path, value: { N: String(number - 1) } }] };
  return [{ kind: "update", table, key, change, conditions: [{ path, is: "equal", to: now }] }];
}

/** As long as it still names whom it named, and nothing holds it. */
export function deletionOf({ table, key, links, guards }: OwnedItem): TransactStep {
  const names = links.flatMap(({ place: { attribute: path }, named }) =>
    path in key ? [] : [{ path, is: "equal" as const, to: named }],
  );
  return { kind: "delete", table, key, conditions: [...names, ...guards] };
}
