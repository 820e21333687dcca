import type { Aws } from "../aws/clients.ts";
import { valueAt, type Condition } from "../aws/dynamodb/expressions.ts";
import { assertItemFits, itemSizeBytes } from "../aws/dynamodb/item-size.ts";
import { getItem, scanItems, type AttributeValue, type Item } from "../aws/dynamodb/items.ts";
import { plainIfDamaged, typed } from "../aws/dynamodb/plain.ts";
import { transact } from "../aws/dynamodb/transact.ts";
import { updateAttributes } from "../aws/dynamodb/update-item.ts";
import { inParallel } from "../concurrency.ts";
import { CliError } from "../errors.ts";
import { pagesWhereThere } from "../aws/setting.ts";
import type { Declaration, KeyAttribute } from "../model/declaration.ts";
import { derivedAttributes, isInKeyOnly, keyTemplates } from "../model/derived.ts";
import { legalHold } from "../model/documents.ts";
import { groupedBy } from "../model/graph.ts";
import { itemParts, type ItemPart } from "../model/item-parts.ts";
import { holds, itemsOf, type FindEntity } from "../model/items.ts";
import { own, type JsonObject } from "../model/json.ts";
import type { Entity, Model } from "../model/schema.ts";
import { itemsBy } from "./item-queries.ts";
import { appendPart, changedPart, changePart, isSame, newPart, partsOf } from "./item-parts.ts";
import type { Deletion, EntityStore, Stored, Unchanged } from "./store.ts";

interface Place {
  readonly aws: Aws;
  readonly model: Model;
  /** The same site with its names as configured. */
  readonly declaration: Pick<Declaration, "tables">;
  readonly signal: AbortSignal;
}

/** A table with what tells its items apart. */
interface Table {
  readonly role: string;
  readonly name: string;
  readonly keys: readonly KeyAttribute[];
  /** Partition keys of its indexes, by these. */
  readonly indexes: ReadonlyMap<string, KeyAttribute>;
  readonly find: FindEntity;
  /** What within its items is an entity of its own. */
  readonly parts: readonly ItemPart[];
}

/** An entity and where it is. */
interface Kind {
  readonly entity: Entity;
  readonly table: Table;
}

/** Items that are read or deleted at once. */
const sideBySide = 8;

