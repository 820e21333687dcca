import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { suggestion } from "../src/suggestion.ts";
import { makeHome, type TestHome } from "./support/world.ts";

describe("suggestion", () => {
  const backup = ["create", "list", "show", "verify", "restore", "drill", "diff", "prune"];
  const hero = ["set", "show", "list", "rollback", "rm"];
  it.each([
    { word: "run", verbs: backup, meant: undefined },
    { word: "prun", verbs: backup, meant: undefined },
    { word: "rn", verbs: hero, meant: undefined },
    { word: "get", verbs: hero, meant: "show" },
    { word: "sett", verbs: hero, meant: "set" },
    { word: "shwo", verbs: hero, meant: undefined },
    { word: "lsit", verbs: ["list", "rm"], meant: undefined },
    { word: "lis", verbs: hero, meant: "list" },
    { word: "crate", verbs: backup, meant: "create" },
    { word: "constructor", verbs: backup, meant: undefined },
  ])("leads from $word to $meant", ({ word, verbs, meant }) => {
    expect(suggestion(word, verbs)).toBe(meant);
  });
});

describe("the command line", () => {
  let home: TestHome;
  beforeEach(async () => {
    home = await makeHome();
  });
  afterEach(() => home.remove());

  it.each([
    { argv: ["backup", "run"], says: "there are: create, list" },
    { argv: ["hero", "get"], says: "Did you mean show?" },
    { argv: ["hero", "sett"], says: "Did you mean set?" },
    { argv: ["backup", "native", "lst"], says: "Did you mean list?" },
  ])("$argv is no command, and nothing is done", async ({ argv, says }) => {
    const { exitCode, stdout, stderr } = await home.run(argv);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(says);
    const json = await home.run([...argv, "--json"]);
    expect(JSON.parse(json.stderr)).toMatchObject({
      exitCode: 2,
      hint: expect.stringContaining(says) as string,
    });
  });

  it("folds what is wrong with a command line as any other error, and names all that is missing", async () => {
    const narrow = { columns: 50 };
    expect((await home.run(["backup", "diff", "latest~1", "latest"], narrow)).stderr).toMatch(
      /^error: command-argument value 'latest~1' is\n {2}invalid for /,
    );
    expect((await home.run(["hero", "sett"], narrow)).stderr).toBe(
      "error: unknown command 'sett'\nhint: Did you mean set?\n",
    );
    expect((await home.run(["doc", "request"])).stderr).toBe(
      "error: missing: <user>, --name <name>\nhint: `mawps doc request --help` shows what it takes\n",
    );
    expect((await home.run(["backup", "diff"])).stderr).toMatch(/^error: missing: <from>, <to>\n/);
  });

  it("knows the words of other tools, and does not show them", async () => {
    expect((await home.run(["hero", "ls", "--json"])).exitCode).toBe(0);
    expect((await home.run(["doc", "delete", "--help"])).stdout).toContain("Usage: mawps doc rm ");
    expect((await home.run(["version"])).stdout).toBe((await home.run(["--version"])).stdout);
    expect((await home.run(["doc", "--help"])).stdout).not.toMatch(/\|(ls|delete|download)/);
  });

  it("shows the verbs of a noun first, the options of every command after them, and two examples", async () => {
    const { stdout } = await home.run(["doc", "--help"]);
    const places = ["Commands:", "Options:", "Global Options:", "Examples:"].map((title) =>
      stdout.indexOf(`\n${title}`),
    );
    expect(places).toEqual(places.toSorted((one, other) => one - other));
    expect(places[0]).toBeGreaterThan(0);
    expect(stdout.slice(places[3]).match(/^ {2}mawps doc/gm)).toHaveLength(2);
  });
});
