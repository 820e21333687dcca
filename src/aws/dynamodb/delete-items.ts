import type { Aws } from "../clients.ts";
import type { Item } from "./items.ts";
import { abortable } from "../s3/objects.ts";
import { backOff } from "../../retry.ts";

/** DynamoDB's limit of one BatchWriteItem. */
const itemsPerCall = 25;

/**
 * Deletes items by their keys, 25 a call, without looking at them. What DynamoDB puts off (UnprocessedItems) is sent
 * again with growing pauses; keys that it puts off to the end are returned. One that is gone already counts as deleted.
 */
export async function deleteItems(
  aws: Aws,
  table: string,
  { keys, signal }: { readonly keys: readonly Item[]; readonly signal?: AbortSignal },
): Promise<readonly Item[]> {
  const [dynamodb, { BatchWriteItemCommand }] = await Promise.all([aws.dynamodb(), import("./sdk.ts")]);
  const left: Item[] = [];
  for (let start = 0; start < keys.length; start += itemsPerCall) {
    let batch = keys.slice(start, start + itemsPerCall);
    const tries = backOff({ signal });
    while (batch.length > 0) {
      const requests = batch.map((Key) => ({ DeleteRequest: { Key } }));
      const answer = await dynamodb.send(
        new BatchWriteItemCommand({ RequestItems: { [table]: requests } }),
        abortable(signal),
      );
      const putOff = answer.UnprocessedItems?.[table] ?? [];
      batch = putOff.map(({ DeleteRequest }) => DeleteRequest?.Key ?? {});
      if (putOff.length < requests.length) tries.advanced();
      if (batch.length > 0 && !(await tries.again())) break;
    }
    left.push(...batch);
  }
  return left;
}
