import { dynamodbFault, invalidParameter, validationFault } from "./fault.ts";
import type { Context, TableRecord } from "./tables.ts";
import { findTable, nameOfTable, namedTable, nowSeconds, putRecord } from "./tables.ts";

/*
 * Settings that a table carries and this store only keeps: AWS acts on them in the background. Expired items stay;
 * AWS promises their removal only "within a few days", so no reader may rely on it.
 */

const daySeconds = 86_400;
const longestRecoveryDays = 35;

interface Named {
  TableName?: string;
}

/** A parameter that has to be there, as DynamoDB complains about it. */
function needed<T>(value: T | undefined, name: string): T {
  if (value !== undefined && value !== null) return value;
  throw validationFault(
    `1 validation error detected: Value null at '${name}' failed to satisfy constraint: Member must not be null`,
  );
}

async function change(
  context: Context,
  table: TableRecord,
  changed: (table: TableRecord) => TableRecord,
): Promise<void> {
  await context.database.batch([putRecord(changed(table))]);
}

export async function updateTimeToLive(context: Context, input: object): Promise<object> {
  const { TableName, TimeToLiveSpecification: given } = input as Named & {
    TimeToLiveSpecification?: { AttributeName?: string; Enabled?: boolean };
  };
  const name = nameOfTable(needed(TableName, "tableName"));
  const attribute = needed(
    needed(given, "timeToLiveSpecification").AttributeName,
    "timeToLiveSpecification.attributeName",
  );
  const enabled = needed(given?.Enabled, "timeToLiveSpecification.enabled");
  if (attribute === "") throw validationFault("TimeToLiveSpecification.AttributeName must not be empty");
  return context.database.exclusive(async () => {
    const table = await namedTable(context, name);
    const current = table.timeToLive?.attribute;
    if (enabled && current === attribute) throw validationFault("TimeToLive is already enabled");
    if (!enabled && current === undefined) throw validationFault("TimeToLive is already disabled");
    if (current !== undefined && current !== attribute) {
      throw validationFault(
        `TimeToLive is active on a different AttributeName: current AttributeName is ${current}`,
      );
    }
    await change(context, table, ({ timeToLive: _before, ...rest }) =>
      enabled ? { ...rest, timeToLive: { attribute, sinceSeconds: nowSeconds(context) } } : rest,
    );
    return { TimeToLiveSpecification: { AttributeName: attribute, Enabled: enabled } };
  });
}

export async function describeTimeToLive(context: Context, input: object): Promise<object> {
  const table = await namedTable(context, nameOfTable(needed((input as Named).TableName, "tableName")));
  const attribute = table.timeToLive?.attribute;
  return {
    TimeToLiveDescription:
      attribute === undefined
        ? { TimeToLiveStatus: "DISABLED" }
        : { TimeToLiveStatus: "ENABLED", AttributeName: attribute },
  };
}

export async function updateContinuousBackups(context: Context, input: object): Promise<object> {
  const { TableName, PointInTimeRecoverySpecification: given } = input as Named & {
    PointInTimeRecoverySpecification?: {
      PointInTimeRecoveryEnabled?: boolean;
      RecoveryPeriodInDays?: number;
    };
  };
  const name = nameOfTable(needed(TableName, "tableName"));
  const enabled = needed(
    needed(given, "pointInTimeRecoverySpecification").PointInTimeRecoveryEnabled,
    "pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled",
  );
  const asked = given?.RecoveryPeriodInDays;
  if (asked !== undefined && (!Number.isInteger(asked) || asked < 1 || asked > longestRecoveryDays)) {
    throw validationFault(
      `1 validation error detected: Value '${String(asked)}' at ` +
        "'pointInTimeRecoverySpecification.recoveryPeriodInDays' failed to satisfy constraint: " +
        `Member must have value ${asked < 1 ? "greater than or equal to 1" : `less than or equal to ${String(longestRecoveryDays)}`}`,
    );
  }
  return context.database.exclusive(async () => {
    const table = await existing(context, name);
    const { recovery: before, ...rest } = table;
    const days = asked ?? before?.days ?? longestRecoveryDays;
    const sinceSeconds = before?.sinceSeconds ?? nowSeconds(context);
    const changed: TableRecord = enabled ? { ...rest, recovery: { sinceSeconds, days } } : rest;
    await change(context, table, () => changed);
    return { ContinuousBackupsDescription: recoveryOf(context, changed) };
  });
}

