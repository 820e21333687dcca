import {
  type AttributeDefinition,
  CreateTableCommand,
  DescribeTableCommand,
  type KeySchemaElement,
  type ProvisionedThroughput,
  type TableDescription,
  UpdateTableCommand,
  type UpdateTableCommandInput,
} from "@aws-sdk/client-dynamodb";
import { CliError } from "../../errors.ts";
import type { KeyAttribute, TableCapacity, TableIndex, TableKeys } from "../../model/declaration.ts";
import type { Aws } from "../clients.ts";
import { abortable } from "../s3/objects.ts";
import { errorName, isRepeated, type WaitOptions, settling } from "../setting.ts";
import { pause, retry } from "../../retry.ts";

export interface StoredTable {
  /** `ACTIVE`, `CREATING`, `UPDATING`, `DELETING`, ... */
  readonly status: string;
  readonly keys: TableKeys;
  readonly indexes: readonly StoredIndex[];
  readonly billing: "on-demand" | "provisioned";
  readonly deletionProtection: boolean | "unsupported";
}

interface StoredIndex extends TableIndex {
  readonly status: string;
  /** `ALL`, `KEYS_ONLY`, `INCLUDE`. */
  readonly projection: string;
}

/** A table as it is; undefined when there is none. */
export async function readTable(
  aws: Aws,
  table: string,
  signal?: AbortSignal,
): Promise<StoredTable | undefined> {
  const description = await describe(aws, table, signal);
  if (description === undefined) return undefined;
  const types = attributeTypes(description.AttributeDefinitions);
  return {
    status: description.TableStatus ?? "ACTIVE",
    keys: storedKeys(description.KeySchema, types),
    indexes: (description.GlobalSecondaryIndexes ?? []).map((index) => ({
      name: index.IndexName ?? "",
      keys: storedKeys(index.KeySchema, types),
      status: index.IndexStatus ?? "ACTIVE",
      projection: index.Projection?.ProjectionType ?? "ALL",
    })),
    billing: isOnDemand(description) ? "on-demand" : "provisioned",
    deletionProtection: description.DeletionProtectionEnabled ?? "unsupported",
  };
}

async function describe(
  aws: Aws,
  table: string,
  signal?: AbortSignal,
): Promise<TableDescription | undefined> {
  const dynamodb = await aws.dynamodb();
  try {
    const command = new DescribeTableCommand({ TableName: table });
    return (await dynamodb.send(command, abortable(signal))).Table ?? {};
  } catch (error) {
    if (errorName(error) === "ResourceNotFoundException") return undefined;
    throw error;
  }
}

/** A table that was never switched has no summary, but capacity units. */
export function isOnDemand({ BillingModeSummary, ProvisionedThroughput }: TableDescription): boolean {
  const mode = BillingModeSummary?.BillingMode;
  return mode === undefined
    ? (ProvisionedThroughput?.ReadCapacityUnits ?? 0) === 0
    : mode === "PAY_PER_REQUEST";
}

export function attributeTypes(
  definitions: readonly AttributeDefinition[] = [],
): Map<string, KeyAttribute["type"]> {
  return new Map(
    definitions.map(({ AttributeName, AttributeType }) => [AttributeName ?? "", AttributeType ?? "S"]),
  );
}

export function storedKeys(
  schema: readonly KeySchemaElement[] = [],
  types: ReadonlyMap<string, KeyAttribute["type"]>,
): TableKeys {
  const at = (place: "HASH" | "RANGE") => {
    const name = schema.find(({ KeyType }) => KeyType === place)?.AttributeName;
    return name === undefined ? undefined : { name, type: types.get(name) ?? "S" };
  };
  const sort = at("RANGE");
  return { partition: at("HASH") ?? { name: "", type: "S" }, sort };
}

export interface NewTable {
  readonly name: string;
  readonly keys: TableKeys;
  readonly indexes: readonly TableIndex[];
  readonly capacity?: TableCapacity;
}

/** Makes a table, on demand or with the least of its units, and protected from deletion, and waits until it can be used. One being made is fine. */
export async function createTable(aws: Aws, table: NewTable, wait: WaitOptions = {}): Promise<void> {
  const dynamodb = await aws.dynamodb();
  const units = unitsOf(table.capacity);
  const indexes = table.indexes.map((index) => ({ ...indexInput(index), ...units }));
  const input = {
    TableName: table.name,
    KeySchema: keySchema(table.keys),
    AttributeDefinitions: definitions([table.keys, ...table.indexes.map(({ keys }) => keys)]),
    BillingMode: table.capacity === undefined ? ("PAY_PER_REQUEST" as const) : ("PROVISIONED" as const),
    ...units,
    DeletionProtectionEnabled: true,
    // An empty list is refused.
    ...(indexes.length === 0 ? {} : { GlobalSecondaryIndexes: indexes }),
  };
  try {
    await dynamodb.send(new CreateTableCommand(input));
  } catch (error) {
    if (errorName(error) !== "ResourceInUseException") throw error;
  }
  await waitUntilActive(aws, table.name, wait);
}

