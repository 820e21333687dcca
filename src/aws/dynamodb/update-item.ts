import { isDeepStrictEqual } from "node:util";
import type { Aws } from "../clients.ts";
import { updateExpressions, valueAt, type Change, type Condition } from "./expressions.ts";
import type { Item } from "./items.ts";
import { abortable } from "../s3/objects.ts";
import { isRepeated } from "../setting.ts";

export interface UpdateAttributes extends Change {
  readonly table: string;
  readonly key: Item;
  /** All must hold. Without any, an item that does not exist is made. */
  readonly conditions?: readonly Condition[];
  /** Which item to return: as it is after the change (default) or was before, or none, where it may be large. */
  readonly returns?: "new" | "old" | "none";
  readonly signal?: AbortSignal;
}

export type UpdateOutcome =
  | {
      readonly applied: true;
      readonly item: Item | undefined;
      /** An answer was lost on the way and the SDK sent the change again: an append may have happened twice. */
      readonly isRepeated: boolean;
    }
  /** A condition did not hold; `found` is the item as it stood then, undefined when there was none. */
  | {
      readonly applied: false;
      readonly found: Item | undefined;
      /** Perhaps it was applied after all, by a first attempt whose answer was lost, and `found` is what came of it. */
      readonly isRepeated: boolean;
    };

const returnValues = { new: "ALL_NEW", old: "ALL_OLD", none: "NONE" } as const;

/**
 * Changes the named attributes of one item and leaves every other one as it is; the item is never put as a whole. The change
 * and its conditions are one step: either all of it happens or nothing.
 */
export async function updateAttributes(aws: Aws, update: UpdateAttributes): Promise<UpdateOutcome> {
  const [dynamodb, { UpdateItemCommand }] = await Promise.all([aws.dynamodb(), import("./sdk.ts")]);
  try {
    const answer = await dynamodb.send(
      new UpdateItemCommand({
        TableName: update.table,
        Key: update.key,
        ...updateExpressions(update, update.conditions ?? []),
        ReturnValues: returnValues[update.returns ?? "new"],
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
      abortable(update.signal),
    );
    return { applied: true, item: answer.Attributes, isRepeated: isRepeated(answer) };
  } catch (error) {
    if (!isConditionFailure(error)) throw error;
    if (update.returns !== "old" && isOurOwn(update, error)) {
      return { applied: true, item: error.Item, isRepeated: true };
    }
    return { applied: false, found: error.Item, isRepeated: isRepeated(error) };
  }
}

interface ConditionFailure extends Error {
  readonly Item?: Item;
}

function isConditionFailure(error: unknown): error is ConditionFailure {
  return error instanceof Error && error.name === "ConditionalCheckFailedException";
}

/**
 * When the answer to a write is lost the SDK sends it again, and then its own first attempt makes the condition fail.
 * An item that is already as the change makes it tells so. Not so for appending, where another could have
 * appended the same.
 */
function isOurOwn(update: UpdateAttributes, error: ConditionFailure): boolean {
  const { Item: found } = error;
  if (!isRepeated(error) || found === undefined || (update.append ?? []).length > 0) return false;
  return (
    (update.set ?? []).every(({ path, value }) => isDeepStrictEqual(valueAt(found, path), value)) &&
    (update.remove ?? []).every((path) => valueAt(found, path) === undefined)
  );
}
