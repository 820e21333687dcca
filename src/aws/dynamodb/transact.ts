import type { TransactWriteItem } from "@aws-sdk/client-dynamodb";
import type { Aws } from "../clients.ts";
import { updateExpressions, type Change, type Condition } from "./expressions.ts";
import type { Item } from "./items.ts";
import { abortable } from "../s3/objects.ts";
import { errorName } from "../setting.ts";
import { jitter, whileBusy } from "../throttling.ts";

/** One step of a transaction; all conditions must hold. Two steps may not be of the same item. */
export type TransactStep = { readonly table: string; readonly conditions?: readonly Condition[] } & (
  | { readonly kind: "put"; readonly item: Item }
  | { readonly kind: "update"; readonly key: Item; readonly change: Change }
  | { readonly kind: "delete"; readonly key: Item }
  | { readonly kind: "check"; readonly key: Item }
);

/** Undefined when all was done; else nothing was, and these steps (by their place) had a condition that did not hold. */
export type Refusal = undefined | { readonly refused: readonly number[] };

const attempts = 10;
/** Reasons that pass by themselves. The SDK does not repeat a cancelled transaction. */
const passing = new Set(["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]);

/**
 * Does all steps or none, in one call: at most 100 steps, 4 MB in all. Conflicts with others and throttling are waited
 * for. The SDK sends a token along, so that a call whose answer was lost is not done twice.
 */
export async function transact(
  aws: Aws,
  steps: readonly TransactStep[],
  signal?: AbortSignal,
): Promise<Refusal> {
  const [dynamodb, { TransactWriteItemsCommand }] = await Promise.all([aws.dynamodb(), import("./sdk.ts")]);
  for (let attempt = 1; ; attempt++) {
    const command = new TransactWriteItemsCommand({ TransactItems: steps.map(inputOf) });
    try {
      await whileBusy(() => dynamodb.send(command, abortable(signal)), signal);
      return undefined;
    } catch (error) {
      const codes = cancellationCodes(error);
      const refused = codes.flatMap((code, at) => (code === "ConditionalCheckFailed" ? [at] : []));
      if (refused.length > 0) return { refused };
      const passes = codes.length > 0 && codes.every((code) => code === "None" || passing.has(code));
      if (!passes || attempt === attempts) throw error;
      await jitter(attempt, signal);
    }
  }
}

function cancellationCodes(error: unknown): string[] {
  if (errorName(error) !== "TransactionCanceledException") return [];
  const { CancellationReasons: reasons = [] } = error as { CancellationReasons?: { Code?: string }[] };
  return reasons.map(({ Code = "None" }) => Code);
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
