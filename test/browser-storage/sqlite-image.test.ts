import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import initSqlJs from "sql.js/dist/sql-wasm-inline.js";
import { applyWal, readSqliteImage } from "../../src/browser-storage/sqlite-image.ts";
import { sqliteRow } from "../../src/browser-storage/sqlite-row.ts";

const pageBytes = 4096;
const { signal } = new AbortController();

/** A database whose only row says `text`, padded to several pages. */
async function database(text: string): Promise<Uint8Array> {
  const { Database } = await initSqlJs();
  const made = new Database();
  made.run(`PRAGMA page_size = ${pageBytes}`);
  made.run(`CREATE TABLE data (text TEXT, padding TEXT)`);
  made.run(`INSERT INTO data VALUES ('${text}', '${"x".repeat(20_000)}')`);
  const image = made.export();
  made.close();
  return image;
}

async function textIn(image: Uint8Array): Promise<unknown> {
  return (await sqliteRow(image, "SELECT text FROM data", []))?.[0];
}

interface Transaction {
  readonly pages: Uint8Array;
  readonly committed: boolean;
}

/** A write-ahead log as SQLite writes it, big- or little-endian in its checksums. */
function writeAheadLog(transactions: readonly Transaction[], littleEndian = true, salt = 77n): Buffer {
  const header = Buffer.alloc(32);
  header.writeUInt32BE(littleEndian ? 0x377f0682 : 0x377f0683, 0);
  header.writeUInt32BE(3_007_000, 4);
  header.writeUInt32BE(pageBytes, 8);
  header.writeBigUInt64BE(salt, 16);
  let sums = checksum(header.subarray(0, 24), [0, 0], littleEndian);
  writeSums(header, 24, sums);
  const frames = transactions.flatMap(({ pages, committed }) => {
    const count = pages.length / pageBytes;
    return Array.from({ length: count }, (_, index) => {
      const frame = Buffer.alloc(24 + pageBytes);
      frame.writeUInt32BE(index + 1, 0);
      frame.writeUInt32BE(committed && index === count - 1 ? count : 0, 4);
      frame.writeBigUInt64BE(salt, 8);
      frame.set(pages.subarray(index * pageBytes, (index + 1) * pageBytes), 24);
      sums = checksum(frame.subarray(24), checksum(frame.subarray(0, 8), sums, littleEndian), littleEndian);
      writeSums(frame, 16, sums);
      return frame;
    });
  });
  return Buffer.concat([header, ...frames]);
}

function checksum(bytes: Buffer, [first, second]: [number, number], littleEndian: boolean): [number, number] {
  const read = (at: number) => (littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  let sums: [number, number] = [first, second];
  for (let at = 0; at < bytes.length; at += 8) {
    const one = Number(BigInt.asUintN(32, BigInt(sums[0]) + BigInt(read(at)) + BigInt(sums[1])));
    sums = [one, Number(BigInt.asUintN(32, BigInt(sums[1]) + BigInt(read(at + 4)) + BigInt(one)))];
  }
  return sums;
}

function writeSums(target: Buffer, at: number, [first, second]: readonly [number, number]): void {
  target.writeUInt32BE(first, at);
  target.writeUInt32BE(second, at + 4);
}

describe("a write-ahead log over a database", () => {
  test.each([
    ["its committed pages count", [["new", true]], "new"],
    [
      "the last commit counts",
      [
        ["newer", true],
        ["newest", true],
      ],
      "newest",
    ],
    [
      "pages without a commit do not count",
      [
        ["new", true],
        ["not yet", false],
      ],
      "new",
    ],
    ["a log without any commit changes nothing", [["not yet", false]], "old"],
  ] as const)("%s", async (_name, states, expected) => {
    const transactions = await Promise.all(
      states.map(async ([text, committed]) => ({ pages: await database(text), committed })),
    );
    for (const littleEndian of [true, false]) {
      const image = applyWal(await database("old"), writeAheadLog(transactions, littleEndian));
      expect(await textIn(image)).toBe(expected);
    }
  });

  test.each([
    ["broken off in the last frame", (log: Buffer) => log.subarray(0, -1)],
    ["with a flipped bit in the second transaction", (log: Buffer) => flip(log, log.length - 10)],
    ["followed by frames of an earlier log", (log: Buffer) => log.fill(0xff, log.length - pageBytes - 24)],
  ])("ends before what is torn: %s", async (_name, tear) => {
    const transactions = [
      { pages: await database("whole"), committed: true },
      { pages: await database("torn"), committed: true },
    ];
    expect(await textIn(applyWal(await database("old"), tear(writeAheadLog(transactions))))).toBe("whole");
  });

  test("holds the whole database when nothing of it was written back yet", async () => {
    const log = writeAheadLog([{ pages: await database("new"), committed: true }]);
    expect(await textIn(applyWal(new Uint8Array(), log))).toBe("new");
  });

  test.each([
    ["empty", Buffer.alloc(0)],
    ["no log", Buffer.alloc(64, "x")],
    ["a header that does not hold", flip(writeAheadLog([]), 20)],
  ])("leaves the database as it is when the log is %s", async (_name, log) => {
    expect(await textIn(applyWal(await database("old"), log))).toBe("old");
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

describe("reading a database that others write", () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "mawps-test-image-"))));
  afterEach(async () => await rm(folder, { recursive: true, force: true }));

  test("waits for a rollback journal to go", async () => {
    const path = join(folder, "data.sqlite");
    await writeFile(path, await database("torn"));
    await writeFile(`${path}-journal`, Buffer.from("d9d505f920a163d7", "hex"));
    const reading = readSqliteImage(path, signal);
    await writeFile(path, await database("whole"));
    await rm(`${path}-journal`);
    expect(await textIn(await reading)).toBe("whole");
  });

  test("ends with a hint when a crash left a journal behind", async () => {
    const path = join(folder, "data.sqlite");
    await writeFile(path, await database("torn"));
    await writeFile(`${path}-journal`, Buffer.from("d9d505f920a163d7", "hex"));
    await expect(readSqliteImage(path, signal)).rejects.toThrow(
      /in the middle of a change that does not end/,
    );
  });

  test("is ended by an abort while it waits", async () => {
    const path = join(folder, "data.sqlite");
    await writeFile(path, await database("torn"));
    await writeFile(`${path}-journal`, Buffer.from("d9d505f920a163d7", "hex"));
    const abort = new AbortController();
    const reading = readSqliteImage(path, abort.signal);
    abort.abort();
    await expect(reading).rejects.toThrow(/abort/i);
  });

  test("names a file that is no database, and none of its content", async () => {
    const error: unknown = await sqliteRow(
      Buffer.from("FAKE-TOKEN ".repeat(1000)),
      "SELECT 1 FROM data",
      [],
    ).catch((caught: unknown) => caught);
    expect(String(error)).toMatch(/could not be read: it is damaged or of an unknown version/);
    expect(`${String(error)} ${String((error as Error).cause)}`).not.toContain("FAKE");
  });
});
