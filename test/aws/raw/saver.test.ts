import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openSaver, type Saver } from "../../../src/aws/raw/saver.ts";

const bundled = join(import.meta.dirname, "..", "..", "..", "dist", "save-worker.js");

let folder: string;
let saver: Saver | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-saver-"));
});

afterEach(async () => {
  await saver?.close();
  saver = undefined;
  await rm(folder, { recursive: true });
});

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Memory of their own, as chunks from a socket have. */
function chunksOf(...texts: string[]): Uint8Array[] {
  return texts.map((text) => new Uint8Array(Buffer.from(text)));
}

/** Another thread comes to be in its own time on two busy cores; the default is one second. */
const patience = { timeout: 60_000 };

/** A saver whose other thread has come to be: it takes the memory away from this one. */
async function started(script: string): Promise<Saver> {
  const opened = openSaver(script);
  saver = opened;
  const file = { path: join(folder, "first"), overwrite: true, sha256: sha256("first") };
  await vi.waitFor(async () => {
    const chunks = chunksOf("first");
    expect(await opened.save(chunks, file)).toBe("saved");
    expect(chunks[0]?.byteLength).toBe(0);
  }, patience);
  await rm(file.path, { force: true });
  return opened;
}

describe.each([
  ["in this thread", async () => openSaver(undefined)],
  ["in another thread", () => started(bundled)],
])("a saver %s", (_where, open) => {
  test("writes many files at once, each under its name alone", async () => {
    const opened = await open();
    const texts = Array.from({ length: 50 }, (_, number) => `text ${number}`);
    const saved = texts.map((text) =>
      opened.save(chunksOf("the ", text), {
        path: join(folder, text),
        overwrite: false,
        sha256: sha256(`the ${text}`),
      }),
    );
    expect(new Set(await Promise.all(saved))).toEqual(new Set(["saved"]));
    expect((await readdir(folder)).toSorted()).toEqual(texts.toSorted());
    expect(await Promise.all(texts.map((text) => readFile(join(folder, text), "utf8")))).toEqual(
      texts.map((text) => `the ${text}`),
    );
  });

  test("writes nothing of bytes that have another hash", async () => {
    const opened = await open();
    const file = { path: join(folder, "file"), overwrite: true, sha256: sha256("others") };
    expect(await opened.save(chunksOf("bytes"), file)).toBe("other bytes");
    expect(await readdir(folder)).toEqual([]);
  });

  test("keeps a file that has the name, unless it is to be replaced", async () => {
    const opened = await open();
    const path = join(folder, "file");
    await writeFile(path, "mine");
    const file = { path, sha256: sha256("theirs") };
    expect(await opened.save(chunksOf("theirs"), { ...file, overwrite: false })).toBe("name taken");
    expect(await readFile(path, "utf8")).toBe("mine");
    expect(await opened.save(chunksOf("theirs"), { ...file, overwrite: true })).toBe("saved");
    expect(await readFile(path, "utf8")).toBe("theirs");
    expect(await readdir(folder)).toEqual(["file"]);
  });

  test("tells what the system refuses by its code, its call and the path", async () => {
    const opened = await open();
    const file = { path: join(folder, "none", "file"), overwrite: false, sha256: sha256("bytes") };
    await expect(opened.save(chunksOf("bytes"), file)).rejects.toMatchObject({
      message: expect.stringContaining("ENOENT"),
      code: "ENOENT",
      syscall: "open",
      path: expect.stringContaining(file.path),
    });
  });

  test("leaves the memory around a chunk to whom it belongs", async () => {
    const opened = await open();
    const memory = new Uint8Array(Buffer.from("before bytes after"));
    const path = join(folder, "file");
    await opened.save([memory.subarray(7, 12)], { path, overwrite: false, sha256: sha256("bytes") });
    expect(await readFile(path, "utf8")).toBe("bytes");
    expect(Buffer.from(memory).toString()).toBe("before bytes after");
  });
});

test("two that save the same files at once give each its name, whole, and nothing stays beside it", async () => {
  const scripted = [await started(bundled), await started(bundled)];
  const names = Array.from({ length: 300 }, (_, number) => `file ${number}`);
  const saved = await Promise.all(
    names.flatMap((name) =>
      scripted.map((opened) =>
        opened.save(chunksOf(name), { path: join(folder, name), overwrite: false, sha256: sha256(name) }),
      ),
    ),
  );
  expect(new Set(saved)).toEqual(new Set(["saved", "name taken"]));
  expect((await readdir(folder)).toSorted()).toEqual(names.toSorted());
  const there = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  expect(there).toEqual(names);
  await scripted[0]?.close();
});

test("without another thread this one saves", async () => {
  // Refused as a limit of processes refuses it: by what makes the thread.
  const opened = openSaver("neither-absolute-nor-relative.js");
  saver = opened;
  const file = { path: join(folder, "file"), overwrite: false, sha256: sha256("bytes") };
  expect(await opened.save(chunksOf("bytes"), file)).toBe("saved");
  expect(await readFile(file.path, "utf8")).toBe("bytes");
});

test("a thread that ends takes what it was to save with it, and that is told", async () => {
  const script = join(folder, "ends.js");
  await writeFile(
    script,
    `let saved = 0;
    require("node:worker_threads").parentPort.on("message", ({ id }) => {
      if (saved++ > 0) process.exit(7);
      require("node:worker_threads").parentPort.postMessage({ id, saved: "saved" });
    });`,
  );
  const opened = await started(script);
  const file = { path: join(folder, "file"), overwrite: false, sha256: sha256("bytes") };
  await expect(opened.save(chunksOf("bytes"), file)).rejects.toThrow("has ended");
  await expect(opened.save(chunksOf("bytes"), file)).rejects.toThrow("has ended");
  expect(await readdir(folder)).toEqual(["ends.js"]);
});
