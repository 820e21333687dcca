import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collected, readNamedFile, readTextFile } from "../src/text-file.ts";

let folder: string;
let file: string;
let pipe: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-test-file-"));
  file = join(folder, "a.txt");
  await writeFile(file, "\uFEFFGröße");
  pipe = join(folder, "pipe");
  if (process.platform !== "win32") execFileSync("mkfifo", [pipe]);
});

afterAll(() => rm(folder, { recursive: true }));

const named = { what: "a letter", mostBytes: 10 };

it("reads bytes as they are, and text without its mark", async () => {
  expect((await readNamedFile(file, named))?.toString()).toBe("\uFEFFGröße");
  expect(await readTextFile(file, named)).toBe("Größe");
});

it.each(["none.txt", "a.txt/none.txt"])("reads none where there is none: %s", async (name) => {
  expect(await readNamedFile(join(folder, name), named)).toBeUndefined();
});

it("refuses a file that is larger, in numbers", async () => {
  await expect(readNamedFile(file, { ...named, mostBytes: 9 })).rejects.toMatchObject({
    message: `${file} has 10 B; a letter has at most 9 B`,
    exitCode: 2,
  });
});

describe.skipIf(process.platform === "win32")("what is no regular file", () => {
  it("is not waited for, nor read without end", async () => {
    await expect(readNamedFile(pipe, named)).rejects.toThrow("is no regular file, and so not a letter");
    for (const takesPipes of [false, true]) {
      await expect(readNamedFile("/dev/zero", { ...named, takesPipes })).rejects.toThrow("no regular file");
      await expect(readNamedFile(folder, { ...named, takesPipes })).rejects.toThrow("is a folder");
    }
  });

  it("is read where pipes are taken, up to the limit", async () => {
    const taking = { ...named, takesPipes: true };
    const [read] = await Promise.all([readNamedFile(pipe, taking), writeFile(pipe, "0123456789")]);
    expect(read?.toString()).toBe("0123456789");
    const [refused] = await Promise.allSettled([readNamedFile(pipe, taking), writeFile(pipe, "0123456789a")]);
    expect(refused).toMatchObject({ reason: { message: `${pipe} has more than the 10 B of a letter` } });
  });
});

it("ends a stream that has no end", async () => {
  let pulled = 0;
  async function* endless() {
    for (;;) {
      pulled += 1;
      yield Buffer.from("abc");
    }
  }
  expect(await collected(endless(), 10)).toBeUndefined();
  expect(pulled).toBe(4);
});
