import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expandPatterns } from "../../src/documents/file-patterns.ts";

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-patterns-"));
  await mkdir(join(folder, "2025"));
  await mkdir(join(folder, "2026", "cv"), { recursive: true });
  const names = [
    "a.pdf",
    "b c.pdf",
    "Größe.pdf",
    "u\u0308.pdf",
    ".hidden.pdf",
    "[x].pdf",
    "x.pdf",
    "a+.txt",
    "^.txt",
  ];
  for (const name of [...names, "2025/z.pdf", "2026/z.pdf", "2026/cv/q.pdf"])
    await writeFile(join(folder, name), "");
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe("the files of a pattern", () => {
  it.each<[string, string[]]>([
    ["a.pdf", ["a.pdf"]],
    ["none.pdf", ["none.pdf"]],
    ["-", ["-"]],
    ["*.pdf", ["Größe.pdf", "[x].pdf", "a.pdf", "b c.pdf", "u\u0308.pdf", "x.pdf"]],
    ["*.doc", ["*.doc"]],
    ["?.pdf", ["a.pdf", "u\u0308.pdf", "x.pdf"]],
    ["\u00fc*", ["u\u0308.pdf"]],
    ["[a-c]*.pdf", ["a.pdf", "b c.pdf"]],
    ["[!a-zA-Z]*.pdf", ["[x].pdf", "u\u0308.pdf"]],
    ["[x].pdf", ["[x].pdf"]],
    ["[ax].pdf", ["a.pdf", "x.pdf"]],
    ["[z-a].pdf", ["[z-a].pdf"]],
    ["[^]].txt", ["^.txt"]],
    ["[]^].txt", ["^.txt"]],
    ["[.pdf", ["[.pdf"]],
    ["a+.t?t", ["a+.txt"]],
    [".*", [".hidden.pdf"]],
    ["202?/*.pdf", ["2025/z.pdf", "2026/z.pdf"]],
    ["./2026/*/*", ["./2026/cv/q.pdf"]],
    ["2026/*", ["2026/z.pdf"]],
    ["gone/*.pdf", ["gone/*.pdf"]],
    ["a.pdf/*", ["a.pdf/*"]],
  ])("%s", async (pattern, files) => {
    expect(await expandPatterns([pattern], folder)).toEqual(files);
  });

  it("may be told by a path from the root", async () => {
    expect(await expandPatterns([join(folder, "202[5]", "*")], "/")).toEqual([join(folder, "2025", "z.pdf")]);
  });

  it("stand in the order of the words", async () => {
    expect(await expandPatterns(["x.pdf", "2025/*", "a.*"], folder)).toEqual([
      "x.pdf",
      "2025/z.pdf",
      "a.pdf",
    ]);
  });
});
