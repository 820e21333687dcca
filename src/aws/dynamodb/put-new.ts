import { isDeepStrictEqual } from "node:util";
import type { Aws } from "../clients.ts";
import type { Item } from "./items.ts";
import { cancellationReasons } from "../sdk-retries.ts";
import { errorName } from "../setting.ts";

/** DynamoDB's limit for one TransactWriteItems. */
export const maxTransactionItems = 100;

export interface PutNew {
  readonly table: string;
  /** Name of its partition key. */
  readonly partition: string;
  /** At most 100, 4 MB in all, with different keys. */
  readonly items: readonly Item[];
}

/**
 * Puts items where none are yet, all or nothing, in one call; `taken` when one of the places is not free, somebody
 * else is writing there, or a transaction was throttled: look again and try again. Nothing is ever replaced. A first attempt of our own whose answer was lost counts as `written`.
 */
export async function putNew(aws: Aws, put: PutNew): Promise<"written" | "taken"> {
  const [first, ...others] = put.items;
  if (first === undefined) return "written";
  return others.length === 0 ? putOne(aws, put, first) : putAll(aws, put);
}

async function putOne(aws: Aws, put: PutNew, item: Item): Promise<"written" | "taken"> {
  const [dynamodb, { PutItemCommand }] = await Promise.all([aws.dynamodb(), import("./sdk.ts")]);
  try {
    await dynamodb.send(
      new PutItemCommand({
        ...input(put, item),
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
    );
    return "written";
  } catch (error) {
    if (errorName(error) === "TransactionConflictException") return "taken";
    if (errorName(error) !== "ConditionalCheckFailedException") throw error;
    return isDeepStrictEqual((error as { Item?: Item }).Item, item) ? "written" : "taken";
  }
}

/** The SDK sends a token with it, by which DynamoDB knows a repetition of the same call for ten minutes. */
async function putAll(aws: Aws, put: PutNew): Promise<"written" | "taken"> {
  const [dynamodb, { TransactWriteItemsCommand }] = await Promise.all([aws.dynamodb(), import("./sdk.ts")]);
  try {
    await dynamodb.send(
      new TransactWriteItemsCommand({ TransactItems: put.items.map((item) => ({ Put: input(put, item) })) }),
    );
    return "written";
  } catch (error) {
    if (!passes(error)) throw error;
    return "taken";
  }
}

/** A cancelled transaction is repeated by the client unless a condition did not hold; what is left then was busy all the time. */
const passing = new Set([
  "ConditionalCheckFailed",
  "TransactionConflict",
  "ThrottlingError",
  "ProvisionedThroughputExceeded",
]);

function passes(error: unknown): boolean {
  const codes = cancellationReasons(error).filter((code) => code !== "None");
  return codes.length > 0 && codes.every((code) => passing.has(code));
}

/**
 * Asks whether the caller may put items, without writing one: a put whose condition cannot hold. IAM is asked before
 * the condition, so a refusal is thrown, and a table that does not exist, too.
 */
export async function assertMayPut(
  aws: Aws,
  { table, partition, key }: { table: string; partition: string; key: Item },
): Promise<void> {
  const [dynamodb, { PutItemCommand }] = await Promise.all([aws.dynamodb(), import("./sdk.ts")]);
  try {
    await dynamodb.send(
      new PutItemCommand({
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

function input({ table, partition }: PutNew, item: Item) {
  return {
    TableName: table,
    Item: item,
    ConditionExpression: "attribute_not_exists(#partition)",
    ExpressionAttributeNames: { "#partition": partition },
  };
}
