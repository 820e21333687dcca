import { createHash } from "node:crypto";
import * as z from "zod";
import type { Aws } from "../aws/clients.ts";
import type { StoredInventory } from "../aws/s3/inventory.ts";
import { listObjects } from "../aws/s3/listing.ts";
import { getSmallObject } from "../aws/s3/objects.ts";
import { errorName, pagesWhereThere } from "../aws/setting.ts";
import { CliError } from "../errors.ts";

/** A complete inventory of a bucket: what was there at a time, in files. */
export interface Inventory {
  /** Of the configuration that it was made by. */
  readonly id: string;
  readonly asOf: Date;
  /** Bucket in which its files lie. */
  readonly bucket: string;
  readonly format: "CSV" | "Parquet";
  /** Of each line, in order, by their names in CSV: `Key`, `IsLatest`. */
  readonly fields: readonly string[];
  readonly files: readonly InventoryFile[];
  /** Newer ones that are not complete yet, such as `2026-03-01T01-00Z`. */
  readonly passedOver: readonly string[];
}

export interface InventoryFile {
  readonly key: string;
  /** Hexadecimal. */
  readonly md5: string;
}

const manifestSchema = z.object({
  sourceBucket: z.string(),
  creationTimestamp: z.string().regex(/^\d{10,16}$/),
  fileFormat: z.enum(["CSV", "Parquet"]),
  fileSchema: z.string(),
  files: z.array(z.object({ key: z.string(), MD5checksum: z.string().regex(/^[0-9a-f]{32}$/i) })),
});

/** A file of it has some hundred thousand lines, and takes 250 bytes of the manifest. */
const mostManifestBytes = 256 * 1024 ** 2;

/**
 * The newest complete inventory that was made by an order: S3 writes the manifest's checksum last. Undefined where there is none.
 * @throws CliError where the manifest is not what its checksum says, or is none of this bucket.
 */
export async function newestInventory(
  aws: Aws,
  source: string,
  { order, signal }: { readonly order: StoredInventory; readonly signal: AbortSignal },
): Promise<Inventory | undefined> {
  const { bucket, prefix: outer = "" } = order.destination;
  const prefix = [outer, source, order.id, ""].filter((part, at) => at > 0 || part !== "").join("/");
  const times: string[] = [];
  // That the bucket of the inventories is not there says nothing of the one that they are about.
  for await (const { prefixes } of pagesWhereThere(
    listObjects(aws, { bucket, prefix, delimiter: "/", signal }),
  ))
    for (const folder of prefixes) {
      const time = folder.slice(prefix.length, -1);
      if (/^\d{4}-\d\d-\d\dT\d\d-\d\dZ$/.test(time)) times.push(time);
    }
  const passedOver: string[] = [];
  for (const time of times.sort().reverse()) {
    const key = `${prefix}${time}/manifest.json`;
    const checksum = await textOf(aws, { bucket, key: `${prefix}${time}/manifest.checksum`, signal });
    const stored = checksum === undefined ? undefined : await textOf(aws, { bucket, key, signal });
    if (checksum === undefined || stored === undefined) {
      passedOver.push(time);
      continue;
    }
    const { text, writtenAt } = stored;
    if (createHash("md5").update(text).digest("hex") !== checksum.text.trim().toLowerCase())
      throw damaged(`${bucket}/${key}`, "it is not what its checksum says");
    const manifest = manifestIn(text, `${bucket}/${key}`);
    if (manifest.sourceBucket !== source) throw damaged(`${bucket}/${key}`, "it is of another bucket");
    const asOf = new Date(Number(manifest.creationTimestamp));
    // By S3's clock: what is told of a later time was not known then. NaN is no time at all.
    if (!(asOf.getTime() <= (writtenAt?.getTime() ?? Infinity) + dayMs))
      throw damaged(`${bucket}/${key}`, "it is of a later time than it was written");
    if (new Set(manifest.files.map((file) => file.key)).size < manifest.files.length)
      throw damaged(`${bucket}/${key}`, "it names a file twice");
    return {
      id: order.id,
      asOf,
      bucket,
      format: manifest.fileFormat,
      fields: fieldsOf(manifest.fileFormat, manifest.fileSchema),
      files: manifest.files.map(({ key, MD5checksum: md5 }) => ({ key, md5: md5.toLowerCase() })),
      passedOver,
    };
  }
  return undefined;
}

const dayMs = 86_400_000;

/** A size as it was told; of a delete marker none. @throws UnlikeManifest for what is none. */
export function sizeOf(told: unknown): number {
  const bytes = Number(told ?? 0);
  if (Number.isSafeInteger(bytes) && bytes >= 0) return bytes;
  throw new UnlikeManifest("a size is no number of bytes");
}

/** A time as it was told; undefined for what is none. */
export function timeOf(told: string | Date): Date | undefined {
  const at = new Date(told);
  return Number.isNaN(at.getTime()) ? undefined : at;
}

/** For bytes that are not what the manifest says that they are. */
export class UnlikeManifest extends Error {}

/** For an inventory that cannot be believed: nothing is told of it. */
export function damaged(what: string, why: string): CliError {
  return new CliError(`inventory ${what}: ${why}`, {
    hint: "run it again; if it happens again, wait for the next inventory, or list: --engine listing",
  });
}

function manifestIn(text: string, what: string): z.infer<typeof manifestSchema> {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw Object.assign(damaged(what, "it is no manifest of an inventory as CSV or Parquet"), { cause });
  }
}

async function textOf(
  aws: Aws,
  get: { readonly bucket: string; readonly key: string; readonly signal: AbortSignal },
): Promise<{ readonly text: string; readonly writtenAt: Date | undefined } | undefined> {
  try {
    const { bytes, head } = await getSmallObject(aws, { ...get, maxBytes: mostManifestBytes });
    if (bytes === undefined) throw damaged(`${get.bucket}/${get.key}`, "it is larger than manifests are");
    return { text: bytes.toString(), writtenAt: head.lastModified };
  } catch (error) {
    if (errorName(error) === "NoSuchKey") return undefined;
    throw error;
  }
}

/** `Bucket, Key, IsLatest`, or `message s3.inventory { required binary bucket (UTF8); optional boolean is_latest; }`. */
function fieldsOf(format: "CSV" | "Parquet", schema: string): string[] {
  if (format === "CSV") return schema.split(",").map((field) => field.trim());
  return [...schema.matchAll(/\b(?:required|optional)\s+\w+\s+(\w+)/g)].map(([, name = ""]) =>
    name.replace(/(?:^|_)([a-z])/g, (_all, letter: string) => letter.toUpperCase()),
  );
}
