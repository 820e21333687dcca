import { createHash } from "node:crypto";
import { heldReason, holdsOfAny } from "../../audit/holds.ts";
import { headObject } from "../../aws/s3/objects.ts";
import type { AttributeValue } from "../../aws/dynamodb/items.ts";
import { entriesIn } from "../../documents/entries.ts";
import type { StoredEntry } from "../../documents/entry.ts";
import { nextKey } from "../../documents/move.ts";
import { namedBy } from "../../documents/named-by.ts";
import { documentUrl } from "../../documents/site.ts";
import { addressFields, legalHold } from "../../model/documents.ts";
import { avatarKey, parseKey, pluralFileType } from "../../model/keys.ts";
import { userIdFault } from "../../model/user-id.ts";
import {
  nothing,
  type ItemChange,
  type Left,
  type Migration,
  type MigrationSite,
  type ObjectMove,
  type StoredItem,
  type Unit,
} from "../../migrations/migration.ts";
import { restore } from "../../migrations/restore.ts";
import { keyOfAddress } from "../../migrations/units.ts";
import { avatarAttributes, entriesAttribute } from "../../model/mawps.ts";

/**
 * Objects under the website's older layouts go to the model's, and what names them with them:
 *
 *   users/{userId}/documents/{type}/{time}-{name}      ->  public/documents/{userId}/{types}/{time}-{hex}.{ext}
 *   public/documents/{userId}/certificate/...          ->  public/documents/{userId}/certificates/...
 *   profile-images/{userId}/avatar-{time}.{ext}        ->  public/profile-images/{userId}/{time}-{hex}.{ext}
 *
 * The new key follows from the former one, so that a run after a crash finds its own copy. Objects that no item names stay:
 * `doc check` and retention see to them.
 */
export const documentKeys: Migration = {
  id: "0004-document-keys",
  description: "moves documents and pictures under older keys to today's layout, with what names them",

  async up({ userId, items }, site) {
    const moves: ObjectMove[] = [];
    const left: Left[] = [];
    const changes: ItemChange[] = [];
    const held = heldKeys(site, { userId, items });
    let ofPerson: Promise<string | undefined> | undefined;
    /** Where an object goes; undefined where it stays. */
    const moved = async (what: string, from: string, newKey: () => string) => {
      const known = moves.find((move) => move.from === from);
      if (known !== undefined) return known.to;
      const why = held.get(from) ?? (await (ofPerson ??= holdOf(site, userId)));
      const hold = why ?? namedElsewhere(site, items, from);
      const move = hold ?? (await planMove(site, { userId, from, newKey }));
      if (typeof move === "string") left.push({ userId, what, why: move });
      else moves.push(move);
      return typeof move === "string" ? undefined : move.to;
    };
    for (const stored of items) {
      const set: Record<string, AttributeValue> = {};
      const elements = [...(stored.item[entriesAttribute]?.L ?? [])];
      for (const entry of oldEntries(site, userId, stored)) {
        const to = await moved(entry.document.id, entry.document.s3Key, () => nextKey(entry));
        if (to === undefined) continue;
        elements[entry.index] = {
          M: { ...entry.raw, s3Key: { S: to }, ...addressesOf(entry, documentUrl(site, to)) },
        };
        set[entriesAttribute] = { L: elements };
      }
      for (const [attribute, from] of oldPictures(site, stored)) {
        const to = await moved(attribute, from, () => newPictureKey(userId, from));
        if (to !== undefined) set[attribute] = { S: documentUrl(site, to) };
      }
      if (Object.keys(set).length > 0) {
        changes.push({ place: stored.place, before: stored.item, set, remove: [] });
      }
    }
    return { ...nothing, changes, moves, left };
  },

  down: restore,

  verify: ({ userId, items }, site) =>
    items.flatMap((stored) => {
      const old = oldEntries(site, userId, stored).map(({ document }) => document.id);
      const pictures = oldPictures(site, stored).map(([attribute]) => attribute);
      return [...old, ...pictures].map((what) => ({
        what,
        why: "its key is of an older layout",
      }));
    }),
};

