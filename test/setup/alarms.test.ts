import {
  DescribeAlarmsCommand,
  PutMetricAlarmCommand,
  type MetricAlarm,
  type PutMetricAlarmCommandInput,
} from "@aws-sdk/client-cloudwatch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Aws } from "../../src/aws/clients.ts";
import { alarmFindings } from "../../src/doctor/alarms.ts";
import { planAlarms, wantedAlarms, type Watched } from "../../src/setup/alarms.ts";
import { makeHome, type TestHome } from "../support/world.ts";

const topic = "arn:aws:sns:eu-central-1:123456789012:alarms";
const env = { MAWPS_METRICS_NAMESPACE: "Site", MAWPS_METRICS_DIMENSIONS: "Environment=test" };
const names = [
  "audit-broken",
  "backup-too-old",
  "cost-unusual",
  "drill-failed",
  "scans-failed",
  "scans-skipped",
].map((kind) => `Site-test-${kind}`);

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

/** As somebody else makes it. */
async function putAgain(alarm: MetricAlarm | undefined, differing: Partial<PutMetricAlarmCommandInput>) {
  await home.look(async (aws) => {
    const input = { ...alarm, ...differing } as PutMetricAlarmCommandInput;
    await (await aws.cloudwatch()).send(new PutMetricAlarmCommand(input));
  });
}

const site: Watched = {
  place: { namespace: "Site", dimensions: { Environment: "test" } },
  topic: undefined,
  maxBackupAgeHours: 26,
  hasDocuments: true,
  hasTrail: true,
  publicBuckets: [],
};

/** As `doctor` tells them on AWS. */
async function found(differing: Partial<Watched> = {}) {
  const plan = await home.look((aws) =>
    planAlarms(aws, { ...site, ...differing }, new AbortController().signal),
  );
  return alarmFindings("Site", plan);
}

// One after the other: each begins with what the one before has left.
describe("setup --alarms", () => {
  it("needs a namespace, and asks CloudWatch nothing without the flag", async () => {
    const { exitCode, stderr } = await home.run(["setup", "--alarms", "--yes"]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("metrics.namespace")]);
    home.calls.length = 0;
    expect((await home.run(["setup", "--yes"], { env })).exitCode).toBe(0);
    const examined = await home.run(["doctor", "--json"], { env });
    expect(examined.stdout).toContain('{"check":"alarms","subject":"Site","status":"skipped"');
    expect(home.calls.filter(({ command }) => command === "DescribeAlarmsCommand")).toEqual([]);
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
      {
        to: expect.stringMatching(
          /^no downloads from manuel-weiss-public-media were counted in two weeks, or/,
        ),
      },
    ]);
    expect(await stored()).toEqual([]);
    expect(await found()).toMatchObject([
      {
        status: "warning",
        message: expect.stringContaining("6 are missing"),
        remedy: "mawps setup --alarms",
      },
    ]);
  });

  it("makes them, and nothing when they are there", async () => {
    expect((await home.run(["setup", "--alarms", "--yes"], { env })).exitCode).toBe(0);
    const made = await stored();
    expect(made.map(({ AlarmName }) => AlarmName)).toEqual(names);
    expect(made[0]).toMatchObject({ MetricName: "Failed", Period: 60, TreatMissingData: "ignore" });
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
    home.calls.length = 0;
    const again = await home.run(["setup", "--alarms", "--yes"], { env });
    expect([again.exitCode, again.stdout]).toEqual([0, expect.stringContaining("nothing to do")]);
    expect(home.calls.filter(({ command }) => command === "PutMetricAlarmCommand")).toEqual([]);
    expect(await found()).toMatchObject([{ status: "ok", message: "as declared (6)" }]);
  });

  it("changes with --fix alone what differs, and keeps who else is told", async () => {
    const other = "arn:aws:sns:eu-central-1:123456789012:somebody";
    const lists = {
      AlarmActions: [other],
      OKActions: [`${other}-2`],
      InsufficientDataActions: [`${other}-3`],
    };
    await home.look(async (aws) => {
      const [first] = wantedAlarms(site, []);
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
          ...lists,
        }),
      );
    });
    const told = { ...env, MAWPS_METRICS_TOPIC: topic };
    expect((await home.run(["setup", "--alarms", "--yes"], { env: told })).exitCode).toBe(0);
    expect((await stored())[1]).toMatchObject({ EvaluationPeriods: 100, ...lists });
    expect(await found({ topic })).toMatchObject([
      {
        status: "warning",
        message: expect.stringContaining("6 differ"),
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
      [topic],
    ]);
    expect(made[1]).toMatchObject({
      EvaluationPeriods: 26,
      OKActions: [topic, `${other}-2`],
      InsufficientDataActions: [`${other}-3`],
    });
  });

  it.each<[string, Partial<PutMetricAlarmCommandInput>]>([
    ["tells nobody", { ActionsEnabled: false }],
    ["goes off otherwise", { DatapointsToAlarm: 1 }],
  ])("sees that one %s", async (_name, differing) => {
    const [, first] = await stored();
    await putAgain(first, differing);
    expect(await found()).toMatchObject([{ message: expect.stringContaining("1 differs") }]);
    await putAgain(first, {});
    expect(await found()).toMatchObject([{ status: "ok" }]);
  });

  it("takes nobody's place among those five who are told", async () => {
    const [first] = await stored();
    const many = ["1", "2", "3", "4", "5"].map((end) => `${topic}-${end}`);
    await putAgain(first, { AlarmActions: many });
    expect(await found({ topic })).toMatchObject([{ message: expect.stringContaining("more than 5") }]);
    const told = { ...env, MAWPS_METRICS_TOPIC: topic };
    expect((await home.run(["setup", "--alarms", "--fix", "--yes"], { env: told })).exitCode).toBe(0);
    expect((await stored())[0]).toMatchObject({ AlarmActions: many });
  });

  it("changes nothing where alarms may not be looked at", async () => {
    const denied = (wanted: string) => async (command: string) => {
      if (command !== wanted) return;
      const $metadata = { httpStatusCode: 403 };
      throw Object.assign(new Error("no"), { name: "AccessDenied", $metadata });
    };
    const run = () => home.run(["setup", "--alarms", "--yes"], { env });
    home.beforeCall = denied("DescribeAlarmsCommand");
    const barred = await run();
    expect([barred.exitCode, barred.stderr]).toEqual([
      1,
      expect.stringContaining("cloudwatch:DescribeAlarms"),
    ]);
    // What could not be made is told as any other error of AWS.
    home.beforeCall = denied("PutMetricAlarmCommand");
    const failed = await home.run(["setup", "--alarms", "--yes"], {
      env: { ...env, MAWPS_METRICS_NAMESPACE: "Another" },
    });
    expect([failed.exitCode, failed.stderr]).toEqual([
      1,
      expect.stringContaining("cloudwatch:PutMetricAlarm"),
    ]);
    // Without a look at downloads the others are made all the same.
    home.beforeCall = denied("ListMetricsCommand");
    const looked = await run();
    home.beforeCall = undefined;
    expect([looked.exitCode, looked.stdout]).toEqual([0, expect.stringContaining("cloudwatch:ListMetrics")]);
  });
});

