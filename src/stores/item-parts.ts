import type { Aws } from "../aws/clients.ts";
import type { Path } from "../aws/dynamodb/expressions.ts";
import { fingerprint } from "../aws/dynamodb/fingerprint.ts";
import { itemSizeBytes } from "../aws/dynamodb/item-size.ts";
import { getItem, type AttributeValue, type Item } from "../aws/dynamodb/items.ts";
import { plainIfDamaged, typed } from "../aws/dynamodb/plain.ts";
import { updateAttributes } from "../aws/dynamodb/update-item.ts";
import { legalHold } from "../model/documents.ts";
import type { ItemPart } from "../model/item-parts.ts";
import { holds } from "../model/items.ts";
import { own, sameJson, type JsonObject } from "../model/json.ts";
import type { Entity } from "../model/schema.ts";
import type { FieldChange, Refused, Stored } from "./store.ts";

/** An item with what its own kind says of it. */
export interface Around {
  readonly table: string;
  readonly key: Stored["key"];
  readonly item: Item;
  /** What the templates of its key hold. */
  readonly fields: JsonObject;
}

interface Found {
  readonly stored: Stored;
  readonly path: Exclude<Path, string>;
}

/**
 * The parts of an item that are entities of their own. Each is named by the key of its item and by all that is in it: one that changed is
 * another one. Whose it is its item says, and a legal hold of the item is one of each part.
 */
export function partsOf(parts: readonly ItemPart[], around: Around): Found[] {
  const taken = new Set<string>();
  return parts.flatMap((part) =>
    placesOf(part, around.item).flatMap(({ path, value }) => {
      const fields = fieldsOf(part, around, value);
      const place = JSON.stringify(path);
      if (taken.has(place) || !holds(part.declared.when, fields)) return [];
      taken.add(place);
      const stored: Stored = {
        entity: part.entity,
        table: around.table,
        key: { ...around.key, [part.at]: fingerprint(value) },
        fields,
        bytes: itemSizeBytes(value),
        raw: value,
      };
      return [{ stored, path }];
    }),
  );
}

function placesOf({ path, isList }: ItemPart, item: Item) {
  let at: AttributeValue | undefined = { M: item };
  for (const name of path) at = at?.M && own(at.M, name);
  const all =
    isList && at?.L !== undefined ? at.L.map((each, index) => [each, index] as const) : [[at] as const];
  return all.flatMap(([value, index]) => {
    const place: Found["path"] = index === undefined ? path : [...path, index];
    return value?.M === undefined ? [] : [{ path: place, value: value.M }];
  });
}

function fieldsOf({ declared: { links = [] } }: ItemPart, { item, fields }: Around, value: Item): JsonObject {
  const part = plainIfDamaged(value);
  const whole = { ...plainIfDamaged(item), ...fields };
  const owners = links.flatMap(({ by }) =>
    typeof by === "string" && own(whole, by) !== undefined ? [[by, own(whole, by)] as const] : [],
  );
  const hold = legalHold(part) ?? legalHold(whole);
  return { ...part, ...Object.fromEntries(owners), ...(hold === undefined ? {} : { legalHold: hold }) };
}

/** An item that parts are changed in. */
interface Place {
  readonly aws: Aws;
  readonly table: string;
  readonly key: Item;
  /** The parts of the item as it stands. */
  readonly read: (item: Item) => readonly Found[];
  readonly signal: AbortSignal;
}

/** So often others may change the same item first. */
const mostConflicts = 100;

/** Writes a part anew, or takes it away, on condition that it is as it was read, wherever in its list it stands by now. */
export async function changePart(
  place: Place,
  part: Stored,
  to: Stored | undefined,
): Promise<"done" | Refused> {
  const { aws, table, key, read, signal } = place;
  let item = await getItem(aws, { table, key, signal });
  let isRepeated = false;
  for (let conflicts = 0; conflicts < mostConflicts && item !== undefined; conflicts += 1) {
    const stands = read(item);
    const path = stands.find(({ stored }) => isSame(stored, part))?.path;
    if (path === undefined) {
      // Of a first attempt whose answer was lost, it is our own change.
      const isDone = to === undefined || stands.some(({ stored }) => isSame(stored, to));
      return isRepeated && isDone ? "done" : "changed";
    }
    const conditions = [{ path, is: "equal" as const, to: { M: part.raw as Item } }];
    const change = to === undefined ? { remove: [path] } : { set: [{ path, value: { M: to.raw as Item } }] };
    const outcome = await updateAttributes(aws, { table, key, ...change, conditions, signal });
    if (outcome.applied) return "done";
    ({ found: item, isRepeated } = outcome);
  }
  return item === undefined ? "gone" : "changed";
}

/** Whether two parts are the same one, as `partsOf` names them. */
export function isSame(one: Pick<Stored, "key">, other: Pick<Stored, "key">): boolean {
  return sameJson(one.key, other.key);
}

/** A part with other fields. */
export function changedPart(
  { at = "" }: Entity,
  part: Stored,
  { set = {}, remove = [] }: Omit<FieldChange, "unchanged">,
): Stored {
  const kept = Object.entries(part.raw).filter(([name]) => !remove.includes(name));
  const raw: Item = { ...(Object.fromEntries(kept) as Item), ...typed(set).M };
  const around = Object.entries(part.fields).filter(([name]) => !Object.hasOwn(part.raw, name));
  return {
    ...part,
    key: { ...part.key, [at]: fingerprint(raw) },
    fields: { ...Object.fromEntries(around), ...plainIfDamaged(raw) },
    bytes: itemSizeBytes(raw),
    raw,
  };
}
