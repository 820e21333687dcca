import type { Aws } from "../clients.ts";
import { chunked } from "../../concurrency.ts";
import { onwards } from "../paging.ts";
import { abortable } from "../s3/objects.ts";

export type Dimensions = Readonly<Record<string, string>>;

export interface Point {
  readonly name: string;
  readonly value: number;
  readonly unit: "Bytes" | "Count" | "None" | "Seconds";
}

export interface Points {
  readonly namespace: string;
  /** Of each of them. */
  readonly dimensions: Dimensions;
  /** At most 1,000. */
  readonly points: readonly Point[];
}

/** Puts points with the time at which they arrive, in one call. */
export async function putMetrics(
  aws: Aws,
  { namespace, dimensions, points }: Points,
  signal: AbortSignal,
): Promise<void> {
  const [cloudwatch, { PutMetricDataCommand }] = await Promise.all([aws.cloudwatch(), import("./sdk.ts")]);
  await cloudwatch.send(
    new PutMetricDataCommand({
      Namespace: namespace,
      MetricData: points.map(({ name, value, unit }) => ({
        MetricName: name,
        Dimensions: listed(dimensions),
        Value: value,
        Unit: unit,
      })),
    }),
    abortable(signal),
  );
}

/** A metric of which the points of each period are summed up in one way. */
export interface Series {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Dimensions;
  readonly statistic: "Average" | "Maximum" | "Sum";
}

export interface Sample {
  /** When its period began. */
  readonly at: Date;
  readonly value: number;
}

export interface Span {
  readonly from: Date;
  readonly to: Date;
  readonly periodSeconds: number;
  readonly signal: AbortSignal;
}

/** A call takes so many: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html */
const mostSeries = 500;

/** The samples of each series, the oldest first; none of one that nobody has put. */
export async function readSeries(aws: Aws, all: readonly Series[], span: Span): Promise<Sample[][]> {
  const [cloudwatch, { GetMetricDataCommand }] = await Promise.all([aws.cloudwatch(), import("./sdk.ts")]);
  const samples = all.map((): Sample[] => []);
  const wanted = all.map((each, at) => ({
    Id: `m${at}`,
    MetricStat: {
      Metric: { Namespace: each.namespace, MetricName: each.name, Dimensions: listed(each.dimensions) },
      Period: span.periodSeconds,
      Stat: each.statistic,
    },
  }));
  for (const queries of chunked(wanted, mostSeries)) {
    const onward = onwards<string>("metrics");
    let next: string | undefined;
    do {
      const answer = await cloudwatch.send(
        new GetMetricDataCommand({
          MetricDataQueries: [...queries],
          StartTime: span.from,
          EndTime: span.to,
          ScanBy: "TimestampAscending",
          NextToken: next,
        }),
        abortable(span.signal),
      );
      for (const { Id = "", Timestamps: times = [], Values: values = [] } of answer.MetricDataResults ?? []) {
        const into = samples[Number(Id.slice(1))];
        for (const [at, time] of times.entries()) into?.push({ at: time, value: values[at] ?? 0 });
      }
      next = onward(answer.NextToken);
    } while (next !== undefined);
  }
  return samples;
}

/** As CloudWatch has them. */
export function listed(dimensions: Dimensions): { Name: string; Value: string }[] {
  return Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
}
