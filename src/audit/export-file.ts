import { link, open, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { CliError } from "../errors.ts";
import type { JsonObject } from "../model/json.ts";

/**
 * Writes one JSON object a line into a new file, whole or not at all, readable by its owner alone: it tells of people.
 * A dry run only counts.
 * @throws CliError when the file is there already or its folder is not.
 */
export async function writeLines(
  rows: AsyncIterable<JsonObject>,
  { path, cwd, dryRun }: { path: string; cwd: string; dryRun: boolean },
): Promise<{ file: string; entries: number }> {
  const file = resolve(cwd, path);
  let entries = 0;
  if (dryRun) {
    for await (const _row of rows) entries += 1;
    return { file, entries };
  }
  const part = `${file}.${crypto.randomUUID()}.part`;
  const handle = await open(part, "wx", 0o600).catch((error: unknown) => refuse(error, file));
  try {
    let pending = "";
    for await (const row of rows) {
      pending += `${JSON.stringify(row)}\n`;
      entries += 1;
      if (pending.length < chunkCharacters) continue;
      await handle.appendFile(pending);
      pending = "";
    }
    await handle.appendFile(pending);
    await handle.sync();
    // link, unlike rename, fails where the name is taken.
    await link(part, file).catch((error: unknown) => refuse(error, file));
  } finally {
    await handle.close();
    await rm(part, { force: true });
  }
  return { file, entries };
}

const chunkCharacters = 64 * 1024;

function refuse(error: unknown, file: string): never {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EEXIST") {
    throw new CliError(`${file} is there already`, { hint: "choose another name, or remove it" });
  }
  if (code === "ENOENT" || code === "ENOTDIR") throw new CliError(`the folder of ${file} does not exist`);
  if (code === "EACCES" || code === "EROFS" || code === "ENOSPC" || code === "EPERM") {
    throw new CliError(`cannot write ${file}: ${code}`, { cause: error });
  }
  throw error;
}
