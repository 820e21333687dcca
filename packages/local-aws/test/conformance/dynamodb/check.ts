import {
  type AttributeDefinition,
  type AttributeValue,
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
  DynamoDBClient,
  GetItemCommand,
  paginateQuery,
  paginateScan,
  PutItemCommand,
  type QueryCommandInput,
  type ScalarAttributeType,
  UpdateTableCommand,
  waitUntilTableExists,
  waitUntilTableNotExists,
} from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Account, End, RawAnswer, RawRequest } from "../ends.ts";

/** One fact about DynamoDB, checked by state on whichever end the scope belongs to. */
export interface Check {
  readonly name: string;
  readonly run: (scope: Scope) => Promise<void>;
}

export type Item = Record<string, AttributeValue>;

export type Query = Omit<QueryCommandInput, "TableName">;

/** A table with the partition key `pk` (S), on demand, unless the overrides say otherwise. */
export interface TableShape extends Partial<Omit<CreateTableCommandInput, "TableName">> {
  /** Type of the sort key `sk`; without it the table has none. */
  readonly sort?: ScalarAttributeType;
  /** Definitions beside the table's own keys, for index keys. */
  readonly attributes?: readonly AttributeDefinition[];
}

/** What a check works with. Tables made or named through it are deleted after the check. */
export interface Scope {
  readonly client: DynamoDBClient;
  /** The end's own account. */
  readonly credentials: Account;
  /** A second client on the same end, with this account. */
  readonly connect: (credentials: Account) => DynamoDBClient;
  /** S3 on the same end, where an export goes. */
  readonly s3: () => S3Client;
  /** A request as it is, unsigned. */
  readonly send: (request: RawRequest) => Promise<RawAnswer>;
  /** A name that no table has. */
  readonly newName: () => string;
  /** Makes a table and waits until it can be used. */
  readonly table: (shape?: TableShape) => Promise<string>;
}

/** Runs one check with tables of its own and takes them away again, whatever came of it. */
export async function runCheck(check: Check, end: End): Promise<void> {
  const names: string[] = [];
  const clients: { destroy(): void }[] = [];
  const connect = (credentials: Account) => {
    const client = new DynamoDBClient({
      region: end.region,
      endpoint: end.endpoint,
      credentials,
      requestHandler: end.requestHandler,
    });
    clients.push(client);
    return client;
  };
  const newName = () => {
    const name = `conformance-${randomUUID()}`;
    names.push(name);
    return name;
  };
  const client = connect(end.credentials);
  try {
    await check.run({
      client,
      credentials: end.credentials,
      connect,
      s3() {
        const s3 = new S3Client({
          region: end.region,
          endpoint: end.s3?.endpoint ?? end.endpoint,
          credentials: end.credentials,
          forcePathStyle: true,
          ...(end.s3?.requestHandler === undefined ? {} : { requestHandler: end.s3.requestHandler }),
        });
        clients.push(s3);
        return s3;
      },
      newName,
      send: (request) => end.send(request),
      async table(shape = {}) {
        const name = newName();
        await client.send(new CreateTableCommand(createInput(name, shape)));
        await untilActive(client, name);
        return name;
      },
    });
  } finally {
    await Promise.all(names.map((name) => removeTable(client, name)));
    for (const opened of clients) opened.destroy();
  }
}

async function removeTable(client: DynamoDBClient, name: string): Promise<void> {
  try {
    await client.send(new DeleteTableCommand({ TableName: name }));
  } catch (error) {
    if (!(error instanceof Error) || error.name === "ResourceNotFoundException") return;
    try {
      await untilActive(client, name);
      await client.send(new UpdateTableCommand({ TableName: name, DeletionProtectionEnabled: false }));
      await untilActive(client, name);
      await client.send(new DeleteTableCommand({ TableName: name }));
    } catch {
      // A table that stays is named "conformance-…" and seen by whoever owns the account; it must not hide the check's result.
    }
  }
}

export function createInput(name: string, shape: TableShape = {}): CreateTableCommandInput {
  const { sort, attributes = [], ...rest } = shape;
  return {
    TableName: name,
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: [
      { AttributeName: "pk", KeyType: "HASH" },
      ...(sort === undefined ? [] : [{ AttributeName: "sk", KeyType: "RANGE" } as const]),
    ],
    AttributeDefinitions: [
      { AttributeName: "pk", AttributeType: "S" },
      ...(sort === undefined ? [] : [{ AttributeName: "sk", AttributeType: sort }]),
      ...attributes,
    ],
    ...rest,
  };
}

