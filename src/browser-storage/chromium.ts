import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { CliError } from "../errors.ts";
import { type CopyOptions, TornCopy, withLevelDbCopy } from "./private-copy.ts";
import { readSqliteImage } from "./sqlite-image.ts";
import { sqliteRow } from "./sqlite-row.ts";
import { isMissing, type StorageQuery, type StoredText, unknownForm, unsnappy } from "./stored-text.ts";

/**
 * Reads one key of one origin from a profile folder of the Chromium family; undefined when it is not there.
 *
 * Two kinds of storage are in the field: LevelDB under `Local Storage/leveldb`, and, in profiles made by newer
 * versions, the SQLite database `LocalStorage` (components/services/storage/dom_storage). Where both are found, the
 * one written last is asked first. A running browser is no obstacle.
 */
export async function readChromiumStorage(
  profileFolder: string,
  query: StorageQuery,
  options: CopyOptions,
): Promise<StoredText | undefined> {
  const levelDb = join(profileFolder, "Local Storage", "leveldb");
  const sqlite = join(profileFolder, "LocalStorage");
  const backends = [
    { file: levelDb, writtenAt: await newestIn(levelDb), read: () => readLevelDb(levelDb, query, options) },
    {
      file: sqlite,
      writtenAt: await newestOf([sqlite, `${sqlite}-wal`]),
      read: () => readSqlite(sqlite, query, options.signal),
    },
  ].toSorted((a, b) => (b.writtenAt?.getTime() ?? 0) - (a.writtenAt?.getTime() ?? 0));
  for (const { file, writtenAt, read } of backends) {
    if (writtenAt === undefined) continue;
    const text = await read();
    if (text !== undefined) return { text, file, writtenAt };
  }
  return undefined;
}

/** Key: `_<origin>\0` and the key as a DOM string. */
async function readLevelDb(
  folder: string,
  query: StorageQuery,
  options: CopyOptions,
): Promise<string | undefined> {
  const key = Buffer.concat([Buffer.from(`_${query.origin}\0`, "latin1"), encodeDomString(query.key)]);
  return await withLevelDbCopy(folder, options, async (copy) => {
    const database = new ClassicLevel<Buffer, Buffer>(copy, {
      createIfMissing: false,
      keyEncoding: "buffer",
      valueEncoding: "buffer",
    });
    try {
      await database.open();
      const value = await database.get(key);
      return value === undefined ? undefined : decodeDomString(value);
    } catch (error) {
      if (error instanceof CliError) throw error;
      throw new TornCopy("the copy does not open", { cause: error });
    } finally {
      await database.close();
    }
  });
}

async function readSqlite(
  file: string,
  query: StorageQuery,
  signal: AbortSignal,
): Promise<string | undefined> {
  const image = await readSqliteImage(file, signal);
  const row = await sqliteRow(
    image,
    `SELECT e.value_compression_type, e.value FROM map_entries e JOIN maps m ON m.row_id = e.map_id
     WHERE m.storage_key = ? AND e.key = ?`,
    [Buffer.from(`${query.origin}/`, "latin1"), encodeDomString(query.key)],
  );
  if (row === undefined) return undefined;
  const [compression, value] = row;
  if (!(value instanceof Uint8Array)) throw unknownForm();
  return decodeDomString(await decompress(value, compression));
}

/** The numbers are those of CompressionType in components/services/storage/public/cpp/compression.h. */
async function decompress(value: Uint8Array, compression: unknown): Promise<Uint8Array> {
  switch (compression) {
    case 0:
      return value;
    case 1:
      return await unzstd(value);
    case 2:
      return await unsnappy(value);
    default:
      throw unknownForm();
  }
}

async function unzstd(value: Uint8Array): Promise<Uint8Array> {
  const { decompress } = await import("fzstd");
  try {
    return decompress(value);
  } catch (error) {
    throw unknownForm(error);
  }
}

/** A DOM string on disk: one byte, 0 for UTF-16LE and 1 for Latin-1, then the characters. Keys take the shorter. */
function encodeDomString(text: string): Uint8Array {
  const latin1 = /^[\0-\u00FF]*$/.test(text);
  return Buffer.concat([Buffer.of(latin1 ? 1 : 0), Buffer.from(text, latin1 ? "latin1" : "utf16le")]);
}

function decodeDomString(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer[0] === 0 && buffer.length % 2 === 1) return buffer.toString("utf16le", 1);
  if (buffer[0] === 1) return buffer.toString("latin1", 1);
  throw unknownForm();
}

async function newestIn(folder: string): Promise<Date | undefined> {
  const names = await readdir(folder).catch(emptyIfMissing);
  return await newestOf(
    names.filter((name) => /\.(?:log|ldb|sst)$/.test(name)).map((name) => join(folder, name)),
  );
}

async function newestOf(files: readonly string[]): Promise<Date | undefined> {
  const times = await Promise.all(
    files.map(async (file) => [(await stat(file)).mtime]).map((times) => times.catch(emptyIfMissing)),
  );
  return times.flat().toSorted((a, b) => b.getTime() - a.getTime())[0];
}

function emptyIfMissing(error: unknown): never[] {
  if (isMissing(error)) return [];
  throw error;
}
