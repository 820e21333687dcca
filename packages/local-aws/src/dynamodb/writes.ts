import type { Write } from "../json-database.ts";
import { actionOf, db, limits, refuse, runAction } from "./dynalite.ts";
import type { Expression, Operand, Path } from "./conditions.ts";
import { meets } from "./conditions.ts";
import { dynamodbFault, Fault, faultName, validationFault } from "./fault.ts";
import type { Context, Counts, TableDescription, TableRecord } from "./tables.ts";
import { countsOf, indexesOf, keys } from "./tables.ts";
import type { AttributeValue, Item } from "./values.ts";
import { itemLimitBytes, itemSizeBytes, nestsTooDeep, numberFault } from "./values.ts";

interface UpdateSection {
  readonly type: "set" | "remove" | "add" | "delete";
  readonly path: Path;
  val?: unknown;
}

/** A checked PutItem, UpdateItem or DeleteItem (a ConditionCheck has the shape of the last). */
export interface WriteInput {
  TableName: string;
  Item?: Item;
  Key?: Item;
  ReturnValuesOnConditionCheckFailure?: "ALL_OLD" | "NONE";
  ReturnValues?: string;
  AttributeUpdates?: Record<string, { Action?: string }>;
  _condition?: { readonly expression: Expression };
  _updates?: { sections: UpdateSection[]; readonly paths: readonly Path[] };
}

export type WriteOperation = "putItem" | "updateItem" | "deleteItem";

/** What one write does to one item, decided but not yet written. */
export interface Change {
  readonly table: TableRecord;
  /** Of the item, within its table. */
  readonly key: string;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
  readonly indexWrites: readonly Write[];
  /** The operation's answer. */
  readonly result: object;
}

/** Where a write goes: its item's key. Throws a `Fault` when the key does not fit the table. */
export function keyOf(table: TableRecord, input: WriteInput): string {
  const { description } = table;
  if (input.Item !== undefined) {
    refuse(db.validateItem(input.Item, description));
    return db.createKey(input.Item, description);
  }
  const key = input.Key ?? {};
  refuse(db.validateKey(key, description));
  return db.createKey(key, description);
}

export function readItem(context: Context, table: TableRecord, key: string): Promise<Item | undefined> {
  return context.database.get<Item>(keys.items(table.description.TableId) + key);
}

/**
 * Decides one write: condition, new item, index rows. To be called within `database.exclusive`, together with
 * `commit`. Throws a `Fault`: ConditionalCheckFailedException (with the item where the request asked for it),
 * or ValidationException.
 */
export async function plan(
  context: Context,
  table: TableRecord,
  write: { readonly operation: WriteOperation; readonly input: WriteInput },
): Promise<Change> {
  const { operation, input } = write;
  const key = keyOf(table, input);
  const before = bare(await readItem(context, table, key));
  const { _condition: condition, ...given } = input;
  const rest = given.Key === undefined ? given : { ...given, Key: bare(given.Key) };
  if (condition !== undefined && !meets(before ?? {}, condition.expression))
    throw conditionFailed(input, before);
  if (rest._updates !== undefined) {
    rest._updates = { ...rest._updates, sections: inOrder(rest._updates.sections, before ?? bare({})) };
  }
  // Where there is no item, taking something away from it makes none.
  if (before === undefined && onlyTakesAway(input)) {
    return { table, key, before, after: undefined, indexWrites: [], result: {} };
  }
  const taken: { after: Item | undefined; indexWrites: Write[] } = { after: before, indexWrites: [] };
  const action = await actionOf(operation);
  let result: object;
  try {
    result = runAction(action, store(table.description, { key, before, taken }), rest);
  } catch (error) {
    // The older `Expected` conditions are judged by the action.
    if (error instanceof Fault && faultName(error) === "ConditionalCheckFailedException") {
      throw conditionFailed(input, before);
    }
    throw error;
  }
  if (operation !== "deleteItem" && taken.after !== undefined)
    checkItem(table.description, operation, taken.after);
  return { table, key, before, ...taken, result };
}

