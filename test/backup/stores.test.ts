import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { folderStore } from "../../src/backup/folder-store.ts";
import { s3Store } from "../../src/backup/s3-store.ts";
import { maxSmallFileBytes, type Store } from "../../src/backup/store.ts";
import { openLocalAws, type LocalAws } from "../support/local-aws.ts";

let local: LocalAws;
let folder: string;
let count = 0;

beforeAll(async () => {
  local = await openLocalAws();
});
afterAll(() => local.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-store-"));
});
afterEach(() => rm(folder, { recursive: true }));

const kinds: [string, () => Store][] = [
  ["a folder", () => folderStore(join(folder, "made by the first write"))],
  ["a prefix of a bucket", () => s3Store(local.aws, { bucket: "plain", prefix: `backups/${count++}` })],
  [
    "a prefix of a versioned bucket",
    () => s3Store(local.aws, { bucket: "versioned", prefix: `b/${count++}/` }),
  ],
];

async function names(store: Store, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of store.list(prefix)) found.push(name);
  return found;
}

async function read(store: Store, name: string): Promise<Buffer | undefined> {
  const opened = await store.open(name);
  if (opened === undefined) return undefined;
  const pieces: Uint8Array[] = [];
  for await (const piece of opened) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe.each(kinds)("%s", (_kind, make) => {
  test("is empty before its first write, and asks for nothing that is not there", async () => {
    const store = make();
    expect(await names(store)).toEqual([]);
    expect(await store.stat("a/b")).toBeUndefined();
    expect(await store.readBytes("a/b")).toBeUndefined();
    expect(await store.open("a/b")).toBeUndefined();
    await store.remove(["a/b"]);
  });

  test("reads no small file into memory that is none", async () => {
    const store = make();
    const path = join(folder, "large");
    await writeFile(path, "");
    await truncate(path, maxSmallFileBytes + 1);
    await store.replaceFromFile("snapshots/1/manifest.json", path);
    await expect(store.readBytes("snapshots/1/manifest.json")).rejects.toThrow(
      "larger than the 67.1 MB that it can have",
    );
  });

  test("keeps what was there when the same name is created again", async () => {
    const store = make();
    expect(await store.create("a/b.json", Buffer.from("one"))).toBe("created");
    expect(await store.create("a/b.json", Buffer.from("two"))).toBe("exists");
    expect(String(await store.readBytes("a/b.json"))).toBe("one");
    expect(await store.stat("a/b.json")).toMatchObject({ name: "a/b.json", bytes: 3 });
  });

  test("gives the name to one of twenty that ask at once", async () => {
    const store = make();
    const answers = await Promise.all(
      Array.from(
        { length: 20 },
        async (_, n) => [n, await store.create("lock", Buffer.from(`${n}`))] as const,
      ),
    );
    const winners = answers.filter(([, answer]) => answer === "created");
    expect(winners.length).toBe(1);
    expect(String(await store.readBytes("lock"))).toBe(`${winners[0]?.[0]}`);
  });

  test("replaces, and lists by whole names in order, under any beginning of a name", async () => {
    const store = make();
    for (const name of ["a/b", "a.b", "a/c/d", "ab", "a-b", "b"]) await store.create(name, Buffer.from("1"));
    await store.replace("ab", Buffer.from("other"));
    await store.replace("new", Buffer.from("new"));
    expect(String(await store.readBytes("ab"))).toBe("other");
    expect(await names(store)).toEqual(["a-b", "a.b", "a/b", "a/c/d", "ab", "b", "new"]);
    expect(await names(store, "a/")).toEqual(["a/b", "a/c/d"]);
    expect(await names(store, "a/c")).toEqual(["a/c/d"]);
    expect(await names(store, "a")).toEqual(["a-b", "a.b", "a/b", "a/c/d", "ab"]);
    await store.remove(["a/b", "a/c/d", "nothing"]);
    expect(await names(store, "a/")).toEqual([]);
    expect(await store.create("a/b", Buffer.from("again"))).toBe("created");
  });

  test("takes a large file as it is, and keeps or replaces what was there", async () => {
    const store = make();
    const bytes = randomBytes(20_000_000);
    const path = join(folder, "large");
    await writeFile(path, bytes);
    expect(await store.createFromFile("data/aa/large", path)).toBe("created");
    expect((await read(store, "data/aa/large"))?.equals(bytes)).toBe(true);
    await writeFile(path, "another");
    expect(await store.createFromFile("data/aa/large", path)).toBe("exists");
    expect(await store.stat("data/aa/large")).toMatchObject({ bytes: bytes.length });
    await store.replaceFromFile("data/aa/large", path);
    expect(String(await read(store, "data/aa/large"))).toBe("another");
    await writeFile(path, bytes);
    for (const name of ["data/aa/large", "data/bb/new"]) {
      await store.replaceFromFile(name, path);
      expect((await read(store, name))?.equals(bytes)).toBe(true);
    }
  });
});

test("a folder forgets what a crash left on its way a day ago, and shows none of it", async () => {
  const store = folderStore(folder);
  await mkdir(join(folder, "tmp"));
  const long = new Date(Date.now() - 25 * 3_600_000);
  const [old, young] = [randomUUID(), randomUUID()];
  await writeFile(join(folder, "tmp", old), "x");
  await utimes(join(folder, "tmp", old), long, long);
  await writeFile(join(folder, "tmp", young), "x");
  await store.create("a", Buffer.from("1"));
  expect(await names(store)).toEqual(["a"]);
  expect(await readdir(join(folder, "tmp"))).toEqual([young]);
});

test("files and folders of the owner's in a folder called tmp stay, however old", async () => {
  const store = folderStore(folder);
  const long = new Date(Date.now() - 25 * 3_600_000);
  await mkdir(join(folder, "tmp", "work"), { recursive: true });
  await writeFile(join(folder, "tmp", "notes.txt"), "mine");
  for (const name of ["work", "notes.txt"]) await utimes(join(folder, "tmp", name), long, long);
  expect(await store.create("a", Buffer.from("1"))).toBe("created");
  expect((await readdir(join(folder, "tmp"))).sort()).toEqual(["notes.txt", "work"]);
  expect(await readFile(join(folder, "tmp", "notes.txt"), "utf8")).toBe("mine");
});