/** AWS takes some seconds for a table, local servers none. */
export async function untilActive(client: DynamoDBClient, name: string): Promise<void> {
  await waitUntilTableExists({ client, minDelay: 0.05, maxDelay: 2, maxWaitTime: 300 }, { TableName: name });
}

export async function untilGone(client: DynamoDBClient, name: string): Promise<void> {
  await waitUntilTableNotExists(
    { client, minDelay: 0.05, maxDelay: 2, maxWaitTime: 300 },
    { TableName: name },
  );
}

/**
 * Reads again until the value is accepted, and gives the last one: global indexes, tags and backups follow with a
 * delay, on AWS by seconds.
 */
export async function eventually<T>(
  read: () => Promise<T>,
  accept: (value: T) => boolean,
  patienceMs = 10_000,
): Promise<T> {
  const until = performance.now() + patienceMs;
  for (let pauseMs = 20; ; pauseMs = Math.min(2000, 2 * pauseMs)) {
    const value = await read();
    if (accept(value) || performance.now() + pauseMs > until) return value;
    await sleep(pauseMs);
  }
}

export async function put(scope: Scope, table: string, ...items: readonly Item[]): Promise<void> {
  for (const item of items) await scope.client.send(new PutItemCommand({ TableName: table, Item: item }));
}

/** The item as it stands now, or undefined. */
export async function get(scope: Scope, table: string, key: Item): Promise<Item | undefined> {
  const { Item: item } = await scope.client.send(
    new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }),
  );
  return item;
}

/** Every item that a query finds, page by page. */
export async function allByQuery(scope: Scope, TableName: string, query: Query): Promise<Item[]> {
  const items: Item[] = [];
  const pages = paginateQuery({ client: scope.client }, { TableName, ConsistentRead: true, ...query });
  for await (const page of pages) items.push(...(page.Items ?? []));
  return items;
}

/** Every item of a table. */
export async function allByScan(scope: Scope, TableName: string): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of paginateScan({ client: scope.client }, { TableName, ConsistentRead: true }))
    items.push(...(page.Items ?? []));
  return items;
}

/** What an SDK error says about a refusal. */
export interface Refusal extends Error {
  readonly $metadata: { readonly httpStatusCode?: number; readonly requestId?: string };
}

/** Expects the service (not the client) to refuse with this error and, where it is given, a message like this. */
export async function refused(call: Promise<unknown>, name: string, message?: RegExp): Promise<Refusal> {
  let caught: unknown;
  try {
    await call;
  } catch (error) {
    caught = error;
  }
  if (!(caught instanceof Error)) throw new Error(`expected ${name}, but the call succeeded`);
  expect(caught.name).toBe(name);
  if (message !== undefined) expect(caught.message).toMatch(message);
  return caught as Refusal;
}

/** Sets have no order: sorted, at any depth, so that they can be compared. */
export function inOrder(item: Item | undefined): unknown {
  return item === undefined
    ? undefined
    : Object.fromEntries(Object.entries(item).map(([name, value]) => [name, sortSets(value)]));
}

function sortSets(value: AttributeValue): unknown {
  if (value.SS !== undefined) return { SS: value.SS.toSorted() };
  if (value.NS !== undefined) return { NS: value.NS.toSorted() };
  if (value.BS !== undefined)
    return { BS: value.BS.map((bytes) => Buffer.from(bytes).toString("hex")).toSorted() };
  if (value.B !== undefined) return { B: Buffer.from(value.B).toString("hex") };
  if (value.L !== undefined) return { L: value.L.map((element) => sortSets(element)) };
  if (value.M !== undefined) return { M: inOrder(value.M) };
  return value;
}

export const text = (value: string): AttributeValue => ({ S: value });
export const number = (value: number | string): AttributeValue => ({ N: String(value) });

/** One spelling of a decimal number: sign, digits without zeros at the ends, exponent. Exact. */
export function scientific(value = ""): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(value) ?? [];
  const digits = whole + fraction;
  const significant = digits.replace(/^0+/, "");
  const power = Number(exponent) + whole.length - (digits.length - significant.length);
  return `${sign === "-" ? "-" : ""}0.${significant.replace(/0+$/, "")}e${power}`;
}
