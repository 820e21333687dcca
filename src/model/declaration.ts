import type { Secrets } from "./secrets.ts";

/**
 * What the storage of a site looks like, as data. `setup`, `doctor`, retention, backup and the export or erasure of
 * a person work from such a declaration and know no site by name.
 */
export interface Declaration {
  /** Of the site; for messages. */
  readonly name: string;
  readonly region: string;
  readonly buckets: readonly BucketDeclaration[];
  readonly tables: readonly TableDeclaration[];
  readonly userPool?: UserPoolDeclaration;
  /** Names of the table of the tool's audit trail and of the bucket of its anchors, and how anchors are locked there. */
  readonly trail?: { readonly table: string; readonly bucket: string; readonly lock?: ObjectLockMode };
  /** Everything that is one person's: what an export collects and an erasure removes. */
  readonly owned: readonly Owned[];
  readonly secrets: Secrets;
  readonly retention: readonly RetentionRule[];
  /** Things that a page of the site wants to be there; a check looks, setup never makes them. */
  readonly expected: readonly ExpectedItem[];
}

/** Of S3 Object Lock: who has the right to may end the first early, nobody the second. */
export type ObjectLockMode = "governance" | "compliance";

export interface BucketDeclaration {
  /** How the site's own code calls it; stable where names are configuration. */
  readonly role: string;
  readonly name: string;
  /** `public`: what the policy says may be read by anybody. `private`: nothing, by nobody without credentials. */
  readonly access: "public" | "private";
  readonly publicAccessBlock: PublicAccessBlock;
  /** Statements that must hold; others beside them are left alone. */
  readonly policy: readonly PolicyStatement[];
  readonly lifecycle: readonly LifecycleRule[];
  /** What browsers must be able to do from the site's pages. */
  readonly cors: readonly CorsRule[];
  readonly backedUp: boolean;
  /** What S3 is to list of it by itself. */
  readonly inventory?: InventoryOrder;
  /** The site makes it and sets it up: only backed up, and made anew by a restore where it is lost, closed to the public. */
  readonly keptBy?: "site";
}

export interface PublicAccessBlock {
  readonly blockPublicAcls: boolean;
  readonly ignorePublicAcls: boolean;
  readonly blockPublicPolicy: boolean;
  readonly restrictPublicBuckets: boolean;
}

/** The subset of IAM's policy language in which the declarations are written. */
export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  /** Everybody, or a service of AWS. */
  readonly Principal: "*" | { readonly Service: string };
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** What S3 is to list of a bucket by itself, into files of another bucket of the same region. */
export interface InventoryOrder {
  readonly id: string;
  /** All versions and delete markers, or current objects alone. */
  readonly versions: "All" | "Current";
  readonly frequency: "Daily" | "Weekly";
  readonly format: "CSV" | "ORC" | "Parquet";
  /** Beside bucket and key; of all versions also version, whether it is the latest, whether a delete marker. */
  readonly fields: readonly string[];
  readonly destination: { readonly bucket: string; readonly prefix: string | undefined };
}

export interface LifecycleRule {
  readonly id: string;
  /** What its keys begin with; by default the whole bucket. */
  readonly prefix?: string;
  /** Of the versions that it is for; by default all of them. */
  readonly tag?: { readonly key: string; readonly value: string };
  readonly expireAfterDays?: number;
  readonly abortMultipartAfterDays?: number;
  readonly expireNoncurrentAfterDays?: number;
  /** Removes delete markers under which no version is left. */
  readonly removeExpiredDeleteMarkers?: true;
  /** Objects of at least 128 KB go to Intelligent-Tiering, whose archive tiers stay off: they would break links. */
  readonly intelligentTieringAfterDays?: number;
}

/** What pages of other origins may do in a browser. */
export interface CorsRule {
  readonly id: string;
  /** `*` where the site's own origins are not configured. */
  readonly allowedOrigins: readonly string[];
  readonly allowedMethods: readonly string[];
  readonly allowedHeaders: readonly string[];
  readonly exposedHeaders: readonly string[];
  readonly maxAgeSeconds: number;
}

export interface KeyAttribute {
  readonly name: string;
  readonly type: "S" | "N" | "B";
}

export interface TableKeys {
  readonly partition: KeyAttribute;
  readonly sort?: KeyAttribute;
}

export interface TableIndex {
  readonly name: string;
  readonly keys: TableKeys;
}

