import { UpdateContinuousBackupsCommand } from "@aws-sdk/client-dynamodb";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createBucket } from "../../src/aws/s3/bucket.ts";
import { listObjects } from "../../src/aws/s3/listing.ts";
import { deleteObject, getObjectBytes, putObject } from "../../src/aws/s3/objects.ts";
import {
  type BegunExports,
  exportedLines,
  exportTables,
  findBegun,
  type FinishedExport,
} from "../../src/backup/native-export.ts";
import type { TableExport } from "../../src/backup/snapshot.ts";
import { defaultNames } from "../../src/model/mawps.ts";
import {
  exportsBucket,
  makeNativeWorld,
  migrations,
  type NativeWorld,
  profiles,
  putUser,
} from "./native-world.ts";

let world: NativeWorld;
let spool: string;
const place = { bucket: exportsBucket, prefix: "mawps" };
const tables = [profiles, migrations];

beforeEach(async () => {
  world = await makeNativeWorld();
  spool = await mkdtemp(join(tmpdir(), "mawps-spool-"));
});

afterEach(async () => {
  await world.close();
  await rm(spool, { recursive: true, force: true });
});

function exported(more: Partial<Parameters<typeof exportTables>[1]> = {}): Promise<FinishedExport[]> {
  return exportTables(world.site, { tables, place, token: "snapshot", save: async () => undefined, ...more });
}

async function lines(from: TableExport): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of exportedLines(world.aws, from, { spool })) found.push(...batch.map(String));
  return found;
}

function only(finished: readonly FinishedExport[], table = profiles): TableExport {
  const one = finished.find((each) => each.table === table);
  if (one === undefined) throw new Error(`${table} was not exported`);
  return one.export;
}

async function keys(): Promise<string[]> {
  const found: string[] = [];
  for await (const { objects } of listObjects(world.aws, { bucket: exportsBucket }))
    found.push(...objects.map(({ key }) => key));
  return found;
}

describe("an export by DynamoDB", () => {
  it("holds each table as of one moment, an item a line, readable without the tool", async () => {
    await putUser(world.aws, "user-1", { name: "Änne", empty: "", nested: { list: [1, null, true] } });
    await putUser(world.aws, "user-2");
    world.slowLooks = 3;
    const finished = await exported();
    expect(finished.map(({ table, items }) => [table, items])).toEqual([
      [profiles, 2],
      [migrations, 0],
    ]);
    expect(new Set(finished.map(({ export: { at } }) => at)).size).toBe(1);
    expect((await lines(only(finished))).sort()).toEqual([
      '{"Item":{"userId":{"S":"user-1"},"name":{"S":"Änne"},"empty":{"S":""},"nested":{"M":{"list":{"L":[{"N":"1"},{"NULL":true},{"BOOL":true}]}}}}}',
      '{"Item":{"userId":{"S":"user-2"}}}',
    ]);
    expect(await lines(only(finished, migrations))).toEqual([]);
    expect(await keys()).toContain(only(finished).manifest);
    expect(world.told).toContain(`DynamoDB exports ${profiles}, 0 min`);
    expect(await readdir(spool)).toEqual([]);
  });

  it("of more than one file gives every line once, and leaves nothing behind when reading stops early", async () => {
    const text = "x".repeat(300_000);
    for (let user = 0; user < 9; user += 1) await putUser(world.aws, `user-${user}`, { text });
    const finished = await exported({ tables: [profiles] });
    expect(only(finished).files.length).toBeGreaterThan(2);
    const users = (await lines(only(finished))).map((line) => /"S":"(user-\d)"/.exec(line)?.[1] ?? "");
    expect(users.sort()).toEqual(Array.from({ length: 9 }, (_, user) => `user-${user}`));
    for await (const _batch of exportedLines(world.aws, only(finished), { spool })) break;
    expect(await readdir(spool)).toEqual([]);
  });

  it("that was broken off is waited for with what was saved, and begun once", async () => {
    const stop = new AbortController();
    let begun: BegunExports | undefined;
    const site = { ...world.site, signal: stop.signal, progress: () => stop.abort(new Error("stopped")) };
    world.slowLooks = 5;
    const save = async (more: BegunExports) => {
      begun = more;
    };
    const ask = { tables, place, token: "snapshot", save };
    await expect(exportTables(site, ask)).rejects.toThrow("Request aborted");
    expect(Object.keys(begun?.arns ?? {})).toEqual(tables);
    const finished = await exportTables(world.site, { ...ask, begun });
    expect(finished.map((each) => each.export.arn)).toEqual(Object.values(begun?.arns ?? {}));
    expect(world.calls.get("ExportTableToPointInTimeCommand")).toBe(2);
  });

  it("whose answer was lost is not begun a second time: the token stands for it", async () => {
    let first: BegunExports | undefined;
    await exported({
      save: async (begun) => {
        first ??= begun;
      },
    });
    expect(first?.arns).toEqual({});
    const before = await keys();
    await exported({ begun: first });
    expect(await keys()).toEqual(before);
  });

  it("is found again while it is under way", async () => {
    const finished = await exported({ tables: [profiles] });
    const dynamodb = await world.aws.dynamodb();
    dynamodb.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        const { ExportSummaries: summaries = [] } = result.output as {
          ExportSummaries?: { ExportStatus?: string }[];
        };
        for (const summary of summaries) summary.ExportStatus = "IN_PROGRESS";
        return result;
      },
      { step: "initialize", name: "underWay" },
    );
    expect(await findBegun(world.site, { tables, place })).toEqual({
      at: only(finished).at,
      arns: { [profiles]: only(finished).arn },
      failures: 0,
    });
    expect(await findBegun(world.site, { tables, place: { ...place, prefix: "elsewhere" } })).toBeUndefined();
  });
});

