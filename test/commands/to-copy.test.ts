import { afterAll, beforeAll, expect, it } from "vitest";
import { makeHome, type TestHome } from "../support/world.ts";

let home: TestHome;
beforeAll(async () => {
  home = await makeHome();
  await home.run(["doc", "request", "user-1", "--type", "cv", "--name", "a b.pdf", "--create-profile"]);
});
afterAll(() => home.remove());

it.each([
  {
    argv: ["doc", "request", "user-1", "--type", "cv", "--name", "a b.pdf"],
    has: "-H 'Content-Type: application",
  },
  { argv: ["access", "policy", "owner", "--sql", "--model", "lopez"], has: "GRANT ALTER, ALTER ROUTINE, " },
  { argv: ["twin", "snippet"], has: "digitalTwinTraining" },
  { argv: ["completion", "bash"], has: "complete " },
  { argv: ["model", "graph", "prework"], has: "flowchart" },
])("a narrow terminal folds no line of $argv: it is to be copied", async ({ argv, has }) => {
  const [narrow, wide] = [await home.run(argv, { columns: 30 }), await home.run(argv)];
  expect([narrow.exitCode, wide.exitCode]).toEqual([0, 0]);
  expect(wide.stdout).toContain(has);
  const lengths = (text: string) => text.split("\n").map((line) => line.length);
  expect(Math.max(...lengths(wide.stdout))).toBeGreaterThan(60);
  expect(lengths(narrow.stdout)).toEqual(lengths(wide.stdout));
});
