import type { TransactWriteItem } from "@aws-sdk/client-dynamodb";
import type { Aws } from "../clients.ts";
import { updateExpressions, type Change, type Condition } from "./expressions.ts";
import type { Item } from "./items.ts";
import { abortable } from "../s3/objects.ts";
import { cancellationReasons } from "../sdk-retries.ts";

/** One step of a transaction; all conditions must hold. Two steps may not be of the same item. */
export type TransactStep = { readonly table: string; readonly conditions?: readonly Condition[] } & (
  | { readonly kind: "put"; readonly item: Item }
  | { readonly kind: "update"; readonly key: Item; readonly change: Change }
  | { readonly kind: "delete"; readonly key: Item }
  | { readonly kind: "check"; readonly key: Item }
);

/** Undefined when all was done; else nothing was, and these steps (by their place) had a condition that did not hold. */
export type Refusal = undefined | { readonly refused: readonly number[] };

/**
 * Does all steps or none, in one call: at most 100 steps, 4 MB in all. Conflicts with others and throttling are waited
 * for by the client. The SDK sends a token along, so that a call whose answer was lost is not done twice.
 */
export async function transact(
  aws: Aws,
  steps: readonly TransactStep[],
  signal?: AbortSignal,
): Promise<Refusal> {
  const [dynamodb, { TransactWriteItemsCommand }] = await Promise.all([aws.dynamodb(), import("./sdk.ts")]);
  try {
    await dynamodb.send(
      new TransactWriteItemsCommand({ TransactItems: steps.map(inputOf) }),
      abortable(signal),
    );
    return undefined;
  } catch (error) {
    const codes = cancellationReasons(error);
    const refused = codes.flatMap((code, at) => (code === "ConditionalCheckFailed" ? [at] : []));
    if (refused.length > 0) return { refused };
    throw error;
  }
}

function inputOf(step: TransactStep): TransactWriteItem {
  const change = step.kind === "update" ? step.change : {};
  const {
    UpdateExpression,
    ConditionExpression = "",
    ...named
  } = updateExpressions(change, step.conditions ?? []);
  const only = ConditionExpression === "" ? {} : { ConditionExpression, ...named };
  switch (step.kind) {
    case "put":
      return { Put: { TableName: step.table, Item: step.item, ...only } };
    case "update":
      return { Update: { TableName: step.table, Key: step.key, UpdateExpression, ...named, ...only } };
    case "delete":
      return { Delete: { TableName: step.table, Key: step.key, ...only } };
    case "check":
      return { ConditionCheck: { TableName: step.table, Key: step.key, ConditionExpression, ...named } };
  }
}
