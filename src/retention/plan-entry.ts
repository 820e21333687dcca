import * as z from "zod";

/** One version (or delete marker) of an object as it stood when the plan was made. */
const version = z.object({
  /** `null` (the word) in a bucket without versions. */
  version: z.string().min(1),
  etag: z.string(),
  lastModified: z.string(),
  bytes: z.number(),
  deleteMarker: z.literal(true).optional(),
});

const common = {
  rule: z.string(),
  /** Who carries it out without being asked: this tool's runs, a lifecycle rule of S3, DynamoDB's TTL. */
  by: z.enum(["run", "lifecycle", "ttl"]),
  reason: z.string(),
  /** Whose it is; null where the key or item does not tell. */
  userId: z.string().nullable(),
  bytes: z.number(),
  /** In whole days, by the younger of the clocks and times that are known. */
  ageDays: z.number(),
  /** When its time was over, ISO 8601; left out of what is kept, and where a rule has no period. */
  dueAt: z.string().optional(),
};
const object = { bucket: z.string().min(1), key: z.string().min(1), versions: z.array(version) };
const item = { table: z.string().min(1), item: z.record(z.string(), z.union([z.string(), z.number()])) };

/** A document: its entry in the user's item, and the object with all its versions. `keep` is told, never done. */
const documentEntry = z.object({
  kind: z.literal("document"),
  action: z.enum(["purge", "soft-delete", "keep"]),
  ...common,
  ...item,
  documentId: z.string(),
  bucket: z.string().min(1),
  /** Left out when the entry names no object. */
  key: z.string().min(1).optional(),
  versions: z.array(version),
  /** Attributes of the entry that decided; they must still be the same. */
  was: z.record(z.string(), z.unknown()),
});

/** A row of an entity that is one item each, and the file that it names, if any, with all its versions. */
const rowEntry = z.object({
  kind: z.literal("row"),
  action: z.enum(["purge", "soft-delete", "keep", "expire"]),
  ...common,
  ...item,
  /** Names of its entity and of its table's role, in the model. */
  entity: z.string().min(1),
  role: z.string().min(1),
  /** Of what `mawps doc` works with. */
  documentId: z.string().optional(),
  bucket: z.string().min(1).optional(),
  key: z.string().min(1).optional(),
  versions: z.array(version),
  /** Fields that decided; they must still be the same. */
  was: z.record(z.string(), z.unknown()),
});

/**
 * A partition of a table all of whose rows are due: it is archived and dropped. `keep`: some stay, the others go row by row. `put-back`: rows
 * that a killed run has taken out of the table, and not all of which go.
 */
const partitionEntry = z.object({
  kind: z.literal("partition"),
  action: z.enum(["purge", "put-back", "keep"]),
  ...common,
  table: z.string().min(1),
  role: z.string().min(1),
  partition: z.string().min(1),
  rows: z.int().min(0),
  /** The end of its range, ISO 8601; left out where the partition itself is gone. */
  before: z.string().optional(),
});

/** An object by the rule of its entity. */
const objectEntry = z.object({
  kind: z.literal("object"),
  action: z.literal("purge"),
  ...common,
  ...object,
});

const imageEntry = z.object({
  kind: z.literal("image"),
  action: z.literal("purge"),
  ...common,
  ...object,
  /** One for a picture and its variants. */
  picture: z.string(),
});

const versionEntry = z.object({
  kind: z.literal("version"),
  action: z.literal("purge"),
  ...common,
  ...object,
});

const uploadEntry = z.object({
  kind: z.literal("upload"),
  action: z.literal("abort-upload"),
  ...common,
  bucket: z.string().min(1),
  key: z.string().min(1),
  uploadId: z.string().min(1),
  initiated: z.string(),
});

const twinEntry = z.object({
  kind: z.literal("twin-version"),
  action: z.literal("purge"),
  ...common,
  ...item,
  /** Of the item as it was read. */
  sha256: z.string(),
});

/** What DynamoDB removes by itself; only told. */
const auditEntry = z.object({
  kind: z.literal("audit-entry"),
  action: z.literal("expire"),
  ...common,
  ...item,
});

/** One object or item that is due, or kept from it, with what must still hold when the plan is carried out. */
export const planEntrySchema = z.discriminatedUnion("kind", [
  documentEntry,
  rowEntry,
  partitionEntry,
  objectEntry,
  imageEntry,
  versionEntry,
  uploadEntry,
  twinEntry,
  auditEntry,
]);

export type PlannedVersion = z.infer<typeof version>;
export type DocumentDue = z.infer<typeof documentEntry>;
export type RowDue = z.infer<typeof rowEntry>;
export type PartitionDue = z.infer<typeof partitionEntry>;
export type ObjectDue = z.infer<typeof objectEntry>;
export type ImageDue = z.infer<typeof imageEntry>;
export type VersionDue = z.infer<typeof versionEntry>;
export type UploadDue = z.infer<typeof uploadEntry>;
export type TwinVersionDue = z.infer<typeof twinEntry>;
export type PlanEntry = z.infer<typeof planEntrySchema>;

/** What a run does something about: not what is only told. */
export type DueEntry = Exclude<PlanEntry, { kind: "audit-entry" }>;

/** How many things an entry stands for. Pure. */
export function thingsIn(entry: PlanEntry): number {
  return entry.kind === "partition" && entry.action !== "keep" ? entry.rows : 1;
}
