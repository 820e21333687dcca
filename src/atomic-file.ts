import { link, lstat, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CliError } from "./errors.ts";

type Parts = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

interface Written {
  /** By default its owner alone can read it: it tells of people. */
  readonly mode?: number;
  /** By default it is on the disk when this resolves; a cache need not wait for that. */
  readonly isDurable?: boolean;
  /** What to do where the name is taken. */
  readonly hint?: string;
}

/**
 * Writes text or bytes into a new file, whole or not at all.
 * @throws CliError when the file is there already or its folder is not.
 */
export async function writeNewFile(file: string, parts: Parts, written: Written = {}): Promise<void> {
  await write(parts, await beginFile(file, { ...written, replaces: false }));
}

/**
 * The same in place of a file that may be there.
 * @throws CliError when its folder is not there.
 */
export async function replaceFile(file: string, parts: Parts, written: Written = {}): Promise<void> {
  await write(parts, await beginFile(file, { ...written, replaces: true }));
}

async function write(parts: Parts, file: BegunFile): Promise<void> {
  try {
    for await (const part of parts) await file.append(part);
    await file.finish();
  } finally {
    await file.close();
  }
}

/** A file that is written piece by piece, and has its name when it is whole. */
interface BegunFile {
  append(part: string | Uint8Array): Promise<void>;
  finish(): Promise<void>;
  /** To be called in any case; what was not finished is removed. */
  close(): Promise<void>;
}

/**
 * Begins a file for pieces that somebody else wants as well, one after the other; all others are `writeNewFile` and `replaceFile`.
 * @throws CliError as these do; `finish` too.
 */
export async function beginFile(
  file: string,
  { replaces, mode = 0o600, isDurable = true, hint = otherName }: Written & { readonly replaces: boolean },
): Promise<BegunFile> {
  const refuse = (error: unknown): never => {
    throw refusal(error, { file, hint });
  };
  const half = `${file}.${crypto.randomUUID()}.part`;
  const handle = await open(half, "wx", mode).catch(refuse);
  let pending = "";
  const flush = async () => {
    if (pending !== "") await handle.appendFile(pending);
    pending = "";
  };
  return {
    async append(part) {
      if (typeof part === "string") pending += part;
      if (typeof part === "string" && pending.length < chunkCharacters) return;
      await flush();
      if (typeof part !== "string") await handle.appendFile(part);
    },
    async finish() {
      await flush();
      if (isDurable) await handle.sync();
      // link, unlike rename, fails where the name is taken.
      await (replaces ? rename : link)(half, file).catch(refuse);
    },
    async close() {
      await handle.close();
      await rm(half, { force: true });
    },
  };
}

const chunkCharacters = 64 * 1024;
const otherName = "choose another name, or remove it";

/** @throws CliError where the name is taken and not to be replaced, or its folder is not there; nothing was read or written then. */
export async function assertFree(
  file: string,
  { isReplaced = false, hint = otherName }: Pick<Written, "hint"> & { readonly isReplaced?: boolean } = {},
): Promise<void> {
  const there = await lstat(file).catch(() => undefined);
  if (there?.isDirectory() === true)
    throw new CliError(`${file} is a folder`, { hint: "choose another name" });
  if (there !== undefined && !isReplaced) throw new CliError(`${file} already exists`, { hint });
  const folder = await stat(dirname(file)).catch(() => undefined);
  if (folder?.isDirectory() !== true) throw new CliError(`the folder of ${file} does not exist`);
}

/**
 * Removes what runs left that were killed while they wrote this file, or one of its folder with such a name. One that still writes it
 * fails then.
 */
export async function removeHalfFiles(
  file: string,
  isSuch: (name: string) => boolean = (name) => name === basename(file),
): Promise<void> {
  const names = await readdir(dirname(file)).catch(() => []);
  for (const name of names) {
    const whole = name.replace(/\.[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\.part$/, "");
    if (whole !== name && isSuch(whole)) await rm(join(dirname(file), name), { force: true });
  }
}

function refusal(error: unknown, { file, hint }: { file: string; hint: string }): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EEXIST") return new CliError(`${file} already exists`, { hint });
  if (code === "ENOENT" || code === "ENOTDIR") return new CliError(`the folder of ${file} does not exist`);
  if (code === "EACCES" || code === "EROFS" || code === "ENOSPC" || code === "EPERM") {
    return new CliError(`cannot write ${file}: ${code}`, { cause: error });
  }
  return error;
}
