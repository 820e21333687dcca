import { afterAll, beforeAll, expect, it } from "vitest";
import type { Aws } from "../../src/aws/clients.ts";
import { connect } from "../../src/aws/clients.ts";
import { readTable } from "../../src/aws/dynamodb/table-settings.ts";
import { isUnused } from "../../src/aws/cloudwatch/unused-indexes.ts";
import { indexFindings } from "../../src/doctor/indexes.ts";
import { makeHome, testStart, type TestHome } from "../support/world.ts";

const table = "mawps-audit-log";
const at = testStart;

let home: TestHome;

beforeAll(async () => {
  home = await makeHome();
  await home.look(async () => {});
});
afterAll(() => home.remove());

it.each<[string, readonly number[], readonly number[], boolean]>([
  ["that nobody reads", [5, 2], [], true],
  ["that nobody reads, as CloudWatch says", [5], [0, 0], true],
  ["that somebody reads", [5], [0, 1], false],
  ["of a table that CloudWatch does not know", [], [], false],
])("an index %s", (_name, writes, reads, isOne) => {
  const samples = (values: readonly number[]) => values.map((value) => ({ at, value }));
  expect(isUnused(samples(writes), samples(reads))).toBe(isOne);
});

/** The store's tables, with what AWS would keep of them. */
function watched(aws: Aws, reads: number): Aws {
  const metrics = connect({
    region: aws.region,
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    end: async () => ({
      async handle() {
        const result = (Id: string, value: number) => ({
          Id,
          Timestamps: [at.getTime() / 1000],
          Values: [value],
          StatusCode: "Complete",
        });
        const results = [result("m0", 7), result("m1", reads), result("m2", 3)];
        const body = Buffer.from(JSON.stringify({ MetricDataResults: results }));
        const { Readable } = await import("node:stream");
        const headers = { "content-type": "application/x-amz-json-1.0" };
        return { response: { statusCode: 200, headers, body: Readable.from([body]) } };
      },
    }),
  });
  return { ...aws, cloudwatch: metrics.cloudwatch };
}

it("is told where the model has none of its name and nobody reads it", async () => {
  const options = { now: at, signal: new AbortController().signal };
  const found = (reads: number) =>
    home.look(async (aws) => {
      const stored = await readTable(aws, table);
      if (stored === undefined) throw new Error("no table");
      const seen = { table: { name: table, indexes: [] }, stored };
      return indexFindings(watched(aws, reads), seen, options);
    });
  expect(await found(0)).toMatchObject([
    { status: "warning", subject: `${table} ${(await indexNames())[0] ?? ""}` },
  ]);
  expect(await found(1)).toEqual([]);
});

it("is asked of nobody where the model names all of them, and each table is described once for it", async () => {
  home.calls.length = 0;
  const described: string[] = [];
  home.beforeCall = async (command, input) => {
    if (command === "DescribeTableCommand") described.push((input as { TableName: string }).TableName);
  };
  expect((await home.run(["doctor"], {})).exitCode).toBe(0);
  home.beforeCall = undefined;
  expect(home.calls.filter(({ service }) => service === "cloudwatch")).toEqual([]);
  expect(described.filter((name) => name === table)).toEqual([table]);
});

async function indexNames(): Promise<string[]> {
  return home.look(async (aws) => {
    return ((await readTable(aws, table))?.indexes ?? []).map(({ name }) => name);
  });
}
