import untypedDb from "dynalite/db/index.js";
import untypedValidations from "dynalite/validations/index.js";
import { coralFault, Fault } from "./fault.ts";
import { laterParameters, ownParameters } from "./parameters.ts";
import type { KeyElement, SecondaryIndex, TableDescription } from "./tables.ts";
import type { AttributeValue, Item } from "./values.ts";

/*
 * dynalite's parts that are used: its parsers, its parameter checks, its key encoding, and how an action changes an
 * item. Its storage, its server and its clock are not: an action is run against a store made for that one call
 * (see `store` in writes.ts and search.ts), which answers at once from what was read before. So an action is
 * a synchronous function, whatever it throws reaches the caller, and items and index rows are written in one batch.
 */

/** What dynalite hands to a callback when it refuses. */
export interface DynaliteFault extends Error {
  statusCode?: number;
  body?: { __type: string; message?: string; Message?: string };
}

type Steps = readonly (string | number)[];

/** dynalite's functions on keys, index rows and paths. */
export const db = untypedDb as {
  validateKey(key: Item, table: TableDescription): DynaliteFault | null | undefined;
  validateItem(item: Item, table: TableDescription): DynaliteFault | null | undefined;
  createKey(item: Item, table: TableDescription): string;
  createIndexKey(item: Item, table: TableDescription, keySchema: readonly KeyElement[]): string;
  getIndexActions(
    indexes: readonly SecondaryIndex[],
    before: null,
    after: Item,
    table: TableDescription,
  ): { puts: { index: string; key: string; item: Item }[] };
  /** Text that sorts as the value does. */
  toLexiStr(value: string, type: "N"): string;
  mapPath(path: Steps, item: Item): AttributeValue | null | undefined;
  mapPaths(paths: readonly (string | Steps)[], item: Item): Item;
};

const validations = untypedValidations as {
  checkTypes(input: object, types: object): object;
  checkValidations(input: object, types: object, custom: unknown, store: object): void;
};

// Each is loaded with the first request for it: a process that reads one item should not parse all of dynalite.
const validationModules = {
  batchGetItem: () => import("dynalite/validations/batchGetItem.js"),
  batchWriteItem: () => import("dynalite/validations/batchWriteItem.js"),
  createTable: () => import("dynalite/validations/createTable.js"),
  deleteItem: () => import("dynalite/validations/deleteItem.js"),
  deleteTable: () => import("dynalite/validations/deleteTable.js"),
  describeTable: () => import("dynalite/validations/describeTable.js"),
  getItem: () => import("dynalite/validations/getItem.js"),
  listTables: () => import("dynalite/validations/listTables.js"),
  putItem: () => import("dynalite/validations/putItem.js"),
  query: () => import("dynalite/validations/query.js"),
  scan: () => import("dynalite/validations/scan.js"),
  updateItem: () => import("dynalite/validations/updateItem.js"),
  updateTable: () => import("dynalite/validations/updateTable.js"),
};

const actionModules = {
  deleteItem: () => import("dynalite/actions/deleteItem.js"),
  getItem: () => import("dynalite/actions/getItem.js"),
  putItem: () => import("dynalite/actions/putItem.js"),
  query: () => import("dynalite/actions/query.js"),
  scan: () => import("dynalite/actions/scan.js"),
  updateItem: () => import("dynalite/actions/updateItem.js"),
};

export type Action = (
  store: unknown,
  input: unknown,
  done: (fault: Error | null | undefined, result?: object) => void,
) => void;

/** Sizes are checked here by bytes (values.ts), not by dynalite, which counts characters. */
export const limits = { maxItemSize: Number.POSITIVE_INFINITY };

/**
 * Checks an operation's parameters as DynamoDB does and parses its expressions (into `_condition`, `_updates`,
 * `_projection`, `_filter`). Unknown parameters are dropped. With `lenient`, only types and ranges are checked.
 * Throws a `Fault`.
 */
export async function validated<T>(
  operation: keyof typeof validationModules,
  input: object,
  options: { lenient?: boolean } = {},
): Promise<T> {
  const module = (await validationModules[operation]()).default as { types: object; custom: unknown };
  const types = { ...module.types, ...laterParameters[operation] };
  return checked(input, types, options.lenient === true ? undefined : module.custom) as T;
}

/** The same for an operation that dynalite does not have. */
export function shaped(operation: keyof typeof ownParameters, input: object): object {
  return checked(input, ownParameters[operation], undefined);
}

function checked(input: object, types: object, custom: unknown): object {
  try {
    const data = validations.checkTypes(copied(input) as object, types);
    restoreNames(data);
    validations.checkValidations(data, types, custom, { options: limits });
    return data;
  } catch (error) {
    // dynalite stumbles over a null where a structure belongs.
    if (error instanceof TypeError) throw coralFault("SerializationException");
    throw asFault(error);
  }
}

/** dynalite makes maps by assignment, to which this name is none: meanwhile it has another one, that no request can have. */
const prototypeName = "__proto__";
const standIn = "\u{10ffff}proto\ud800";

function restoreNames(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const inner of Object.values(value)) restoreNames(inner);
  if (!Object.hasOwn(value, standIn)) return;
  const inner = (value as Record<string, unknown>)[standIn];
  Reflect.deleteProperty(value, standIn);
  const settings = { value: inner, enumerable: true, configurable: true, writable: true };
  Object.defineProperty(value, prototypeName, settings);
}

/** A copy, which dynalite changes as it checks; it does not know that a number may start with a plus. */
function copied(value: unknown, member = ""): unknown {
  if (Array.isArray(value)) return value.map((element) => copied(element, member));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        name === prototypeName ? standIn : name,
        copied(inner, name),
      ]),
    );
  }
  const number = typeof value === "string" && (member === "N" || member === "NS");
  return number ? value.replace(/^\+(?=[\d.])/, "") : value;
}

export async function actionOf(operation: keyof typeof actionModules): Promise<Action> {
  return (await actionModules[operation]()).default as Action;
}

/** Runs an action against a store that answers at once. Throws what the action refused with, as a `Fault`. */
export function runAction(action: Action, store: unknown, input: unknown): object {
  let outcome: { readonly fault?: Error; readonly result?: object } | undefined;
  action(store, input, (fault, result) => {
    outcome ??= fault ? { fault } : { result: result ?? {} };
  });
  if (outcome === undefined) throw new Error("the store of an action has to answer at once");
  if (outcome.fault !== undefined) throw asFault(outcome.fault);
  return outcome.result ?? {};
}

/** dynalite's error with an answer in it as a `Fault`; any other error as it is. */
export function asFault(error: unknown): unknown {
  const { statusCode, body } = error as DynaliteFault;
  if (statusCode === undefined || body === undefined) return error;
  return new Fault(body.__type, body.message ?? body.Message, { status: statusCode });
}

/** Throws a fault that dynalite returned, if it did. */
export function refuse(fault: DynaliteFault | null | undefined): void {
  if (fault != null) throw asFault(fault);
}

/** The attributes at the paths of a projection, nested as they were. */
export function project(item: Item, paths: readonly (string | Steps)[]): Item {
  return db.mapPaths(paths, item);
}
