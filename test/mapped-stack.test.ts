import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { mappedStack } from "../src/mapped-stack.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-test-stack-"));
  await mkdir(join(folder, "src"));
  await writeFile(
    join(folder, "src", "fails.ts"),
    "interface Told {\n  readonly why: string;\n}\n\nexport function fail({ why }: Told): never {\n  throw new Error(why);\n}\n",
  );
  await build({
    entryPoints: [join(folder, "src", "fails.ts")],
    outfile: join(folder, "dist", "fails.js"),
    format: "cjs",
    minify: true,
    sourcemap: "external",
  });
});

afterAll(() => rm(folder, { recursive: true }));

it("names the files and lines as they were written, and leaves what it has no map of", () => {
  const { fail } = createRequire(import.meta.url)(join(folder, "dist", "fails.js")) as {
    fail: (told: { why: string }) => never;
  };
  let stack = "";
  try {
    fail({ why: `nothing at ${join(folder, "dist", "none.js")}:1:1` });
  } catch (error) {
    stack = error instanceof Error ? (error.stack ?? "") : "";
  }
  const [message, first, ...others] = mappedStack(stack).split("\n");
  expect(message).toBe(`Error: nothing at ${join(folder, "dist", "none.js")}:1:1`);
  expect(first).toMatch(/^ {4}at .*src\/fails\.ts:6:9\)?$/);
  expect(others).toEqual(stack.split("\n").slice(2));
});
