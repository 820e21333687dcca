import { itemSizeBytes } from "../aws/dynamodb/item-size.ts";
import type { Item } from "../aws/dynamodb/items.ts";
import { maxItemBytes } from "../model/item-size.ts";
import {
  nothing,
  type ItemChange,
  type Migration,
  type MigrationSite,
  type Step,
  type Unit,
} from "./migration.ts";

/** Why a migration has nothing to do here; undefined where it may have. */
export function pointless(migration: Migration, site: MigrationSite): string | undefined {
  if (!site.isWebsiteOfToday) return migration.pointless?.(site.shape);
  return "the website of today reads and writes these in its own shapes, which mawps reads as they are";
}

/** What a migration wants to do for a person; where an item would grow beyond what DynamoDB takes, they are left. */
export async function planFor(migration: Migration, unit: Unit, site: MigrationSite): Promise<Step> {
  const step = await migration.up(unit, site);
  const sizes = step.changes.map((change) => itemSizeBytes(changed(change)));
  const sizeBytes = Math.max(0, ...sizes);
  if (sizeBytes <= maxItemBytes) return step;
  const why = `the item would have ${sizeBytes} bytes; DynamoDB holds at most ${maxItemBytes}`;
  const left = migration.verify(unit, site).map(({ what }) => ({ userId: unit.userId, what, why }));
  return { ...nothing, left };
}

/** The item as the change would leave it. */
function changed({ before, set, remove }: ItemChange): Item {
  const kept = Object.entries(before).filter(([name]) => !remove.includes(name));
  return { ...Object.fromEntries(kept), ...set };
}
