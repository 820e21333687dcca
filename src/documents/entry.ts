import type { AttributeValue, Item } from "../aws/dynamodb/items.ts";
import type { DocumentEntry } from "../model/documents.ts";
import type { Stored } from "../stores/store.ts";

/** Which of a user's items: `profile` is written; `document` (composite keys only) holds older entries. */
export type ItemPlace = "profile" | "document";

/**
 * Where an entry stands: in the list of an item; as `api` in an item of its own of the website's documents-api; as `removed`
 * in one of the tool's own, where the website does not see it and from where it can be restored; as `row` in the row that
 * another site keeps of each.
 */
export type Place = ItemPlace | "api" | "removed" | "row";

/** An entry and where it stood when it was read. */
export interface StoredEntry {
  readonly userId: string;
  readonly place: Place;
  /** In the list; 0 of an item of its own. */
  readonly index: number;
  /** The bucket in which its object lies, if it names one: the private one, or that of the website's uploads of today. */
  readonly bucket: string;
  /** As DynamoDB has it: conditions compare with exactly this. Of a removed one, with its deletion; of a row, with the names and words of mawps. */
  readonly raw: Readonly<Record<string, AttributeValue>>;
  /** Of a removed one: where it stood, and as what. */
  readonly before?: { readonly place: Place; readonly raw: Readonly<Record<string, AttributeValue>> };
  readonly document: DocumentEntry;
  /** Of a row: as it was read, and whether the file that it names may be its owner's. */
  readonly row?: Stored;
  readonly isOwn?: boolean;
}

/** What a user's items say of documents. */
export interface UserDocuments {
  readonly userId: string;
  /** The profile item, whole (for its size); undefined when there is none. */
  readonly profile: Item | undefined;
  /** Whether anything of the user's was found: an item, an entry of documents-api, a removed entry. */
  readonly isKnown: boolean;
  /** In the order of the lists, those of the profile first; then those of documents-api, and the removed ones. */
  readonly entries: readonly StoredEntry[];
  /** Elements of a list that are no map, and lists that are none. Nothing ever changes these. */
  readonly strange: readonly { readonly place: ItemPlace; readonly index: number | undefined }[];
}

/** A new entry, in plain values. What is undefined is left out. */
export type NewEntry = Readonly<Record<string, unknown>> & { readonly id: string };

/** One entry's change: attributes to set and to remove, and what must still hold. */
export interface EntryChange {
  readonly entry: StoredEntry;
  /** In plain values; `undefined` is left out. */
  readonly set?: Readonly<Record<string, unknown>>;
  readonly remove?: readonly string[];
  /** Attributes that must be as they were read; the id always must. */
  readonly unchanged?: readonly string[];
}

export interface ChangeOutcome {
  /** As they stand now; removed ones as they stood. */
  readonly changed: readonly StoredEntry[];
  /** Their entry is gone: removed, or lost by a whole-item save of the website. */
  readonly missing: readonly StoredEntry[];
  /** An attribute that had to be unchanged is not; `found` is the entry as it stood. */
  readonly refused: readonly { readonly entry: StoredEntry; readonly found: StoredEntry }[];
}
