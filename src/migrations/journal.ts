import { gunzip, gzip } from "node:zlib";
import { promisify } from "node:util";
import { queryItems, type AttributeValue, type Item } from "../aws/dynamodb/items.ts";
import type { TransactStep } from "../aws/dynamodb/transact.ts";
import { isRecord, type JsonObject } from "../model/json.ts";
import type { HeldLock } from "./lock.ts";
import type { ItemChange, JournalRecord, MigrationSite } from "./migration.ts";
import { pick, touched } from "./write-changes.ts";
import { decodeItem, encodeItem } from "./typed-json.ts";

/*
 * The journal of a migration: what the attributes that it touched were before. Nothing else of an item is in it: others may
 * hold what nobody but the site should see. A record is the typed JSON of them and of the change, gzipped, and cut into parts that fit into items of their own: two items of 400 KB and
 * what becomes of them may need five. A record counts only when all its parts are there; nothing is changed before.
 *
 *   id "0003-document-items"   entry "journal#00000002#00017#00"   userId, of (parts), data (gzip)
 *                                             batch    record part
 */

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Below DynamoDB's 400 KB with the names and keys. */
const partBytes = 380_000;
/** Below DynamoDB's 4 MB and 100 steps a transaction, one of which is the lock's. */
const bytesPerWrite = 3_000_000;
const stepsPerWrite = 99;

const prefix = "journal#";

/** A record as it is stored: `record` is undefined for one that never came to be whole, and so was never used. */
export interface StoredRecord {
  readonly batch: number;
  readonly entries: readonly string[];
  readonly record: JournalRecord | undefined;
}

/** Writes the records of one batch, each durable with all its parts when this resolves. A batch is written once. */
export async function writeJournal(
  site: MigrationSite,
  lock: HeldLock,
  { migration, batch, records }: { migration: string; batch: number; records: readonly JournalRecord[] },
): Promise<void> {
  let steps: TransactStep[] = [];
  let bytes = 0;
  const flush = async () => {
    if (steps.length > 0) await lock.write(steps);
    steps = [];
    bytes = 0;
  };
  for (const [at, record] of records.entries()) {
    const data = await compress(JSON.stringify(encodeRecord(record)));
    const count = Math.ceil(data.byteLength / partBytes);
    for (let part = 0; part < count; part++) {
      const slice = data.subarray(part * partBytes, (part + 1) * partBytes);
      if (steps.length === stepsPerWrite || bytes + slice.byteLength > bytesPerWrite) await flush();
      bytes += slice.byteLength;
      steps.push({
        kind: "put",
        table: site.migrationsTable,
        conditions: [{ path: "id", is: "absent" }],
        item: {
          id: { S: migration },
          entry: { S: entryOf(batch, at, part) },
          // Whose data it is: whoever erases a person has to find it.
          userId: { S: record.userId },
          of: { N: String(count) },
          data: { B: slice },
        },
      });
    }
  }
  await flush();
}

/** The number of the newest batch in the journal; 0 without any. */
export async function lastBatch(site: MigrationSite, migration: string): Promise<number> {
  const pages = queryItems(site.aws, {
    ...partitionOf(site, migration),
    sort: { attribute: "entry", beginsWith: { S: prefix } },
    attributes: ["entry"],
    descending: true,
    pageSize: 1,
    consistent: true,
  });
  for await (const [item] of pages) return batchOf(item?.["entry"]?.S ?? "");
  return 0;
}

/** The records of all batches after this one, in the order of writing. A page of them is in memory. */
export async function* recordsAfter(
  site: MigrationSite,
  migration: string,
  batch: number,
): AsyncGenerator<StoredRecord> {
  const from = { S: entryOf(batch + 1, 0, 0) };
  // "~" sorts behind every digit.
  const sort = { attribute: "entry", from, to: { S: `${prefix}~` } };
  yield* wholeRecords(queryItems(site.aws, { ...partitionOf(site, migration), sort, consistent: true }));
}

/** All records, the newest first. */
export async function* recordsBackwards(
  site: MigrationSite,
  migration: string,
): AsyncGenerator<StoredRecord> {
  const sort = { attribute: "entry", beginsWith: { S: prefix } };
  yield* wholeRecords(
    queryItems(site.aws, {
      ...partitionOf(site, migration),
      sort,
      descending: true,
      consistent: true,
    }),
  );
}

/** Takes records out of the journal that are no longer needed. */
export async function forgetRecords(
  site: MigrationSite,
  lock: HeldLock,
  { migration, entries }: { migration: string; entries: readonly string[] },
): Promise<void> {
  for (let start = 0; start < entries.length; start += stepsPerWrite) {
    await lock.write(
      entries.slice(start, start + stepsPerWrite).map((entry) => ({
        kind: "delete",
        table: site.migrationsTable,
        key: { id: { S: migration }, entry: { S: entry } },
      })),
    );
  }
}

function partitionOf({ migrationsTable: table, signal }: MigrationSite, migration: string) {
  return { table, partition: { attribute: "id", value: { S: migration } }, signal };
}

function entryOf(batch: number, record: number, part: number): string {
  const digits = (number: number, length: number) => String(number).padStart(length, "0");
  return `${prefix}${digits(batch, 8)}#${digits(record, 5)}#${digits(part, 2)}`;
}

function batchOf(entry: string): number {
  return Number(entry.slice(prefix.length).split("#")[0]);
}

/** Puts parts together, in whichever direction they come. */
async function* wholeRecords(pages: AsyncIterable<readonly Item[]>): AsyncGenerator<StoredRecord> {
  let parts: Item[] = [];
  for await (const page of pages) {
    for (const item of page) {
      const [first] = parts;
      if (first !== undefined && recordName(first) !== recordName(item)) {
        yield await recordOf(parts);
        parts = [];
      }
      parts.push(item);
    }
  }
  if (parts.length > 0) yield await recordOf(parts);
}

function recordName(part: Item): string {
  return (part["entry"]?.S ?? "").replace(/#\d+$/, "");
}

async function recordOf(parts: readonly Item[]): Promise<StoredRecord> {
  const inOrder = parts.toSorted((one, other) => (entryName(one) < entryName(other) ? -1 : 1));
  const entries = inOrder.map(entryName);
  const isWhole = parts.length === Number(parts[0]?.["of"]?.N ?? 0);
  const batch = batchOf(entries[0] ?? "");
  if (!isWhole) return { batch, entries, record: undefined };
  const data = await decompress(Buffer.concat(inOrder.map((part) => part["data"]?.B ?? new Uint8Array())));
  return { batch, entries, record: decodeRecord(JSON.parse(data.toString()) as JsonObject) };
}

function entryName(part: Item): string {
  return part["entry"]?.S ?? "";
}

function encodeRecord({ userId, changes, moves }: JournalRecord): JsonObject {
  return {
    userId,
    changes: changes.map(({ place, before, set, remove }) => ({
      place,
      before: encodeItem(pick(before, touched({ set, remove }))),
      set: encodeItem(set),
      remove,
    })),
    moves,
  };
}

function decodeRecord(json: JsonObject): JournalRecord {
  const changes = Array.isArray(json["changes"]) ? json["changes"].filter(isRecord) : [];
  return {
    userId: String(json["userId"]),
    changes: changes.map((change): ItemChange => ({
      place: change["place"] === "document" ? "document" : "profile",
      before: decodeItem(change["before"] as JsonObject),
      set: decodeItem(change["set"] as JsonObject) as Record<string, AttributeValue>,
      remove: change["remove"] as string[],
    })),
    moves: json["moves"] as JournalRecord["moves"],
  };
}
