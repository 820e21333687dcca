import { randomUUID } from "node:crypto";
import type { Database } from "../json-database.ts";
import { under } from "../json-database.ts";
import {
  dimensionsOf,
  invalid,
  missing,
  number,
  optionalNumber,
  optionalText,
  structures,
  text,
  type Dimension,
  type Input,
} from "./input.ts";

/** What is kept of one datum: one value is a set of one. */
interface Datum {
  readonly atMs: number;
  readonly count: number;
  readonly sum: number;
  readonly least: number;
  readonly most: number;
}

interface Metric {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: readonly Dimension[];
}

const hourMs = 3_600_000;
/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html */
const oldestMs = 14 * 24 * hourMs;
const newestMs = 2 * hourMs;
/** Of four digits, by which keys are sorted. */
const latestMs = Date.UTC(9999, 0);
const mostAtOnce = 1000;
const mostQueries = 500;
const pageMetrics = 500;

/** All of the call or nothing. */
export async function putMetricData(database: Database, input: Input, now: Date): Promise<object> {
  const Namespace = text(input, "Namespace");
  if (Namespace.startsWith("AWS/"))
    throw invalid("The value AWS/ for parameter Namespace is invalid: it is for AWS's own metrics.");
  const data = structures(input, "MetricData");
  if (data.length === 0) throw missing("MetricData");
  if (data.length > mostAtOnce) throw invalid(`MetricData has at most ${mostAtOnce} items.`);
  const writes = data.flatMap((each) => {
    const metric = { Namespace, MetricName: text(each, "MetricName"), Dimensions: dimensionsOf(each) };
    const datum = datumOf(each, now);
    const key = keyOf(metric);
    return [
      { type: "put" as const, key: `metric\0${key}`, value: metric },
      { type: "put" as const, key: `datum\0${key}\0${timeKey(datum.atMs)}${randomUUID()}`, value: datum },
    ];
  });
  await database.write(writes);
  return {};
}

function datumOf(input: Input, now: Date): Datum {
  const atMs = (optionalNumber(input, "Timestamp") ?? now.getTime() / 1000) * 1000;
  if (atMs < now.getTime() - oldestMs || atMs > now.getTime() + newestMs)
    throw invalid("The value for parameter Timestamp is more than two weeks ago, or two hours ahead.");
  const { StatisticValues: set, Values: values } = input;
  if (typeof set === "object" && set !== null) {
    const of = (member: string) => number(set as Input, member);
    return { atMs, count: of("SampleCount"), sum: of("Sum"), least: of("Minimum"), most: of("Maximum") };
  }
  if (Array.isArray(values)) throw invalid("The local store takes Value or StatisticValues, not Values.");
  const value = number(input, "Value");
  return { atMs, count: 1, sum: value, least: value, most: value };
}

/** In the order of their names, 500 at a time. */
export async function listMetrics(database: Database, input: Input): Promise<object> {
  const [namespace, name] = [optionalText(input, "Namespace"), optionalText(input, "MetricName")];
  const wanted = structures(input, "Dimensions").map((each) => ({
    name: text(each, "Name"),
    value: optionalText(each, "Value", 1024),
  }));
  const after = optionalText(input, "NextToken", 100_000);
  const all = under("metric\0");
  const range =
    after === undefined
      ? all
      : { gt: Buffer.from(after, "base64url").toString(), ...(all.lt === undefined ? {} : { lt: all.lt }) };
  const found: Metric[] = [];
  let last = "";
  for await (const [key, metric] of database.entries<Metric>(range)) {
    if (found.length === pageMetrics)
      return { Metrics: found, NextToken: Buffer.from(last).toString("base64url") };
    last = key;
    const isNamed =
      (namespace === undefined || metric.Namespace === namespace) &&
      (name === undefined || metric.MetricName === name);
    const has = (each: (typeof wanted)[number]) =>
      metric.Dimensions.some(
        ({ Name, Value }) => Name === each.name && (each.value === undefined || Value === each.value),
      );
    if (isNamed && wanted.every(has)) found.push(metric);
  }
  return { Metrics: found };
}

