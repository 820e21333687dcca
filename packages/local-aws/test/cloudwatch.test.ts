import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  ListMetricsCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  type PutMetricAlarmCommandInput,
} from "@aws-sdk/client-cloudwatch";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { localClosed, localCloudWatch, localCredentials } from "../src/index.ts";

/** Signatures are of the real time; periods of five minutes begin with the full hour. */
const hourMs = 3_600_000;
const beginMs = Math.floor(Date.now() / hourMs) * hourMs - hourMs;
const at = (minute: number) => new Date(beginMs + minute * 60_000);
let dir: string;
let client: CloudWatchClient;

function newClient(): CloudWatchClient {
  return new CloudWatchClient({
    region: "eu-central-1",
    maxAttempts: 1,
    requestHandler: localCloudWatch(dir) as never,
    credentials: localCredentials(dir),
  });
}

beforeAll(async () => {
  dir = join(await mkdtemp(join(tmpdir(), "mawps-cloudwatch-")), "store");
  client = newClient();
});
afterAll(async () => {
  client.destroy();
  await localClosed(dir);
  await rm(join(dir, ".."), { recursive: true, force: true });
});

const Dimensions = [
  { Name: "Site", Value: "main" },
  { Name: "Command", Value: "backup create" },
];
const datum = (MetricName: string, minute: number, Value: number) => ({
  MetricName,
  Dimensions,
  Timestamp: at(minute),
  Value,
});

describe("metrics", () => {
  test("are summed up over periods, whatever the order of their dimensions, also after the store was closed", async () => {
    const set = { SampleCount: 2, Sum: 10, Minimum: 3, Maximum: 7 };
    await client.send(
      new PutMetricDataCommand({
        Namespace: "Mine",
        MetricData: [
          datum("Bytes", 0, 1),
          datum("Bytes", 4, 5),
          datum("Bytes", 5, 20),
          { MetricName: "Bytes", Dimensions, Timestamp: at(6), StatisticValues: set },
          datum("Other", 5, 99),
        ],
      }),
    );
    client.destroy();
    await localClosed(dir);
    client = newClient();
    const statistics = ["Sum", "Average", "Maximum", "Minimum", "SampleCount"];
    const { MetricDataResults = [] } = await client.send(
      new GetMetricDataCommand({
        StartTime: at(0),
        EndTime: at(30),
        ScanBy: "TimestampAscending",
        MetricDataQueries: statistics.map((Stat) => ({
          Id: Stat.toLowerCase(),
          MetricStat: {
            Stat,
            Period: 300,
            Metric: { Namespace: "Mine", MetricName: "Bytes", Dimensions: Dimensions.toReversed() },
          },
        })),
      }),
    );
    expect(MetricDataResults.map(({ Id, Values }) => [Id, Values])).toEqual([
      ["sum", [6, 30]],
      ["average", [3, 10]],
      ["maximum", [5, 20]],
      ["minimum", [1, 3]],
      ["samplecount", [2, 3]],
    ]);
    expect(MetricDataResults[0]?.Timestamps).toEqual([at(0), at(5)]);
  });

  test("are listed by name and dimension, page by page", async () => {
    const many = Array.from({ length: 501 }, (_, each) => datum(`Metric${1000 + each}`, 0, 1));
    await client.send(new PutMetricDataCommand({ Namespace: "Many", MetricData: many }));
    const first = await client.send(new ListMetricsCommand({ Namespace: "Many" }));
    const { NextToken } = first;
    const second = await client.send(new ListMetricsCommand({ Namespace: "Many", NextToken }));
    const found = [first, second].flatMap(({ Metrics = [] }) => Metrics.map(({ MetricName }) => MetricName));
    expect(found).toEqual(many.map(({ MetricName }) => MetricName));
    expect([first.Metrics?.length, second.NextToken]).toEqual([500, undefined]);
    const { Metrics: named } = await client.send(
      new ListMetricsCommand({ Namespace: "Mine", Dimensions: [{ Name: "Site", Value: "main" }] }),
    );
    expect(named?.map(({ MetricName }) => MetricName)).toEqual(["Bytes", "Other"]);
    const { Metrics: none } = await client.send(
      new ListMetricsCommand({ Namespace: "Mine", Dimensions: [{ Name: "Site", Value: "other" }] }),
    );
    expect(none).toEqual([]);
  });

  test.each([
    ["of AWS's own", { Namespace: "AWS/S3", MetricData: [datum("Bytes", 0, 1)] }],
    ["without a value", { Namespace: "Mine", MetricData: [{ MetricName: "Bytes" }] }],
    ["of last year", { Namespace: "Mine", MetricData: [datum("Bytes", -600_000, 1)] }],
    ["none at all", { Namespace: "Mine", MetricData: [] }],
  ])("%s are refused", async (_name, input) => {
    await expect(client.send(new PutMetricDataCommand(input))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 400 },
    });
  });
});

describe("alarms", () => {
  const alarm: PutMetricAlarmCommandInput = {
    AlarmName: "too old",
    Namespace: "Mine",
    MetricName: "Done",
    Dimensions,
    Statistic: "Sum",
    Period: 3600,
    EvaluationPeriods: 26,
    Threshold: 1,
    ComparisonOperator: "LessThanThreshold",
    TreatMissingData: "breaching",
  };

  test("are kept as they were given, changed as a whole, found by name, and deleted", async () => {
    await client.send(new PutMetricAlarmCommand({ ...alarm, AlarmActions: ["arn:aws:sns:x:1:y"] }));
    await client.send(new PutMetricAlarmCommand({ ...alarm, EvaluationPeriods: 24 }));
    const find = () => client.send(new DescribeAlarmsCommand({ AlarmNames: ["too old", "another"] }));
    const { MetricAlarms = [] } = await find();
    expect(MetricAlarms).toMatchObject([
      { ...alarm, EvaluationPeriods: 24, AlarmActions: [], StateValue: "INSUFFICIENT_DATA" },
    ]);
    await client.send(new DeleteAlarmsCommand({ AlarmNames: ["too old"] }));
    expect((await find()).MetricAlarms).toEqual([]);
  });

  const band = [{ Id: "band", Expression: "ANOMALY_DETECTION_BAND(watched, 3)" }];
  test.each<[string, Partial<PutMetricAlarmCommandInput>]>([
    ["over more than a week", { EvaluationPeriods: 169 }],
    ["without a statistic", { Statistic: undefined }],
    ["without a threshold", { Threshold: undefined }],
    ["below a band that is not there", { ThresholdMetricId: "band" }],
    [
      "below a band of another name",
      {
        Namespace: undefined,
        MetricName: undefined,
        Statistic: undefined,
        Period: undefined,
        Metrics: band,
        ThresholdMetricId: "other",
      },
    ],
    ["told to six", { OKActions: ["1", "2", "3", "4", "5", "6"] }],
  ])("%s are refused", async (_name, differing) => {
    await expect(client.send(new PutMetricAlarmCommand({ ...alarm, ...differing }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 400 },
    });
  });
});
