import { createHash } from "node:crypto";
import type { Path } from "./conditions.ts";
import { under } from "../json-database.ts";
import { project, validated } from "./dynalite.ts";
import { coralFault, dynamodbFault, Fault, faultName, validationFault } from "./fault.ts";
import { summed } from "./items.ts";
import type { Context } from "./tables.ts";
import { nameOfTable, tableOf } from "./tables.ts";
import type { Item } from "./values.ts";
import { itemSizeBytes } from "./values.ts";
import type { Change, WriteInput, WriteOperation } from "./writes.ts";
import { check, commit, keyOf, plan, readItem } from "./writes.ts";

const mostItems = 100;
const tokenLifeMs = 10 * 60_000;
const tokenPrefix = "token~";

interface StoredToken {
  readonly request: string;
  readonly untilMs: number;
}

const kinds = {
  Put: "putItem",
  Update: "updateItem",
  Delete: "deleteItem",
  ConditionCheck: "deleteItem",
} as const satisfies Record<string, WriteOperation>;

interface Step {
  readonly kind: keyof typeof kinds;
  readonly input: WriteInput;
}

/**
 * All writes or none, decided and written as one step. The same ClientRequestToken within ten minutes writes
 * nothing again; with another request it is IdempotentParameterMismatchException.
 */
export async function transactWriteItems(context: Context, input: object): Promise<object> {
  const { TransactItems, ClientRequestToken, ReturnConsumedCapacity } = input as {
    TransactItems?: unknown;
    ClientRequestToken?: string;
    ReturnConsumedCapacity?: string;
  };
  const given = listOf(TransactItems);
  const steps: Step[] = [];
  for (const entry of given) steps.push(await stepOf(entry));
  const request = createHash("sha256").update(JSON.stringify(TransactItems)).digest("base64");
  const capacities = steps.map((step) => ({
    TableName: nameOfTable(step.input.TableName),
    CapacityUnits: 2 * Math.max(1, Math.ceil(itemSizeBytes(step.input.Item ?? {}) / 1024)),
  }));
  const answer = summed({ ReturnConsumedCapacity }, capacities);
  return context.database.exclusive(async () => {
    const tokenKey = ClientRequestToken === undefined ? undefined : tokenPrefix + ClientRequestToken;
    if (tokenKey !== undefined && (await alreadyDone(context, tokenKey, request))) return answer;
    const changes = await planAll(context, steps);
    const token: StoredToken = { request, untilMs: context.now().getTime() + tokenLifeMs };
    await commit(
      context,
      changes,
      tokenKey === undefined ? [] : [{ type: "put", key: tokenKey, value: token }],
    );
    return answer;
  });
}

function listOf(items: unknown): Record<string, object>[] {
  if (items !== undefined && !(Array.isArray(items) && items.every(isRecord))) {
    throw coralFault("SerializationException");
  }
  const length = items?.length ?? 0;
  if (items !== undefined && length >= 1 && length <= mostItems) return items;
  throw validationFault(
    `1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length ${
      length === 0 ? "greater than or equal to 1" : `less than or equal to ${String(mostItems)}`
    }`,
  );
}

/** A structure whose members are structures. */
function isRecord(value: unknown): value is Record<string, object> {
  const isObject = (inner: unknown) => typeof inner === "object" && inner !== null && !Array.isArray(inner);
  return (
    isObject(value) && Object.values(value as object).every((member) => member === null || isObject(member))
  );
}

async function stepOf(entry: Record<string, object>): Promise<Step> {
  const given = Object.keys(kinds).filter((kind) => entry[kind] !== undefined && entry[kind] !== null);
  const [kind, second] = given as (keyof typeof kinds)[];
  const body = kind === undefined ? undefined : entry[kind];
  if (kind === undefined || body === undefined || second !== undefined) {
    throw validationFault("TransactItems can only contain one of Check, Put, Update or Delete");
  }
  const input = await validated<WriteInput>(kinds[kind], body);
  if (kind === "ConditionCheck" && input._condition === undefined) {
    throw validationFault(
      "1 validation error detected: Value null at 'transactItems.1.member.conditionCheck.conditionExpression' " +
        "failed to satisfy constraint: Member must not be null",
    );
  }
  return { kind, input };
}

