import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { connect } from "../../../src/aws/clients.ts";
import { readAsked } from "../../../src/aws/cloudwatch/requests.ts";

interface Question {
  readonly StartTime: number;
  readonly EndTime: number;
  readonly MetricDataQueries: readonly {
    readonly Id: string;
    readonly MetricStat: {
      readonly Period: number;
      readonly Metric: {
        readonly MetricName: string;
        readonly Dimensions: readonly { readonly Value: string }[];
      };
    };
  }[];
}

/** CloudWatch with metrics that AWS alone puts: no other server has any. */
function metered(values: Readonly<Record<string, readonly number[]>>, statusCode = 200) {
  const asked: Question[] = [];
  const aws = connect({
    region: "eu-central-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    end: async () => ({
      async handle({ body }: { body?: unknown }) {
        const question = JSON.parse(String(body)) as Question;
        asked.push(question);
        const MetricDataResults = question.MetricDataQueries.map(({ Id, MetricStat: { Metric } }) => {
          const of = Metric.Dimensions.map(({ Value }) => Value).join(" ");
          const Values = values[`${Metric.MetricName} ${of}`] ?? [];
          return {
            Id,
            Timestamps: Values.map((_, at) => 1_700_000_000 + at),
            Values,
            StatusCode: "Complete",
          };
        });
        const answer = statusCode === 200 ? { MetricDataResults } : { __type: "AccessDeniedException" };
        const headers = { "content-type": "application/x-amz-json-1.0" };
        return { response: { statusCode, headers, body: Readable.from([JSON.stringify(answer)]) } };
      },
    }),
  });
  return { aws, asked };
}

const places = {
  tables: [
    { name: "users", indexes: ["by-mail"] },
    { name: "quiet", indexes: [] },
  ],
  buckets: ["files", "unwatched"],
};
const when = { now: new Date("2026-03-10T12:00:00.000Z"), signal: new AbortController().signal };

it("sums up thirty days of tables with their indexes, and of the buckets that keep metrics", async () => {
  const { aws, asked } = metered({
    "ConsumedWriteCapacityUnits users": [5, 6],
    "ConsumedWriteCapacityUnits users by-mail": [2],
    "ConsumedReadCapacityUnits users by-mail": [40],
    "PutRequests files EntireBucket": [7],
    "ListRequests files EntireBucket": [1, 1],
    "HeadRequests files EntireBucket": [100],
    "BytesDownloaded files EntireBucket": [12_345],
  });
  const found = await readAsked(aws, places, when);
  expect([...(found?.tables ?? [])]).toMatchObject([["users", { write: 13, read: 40 }]]);
  expect([...(found?.buckets ?? [])]).toEqual([["files", { write: 9, read: 100, downloadedBytes: 12_345 }]]);
  expect(asked.map(({ StartTime, EndTime }) => EndTime - StartTime)).toEqual([30 * 86_400]);
  const periods = asked.flatMap((each) => each.MetricDataQueries.map(({ MetricStat }) => MetricStat.Period));
  expect(new Set(periods)).toEqual(new Set([86_400]));
});

it("knows nothing where CloudWatch has nothing, or may not be asked", async () => {
  expect(await readAsked(metered({}).aws, places, when)).toBeUndefined();
  const denied = metered({}, 400);
  expect(await readAsked(denied.aws, places, when)).toBeUndefined();
  expect(denied.asked).toHaveLength(1);
});
