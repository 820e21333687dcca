import type { FileHandle } from "node:fs/promises";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { decompress } from "fzstd";
import { parquetMetadataAsync, parquetRead, type AsyncBuffer, type Compressors } from "hyparquet";
import { sizeOf, timeOf, UnlikeManifest } from "./inventory-manifest.ts";
import type { Piece } from "./sums.ts";

/** Of the columns that are read, their names in CSV. */
const columns = {
  key: "Key",
  is_latest: "IsLatest",
  is_delete_marker: "IsDeleteMarker",
  size: "Size",
  last_modified_date: "LastModifiedDate",
  storage_class: "StorageClass",
} as const;

type Column = keyof typeof columns;
type Values = ArrayLike<unknown>;

/**
 * The lines of an inventory's Parquet file, a row group at a time, of which the memory is that is taken. Keys stand in it as they are.
 * @throws UnlikeManifest where it is no Parquet file, or packed in a way that is not known.
 */
export async function* parquetPieces(
  file: FileHandle,
  fields: readonly string[],
): AsyncGenerator<readonly Piece[]> {
  const { size: byteLength } = await file.stat();
  const source: AsyncBuffer = {
    byteLength,
    async slice(start, end = byteLength) {
      const bytes = new Uint8Array(end - start);
      await file.read(bytes, 0, bytes.byteLength, start);
      return bytes.buffer;
    },
  };
  const metadata = await decoded(() => parquetMetadataAsync(source));
  const wanted = (Object.keys(columns) as Column[]).filter((name) => fields.includes(columns[name]));
  let rowStart = 0;
  for (const { num_rows: rows } of metadata.row_groups) {
    const rowEnd = rowStart + Number(rows);
    const found = new Map<string, Values[]>(wanted.map((name) => [name, []]));
    const onChunk: Parameters<typeof parquetRead>[0]["onChunk"] = ({ columnName, columnData }) =>
      void found.get(columnName)?.push(columnData);
    const read = { file: source, metadata, columns: [...wanted], rowStart, rowEnd, compressors, parsers };
    yield await decoded(async () => {
      await parquetRead({ ...read, onChunk });
      return piecesOf(found, rowEnd - rowStart);
    });
    rowStart = rowEnd;
  }
}

function piecesOf(found: ReadonlyMap<string, readonly Values[]>, rows: number): Piece[] {
  if (rows > 0 && found.get("key")?.length === 0) throw new UnlikeManifest("it has no keys");
  const column = (name: Column) => {
    const pages = found.get(name) ?? [];
    const values = pages.length === 1 ? pages[0] : pages.flatMap((page) => Array.from(page));
    if (pages.length > 0 && values?.length !== rows) throw new Error(`column ${name} ends too early`);
    return pages.length === 0 ? undefined : values;
  };
  const [keys, sizes, modified] = [column("key"), column("size"), column("last_modified_date")];
  const [latest, markers, classes] = [
    column("is_latest"),
    column("is_delete_marker"),
    column("storage_class"),
  ];
  const pieces: Piece[] = [];
  for (let row = 0; row < rows; row += 1) {
    const isMarker = markers?.[row] === true;
    const part = isMarker ? "markers" : latest?.[row] === false ? "noncurrent" : "objects";
    const at = modified?.[row];
    pieces.push({
      key: textOr(keys?.[row]) ?? "",
      part,
      bytes: sizeOf(sizes?.[row]),
      at: at instanceof Date ? timeOf(at) : undefined,
      storageClass: isMarker ? undefined : textOr(classes?.[row]),
    });
  }
  return pieces;
}

/** What the library says of bytes that it cannot read has no code; what the file system says has one. */
async function decoded<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    // A page that is larger than its header says.
    if (!(cause instanceof Error) || (code !== undefined && code !== "ERR_BUFFER_TOO_LARGE")) throw cause;
    throw new UnlikeManifest(`it cannot be read as Parquet (${cause.message})`, { cause });
  }
}

function textOr(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

const parsers = {
  /** Faster than the library's TextDecoder. */
  stringFromBytes: (bytes: Uint8Array | undefined) =>
    bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(),
};

/** A page has some megabytes. */
const mostPageBytes = 256 * 1024 ** 2;

/** Snappy is in the library. */
const compressors: Compressors = {
  GZIP: (bytes, length) => gunzipSync(bytes, { maxOutputLength: pageBytes(length) }),
  BROTLI: (bytes, length) => brotliDecompressSync(bytes, { maxOutputLength: pageBytes(length) }),
  ZSTD: (bytes, length) => decompress(bytes, new Uint8Array(pageBytes(length))),
};

function pageBytes(length: number): number {
  if (length <= mostPageBytes) return Math.max(length, 1);
  throw new UnlikeManifest("a page of it is larger than pages are");
}
