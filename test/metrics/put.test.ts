import { expect, it } from "vitest";
import { connect } from "../../src/aws/clients.ts";
import { pointsOf, type JobName } from "../../src/metrics/job.ts";
import { putJob } from "../../src/metrics/put.ts";

it("waits for nobody for long", async () => {
  const aws = connect({
    region: "eu-central-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    limits: { silentMs: 10 },
    end: async () => ({ handle: () => new Promise<never>(() => {}) }),
  });
  const job = { command: "doctor", isDone: true, seconds: 1, measures: {} } as const;
  await expect(putJob(aws, { namespace: "Site", dimensions: {} }, job)).rejects.toThrow("no answer in time");
  aws.close();
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