const everything: Watched = {
  place: { namespace: "Site", dimensions: {} },
  topic,
  maxBackupAgeHours: 26,
  hasDocuments: true,
  hasTrail: true,
  publicBuckets: ["open", "unwatched"],
};

it.each<[string, Partial<Watched>, readonly string[]]>([
  [
    "of everything",
    {},
    [
      "backup-too-old",
      "drill-failed",
      "scans-skipped",
      "scans-failed",
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
  const told = { AlarmActions: [topic], OKActions: [topic], InsufficientDataActions: [] };
  expect(alarms.map((alarm) => alarm.told)).toEqual(kinds.map(() => told));
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
  expect(
    alarms.filter(
      ({ periodSeconds, periods }) => periodSeconds * periods > (periodSeconds < 3600 ? 86_400 : 604_800),
    ),
  ).toEqual([]);
});

it("no alarm looks back further than CloudWatch lets it", () => {
  const [oldest] = wantedAlarms({ ...everything, maxBackupAgeHours: 1000 }, []);
  expect([oldest?.periods, oldest?.description]).toEqual([168, "No backup ended well for 168 hours"]);
});

it("the name of an alarm is the same however the dimensions are written, and longer than CloudWatch takes none", async () => {
  const named = (dimensions: Record<string, string>) =>
    wantedAlarms({ ...everything, place: { namespace: "Site", dimensions } }, [])[0]?.name;
  expect(named({ Stage: "test", Account: "main" })).toBe("Site-main-test-backup-too-old");
  expect(named({ Account: "main", Stage: "test" })).toBe("Site-main-test-backup-too-old");
  const dimensions = { Stage: "x".repeat(240) };
  await expect(found({ place: { namespace: "Site", dimensions } })).rejects.toMatchObject({
    message: expect.stringContaining("more than 255 characters"),
    exitCode: 2,
  });
});

it.each([
  ["of the whole bucket", ["All", "EntireBucket", "Pictures"], "EntireBucket"],
  ["first by name", ["Pictures", "All"], "All"],
])("downloads are those %s", (_name, filters, expected) => {
  const downloads = filters.map((FilterId) => ({ BucketName: "open", FilterId }));
  const alarm = wantedAlarms(everything, downloads).find(({ name }) => name.endsWith("-open"));
  expect(alarm?.watched.dimensions).toEqual({ BucketName: "open", FilterId: expected });
});
