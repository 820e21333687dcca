import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, it } from "vitest";

const commands = join(import.meta.dirname, "../../src/commands");

/** What a file imports before anything of it runs. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/^(?:import|export) (?!type )[^;]*? from "([^"]+)";/gm)].flatMap(
    ([, name]) => name ?? [],
  );
}

/** The way to a package of the SDK by what is imported before a verb runs; undefined where there is none. */
function wayToSdk(start: string): string[] | undefined {
  const from = new Map<string, string | undefined>([[start, undefined]]);
  for (const file of from.keys()) {
    for (const name of importsOf(file)) {
      if (name.startsWith("@aws-sdk/")) {
        const way = [name];
        for (let at: string | undefined = file; at !== undefined; at = from.get(at))
          way.unshift(relative(commands, at));
        return way;
      }
      const path = resolve(dirname(file), name);
      if (name.startsWith(".") && path.endsWith(".ts") && existsSync(path) && !from.has(path))
        from.set(path, file);
    }
  }
  return undefined;
}

const nouns = readdirSync(commands, { withFileTypes: true }).flatMap((each) =>
  each.isDirectory() ? [each.name] : [],
);

it("no noun loads the SDK with its verbs: it takes as long as all the rest of a start", () => {
  expect(nouns.length).toBeGreaterThan(10);
  const ways = nouns.map((noun) => wayToSdk(join(commands, noun, "index.ts")));
  expect(ways.filter((way) => way !== undefined)).toEqual([]);
});
