import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ClassicLevel } from "classic-level";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readChromiumStorage } from "../../src/browser-storage/chromium.ts";
import { TornCopy, withLevelDbCopy } from "../../src/browser-storage/private-copy.ts";

const origin = "https://www.example.com";
const { signal } = new AbortController();
let root: string;
let tempRoot: string;
let levelDb: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "mawps-test-copy-"));
  tempRoot = join(root, "temp");
  levelDb = join(root, "profile", "Local Storage", "leveldb");
  await mkdir(tempRoot);
  await mkdir(levelDb, { recursive: true });
});

afterEach(async () => await rm(root, { recursive: true, force: true }));

async function storage(): Promise<ClassicLevel> {
  const database = new ClassicLevel(levelDb);
  await database.open();
  return database;
}

function stored(text: string): string {
  return `\u0001${text}`;
}

async function readTwin(): Promise<string | undefined> {
  const query = { origin, key: "digitalTwinTraining" };
  return (await readChromiumStorage(join(root, "profile"), query, { signal, tempRoot }))?.text;
}

describe("the private copy of a LevelDB", () => {
  test("is a folder that nobody else may read, with every file but the lock and the logs for people", async () => {
    await using database = await storage();
    await database.put("a", "b");
    const seen = await withLevelDbCopy(levelDb, { tempRoot, signal }, async (copy) => {
      return { mode: (await stat(copy)).mode & 0o777, files: (await readdir(copy)).toSorted() };
    });
    expect(seen).toStrictEqual({ mode: 0o700, files: ["000003.log", "CURRENT", "MANIFEST-000002"] });
    expect(await readdir(tempRoot)).toStrictEqual([]);
  });

  test("is gone after an error", async () => {
    const using = withLevelDbCopy(levelDb, { tempRoot, signal }, async () => {
      throw new Error("in use");
    });
    await expect(using).rejects.toThrow("in use");
    expect(await readdir(tempRoot)).toStrictEqual([]);
  });

  test("is gone after an abort", async () => {
    await writeFile(join(levelDb, "000001.log"), "x");
    const abort = new AbortController();
    const using = withLevelDbCopy(levelDb, { tempRoot, signal: abort.signal }, async () => {
      abort.abort();
      abort.signal.throwIfAborted();
    });
    await expect(using).rejects.toThrow(/abort/i);
    expect(await readdir(tempRoot)).toStrictEqual([]);
  });

  test("is made again when it does not open, and given up at last with nothing left", async () => {
    let copies = 0;
    const using = withLevelDbCopy(levelDb, { tempRoot, signal }, async () => {
      copies += 1;
      throw new TornCopy("half");
    });
    await expect(using).rejects.toThrow(/could not be copied as a whole/);
    expect(copies).toBeGreaterThan(1);
    expect(await readdir(tempRoot)).toStrictEqual([]);
  });

  test("of a run that was killed is removed by the next one; that of a run at work stays", async () => {
    await mkdir(join(tempRoot, "mawps-browser-999999999-dead"));
    await writeFile(join(tempRoot, "mawps-browser-999999999-dead", "000003.log"), "FAKE-TOKEN");
    await chmod(join(tempRoot, "mawps-browser-999999999-dead"), 0o700);
    await mkdir(join(tempRoot, `mawps-browser-${process.pid}-alive`));
    await withLevelDbCopy(levelDb, { tempRoot, signal }, async () => undefined);
    expect(await readdir(tempRoot)).toStrictEqual([`mawps-browser-${process.pid}-alive`]);
  });

  test("of another user is left to them, and so is what only has such a name", async () => {
    const theirs = "mawps-browser-999999998-theirs";
    await writeFile(join(tempRoot, "mawps-browser-999999997-file"), "no folder");
    if (process.getuid?.() === 0) {
      await mkdir(join(tempRoot, theirs));
      await chown(join(tempRoot, theirs), 65_534, 65_534);
    }
    await withLevelDbCopy(levelDb, { tempRoot, signal }, async () => undefined);
    const left = process.getuid?.() === 0 ? [theirs] : [];
    expect((await readdir(tempRoot)).toSorted()).toStrictEqual(["mawps-browser-999999997-file", ...left]);
  });
});

describe("a LevelDB that is written meanwhile", () => {
  test("gives a whole value at any moment, never an older one than before", async () => {
    await using database = await storage();
    const put = async (round: number) => {
      const value = `${round} ${"x".repeat(20_000 + (round % 7) * 1000)}`;
      await database.put(`_${origin}\0${stored("digitalTwinTraining")}`, stored(value));
    };
    await put(0);
    const stop = new AbortController();
    const writer = (async () => {
      let round = 0;
      while (!stop.signal.aborted) {
        round += 1;
        await put(round);
        if (round % 50 === 0) await database.compactRange("_", "`");
        // A browser pauses, too; one that never does leaves no moment for a copy on a busy machine.
        await pause(1);
      }
      return round;
    })();
    const seen: number[] = [];
    try {
      for (let reading = 0; reading < 25; reading += 1) {
        const value = (await readTwin()) ?? "";
        expect(value).toMatch(/^\d+ x{20000,}$/);
        seen.push(Number.parseInt(value, 10));
      }
    } finally {
      stop.abort();
      await writer;
    }
    const last = await writer;
    expect(seen).toStrictEqual(seen.toSorted((a, b) => a - b));
    expect(Number.parseInt((await readTwin()) ?? "", 10)).toBe(last);
    expect(await readdir(tempRoot)).toStrictEqual([]);
  });

  test("keeps origins and keys apart that begin alike", async () => {
    await using database = await storage();
    await database.batch([
      { type: "put", key: `_${origin}\0${stored("digitalTwinTraining2")}`, value: stored("other key") },
      {
        type: "put",
        key: `_${origin}.evil.example\0${stored("digitalTwinTraining")}`,
        value: stored("other origin"),
      },
      { type: "put", key: `META:${origin}`, value: "x" },
    ]);
    expect(await readTwin()).toBeUndefined();
  });
});
