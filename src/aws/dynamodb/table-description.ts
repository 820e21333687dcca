import type { Projection } from "@aws-sdk/client-dynamodb";
import type { TableKeys } from "../../model/declaration.ts";
import type { Aws } from "../clients.ts";
import { findTable, settingsOf } from "./restore-settings.ts";
import { attributeTypes, isOnDemand, storedKeys } from "./table-settings.ts";

/** All of a table that is not its items. */
export interface DescribedTable {
  readonly keys: TableKeys;
  readonly indexes: readonly DescribedIndex[];
  readonly localIndexes: readonly DescribedIndex[];
  readonly billing: "on-demand" | { readonly readUnits: number; readonly writeUnits: number };
  readonly expiryAttribute?: string;
  readonly recoveryDays?: number;
  readonly deletionProtection: boolean;
  readonly stream?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly class?: string;
  readonly encryption?: { readonly type: string; readonly keyArn?: string };
}

export interface DescribedIndex {
  readonly name: string;
  readonly keys: TableKeys;
  readonly projection: "ALL" | "KEYS_ONLY" | { readonly include: readonly string[] };
}

/** How large a table is and how fast it may be read. */
export interface TableMeasure {
  /** As DynamoDB last counted, some six hours ago at most. */
  readonly items: number;
  readonly bytes: number;
  /** Read units a second that it certainly bears: provisioned ones, or those an on-demand table is warm for. */
  readonly readUnits: number;
  readonly isProvisioned: boolean;
}

/** What an on-demand table bears from the start: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html */
const initialReadUnits = 12_000;

/** Undefined when there is no such table. */
export async function describeTable(
  aws: Aws,
  table: string,
  signal?: AbortSignal,
): Promise<{ description: DescribedTable; measure: TableMeasure } | undefined> {
  const stored = await findTable(aws, table, signal);
  if (stored === undefined) return undefined;
  const settings = await settingsOf(aws, stored, signal);
  const types = attributeTypes(stored.AttributeDefinitions);
  const describe = (index: { IndexName?: string; KeySchema?: never; Projection?: Projection }) => ({
    name: index.IndexName ?? "",
    keys: storedKeys(index.KeySchema, types),
    projection: projectionOf(index.Projection),
  });
  const readUnits = stored.ProvisionedThroughput?.ReadCapacityUnits ?? 0;
  const writeUnits = stored.ProvisionedThroughput?.WriteCapacityUnits ?? 0;
  const tableClass = stored.TableClassSummary?.TableClass;
  const encryption = stored.SSEDescription;
  return {
    description: {
      keys: storedKeys(stored.KeySchema, types),
      indexes: ((stored.GlobalSecondaryIndexes ?? []) as never[]).map(describe),
      localIndexes: ((stored.LocalSecondaryIndexes ?? []) as never[]).map(describe),
      billing: isOnDemand(stored) ? "on-demand" : { readUnits, writeUnits },
      ...settings,
      ...(tableClass === undefined ? {} : { class: tableClass }),
      ...(encryption?.SSEType === undefined
        ? {}
        : {
            encryption: {
              type: encryption.SSEType,
              keyArn: encryption.KMSMasterKeyArn,
            },
          }),
    },
    measure: {
      items: stored.ItemCount ?? 0,
      bytes: stored.TableSizeBytes ?? 0,
      isProvisioned: !isOnDemand(stored),
      readUnits: isOnDemand(stored)
        ? (stored.WarmThroughput?.ReadUnitsPerSecond ?? initialReadUnits)
        : readUnits,
    },
  };
}

function projectionOf(projection: Projection | undefined): DescribedIndex["projection"] {
  const type = projection?.ProjectionType ?? "ALL";
  return type === "INCLUDE" ? { include: projection?.NonKeyAttributes ?? [] } : type;
}
