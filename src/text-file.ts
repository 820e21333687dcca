import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { CliError, exitCodes } from "./errors.ts";
import { bytes } from "./model/bytes.ts";

export interface NamedFile {
  /** For messages: `a receipt`. */
  readonly what: string;
  /** What is larger is none, and is not read. */
  readonly mostBytes: number;
  readonly hint?: string;
  /** What comes from a pipe is waited for, as of `<(command)`; by default it is no such file. */
  readonly takesPipes?: boolean;
}

/**
 * The bytes of a file that somebody named; undefined where there is none. Of a regular one, unless pipes are taken: a pipe that nobody
 * writes to is not waited for, and a device not read without end.
 * @throws CliError (usage) for what is no such file, is too large, or cannot be read.
 */
export async function readNamedFile(
  path: string,
  { what, mostBytes, hint, takesPipes = false }: NamedFile,
): Promise<Buffer | undefined> {
  const wrong = (why: string, cause?: unknown) =>
    new CliError(`${path} ${why}`, { exitCode: exitCodes.usage, cause, hint });
  try {
    await using file = await open(path, constants.O_RDONLY | (takesPipes ? 0 : constants.O_NONBLOCK));
    const stats = await file.stat();
    if (stats.isDirectory()) throw wrong("is a folder");
    if (!stats.isFile() && !(takesPipes && stats.isFIFO()))
      throw wrong(`is no regular file, and so not ${what}`);
    if (stats.size > mostBytes)
      throw wrong(`has ${bytes(stats.size)}; ${what} has at most ${bytes(mostBytes)}`);
    const content = await collected(file.createReadStream({ autoClose: false }), mostBytes);
    if (content === undefined) throw wrong(`has more than the ${bytes(mostBytes)} of ${what}`);
    return content;
  } catch (error) {
    if (error instanceof CliError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw wrong(`cannot be read: ${code ?? "unknown reason"}`, error);
  }
}

/** The same as text, without a byte order mark. */
export async function readTextFile(path: string, named: NamedFile): Promise<string | undefined> {
  return (await readNamedFile(path, named))?.toString().replace(/^\uFEFF/, "");
}

/** All of a stream; undefined for one that has more, which is not read to its end. */
export async function collected(
  stream: AsyncIterable<Uint8Array>,
  mostBytes: number,
): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.byteLength;
    if (size > mostBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