/** Units of a provisioned table or index, which AWS scales so that `target` percent of them are in use. */
export interface UnitRange {
  readonly min: number;
  readonly max: number;
  readonly target: number;
}

export interface TableCapacity {
  readonly read: UnitRange;
  readonly write: UnitRange;
}

export interface TableDeclaration {
  readonly role: string;
  readonly name: string;
  /** Of a table that has to be made. */
  readonly keys: TableKeys;
  /** Keys of an existing table that are as right as `keys`: never a reason to make it anew. */
  readonly alsoRight: readonly TableKeys[];
  /** What the one or the other keys mean for people, where a table may have several. */
  readonly consequences?: readonly { readonly keys: TableKeys; readonly text: string }[];
  /** Global indexes, each with all attributes. */
  readonly indexes: readonly TableIndex[];
  /** Attribute with the end of an item's life in epoch seconds. */
  readonly expiryAttribute?: string;
  readonly recoveryDays: number;
  /** Of the table and of each of its indexes; on demand where nothing is said. */
  readonly capacity?: TableCapacity;
  readonly backedUp: boolean;
  /** The table is wanted only beside another (by role) that has these keys. */
  readonly when?: { readonly role: string; readonly keys: TableKeys };
  /** The site makes it, if it has it at all, and looks after its settings: these are none of setup's business. */
  readonly keptBy?: "site";
}

interface UserPoolDeclaration {
  readonly id: string;
  readonly backedUp: boolean;
}

/** Prefixes and templates hold `{userId}` once, where the id stands. */
export type Owned =
  | {
      readonly what: string;
      readonly kind: "objects";
      readonly bucket: string;
      readonly prefix: string;
      /** Of which of the model's people they are, where there are several kinds. */
      readonly subject?: string;
      /** Of the keys below, where other fields stand before the id: the prefix alone finds nothing then. */
      readonly template?: string;
      readonly erasure: "delete";
    }
  | {
      readonly what: string;
      readonly kind: "items";
      readonly table: string;
      /** Attribute that holds the id: the table's partition key, that of `index`, or another, by which a scan finds it. */
      readonly attribute: string;
      /** Where the id is only a part of the attribute: the template of all of it, in which it is `{userId}`. */
      readonly template?: string;
      readonly index?: string;
      /** `keep`: there is a duty to keep it. */
      readonly erasure: "delete" | "keep";
    };

export interface RetentionRule {
  readonly id: string;
  readonly what: string;
  /** Age in days from which the rule acts; a rule that is off is not declared. */
  readonly afterDays?: number;
  /** So many of the newest are kept whatever their age. */
  readonly keepNewest?: number;
  /** Only what no row of another table points at by a foreign key. */
  readonly unreferred?: true;
  readonly action: "purge" | "soft-delete" | "abort-upload" | "expire";
  /** Who carries it out: the tool's retention run, or a rule that setup installs at AWS. */
  readonly by: "run" | "lifecycle" | "ttl";
}

export interface ExpectedItem {
  readonly what: string;
  readonly table: string;
  /** Values of its key attributes, in every shape of the table; those that the table has as keys count. */
  readonly key: Readonly<Record<string, string>>;
  /** The attribute without whose value the site does not see the item, and what happens then. */
  readonly recognisedBy: { readonly attribute: string; readonly value: string; readonly otherwise: string };
  /** Buckets in which the site itself puts such pictures, beside the declared ones. */
  readonly alsoIn: readonly string[];
  /** Attributes with URLs that anybody must be able to read as pictures. */
  readonly pictures: readonly {
    readonly attribute: string;
    readonly what: string;
    readonly isOptional: boolean;
  }[];
  /** The command that makes or mends it. */
  readonly remedy: string;
}

/** `5 to 50 read units at 70 %, 10 to 100 write units at 70 %`. */
export function capacityText({ read, write }: TableCapacity): string {
  const text = ({ min, max, target }: UnitRange, kind: string) =>
    `${min} to ${max} ${kind} units at ${target} %`;
  return `${text(read, "read")}, ${text(write, "write")}`;
}

/** Whether two key schemas have the same attributes, of the same types, in the same places. */
export function sameKeys(one: TableKeys, other: TableKeys): boolean {
  return keysText(one) === keysText(other);
}

/** `userId (S)` or `userId (S) + type (S)`. */
export function keysText(keys: TableKeys): string {
  const parts = keys.sort === undefined ? [keys.partition] : [keys.partition, keys.sort];
  return parts.map(({ name, type }) => `${name} (${type})`).join(" + ");
}