/** Sums over whole periods; nothing of expressions. */
export async function getMetricData(database: Database, input: Input): Promise<object> {
  const [fromMs, toMs] = [number(input, "StartTime") * 1000, number(input, "EndTime") * 1000];
  if (Math.max(Math.abs(fromMs), Math.abs(toMs)) > latestMs)
    throw invalid("The parameters StartTime and EndTime are not within the years that are kept.");
  if (fromMs >= toMs) throw invalid("The parameter StartTime must be less than the parameter EndTime.");
  const isAscending = input["ScanBy"] === "TimestampAscending";
  const queries = structures(input, "MetricDataQueries");
  if (queries.length > mostQueries) throw invalid(`MetricDataQueries has at most ${mostQueries} items.`);
  const results = [];
  for (const query of queries) {
    const sums = await sumsOf(database, query, { fromMs, toMs });
    const points = isAscending ? sums.points : sums.points.toReversed();
    results.push({
      Id: text(query, "Id"),
      Label: sums.label,
      Timestamps: points.map(({ atMs }) => atMs / 1000),
      Values: points.map(({ value }) => value),
      StatusCode: "Complete",
    });
  }
  return { MetricDataResults: results };
}

const statistics: Readonly<Record<string, (data: readonly Datum[]) => number>> = {
  SampleCount: (data) => total(data, ({ count }) => count),
  Sum: (data) => total(data, ({ sum }) => sum),
  Average: (data) => total(data, ({ sum }) => sum) / total(data, ({ count }) => count),
  Minimum: (data) => Math.min(...data.map(({ least }) => least)),
  Maximum: (data) => Math.max(...data.map(({ most }) => most)),
};

function total(data: readonly Datum[], of: (datum: Datum) => number): number {
  return data.reduce((sum, datum) => sum + of(datum), 0);
}

async function sumsOf(
  database: Database,
  query: Input,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Promise<{ label: string; points: { atMs: number; value: number }[] }> {
  const { MetricStat: wanted } = query;
  if (typeof wanted !== "object" || wanted === null)
    throw invalid("The local store takes queries with a MetricStat alone.");
  const { Metric: named } = wanted as Input;
  if (typeof named !== "object" || named === null) throw missing("MetricStat.Metric");
  const of = named as Input;
  const metric = {
    Namespace: text(of, "Namespace"),
    MetricName: text(of, "MetricName"),
    Dimensions: dimensionsOf(of),
  };
  const periodMs = number(wanted as Input, "Period") * 1000;
  if (periodMs <= 0) throw invalid("The value for parameter Period is not above 0.");
  const statistic = text(wanted as Input, "Stat");
  const sum = Object.hasOwn(statistics, statistic) ? statistics[statistic] : undefined;
  if (sum === undefined) throw invalid(`The local store knows no statistic ${statistic}.`);
  const periods = new Map<number, Datum[]>();
  const prefix = `datum\0${keyOf(metric)}\0`;
  const range = { gte: `${prefix}${timeKey(fromMs)}`, lt: `${prefix}${timeKey(toMs)}` };
  for await (const datum of database.values<Datum>(range)) {
    const begin = Math.floor(datum.atMs / periodMs) * periodMs;
    const data = periods.get(begin) ?? [];
    data.push(datum);
    periods.set(begin, data);
  }
  const points = [...periods].map(([atMs, data]) => ({ atMs, value: sum(data) }));
  return { label: metric.MetricName, points: points.toSorted((one, other) => one.atMs - other.atMs) };
}

function keyOf({ Namespace, MetricName, Dimensions }: Metric): string {
  return [Namespace, MetricName, JSON.stringify(Dimensions)].join("\0");
}

function timeKey(atMs: number): string {
  return new Date(atMs).toISOString();
}
