import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeHome } from "../support/world.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-test-action-"));
  // Prints its words one a line, as mawps would get them, and ends as the first one says.
  const program = `#!/bin/bash\nprintf '[%s]\\n' "$@"\necho '</pre><b>&' >&2\nexit "$1"\n`;
  await writeFile(join(folder, "mawps"), program, { mode: 0o755 });
});
afterAll(() => rm(folder, { recursive: true }));

test.each([
  ["4 --name 'two words' $(id) *", 4, "problems were found", ["4", "--name", "two words", "$(id)", "*"]],
  ["0", 0, "done", ["0"]],
])(
  "the action runs %s, ends as it does and puts it on the page of the job",
  async (run, code, came, words) => {
    const [summary, output] = [join(folder, `${code}.md`), join(folder, `${code}.txt`)];
    const env = {
      PATH: `${folder}:${process.env["PATH"] ?? ""}`,
      MAWPS_RUN: run,
      GITHUB_STEP_SUMMARY: summary,
      GITHUB_OUTPUT: output,
    };
    const { status, stdout } = spawnSync("bash", ["scripts/action.sh"], { env, encoding: "utf8" });
    const said = words.map((word) => `[${word}]\n`).join("");
    expect([status, stdout]).toEqual([code, expect.stringContaining(said)]);
    expect(await readFile(output, "utf8")).toBe(`exit-code=${code}\n`);
    const page = await readFile(summary, "utf8");
    expect(page).toMatch(new RegExp(`^<h3>mawps .*: ${came}</h3>`));
    expect(page).toContain(said);
    expect(page).toContain("&lt;/pre&gt;&lt;b&gt;&amp;");
  },
);

test("what the workflows of the page run does what they want of it", async () => {
  const page = await readFile("docs/ci.md", "utf8");
  const runs = [...page.matchAll(/- uses: mawps\/mawps@v1\n +with:\n +run: (.+)/g)].map(
    ([, line = ""]) => line,
  );
  expect(runs.map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
    "backup create",
    "backup verify",
    "backup prune",
    "backup drill",
    "retention plan",
    "retention run",
    "audit verify",
  ]);
  // Those of backups stand, word for word, in pages whose blocks a test runs.
  const pages = await Promise.all(
    ["backup", "keeping-backups"].map((name) => readFile(`docs/${name}.md`, "utf8")),
  );
  const pasted = (line: string) =>
    pages.some((text) => new RegExp(`^mawps ${line}( *#.*)?$`, "m").test(text));
  const [ofBackups, others] = [runs.slice(0, 4), runs.slice(4)];
  expect(ofBackups.filter((line) => !pasted(line))).toEqual([]);
  const home = await makeHome();
  const ended = [];
  for (const line of others) {
    const { exitCode, stderr } = await home.run([...line.split(" "), "--quiet"]);
    ended.push([line, exitCode, stderr]);
  }
  expect(ended).toEqual(others.map((line) => [line, 0, ""]));
  await home.remove();
});

test("the action runs no part of a command whose quotes have no end", async () => {
  const output = join(folder, "unended.txt");
  const env = {
    PATH: `${folder}:${process.env["PATH"] ?? ""}`,
    MAWPS_RUN: "0 plan's.json --dry-run",
    GITHUB_OUTPUT: output,
  };
  const { status, stdout, stderr } = spawnSync("bash", ["scripts/action.sh"], { env, encoding: "utf8" });
  expect([status, stdout, stderr]).toEqual([2, "", expect.stringContaining("a quote has no end")]);
  await expect(readFile(output)).rejects.toThrow("ENOENT");
});
