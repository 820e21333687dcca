import { ScanCommand } from "@aws-sdk/client-dynamodb";
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import type { Aws } from "./clients.ts";
import type { Item } from "./items.ts";
import { abortable } from "./objects.ts";
import { splitPage } from "./page-items.ts";

export interface ScanLines {
  readonly table: string;
  readonly segment: number;
  readonly segments: number;
  /** Where an earlier scan of the same segment stopped. */
  readonly start?: Item | undefined;
  /** Capacity units of each page, as DynamoDB tells them. */
  readonly onConsumed?: ((units: number) => void) | undefined;
  /** Waited for before each page. */
  readonly beforePage?: (() => Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PageLines {
  /** `{"Item":…}` and a newline for each item. */
  readonly lines: Buffer;
  readonly count: number;
  /** Where the segment goes on; absent on its last page. */
  readonly next?: Item | undefined;
}

/**
 * A segment of a table, page by page, each item in the very text that DynamoDB answered: no digit, byte or order of attributes can
 * change on the way, and nothing is parsed that need not be. Reads are eventually consistent.
 */
export async function* scanLines(aws: Aws, scan: ScanLines): AsyncGenerator<PageLines> {
  const dynamodb = await aws.dynamodb();
  let start = scan.start;
  do {
    await scan.beforePage?.();
    const command = new ScanCommand({
      TableName: scan.table,
      ...(scan.segments === 1 ? {} : { Segment: scan.segment, TotalSegments: scan.segments }),
      ExclusiveStartKey: start,
      ReturnConsumedCapacity: "TOTAL",
    });
    const answered = answerText(command);
    await dynamodb.send(command, abortable(scan.signal));
    const page = splitPage(answered());
    const units = page.consumed["CapacityUnits"];
    if (typeof units === "number") scan.onConsumed?.(units);
    start = page.next;
    yield { lines: page.lines, count: page.count, next: page.next };
  } while (start !== undefined);
}

/** Takes the answer's bytes and leaves the SDK an empty one; errors stay the SDK's. */
function answerText(command: ScanCommand): () => Buffer {
  let text: Buffer = Buffer.alloc(0);
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as {
        statusCode: number;
        headers: Record<string, string>;
        body: AsyncIterable<Uint8Array>;
      };
      if (response.statusCode !== 200) return result;
      const chunks: Uint8Array[] = [];
      for await (const chunk of response.body) chunks.push(chunk);
      text = Buffer.concat(chunks);
      assertWhole(text, response.headers["x-amz-crc32"]);
      response.body = Readable.from([Buffer.from("{}")]);
      return result;
    },
    { step: "deserialize", name: "answerText", priority: "low" },
  );
  return () => text;
}

/** DynamoDB sends the CRC32 of every answer. One that does not fit is asked for again, as any passing fault. */
function assertWhole(bytes: Buffer, expected: string | undefined): void {
  if (expected === undefined || crc32(bytes) === Number(expected)) return;
  throw Object.assign(new Error("an answer of DynamoDB was changed on its way"), { $retryable: {} });
}
