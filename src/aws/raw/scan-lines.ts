import { ScanCommand } from "@aws-sdk/client-dynamodb";
import { answerText } from "./answer-text.ts";
import type { Aws } from "../clients.ts";
import type { Item } from "../dynamodb/items.ts";
import { abortable } from "../s3/objects.ts";
import { splitPage } from "./page-items.ts";
import { onwards } from "../paging.ts";

export interface ScanLines {
  readonly table: string;
  readonly segment: number;
  readonly segments: number;
  /** Where an earlier scan of the same segment stopped. */
  readonly start?: Item;
  /** Capacity units of each page, as DynamoDB tells them. */
  readonly onConsumed?: ((units: number) => void) | undefined;
  /** Waited for before each page. */
  readonly beforePage?: (() => Promise<void>) | undefined;
  readonly signal?: AbortSignal;
}

export interface PageLines {
  /** `{"Item":…}` and a newline for each item. */
  readonly lines: Buffer;
  readonly count: number;
  /** Where the segment goes on; absent on its last page. */
  readonly next?: Item;
}

/**
 * A segment of a table, page by page, each item in the very text that DynamoDB answered: no digit, byte or order of attributes can
 * change on the way, and nothing is parsed that need not be. Reads are eventually consistent.
 */
export async function* scanLines(aws: Aws, scan: ScanLines): AsyncGenerator<PageLines> {
  const dynamodb = await aws.dynamodb();
  let start = scan.start;
  const onward = onwards<NonNullable<typeof start>>("items");
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
    start = onward(page.next);
    yield { lines: page.lines, count: page.count, next: page.next };
  } while (start !== undefined);
}