/** The item whose maps have nothing but their attributes: dynalite would find a `constructor` in every other. */
function bare<Given extends Item | undefined>(item: Given): Given {
  if (item === undefined) return item;
  const inside = (value: AttributeValue): AttributeValue => {
    if (value.M !== undefined) return { M: bare(value.M) };
    return value.L === undefined ? value : { L: value.L.map(inside) };
  };
  const made = Object.create(null) as Item;
  for (const [name, value] of Object.entries(item)) made[name] = inside(value);
  return made as Given;
}

function onlyTakesAway(input: WriteInput): boolean {
  const kinds = [
    ...(input._updates?.sections.map((section) => section.type) ?? []),
    ...Object.values(input.AttributeUpdates ?? {}).map((update) =>
      update.Action === "DELETE" ? "delete" : "set",
    ),
  ];
  return kinds.length > 0 && kinds.every((kind) => kind === "remove" || kind === "delete");
}

/** Judges a ConditionCheck of a transaction; to be called like `plan`. */
export async function check(context: Context, table: TableRecord, input: WriteInput): Promise<void> {
  const item = await readItem(context, table, keyOf(table, input));
  if (input._condition !== undefined && !meets(item ?? {}, input._condition.expression)) {
    throw conditionFailed(input, item);
  }
}

function conditionFailed(input: WriteInput, item: Item | undefined): Fault {
  const shown =
    input.ReturnValuesOnConditionCheckFailure === "ALL_OLD" && item !== undefined ? { Item: item } : {};
  return dynamodbFault("ConditionalCheckFailedException", "The conditional request failed", shown);
}

/** Writes all changes, their index rows and the tables' counts in one batch: all of it or nothing. */
export async function commit(
  context: Context,
  changes: readonly Change[],
  also: readonly Write[] = [],
): Promise<void> {
  const writes: Write[] = [...also];
  const counted = new Map<string, Counts>();
  for (const change of changes) {
    const { before, after } = change;
    if (before === undefined && after === undefined) continue;
    const { TableId } = change.table.description;
    const counts = counted.get(TableId) ?? (await countsOf(context, TableId));
    counted.set(TableId, counts);
    count(counts, change);
    const key = keys.items(TableId) + change.key;
    writes.push(
      after === undefined ? { type: "del", key } : { type: "put", key, value: after },
      ...change.indexWrites,
    );
  }
  for (const [tableId, counts] of counted)
    writes.push({ type: "put", key: keys.counts(tableId), value: counts });
  if (writes.length > 0) await context.database.write(writes);
}

function count(counts: Counts, change: Change): void {
  const { before, after } = change;
  const was = before === undefined ? 0 : 1;
  const is = after === undefined ? 0 : 1;
  counts.items += is - was;
  counts.bytes +=
    (after === undefined ? 0 : itemSizeBytes(after)) - (before === undefined ? 0 : itemSizeBytes(before));
  for (const index of indexesOf(change.table.description)) {
    const names = index.KeySchema.map((element) => element.AttributeName);
    const isIn = (item: Item | undefined) =>
      item !== undefined && names.every((name) => Object.hasOwn(item, name)) ? 1 : 0;
    counts.indexes[index.IndexName] = (counts.indexes[index.IndexName] ?? 0) + isIn(after) - isIn(before);
  }
}

/** A row of an index: its key ends with the item's own, because dynalite's (24 bits of a hash) may collide. */
export function indexRow(
  table: TableDescription,
  row: { readonly index: string; readonly key: string; readonly itemKey: string },
): string {
  return `${keys.index(table.TableId, row.index)}${row.key}/${row.itemKey}`;
}