/** Entities that are items of DynamoDB tables, or parts of such items. */
export function dynamodbStore({ aws, model, declaration, signal }: Place): EntityStore {
  const tables = new Map<string, Table>();
  const tableOf = (role: string): Table => {
    const known = tables.get(role);
    if (known !== undefined) return known;
    const declared = declaration.tables.find((each) => each.role === role);
    if (declared === undefined) throw new Error(`no table is declared as ${role}`);
    const { partition, sort } = declared.keys;
    const keys = sort === undefined ? [partition] : [partition, sort];
    const indexes = new Map(declared.indexes.map((index) => [index.name, index.keys.partition]));
    const find = itemsOf(model, role);
    const made = { role, name: declared.name, keys, indexes, find, parts: itemParts(model, role) };
    tables.set(role, made);
    return made;
  };
  const placeOf = (name: string) => {
    const entity = own(model.entities, name);
    if (entity === undefined || !("table" in entity.from)) throw new Error(`${name} is in no table`);
    return { entity, table: tableOf(entity.from.table) };
  };
  const itemNow = ({ name, keys }: Table, key: Stored["key"]) =>
    getItem(aws, { table: name, key: typedKey(keys, key), signal });
  const itemOf = (table: Table, { key }: Pick<Stored, "key">) => ({
    aws,
    table: table.name,
    key: typedKey(table.keys, key),
    read: (item: Item) => partsIn(table, item),
    signal,
  });

  /** Appends to the list of the one item that is of whose the part is. */
  const addPart = async (table: Table, part: ItemPart, fields: JsonObject): Promise<Stored> => {
    const { declared, at, path } = part;
    const owner = (declared.links ?? []).flatMap(({ role, by }) =>
      role === "subject" && typeof by === "string" && own(fields, by) !== undefined ? [by] : [],
    )[0];
    if (owner === undefined) throw new Error(`nothing tells in which item ${at} is`);
    const value = String(own(fields, owner));
    const found: Item[] = [];
    for (const pages of itemsBy(
      { aws, signal },
      { entity: declared, table },
      { field: owner, values: [value] },
    )) {
      for await (const page of pages)
        for (const item of page)
          if (own({ ...plainIfDamaged(item), ...table.find(item)?.fields }, owner) === value)
            found.push(item);
    }
    const holding = found.filter((item) => valueAt(item, path) !== undefined);
    const [only, ...others] = holding.length > 0 ? holding : found;
    if (only === undefined || others.length > 0) {
      const count = only === undefined ? "no item" : `${others.length + 1} items`;
      throw new CliError(`${table.name} has ${count} of ${value} in which ${part.what} may be`, {
        hint: "nothing was changed: the site itself makes the item of somebody",
      });
    }
    if (!holds(declared.when, fields)) throw new Error(`what was to be added is no ${part.entity}`);
    const place = itemOf(table, { key: keyOf(table.keys, only) });
    const stored = await appendPart(place, { item: only, part }, newPart(declared, fields));
    if (stored !== "gone") return stored;
    throw new CliError(`the item of ${value} in ${table.name} is gone by now; nothing was changed`);
  };

  const store: EntityStore = {
    stream(role) {
      const table = tableOf(role);
      return readPages(table, scanItems(aws, { table: table.name, signal }));
    },
    async *find(name, { field, values }) {
      const { entity, table } = placeOf(name);
      const wanted = new Set(values);
      const isWanted = ({ entity: kind, fields }: Stored) => {
        const value = own(fields, field);
        const isName = typeof value === "string" || typeof value === "number";
        return kind === name && isName && wanted.has(String(value));
      };
      for (const pages of itemsBy({ aws, signal }, { entity, table }, { field, values }))
        for await (const page of readPages(table, pagesWhereThere(pages))) yield page.filter(isWanted);
    },
    async add(name, fields) {
      const { entity, table } = placeOf(name);
      const part = table.parts.find((each) => each.entity === name);
      if (part !== undefined) return addPart(table, part, fields);
      const attributes = Object.entries(fields).filter(([field]) => !isInKeyOnly(entity, field));
      const item: Item = Object.fromEntries(
        Object.entries({ ...Object.fromEntries(attributes), ...derivedAttributes(entity, fields) }).flatMap(
          ([attribute, value]) => (value === undefined ? [] : [[attribute, typed(value)]]),
        ),
      );
      assertItemFits(item, `what is kept of ${entity.what}`);
      const conditions = table.keys.map(({ name: path }) => ({ path, is: "absent" as const }));
      const stored = storedOf(table, item);
      if (stored?.entity !== name) throw new Error(`what was to be added is no ${name}`);
      const refused = await transact(aws, [{ kind: "put", table: table.name, item, conditions }], signal);
      return refused === undefined ? stored : "taken";
    },
    async get(role, key) {
      const table = tableOf(role);
      const item = await itemNow(table, key);
      if (item === undefined) return undefined;
      if (!table.parts.some(({ at }) => Object.hasOwn(key, at))) return storedOf(table, item);
      return partsIn(table, item).find(({ stored }) => isSame(stored, { key }))?.stored;
    },
    getAll: (role, keys) => inParallel(keys, sideBySide, (key) => store.get(role, key)),
    async changeIf(stored, { set = {}, remove = [], unchanged }) {
      const { entity, table } = placeOf(stored.entity);
      if (entity.at !== undefined) {
        const changed = changedPart(entity, stored, { set, remove });
        const outcome = await changePart(itemOf(table, stored), stored, changed);
        return outcome === "done" ? changed : outcome;
      }
      const names = Object.keys(set);
      const attributes = {
        ...Object.fromEntries(Object.entries(set).filter(([name]) => !isInKeyOnly(entity, name))),
        ...derivedAttributes(entity, { ...stored.fields, ...set }, names),
      };
      const inKey = table.keys.find(({ name }) => Object.hasOwn(attributes, name));
      if (inKey !== undefined) throw new Error(`${inKey.name} is the key of ${stored.entity}`);
      const outcome = await updateAttributes(aws, {
        table: table.name,
        key: typedKey(table.keys, stored.key),
        set: Object.entries(attributes).map(([path, value]) => ({ path, value: typed(value) })),
        remove,
        conditions: conditionsOf({ entity, table }, stored, unchanged),
        signal,
      });
      if (outcome.applied) return storedOf(table, outcome.item ?? {}, stored);
      return outcome.found === undefined ? "gone" : "changed";
    },
    async deleteIf(stored, unchanged) {
      const { entity, table } = placeOf(stored.entity);
      if (entity.at !== undefined) return changePart(itemOf(table, stored), stored, undefined);
      const key = typedKey(table.keys, stored.key);
      // What is within it goes with it, and somebody may have put a part under a hold.
      const within = table.parts.map(({ path: [attribute] }) => attribute);
      const conditions = conditionsOf({ entity, table }, stored, [...unchanged, ...within]);
      const refused = await transact(aws, [{ kind: "delete", table: table.name, key, conditions }], signal);
      if (refused === undefined) return "done";
      return (await itemNow(table, stored.key)) === undefined ? "gone" : "changed";
    },
    async deleteAllIf(things) {
      const outcomes = new Map<Unchanged, Deletion>();
      // Parts of one item after each other: each moves those behind it.
      const items = groupedBy(things, ({ stored: { entity, key } }) =>
        JSON.stringify(typedKey(placeOf(entity).table.keys, key)),
      );
      await inParallel([...items.values()], sideBySide, async (some) => {
        for (const each of some) outcomes.set(each, await store.deleteIf(each.stored, each.unchanged));
      });
      return things.map((each) => outcomes.get(each) ?? "gone");
    },
    // Nothing refers to an item by a constraint, and to look at it would be as old as the look before.
    deletable: (things) => Promise.resolve(things.map(() => "done")),
  };
  return store;
}

