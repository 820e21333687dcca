import { createHash } from "node:crypto";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { Aws } from "../aws/clients.ts";
import { requestObject, wholeBody } from "../aws/s3/get-object.ts";
import { readInventories, type StoredInventory } from "../aws/s3/inventory.ts";
import { inParallel } from "../concurrency.ts";
import { csvReader } from "./inventory-csv.ts";
import {
  damaged,
  newestInventory,
  UnlikeManifest,
  type Inventory,
  type InventoryFile,
} from "./inventory-manifest.ts";
import type { Walk } from "./listing.ts";
import type { Piece } from "./sums.ts";

/** What an inventory tells of a bucket. */
export interface CountedInventory {
  /** Whose objects it lists. */
  readonly bucket: string;
  readonly id: string;
  readonly asOf: Date;
  readonly format: "CSV" | "Parquet";
  /** Only current objects: old versions and delete markers are not counted. */
  readonly isCurrentOnly: boolean;
  /** Newer inventories that are not complete yet. */
  readonly passedOver: readonly string[];
}

/** A bucket of which no inventory tells what is asked, and why. */
export class NoInventory extends Error {}

/** Files at a time: while one is read, the next one arrives. Of CSV each takes some chunks of memory, of Parquet a row group. */
const atOnce = 2;

/**
 * The same as `walkVersions`, as the newest complete inventory of the bucket tells: no listing, however much lies there. Every file is
 * compared with its MD5 in the manifest. Prefixes are not looked at: an inventory is read as a whole.
 * @throws NoInventory where none is ordered, none is complete, or a field that is needed is not in it.
 * @throws CliError where a file is not what its checksum says: what was handed on until then is not to be told.
 */
export async function walkInventory(aws: Aws, walk: Walk): Promise<CountedInventory> {
  const { bucket, signal } = walk;
  const inventory = await inventoryOf(aws, bucket, signal);
  const lacking = ["Key", "Size", ...walk.needs].filter((field) => !inventory.fields.includes(field));
  if (lacking.length > 0)
    throw new NoInventory(`inventory ${inventory.id} has no field ${lacking.join(" and no ")}`);
  await inParallel(inventory.files, atOnce, async (file) => {
    signal.throwIfAborted();
    await readFile(aws, { inventory, file, walk });
  });
  const { id, asOf, format, fields, passedOver } = inventory;
  return { bucket, id, asOf, format, isCurrentOnly: !fields.includes("IsLatest"), passedOver };
}

/** The newest of all versions, else the newest of current objects. */
async function inventoryOf(aws: Aws, bucket: string, signal: AbortSignal): Promise<Inventory> {
  const orders = await readInventories(aws, bucket, signal);
  if (orders === "unsupported") throw new NoInventory("this server knows no inventories");
  const usable = (orders ?? []).filter(
    ({ isEnabled, filteredBy, format }) => isEnabled && filteredBy === undefined && format !== "ORC",
  );
  if (usable.length === 0)
    throw new NoInventory("no inventory of the whole bucket is ordered as CSV or Parquet");
  for (const versions of ["All", "Current"] as const) {
    const found = await Promise.all(
      usable
        .filter((order: StoredInventory) => order.versions === versions)
        .map((order) => newestInventory(aws, bucket, { order, signal })),
    );
    const [newest] = found
      .filter((each) => each !== undefined)
      .sort((one, other) => other.asOf.getTime() - one.asOf.getTime());
    if (newest !== undefined) return newest;
  }
  throw new NoInventory("an inventory is ordered, but none is complete yet: the first takes up to 48 hours");
}

interface Reading {
  readonly inventory: Inventory;
  readonly file: InventoryFile;
  readonly walk: Pick<Walk, "signal" | "onPieces">;
}

async function readFile(aws: Aws, reading: Reading): Promise<void> {
  const { inventory, file, walk } = reading;
  const what = `${inventory.bucket}/${file.key}`;
  const hash = createHash("md5");
  const get = { bucket: inventory.bucket, key: file.key, signal: walk.signal };
  const answer = await requestObject(aws, get);
  const bytes = summed(wholeBody(aws, get, { answer }), hash);
  const verify = () => {
    if (hash.digest("hex") !== file.md5) throw damaged(what, "its bytes are not what the manifest says");
  };
  try {
    if (inventory.format === "CSV") {
      await readCsv(bytes, inventory.fields, walk.onPieces);
      verify();
    } else await readParquet(bytes, { fields: inventory.fields, verify, onPieces: walk.onPieces });
  } catch (error) {
    if (!isOfBytes(error)) throw error;
    throw Object.assign(damaged(what, error.message), { cause: error });
  }
}

/** How gzip, the decoding of keys and our own readers tell of bytes that are not what they should be. */
function isOfBytes(error: unknown): error is Error {
  if (error instanceof UnlikeManifest || error instanceof URIError) return true;
  return error instanceof Error && "code" in error && String(error.code).startsWith("Z_");
}

async function* summed(
  body: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    hash.update(chunk);
    yield chunk;
  }
}

async function readCsv(
  bytes: AsyncIterable<Uint8Array>,
  fields: readonly string[],
  onPieces: (pieces: readonly Piece[]) => void,
): Promise<void> {
  const reader = csvReader(fields);
  let failure: { readonly error: unknown } | undefined;
  try {
    await pipeline(
      Readable.from(bytes, { highWaterMark: 2 }),
      // Texts of more than 128 KB are made in V8's space for large objects: a tenth as fast.
      createGunzip({ chunkSize: 64 * 1024 }),
      async (chunks: AsyncIterable<Buffer>) => {
        try {
          for await (const chunk of chunks) onPieces(reader.read(chunk));
        } catch (error) {
          failure = { error };
          throw error;
        }
      },
    );
  } catch (error) {
    // A reader that stops ends gunzip first, of which the pipeline tells as an abort.
    throw failure === undefined ? error : failure.error;
  }
  onPieces(reader.end());
}

interface ParquetReading {
  readonly fields: readonly string[];
  readonly verify: () => void;
  readonly onPieces: (pieces: readonly Piece[]) => void;
}

/** Its end has to be read first: it lies in a passing file that only its owner may read. */
async function readParquet(bytes: AsyncIterable<Uint8Array>, reading: ParquetReading): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "mawps-"));
  try {
    const file = await open(join(folder, "inventory.parquet"), "wx+", 0o600);
    try {
      for await (const chunk of bytes) await file.writeFile(chunk);
      reading.verify();
      const { parquetPieces } = await import("./inventory-parquet.ts");
      for await (const pieces of parquetPieces(file, reading.fields)) reading.onPieces(pieces);
    } finally {
      await file.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