export async function describeContinuousBackups(context: Context, input: object): Promise<object> {
  const name = nameOfTable(needed((input as Named).TableName, "tableName"));
  return { ContinuousBackupsDescription: recoveryOf(context, await existing(context, name)) };
}

/** For backups, DynamoDB has a fault of its own for a table that is not there. */
export async function existing(context: Context, name: string): Promise<TableRecord> {
  const table = await findTable(context, name);
  if (table === undefined) throw dynamodbFault("TableNotFoundException", `Table not found: ${name}`);
  return table;
}

function recoveryOf(context: Context, table: TableRecord): object {
  const { recovery } = table;
  if (recovery === undefined) {
    return {
      ContinuousBackupsStatus: "ENABLED",
      PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: "DISABLED" },
    };
  }
  const now = nowSeconds(context);
  return {
    ContinuousBackupsStatus: "ENABLED",
    PointInTimeRecoveryDescription: {
      PointInTimeRecoveryStatus: "ENABLED",
      RecoveryPeriodInDays: recovery.days,
      EarliestRestorableDateTime: Math.max(recovery.sinceSeconds, now - recovery.days * daySeconds),
      LatestRestorableDateTime: now,
    },
  };
}

interface Tag {
  Key: string;
  Value: string;
}

/** Tags by key. Throws a `Fault` for a key given twice, or with a key or value that is too long. */
export function tagMap(tags: readonly Tag[]): Record<string, string> {
  const map = new Map<string, string>();
  for (const { Key: key, Value: value } of tags) {
    if (map.has(key)) throw invalidParameter("Duplicate tag keys found in the list of tags");
    if (key.length < 1 || key.length > 128 || value.length > 256) {
      throw invalidParameter("a tag's key has 1 to 128 characters, its value at most 256");
    }
    map.set(key, value);
  }
  return Object.fromEntries(map);
}

export function tagResource(context: Context, input: object): Promise<object> {
  const { Tags } = input as { Tags?: Tag[] };
  const tags = needed(Tags, "tags");
  if (tags.length === 0) throw validationFault("Atleast one Tag needs to be provided as Input.");
  return retag(context, input, (before) => ({ ...before, ...tagMap(tags) }));
}

export function untagResource(context: Context, input: object): Promise<object> {
  const { TagKeys } = input as { TagKeys?: string[] };
  const removed = needed(TagKeys, "tagKeys");
  if (removed.length === 0) throw validationFault("Atleast one Tag Key needs to be provided as Input.");
  return retag(context, input, (before) =>
    Object.fromEntries(Object.entries(before).filter(([key]) => !removed.includes(key))),
  );
}

async function retag(
  context: Context,
  input: object,
  changed: (tags: TableRecord["tags"]) => TableRecord["tags"],
): Promise<object> {
  return context.database.exclusive(async () => {
    const table = await tagged(context, input);
    const tags = changed(table.tags);
    if (Object.keys(tags).length > 50) throw invalidParameter("Too many tags: a table has at most 50");
    await change(context, table, (before) => ({ ...before, tags }));
    return {};
  });
}

/** All at once: 50 tags are one page. */
export async function listTagsOfResource(context: Context, input: object): Promise<object> {
  const { tags } = await tagged(context, input);
  return { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
}

async function tagged(context: Context, input: object): Promise<TableRecord> {
  const { ResourceArn } = input as { ResourceArn?: string };
  const arn = needed(ResourceArn, "resourceArn");
  if (!/^arn:aws:dynamodb:[^:]*:\d+:table\/[^/]+/.test(arn)) {
    throw validationFault(`Invalid TableArn: Invalid ResourceArn provided as input ${arn}`);
  }
  const table = await findTable(context, nameOfTable(arn));
  if (table === undefined) {
    throw dynamodbFault(
      "ResourceNotFoundException",
      `Requested resource not found: ResourcArn: ${arn} not found`,
    );
  }
  return table;
}

/** The quotas of a new AWS account. */
export async function describeLimits(): Promise<object> {
  return {
    AccountMaxReadCapacityUnits: 80_000,
    AccountMaxWriteCapacityUnits: 80_000,
    TableMaxReadCapacityUnits: 40_000,
    TableMaxWriteCapacityUnits: 40_000,
  };
}

/** This end itself: a client with endpoint discovery must not be led to AWS. */
export async function describeEndpoints(context: Context): Promise<object> {
  return { Endpoints: [{ Address: context.host, CachePeriodInMinutes: 1440 }] };
}
