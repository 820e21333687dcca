import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { Aws } from "../../src/aws/clients.ts";
import { getItem, type Item } from "../../src/aws/dynamodb/items.ts";
import { listVersions } from "../../src/aws/s3/listing.ts";
import { putObject } from "../../src/aws/s3/objects.ts";
import { plain, typed } from "../../src/aws/dynamodb/plain.ts";
import type { Config } from "../../src/config/config.ts";
import type { TestHome } from "../support/world.ts";

export const dayMs = 86_400_000;
export const shapes = ["simple", "composite"] as const;
export type Shape = (typeof shapes)[number];

export type Entry = Readonly<Record<string, unknown>> & { readonly id: string };

/** A place to put old data in and to look at what is left; on the store of a test's home. */
export function storedIn(home: TestHome, shape: Shape, env: Record<string, string> = {}) {
  const variables = { MAWPS_NEW_TABLE_SHAPE: shape, ...env };
  const look = <T>(what: (aws: Aws, config: Config) => Promise<T>) => home.look(what, variables);
  const keyOf = (userId: string, type: string): Item =>
    shape === "simple" ? { userId: { S: userId } } : { userId: { S: userId }, type: { S: type } };
  return {
    look,
    run: (...argv: string[]) => home.run(argv, { env: variables }),
    async putProfile(userId: string, documents: readonly Entry[], more: Record<string, unknown> = {}) {
      const item = typed({ userId, type: "user-profile", name: "Änne", ...more, documents }).M ?? {};
      await look(async (aws, config) => {
        const dynamodb = await aws.dynamodb();
        await dynamodb.send(new PutItemCommand({ TableName: config.tables.userProfiles, Item: item }));
      });
    },
    async putItem(table: (config: Config) => string, values: Record<string, unknown>) {
      await look(async (aws, config) => {
        const dynamodb = await aws.dynamodb();
        await dynamodb.send(new PutItemCommand({ TableName: table(config), Item: typed(values).M ?? {} }));
      });
    },
    profile: (userId: string, type = "user-profile") =>
      look(async (aws, config) => {
        const item = await getItem(aws, { table: config.tables.userProfiles, key: keyOf(userId, type) });
        return item === undefined ? undefined : plain(item);
      }),
    put: (key: string, bytes = "bytes", role: "userFiles" | "publicMedia" = "userFiles") =>
      look((aws, config) => putObject(aws, { bucket: config.buckets[role], key, body: Buffer.from(bytes) })),
    remove: (key: string) =>
      look(async (aws, config) => {
        const s3 = await aws.s3();
        await s3.send(new DeleteObjectCommand({ Bucket: config.buckets.userFiles, Key: key }));
      }),
    beginUpload: (key: string, role: "userFiles" | "publicMedia" = "userFiles") =>
      look(async (aws, config) => {
        const s3 = await aws.s3();
        const at = { Bucket: config.buckets[role], Key: key };
        const { UploadId } = await s3.send(new CreateMultipartUploadCommand(at));
        await s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: Buffer.from("part") }));
      }),
    uploads: () =>
      look(async (aws, config) => {
        const s3 = await aws.s3();
        const answer = await s3.send(new ListMultipartUploadsCommand({ Bucket: config.buckets.userFiles }));
        return (answer.Uploads ?? []).map(({ Key }) => Key);
      }),
    /** Every version and marker that is left, without the anchor of the audit trail: `key` or `key (marker)`. */
    left: (role: "userFiles" | "publicMedia" = "userFiles") =>
      look(async (aws, config) => {
        const keys: string[] = [];
        for await (const page of listVersions(aws, { bucket: config.buckets[role] })) {
          for (const { key, isDeleteMarker } of page) keys.push(isDeleteMarker ? `${key} (marker)` : key);
        }
        return keys.filter((key) => !key.startsWith("audit/"));
      }),
  };
}

/** The lines of a command's output with `--json`. */
export function lines(stdout: string): Record<string, unknown>[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