/** The least units of each; nothing for a table on demand. */
export function unitsOf(capacity: TableCapacity | undefined): {
  ProvisionedThroughput?: ProvisionedThroughput;
} {
  if (capacity === undefined) return {};
  return {
    ProvisionedThroughput: {
      ReadCapacityUnits: capacity.read.min,
      WriteCapacityUnits: capacity.write.min,
    },
  };
}

/** Adds a global index with all attributes and waits until it is filled. DynamoDB makes one at a time. */
export async function addIndex(
  aws: Aws,
  table: string,
  index: TableIndex,
  wait: WaitOptions = {},
): Promise<void> {
  const description = await describe(aws, table);
  const throughput = description?.ProvisionedThroughput;
  const known = description?.AttributeDefinitions ?? [];
  const added = definitions([index.keys]).filter(
    ({ AttributeName }) => !known.some((definition) => definition.AttributeName === AttributeName),
  );
  // On a provisioned table an index needs units of its own: as many as the table has.
  const units =
    description === undefined || isOnDemand(description)
      ? {}
      : {
          ProvisionedThroughput: {
            ReadCapacityUnits: throughput?.ReadCapacityUnits ?? 1,
            WriteCapacityUnits: throughput?.WriteCapacityUnits ?? 1,
          },
        };
  await updateTable(
    aws,
    {
      TableName: table,
      AttributeDefinitions: [...known, ...added],
      GlobalSecondaryIndexUpdates: [{ Create: { ...indexInput(index), ...units } }],
    },
    wait,
    async () => (await readTable(aws, table))?.indexes.some(({ name }) => name === index.name) === true,
  );
}

export async function protectFromDeletion(aws: Aws, table: string, wait: WaitOptions = {}): Promise<void> {
  await updateTable(aws, { TableName: table, DeletionProtectionEnabled: true }, wait);
}

/** DynamoDB takes such a switch a few times in 24 hours at most. */
export async function switchToOnDemand(aws: Aws, table: string, wait: WaitOptions = {}): Promise<void> {
  await updateTable(aws, { TableName: table, BillingMode: "PAY_PER_REQUEST" }, wait);
}

/**
 * Changes a table, and waits until it can be used again.
 * @param isDone whether the change is made: asked where a first attempt, whose answer was lost, may have made it.
 */
export async function updateTable(
  aws: Aws,
  input: UpdateTableCommandInput,
  wait: WaitOptions,
  isDone: () => Promise<boolean> = () => Promise.resolve(false),
): Promise<void> {
  const dynamodb = await aws.dynamodb();
  let wasRepeated = false;
  const busy = (error: unknown) => {
    wasRepeated ||= isRepeated(error);
    return errorName(error) === "ResourceInUseException";
  };
  try {
    await retry(() => dynamodb.send(new UpdateTableCommand(input)), busy, { ...settling, ...wait });
  } catch (error) {
    const isRefused = ["ValidationException", "ResourceInUseException"].includes(errorName(error) ?? "");
    if (!wasRepeated || !isRefused || !(await isDone())) throw error;
  }
  await waitUntilActive(aws, input.TableName ?? "", wait);
}

/**
 * Waits until the table and all its indexes are in use; an index of a large table is filled for minutes.
 * @throws CliError after about half an hour: it goes on at AWS, and a second run finds it.
 */
export async function waitUntilActive(aws: Aws, table: string, wait: WaitOptions): Promise<void> {
  let delayMs = wait.firstDelayMs ?? 500;
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const stored = await readTable(aws, table);
    const states =
      stored === undefined ? ["CREATING"] : [stored.status, ...stored.indexes.map(({ status }) => status)];
    if (states.every((state) => state === "ACTIVE")) return;
    await pause(delayMs, wait.signal);
    delayMs = Math.min(2 * delayMs, 10_000);
  }
  throw new CliError(`table ${table} is still being changed by DynamoDB`, {
    hint: "run the same command again later: it takes up where this one stopped",
  });
}

export function keySchema({ partition, sort }: TableKeys): KeySchemaElement[] {
  const hash = { AttributeName: partition.name, KeyType: "HASH" as const };
  return sort === undefined ? [hash] : [hash, { AttributeName: sort.name, KeyType: "RANGE" as const }];
}

/** Each key attribute once: DynamoDB refuses repeated and unused definitions. */
export function definitions(keys: readonly TableKeys[]): AttributeDefinition[] {
  const attributes = keys.flatMap(({ partition, sort }) =>
    sort === undefined ? [partition] : [partition, sort],
  );
  const byName = new Map(attributes.map(({ name, type }) => [name, type]));
  return Array.from(byName, ([AttributeName, AttributeType]) => ({ AttributeName, AttributeType }));
}

function indexInput({ name, keys }: TableIndex) {
  return { IndexName: name, KeySchema: keySchema(keys), Projection: { ProjectionType: "ALL" as const } };
}
