import { getItem, scanItems, type Item } from "../aws/dynamodb/items.ts";
import { documentItemKey, entriesIn, itemPlace } from "../documents/entries.ts";
import type { ItemPlace } from "../documents/entry.ts";
import { namedBy } from "../documents/named-by.ts";
import { isPassedOver, nobodiesCount, type Nobodies } from "../model/nobodies.ts";
import { parsePublicUrl } from "../model/urls.ts";
import type { MigrationSite, StoredItem, Unit } from "./migration.ts";

/** A page of items, and where to go on behind it. */
export interface UnitPage {
  /** Each item alone: what a person has elsewhere is not in it. */
  readonly items: readonly Unit[];
  /** Items of the page that are no person's. */
  readonly nobodies: number;
  readonly cursor: Item;
}

/**
 * All items that migrations deal with (none that is no person's), in DynamoDB's order, so that a scan can go on behind any of
 * them. Consistent: what was written before the scan is seen by it.
 */
export async function* scanUnits(
  site: MigrationSite,
  { after, pageSize }: { readonly after?: Item; readonly pageSize: number },
): AsyncGenerator<UnitPage> {
  const { aws, table, signal } = site;
  for await (const page of scanItems(aws, { table, after, pageSize, consistent: true, signal })) {
    const last = page.at(-1);
    if (last === undefined) continue;
    const nobodies: Nobodies = new Map();
    const items = page.flatMap((item): Unit[] => {
      const userId = item["userId"]?.S;
      const place = itemPlace(site, item);
      if (userId === undefined || isPassedOver(nobodies, item) || place === undefined) return [];
      return [{ userId, items: [{ place, item }] }];
    });
    yield { items, nobodies: nobodiesCount(nobodies), cursor: keyOf(site, last) };
  }
}

/** All that a person has, as it stands now. */
export async function readUnit(site: MigrationSite, userId: string): Promise<Unit> {
  const places: readonly ItemPlace[] = site.shape.kind === "simple" ? ["profile"] : ["profile", "document"];
  const found = await Promise.all(
    places.map(async (place): Promise<StoredItem[]> => {
      const { aws, table, signal } = site;
      const item = await getItem(aws, { table, key: documentItemKey(site, userId, place), signal });
      return item === undefined ? [] : [{ place, item }];
    }),
  );
  return { userId, items: found.flat() };
}

/** Whether a person's items name an object of the private bucket: an entry, or whatever else. */
export function isNamed(site: MigrationSite, { userId, items }: Unit, key: string): boolean {
  return items.some(
    ({ place, item }) =>
      entriesIn(site, { userId, place, item }).some(({ document }) => document.s3Key === key) ||
      namedBy(item, key) !== undefined,
  );
}

/** The key of an address in the private bucket; undefined for any other text. */
export function keyOfAddress(site: MigrationSite, url: string | undefined): string | undefined {
  const address = parsePublicUrl(url ?? "", { endpointUrl: site.aws.endpointUrl });
  return address?.bucket === site.bucket ? address.key : undefined;
}

function keyOf({ shape }: MigrationSite, item: Item): Item {
  const { userId = { S: "" }, type = { S: "" } } = item;
  return shape.kind === "simple" ? { userId } : { userId, type };
}
