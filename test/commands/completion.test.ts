import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../e2e/programs.ts";
import { putDocument, putProfile } from "../support/documents.ts";
import { makeHome, type TestHome } from "../support/world.ts";

let home: TestHome;
let folder: string;

beforeEach(async () => {
  home = await makeHome();
  folder = await mkdtemp(join(tmpdir(), "mawps-completion-"));
  await writeFile(join(folder, "mein bild.jpg"), "");
});

afterEach(async () => {
  await home.remove();
  await rm(folder, { recursive: true });
});

/** What bash would offer after these words, the last of which is being typed. */
async function offered(...words: string[]): Promise<string[]> {
  const script = (await home.run(["completion", "bash"])).stdout;
  const ask = `${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mawps; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder };
  const outcome = await run("/bin/bash", ["-c", ask, "bash", ...words], { env, cwd: folder });
  return outcome.stdout.split("\n").filter((line) => line !== "");
}

it("offers in bash profiles and backups that are at hand, and runs nothing that their names say", async () => {
  await mkdir(join(folder, ".aws"));
  const profiles =
    "[default]\n[profile work]\nregion = x\n[profile $(touch pwned)]\n[profile `touch pwned`]\n";
  await writeFile(join(folder, ".aws", "config"), profiles);
  for (const id of ["20260301T120000Z-1f", "$(touch pwned)"])
    await mkdir(join(folder, ".mawps", "backups", "snapshots", id), { recursive: true });
  expect(await offered("mawps", "hero", "show", "--profile", "")).toEqual(["default", "work"]);
  expect(await offered("mawps", "hero", "show", "--profile", "w")).toEqual(["work"]);
  expect(await offered("mawps", "backup", "show", "")).toEqual(["latest", "20260301T120000Z-1f"]);
  expect(await readdir(folder)).not.toContain("pwned");
});

it("offers in bash the users and documents that were listed last at a terminal, by plain names alone", async () => {
  await home.run(["setup", "--yes"]);
  await home.look(async (aws) => {
    for (const [userId, id] of [
      ["user-1", "doc-1"],
      ["$(touch pwned)", "doc-2"],
    ] as const)
      await putProfile(aws, userId, { documents: [await putDocument(aws, { userId, id, body: id })] });
  });
  const env = { XDG_CACHE_HOME: join(folder, ".cache") };
  expect((await home.run(["doc", "list", "--all", "--dry-run"], { env, columns: 100 })).exitCode).toBe(0);
  expect((await home.run(["doc", "list", "--all"], { env })).exitCode).toBe(0);
  expect(await offered("mawps", "doc", "show", "")).toEqual([]);
  expect((await home.run(["doc", "list", "--all"], { env, columns: 100 })).exitCode).toBe(0);
  expect(await offered("mawps", "doc", "show", "u")).toEqual(["user-1"]);
  expect(await offered("mawps", "doc", "show", "user-1", "doc")).toEqual(["doc-1", "doc-2"]);
  expect(await offered("mawps", "avatar", "url", "")).toEqual(["user-1"]);
  expect(await offered("mawps", "hero", "rollback", "")).toEqual([]);
  expect((await stat(join(folder, ".cache", "mawps", "shown"))).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).not.toContain("pwned");
});

describe("completion in bash", () => {
  it.each([
    { typed: ["mawps", "her"], gives: ["hero"] },
    { typed: ["mawps", "hero", "ro"], gives: ["rollback"] },
    { typed: ["mawps", "--json", "hero", "ro"], gives: ["rollback"] },
    { typed: ["mawps", "completion", ""], gives: ["bash", "zsh", "fish"] },
    { typed: ["mawps", "--target", ""], gives: ["local", "aws"] },
    { typed: ["mawps", "hero", "set", "--max"], gives: ["--max-width"] },
    { typed: ["mawps", "hero", "set", "me"], gives: ["mein bild.jpg"] },
    { typed: ["mawps", "hero", "set", "--hover", ""], gives: ["mein bild.jpg"] },
    { typed: ["mawps", "backup", "create", "--repo", ""], gives: ["mein bild.jpg"] },
    { typed: ["mawps", "retention", "run", "me"], gives: ["mein bild.jpg"] },
    { typed: ["mawps", "hero", "list", ""], gives: [] },
  ])("offers $gives after $typed", async ({ typed, gives }) => {
    expect(await offered(...typed)).toEqual(gives);
  });
});
