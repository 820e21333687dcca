import type { Condition } from "../aws/dynamodb/expressions.ts";
import type { AttributeValue, Item } from "../aws/dynamodb/items.ts";
import { transact } from "../aws/dynamodb/transact.ts";
import { updateAttributes } from "../aws/dynamodb/update-item.ts";
import { documentItemKey } from "../documents/entries.ts";
import type { ItemPlace } from "../documents/entry.ts";
import type { ItemChange, MigrationSite } from "./migration.ts";

/** A change of one item, and what its attributes must be for it. */
export interface Write {
  readonly place: ItemPlace;
  readonly set: Readonly<Record<string, AttributeValue>>;
  readonly remove: readonly string[];
  /** Each attribute that is written, as it must be found; undefined: absent. */
  readonly expected: Readonly<Record<string, AttributeValue | undefined>>;
}

/** The attributes that a change writes. */
export function touched({ set, remove }: Pick<ItemChange, "set" | "remove">): string[] {
  return [...Object.keys(set), ...remove];
}

/** The change as it is made: its attributes must still be as they were read. */
export function forward({ place, before, set, remove }: ItemChange): Write {
  return { place, set, remove, expected: pick(before, touched({ set, remove })) };
}

/** The change taken back: its attributes must be as it left them. */
export function backward({ place, before, set, remove }: ItemChange): Write {
  const names = touched({ set, remove });
  return {
    place,
    set: pick(before, names),
    remove: names.filter((name) => before[name] === undefined),
    expected: pick(set, names),
  };
}

export function pick(from: Item | Readonly<Record<string, AttributeValue>>, names: readonly string[]): Item {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = from[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

/**
 * Writes the named attributes of one person's items, all or none; false when one of them is not as expected, or an item is
 * gone. Two items go in a transaction.
 */
export async function writeChanges(
  site: MigrationSite,
  userId: string,
  writes: readonly Write[],
): Promise<boolean> {
  const { aws, table, signal } = site;
  const steps = writes.map((write) => ({
    kind: "update" as const,
    table,
    key: documentItemKey(site, userId, write.place),
    change: {
      set: Object.entries(write.set).map(([path, value]) => ({ path, value })),
      remove: write.remove,
    },
    conditions: conditionsOf(write),
  }));
  const [first, ...others] = steps;
  if (first === undefined) return true;
  if (others.length > 0) return (await transact(aws, steps, signal)) === undefined;
  const { key, change, conditions } = first;
  const update = { table, key, ...change, conditions, returns: "none" as const, signal };
  return (await updateAttributes(aws, update)).applied;
}

function conditionsOf({ set, remove, expected }: Write): Condition[] {
  const names = touched({ set, remove });
  return [
    // Else an item that was deleted meanwhile would come back with these attributes alone.
    { path: "userId", is: "present" },
    ...names.map((path): Condition => {
      const to = expected[path];
      return to === undefined ? { path, is: "absent" } : { path, is: "equal", to };
    }),
  ];
}
