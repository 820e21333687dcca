import { open, readFile, stat } from "node:fs/promises";
import { CliError } from "../errors.ts";
import { backOff } from "../retry.ts";
import { isMissing } from "./stored-text.ts";

const walHeaderBytes = 32;
const frameHeaderBytes = 24;
const maxAttempts = 6;
/** First bytes of a rollback journal that still has to be played back. */
const journalMagic = Buffer.from("d9d505f920a163d7", "hex");

interface Fingerprint {
  readonly database: string;
  readonly wal: string;
  readonly hotJournal: boolean;
}

/**
 * One consistent image of an SQLite database that another program may be writing to right now, in memory only: no
 * copy of a browser's secrets ever reaches the disk. What lies in the write-ahead log is in the image. Takes no lock
 * and writes nothing.
 *
 * Reads again, with growing pauses, when the files changed meanwhile or a rollback journal shows a transaction at
 * work.
 *
 * @throws CliError when the database never held still or its last transaction was left unfinished (a crash).
 */
export async function readSqliteImage(path: string, signal: AbortSignal): Promise<Uint8Array> {
  const tries = backOff({ attempts: maxAttempts, signal });
  do {
    signal.throwIfAborted();
    const before = await fingerprint(path);
    if (!before.hotJournal) {
      const database = await readFile(path);
      const wal = await readIfThere(`${path}-wal`);
      const after = await fingerprint(path);
      if (!after.hotJournal && before.database === after.database && before.wal === after.wal) {
        return applyWal(database, wal);
      }
    }
  } while (await tries.again());
  throw new CliError(`${path} is in the middle of a change that does not end`, {
    hint: "close the browser (after a crash: start it once and close it), then try again",
  });
}

/** The log's header is written anew when it starts over; frames that are only appended do no harm. */
async function fingerprint(path: string): Promise<Fingerprint> {
  const { mtimeNs, size } = await stat(path, { bigint: true });
  const [wal, journal] = await Promise.all([
    readStart(`${path}-wal`, walHeaderBytes),
    readStart(`${path}-journal`, journalMagic.length),
  ]);
  return {
    database: `${mtimeNs} ${size}`,
    wal: wal.toString("hex"),
    hotJournal: journal.equals(journalMagic),
  };
}

async function readIfThere(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return new Uint8Array();
    throw error;
  }
}

async function readStart(path: string, length: number): Promise<Buffer> {
  try {
    await using file = await open(path);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (isMissing(error)) return Buffer.alloc(0);
    throw error;
  }
}

/**
 * Puts the committed pages of a write-ahead log over the database, and marks the outcome as one that needs no log.
 * Frames count while their salts are the header's and the running checksum holds, up to the last commit: exactly
 * what SQLite's own recovery takes. Pure. https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 */
export function applyWal(database: Uint8Array, wal: Uint8Array): Uint8Array {
  const { pages, pageBytes, databasePages } = committedPages(wal);
  const image =
    databasePages === undefined ? Uint8Array.from(database) : new Uint8Array(databasePages * pageBytes);
  if (databasePages !== undefined) {
    image.set(database.subarray(0, image.length));
    for (const [page, content] of pages) {
      if (page <= databasePages) image.set(content, (page - 1) * pageBytes);
    }
  }
  // Offsets 18 and 19 are the write and read version: 2 asks for a log, 1 does not.
  if (image.length > 19) image.set([1, 1], 18);
  return image;
}

interface CommittedPages {
  readonly pages: ReadonlyMap<number, Uint8Array>;
  readonly pageBytes: number;
  /** Undefined when the log holds no whole transaction. */
  readonly databasePages: number | undefined;
}

function committedPages(wal: Uint8Array): CommittedPages {
  const nothing = { pages: new Map<number, Uint8Array>(), pageBytes: 0, databasePages: undefined };
  if (wal.length < walHeaderBytes) return nothing;
  const view = new DataView(wal.buffer, wal.byteOffset, wal.length);
  const magic = view.getUint32(0);
  if (magic !== 0x377f0682 && magic !== 0x377f0683) return nothing;
  const littleEndian = magic === 0x377f0682;
  const pageBytes = view.getUint32(8);
  const salts = view.getBigUint64(16);
  let sums = checksum(view, { from: 0, to: 24, littleEndian, sums: [0, 0] });
  if (!holds(view, 24, sums)) return nothing;

  const committed = new Map<number, Uint8Array>();
  const pending = new Map<number, Uint8Array>();
  let databasePages: number | undefined;
  const frameBytes = frameHeaderBytes + pageBytes;
  for (let at = walHeaderBytes; at + frameBytes <= wal.length; at += frameBytes) {
    if (view.getBigUint64(at + 8) !== salts) break;
    sums = checksum(view, { from: at, to: at + 8, littleEndian, sums });
    sums = checksum(view, { from: at + frameHeaderBytes, to: at + frameBytes, littleEndian, sums });
    if (!holds(view, at + 16, sums)) break;
    pending.set(view.getUint32(at), wal.subarray(at + frameHeaderBytes, at + frameBytes));
    const pagesAfterCommit = view.getUint32(at + 4);
    if (pagesAfterCommit === 0) continue;
    for (const [page, content] of pending) committed.set(page, content);
    pending.clear();
    databasePages = pagesAfterCommit;
  }
  return { pages: committed, pageBytes, databasePages };
}

type Sums = readonly [number, number];

interface ChecksumRange {
  readonly from: number;
  readonly to: number;
  readonly littleEndian: boolean;
  readonly sums: Sums;
}

function checksum(view: DataView, { from, to, littleEndian, sums }: ChecksumRange): Sums {
  let [first, second] = sums;
  for (let at = from; at < to; at += 8) {
    first = (first + view.getUint32(at, littleEndian) + second) >>> 0;
    second = (second + view.getUint32(at + 4, littleEndian) + first) >>> 0;
  }
  return [first, second];
}

/** Stored checksums are big-endian whatever the order they were computed in. */
function holds(view: DataView, at: number, [first, second]: Sums): boolean {
  return view.getUint32(at) === first && view.getUint32(at + 4) === second;
}
