import { createHash, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { under } from "../json-database.ts";
import { shaped } from "./dynalite.ts";
import { dynamodbFault, validationFault } from "./fault.ts";
import { assertRecoverable } from "./restore.ts";
import { existing } from "./settings.ts";
import type { Context, TableDescription } from "./tables.ts";
import { itemsOf, nameOfTable, nowSeconds } from "./tables.ts";
import { itemSizeBytes } from "./values.ts";

/*
 * Exports to the S3 end of the same store, as DynamoDB lays them out:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
 * The record of an export is written when its objects are: one that broke off was never there.
 */

const compressed = promisify(gzip);
const exportPrefix = "export~";
/** Text of one data file; AWS makes at least one a partition. */
const fileBytes = 1024 * 1024;
/** A token stands for the same export for 8 hours. */
const tokenLifeSeconds = 8 * 3600;

interface Asked {
  readonly TableArn: string;
  readonly ExportTime?: number;
  readonly ClientToken?: string;
  readonly S3Bucket: string;
  readonly S3BucketOwner?: string;
  readonly S3Prefix?: string;
  readonly S3SseAlgorithm?: string;
  readonly S3SseKmsKeyId?: string;
  readonly ExportFormat?: string;
  readonly ExportType?: string;
}

interface ExportDescription extends Asked {
  readonly ExportArn: string;
  readonly ExportStatus: "IN_PROGRESS" | "COMPLETED" | "FAILED";
  readonly StartTime: number;
  readonly EndTime?: number;
  readonly TableId: string;
  readonly ExportTime: number;
  readonly ExportManifest?: string;
  readonly ItemCount?: number;
  readonly BilledSizeBytes?: number;
  readonly FailureCode?: string;
  readonly FailureMessage?: string;
}

interface Stored {
  readonly description: ExportDescription;
  /** What was asked, to tell another request with the same token. */
  readonly request: string;
}

interface DataFile {
  readonly itemCount: number;
  readonly md5Checksum: string;
  readonly etag: string;
  readonly dataFileS3Key: string;
}

/** Writes the export before it answers that it has begun. */
export async function exportTableToPointInTime(context: Context, input: object): Promise<object> {
  const asked = shaped("exportTableToPointInTime", input) as unknown as Asked;
  if (asked.ExportFormat === "ION" || asked.ExportType === "INCREMENTAL_EXPORT") {
    throw validationFault("the local store offers full exports in DYNAMODB_JSON only");
  }
  const request = createHash("sha256").update(JSON.stringify(asked)).digest("base64");
  const before = await withToken(context, asked.ClientToken);
  if (before !== undefined) {
    if (before.request !== request) {
      throw dynamodbFault("ExportConflictException", "the same client token was used for another export");
    }
    return { ExportDescription: before.description };
  }
  const table = await existing(context, nameOfTable(asked.TableArn));
  const start = nowSeconds(context);
  const at = asked.ExportTime ?? start;
  assertRecoverable(context, table, { at, fault: "InvalidExportTimeException" });
  const id = `${String(context.now().getTime()).padStart(14, "0")}-${randomBytes(4).toString("hex")}`;
  const begun: ExportDescription = {
    ExportArn: `${table.description.TableArn}/export/${id}`,
    ExportStatus: "IN_PROGRESS",
    StartTime: start,
    ExportTime: at,
    TableArn: table.description.TableArn,
    TableId: table.description.TableId,
    S3Bucket: asked.S3Bucket,
    S3SseAlgorithm: asked.S3SseAlgorithm ?? "AES256",
    ExportFormat: "DYNAMODB_JSON",
    ExportType: "FULL_EXPORT",
    ClientToken: asked.ClientToken,
    S3Prefix: asked.S3Prefix,
    S3BucketOwner: asked.S3BucketOwner,
  };
  const description = await carriedOut(context, begun, table.description);
  const stored: Stored = { description, request };
  await context.database.write([{ type: "put", key: exportPrefix + begun.ExportArn, value: stored }]);
  return { ExportDescription: begun };
}

async function withToken(context: Context, token: string | undefined): Promise<Stored | undefined> {
  if (token === undefined) return undefined;
  const since = nowSeconds(context) - tokenLifeSeconds;
  for await (const stored of context.database.values<Stored>(under(exportPrefix))) {
    const { ClientToken, EndTime = 0 } = stored.description;
    if (ClientToken === token && EndTime > since) return stored;
  }
  return undefined;
}

/** What S3 refuses makes the export fail, as on AWS; the call itself has succeeded. */
async function carriedOut(
  context: Context,
  begun: ExportDescription,
  table: TableDescription,
): Promise<ExportDescription> {
  try {
    const written = await writeExport(context, begun, table);
    return { ...begun, ExportStatus: "COMPLETED", ...written };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
    if (code !== "NoSuchBucket" && code !== "AccessDenied") throw error;
    return {
      ...begun,
      ExportStatus: "FAILED",
      EndTime: nowSeconds(context),
      FailureCode: `S3${code}`,
      FailureMessage: error instanceof Error ? error.message : code,
    };
  }
}

async function writeExport(
  context: Context,
  begun: ExportDescription,
  table: TableDescription,
): Promise<Pick<ExportDescription, "EndTime" | "ExportManifest" | "ItemCount" | "BilledSizeBytes">> {
  const bucket = begun.S3Bucket;
  const prefix = begun.S3Prefix === undefined ? "" : `${begun.S3Prefix.replace(/\/+$/, "")}/`;
  const folder = `${prefix}AWSDynamoDB/${begun.ExportArn.split("/").at(-1) ?? ""}`;
  const put = async (name: string, body: Buffer) => {
    await context.putObject({ bucket, key: `${folder}/${name}`, body });
    return createHash("md5").update(body).digest();
  };
  const putManifest = async (name: string, text: string) => {
    const md5 = await put(`${name}.json`, Buffer.from(text));
    await put(`${name}.checksum`, Buffer.from(md5.toString("base64")));
  };

  await put("_started", Buffer.alloc(0));
  const files: DataFile[] = [];
  let bytes = 0;
  for await (const { lines, items, sizeBytes } of dataFiles(context, table)) {
    const name = `data/${randomBytes(16).toString("hex").slice(0, 26)}.json.gz`;
    const md5 = await put(name, await compressed(lines));
    bytes += sizeBytes;
    files.push({
      itemCount: items,
      md5Checksum: md5.toString("base64"),
      etag: md5.toString("hex"),
      dataFileS3Key: `${folder}/${name}`,
    });
  }
  await putManifest("manifest-files", files.map((file) => `${JSON.stringify(file)}\n`).join(""));
  const items = files.reduce((sum, { itemCount }) => sum + itemCount, 0);
  const end = nowSeconds(context);
  await putManifest("manifest-summary", JSON.stringify(summary(begun, { folder, bytes, items, end })));
  return {
    EndTime: end,
    ExportManifest: `${folder}/manifest-summary.json`,
    ItemCount: items,
    BilledSizeBytes: bytes,
  };
}

/** The items of one moment, a line each. An empty table gives one empty file. */
async function* dataFiles(
  context: Context,
  table: TableDescription,
): AsyncGenerator<{ lines: Buffer; items: number; sizeBytes: number }> {
  let lines: Buffer[] = [];
  let size = 0;
  let sizeBytes = 0;
  let isFirst = true;
  for await (const item of itemsOf(context, table)) {
    const line = Buffer.from(`${JSON.stringify({ Item: item })}\n`);
    lines.push(line);
    size += line.length;
    sizeBytes += itemSizeBytes(item);
    if (size < fileBytes) continue;
    yield { lines: Buffer.concat(lines), items: lines.length, sizeBytes };
    isFirst = false;
    lines = [];
    size = 0;
    sizeBytes = 0;
  }
  if (isFirst || lines.length > 0) yield { lines: Buffer.concat(lines), items: lines.length, sizeBytes };
}

function summary(
  begun: ExportDescription,
  { folder, bytes, items, end }: { folder: string; bytes: number; items: number; end: number },
): object {
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
  return {
    version: "2020-06-30",
    exportArn: begun.ExportArn,
    startTime: iso(begun.StartTime),
    endTime: iso(end),
    tableArn: begun.TableArn,
    tableId: begun.TableId,
    exportTime: iso(begun.ExportTime),
    s3Bucket: begun.S3Bucket,
    s3Prefix: begun.S3Prefix ?? null,
    s3SseAlgorithm: begun.S3SseAlgorithm ?? null,
    s3SseKmsKeyId: null,
    manifestFilesS3Key: `${folder}/manifest-files.json`,
    billedSizeBytes: bytes,
    itemCount: items,
    outputFormat: "DYNAMODB_JSON",
    exportType: "FULL_EXPORT",
  };
}

export async function describeExport(context: Context, input: object): Promise<object> {
  const { ExportArn } = shaped("describeExport", input) as { ExportArn: string };
  const stored = await context.database.get<Stored>(exportPrefix + ExportArn);
  if (stored === undefined) throw dynamodbFault("ExportNotFoundException", `Export not found: ${ExportArn}`);
  return { ExportDescription: stored.description };
}

export async function listExports(context: Context, input: object): Promise<object> {
  const { TableArn, MaxResults, NextToken } = shaped("listExports", input) as {
    TableArn?: string;
    MaxResults?: number;
    NextToken?: string;
  };
  const limit = MaxResults ?? 25;
  const found: ExportDescription[] = [];
  for await (const { description } of context.database.values<Stored>(under(exportPrefix))) {
    if (TableArn !== undefined && description.TableArn !== TableArn) continue;
    if (NextToken === undefined || description.ExportArn > NextToken) found.push(description);
  }
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    ExportSummaries: page.map(({ ExportArn, ExportStatus, ExportType }) => ({
      ExportArn,
      ExportStatus,
      ExportType,
    })),
    ...(found.length > limit && last !== undefined ? { NextToken: last.ExportArn } : {}),
  };
}
