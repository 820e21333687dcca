import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { CliError, exitCodes } from "./errors.ts";
import { bytes } from "./model/bytes.ts";

export interface TextFile {
  /** For messages: `a receipt`. */
  readonly what: string;
  /** What is larger is none, and is not read. */
  readonly mostBytes: number;
  readonly hint?: string;
}

/**
 * The text of a file that somebody named, without a byte order mark; undefined where there is none. Only of a regular one: a pipe that
 * nobody writes to is not waited for, and a device not read without end.
 * @throws CliError (usage) for what is no such file, is too large, or cannot be read.
 */
export async function readTextFile(
  path: string,
  { what, mostBytes, hint }: TextFile,
): Promise<string | undefined> {
  const wrong = (why: string, cause?: unknown) =>
    new CliError(`${path} ${why}`, { exitCode: exitCodes.usage, cause, hint });
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (stats.isDirectory()) throw wrong("is a folder: EISDIR");
    if (!stats.isFile()) throw wrong(`is no regular file, and so not ${what}`);
    if (stats.size > mostBytes)
      throw wrong(`has ${bytes(stats.size)}; ${what} has at most ${bytes(mostBytes)}`);
    return (await file.readFile("utf8")).replace(/^\uFEFF/, "");
  } catch (error) {
    if (error instanceof CliError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw wrong(`cannot be read: ${code ?? "unknown reason"}`, error);
  }
}
