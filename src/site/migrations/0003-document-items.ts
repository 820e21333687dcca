import type { AttributeValue, Item } from "../../aws/dynamodb/items.ts";
import { isBlank } from "../../migrations/blank.ts";
import { nothing, type Migration, type Step, type Unit } from "../../migrations/migration.ts";
import { restore } from "../../migrations/restore.ts";
import { sameValue } from "../../migrations/typed-json.ts";
import { entriesAttribute as list } from "../../model/mawps.ts";

type Entry = Readonly<Record<string, AttributeValue>>;

/**
 * Older pages kept the documents in an item of their own, `(userId, document)`. Its entries go behind those of the profile;
 * the older item stays with all else that it has. Both items change in one transaction.
 */
export const documentItems: Migration = {
  id: "0003-document-items",
  description: 'moves the documents of items (userId, "document") into the profile',
  lossy:
    "where both items have the same document with different values, the profile's count; the journal keeps the others",

  pointless: ({ kind }) =>
    kind === "simple" ? "each user has one item here: there is no second one with documents" : undefined,

  async up(unit) {
    const [profile, older] = (["profile", "document"] as const).map((at) => itemAt(unit, at));
    const leave = (why: string): Step => ({ ...nothing, left: [{ userId: unit.userId, what: list, why }] });
    if (older === undefined || !hasDocuments(older)) return nothing;
    const added = older[list]?.L;
    if (added === undefined) return leave("in the older item it is no list");
    if (profile === undefined) return leave("there is no profile to move them to");
    const before = profile[list];
    const own = before?.L ?? [];
    if (before !== undefined && before.L === undefined && before.NULL !== true)
      return leave("in the profile it is no list");
    const { entries, losses } = merge(own, added);
    return {
      ...nothing,
      losses,
      changes: [
        // Nothing to add: all of them are in the profile already, and only the older list goes.
        ...(sameValue(before, { L: entries })
          ? []
          : [{ place: "profile" as const, before: profile, set: { [list]: { L: entries } }, remove: [] }]),
        { place: "document", before: older, set: {}, remove: [list] },
      ],
    };
  },

  down: restore,

  verify: (unit) => {
    const older = itemAt(unit, "document");
    return older !== undefined && hasDocuments(older)
      ? [{ what: list, why: "the older item still has it" }]
      : [];
  },
};

function itemAt({ items }: Unit, place: "profile" | "document"): Item | undefined {
  return items.find((each) => each.place === place)?.item;
}

function hasDocuments({ [list]: value }: Item): boolean {
  return !isBlank(value) && value?.L?.length !== 0;
}

/**
 * The profile's entries in their order, then those that only the older item has. Of the same document (id and key) in both
 * the profile's values count, and what only the older entry has is kept.
 */
function merge(
  own: readonly AttributeValue[],
  added: readonly AttributeValue[],
): { entries: AttributeValue[]; losses: string[] } {
  const entries = [...own];
  const losses: string[] = [];
  for (const element of added) {
    const at = entries.findIndex((each) => isSameDocument(each.M, element.M));
    const same = entries[at]?.M;
    if (same === undefined || element.M === undefined) {
      if (!entries.some((each) => sameValue(each, element))) entries.push(element);
      continue;
    }
    entries[at] = { M: { ...element.M, ...same } };
    for (const [name, value] of Object.entries(element.M)) {
      if (same[name] !== undefined && !sameValue(same[name], value)) losses.push(name);
    }
  }
  return { entries, losses };
}

function isSameDocument(one: Entry | undefined, other: Entry | undefined): boolean {
  if (one === undefined || other === undefined || other["id"] === undefined) return false;
  return ["id", "s3Key"].every((name) => sameValue(one[name], other[name]));
}
