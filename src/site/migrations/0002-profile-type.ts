import type { Item } from "../../aws/dynamodb/items.ts";
import { ownerId } from "../../model/user-id.ts";
import { isBlank } from "../../migrations/blank.ts";
import { nothing, type ItemChange, type Left, type Migration } from "../../migrations/migration.ts";
import { restore } from "../../migrations/restore.ts";

/**
 * Items without a `type` get the one that they are: the website tells the owner's pictures by it, and every reader a
 * profile.
 */
export const profileType: Migration = {
  id: "0002-profile-type",
  description: "gives items without a type theirs: user-profile, or website-images for the owner's pictures",

  pointless: ({ kind }) =>
    kind === "composite" ? "the type is part of the table's key: every item has one" : undefined,

  async up({ userId, items }) {
    const changes: ItemChange[] = [];
    const left: Left[] = [];
    for (const { place, item } of items) {
      if (!isBlank(item["type"])) continue;
      const type = typeOf(userId, item);
      if (type !== undefined) changes.push({ place, before: item, set: { type: { S: type } }, remove: [] });
      else left.push({ userId, what: "type", why: "the owner's item has no pictures to tell what it is" });
    }
    return { ...nothing, changes, left };
  },

  down: restore,

  verify: ({ items }) =>
    items.filter(({ item }) => isBlank(item["type"])).map(() => ({ what: "type", why: "it is missing" })),
};

function typeOf(userId: string, item: Item): string | undefined {
  if (userId !== ownerId) return "user-profile";
  const hasPictures = item["profileImageDefault"] !== undefined || item["profileImageHover"] !== undefined;
  return hasPictures ? "website-images" : undefined;
}
