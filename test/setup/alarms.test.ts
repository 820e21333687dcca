import { DescribeAlarmsCommand, PutMetricAlarmCommand } from "@aws-sdk/client-cloudwatch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Aws } from "../../src/aws/clients.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { wantedAlarms, type AlarmSite } from "../../src/setup/alarms.ts";
import { makeHome, type TestHome } from "../support/world.ts";

const topic = "arn:aws:sns:eu-central-1:123456789012:alarms";
const env = { MAWPS_METRICS_NAMESPACE: "Site", MAWPS_METRICS_DIMENSIONS: "Environment=test" };
const names = ["audit-broken", "backup-too-old", "cost-unusual", "drill-failed", "scans-skipped"].map(
  (kind) => `Site-test-${kind}`,
);

let home: TestHome;

beforeAll(async () => {
  home = await makeHome();
  await home.look(async () => {});
});
afterAll(() => home.remove());

async function stored() {
  return home.look(async (aws: Aws) => {
    const { MetricAlarms = [] } = await (await aws.cloudwatch()).send(new DescribeAlarmsCommand({}));
    return MetricAlarms;
  });
}

async function alarmFindings(more: Record<string, string> = {}): Promise<Partial<Finding>[]> {
  const { stdout } = await home.run(["doctor", "--json"], { env: { ...env, ...more } });
  const findings = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Finding);
  return findings.filter(({ check }) => check === "alarms");
}

// One after the other: each begins with what the one before has left.
describe("setup --alarms", () => {
  it("needs a namespace, and asks CloudWatch nothing without the flag", async () => {
    const { exitCode, stderr } = await home.run(["setup", "--alarms", "--yes"]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("metrics.namespace")]);
    home.calls.length = 0;
    expect((await home.run(["setup", "--yes"], { env })).exitCode).toBe(0);
    expect(home.calls.filter(({ service }) => service === "cloudwatch")).toEqual([]);
  });

  it("shows the alarms that are missing, and a dry run makes none", async () => {
    const { stdout } = await home.run(["setup", "--alarms", "--dry-run", "--json"], { env });
    const rows = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>);
    const alarms = rows.filter(({ resource }) => resource === "alarm");
    const planned = alarms.filter(({ result }) => result === "planned");
    expect(new Set(planned.map(({ name }) => name))).toEqual(new Set(names));
    expect(alarms.filter(({ kind }) => kind === "note")).toMatchObject([
      { to: expect.stringContaining("S3 keeps no metric of downloads from manuel-weiss-public-media") },
    ]);
    expect(await stored()).toEqual([]);
    expect(await alarmFindings()).toMatchObject([
      {
        status: "warning",
        message: expect.stringContaining("5 are missing"),
        remedy: "mawps setup --alarms",
      },
    ]);
  });

  it("makes them, and nothing when they are there", async () => {
    expect((await home.run(["setup", "--alarms", "--yes"], { env })).exitCode).toBe(0);
    const made = await stored();
    expect(made.map(({ AlarmName }) => AlarmName)).toEqual(names);
    expect(made[1]).toMatchObject({
      Namespace: "Site",
      MetricName: "Done",
      Dimensions: [
        { Name: "Environment", Value: "test" },
        { Name: "Command", Value: "backup create" },
      ],
      Period: 3600,
      EvaluationPeriods: 26,
      TreatMissingData: "breaching",
      ComparisonOperator: "LessThanThreshold",
      AlarmActions: [],
    });
    expect(made[2]).toMatchObject({
      ThresholdMetricId: "band",
      ComparisonOperator: "GreaterThanUpperThreshold",
    });
    home.calls.length = 0;
    const again = await home.run(["setup", "--alarms", "--yes"], { env });
    expect([again.exitCode, again.stdout]).toEqual([0, expect.stringContaining("nothing to do")]);
    expect(home.calls.filter(({ command }) => command === "PutMetricAlarmCommand")).toEqual([]);
    expect(await alarmFindings()).toMatchObject([{ status: "ok", message: "as declared (5)" }]);
  });

  it("changes with --fix alone what differs, and keeps who else is told", async () => {
    const other = "arn:aws:sns:eu-central-1:123456789012:somebody";
    await home.look(async (aws) => {
      const [first] = wantedAlarms(
        {
          place: { namespace: "Site", dimensions: { Environment: "test" } },
          topic: undefined,
          maxBackupAgeHours: 26,
          hasDocuments: true,
          hasTrail: true,
          publicBuckets: [],
        },
        [],
      );
      const client = await aws.cloudwatch();
      await client.send(
        new PutMetricAlarmCommand({
          AlarmName: first?.name,
          Namespace: "Site",
          MetricName: "Done",
          Statistic: "Sum",
          Period: 3600,
          EvaluationPeriods: 100,
          Threshold: 1,
          ComparisonOperator: "LessThanThreshold",
          AlarmActions: [other],
        }),
      );
    });
    const told = { ...env, MAWPS_METRICS_TOPIC: topic };
    expect((await home.run(["setup", "--alarms", "--yes"], { env: told })).exitCode).toBe(0);
    expect((await stored())[1]).toMatchObject({ EvaluationPeriods: 100, AlarmActions: [other] });
    expect(await alarmFindings({ MAWPS_METRICS_TOPIC: topic })).toMatchObject([
      {
        status: "warning",
        message: expect.stringContaining("5 differ"),
        remedy: "mawps setup --alarms --fix",
      },
    ]);
    expect((await home.run(["setup", "--alarms", "--fix", "--yes"], { env: told })).exitCode).toBe(0);
    const made = await stored();
    expect(made.map(({ AlarmActions }) => AlarmActions?.toSorted())).toEqual([
      [topic],
      [topic, other],
      [topic],
      [topic],
      [topic],
    ]);
    expect(made[1]).toMatchObject({ EvaluationPeriods: 26, OKActions: expect.arrayContaining([topic]) });
  });
});

const everything: AlarmSite = {
  place: { namespace: "Site", dimensions: {} },
  topic,
  maxBackupAgeHours: 26,
  hasDocuments: true,
  hasTrail: true,
  publicBuckets: ["open", "unwatched"],
};

it.each<[string, Partial<AlarmSite>, readonly string[]]>([
  [
    "of everything",
    {},
    [
      "backup-too-old",
      "drill-failed",
      "scans-skipped",
      "audit-broken",
      "cost-unusual",
      "downloads-unusual-open",
    ],
  ],
  [
    "of a site without documents and trail",
    { hasDocuments: false, hasTrail: false, publicBuckets: [] },
    ["backup-too-old", "drill-failed", "cost-unusual"],
  ],
])("the alarms %s", (_name, differing, kinds) => {
  const downloads = [{ BucketName: "open", FilterId: "EntireBucket" }];
  const alarms = wantedAlarms({ ...everything, ...differing }, downloads);
  expect(alarms.map(({ name }) => name)).toEqual(kinds.map((kind) => `Site-${kind}`));
  expect(alarms.map(({ told }) => told)).toEqual(kinds.map(() => [topic]));
});

it("no alarm looks back further than CloudWatch lets it", () => {
  const [oldest] = wantedAlarms({ ...everything, maxBackupAgeHours: 1000 }, []);
  expect([oldest?.periods, oldest?.description]).toEqual([168, "No backup was made for 168 hours"]);
});
