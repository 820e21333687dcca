import { stat } from "node:fs/promises";
import { join } from "node:path";
import { readSqliteImage } from "./sqlite-image.ts";
import { sqliteRow } from "./sqlite-row.ts";
import { isMissing, type StorageQuery, type StoredText, unknownForm, unsnappy } from "./stored-text.ts";

/**
 * Reads one key of one origin from a Firefox profile folder; undefined when it is not there. A running Firefox is no
 * obstacle, but it writes what a page stored only some seconds later.
 *
 * The columns are those of LSValue in dom/localstorage: `conversion_type` 1 is UTF-8, 0 the raw UTF-16 of a text with
 * lone surrogates; `compression_type` 1 is Snappy; `utf16_length` is the text's length and proves the decoding.
 */
export async function readFirefoxStorage(
  profileFolder: string,
  { origin, key }: StorageQuery,
  signal: AbortSignal,
): Promise<StoredText | undefined> {
  const file = join(profileFolder, "storage", "default", originFolder(origin), "ls", "data.sqlite");
  const writtenAt = await modifiedAt(file);
  if (writtenAt === undefined) return undefined;
  const row = await sqliteRow(
    await readSqliteImage(file, signal),
    "SELECT utf16_length, conversion_type, compression_type, CAST(value AS BLOB) FROM data WHERE key = ?",
    [key],
  );
  if (row === undefined) return undefined;
  const [length, conversion, compression, value] = row;
  // An empty blob comes as an empty array or as null.
  const text = await decode(value instanceof Uint8Array ? value : new Uint8Array(), conversion, compression);
  if (text.length !== length) throw unknownForm();
  return { text, file, writtenAt };
}

/** As QuotaManager names origins: characters that some file system forbids become `+`. */
export function originFolder(origin: string): string {
  return origin.replaceAll(/[\p{Cc}/:*?"<>|\\]/gu, "+");
}

async function decode(value: Uint8Array, conversion: unknown, compression: unknown): Promise<string> {
  if (compression !== 0 && compression !== 1) throw unknownForm();
  const bytes = compression === 0 ? value : await unsnappy(value);
  if (conversion === 1) return Buffer.from(bytes).toString("utf8");
  if (conversion === 0) return Buffer.from(bytes).toString("utf16le");
  throw unknownForm();
}

async function modifiedAt(file: string): Promise<Date | undefined> {
  try {
    return (await stat(file)).mtime;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
