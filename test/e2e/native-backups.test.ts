import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, type TestContext, test } from "vitest";
import { createBucket } from "../../src/aws/s3/bucket.ts";
import { type Aws, connect } from "../../src/aws/clients.ts";
import { getItem, type Item } from "../../src/aws/dynamodb/items.ts";
import { transact } from "../../src/aws/dynamodb/transact.ts";
import { readRestored } from "../../src/aws/dynamodb/table-recovery.ts";
import { enableRecovery } from "../../src/aws/dynamodb/table-recovery.ts";
import { createTable } from "../../src/aws/dynamodb/table-settings.ts";
import { serve, type Served } from "@mawps/local-aws/src/serve.ts";
import { openStore } from "@mawps/local-aws/src/store.ts";
import { installed, run } from "./programs.ts";

const region = "eu-central-1";
const item: Item = {
  userId: { S: "user-äöü" },
  long: { N: "12345678901234567890123456789012345678" },
  bytes: { B: Uint8Array.of(0, 255) },
  sets: { NS: ["1", "2.5"] },
  empty: { S: "" },
};

let folder: string;
let served: Served;
let aws: Aws;
let env: Record<string, string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-native-"));
  const dir = join(folder, "store");
  const now = () => new Date();
  const store = await openStore(dir, { region, now });
  served = await serve(store, { dir, region, port: 0, now });
  aws = connect({ region, endpointUrl: served.endpoint, credentials: store.credentials });
  const { PATH = "" } = process.env;
  env = {
    PATH,
    HOME: folder,
    AWS_ACCESS_KEY_ID: store.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: store.credentials.secretAccessKey,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_PAGER: "",
  };
  const keys = { partition: { name: "userId", type: "S" as const } };
  for (const name of ["users", "users-2"]) await createTable(aws, { name, keys, indexes: [] });
  await enableRecovery(aws, "users", 35);
  await createBucket(aws, "table-exports");
  await transact(aws, [{ kind: "put", table: "users", item }]);
});

afterEach(async () => {
  aws.close();
  await served.close();
  await rm(folder, { recursive: true, force: true });
});

/** Debian's AWS CLI on the served store; gives its answer. */
async function cli(context: TestContext, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const program = await installed("aws", context);
  const fixed = ["--endpoint-url", served.endpoint, "--output", "json"];
  const { code, stdout, stderr } = await run(program, [...args, ...fixed], { env, cwd: folder });
  if (code !== 0) throw new Error(`ended with ${String(code)}: ${stderr}${stdout}`);
  return (stdout.startsWith("{") ? JSON.parse(stdout) : {}) as Record<string, unknown>;
}

const read = (table: string) => getItem(aws, { table, key: { userId: { S: "user-äöü" } } });

test("the AWS CLI exports a table, and brings its items back from the files alone", async (context) => {
  const { Table: table } = await cli(context, "dynamodb", "describe-table", "--table-name", "users");
  const arn = String((table as Record<string, unknown>)["TableArn"]);
  const begun = await cli(
    context,
    "dynamodb",
    "export-table-to-point-in-time",
    "--table-arn",
    arn,
    "--s3-bucket",
    "table-exports",
    "--export-format",
    "DYNAMODB_JSON",
  );
  const { ExportArn } = begun["ExportDescription"] as Record<string, string>;
  const done = await cli(context, "dynamodb", "describe-export", "--export-arn", ExportArn ?? "");
  expect(done["ExportDescription"]).toMatchObject({ ExportStatus: "COMPLETED", ItemCount: 1 });

  const id = ExportArn?.split("/").at(-1) ?? "";
  await cli(context, "s3", "cp", `s3://table-exports/AWSDynamoDB/${id}/data/`, "files", "--recursive");
  const [file = ""] = await readdir(join(folder, "files"));
  const lines = gunzipSync(await readFile(join(folder, "files", file)))
    .toString()
    .split("\n");
  expect(lines.length).toBe(2);
  await writeFile(join(folder, "item.json"), lines[0] ?? "");
  await cli(
    context,
    "dynamodb",
    "put-item",
    "--table-name",
    "users-2",
    "--cli-input-json",
    "file://item.json",
  );
  expect(await read("users-2")).toEqual(item);
});

test("the AWS CLI restores a table to the present", async (context) => {
  await cli(
    context,
    "dynamodb",
    "restore-table-to-point-in-time",
    "--source-table-name",
    "users",
    "--target-table-name",
    "users-now",
    "--use-latest-restorable-time",
  );
  expect(await read("users-now")).toEqual(item);
  expect(await readRestored(aws, "users-now")).toMatchObject({ isReady: true, restored: { from: "users" } });
  const past = ["--target-table-name", "users-then", "--restore-date-time", "2026-01-01T00:00:00Z"];
  await expect(
    cli(context, "dynamodb", "restore-table-to-point-in-time", "--source-table-name", "users", ...past),
  ).rejects.toThrow("InvalidRestoreTimeException");
});
