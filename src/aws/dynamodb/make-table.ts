import {
  CreateTableCommand,
  DescribeTableCommand,
  type LocalSecondaryIndex,
  type TableClass,
  UntagResourceCommand,
} from "@aws-sdk/client-dynamodb";
import type { TableKeys } from "../../model/declaration.ts";
import type { Aws } from "../clients.ts";
import type { DescribedTable } from "./table-description.ts";
import { errorName, isRepeated, type WaitOptions, settling } from "../setting.ts";
import { retry } from "../../retry.ts";
import { readSettings } from "./restore-settings.ts";
import { definitions, keySchema, waitUntilActive } from "./table-settings.ts";

/** What only the making of a table can give it. */
export type TableToMake = Pick<
  DescribedTable,
  "keys" | "indexes" | "localIndexes" | "billing" | "class" | "encryption"
> & {
  readonly name: string;
  /** Of the moment in which it is made; the others are written later. */
  readonly tags: Readonly<Record<string, string>>;
};

/**
 * Makes a table as it is described, without protection from deletion, and waits until it can be used. `exists`: somebody else
 * made one of this name; by its tags one is known that was made here, with the answer lost. A KMS key of another region is left out: the table then has the account's own key for DynamoDB.
 */
export async function makeTable(
  aws: Aws,
  table: TableToMake,
  wait: WaitOptions = {},
): Promise<"made" | "exists"> {
  const dynamodb = await aws.dynamodb();
  const { name, keys, indexes, localIndexes, billing, encryption } = table;
  const units =
    billing === "on-demand"
      ? {}
      : {
          ProvisionedThroughput: {
            ReadCapacityUnits: billing.readUnits,
            WriteCapacityUnits: billing.writeUnits,
          },
        };
  const command = new CreateTableCommand({
    TableName: name,
    KeySchema: keySchema(keys),
    AttributeDefinitions: definitions([keys, ...[...indexes, ...localIndexes].map((index) => index.keys)]),
    BillingMode: billing === "on-demand" ? "PAY_PER_REQUEST" : "PROVISIONED",
    ...units,
    // Empty lists are refused.
    ...(indexes.length === 0
      ? {}
      : { GlobalSecondaryIndexes: indexes.map((index) => ({ ...indexOf(index), ...units })) }),
    ...(localIndexes.length === 0 ? {} : { LocalSecondaryIndexes: localIndexes.map(indexOf) }),
    TableClass: table.class as TableClass | undefined,
    ...(encryption?.type === "KMS" ? { SSESpecification: keyFor(aws, encryption.keyArn) } : {}),
    ...(Object.keys(table.tags).length === 0
      ? {}
      : { Tags: Object.entries(table.tags).map(([Key, Value]) => ({ Key, Value })) }),
  });
  try {
    await dynamodb.send(command);
  } catch (error) {
    if (errorName(error) !== "ResourceInUseException") throw error;
    if (!isRepeated(error) || !(await hasTags(aws, table))) return "exists";
  }
  await waitUntilActive(aws, name, wait);
  return "made";
}

async function hasTags(aws: Aws, { name, tags }: TableToMake): Promise<boolean> {
  const found = await readSettings(aws, name);
  const wanted = Object.entries(tags);
  return wanted.length > 0 && wanted.every(([tag, value]) => found?.tags[tag] === value);
}

function indexOf({ name, keys, projection }: DescribedTable["indexes"][number]): LocalSecondaryIndex {
  return {
    IndexName: name,
    KeySchema: keySchema(keys),
    Projection:
      typeof projection === "string"
        ? { ProjectionType: projection }
        : { ProjectionType: "INCLUDE", NonKeyAttributes: [...projection.include] },
  };
}

function keyFor(aws: Aws, keyArn: string | undefined) {
  const isHere = keyArn?.split(":")[3] === aws.region;
  return { Enabled: true, SSEType: "KMS" as const, ...(isHere ? { KMSMasterKeyId: keyArn } : {}) };
}

/** Takes a tag from a table; one that it does not have is no error. */
export async function removeTableTag(
  aws: Aws,
  { table, tag }: { readonly table: string; readonly tag: string },
  wait: WaitOptions = {},
): Promise<void> {
  const dynamodb = await aws.dynamodb();
  const { Table: stored } = await dynamodb.send(new DescribeTableCommand({ TableName: table }));
  const input = { ResourceArn: stored?.TableArn, TagKeys: [tag] };
  const busy = (error: unknown) => errorName(error) === "ResourceInUseException";
  await retry(() => dynamodb.send(new UntagResourceCommand(input)), busy, { ...settling, ...wait });
}

/** Names of the key attributes, the partition's first. */
export function keyNames({ partition, sort }: TableKeys): string[] {
  return sort === undefined ? [partition.name] : [partition.name, sort.name];
}
