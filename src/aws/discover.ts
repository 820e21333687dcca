import type { Aws } from "./clients.ts";
import { explain } from "./explain/explain.ts";
import { abortable } from "./s3/objects.ts";
import { onwards } from "./paging.ts";

export interface DiscoveredStores {
  readonly buckets: readonly string[];
  readonly tables: readonly string[];
  /** What could not be listed; the lists of the others hold. */
  readonly failures: readonly Failure[];
}

export interface Discovered extends DiscoveredStores {
  /** Ids. */
  readonly userPools: readonly string[];
}

interface Failure {
  readonly what: string;
  readonly why: string;
}

/**
 * Lists what there is in the account and region, side by side. A missing permission for one kind leaves its list empty and
 * is told in `failures`; never taken for "there is none".
 */
export async function discover(aws: Aws, signal?: AbortSignal): Promise<Discovered> {
  const [stores, userPools] = await Promise.all([
    discoverStores(aws, signal),
    orFailure(aws, "user pools", listUserPools(aws, signal), signal),
  ]);
  const { names, failures } = userPools;
  return { ...stores, userPools: names, failures: [...stores.failures, ...failures] };
}

/** The same without user pools. */
export async function discoverStores(aws: Aws, signal?: AbortSignal): Promise<DiscoveredStores> {
  const [buckets, tables] = await Promise.all([
    orFailure(aws, "buckets", listBuckets(aws, signal), signal),
    orFailure(aws, "tables", listTables(aws, signal), signal),
  ]);
  return {
    buckets: buckets.names,
    tables: tables.names,
    failures: [...buckets.failures, ...tables.failures],
  };
}

async function orFailure(
  aws: Aws,
  what: string,
  list: Promise<string[]>,
  signal: AbortSignal | undefined,
): Promise<{ names: string[]; failures: Failure[] }> {
  try {
    return { names: await list, failures: [] };
  } catch (error) {
    signal?.throwIfAborted();
    const explained = explain(error, { region: aws.region, endpointUrl: aws.endpointUrl });
    if (explained === undefined) throw error;
    return { names: [], failures: [{ what, why: explained.message }] };
  }
}

/** Names of the account's buckets, of all regions: S3 tells them apart only when asked one by one. */
async function listBuckets(aws: Aws, signal: AbortSignal | undefined): Promise<string[]> {
  const [s3, { ListBucketsCommand }] = await Promise.all([aws.s3(), import("./s3/sdk.ts")]);
  const names: string[] = [];
  let token: string | undefined;
  const onward = onwards<NonNullable<typeof token>>("buckets");
  do {
    const page = await s3.send(
      new ListBucketsCommand({ MaxBuckets: 1000, ContinuationToken: token }),
      abortable(signal),
    );
    names.push(...(page.Buckets ?? []).map((bucket) => bucket.Name ?? ""));
    token = onward(page.ContinuationToken);
  } while (token !== undefined);
  return names;
}

async function listTables(aws: Aws, signal: AbortSignal | undefined): Promise<string[]> {
  const [dynamodb, { ListTablesCommand }] = await Promise.all([aws.dynamodb(), import("./dynamodb/sdk.ts")]);
  const names: string[] = [];
  let last: string | undefined;
  const onward = onwards<NonNullable<typeof last>>("tables");
  do {
    const page = await dynamodb.send(
      new ListTablesCommand({ ExclusiveStartTableName: last }),
      abortable(signal),
    );
    names.push(...(page.TableNames ?? []));
    last = onward(page.LastEvaluatedTableName);
  } while (last !== undefined);
  return names;
}

async function listUserPools(aws: Aws, signal: AbortSignal | undefined): Promise<string[]> {
  const [cognito, { ListUserPoolsCommand }] = await Promise.all([aws.cognito(), import("./cognito/sdk.ts")]);
  const ids: string[] = [];
  let token: string | undefined;
  const onward = onwards<NonNullable<typeof token>>("user pools");
  do {
    const page = await cognito.send(
      // 60 is all that Cognito gives at once.
      new ListUserPoolsCommand({ MaxResults: 60, NextToken: token }),
      abortable(signal),
    );
    ids.push(...(page.UserPools ?? []).map((pool) => pool.Id ?? ""));
    token = onward(page.NextToken);
  } while (token !== undefined);
  return ids;
}
