import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer, type ColumnSource } from "hyparquet-writer";
import type { Aws } from "../../src/aws/clients.ts";
import { orderInventory as putOrder } from "../../src/aws/s3/inventory.ts";
import { putObject } from "../../src/aws/s3/objects.ts";

/** A line of an inventory as S3 makes it; a delete marker has neither size nor class. */
export interface Line {
  readonly key: string;
  readonly isLatest?: boolean;
  readonly isDeleteMarker?: boolean;
  readonly size?: number;
  readonly modified?: string;
  readonly storageClass?: string;
}

export interface InventoryOf {
  readonly source: string;
  readonly destination: string;
  readonly id?: string;
  readonly format?: "CSV" | "Parquet";
  readonly versions?: "All" | "Current";
  /** `2026-02-28T01-00Z`. */
  readonly time?: string;
  /** Without those that are not in the inventory. */
  readonly fields?: readonly string[];
  readonly codec?: "SNAPPY" | "UNCOMPRESSED" | "GZIP";
  /** Lines, file by file. */
  readonly files: readonly (readonly Line[])[];
  /** Instead of what S3 writes under the key: to damage it, or to leave it out. */
  readonly written?: (key: string, bytes: Uint8Array) => Uint8Array | undefined;
}

const prefix = "lists";
export const allFields = [
  "Bucket",
  "Key",
  "VersionId",
  "IsLatest",
  "IsDeleteMarker",
  "Size",
  "LastModifiedDate",
  "ETag",
  "StorageClass",
  "EncryptionStatus",
] as const;

/** Orders an inventory of a bucket. */
export async function orderInventory(aws: Aws, of: Omit<InventoryOf, "files">): Promise<void> {
  const { source, destination: bucket, id = "all", format = "CSV", versions = "All" } = of;
  const order = {
    id,
    versions,
    format,
    frequency: "Daily",
    fields: [],
    destination: { bucket, prefix },
  } as const;
  await putOrder(aws, source, { order, wait: {} });
}

/** Puts an inventory into its destination as S3 does: files, manifest, and its checksum last. */
export async function putInventory(aws: Aws, of: InventoryOf): Promise<void> {
  const { source, destination: bucket, id = "all", format = "CSV", fields = allFields } = of;
  const time = of.time ?? "2026-02-28T01-00Z";
  const folder = `${prefix}/${source}/${id}`;
  const put = async (key: string, bytes: Uint8Array) => {
    const body = of.written === undefined ? bytes : of.written(key, bytes);
    if (body !== undefined) await putObject(aws, { bucket, key, body: Buffer.from(body) });
  };
  const files: { key: string; size: number; MD5checksum: string }[] = [];
  for (const [at, lines] of of.files.entries()) {
    const rows = lines.map((line) => rowOf(line, source));
    const bytes =
      format === "CSV" ? gzipSync(csvOf(rows, fields)) : parquetOf(rows, fields, of.codec ?? "SNAPPY");
    const key = `${folder}/data/${time}-${at}.${format === "CSV" ? "csv.gz" : "parquet"}`;
    files.push({ key, size: bytes.byteLength, MD5checksum: md5(bytes) });
    await put(key, bytes);
  }
  const manifest = Buffer.from(
    JSON.stringify({
      sourceBucket: source,
      destinationBucket: `arn:aws:s3:::${bucket}`,
      version: "2016-11-30",
      creationTimestamp: String(Date.parse(time.replace(/T(\d\d)-(\d\d)Z/, "T$1:$2:00Z"))),
      fileFormat: format,
      fileSchema: format === "CSV" ? fields.join(", ") : parquetSchema(fields),
      files,
    }),
  );
  await put(`${folder}/${time}/manifest.json`, manifest);
  await put(`${folder}/${time}/manifest.checksum`, Buffer.from(md5(manifest)));
}

function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

type Value = string | number | boolean | Date | undefined;
type Row = Readonly<Record<string, Value>>;

function rowOf(line: Line, bucket: string): Row {
  const { key, isLatest = true, isDeleteMarker = false, modified = "2026-02-27T10:00:00.000Z" } = line;
  const ofObject = isDeleteMarker
    ? {}
    : { Size: line.size ?? 0, ETag: md5(Buffer.from(key)), StorageClass: line.storageClass ?? "STANDARD" };
  return {
    Bucket: bucket,
    Key: key,
    VersionId: "3sL4kqtJlcpXroDTDmJ",
    IsLatest: isLatest,
    IsDeleteMarker: isDeleteMarker,
    LastModifiedDate: new Date(modified),
    EncryptionStatus: "SSE-S3",
    ...ofObject,
  };
}

/** Each field in quotes, and keys as HTML forms have them, as S3 writes it. */
function csvOf(rows: readonly Row[], fields: readonly string[]): string {
  const text = (field: string, value: Value) =>
    field === "Key"
      ? new URLSearchParams({ "": String(value) }).toString().slice(1).replaceAll("%2F", "/")
      : value instanceof Date
        ? value.toISOString()
        : String(value ?? "");
  return rows.map((row) => `${fields.map((field) => `"${text(field, row[field])}"`).join(",")}\n`).join("");
}

const types: Readonly<Record<string, { readonly type: ColumnSource["type"]; readonly schema: string }>> = {
  IsLatest: { type: "BOOLEAN", schema: "boolean" },
  IsDeleteMarker: { type: "BOOLEAN", schema: "boolean" },
  Size: { type: "INT64", schema: "int64" },
  LastModifiedDate: { type: "TIMESTAMP", schema: "int64" },
};

function snake(field: string): string {
  return field.replace(/(?!^)([A-Z])/g, "_$1").toLowerCase();
}

function parquetSchema(fields: readonly string[]): string {
  const lines = fields.map((field) => `  optional ${types[field]?.schema ?? "binary"} ${snake(field)};`);
  return `message s3.inventory {\n${lines.join("\n")}\n}`;
}

function parquetOf(
  rows: readonly Row[],
  fields: readonly string[],
  codec: NonNullable<InventoryOf["codec"]>,
): Uint8Array {
  const valueOf = (value: Value) => (typeof value === "number" ? BigInt(value) : (value ?? null));
  const buffer = parquetWriteBuffer({
    codec,
    rowGroupSize: 3,
    ...(codec === "GZIP" ? { compressors: { GZIP: (bytes: Uint8Array) => gzipSync(bytes) } } : {}),
    columnData: fields.map((field) => ({
      name: snake(field),
      type: types[field]?.type ?? "STRING",
      nullable: true,
      data: rows.map((row) => valueOf(row[field])),
    })),
  });
  return new Uint8Array(buffer);
}