it("that failed is begun anew by the next run, as of the same moment", async () => {
  await putUser(world.aws, "user-1");
  let begun: BegunExports | undefined;
  const ask = {
    tables: [profiles],
    place: { bucket: "made-later-1", prefix: "" },
    save: async (more: BegunExports) => {
      begun = more;
    },
  };
  await expect(exported(ask)).rejects.toThrow("failed: S3NoSuchBucket");
  const { at } = begun ?? {};
  expect(begun).toEqual({ at, arns: {}, failures: 1 });
  await createBucket(world.aws, "made-later-1");
  const finished = only(await exported({ ...ask, begun }));
  expect(finished.at).toBe(at);
  expect(await lines(finished)).toEqual(['{"Item":{"userId":{"S":"user-1"}}}']);
});

describe("an export is refused", () => {
  it("where recovery of a table is off, and names the table", async () => {
    const dynamodb = await world.aws.dynamodb();
    await dynamodb.send(
      new UpdateContinuousBackupsCommand({
        TableName: migrations,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false },
      }),
    );
    await expect(exported()).rejects.toThrow(
      `DynamoDB exports only tables with point-in-time recovery; without: ${migrations}`,
    );
    expect(await keys()).toEqual([]);
  });

  it("into the public bucket", async () => {
    const bucket = defaultNames.buckets.publicMedia;
    await expect(exported({ place: { bucket, prefix: "" } })).rejects.toThrow(`bucket ${bucket} is public`);
    expect(world.calls.get("ExportTableToPointInTimeCommand")).toBeUndefined();
  });

  it("by S3, with S3's reason", async () => {
    await expect(exported({ place: { bucket: "no-such-bucket-1", prefix: "" } })).rejects.toThrow(
      "failed: S3NoSuchBucket",
    );
  });
});

describe("a damaged export", () => {
  it.each<[string, (bytes: Buffer) => Buffer | undefined, string]>([
    ["with a flipped bit", (bytes) => flipped(bytes), "its MD5 is not the one in the export's manifest"],
    ["cut short", (bytes) => bytes.subarray(0, -1), "its MD5 is not the one in the export's manifest"],
    ["with another file in its place", () => gzipSync('{"Item":{}}\n'), "its MD5 is not the one"],
  ])("%s gives no line", async (_name, damage, message) => {
    await putUser(world.aws, "user-1");
    const finished = only(await exported({ tables: [profiles] }));
    const key = finished.files[0]?.key ?? "";
    const { bytes } = await getObjectBytes(world.aws, { bucket: exportsBucket, key });
    const body = damage(bytes);
    if (body !== undefined) await putObject(world.aws, { bucket: exportsBucket, key, body });
    const given: string[] = [];
    const read = async () => {
      for await (const batch of exportedLines(world.aws, finished, { spool }))
        given.push(...batch.map(String));
    };
    await expect(read()).rejects.toThrow(message);
    expect(given).toEqual([]);
    expect(await readdir(spool)).toEqual([]);
  });

  it("with a line less than its manifest says is refused at the end", async () => {
    await putUser(world.aws, "user-1");
    const finished = only(await exported({ tables: [profiles] }));
    const files = finished.files.map((file) => ({ ...file, items: file.items + 1 }));
    await expect(lines({ ...finished, files })).rejects.toThrow("it has 1 lines, the manifest says 2");
  });

  it("without a file is an error of S3's", async () => {
    await putUser(world.aws, "user-1");
    const finished = only(await exported({ tables: [profiles] }));
    await deleteObject(world.aws, { bucket: exportsBucket, key: finished.files[0]?.key ?? "" });
    await expect(lines(finished)).rejects.toMatchObject({ name: "NoSuchKey" });
  });
});

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[20] = (copy[20] ?? 0) ^ 1;
  return copy;
}
