import { link, lstat, open, readdir, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CliError } from "./errors.ts";
import { standingOf, type Here } from "./lease.ts";

type Parts = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

interface Written {
  /** By default its owner alone can read it: it tells of people. */
  readonly mode?: number;
  /** By default it is on the disk when this resolves; a cache need not wait for that. */
  readonly isDurable?: boolean;
  /** What to do where the name is taken. */
  readonly hint?: string;
  /** Of this process: by it `halfFilesOf` tells what is being written from what is left. */
  readonly pid?: number;
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
  /** Writes over bytes that were appended before. */
  overwrite(bytes: Uint8Array, position: number): Promise<void>;
  /** The id of the user whose file it is. */
  owner(): Promise<number>;
  finish(): Promise<void>;
  /** Lets what there is of it stay for a later run, and tells where. */
  keep(): Promise<string>;
  /** To be called in any case; what was not finished is removed. */
  close(): Promise<void>;
}

/**
 * Begins a file for pieces that somebody else wants as well, one after the other; all others are `writeNewFile` and `replaceFile`. Bytes
 * that are appended must stay as they are until it is closed.
 * @throws CliError as these do; `finish` too.
 */
export async function beginFile(
  file: string,
  {
    replaces,
    pid,
    mode = 0o600,
    isDurable = true,
    hint = otherName,
  }: Written & { readonly replaces: boolean },
): Promise<BegunFile> {
  const refuse = (error: unknown): never => {
    throw refusal(error, { file, hint });
  };
  const half = `${file}.${pid === undefined ? "" : `${pid}.`}${crypto.randomUUID()}.part`;
  const handle = await open(half, "wx", mode).catch(refuse);
  let size = 0;
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  // One write at a time, in another thread: whoever appends makes the next pieces meanwhile.
  let writing = Promise.resolve();
  let isKept = false;
  const flush = async () => {
    await writing;
    if (pendingBytes === 0) return;
    writing = writePieces(handle, pending, size);
    writing.catch(() => undefined);
    size += pendingBytes;
    pending = [];
    pendingBytes = 0;
  };
  const written = async () => {
    await flush();
    await writing;
  };
  return {
    async append(part) {
      const bytes = typeof part === "string" ? Buffer.from(part) : part;
      pending.push(bytes);
      pendingBytes += bytes.byteLength;
      if (pendingBytes >= writeBytes) await flush();
    },
    async overwrite(bytes, position) {
      await written();
      await writePieces(handle, [bytes], position);
    },
    owner: async () => (await handle.stat()).uid,
    async finish() {
      await written();
      if (isDurable) await handle.sync();
      // link, unlike rename, fails where the name is taken.
      await (replaces ? rename : link)(half, file).catch(refuse);
    },
    async keep() {
      await written();
      isKept = true;
      return half;
    },
    async close() {
      await handle.close();
      if (!isKept) await rm(half, { force: true });
    },
  };
}

async function writePieces(
  handle: FileHandle,
  pieces: readonly Uint8Array[],
  position: number,
): Promise<void> {
  const size = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  let { bytesWritten: done } = await handle.writev([...pieces], position);
  if (done === size) return;
  const bytes = Buffer.concat(pieces);
  while (done < size) done += (await handle.write(bytes, done, size - done, position + done)).bytesWritten;
}

/** Written at once: smaller pieces cost more calls. */
const writeBytes = 1024 ** 2;
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

/** Where runs that were killed have left half of a file with such a name: not what a process of this machine is still writing. */
export async function halfFilesOf(
  folder: string,
  isSuch: (name: string) => boolean,
  here: Here,
): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.flatMap((name) => {
    const [, whole, pid] =
      /^(.+?)(?:\.(\d+))?\.[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\.part$/.exec(name) ?? [];
    if (whole === undefined || !isSuch(whole)) return [];
    const owner = pid === undefined ? undefined : { host: here.host, pid: Number(pid) };
    return standingOf(owner, here, false) === "held" ? [] : [join(folder, name)];
  });
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
