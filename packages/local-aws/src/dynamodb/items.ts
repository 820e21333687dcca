import { validated, actionOf, runAction, limits, project } from "./dynalite.ts";
import type { Path } from "./conditions.ts";
import { validationFault } from "./fault.ts";
import type { Context } from "./tables.ts";
import { nameOfTable, tableOf } from "./tables.ts";
import type { Item } from "./values.ts";
import { itemSizeBytes } from "./values.ts";
import type { Change, WriteInput, WriteOperation } from "./writes.ts";
import { commit, keyOf, plan, readItem } from "./writes.ts";

/** A BatchGetItem answers with at most 16 MB; the rest comes back as unprocessed. */
const batchGetLimitBytes = 16 * 1024 * 1024;

interface GetInput {
  TableName: string;
  Key: Item;
  ConsistentRead?: boolean;
  ReturnConsumedCapacity?: string;
}

export async function getItem(context: Context, input: object): Promise<object> {
  const data = await validated<GetInput>("getItem", input);
  return get(context, data);
}

async function get(context: Context, data: GetInput): Promise<{ Item?: Item; ConsumedCapacity?: Capacity }> {
  const table = await tableOf(context, nameOfTable(data.TableName));
  const item = await readItem(context, table, keyOf(table, data));
  const store = {
    options: limits,
    getTable: (_name: string, done: (fault: null, found: object) => void) => done(null, table.description),
    getItemDb: () => ({ get: (_key: string, done: (fault: null, found?: Item) => void) => done(null, item) }),
  };
  return runAction(await actionOf("getItem"), store, data);
}

export function putItem(context: Context, input: object): Promise<object> {
  return write(context, "putItem", input);
}

export function updateItem(context: Context, input: object): Promise<object> {
  return write(context, "updateItem", input);
}

export function deleteItem(context: Context, input: object): Promise<object> {
  return write(context, "deleteItem", input);
}

async function write(context: Context, operation: WriteOperation, input: object): Promise<object> {
  const data = await validated<WriteInput>(operation, input);
  if (operation === "deleteItem" && !["NONE", "ALL_OLD"].includes(data.ReturnValues ?? "NONE")) {
    throw validationFault("ReturnValues can only be ALL_OLD or NONE");
  }
  return context.database.exclusive(async () => {
    const table = await tableOf(context, nameOfTable(data.TableName));
    const change = await plan(context, table, { operation, input: data });
    await commit(context, [change]);
    return change.result;
  });
}

interface Capacity {
  CapacityUnits: number;
  TableName: string;
  Table?: { CapacityUnits: number };
}

interface BatchGetInput {
  RequestItems: Record<
    string,
    { Keys: Item[]; ConsistentRead?: boolean; AttributesToGet?: string[]; _projection?: { paths: Path[] } }
  >;
  ReturnConsumedCapacity?: string;
}

export async function batchGetItem(context: Context, input: object): Promise<object> {
  const data = await validated<BatchGetInput>("batchGetItem", input);
  const responses: Record<string, Item[]> = {};
  const unprocessed: Record<string, object> = {};
  const capacities: (Capacity | undefined)[] = [];
  const original = (input as { RequestItems: Record<string, object> }).RequestItems;
  let answeredBytes = 0;
  for (const [tableName, request] of Object.entries(data.RequestItems)) {
    const found: Item[] = [];
    const left: Item[] = [];
    const paths = request._projection?.paths ?? request.AttributesToGet;
    for (const key of request.Keys) {
      if (answeredBytes > batchGetLimitBytes) {
        left.push(key);
        continue;
      }
      const answer = await get(context, {
        TableName: tableName,
        Key: key,
        ...(request.ConsistentRead === undefined ? {} : { ConsistentRead: request.ConsistentRead }),
        ...(data.ReturnConsumedCapacity === undefined
          ? {}
          : { ReturnConsumedCapacity: data.ReturnConsumedCapacity }),
      });
      capacities.push(answer.ConsumedCapacity);
      if (answer.Item === undefined) continue;
      answeredBytes += itemSizeBytes(answer.Item);
      if (answeredBytes > batchGetLimitBytes) left.push(key);
      else found.push(paths === undefined ? answer.Item : project(answer.Item, paths));
    }
    responses[tableName] = found;
    if (left.length > 0) unprocessed[tableName] = { ...original[tableName], Keys: left };
  }
  return { Responses: responses, UnprocessedKeys: unprocessed, ...summed(data, capacities) };
}

interface BatchWriteInput {
  RequestItems: Record<string, { PutRequest?: { Item: Item }; DeleteRequest?: { Key: Item } }[]>;
  ReturnConsumedCapacity?: string;
}

/** Here a batch is written as one, which DynamoDB does not promise. */
export async function batchWriteItem(context: Context, input: object): Promise<object> {
  const data = await validated<BatchWriteInput>("batchWriteItem", input);
  const requests = Object.entries(data.RequestItems).flatMap(([tableName, list]) =>
    list.map((request) => ({ tableName, ...request })),
  );
  if (requests.length > 25) throw validationFault("Too many items requested for the BatchWriteItem call");
  const capacity =
    data.ReturnConsumedCapacity === undefined ? {} : { ReturnConsumedCapacity: data.ReturnConsumedCapacity };
  return context.database.exclusive(async () => {
    const changes: Change[] = [];
    const seen = new Set<string>();
    for (const { tableName, PutRequest, DeleteRequest } of requests) {
      const table = await tableOf(context, nameOfTable(tableName));
      const change =
        PutRequest === undefined
          ? await plan(context, table, {
              operation: "deleteItem",
              input: { TableName: tableName, Key: DeleteRequest?.Key ?? {}, ...capacity },
            })
          : await plan(context, table, {
              operation: "putItem",
              input: { TableName: tableName, Item: PutRequest.Item, ...capacity },
            });
      const place = `${table.description.TableId}~${change.key}`;
      if (seen.has(place)) throw validationFault("Provided list of item keys contains duplicates");
      seen.add(place);
      changes.push(change);
    }
    await commit(context, changes);
    const capacities = changes.map(
      (change) => (change.result as { ConsumedCapacity?: Capacity }).ConsumedCapacity,
    );
    return { UnprocessedItems: {}, ...summed(data, capacities) };
  });
}

/** Capacities of a batch, one entry a table. */
export function summed(
  data: { readonly ReturnConsumedCapacity?: string },
  capacities: readonly (Capacity | undefined)[],
): { ConsumedCapacity?: Capacity[] } {
  const mode = data.ReturnConsumedCapacity ?? "NONE";
  if (mode === "NONE") return {};
  const units = new Map<string, number>();
  for (const capacity of capacities) {
    if (capacity === undefined) continue;
    units.set(capacity.TableName, (units.get(capacity.TableName) ?? 0) + capacity.CapacityUnits);
  }
  const entry = ([TableName, CapacityUnits]: [string, number]) =>
    mode === "INDEXES"
      ? { TableName, CapacityUnits, Table: { CapacityUnits } }
      : { TableName, CapacityUnits };
  return { ConsumedCapacity: [...units].map(entry) };
}