async function planAll(context: Context, steps: readonly Step[]): Promise<Change[]> {
  const changes: Change[] = [];
  const reasons: object[] = [];
  const seen = new Set<string>();
  for (const { kind, input } of steps) {
    const table = await tableOf(context, nameOfTable(input.TableName));
    try {
      const place = `${table.description.TableId}~${keyOf(table, input)}`;
      if (seen.has(place)) {
        throw validationFault("Transaction request cannot include multiple operations on one item");
      }
      seen.add(place);
    } catch (error) {
      if (error instanceof Fault && error.message.startsWith("Transaction request")) throw error;
      reasons.push(reasonOf(error));
      continue;
    }
    try {
      if (kind === "ConditionCheck") await check(context, table, input);
      else changes.push(await plan(context, table, { operation: kinds[kind], input }));
      reasons.push({ Code: "None" });
    } catch (error) {
      reasons.push(reasonOf(error));
    }
  }
  const codes = reasons.map((reason) => (reason as { Code: string }).Code);
  if (codes.every((code) => code === "None")) return changes;
  throw dynamodbFault(
    "TransactionCanceledException",
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes.join(", ")}]`,
    { CancellationReasons: reasons },
  );
}

/** Why one step stops all of them. Throws what is not DynamoDB's refusal. */
function reasonOf(error: unknown): object {
  if (!(error instanceof Fault)) throw error;
  const name = faultName(error);
  if (name === "ConditionalCheckFailedException") {
    return { Code: "ConditionalCheckFailed", Message: error.message, ...itemOf(error) };
  }
  if (name === "ValidationException") return { Code: "ValidationError", Message: error.message };
  throw error;
}

function itemOf(fault: Fault): object {
  return fault.body["Item"] === undefined ? {} : { Item: fault.body["Item"] };
}

async function alreadyDone(context: Context, tokenKey: string, request: string): Promise<boolean> {
  const now = context.now().getTime();
  const stored = await context.database.get<StoredToken>(tokenKey);
  if (stored === undefined || stored.untilMs <= now) {
    await forgetTokens(context, now);
    return false;
  }
  if (stored.request === request) return true;
  throw dynamodbFault(
    "IdempotentParameterMismatchException",
    "Request parameters do not match the original request for this client request token",
  );
}

const sweepPeriodMs = 60_000;
const sweptAtMs = new WeakMap<object, number>();

/** Drops expired tokens, at most once a minute: the list may be long. */
async function forgetTokens(context: Context, now: number): Promise<void> {
  if (now - (sweptAtMs.get(context.database) ?? 0) < sweepPeriodMs) return;
  sweptAtMs.set(context.database, now);
  const expired: string[] = [];
  for await (const [key, token] of context.database.entries<StoredToken>(under(tokenPrefix))) {
    if (token.untilMs <= now) expired.push(key);
  }
  await context.database.write(expired.map((key) => ({ type: "del", key })));
}

interface GetInput {
  TableName: string;
  Key: Item;
  _projection?: { paths: readonly Path[] };
}

/** All items as they were at one moment. */
export async function transactGetItems(context: Context, input: object): Promise<object> {
  const { TransactItems, ReturnConsumedCapacity } = input as {
    TransactItems?: unknown;
    ReturnConsumedCapacity?: string;
  };
  const gets: GetInput[] = [];
  for (const entry of listOf(TransactItems))
    gets.push(await validated<GetInput>("getItem", entry["Get"] ?? {}));
  return context.database.exclusive(async () => {
    const responses: { Item?: Item }[] = [];
    for (const get of gets) {
      const table = await tableOf(context, nameOfTable(get.TableName));
      const item = await readItem(context, table, keyOf(table, get));
      if (item === undefined) responses.push({});
      else
        responses.push({ Item: get._projection === undefined ? item : project(item, get._projection.paths) });
    }
    const capacities = responses.map((response, index) => ({
      TableName: nameOfTable(gets[index]?.TableName ?? ""),
      CapacityUnits: 2 * Math.max(1, Math.ceil(itemSizeBytes(response.Item ?? {}) / 4096)),
    }));
    return {
      Responses: responses,
      ...summed({ ReturnConsumedCapacity }, capacities),
    };
  });
}
