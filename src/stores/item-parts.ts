import type { Aws } from "../aws/clients.ts";
import { valueAt, type Condition, type Path } from "../aws/dynamodb/expressions.ts";
import { fingerprint } from "../aws/dynamodb/fingerprint.ts";
import { assertItemFits, itemSizeBytes } from "../aws/dynamodb/item-size.ts";
import { getItem, type AttributeValue, type Item } from "../aws/dynamodb/items.ts";
import { plainIfDamaged, typed } from "../aws/dynamodb/plain.ts";
import { updateAttributes } from "../aws/dynamodb/update-item.ts";
import { CliError } from "../errors.ts";
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

/** The element of a list that these fields make; what the item around it says is left out. */
export function newPart({ links = [], fields: declared = {} }: Entity, fields: JsonObject): Item {
  const around = new Set(links.flatMap(({ by }) => (typeof by === "string" ? by : [])));
  const own = Object.entries(fields).filter(
    ([name, value]) => value !== undefined && (!around.has(name) || Object.hasOwn(declared, name)),
  );
  return typed(Object.fromEntries(own)).M ?? {};
}

/**
 * Appends an element to a list of an item; what others append or change at the same time stays.
 * @param item as it was read.
 * @throws CliError where the item would be too large, or has something else than a list there.
 */
export async function appendPart(
  place: Place,
  { item: first, part }: { readonly item: Item; readonly part: ItemPart },
  value: Item,
): Promise<Stored | "gone"> {
  const { aws, table, key, read, signal } = place;
  const { path } = part;
  const isOurs = ({ stored }: Found) => stored.entity === part.entity && sameJson(stored.raw, value);
  let item: Item | undefined = first;
  for (let conflicts = 0; conflicts < mostConflicts && item !== undefined; conflicts += 1) {
    const list = valueAt(item, path);
    if (list !== undefined && list.L === undefined)
      throw new CliError(`${part.at} of an item of ${table} is no list; nothing was changed`);
    assertItemFits({ ...item, [part.at]: { L: [{ M: value }] } }, `an item of ${table}`);
    const outcome = await updateAttributes(aws, {
      table,
      key,
      append: [{ path, values: [{ M: value }] }],
      // Nobody has appended: a first attempt whose answer was lost is not done again.
      conditions: [
        ...Object.keys(key).map((name) => ({ path: name, is: "present" as const })),
        { path: [...path, list?.L?.length ?? 0], is: "absent" },
      ],
      signal,
    });
    item = outcome.applied ? outcome.item : outcome.found;
    const found = item === undefined ? undefined : read(item).find(isOurs)?.stored;
    if (found !== undefined && (outcome.applied || outcome.isRepeated)) return found;
    if (outcome.applied) throw new Error(`what was appended is no ${part.entity}`);
  }
  return "gone";
}

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
    const found = stands.find(({ stored }) => isSame(stored, part));
    if (found === undefined) {
      // Of a first attempt whose answer was lost, it is our own change.
      const isDone = to === undefined || stands.some(({ stored }) => isSame(stored, to));
      return isRepeated && isDone ? "done" : "changed";
    }
    if (legalHold(found.stored.fields) !== legalHold(part.fields)) return "changed";
    const { path } = found;
    const hold = item["legalHold"];
    const conditions: Condition[] = [
      { path, is: "equal", to: { M: part.raw as Item } },
      // A hold of the item is one of what is in it.
      hold === undefined ? { path: "legalHold", is: "absent" } : { path: "legalHold", is: "equal", to: hold },
    ];
    const change = to === undefined ? { remove: [path] } : { set: [{ path, value: { M: to.raw as Item } }] };
    // Whether a lost first attempt of ours did it is seen above: the end of a list may be gone because others took elements away.
    const outcome = await updateAttributes(aws, {
      table,
      key,
      ...change,
      returns: "old",
      conditions,
      signal,
    });
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
