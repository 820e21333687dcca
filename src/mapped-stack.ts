import { readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { dirname, join, relative } from "node:path";

/**
 * The stack of a bug with the files and lines as they were written, wherever the bundle has a map beside it. Node could do that by
 * itself, if it read all maps at start-up.
 */
export function mappedStack(stack: string): string {
  const maps = new Map<string, SourceMap | undefined>();
  return stack.replaceAll(
    /(?<=[( ])(\/|[A-Za-z]:\\)([^():]+\.js):(\d+):(\d+)/g,
    (place: string, root: string, rest: string, line: string, column: string) => {
      const file = root + rest;
      if (!maps.has(file)) maps.set(file, mapOf(file));
      // Stacks count from one, maps from zero.
      const entry = maps.get(file)?.findEntry(Number(line) - 1, Number(column) - 1);
      if (entry === undefined || !("originalSource" in entry)) return place;
      const { originalSource, originalLine, originalColumn } = entry;
      const folder = dirname(file);
      const source = relative(dirname(folder), join(folder, originalSource)).replaceAll("\\", "/");
      return `${source}:${originalLine + 1}:${originalColumn + 1}`;
    },
  );
}

function mapOf(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, "utf8")) as SourceMapPayload);
  } catch {
    return undefined;
  }
}
