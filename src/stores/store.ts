import type { JsonObject } from "../model/json.ts";

/** One thing of an entity, as it stood when it was read. */
export interface Stored {
  /** Name of its entity in the model. */
  readonly entity: string;
  /** Configured name of its table. */
  readonly table: string;
  /** What names it there. */
  readonly key: Readonly<Record<string, string | number>>;
  /** Its fields by the names of the model, in plain values; also those that the templates of its key hold. */
  readonly fields: JsonObject;
  readonly bytes: number;
  /** As its store has it, to the last digit: conditions compare with this. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** Fields by the names of the model. */
export interface FieldChange {
  readonly set?: JsonObject;
  readonly remove?: readonly string[];
  /** Fields that must still be as they were when the thing was read. */
  readonly unchanged: readonly string[];
}

/** A thing, and the fields that must still be as they were when it was read. */
export interface Unchanged {
  readonly stored: Stored;
  readonly unchanged: readonly string[];
}

/** `changed`: a field is not as it was; `gone`: there is no such thing any more. Nothing was done. */
export type Refused = "changed" | "gone";

/** What comes of a deletion; `referred`: something that stays refers to it. */
export type Deletion = "done" | "referred" | Refused;

/** Values of which a field has one, numbers by their digits. */
export interface FieldValues {
  readonly field: string;
  readonly values: readonly string[];
}

/** Where the things of a model's entities live, whatever kind of store that is. */
export interface EntityStore {
  /**
   * All things of a table (by its role) that are of an entity, page by page; what fits none is left out.
   * @throws where the table is not there: that nothing is in it would be a guess.
   */
  stream(table: string): AsyncGenerator<readonly Stored[]>;
  /** The thing with this key as it stands now; undefined where there is none, or where it is of no entity. */
  get(table: string, key: Stored["key"]): Promise<Stored | undefined>;
  /**
   * The things of an entity with one of these values in a field, page by page: by their key, by an index, or where neither leads to them
   * by reading the whole table, once. What an index says may be a moment old. A table of DynamoDB that was never made has none.
   */
  find(entity: string, by: FieldValues): AsyncGenerator<readonly Stored[]>;
  /** The same of several keys, in their order. */
  getAll(table: string, keys: readonly Stored["key"][]): Promise<readonly (Stored | undefined)[]>;
  /** Adds a new thing, with what follows from its fields; `taken` where there is one with this key. */
  add(entity: string, fields: JsonObject): Promise<Stored | "taken">;
  /** Changes the named fields, and those that are derived from them, in one step with the condition. */
  changeIf(stored: Stored, change: FieldChange): Promise<Stored | Refused>;
  /** Deletes it in one step with the condition. */
  deleteIf(stored: Stored, unchanged: readonly string[]): Promise<"done" | Refused>;
  /** Deletes things of one table, each in one step with its condition, and tells of each in their order. */
  deleteAllIf(things: readonly Unchanged[]): Promise<readonly Deletion[]>;
  /** What `deleteAllIf` would answer now, as far as the store itself can tell that; deletes nothing. */
  deletable(things: readonly Unchanged[]): Promise<readonly Deletion[]>;
}

/** What retention asks of the places where rows are. */
export type RowStore = Pick<
  EntityStore,
  "stream" | "find" | "get" | "getAll" | "changeIf" | "deleteAllIf" | "deletable"
>;
