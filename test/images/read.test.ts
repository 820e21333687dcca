import { chmod, mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CliError } from "../../src/errors.ts";
import { readImage } from "../../src/images/read.ts";

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-read-"));
  await chmod(folder, 0o755);
  await mkdir(join(folder, "album"));
  await writeFile(join(folder, "me.jpg"), "pixels");
  await writeFile(join(folder, "none.jpg"), "");
  await writeFile(join(folder, "secret.jpg"), "pixels", { mode: 0o000 });
  await writeFile(join(folder, "huge.jpg"), "");
  await truncate(join(folder, "huge.jpg"), 100_000_001); // Sparse: takes no room.
});

afterAll(() => rm(folder, { recursive: true }));

describe("from a path", () => {
  test("the whole file is read", async () => {
    expect((await readImage(join(folder, "me.jpg"))).toString()).toBe("pixels");
  });

  test.each([
    ["missing", "nobody.jpg", "nobody.jpg does not exist"],
    ["below a file", "me.jpg/more.jpg", "more.jpg does not exist"],
    ["a folder", "album", "album is a folder"],
    ["empty", "none.jpg", "none.jpg is empty"],
    ["too large", "huge.jpg", "huge.jpg is larger than 100 MB"],
  ])("%s", async (_name, file, message) => {
    const reading = readImage(join(folder, file));
    await expect(reading).rejects.toThrow(CliError);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toHaveProperty("hint", expect.stringMatching(/\w/));
  });

  test("messages call the file as its user did", async () => {
    const reading = readImage(join(folder, "nobody.jpg"), { name: "./nobody.jpg" });
    await expect(reading).rejects.toThrow(/^\.\/nobody\.jpg does not exist$/);
  });

  test("a file without permission is named as such", async () => {
    const root = process.getuid?.() === 0;
    if (root) process.seteuid?.(65_534); // Root may read everything: look with the eyes of nobody.
    try {
      await expect(readImage(join(folder, "secret.jpg"))).rejects.toThrow("secret.jpg may not be read");
    } finally {
      if (root) process.seteuid?.(0);
    }
  });
});

describe("from a stream", () => {
  test("chunks are put together", async () => {
    const bytes = await readImage(Readable.from([Buffer.from("pix"), Buffer.from("els")]));
    expect(bytes.toString()).toBe("pixels");
  });

  test("nothing on standard input is an error", async () => {
    await expect(readImage(Readable.from([]))).rejects.toThrow("standard input is empty");
  });

  test("an endless stream is left at the limit", async () => {
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        given += 1000;
        yield new Uint8Array(1000);
      }
    }
    await expect(readImage(endless(), { maxBytes: 5_000_000, name: "upload" })).rejects.toThrow(
      "upload is larger than 5 MB",
    );
    expect(given).toBe(5_001_000);
  });
});