function oldEntries(site: MigrationSite, userId: string, { place, item }: StoredItem): StoredEntry[] {
  return entriesIn(site, { userId, place, item }).filter(({ document, bucket }) => {
    if (bucket !== site.bucket) return false;
    const parsed = parseKey(document.s3Key);
    if (parsed?.layout === "old-document") return true;
    return parsed?.layout === "document" && pluralFileType(parsed.fileType) !== parsed.fileType;
  });
}

/** What names the object besides its key; the website's buttons open `url`, where an entry has one. */
function addressesOf({ raw }: StoredEntry, address: string): Record<string, AttributeValue> {
  const { url = "", ...others } = addressFields(address);
  const all = raw["url"] === undefined ? others : { ...others, url };
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, { S: value }]));
}

/** Objects of which every version must stay where it is, and why: a move lets the bucket remove the former ones some day. */
function heldKeys(site: MigrationSite, { userId, items }: Unit): ReadonlyMap<string, string> {
  const entries = items.flatMap(({ place, item }) => entriesIn(site, { userId, place, item }));
  return new Map(
    entries.flatMap(({ document }) => {
      const hold = legalHold(document.attributes);
      return hold === undefined ? [] : [[document.s3Key, `legal hold: ${hold}`] as const];
    }),
  );
}

/** Why nothing of a person's is moved, where they are under a legal hold. */
async function holdOf({ holds }: MigrationSite, userId: string): Promise<string | undefined> {
  const standing = holdsOfAny(await holds(), [userId]);
  return standing.length === 0 ? undefined : heldReason(standing);
}

/** The attributes that name a picture under an older key, each with that key: of one picture both are rewritten. */
function oldPictures(
  site: MigrationSite,
  { item }: StoredItem,
): (readonly [attribute: string, key: string])[] {
  return avatarAttributes.flatMap((attribute) => {
    const key = keyOfAddress(site, item[attribute]?.S);
    return key !== undefined && parseKey(key)?.layout === "old-avatar" ? [[attribute, key] as const] : [];
  });
}

/** Why an object stays that more than what moves with it names. */
function namedElsewhere(site: MigrationSite, items: readonly StoredItem[], key: string): string | undefined {
  for (const stored of items) {
    const pictures = new Map(oldPictures(site, stored));
    const others = Object.entries(stored.item).filter(([attribute]) => pictures.get(attribute) !== key);
    const attribute = namedBy(Object.fromEntries(others), key);
    if (attribute !== undefined) return `${JSON.stringify(attribute)} names its object too: ${key}`;
  }
  return undefined;
}

function newPictureKey(userId: string, from: string): string {
  const parsed = parseKey(from);
  const [timestampMs, ext] = parsed?.layout === "old-avatar" ? [parsed.timestampMs, parsed.ext] : [0, "bin"];
  const random = createHash("sha256").update(`moved from ${from}`).digest("hex").slice(0, 8);
  return avatarKey({ userId, timestampMs, random, ext: ext.toLowerCase() });
}

/** The move, or why there is none. */
async function planMove(
  site: MigrationSite,
  { userId, from, newKey }: { userId: string; from: string; newKey: () => string },
): Promise<ObjectMove | string> {
  const fault = userIdFault(userId);
  if (fault !== undefined) return `no key can be made for this user: the id ${fault}`;
  const owner = parseKey(from);
  if (owner === undefined || !("userId" in owner) || owner.userId !== userId)
    return `its object is in none of the user's folders: ${from}`;
  let to;
  try {
    to = newKey();
  } catch (error) {
    if (error instanceof RangeError) return `no key can be made for it: ${error.message}`;
    throw error;
  }
  const { aws, bucket, signal } = site;
  const look = (key: string) => headObject(aws, { bucket, key }, signal);
  // Moved before, and a page of the website that was still open wrote the former key back.
  const head = (await look(from)) ?? (await look(to));
  return head === undefined
    ? `its object is missing: ${from}`
    : { from, to, etag: head.etag, sizeBytes: head.sizeBytes };
}
