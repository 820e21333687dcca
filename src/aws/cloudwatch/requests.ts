import type { Aws } from "../clients.ts";
import { isDenied, isUnsupported } from "../setting.ts";
import { readSeries, type Dimensions, type Series } from "./metrics.ts";
import { lastDays, unreadDays } from "./unused-indexes.ts";

/** What was asked in the last 30 days, as CloudWatch has it. */
export interface Asked {
  /** Read and write units by table, those of its indexes with them. */
  readonly tables: ReadonlyMap<string, { readonly write: number; readonly read: number }>;
  /** Of the buckets that keep metrics of all their requests. */
  readonly buckets: ReadonlyMap<
    string,
    { readonly write: number; readonly read: number; readonly downloadedBytes: number }
  >;
}

interface Places {
  readonly tables: readonly { readonly name: string; readonly indexes: readonly string[] }[];
  readonly buckets: readonly string[];
}

/** The filter of the whole bucket, as S3's console and its documents name it. */
const wholeBucket = "EntireBucket";

/** By the price that they have: https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html */
const bucketMetrics = [
  ["write", "PutRequests"],
  ["write", "PostRequests"],
  ["write", "ListRequests"],
  ["read", "GetRequests"],
  ["read", "HeadRequests"],
  ["downloadedBytes", "BytesDownloaded"],
] as const;

const tableMetrics = [
  ["write", "ConsumedWriteCapacityUnits"],
  ["read", "ConsumedReadCapacityUnits"],
] as const;

/** How often tables and buckets were read and written: undefined where CloudWatch may not be asked, or has nothing of any of them. */
export async function readAsked(
  aws: Aws,
  { tables, buckets }: Places,
  { now, signal }: { readonly now: Date; readonly signal: AbortSignal },
): Promise<Asked | undefined> {
  const wanted = [
    ...tables.flatMap(({ name, indexes }) =>
      [{}, ...indexes.map((index) => ({ GlobalSecondaryIndexName: index }))].flatMap((index) =>
        tableMetrics.map(([kind, metric]) => ({
          of: "tables" as const,
          place: name,
          kind,
          series: summed("AWS/DynamoDB", metric, { TableName: name, ...index }),
        })),
      ),
    ),
    ...buckets.flatMap((bucket) =>
      bucketMetrics.map(([kind, metric]) => ({
        of: "buckets" as const,
        place: bucket,
        kind,
        series: summed("AWS/S3", metric, { BucketName: bucket, FilterId: wholeBucket }),
      })),
    ),
  ];
  try {
    const found = await readSeries(
      aws,
      wanted.map(({ series }) => series),
      { ...lastDays(now, unreadDays), signal },
    );
    const sums = {
      tables: new Map<string, { write: number; read: number; downloadedBytes: number }>(),
      buckets: new Map<string, { write: number; read: number; downloadedBytes: number }>(),
    };
    for (const [at, { of, place, kind }] of wanted.entries()) {
      const samples = found[at] ?? [];
      if (samples.length === 0) continue;
      const sum = sums[of].get(place) ?? { write: 0, read: 0, downloadedBytes: 0 };
      sum[kind] += samples.reduce((all, { value }) => all + value, 0);
      sums[of].set(place, sum);
    }
    return sums.tables.size + sums.buckets.size === 0 ? undefined : sums;
  } catch (error) {
    if (isDenied(error) || isUnsupported(error)) return undefined;
    throw error;
  }
}

function summed(namespace: string, name: string, dimensions: Dimensions): Series {
  return { namespace, name, dimensions, statistic: "Sum" };
}
