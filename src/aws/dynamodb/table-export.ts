import {
  DescribeExportCommand,
  DescribeTableCommand,
  type ExportDescription,
  ExportTableToPointInTimeCommand,
  ListExportsCommand,
  type ListExportsCommandOutput,
} from "@aws-sdk/client-dynamodb";
import { CliError } from "../../errors.ts";
import type { Aws } from "../clients.ts";
import { abortable, getObjectBytes } from "../s3/objects.ts";
import { errorName } from "../setting.ts";
import { tableOfArn } from "./table-recovery.ts";
import { onwards } from "../paging.ts";

/** Where exports of tables go. */
export interface ExportPlace {
  readonly bucket: string;
  /** Without a slash at its end; empty for none. */
  readonly prefix: string;
}

/** An export as DynamoDB tells of it. */
export interface ExportState extends ExportPlace {
  readonly arn: string;
  readonly table: string;
  readonly status: "IN_PROGRESS" | "COMPLETED" | "FAILED";
  /** The moment whose state is exported. */
  readonly at: Date | undefined;
  readonly items: number | undefined;
  readonly bytes: number | undefined;
  /** Why it failed, in DynamoDB's words. */
  readonly failure: string | undefined;
}

/** One file of a finished export: gzipped lines `{"Item": …}`. */
export interface ExportedFile {
  readonly key: string;
  readonly items: number;
  /** Base64. */
  readonly md5: string;
}

export interface BeginExport extends ExportPlace {
  readonly table: string;
  /** To the second, within the window of recovery; default now. */
  readonly at?: Date;
  /** For eight hours the same token gives the same export. */
  readonly token?: string;
}

/**
 * Begins an export of a table's state to S3; it goes on by itself and reads no capacity of the table. Refused without
 * point-in-time recovery. What S3 refuses shows only later, as a failed export.
 */
export async function beginExport(aws: Aws, begin: BeginExport): Promise<ExportState> {
  const dynamodb = await aws.dynamodb();
  const { Table: table } = await dynamodb.send(new DescribeTableCommand({ TableName: begin.table }));
  const answer = await dynamodb.send(
    new ExportTableToPointInTimeCommand({
      TableArn: table?.TableArn,
      S3Bucket: begin.bucket,
      ...(begin.prefix === "" ? {} : { S3Prefix: begin.prefix }),
      ExportTime: begin.at,
      ClientToken: begin.token,
      ExportFormat: "DYNAMODB_JSON",
    }),
  );
  return stateOf(answer.ExportDescription);
}

/** How an export stands; undefined where AWS knows none (any more: it forgets them after 90 days). */
export async function readExport(
  aws: Aws,
  arn: string,
  signal?: AbortSignal,
): Promise<ExportState | undefined> {
  const dynamodb = await aws.dynamodb();
  try {
    const answer = await dynamodb.send(new DescribeExportCommand({ ExportArn: arn }), abortable(signal));
    return stateOf(answer.ExportDescription);
  } catch (error) {
    if (errorName(error) === "ExportNotFoundException") return undefined;
    throw error;
  }
}

/** ARNs of a table's exports that are under way. */
export async function exportsUnderWay(aws: Aws, table: string, signal?: AbortSignal): Promise<string[]> {
  const dynamodb = await aws.dynamodb();
  const { Table: described } = await dynamodb.send(
    new DescribeTableCommand({ TableName: table }),
    abortable(signal),
  );
  const arns: string[] = [];
  let next: string | undefined;
  const onward = onwards<NonNullable<typeof next>>("exports");
  do {
    const page: ListExportsCommandOutput = await dynamodb.send(
      new ListExportsCommand({ TableArn: described?.TableArn, NextToken: next }),
      abortable(signal),
    );
    for (const { ExportArn, ExportStatus } of page.ExportSummaries ?? []) {
      if (ExportArn !== undefined && ExportStatus === "IN_PROGRESS") arns.push(ExportArn);
    }
    next = onward(page.NextToken);
  } while (next !== undefined);
  return arns;
}

/** Key of the summary that a finished export has written. */
export function manifestKey({ arn, prefix }: Pick<ExportState, "arn" | "prefix">): string {
  const folder = `AWSDynamoDB/${arn.split("/").at(-1) ?? ""}`;
  return `${prefix === "" ? "" : `${prefix}/`}${folder}/manifest-summary.json`;
}

/**
 * The files of a finished export, as its manifest lists them.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
 * @throws CliError when manifest and export do not agree.
 */
export async function readExportFiles(
  aws: Aws,
  state: Pick<ExportState, "arn" | "bucket" | "prefix" | "items">,
  signal?: AbortSignal,
): Promise<ExportedFile[]> {
  const { bucket } = state;
  const key = manifestKey(state);
  const read = async (key: string) => (await getObjectBytes(aws, { bucket, key, signal })).bytes.toString();
  const summary = parsed(await read(key), `${bucket}/${key}`);
  const filesKey = summary["manifestFilesS3Key"];
  if (summary["exportArn"] !== state.arn || typeof filesKey !== "string") {
    throw new CliError(`${bucket}/${key} is not the manifest of the export ${state.arn}`);
  }
  const lines = (await read(filesKey)).split("\n").filter((line) => line !== "");
  const files = lines.map((line): ExportedFile => {
    const { dataFileS3Key, itemCount, md5Checksum } = parsed(line, `${bucket}/${filesKey}`);
    if (
      typeof dataFileS3Key !== "string" ||
      typeof md5Checksum !== "string" ||
      !Number.isSafeInteger(itemCount)
    ) {
      throw new CliError(`${bucket}/${filesKey} does not name its files as DynamoDB does`);
    }
    return { key: dataFileS3Key, items: Number(itemCount), md5: md5Checksum };
  });
  const items = files.reduce((sum, file) => sum + file.items, 0);
  if (state.items !== undefined && items !== state.items) {
    throw new CliError(`${bucket}/${filesKey} counts ${items} items, the export ${state.items}`);
  }
  return files;
}

function parsed(text: string, where: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // The same answer as for any other text that is no object.
  }
  throw new CliError(`${where} is damaged: it is not JSON`);
}

function stateOf(description: ExportDescription = {}): ExportState {
  const { ExportStatus: status, FailureCode: code, FailureMessage: message } = description;
  return {
    arn: description.ExportArn ?? "",
    table: tableOfArn(description.TableArn) ?? "",
    status: status ?? "IN_PROGRESS",
    bucket: description.S3Bucket ?? "",
    prefix: description.S3Prefix ?? "",
    at: description.ExportTime,
    items: description.ItemCount,
    bytes: description.BilledSizeBytes,
    failure:
      status === "FAILED" ? [code, message].filter((each) => each !== undefined).join(": ") : undefined,
  };
}
