import { isRecord, type JsonObject } from "../../model/json.ts";
import type { Aws } from "../clients.ts";
import { sendText } from "./send-text.ts";
import { backOff } from "../../retry.ts";

/** DynamoDB's limit of one BatchGetItem. */
export const keysPerGet = 100;

export interface GetRawItems {
  readonly table: string;
  /** At most 100, different ones, in DynamoDB's typed JSON. */
  readonly keys: readonly JsonObject[];
  readonly signal?: AbortSignal;
}

/**
 * The items that are there, in no order, by consistent reads, in DynamoDB's typed JSON as it travels: binary is base64 text,
 * no number is touched. What DynamoDB puts off is asked for again.
 * @throws Error when it puts the same keys off again and again.
 */
export async function getRawItems(aws: Aws, get: GetRawItems): Promise<JsonObject[]> {
  const { table, signal } = get;
  const { BatchGetItemCommand } = await import("../dynamodb/sdk.ts");
  const items: JsonObject[] = [];
  let keys = get.keys;
  const tries = backOff({ signal });
  while (keys.length > 0) {
    const body = JSON.stringify({ RequestItems: { [table]: { Keys: keys, ConsistentRead: true } } });
    const command = new BatchGetItemCommand({ RequestItems: { [table]: { Keys: [] } } });
    const text = await sendText(aws, command, { body, signal });
    const answer: unknown = JSON.parse(text.toString());
    const found = listAt(answer, ["Responses", table]);
    const putOff = listAt(answer, ["UnprocessedKeys", table, "Keys"]);
    items.push(...found);
    if (putOff.length === 0) return items;
    if (found.length > 0) tries.advanced();
    if (!(await tries.again()))
      throw new Error(`DynamoDB puts off reading ${putOff.length} items of ${table} again and again`);
    keys = putOff;
  }
  return items;
}

function listAt(answer: unknown, path: readonly string[]): readonly JsonObject[] {
  let at: unknown = answer;
  for (const name of path) at = isRecord(at) ? at[name] : undefined;
  return Array.isArray(at) ? (at as readonly JsonObject[]) : [];
}
