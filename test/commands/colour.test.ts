import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stateTone } from "../../src/output/tones.ts";
import { putProfile } from "../support/documents.ts";
import { makeHome, type TestHome } from "../support/world.ts";

const escape = "\u001B";
const green = (text: string) => `${escape}[32m${text}${escape}[39m`;
const dim = (text: string) => `${escape}[2m${text}${escape}[22m`;
const colours = { NO_COLOR: "", TERM: "xterm" };

it.each([
  ["READY", "good"],
  ["INFECTED", "bad"],
  ["applied, code changed", "good"],
  ["pending", "warning"],
  ["soft-delete ", "warning"],
  ["purge       ", "bad"],
  ["DELETED", "dim"],
  ["no table", undefined],
  ["constructor", undefined],
  ["", undefined],
])("the state %j is %s", (text, tone) => {
  expect(stateTone(text)).toBe(tone);
});

describe("colours", () => {
  let home: TestHome;
  const id = "doc-1";

  beforeAll(async () => {
    home = await makeHome();
    const s3Key = "public/documents/user-1/cv/1-cv.txt";
    const entry = { id, name: `cv${escape}[31m.txt`, type: "cv", s3Key, size: 9, status: "READY" };
    await home.look((aws) => putProfile(aws, "user-1", { documents: [entry] }));
  });
  afterAll(() => home.remove());

  const list = ["doc", "list", "user-1"];

  it.each([[list], [["doc", "list", "--all"]]])(
    "tell on a terminal of %j what the words tell, and come from nobody else",
    async (argv) => {
      const { stdout } = await home.run(argv, { columns: 120, env: colours });
      expect(stdout).toContain(green("READY"));
      expect(stdout).toContain(dim(id));
      expect(stdout).toContain(String.raw`cv\x1b[31m`);
      const plain = await home.run(argv, { columns: 120 });
      expect(stripVTControlCharacters(stdout)).toBe(plain.stdout);
    },
  );

  it.each<[string, string[], { columns?: number; env: Record<string, string> }]>([
    ["where NO_COLOR is set", list, { columns: 120, env: { ...colours, NO_COLOR: "1" } }],
    ["where MAWPS_NO_COLOR is set", list, { columns: 120, env: { ...colours, MAWPS_NO_COLOR: "1" } }],
    ["with --no-color", [...list, "--no-color"], { columns: 120, env: colours }],
    ["on a terminal that has none", list, { columns: 120, env: { ...colours, TERM: "dumb" } }],
    ["in a pipe", list, { env: colours }],
    ["in JSON", [...list, "--json"], { columns: 120, env: colours }],
    [
      "in an error without",
      ["doc", "show", "user-1", "none"],
      { columns: 120, env: { ...colours, TERM: "dumb" } },
    ],
  ])("are not shown %s", async (_name, argv, options) => {
    const { stdout, stderr } = await home.run(argv, options);
    expect(stdout + stderr).not.toBe("");
    expect(stdout + stderr).not.toContain(`${escape}[3`);
    expect(stdout).not.toContain(escape);
  });

  it("mark the question before something is deleted, with foreign names shown", async () => {
    home.asked.length = 0;
    const { exitCode } = await home.run(["doc", "rm", "user-1", id], { answers: [false], env: colours });
    expect(exitCode).toBe(1);
    expect(home.asked).toHaveLength(1);
    const [question = ""] = home.asked;
    expect(question.startsWith(`${escape}[31mDelete 1 document `)).toBe(true);
    expect(question.endsWith(`${escape}[39m`)).toBe(true);
    expect(question.slice(5, -5)).not.toContain(escape);
  });

  it.each([60, 80])("never take a line beyond %i columns", async (columns) => {
    const { stdout } = await home.run(list, { columns, env: colours });
    const lines = stripVTControlCharacters(stdout).split("\n");
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(columns);
  });
});