/** The store that one action sees: one table, one item; it keeps what the action would write. */
function store(
  table: TableDescription,
  item: {
    readonly key: string;
    readonly before: Item | undefined;
    readonly taken: { after: Item | undefined; indexWrites: Write[] };
  },
) {
  type Done = (fault: null, value?: unknown) => void;
  const { taken } = item;
  const items = {
    lock: (_key: string, run: (release: (done: Done) => Done) => void) => run((done) => done),
    get: (_key: string, done: Done) => done(null, item.before),
    put(_key: string, after: Item, done: Done) {
      taken.after = after;
      done(null);
    },
    del(_key: string, done: Done) {
      taken.after = undefined;
      done(null);
    },
  };
  return {
    options: limits,
    getTable: (_name: string, done: (fault: null, found: TableDescription) => void) => done(null, table),
    getItemDb: () => items,
    getIndexDb: (_kind: string, _table: string, index: string) => ({
      put(key: string, value: Item, done: Done) {
        const row = indexRow(table, { index, key, itemKey: item.key });
        taken.indexWrites.push({ type: "put", key: row, value });
        done(null);
      },
      del(key: string, done: Done) {
        taken.indexWrites.push({ type: "del", key: indexRow(table, { index, key, itemKey: item.key }) });
        done(null);
      },
    }),
  };
}

function checkItem(table: TableDescription, operation: "putItem" | "updateItem", item: Item): void {
  if (itemSizeBytes(item) > itemLimitBytes) {
    throw validationFault(
      operation === "putItem"
        ? "Item size has exceeded the maximum allowed size"
        : "Item size to update has exceeded the maximum allowed size",
    );
  }
  const number = operation === "updateItem" ? numberFault(item) : undefined;
  if (number !== undefined) throw validationFault(number);
  if (nestsTooDeep(item)) throw validationFault("Nesting Levels have exceeded supported limits");
  for (const index of indexesOf(table)) {
    for (const { AttributeName: name } of index.KeySchema) {
      const value = item[name];
      if (value?.S !== "" && value?.B !== "") continue;
      throw validationFault(
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. " +
          `The AttributeValue for a key attribute cannot contain an empty ${value.S === "" ? "string" : "binary"} value. ` +
          `IndexName: ${index.IndexName}, IndexKey: ${name}`,
      );
    }
  }
}

/**
 * The actions of an update expression, so that each sees the item as it was before: values are copied out of it,
 * and elements of lists are removed last and from the end, since a removal moves those behind it.
 */
function inOrder(sections: readonly UpdateSection[], before: Item): UpdateSection[] {
  const copied = sections.map((section) =>
    section.val === undefined ? { ...section } : { ...section, val: copiedOut(section.val, before) },
  );
  const removesElement = (section: UpdateSection) =>
    section.type === "remove" && typeof section.path.at(-1) === "number";
  return [
    ...copied.filter((section) => !removesElement(section)),
    ...copied.filter(removesElement).sort((one, other) => fromTheEnd(one.path, other.path)),
  ];
}

function fromTheEnd(one: Path, other: Path): number {
  for (const [depth, step] of one.entries()) {
    const against = other[depth];
    if (step === against) continue;
    return typeof step === "number" && typeof against === "number" ? against - step : 0;
  }
  return 0;
}

function copiedOut(value: unknown, before: Item): unknown {
  if (Array.isArray(value)) return copyAt(value as Path, before) ?? value;
  const call = value as {
    readonly type?: string;
    readonly name?: string;
    readonly args?: readonly Operand[];
  };
  if (call.type === undefined || call.args === undefined) return value;
  if (call.name === "if_not_exists") {
    const [path, otherwise] = call.args;
    return copyAt(path as Path, before) ?? copiedOut(otherwise, before);
  }
  return { ...call, args: call.args.map((argument) => copiedOut(argument, before)) };
}

function copyAt(path: Path, before: Item): unknown {
  const found = db.mapPath(path, before);
  return found == null ? undefined : structuredClone(found);
}
