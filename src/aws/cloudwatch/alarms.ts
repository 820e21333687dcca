import type { MetricAlarm, PutMetricAlarmCommandInput } from "@aws-sdk/client-cloudwatch";
import type { Aws } from "../clients.ts";
import { chunked } from "../../concurrency.ts";
import { onwards } from "../paging.ts";
import { abortable } from "../s3/objects.ts";
import { listed, type Dimensions, type Series } from "./metrics.ts";

export interface Alarm {
  readonly name: string;
  readonly description: string;
  readonly watched: Series;
  readonly periodSeconds: number;
  /** So many in a row. */
  readonly periods: number;
  /** `unusual`: above what CloudWatch expects by its experience of the metric. */
  readonly when: "unusual" | { readonly is: "below" | "at least"; readonly threshold: number };
  /** What a period without a point counts as. */
  readonly missing: "breaching" | "ignore" | "notBreaching";
  readonly told: Told;
}

/** Who is told by ARN: when it goes off, when it ends, and when nothing is known. */
export interface Told {
  readonly AlarmActions: readonly string[];
  readonly OKActions: readonly string[];
  readonly InsufficientDataActions: readonly string[];
}

/** An alarm tells so many of each. */
export const mostTold = 5;

/** An alarm that is there, held against the one that is wanted. */
export interface FoundAlarm {
  /** Who is told of it is looked at for those alone who are to be told. */
  readonly isAsWanted: boolean;
  /** Those and the wanted ones, each list by itself. */
  readonly told: Told;
}

/** A call takes so many names. */
const mostNames = 100;

/** Those of the wanted alarms that are there, by name. */
export async function findAlarms(
  aws: Aws,
  wanted: readonly Alarm[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, FoundAlarm>> {
  const [cloudwatch, { DescribeAlarmsCommand }] = await Promise.all([aws.cloudwatch(), import("./sdk.ts")]);
  const found = new Map<string, FoundAlarm>();
  for (const some of chunked(wanted, mostNames)) {
    const onward = onwards<string>("alarms");
    let next: string | undefined;
    do {
      const names = some.map(({ name }) => name);
      const command = new DescribeAlarmsCommand({ AlarmNames: names, NextToken: next });
      const page = await cloudwatch.send(command, abortable(signal));
      for (const stored of page.MetricAlarms ?? []) {
        const alarm = some.find(({ name }) => name === stored.AlarmName);
        if (alarm !== undefined) found.set(alarm.name, heldAgainst(alarm, stored));
      }
      next = onward(page.NextToken);
    } while (next !== undefined);
  }
  return found;
}

function heldAgainst(wanted: Alarm, stored: MetricAlarm): FoundAlarm {
  const merged = (list: keyof Told) => [...new Set([...wanted.told[list], ...(stored[list] ?? [])])];
  const told = {
    AlarmActions: merged("AlarmActions"),
    OKActions: merged("OKActions"),
    InsufficientDataActions: merged("InsufficientDataActions"),
  };
  return { isAsWanted: holds(stored, inputOf({ ...wanted, told })), told };
}

/** Whether all that is wanted is so. Lists of dimensions count in any order. */
function holds(stored: unknown, wanted: unknown): boolean {
  if (wanted === undefined) return true;
  if (Array.isArray(wanted)) {
    if (!Array.isArray(stored) || stored.length !== wanted.length) return false;
    return wanted.every((each) => stored.some((one) => holds(one, each)));
  }
  if (typeof wanted !== "object" || wanted === null) return stored === wanted;
  if (typeof stored !== "object" || stored === null) return false;
  return Object.entries(wanted).every(([name, value]) =>
    holds((stored as Readonly<Record<string, unknown>>)[name], value),
  );
}

/** Makes an alarm, or makes the one of its name anew. */
export async function putAlarm(aws: Aws, alarm: Alarm, signal?: AbortSignal): Promise<void> {
  const [cloudwatch, { PutMetricAlarmCommand }] = await Promise.all([aws.cloudwatch(), import("./sdk.ts")]);
  await cloudwatch.send(new PutMetricAlarmCommand(inputOf(alarm)), abortable(signal));
}

/** As CloudWatch takes it: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html */
function inputOf(alarm: Alarm): PutMetricAlarmCommandInput {
  const { watched, periodSeconds, when, told } = alarm;
  const metric = {
    Namespace: watched.namespace,
    MetricName: watched.name,
    Dimensions: listed(watched.dimensions),
  };
  const common = {
    AlarmName: alarm.name,
    AlarmDescription: alarm.description,
    ActionsEnabled: true,
    EvaluationPeriods: alarm.periods,
    DatapointsToAlarm: alarm.periods,
    TreatMissingData: alarm.missing,
    AlarmActions: [...told.AlarmActions],
    OKActions: [...told.OKActions],
    InsufficientDataActions: [...told.InsufficientDataActions],
  };
  if (when === "unusual")
    return {
      ...common,
      ComparisonOperator: "GreaterThanUpperThreshold",
      ThresholdMetricId: "band",
      Metrics: [
        {
          Id: "watched",
          MetricStat: { Metric: metric, Period: periodSeconds, Stat: watched.statistic },
          ReturnData: true,
        },
        // Three standard deviations: a band that a usual day stays within.
        { Id: "band", Expression: "ANOMALY_DETECTION_BAND(watched, 3)", ReturnData: true },
      ],
    };
  return {
    ...common,
    ...metric,
    Statistic: watched.statistic,
    Period: periodSeconds,
    Threshold: when.threshold,
    ComparisonOperator: when.is === "below" ? "LessThanThreshold" : "GreaterThanOrEqualToThreshold",
  };
}

/** The metrics of that name that AWS itself keeps, by their dimensions. */
export async function findMetrics(
  aws: Aws,
  { namespace, name, signal }: Pick<Series, "namespace" | "name"> & { readonly signal: AbortSignal },
): Promise<Dimensions[]> {
  const [cloudwatch, { ListMetricsCommand }] = await Promise.all([aws.cloudwatch(), import("./sdk.ts")]);
  const found: Dimensions[] = [];
  const onward = onwards<string>("metrics");
  let next: string | undefined;
  do {
    const answer = await cloudwatch.send(
      new ListMetricsCommand({ Namespace: namespace, MetricName: name, NextToken: next }),
      abortable(signal),
    );
    for (const { Dimensions: dimensions = [] } of answer.Metrics ?? [])
      found.push(Object.fromEntries(dimensions.map(({ Name = "", Value = "" }) => [Name, Value])));
    next = onward(answer.NextToken);
  } while (next !== undefined);
  return found;
}
