import { beyond } from "../model/bytes.ts";
import { itemSizeBytes } from "../aws/dynamodb/item-size.ts";
import type { Item } from "../aws/dynamodb/items.ts";
import { plain } from "../aws/dynamodb/plain.ts";
import { maxItemBytes } from "../model/item-size.ts";
import { secretPaths } from "../model/secrets.ts";
import {
  nothing,
  type ItemChange,
  type Migration,
  type MigrationSite,
  type Step,
  type Unit,
} from "./migration.ts";
import { pick, touched } from "./write-changes.ts";

/** Why a migration has nothing to do here; undefined where it may have. */
export function pointless(migration: Migration, site: MigrationSite): string | undefined {
  if (!site.isWebsiteOfToday) return migration.pointless?.(site.shape);
  return "the website of today reads and writes these in its own shapes, which mawps reads as they are";
}

/**
 * What a migration wants to do for a person. They are left where an item would grow beyond what DynamoDB takes, and where what is
 * changed holds secrets: the journal keeps it as it was before, and must hold none.
 */
export async function planFor(migration: Migration, unit: Unit, site: MigrationSite): Promise<Step> {
  const step = await migration.up(unit, site);
  const why = tooLarge(step) ?? secret(site, step);
  if (why === undefined) return step;
  const left = migration.verify(unit, site).map(({ what }) => ({ userId: unit.userId, what, why }));
  return { ...nothing, left };
}

function tooLarge({ changes }: Step): string | undefined {
  const sizeBytes = Math.max(0, ...changes.map((change) => itemSizeBytes(changed(change))));
  if (sizeBytes <= maxItemBytes) return undefined;
  return `the item would be too large for DynamoDB: ${beyond(sizeBytes, maxItemBytes)}`;
}

function secret({ secrets }: MigrationSite, { changes }: Step): string | undefined {
  const paths = changes.flatMap((change) => {
    const { before, set } = change;
    return [pick(before, touched(change)), set].flatMap((item) => secretPaths(secrets, plain(item)));
  });
  if (paths.length === 0) return undefined;
  return `what would be changed holds a secret, which the journal must not keep: ${[...new Set(paths)].join(", ")}`;
}

/** The item as the change would leave it. */
function changed({ before, set, remove }: ItemChange): Item {
  const kept = Object.entries(before).filter(([name]) => !remove.includes(name));
  return { ...Object.fromEntries(kept), ...set };
}
