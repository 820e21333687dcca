import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { explainSystem } from "../src/explain-system.ts";

describe("explainSystem", () => {
  it.each([
    { name: "a full disk", code: "ENOSPC", says: "/x/blob: no space left on the device" },
    { name: "a folder of somebody else", code: "EACCES", says: "/x/blob: permission denied" },
    { name: "links in a circle", code: "ELOOP", says: "/x/blob: its symbolic links lead in a circle" },
    { name: "a read-only file system", code: "EROFS", says: "/x/blob: the file system is read-only" },
  ])("names the path and $name", ({ code, says }) => {
    const refused = Object.assign(new Error(code), { code, syscall: "open", path: "/x/blob" });
    expect(explainSystem(refused)).toMatchObject({ message: says, exitCode: 1, cause: refused });
    expect(explainSystem(new Error("wrapped", { cause: refused }))?.message).toBe(says);
  });

  it.each([
    ["IO error: /x/000003.log: No space left on device", "/x/000003.log: no space left on the device"],
    ["IO error: lock /x/LOCK: Permission denied", "/x/LOCK: permission denied"],
    ["IO error: /x/a: b.log: Read-only file system", "/x/a: b.log: the file system is read-only"],
  ])("understands LevelDB's %j", (words, says) => {
    expect(explainSystem(new Error("failed to open", { cause: new Error(words) }))?.message).toBe(says);
  });

  it("tells of a folder that cannot be made: Node gives ENOENT on a read-only file system", () => {
    const refused = Object.assign(new Error("ENOENT"), { code: "ENOENT", syscall: "mkdir", path: "/x/tmp" });
    expect(explainSystem(refused)?.message).toBe("/x/tmp: the folder cannot be made");
    const taken = Object.assign(new Error("EEXIST"), { code: "EEXIST", syscall: "mkdir", path: "/x/tmp" });
    expect(explainSystem(taken)?.message).toBe("/x/tmp: a part of the path is not a folder");
  });

  it("tells of folders that are gone", () => {
    const gone = Object.assign(new Error("ENOENT"), { code: "ENOENT", syscall: "uv_cwd" });
    expect(explainSystem(gone)?.message).toBe("the current folder has been removed");
    const path = "/nowhere/mawps-a1b2c3";
    const temporary = Object.assign(new Error("ENOENT"), { code: "ENOENT", syscall: "mkdtemp", path });
    expect(explainSystem(temporary)).toMatchObject({
      message: "/nowhere: the folder for temporary files is not there",
      hint: "make it, or set TMPDIR to one that is there",
    });
  });

  it("leaves everything else alone", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mawps-test-"));
    try {
      const missing = await rm(join(folder, "none")).catch((error: unknown) => error);
      expect(explainSystem(missing)).toBeUndefined();
      const beneath = await writeFile(join(folder, "none", "file"), "").catch((error: unknown) => error);
      expect(explainSystem(beneath)).toBeUndefined();
    } finally {
      await rm(folder, { recursive: true });
    }
    expect(explainSystem(new TypeError("a bug"))).toBeUndefined();
    expect(explainSystem("text")).toBeUndefined();
  });
});
