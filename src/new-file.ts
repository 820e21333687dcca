import { link, open, rm } from "node:fs/promises";
import { CliError } from "./errors.ts";

/**
 * Writes text into a new file, whole or not at all, readable by its owner alone: it tells of people.
 * @throws CliError when the file is there already or its folder is not.
 */
export async function writeNewFile(
  file: string,
  texts: AsyncIterable<string> | Iterable<string>,
): Promise<void> {
  const part = `${file}.${crypto.randomUUID()}.part`;
  const handle = await open(part, "wx", 0o600).catch((error: unknown) => refuse(error, file));
  try {
    let pending = "";
    for await (const text of texts) {
      pending += text;
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
