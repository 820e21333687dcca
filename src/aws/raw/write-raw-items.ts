import type { JsonObject } from "../../model/json.ts";
import type { Aws } from "../clients.ts";
import { sendText } from "./send-text.ts";
import { backOff } from "../../retry.ts";
import { errorName, isBusy } from "../setting.ts";

/** DynamoDB's limits of one BatchWriteItem; the bytes leave room for what stands around the items. */
const itemsPerCall = 25;
const bytesPerCall = 15 * 1024 ** 2;
const callsAtOnce = 8;
/** Calls in a row for the same items that bring none of them further; with full jitter up to 5 s each about two minutes. */
const fruitlessCalls = 50;

export interface WriteRawItems {
  readonly table: string;
  /** In DynamoDB's typed JSON, in batches; no key twice. */
  readonly items: AsyncIterable<readonly JsonObject[]>;
  /** Is told of items that are written. */
  readonly onWritten?: ((items: number) => void) | undefined;
  readonly onLeft: (left: LeftItem) => void;
  /** Calls in a row that bring none of a call's items further, before these are left. Tests shorten it. */
  readonly attempts?: number;
  readonly signal?: AbortSignal;
}

/** An item that could not be written, in DynamoDB's typed JSON. */
export interface LeftItem {
  readonly item: JsonObject;
  readonly why: string;
}

/**
 * Puts items without looking at what is there: for a table that nobody else writes to. Their text is written here and nowhere
 * else, so that no item can be more than an item. 25 a call, several calls at once; at most so many are in memory. What DynamoDB puts off or throttles is sent again,
 * by chance later each time, as long as anything goes forward. What is then left, or refused by itself, is told; other
 * errors (no permission, no such table) end it after what is under way.
 */
export async function writeRawItems(aws: Aws, write: WriteRawItems): Promise<void> {
  const batches = batched(write.items);
  let failed = false;
  const lane = async () => {
    for (;;) {
      if (failed) return;
      const next = await batches.next();
      if (next.done === true) return;
      await writeBatch(aws, write, next.value);
    }
  };
  const lanes = Array.from({ length: callsAtOnce }, () =>
    lane().catch((error: unknown) => {
      failed = true;
      throw error;
    }),
  );
  const failure = (await Promise.allSettled(lanes)).find((each) => each.status === "rejected");
  if (failure === undefined) return;
  await batches.return(undefined);
  throw failure.reason;
}

/** An item, and the same as text. */
interface Written {
  readonly item: JsonObject;
  readonly text: string;
}

/** As many items as go into one call. Calls of `next` while another is under way are answered in their order. */
async function* batched(items: AsyncIterable<readonly JsonObject[]>): AsyncGenerator<Written[]> {
  let batch: Written[] = [];
  let bytes = 0;
  for await (const some of items) {
    for (const item of some) {
      const text = JSON.stringify(item);
      const size = Buffer.byteLength(text);
      if (batch.length === itemsPerCall || (batch.length > 0 && bytes + size > bytesPerCall)) {
        yield batch;
        batch = [];
        bytes = 0;
      }
      batch.push({ item, text });
      bytes += size;
    }
  }
  if (batch.length > 0) yield batch;
}

async function writeBatch(aws: Aws, write: WriteRawItems, batch: readonly Written[]): Promise<void> {
  const attempts = write.attempts ?? fruitlessCalls;
  const tries = backOff({ attempts, signal: write.signal });
  let pending = batch;
  for (;;) {
    let putOff = pending;
    try {
      putOff = await putBatch(aws, write, pending);
    } catch (error) {
      if (errorName(error) === "ValidationException") return writeSingly(aws, write, { pending, error });
      if (!isBusy(error)) throw error;
    }
    const done = pending.length - putOff.length;
    if (done > 0) {
      write.onWritten?.(done);
      tries.advanced();
    }
    if (putOff.length === 0) return;
    if (!(await tries.again())) {
      const why = `DynamoDB put it off ${attempts} times in a row`;
      for (const { item } of putOff) write.onLeft({ item, why });
      return;
    }
    pending = putOff;
  }
}

/** A call is refused as a whole for one item that the table does not take. */
async function writeSingly(
  aws: Aws,
  write: WriteRawItems,
  { pending, error }: { pending: readonly Written[]; error: unknown },
): Promise<void> {
  const [only, ...others] = pending;
  if (only !== undefined && others.length === 0) {
    write.onLeft({ item: only.item, why: error instanceof Error ? error.message : String(error) });
    return;
  }
  for (const one of pending) await writeBatch(aws, write, [one]);
}

/** One call; resolves to the items that DynamoDB put off. */
async function putBatch(
  aws: Aws,
  { table, signal }: WriteRawItems,
  batch: readonly Written[],
): Promise<readonly Written[]> {
  const { BatchWriteItemCommand } = await import("../dynamodb/sdk.ts");
  const puts = batch.map(({ text }) => `{"PutRequest":{"Item":${text}}}`);
  const body = Buffer.from(`{"RequestItems":{${JSON.stringify(table)}:[${puts.join(",")}]}}`);
  const command = new BatchWriteItemCommand({ RequestItems: { [table]: [] } });
  const text = await sendText(aws, command, { body, signal });
  // Nearly always `{"UnprocessedItems":{}}`.
  const answer = JSON.parse(text.toString()) as {
    readonly UnprocessedItems?: Readonly<Record<string, readonly { PutRequest?: { Item?: JsonObject } }[]>>;
  };
  const putOff = answer.UnprocessedItems?.[table] ?? [];
  return putOff.map(({ PutRequest: { Item: item = {} } = {} }) => ({ item, text: JSON.stringify(item) }));
}
