import {
  DescribeExportCommand,
  DescribeTableCommand,
  type ExportDescription,
  ExportTableToPointInTimeCommand,
  type ExportTableToPointInTimeCommandInput,
  paginateListExports,
} from "@aws-sdk/client-dynamodb";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  type S3Client,
} from "@aws-sdk/client-s3";
import { createHash, randomUUID } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { expect } from "vitest";
import { type Check, eventually, number, put, refused, type Scope, text } from "./check.ts";
import { recoverable } from "./recovery.ts";

/** Exports to S3: what lies in the bucket, and what is said of it. */
export const exportChecks: readonly Check[] = [
  {
    name: "exports a table to S3 as manifests and compressed lines of typed items",
    run: (scope) =>
      withBucket(scope, async (s3, bucket) => {
        const TableName = await scope.table({ sort: "N" });
        const binary = Uint8Array.of(0, 255);
        await put(
          scope,
          TableName,
          { pk: text("a"), sk: number(1), long: number("1234567890.0123456789"), empty: text("") },
          { pk: text("b"), sk: number(2), bytes: { B: binary }, nested: { M: { set: { NS: ["1"] } } } },
        );
        await recoverable(scope, TableName);
        const begun = await begin(scope, TableName, { S3Bucket: bucket, S3Prefix: "some/prefix" });
        expect(begun).toMatchObject({ ExportStatus: "IN_PROGRESS", S3Bucket: bucket });
        const done = await ended(scope, begun);
        expect(done).toMatchObject({
          ExportStatus: "COMPLETED",
          ItemCount: 2,
          ExportFormat: "DYNAMODB_JSON",
          S3Prefix: "some/prefix",
        });
        const folder = `some/prefix/AWSDynamoDB/${done.ExportArn?.split("/").at(-1)}`;
        const summary = JSON.parse((await read(s3, bucket, `${folder}/manifest-summary.json`)).toString());
        expect(summary).toMatchObject({
          exportArn: done.ExportArn,
          tableArn: done.TableArn,
          s3Bucket: bucket,
          itemCount: 2,
          outputFormat: "DYNAMODB_JSON",
          manifestFilesS3Key: `${folder}/manifest-files.json`,
        });
        const files = (await read(s3, bucket, `${folder}/manifest-files.json`))
          .toString()
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => JSON.parse(line) as Record<string, unknown>);
        const lines: string[] = [];
        for (const { dataFileS3Key, md5Checksum, itemCount } of files) {
          expect(dataFileS3Key).toMatch(new RegExp(`^${folder}/data/[a-z0-9]+\\.json\\.gz$`));
          const bytes = await read(s3, bucket, String(dataFileS3Key));
          expect(createHash("md5").update(bytes).digest("base64")).toBe(md5Checksum);
          const found = gunzipSync(bytes)
            .toString()
            .split("\n")
            .filter((line) => line !== "");
          expect(found.length).toBe(itemCount);
          lines.push(...found);
        }
        const items = lines.map((line) => JSON.parse(line) as { Item: { pk: { S: string } } });
        expect(items.toSorted((a, b) => (a.Item.pk.S < b.Item.pk.S ? -1 : 1))).toEqual([
          {
            Item: { pk: { S: "a" }, sk: { N: "1" }, long: { N: "1234567890.0123456789" }, empty: { S: "" } },
          },
          {
            Item: {
              pk: { S: "b" },
              sk: { N: "2" },
              bytes: { B: Buffer.from(binary).toString("base64") },
              nested: { M: { set: { NS: ["1"] } } },
            },
          },
        ]);
      }),
  },
  {
    name: "takes a client token for the same export, and refuses it for another one",
    run: (scope) =>
      withBucket(scope, async (_s3, bucket) => {
        const TableName = await scope.table();
        await recoverable(scope, TableName);
        const ClientToken = randomUUID();
        const first = await begin(scope, TableName, { S3Bucket: bucket, ClientToken });
        const again = await begin(scope, TableName, { S3Bucket: bucket, ClientToken });
        expect(again.ExportArn).toBe(first.ExportArn);
        await refused(
          begin(scope, TableName, { S3Bucket: bucket, S3Prefix: "other", ClientToken }),
          "ExportConflictException",
        );
        await ended(scope, first);
      }),
  },
  {
    name: "does not export a table while its recovery is off",
    run: (scope) =>
      withBucket(scope, async (s3, bucket) => {
        const TableName = await scope.table();
        await refused(
          begin(scope, TableName, { S3Bucket: bucket }),
          "PointInTimeRecoveryUnavailableException",
        );
        expect((await s3.send(new ListObjectsV2Command({ Bucket: bucket }))).KeyCount).toBe(0);
      }),
  },
  {
    name: "fails an export into a bucket that is not there, and says so",
    async run(scope) {
      const TableName = await scope.table();
      await recoverable(scope, TableName);
      const begun = await begin(scope, TableName, { S3Bucket: `conformance-${randomUUID()}` });
      expect(await ended(scope, begun)).toMatchObject({
        ExportStatus: "FAILED",
        FailureCode: "S3NoSuchBucket",
      });
    },
  },
  {
    name: "lists the exports of one table, and knows no export that was never made",
    run: (scope) =>
      withBucket(scope, async (_s3, bucket) => {
        const TableName = await scope.table();
        await recoverable(scope, TableName);
        const begun = await begin(scope, TableName, { S3Bucket: bucket });
        await ended(scope, begun);
        const found: (string | undefined)[] = [];
        for await (const page of paginateListExports({ client: scope.client }, { TableArn: begun.TableArn }))
          found.push(...(page.ExportSummaries ?? []).map(({ ExportArn }) => ExportArn));
        expect(found).toEqual([begun.ExportArn]);
        await refused(
          scope.client.send(
            new DescribeExportCommand({ ExportArn: `${begun.TableArn}/export/01700000000000-00000000` }),
          ),
          "ExportNotFoundException",
        );
      }),
  },
];

async function begin(
  { client }: Scope,
  TableName: string,
  input: Omit<ExportTableToPointInTimeCommandInput, "TableArn">,
): Promise<ExportDescription> {
  const { Table: table } = await client.send(new DescribeTableCommand({ TableName }));
  const answer = await client.send(
    new ExportTableToPointInTimeCommand({
      TableArn: table?.TableArn,
      ExportFormat: "DYNAMODB_JSON",
      ...input,
    }),
  );
  return answer.ExportDescription ?? {};
}

/** AWS takes five minutes and more, also for an empty table. */
const exportMs = 900_000;

function ended({ client }: Scope, { ExportArn }: ExportDescription): Promise<ExportDescription> {
  return eventually(
    async () => (await client.send(new DescribeExportCommand({ ExportArn }))).ExportDescription ?? {},
    ({ ExportStatus }) => ExportStatus !== "IN_PROGRESS",
    exportMs,
  );
}

async function withBucket(scope: Scope, use: (s3: S3Client, bucket: string) => Promise<void>): Promise<void> {
  const s3 = scope.s3();
  const bucket = `conformance-${randomUUID()}`;
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  try {
    await use(s3, bucket);
  } finally {
    for (;;) {
      const { Contents: objects = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
      if (objects.length === 0) break;
      for (const { Key } of objects) await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
    }
    await s3.send(new DeleteBucketCommand({ Bucket: bucket }));
  }
}

async function read(s3: S3Client, bucket: string, key: string): Promise<Buffer> {
  const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return Buffer.from((await body?.transformToByteArray()) ?? []);
}
