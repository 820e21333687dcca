import { resolve } from "node:path";
import type { JsonObject } from "../model/json.ts";
import { writeNewFile } from "../atomic-file.ts";

/**
 * Writes one JSON object a line into a new file. A dry run only counts.
 * @throws CliError when the file is there already or its folder is not.
 */
export async function writeLines(
  rows: AsyncIterable<JsonObject>,
  { path, cwd, dryRun }: { path: string; cwd: string; dryRun: boolean },
): Promise<{ file: string; entries: number }> {
  const file = resolve(cwd, path);
  let entries = 0;
  const lines = async function* (): AsyncGenerator<string> {
    for await (const row of rows) {
      entries += 1;
      yield `${JSON.stringify(row)}\n`;
    }
  };
  if (dryRun) {
    for await (const _line of lines());
  } else {
    await writeNewFile(file, lines());
  }
  return { file, entries };
}
