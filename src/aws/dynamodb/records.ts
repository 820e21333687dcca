import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { isDeepStrictEqual } from "node:util";
import type { JsonObject } from "../../model/json.ts";
import type { Aws } from "../clients.ts";
import { onwards } from "../paging.ts";
import { abortable } from "../s3/objects.ts";
import { cancellationReasons, passingReasons } from "../sdk-retries.ts";
import { errorName, httpStatus } from "../setting.ts";
import type { Item } from "./items.ts";
import { plainIfDamaged, typed } from "./plain.ts";
import { transact, type TransactStep } from "./transact.ts";

/*
 * The tool's own records, as plain objects: the SDK's document client gives them their types. What is the site's stays typed, to
 * the last digit: items.ts.
 */

/** DynamoDB's limit for one TransactWriteItems. */
export const maxTransactionItems = 100;

/** For what is written: what comes back is read in `plain.ts`, which nothing stops. */
async function documents(aws: Aws): Promise<DynamoDBDocumentClient> {
  const [dynamodb, sdk] = await Promise.all([aws.dynamodb(), import("./document-sdk.ts")]);
  return sdk.DynamoDBDocumentClient.from(dynamodb, {
    marshallOptions: { removeUndefinedValues: true },
  });
}

export interface QueryRecords {
  readonly table: string;
  readonly index?: string;
  readonly partition: { readonly attribute: string; readonly value: string };
  /** Narrows by the sort key. */
  readonly sort?: {
    readonly attribute: string;
    readonly from: string | number;
    readonly to: string | number;
  };
  /** Not possible on an index. */
  readonly consistent?: boolean;
  /** Default false: ascending by the sort key. */
  readonly descending?: boolean;
  readonly pageSize?: number;
  readonly signal?: AbortSignal;
}

/**
 * The records of one partition in the order of the sort key, page by page to the end; leave the loop to stop early. The place at
 * which it goes on is sent as it came, and what others damaged comes as it can be read: neither stops anybody.
 */
export async function* queryRecords(aws: Aws, query: QueryRecords): AsyncGenerator<readonly JsonObject[]> {
  const [dynamodb, { QueryCommand }] = await Promise.all([aws.dynamodb(), import("./sdk.ts")]);
  const { partition, sort } = query;
  let start: Item | undefined;
  const onward = onwards<NonNullable<typeof start>>("items");
  do {
    const page = await dynamodb.send(
      new QueryCommand({
        TableName: query.table,
        IndexName: query.index,
        ConsistentRead: query.consistent,
        Limit: query.pageSize,
        ScanIndexForward: query.descending !== true,
        KeyConditionExpression: `#partition = :partition${sort === undefined ? "" : " AND #sort BETWEEN :from AND :to"}`,
        ExpressionAttributeNames: {
          "#partition": partition.attribute,
          ...(sort === undefined ? {} : { "#sort": sort.attribute }),
        },
        ExpressionAttributeValues: {
          ":partition": typed(partition.value),
          ...(sort === undefined ? {} : { ":from": typed(sort.from), ":to": typed(sort.to) }),
        },
        ExclusiveStartKey: start,
      }),
      abortable(query.signal),
    );
    if (page.Items !== undefined && page.Items.length > 0) yield page.Items.map(plainIfDamaged);
    start = onward(page.LastEvaluatedKey);
  } while (start !== undefined);
}

export interface PutNew {
  readonly table: string;
  /** Name of its partition key. */
  readonly partition: string;
  /** At most 100 with the steps beside them, 4 MB in all, with different keys. */
  readonly records: readonly JsonObject[];
  /** What is done in the same call: all of it or nothing. */
  readonly beside?: readonly TransactStep[];
  readonly signal?: AbortSignal;
}

/** `refused`: a condition of what was to be done beside did not hold. */
type PutOutcome = "written" | "taken" | "refused";

/**
 * Puts records where none are yet, all or nothing, in one call; `taken` when one of the places is not free, somebody
 * else is writing there, or a transaction was throttled: look again and try again. Nothing is ever replaced. A first attempt of our own whose answer was lost counts as `written`.
 */
export async function putNew(aws: Aws, put: PutNew): Promise<PutOutcome> {
  const { records, beside = [] } = put;
  const [first, ...others] = records;
  if (first === undefined) return beside.length === 0 ? "written" : putAll(aws, put, beside);
  return others.length + beside.length === 0 ? putOne(aws, put, first) : putAll(aws, put, beside);
}

async function putOne(aws: Aws, put: PutNew, record: JsonObject): Promise<PutOutcome> {
  const [client, { PutCommand }] = await Promise.all([documents(aws), import("./document-sdk.ts")]);
  try {
    await client.send(
      new PutCommand({
        TableName: put.table,
        Item: record,
        ConditionExpression: "attribute_not_exists(#partition)",
        ExpressionAttributeNames: { "#partition": put.partition },
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
      abortable(put.signal),
    );
    return "written";
  } catch (error) {
    if (errorName(error) === "TransactionConflictException" || bringsUnreadable(error)) return "taken";
    if (errorName(error) !== "ConditionalCheckFailedException") throw error;
    // An error brings the item as DynamoDB has it.
    const { Item: there } = error as { readonly Item?: Item };
    return there !== undefined && isDeepStrictEqual(plainIfDamaged(there), defined(record))
      ? "written"
      : "taken";
  }
}

/**
 * Whether an error brings an item that the SDK cannot read: with a field `__proto__` in a map (@smithy/core 3.41), which no record of
 * the tool has.
 */
function bringsUnreadable(error: unknown): boolean {
  return error instanceof TypeError && httpStatus(error) === 400;
}

async function putAll(
  aws: Aws,
  { table, partition, records, signal }: PutNew,
  beside: readonly TransactStep[],
): Promise<PutOutcome> {
  const puts = records.map((record): TransactStep => {
    const { M: item = {} } = typed(record);
    return { kind: "put", table, item, conditions: [{ path: partition, is: "absent" }] };
  });
  try {
    const refusal = await transact(aws, [...beside, ...puts], signal);
    if (refusal === undefined) return "written";
    return refusal.refused.some((at) => at < beside.length) ? "refused" : "taken";
  } catch (error) {
    if (!passes(error)) throw error;
    return "taken";
  }
}

/** The client repeats what was cancelled for such reasons; what is left then was busy all the time. */
function passes(error: unknown): boolean {
  const reasons = cancellationReasons(error);
  return reasons.length > 0 && reasons.every((reason) => passingReasons.has(reason));
}

/**
 * Asks whether the caller may put records, without writing one: a put whose condition cannot hold. IAM is asked before
 * the condition, so a refusal is thrown, and a table that does not exist, too.
 */
export async function assertMayPut(
  aws: Aws,
  { table, partition, key }: { table: string; partition: string; key: JsonObject },
): Promise<void> {
  const [client, { PutCommand }] = await Promise.all([documents(aws), import("./document-sdk.ts")]);
  try {
    await client.send(
      new PutCommand({
        TableName: table,
        Item: key,
        ConditionExpression: "attribute_exists(#partition) AND attribute_not_exists(#partition)",
        ExpressionAttributeNames: { "#partition": partition },
      }),
    );
  } catch (error) {
    if (errorName(error) !== "ConditionalCheckFailedException") throw error;
  }
}

/** As it comes back: what is undefined is not stored. */
function defined(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}