async function* readPages(
  table: Table,
  pages: AsyncIterable<readonly Item[]>,
): AsyncGenerator<readonly Stored[]> {
  for await (const page of pages)
    yield page.flatMap((item) =>
      [storedOf(table, item) ?? [], partsIn(table, item).map(({ stored }) => stored)].flat(),
    );
}

/** The parts of an item; also where it is of no entity itself. */
function partsIn({ name, keys, find, parts }: Table, item: Item) {
  if (parts.length === 0) return [];
  return partsOf(parts, { table: name, key: keyOf(keys, item), item, fields: find(item)?.fields ?? {} });
}

function keyOf(keys: readonly KeyAttribute[], item: Item): Stored["key"] {
  return Object.fromEntries(keys.map(({ name }) => [name, plainKey(item[name])]));
}

function storedOf(table: Table, item: Item, before: Stored): Stored;
function storedOf(table: Table, item: Item): Stored | undefined;
/** What a change made of a thing is still that, also where the model would not know it for one any more. */
function storedOf(table: Table, item: Item, before?: Stored): Stored | undefined {
  const { name, keys, find } = table;
  const kind = find(item) ?? (before && { name: before.entity, fields: fieldsOfKey(before) });
  if (kind === undefined) return undefined;
  const fields = { ...plainIfDamaged(item), ...kind.fields };
  const [hold] = partsIn(table, item).flatMap(({ stored }) => legalHold(stored.fields) ?? []);
  return {
    entity: kind.name,
    table: name,
    key: keyOf(keys, item),
    // No part of it is deleted with it that is under a hold.
    fields: hold === undefined || legalHold(fields) !== undefined ? fields : { ...fields, legalHold: hold },
    bytes: itemSizeBytes(item),
    raw: item,
  };
}

/** What the templates of a key hold alone. */
function fieldsOfKey({ fields, raw }: Stored): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !Object.hasOwn(raw, name)));
}

/** Digits of a number that JavaScript does not hold, and bytes in base64, are texts: `typedKey` knows what they are. */
function plainKey(value: AttributeValue | undefined): string | number {
  if (value?.B !== undefined) return Buffer.from(value.B).toString("base64");
  if (value?.N !== undefined) return Number.isSafeInteger(Number(value.N)) ? Number(value.N) : value.N;
  return value?.S ?? "";
}

function typedKey(keys: readonly KeyAttribute[], key: Stored["key"]): Item {
  return Object.fromEntries(
    keys.map(({ name, type }): [string, AttributeValue] => {
      const text = String(own(key, name) ?? "");
      if (type === "N") return [name, { N: text }];
      return [name, type === "B" ? { B: Buffer.from(text, "base64") } : { S: text }];
    }),
  );
}

/** It is there, and these fields are as they were: as attributes, or as parts of the attributes that hold them. */
function conditionsOf({ entity, table }: Kind, { raw }: Stored, unchanged: readonly string[]): Condition[] {
  const item = raw as Item;
  const inKeys = new Set(table.keys.map(({ name }) => name));
  const attributes = new Set(
    unchanged.flatMap((name) => {
      if (item[name] !== undefined) return [name];
      const holding = keyTemplates(entity).flatMap(([attribute, templates]) =>
        templates.some(({ fields }) => fields.includes(name)) ? [attribute] : [],
      );
      return isInKeyOnly(entity, name) ? holding : [name, ...holding];
    }),
  );
  return [
    ...table.keys.map(({ name }): Condition => ({ path: name, is: "present" })),
    ...[...attributes]
      .filter((name) => !inKeys.has(name))
      .map((path): Condition => {
        const value = own(item, path);
        return value === undefined ? { path, is: "absent" } : { path, is: "equal", to: value };
      }),
  ];
}
