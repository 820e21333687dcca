import { shaped } from "./dynalite.ts";
import { dynamodbFault, invalidParameter, validationFault } from "./fault.ts";
import type { Context, TableRecord } from "./tables.ts";
import { findTable, nameOfTable, namedTable, nowSeconds, putRecord } from "./tables.ts";

/*
 * Settings that a table carries and this store only keeps: AWS acts on them in the background. Expired items stay;
 * AWS promises their removal only "within a few days", so no reader may rely on it.
 */

/** What AWS keeps, unless told otherwise; also the most. */
const recoveryDays = 35;
/** A store that keeps no past gives out its present for the time that AWS itself lags behind. */
export const presentSeconds = 300;

interface Named {
  TableName: string;
}

async function change(
  context: Context,
  table: TableRecord,
  changed: (table: TableRecord) => TableRecord,
): Promise<void> {
  await context.database.write([putRecord(changed(table))]);
}

export async function updateTimeToLive(context: Context, input: object): Promise<object> {
  const { TableName, TimeToLiveSpecification: given } = shaped("updateTimeToLive", input) as Named & {
    TimeToLiveSpecification: { AttributeName: string; Enabled: boolean };
  };
  const { AttributeName: attribute, Enabled: enabled } = given;
  return context.database.exclusive(async () => {
    const table = await namedTable(context, nameOfTable(TableName));
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
  const { TableName } = shaped("describeTimeToLive", input) as Named;
  const table = await namedTable(context, nameOfTable(TableName));
  const attribute = table.timeToLive?.attribute;
  return {
    TimeToLiveDescription:
      attribute === undefined
        ? { TimeToLiveStatus: "DISABLED" }
        : { TimeToLiveStatus: "ENABLED", AttributeName: attribute },
  };
}

export async function updateContinuousBackups(context: Context, input: object): Promise<object> {
  const { TableName, PointInTimeRecoverySpecification: given } = shaped(
    "updateContinuousBackups",
    input,
  ) as Named & {
    PointInTimeRecoverySpecification: {
      PointInTimeRecoveryEnabled: boolean;
      RecoveryPeriodInDays?: number;
    };
  };
  return context.database.exclusive(async () => {
    const table = await existing(context, nameOfTable(TableName));
    const { recovery: before, ...rest } = table;
    const days = given.RecoveryPeriodInDays ?? before?.days ?? recoveryDays;
    const sinceSeconds = before?.sinceSeconds ?? nowSeconds(context);
    const changed: TableRecord = given.PointInTimeRecoveryEnabled
      ? { ...rest, recovery: { sinceSeconds, days } }
      : rest;
    await change(context, table, () => changed);
    return { ContinuousBackupsDescription: recoveryOf(context, changed) };
  });
}

export async function describeContinuousBackups(context: Context, input: object): Promise<object> {
  const { TableName } = shaped("describeContinuousBackups", input) as Named;
  const table = await existing(context, nameOfTable(TableName));
  return { ContinuousBackupsDescription: recoveryOf(context, table) };
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
      // No past is kept: see restore.ts.
      EarliestRestorableDateTime: Math.max(recovery.sinceSeconds, now - presentSeconds),
      LatestRestorableDateTime: now,
    },
  };
}

interface Tagged {
  ResourceArn: string;
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

export async function tagResource(context: Context, input: object): Promise<object> {
  const { ResourceArn, Tags: tags } = shaped("tagResource", input) as Tagged & { Tags: Tag[] };
  if (tags.length === 0) throw validationFault("Atleast one Tag needs to be provided as Input.");
  return retag(context, ResourceArn, (before) => ({ ...before, ...tagMap(tags) }));
}

export async function untagResource(context: Context, input: object): Promise<object> {
  const { ResourceArn, TagKeys: removed } = shaped("untagResource", input) as Tagged & { TagKeys: string[] };
  if (removed.length === 0) throw validationFault("Atleast one Tag Key needs to be provided as Input.");
  return retag(context, ResourceArn, (before) =>
    Object.fromEntries(Object.entries(before).filter(([key]) => !removed.includes(key))),
  );
}

async function retag(
  context: Context,
  arn: string,
  changed: (tags: TableRecord["tags"]) => TableRecord["tags"],
): Promise<object> {
  return context.database.exclusive(async () => {
    const table = await tagged(context, arn);
    const tags = changed(table.tags);
    if (Object.keys(tags).length > 50) throw invalidParameter("Too many tags: a table has at most 50");
    await change(context, table, (before) => ({ ...before, tags }));
    return {};
  });
}

/** All at once: 50 tags are one page. */
export async function listTagsOfResource(context: Context, input: object): Promise<object> {
  const { ResourceArn } = shaped("listTagsOfResource", input) as Tagged;
  const { tags } = await tagged(context, ResourceArn);
  return { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
}

async function tagged(context: Context, arn: string): Promise<TableRecord> {
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
