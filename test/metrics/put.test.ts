import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { connect, type Aws } from "../../src/aws/clients.ts";
import { pointsOf, type JobName } from "../../src/metrics/job.ts";
import { putJob } from "../../src/metrics/put.ts";
import { readJobs } from "../../src/metrics/read.ts";

const never = new Promise<never>(() => {});
const place = { namespace: "Site", dimensions: {} };
const job = { command: "doctor", isDone: true, seconds: 1, measures: {} } as const;
const silent = () =>
  connect({
    region: "eu-central-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    end: async () => ({ handle: () => never }),
  });

it.each<[string, () => Promise<Aws>]>([
  ["a server that says nothing", async () => silent()],
  ["a target that does not open", () => never],
])("waits for %s until its time is over, or it is interrupted", async (_name, open) => {
  const interruption = new AbortController();
  const { signal } = interruption;
  await expect(putJob(place, job, { open, mostMs: 1, signal })).rejects.toThrow("no answer in time");
  const putting = putJob(place, job, { open, mostMs: 600_000, signal });
  interruption.abort(new Error("interrupted"));
  await expect(putting).rejects.toThrow("interrupted");
});

it("reads no more at once than AWS lets an account read in a second", async () => {
  const bodies: {
    StartTime: number;
    EndTime: number;
    MetricDataQueries: { MetricStat: { Period: number } }[];
  }[] = [];
  const aws = connect({
    region: "eu-central-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    end: async () => ({
      async handle(request) {
        bodies.push(JSON.parse(String((request as { body: unknown }).body)) as (typeof bodies)[number]);
        const headers = { "content-type": "application/x-amz-json-1.0" };
        const body = Readable.from([Buffer.from('{"MetricDataResults":[]}')]);
        return { response: { statusCode: 200, headers, body } };
      },
    }),
  });
  const now = new Date("2026-03-01T12:00:00.000Z");
  await readJobs(aws, place, { now, signal: new AbortController().signal });
  const points = bodies.flatMap(({ StartTime, EndTime, MetricDataQueries }) =>
    MetricDataQueries.map(({ MetricStat }) => (EndTime - StartTime) / MetricStat.Period),
  );
  const all = points.reduce((sum, each) => sum + each, 0);
  expect(all).toBe(286_272);
  expect(all).toBeLessThan(396_000);
});

it("puts of each job what it measures, and of no job what is another's", () => {
  const measures = { Bytes: 5, BackupAge: 2, Problems: 0, ItemsDue: 7 };
  const points = (command: JobName, isDone: boolean) =>
    pointsOf({ command, isDone, seconds: 1.5, measures }).map(({ name, value, unit }) =>
      [name, value, unit].join(" "),
    );
  expect(points("backup create", true)).toEqual([
    "Done 1 Count",
    "Failed 0 Count",
    "Seconds 1.5 Seconds",
    "Bytes 5 Bytes",
    "BackupAge 2 Seconds",
  ]);
  expect(points("audit verify", false)).toEqual([
    "Done 0 Count",
    "Failed 1 Count",
    "Seconds 1.5 Seconds",
    "Problems 0 Count",
  ]);
});
