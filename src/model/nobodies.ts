import { count } from "./count.ts";
import { attributesOfKinds, itemsOf } from "./items.ts";
import type { JsonObject } from "./json.ts";
import { mawpsModel } from "./mawps.ts";

const { entities, features } = mawpsModel;
const people = new Set([features?.avatar?.entity, features?.hero?.entity]);
const kindOf = itemsOf(mawpsModel, "userProfiles");

/** The attributes by which `nobodyIn` judges: what a scan that asks it has to read. */
export const judgedAttributes: readonly string[] = attributesOfKinds(mawpsModel, "userProfiles");

/** What an id belongs to that can be no person's; undefined where it may be one's. */
export function nobodyWith(userId: string): string | undefined {
  return nobodyIn({ userId: { S: userId } });
}

/**
 * What an item of the table of the profiles is, if it is no person's: the website keeps its settings and other things
 * beside them, and no command stores in these, counts, migrates or purges them. In DynamoDB's typed JSON.
 */
export function nobodyIn(item: JsonObject): string | undefined {
  const name = kindOf(item)?.name;
  return name === undefined || people.has(name) ? undefined : entities[name]?.what;
}

/** How many items a scan has passed over because they are no people's, by what they are. */
export type Nobodies = Map<string, number>;

/** Whether an item is no person's; it is counted then. */
export function isPassedOver(nobodies: Nobodies, item: Readonly<Record<string, unknown>>): boolean {
  const what = nobodyIn(item);
  if (what !== undefined) nobodies.set(what, (nobodies.get(what) ?? 0) + 1);
  return what !== undefined;
}

export function nobodiesCount(nobodies: Nobodies): number {
  return [...nobodies.values()].reduce((sum, items) => sum + items, 0);
}

/** What was passed over, beside a count of people; undefined when nothing was. */
export function nobodiesText(nobodies: Nobodies): string | undefined {
  const all = nobodiesCount(nobodies);
  if (all === 0) return undefined;
  const kinds = [...nobodies].map(([what, items]) => `${what} (${items})`);
  return `not counted: ${count(all, "item that is", "items that are")} no person's: ${kinds.join(", ")}`;
}
