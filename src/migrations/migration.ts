import type { Aws } from "../aws/clients.ts";
import type { Hold } from "../audit/holds.ts";
import type { AttributeValue, Item } from "../aws/dynamodb/items.ts";
import type { ItemPlace } from "../documents/entry.ts";
import type { DocumentSite } from "../documents/site.ts";
import type { Secrets } from "../model/secrets.ts";
import type { TableShape } from "../model/table-shape.ts";

/** Where it is noted how far migrations are, whatever they change. */
export interface LedgerPlace {
  readonly aws: Aws;
  /** Keys `id` and `entry`: state, lock and journal. */
  readonly migrationsTable: string;
  /** Of which S3 tells the time; undefined where the site has none. */
  readonly bucket: string | undefined;
  readonly signal: AbortSignal;
  now(): Date;
}

/** What migrations work on: the profiles with their documents, and the table in which it is noted how far they are. */
export interface MigrationSite extends DocumentSite {
  readonly migrationsTable: string;
  /**
   * Whether the website keeps entries of documents in a table of its own, as it does since 2026. It then writes profiles whole,
   * in shapes of its own, and gives out links by the keys that stand there.
   */
  readonly isWebsiteOfToday: boolean;
  /** What the journal must not hold. */
  readonly secrets: Secrets;
  /** The legal holds of people that stand now. */
  readonly holds: () => Promise<readonly Hold[]>;
  /** `foreseen`: objects are only looked at, not read; their hashes are made up then. For plans. */
  readonly hashes: "read" | "foreseen";
}

/** One person's items: what is changed together or not at all. On the simple shape there is one, the `profile`. */
export interface Unit {
  readonly userId: string;
  readonly items: readonly StoredItem[];
}

export interface StoredItem {
  readonly place: ItemPlace;
  /** All of it, as it was read. */
  readonly item: Item;
}

/** A change of top-level attributes of one item; everything else of it stays. */
export interface ItemChange {
  readonly place: ItemPlace;
  /** The whole item before the change; of the journal, the attributes that are changed. */
  readonly before: Item;
  readonly set: Readonly<Record<string, AttributeValue>>;
  readonly remove: readonly string[];
}

/** An object that goes to another key of the private bucket together with the item that names it. */
export interface ObjectMove {
  readonly from: string;
  readonly to: string;
  /** Of the object that is copied: another one at the same key is left alone. */
  readonly etag: string;
  readonly sizeBytes: number;
}

/** Something that a migration would have to change and does not, and why. */
export interface Left {
  readonly userId: string;
  /** The document's id, its key, or the attribute. */
  readonly what: string;
  readonly why: string;
}

/** What a migration wants to do for one person. */
export interface Step {
  readonly changes: readonly ItemChange[];
  readonly moves: readonly ObjectMove[];
  readonly left: readonly Left[];
  /** Values that the step gives up, in words; the journal still has them. */
  readonly losses: readonly string[];
}

/** One versioned change of the stored data. Everything in it must follow from what is stored: it is run again after a crash. */
export interface Migration {
  /** `NNNN-name`, as its file is called. Migrations run in the order of their ids. */
  readonly id: string;
  readonly description: string;
  /** What is given up by it in general; undefined when nothing is. */
  readonly lossy?: string;
  /** Why there is nothing to do in tables of this shape; undefined where there may be. */
  readonly pointless?: (shape: TableShape) => string | undefined;
  /** What is to be done for a person, from their items as they are now; reads objects, writes nothing. */
  up(unit: Unit, site: MigrationSite): Promise<Step>;
  /** Brings back what the journal has of one person. */
  readonly down: Restore;
  /**
   * What in these items is not as the migration should leave it; pure. Empty: nothing to do. Also asked of single items of
   * a person, to find whom `up` concerns.
   */
  verify(unit: Unit, site: MigrationSite): readonly Pick<Left, "what" | "why">[];
}

/** What was changed for one person, as the journal keeps it. */
export interface JournalRecord {
  readonly userId: string;
  readonly changes: readonly ItemChange[];
  readonly moves: readonly ObjectMove[];
}

/** `unchanged`: it is already as it was before. `conflict`: somebody changed it since, and it stays. */
export type Restored = { readonly outcome: "restored" | "unchanged" } | { readonly conflict: string };
export type Restore = (site: MigrationSite, record: JournalRecord) => Promise<Restored>;

/** A step without anything to do. */
export const nothing: Step = { changes: [], moves: [], left: [], losses: [] };
