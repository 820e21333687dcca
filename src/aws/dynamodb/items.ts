import type { AttributeValue, ConsumedCapacity, ScanCommandOutput } from "@aws-sdk/client-dynamodb";
import { stoppable } from "../../concurrency.ts";
import { CliError } from "../../errors.ts";
import {
  describeKeys,
  knownShapes,
  shapeOfKeys,
  type KeyPart,
  type TableShape,
} from "../../model/table-shape.ts";
import { answerText } from "../raw/answer-text.ts";
import type { Aws } from "../clients.ts";
import { projection } from "./expressions.ts";
import { abortable } from "../s3/objects.ts";
import { onwards } from "../paging.ts";

/** An item in DynamoDB's own typed form: 38-digit numbers, sets and binary survive. */
export type Item = Record<string, AttributeValue>;
export type { AttributeValue };

/** Capacity units that a call used. */
type OnConsumed = (units: number) => void;

/**
 * The shape of a table, by DescribeTable. The answer does not change while a table lives: ask once per run. A table with
 * any other key schema is refused with CliError, before anything is read from it.
 */
export async function tableShape(aws: Aws, table: string, signal?: AbortSignal): Promise<TableShape> {
  const [dynamodb, { DescribeTableCommand }] = await Promise.all([aws.dynamodb(), import("./sdk.ts")]);
  const answer = await dynamodb.send(new DescribeTableCommand({ TableName: table }), abortable(signal));
  const keys = (answer.Table?.KeySchema ?? []).map((key): KeyPart => ({
    attribute: key.AttributeName ?? "",
    role: key.KeyType === "RANGE" ? "RANGE" : "HASH",
  }));
  const shape = shapeOfKeys(keys);
  if (shape === undefined) {
    throw new CliError(`table ${table} has ${describeKeys(keys)}`, {
      hint: `Understood are: ${knownShapes}.`,
    });
  }
  return shape;
}

export interface GetItem {
  readonly table: string;
  readonly key: Item;
  /** Names of top-level attributes; default all. */
  readonly attributes?: readonly string[];
  readonly onConsumed?: OnConsumed;
  readonly signal?: AbortSignal;
}

/** One item as it stands now (a consistent read); undefined when there is none. */
export async function getItem(aws: Aws, get: GetItem): Promise<Item | undefined> {
  const [dynamodb, { GetItemCommand }] = await Promise.all([aws.dynamodb(), import("./sdk.ts")]);
  const answer = await dynamodb.send(
    new GetItemCommand({
      TableName: get.table,
      Key: get.key,
      ConsistentRead: true,
      ...projection(get.attributes),
      ReturnConsumedCapacity: get.onConsumed && "TOTAL",
    }),
    abortable(get.signal),
  );
  report(get.onConsumed, answer.ConsumedCapacity);
  return answer.Item;
}

interface Read {
  readonly table: string;
  readonly index?: string;
  /** Names of top-level attributes; default all. */
  readonly attributes?: readonly string[];
  /** Not possible on a global index. Default false: it costs twice. */
  readonly consistent?: boolean;
  /** Items looked at for one page; default as many as fit into 1 MB. */
  readonly pageSize?: number;
  readonly onConsumed?: OnConsumed;
  readonly signal?: AbortSignal;
}

export interface QueryItems extends Read {
  readonly partition: { readonly attribute: string; readonly value: AttributeValue };
  /** Narrows by the sort key. */
  readonly sort?: SortCondition;
  /** All attributes also by an index; refused where it holds some of them alone (`isPartOnly`). */
  readonly whole?: boolean;
  /** Default false: ascending by the sort key. */
  readonly descending?: boolean;
}

type SortCondition =
  | { readonly attribute: string; readonly equals: AttributeValue }
  | { readonly attribute: string; readonly beginsWith: AttributeValue }
  | { readonly attribute: string; readonly from: AttributeValue; readonly to: AttributeValue };

