import type { JsonObject } from "../../model/json.ts";
import type { Aws } from "../clients.ts";
import { sendText } from "./send-text.ts";
import { cancellationReasons, passingReasons } from "../sdk-retries.ts";
import { isBusy } from "../setting.ts";

/** DynamoDB takes 100 items and 4 MB in one TransactWriteItems; this leaves room for what stands around the items. */
export const bytesPerCall = 3.5 * 1024 ** 2;

/** A whole item to be put under a condition. */
export interface ConditionalPut {
  /** In DynamoDB's typed JSON. */
  readonly item: JsonObject;
  /** The item that must stand there, as it was seen, in DynamoDB's typed JSON; undefined: none must be there. */
  readonly over: JsonObject | undefined;
}

export interface PutRawItems {
  readonly table: string;
  /** Name of the partition key. */
  readonly partition: string;
  /** With different keys; at most 100, 3.5 MB in all with what they replace. */
  readonly puts: readonly ConditionalPut[];
  readonly signal?: AbortSignal;
}

/** `written`: all of them. `moved`: none, because one was not as it was seen. `busy`: none, after all repetitions. */
export type PutOutcome = "written" | "moved" | "busy";

/**
 * Puts items as one step, each only where the place is as it was seen: empty, or with every attribute that the item had (an
 * attribute that somebody only added in this moment is not seen). A lost answer does no harm: the repetition
 * carries the same token. One put goes as a transaction too, for that token.
 * @throws the SDK's error for what no repetition changes, such as ValidationException.
 */
export async function putRawItems(aws: Aws, put: PutRawItems): Promise<PutOutcome> {
  const { TransactWriteItemsCommand } = await import("../dynamodb/sdk.ts");
  const { signal } = put;
  const body = bodyOf(put);
  try {
    await sendText(aws, new TransactWriteItemsCommand({ TransactItems: [] }), { body, signal });
    return "written";
  } catch (error) {
    const reasons = cancellationReasons(error);
    if (reasons.includes("ConditionalCheckFailed")) return "moved";
    const isCrowded = reasons.length > 0 && reasons.every((reason) => passingReasons.has(reason));
    if (isCrowded || isBusy(error)) return "busy";
    throw error;
  }
}

/** Written anew from values: no item can be more than an item, or go to another table. */
function bodyOf({ table, partition, puts }: PutRawItems): string {
  const TransactItems = puts.map(({ item, over }) => {
    const { text, names, values } = conditionOf(over, partition);
    return {
      Put: {
        TableName: table,
        Item: item,
        ConditionExpression: text,
        ExpressionAttributeNames: names,
        ExpressionAttributeValues: values,
      },
    };
  });
  return JSON.stringify({ TransactItems, ClientRequestToken: crypto.randomUUID() });
}

/** An expression takes 4 KB and 300 operators: attributes beyond so many are not compared. */
const mostCompared = 120;

function conditionOf(over: JsonObject | undefined, partition: string) {
  if (over === undefined)
    return { text: "attribute_not_exists(#0)", names: { "#0": partition }, values: undefined };
  // What changes with every change comes first.
  const compared = Object.entries(over)
    .toSorted(([one], [other]) => Number(other === "updatedAt") - Number(one === "updatedAt"))
    .slice(0, mostCompared);
  return {
    text: compared.map((_, at) => `#${at}=:${at}`).join(" AND "),
    names: Object.fromEntries(compared.map(([name], at) => [`#${at}`, name])),
    values: Object.fromEntries(compared.map(([, value], at) => [`:${at}`, value])),
  };
}
