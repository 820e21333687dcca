import type { StoredInventory } from "../aws/s3/inventory.ts";
import { CliError, exitCodes } from "../errors.ts";
import type { BucketDeclaration, Declaration, InventoryOrder } from "../model/declaration.ts";
import { tlsOnly } from "../model/declare.ts";
import type { Step } from "./step.ts";

/** Where inventories go, and how often they are made. */
export interface InventoryPlace {
  readonly bucket: string;
  readonly frequency: InventoryOrder["frequency"];
}

const id = "mawps";
const prefix = "mawps-inventory";
/** Some two months of weekly ones: S3 itself never removes any. */
const keptDays = 60;

/** The site as configured, with the inventories of its buckets where they are configured. */
export function inventoried({
  declaration,
  inventory,
}: {
  readonly declaration: Declaration;
  readonly inventory: InventoryPlace | undefined;
}): Declaration {
  return inventory === undefined ? declaration : withInventories(declaration, inventory);
}

/**
 * The site with an inventory of each of its own buckets, and with the bucket that these go to before them: S3 must be let in there first. Pure.
 * @throws CliError (usage) where that is a bucket of the site itself.
 */
export function withInventories(declaration: Declaration, place: InventoryPlace): Declaration {
  const { bucket, frequency } = place;
  if (declaration.buckets.some(({ name }) => name === bucket))
    throw new CliError(`inventory.bucket: ${bucket} is a bucket of the site itself`, {
      exitCode: exitCodes.usage,
      hint: "name one of its own, which `mawps setup` makes",
    });
  const inventory: InventoryOrder = {
    id,
    versions: "All",
    frequency,
    // Read as it comes, and faster than Parquet.
    format: "CSV",
    fields: ["Size", "LastModifiedDate", "StorageClass", "EncryptionStatus"],
    destination: { bucket, prefix },
  };
  const listed = declaration.buckets.map((each) => (each.keptBy === "site" ? each : { ...each, inventory }));
  const sources = declaration.buckets.filter(({ keptBy }) => keptBy !== "site").map(({ name }) => name);
  return { ...declaration, buckets: [destinationOf(bucket, sources), ...listed] };
}

function destinationOf(name: string, sources: readonly string[]): BucketDeclaration {
  return {
    role: "inventories",
    name,
    access: "private",
    publicAccessBlock: {
      blockPublicAcls: true,
      ignorePublicAcls: true,
      blockPublicPolicy: true,
      restrictPublicBuckets: true,
    },
    policy: [
      tlsOnly(name),
      {
        Sid: "MawpsInventories",
        Effect: "Allow",
        Principal: { Service: "s3.amazonaws.com" },
        Action: ["s3:PutObject"],
        Resource: [`arn:aws:s3:::${name}/${prefix}/*`],
        Condition: { ArnLike: { "aws:SourceArn": sources.map((source) => `arn:aws:s3:::${source}`) } },
      },
    ],
    lifecycle: [
      {
        id: "mawps-inventories",
        prefix: `${prefix}/`,
        expireAfterDays: keptDays,
        expireNoncurrentAfterDays: 1,
        abortMultipartAfterDays: 7,
      },
    ],
    cors: [],
    backedUp: false,
  };
}

/**
 * | ordered                                         | step   |
 * |-------------------------------------------------|--------|
 * | under our id, or another as good                | ok     |
 * | nothing under our id                            | add    |
 * | under our id, and otherwise, or not made        | change |
 *
 * Pure. As good is one of the whole bucket with all versions and fields, made at least as often, in a form that is read.
 */
export function inventoryDecision(
  wanted: InventoryOrder,
): (stored: readonly StoredInventory[] | undefined) => Omit<Step, "resource" | "name" | "aspect"> {
  return (stored = []) => {
    const to = inventoryText(wanted);
    if (stored.some((each) => isAsGood(each, wanted))) return { kind: "ok", to };
    const write = { do: "order-inventory", order: wanted } as const;
    const known = stored.find((each) => each.id === wanted.id);
    if (known === undefined) return { kind: "add", to, write };
    return { kind: "change", from: known.isEnabled ? inventoryText(known) : "switched off", to, write };
  };
}

function isAsGood(stored: StoredInventory, wanted: InventoryOrder): boolean {
  const isOurs = stored.id === wanted.id;
  return (
    stored.isEnabled &&
    stored.filteredBy === undefined &&
    stored.versions === "All" &&
    stored.format !== "ORC" &&
    (stored.frequency === wanted.frequency || (!isOurs && stored.frequency === "Daily")) &&
    (!isOurs || stored.destination.bucket === wanted.destination.bucket) &&
    wanted.fields.every((field) => field === "EncryptionStatus" || stored.fields.includes(field))
  );
}

function inventoryText({
  id: name,
  versions,
  frequency,
  format,
  fields,
  destination,
}: InventoryOrder): string {
  const of = versions === "All" ? "all versions" : "current objects";
  return `${name}: ${frequency.toLowerCase()}, ${of} as ${format} with ${fields.join(", ")}, in ${destination.bucket}`;
}