/** The items of one partition in the order of the sort key, page by page to the end; leave the loop to stop early. */
export async function* queryItems(aws: Aws, query: QueryItems): AsyncGenerator<readonly Item[]> {
  const [dynamodb, { QueryCommand }] = await Promise.all([aws.dynamodb(), import("./sdk.ts")]);
  const sort = sortExpression(query.sort);
  const shown = projection(query.attributes);
  let start: Item | undefined;
  const onward = onwards<NonNullable<typeof start>>("items");
  do {
    const page = await dynamodb.send(
      new QueryCommand({
        ...readInput(query),
        ...shown,
        KeyConditionExpression: `#partition = :partition${sort.expression}`,
        ExpressionAttributeNames: {
          ...shown.ExpressionAttributeNames,
          "#partition": query.partition.attribute,
          ...sort.names,
        },
        ExpressionAttributeValues: { ":partition": query.partition.value, ...sort.values },
        Select: query.whole === true ? "ALL_ATTRIBUTES" : undefined,
        ScanIndexForward: query.descending !== true,
        ExclusiveStartKey: start,
      }),
      abortable(query.signal),
    );
    report(query.onConsumed, page.ConsumedCapacity);
    if (page.Items !== undefined && page.Items.length > 0) yield page.Items;
    start = onward(page.LastEvaluatedKey);
  } while (start !== undefined);
}

export interface ScanItems extends Read {
  /** Read side by side. They pay where the server is the slower end; one process parses some 20,000 items a second. */
  readonly segments?: number;
  /**
   * Items as they were sent: binary stays base64 text. For reading known attributes of very many items; the SDK's own
   * deserialising costs more than all the rest.
   */
  readonly asSent?: boolean;
  /** Key of the item behind which to begin, there or not; for one segment. */
  readonly after?: Item;
}

/**
 * All items of a table, page by page; with several segments in no order. At most one page of each segment is in memory
 * besides the one given. Leaving the loop aborts what is under way.
 */
export async function* scanItems(aws: Aws, scan: ScanItems): AsyncGenerator<readonly Item[]> {
  const segments = scan.segments ?? 1;
  const { signal, stop } = stoppable(scan.signal);
  const pending = new Map<number, Promise<{ segment: number; page: IteratorResult<readonly Item[]> }>>();
  const pages = Array.from({ length: segments }, (_, segment) =>
    scanSegment(aws, { ...scan, signal }, { segment, segments }),
  );
  const ask = (segment: number) => {
    const asked = pages[segment]?.next().then((page) => ({ segment, page }));
    // Of several that fail the first is thrown; the others would count as unhandled.
    asked?.catch(() => undefined);
    if (asked !== undefined) pending.set(segment, asked);
  };
  for (let segment = 0; segment < segments; segment++) ask(segment);
  try {
    while (pending.size > 0) {
      const { segment, page } = await Promise.race(pending.values());
      pending.delete(segment);
      if (page.done === true) continue;
      ask(segment);
      yield page.value;
    }
  } finally {
    stop();
  }
}

async function* scanSegment(
  aws: Aws,
  scan: ScanItems,
  { segment, segments }: { segment: number; segments: number },
): AsyncGenerator<readonly Item[]> {
  const [dynamodb, { ScanCommand }] = await Promise.all([aws.dynamodb(), import("./sdk.ts")]);
  let start = scan.after;
  const onward = onwards<NonNullable<typeof start>>("items");
  do {
    const command = new ScanCommand({
      ...readInput(scan),
      ...projection(scan.attributes),
      ...(segments === 1 ? {} : { Segment: segment, TotalSegments: segments }),
      ExclusiveStartKey: start,
    });
    const sent = scan.asSent === true ? answerText(command) : undefined;
    const answer = await dynamodb.send(command, abortable(scan.signal));
    const page = sent === undefined ? answer : (JSON.parse(sent().toString()) as ScanCommandOutput);
    report(scan.onConsumed, page.ConsumedCapacity);
    if (page.Items !== undefined && page.Items.length > 0) yield page.Items;
    start = onward(page.LastEvaluatedKey);
  } while (start !== undefined);
}

function readInput(read: Read) {
  return {
    TableName: read.table,
    IndexName: read.index,
    ConsistentRead: read.consistent,
    Limit: read.pageSize,
    ReturnConsumedCapacity: read.onConsumed && ("TOTAL" as const),
  };
}

function sortExpression(sort: SortCondition | undefined): {
  expression: string;
  names: Record<string, string>;
  values: Item;
} {
  if (sort === undefined) return { expression: "", names: {}, values: {} };
  const names = { "#sort": sort.attribute };
  if ("equals" in sort) return { expression: " AND #sort = :sort", names, values: { ":sort": sort.equals } };
  if ("beginsWith" in sort) {
    return { expression: " AND begins_with(#sort, :sort)", names, values: { ":sort": sort.beginsWith } };
  }
  const values = { ":from": sort.from, ":to": sort.to };
  return { expression: " AND #sort BETWEEN :from AND :to", names, values };
}

function report(onConsumed: OnConsumed | undefined, consumed: ConsumedCapacity | undefined): void {
  if (consumed?.CapacityUnits !== undefined) onConsumed?.(consumed.CapacityUnits);
}
