import { mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeFolders } from "../src/make-folders.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-test-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("makes what is missing, and tells the uppermost of it", async () => {
  const path = join(folder, "a", "b", "c");
  expect(await makeFolders(path, 0o700)).toBe(join(folder, "a"));
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  expect(await makeFolders(path)).toBeUndefined();
});

test("is refused where a file has the name", async () => {
  await writeFile(join(folder, "a"), "");
  await expect(makeFolders(join(folder, "a"))).rejects.toMatchObject({ code: "EEXIST" });
  await expect(makeFolders(join(folder, "a", "b"))).rejects.toMatchObject({ code: "ENOTDIR" });
});

/** Windows lets only administrators make links. */
test.skipIf(process.platform === "win32")("is refused where a link leads nowhere", async () => {
  await symlink(join(folder, "nowhere"), join(folder, "link"));
  await expect(makeFolders(join(folder, "link"))).rejects.toMatchObject({ code: "EEXIST", syscall: "mkdir" });
});

test.skipIf(process.platform !== "linux")("ends where the system answers ENOENT for a parent", async () => {
  await expect(makeFolders("/proc/nowhere/.cache/mawps")).rejects.toMatchObject({ code: "ENOENT" });
});
