import { count } from "./count.ts";

/** A kind of item that lies among people's profiles and is no person's. */
export interface NobodyKind {
  /** For messages: `the item of {id} is {what}`. */
  readonly what: string;
  /** A regular expression that every id of the kind matches. */
  readonly ids?: string;
  /** Attributes that an item of the kind has, all of them. */
  readonly attributes?: readonly string[];
}

/**
 * What the website keeps in the table of the profiles besides them. No command takes any of these for a user: nothing is
 * stored in them, counted, migrated or purged.
 */
const nobodies: readonly NobodyKind[] = [
  { what: "the site's settings", ids: "^(api-settings#.*|global|global-settings)$" },
  // The admin API gives features to an address before anybody has an account for it.
  { what: "an access record of an address", ids: "@" },
  { what: "a record of an older backend", attributes: ["pk", "sk"] },
];

/** The attributes by which `nobodyIn` judges: what a scan that asks it has to read. */
export const judgedAttributes: readonly string[] = [
  "userId",
  ...nobodies.flatMap(({ attributes = [] }) => attributes),
];

/** What an id belongs to that can be no person's; undefined where it may be one's. */
export function nobodyWith(userId: string): string | undefined {
  return nobodies.find(({ ids }) => ids !== undefined && new RegExp(ids, "u").test(userId))?.what;
}

/** What an item of the table of the profiles is, if it is no person's. In DynamoDB's typed JSON. */
export function nobodyIn(item: Readonly<Record<string, unknown>>): string | undefined {
  const { userId } = item as { userId?: { S?: string } };
  const byId = userId?.S === undefined ? undefined : nobodyWith(userId.S);
  if (byId !== undefined) return byId;
  return nobodies.find(({ attributes }) => attributes?.every((name) => item[name] !== undefined) === true)
    ?.what;
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
