import { DeleteObjectCommand, GetObjectCommand } from "@aws-sdk/client-s3";
import { PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import type { Aws } from "../../src/aws/clients.ts";
import { plain, typed } from "../../src/aws/dynamodb/plain.ts";
import { listVersions } from "../../src/aws/s3/listing.ts";
import { putObject } from "../../src/aws/s3/objects.ts";
import type { TestHome } from "./world.ts";

/** The store of a site with another model, to put things in and to look at what is there. */
export function modelSite(home: TestHome, model: string, env: Record<string, string> = {}) {
  const variables = { MAWPS_MODEL: model, ...env };
  const look = <T>(what: (aws: Aws) => Promise<T>) => home.look(what, variables);
  return {
    look,
    run: (...argv: string[]) => home.run(argv, { env: variables }),
    put: (table: string, items: readonly Record<string, unknown>[]) =>
      look(async (aws) => {
        const dynamodb = await aws.dynamodb();
        for (const item of items)
          await dynamodb.send(new PutItemCommand({ TableName: table, Item: typed(item).M ?? {} }));
      }),
    putFiles: (bucket: string, keys: readonly string[]) =>
      look(async (aws) => {
        for (const key of keys) await putObject(aws, { bucket, key, body: Buffer.from(`bytes of ${key}`) });
      }),
    removeFile: (bucket: string, key: string) =>
      look(async (aws) => {
        await (await aws.s3()).send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
      }),
    file: (bucket: string, key: string) =>
      look(async (aws) => {
        const answer = await (await aws.s3()).send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
      }),
    /** All items of a table in plain values. */
    rows: (table: string) =>
      look(async (aws) => {
        const { Items = [] } = await (await aws.dynamodb()).send(new ScanCommand({ TableName: table }));
        return Items.map(plain);
      }),
    /** What the items of a table have in one attribute, as texts in order. */
    column: (table: string, name: string) =>
      look(async (aws) => {
        const { Items = [] } = await (await aws.dynamodb()).send(new ScanCommand({ TableName: table }));
        return Items.map((item) => item[name]?.S ?? "").toSorted();
      }),
    /** Every version and marker of a bucket, without the anchors of the audit trail: `key` or `key (marker)`. */
    left: (bucket: string) =>
      look(async (aws) => {
        const keys: string[] = [];
        for await (const page of listVersions(aws, { bucket })) {
          for (const { key, isDeleteMarker } of page) keys.push(isDeleteMarker ? `${key} (marker)` : key);
        }
        return keys.filter((key) => !key.startsWith("audit/")).toSorted();
      }),
  };
}
