import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { CliError } from "../errors.ts";
import { collected } from "../text-file.ts";

export interface ReadOptions {
  /** What it is called in messages; default its path, or "standard input". */
  readonly name?: string;
  /** Default 100 MB (100,000,000). */
  readonly maxBytes?: number;
}

const defaultMaxBytes = 100_000_000;

const explained: ReadonlyMap<string, readonly [what: string, hint: string]> = new Map([
  ["ENOENT", ["does not exist", "check the path; a name with spaces needs quotes"]],
  ["ENOTDIR", ["does not exist", "a part of the path is a file, not a folder"]],
  ["EACCES", ["may not be read", "check its permissions and those of its folder"]],
  ["EPERM", ["may not be read", "check its permissions and those of its folder"]],
  ["EISDIR", ["is a folder", "name one picture in it"]],
]);

/**
 * Reads a whole picture into memory, from a path or from a stream such as standard input, and stops at the
 * limit instead of filling the memory.
 * @throws CliError when there is no such file, it may not be read, is a folder, is empty or exceeds the limit
 */
export async function readImage(
  source: string | AsyncIterable<Uint8Array>,
  options: ReadOptions = {},
): Promise<Buffer> {
  const { maxBytes = defaultMaxBytes } = options;
  const isPath = typeof source === "string";
  const { name = isPath ? source : "standard input" } = options;
  const bytes = isPath ? await readFile(source, name, maxBytes) : await collect(source, name, maxBytes);
  if (bytes.length === 0)
    throw new CliError(`${name} is empty`, { hint: "choose a file that holds a picture" });
  return bytes;
}

async function readFile(path: string, name: string, maxBytes: number): Promise<Buffer> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const stat = await file.stat();
    if (stat.isDirectory()) throw unreadable(name, "EISDIR");
    if (stat.size > maxBytes) throw tooLarge(name, maxBytes);
    // A pipe or device has no size to trust: it is read like a stream.
    if (stat.size > 0) return await file.readFile();
    return await collect(file.createReadStream({ autoClose: false }), name, maxBytes);
  } catch (error) {
    throw error instanceof CliError ? error : unreadable(name, codeOf(error), error);
  } finally {
    await file?.close();
  }
}

async function collect(source: AsyncIterable<Uint8Array>, name: string, maxBytes: number): Promise<Buffer> {
  const bytes = await collected(source, maxBytes);
  if (bytes === undefined) throw tooLarge(name, maxBytes);
  return bytes;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}

function unreadable(name: string, code: string, cause?: unknown): CliError {
  const [what, hint] = explained.get(code) ?? [`cannot be read (${code})`, "check the disk and the path"];
  return new CliError(`${name} ${what}`, { hint, cause });
}

function tooLarge(name: string, maxBytes: number): CliError {
  return new CliError(`${name} is larger than ${Math.round(maxBytes / 1_000_000)} MB`, {
    hint: "scale the picture down first, or save it with a lower quality",
  });
}
