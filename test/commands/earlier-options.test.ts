import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeHome, type TestHome } from "../support/world.ts";

let home: TestHome;
beforeAll(async () => {
  home = await makeHome();
});
afterAll(() => home.remove());

it("writes the file that the earlier name says", async () => {
  await home.run(["retention", "plan", "--out", "again.json"]);
  expect(await readFile(join(home.folder, "again.json"), "utf8")).toContain('"environment"');
});

it.each([
  { argv: ["retention", "plan", "--out", "plan.json"], now: "--output", exitCode: 0 },
  { argv: ["doc", "get", "nobody", "--all", "--out", "got"], now: "--output", told: "nobody" },
  { argv: ["user", "erase", "nobody", "--dry-run", "--out", "erase.json"], now: "--output", told: "nobody" },
  {
    argv: ["backup", "restore", "--retry", "none.ndjson"],
    now: "--resume-from",
    told: "no backup repository",
  },
  { argv: ["init", "--target", "aws", "--force"], now: "--overwrite", exitCode: 0 },
])("$argv works as before, and says what the option is called now", async ({ argv, now, ...expected }) => {
  const { exitCode = 1, told = "" } = expected;
  const was = argv.find((word) => /^--(out|retry|force)$/.test(word)) ?? "";
  const { exitCode: ended, stderr } = await home.run(argv);
  expect([ended, stderr]).toEqual([exitCode, expect.stringContaining(`${was} is called ${now} now`)]);
  expect(stderr).toContain(told);
  expect(stderr).not.toContain("unknown option");
  const verb = argv.slice(0, argv[0] === "init" ? 1 : 2);
  const help = (await home.run([...verb, "--help"])).stdout;
  expect(help).toContain(now);
  expect(help).not.toMatch(new RegExp(`${was}\\b(?!put)`));
});
