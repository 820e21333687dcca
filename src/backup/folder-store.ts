import { createReadStream, type Stats } from "node:fs";
import { copyFile, link, open, readdir, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import { CliError } from "../errors.ts";
import { maxSmallFileBytes, tooLarge, type Store, type StoredFile } from "./store.ts";
import { makeFolders } from "../make-folders.ts";
import { retry } from "../retry.ts";

/** Files on their way to their name. A crash leaves them here, where nothing takes them for a part of the repository. */
const temporary = "tmp";
/** As randomUUID names them. The folder may hold other files: `--repo .` is whatever folder that is. */
const temporaryName = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
const staleMs = 24 * 60 * 60 * 1000;

/** A repository in a folder; it is made by the first write. */
export function folderStore(folder: string): Store {
  const pathOf = (name: string) => join(folder, ...name.split("/"));
  let swept: Promise<void> | undefined;

  /** Writes a durable file beside the repository's own and answers its path. */
  async function prepare(write: (path: string) => Promise<void>): Promise<string> {
    await makeFolders(join(folder, temporary));
    const path = join(folder, temporary, randomUUID());
    try {
      await write(path);
      const file = await open(path, "r");
      try {
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      await rm(path, { force: true });
      // A full disk is told without a path, and which one it is is what has to be known.
      if (error instanceof Error && codeOf(error) !== undefined && !("path" in error))
        Object.assign(error, { path: folder });
      throw error;
    }
    await (swept ??= sweep(folder, path));
    return path;
  }

  /** Gives the prepared file its name; `link` leaves what has it, `rename` replaces it. */
  async function place(prepared: string, name: string, how: "create" | "replace"): Promise<boolean> {
    const path = pathOf(name);
    const move = how === "replace" ? renamed : nameAnew;
    try {
      const isPlaced = await withFolder(dirname(path), () => move(prepared, path));
      if (isPlaced) await syncFolder(dirname(path));
      return isPlaced;
    } finally {
      await rm(prepared, { force: true });
    }
  }

  return {
    where: folder,
    async stat(name) {
      return storedFile(name, pathOf(name));
    },
    async readBytes(name) {
      const path = pathOf(name);
      const found = await fileAt(path);
      if (found === undefined) return undefined;
      if (found.size > maxSmallFileBytes) throw tooLarge(path);
      return orAbsent(readFile(path));
    },
    async open(name, signal) {
      const path = pathOf(name);
      if ((await fileAt(path)) === undefined) return undefined;
      return createReadStream(path, {
        highWaterMark: 1024 ** 2,
        signal,
      });
    },
    async create(name, bytes) {
      const prepared = await prepare((path) => writeNew(path, bytes));
      return (await place(prepared, name, "create")) ? "created" : "exists";
    },
    async createFromFile(name, source) {
      const prepared = await prepare((path) => copyFile(source, path));
      return (await place(prepared, name, "create")) ? "created" : "exists";
    },
    async replace(name, bytes) {
      await place(await prepare((path) => writeNew(path, bytes)), name, "replace");
    },
    async replaceFromFile(name, source) {
      await place(await prepare((path) => copyFile(source, path)), name, "replace");
    },
    list: (prefix) => walk(folder, "", prefix),
    async remove(names) {
      for (const name of names) {
        await rm(pathOf(name), { force: true });
        await removeEmpty(folder, dirname(name));
      }
    },
  };
}

async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
}

/** Another command may take the folder away, as it is empty, before there is anything in it. */
async function withFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const make = async () => {
    await makeFolder(folder);
    return work();
  };
  return retry(make, (error) => codeOf(error) === "ENOENT", { firstDelayMs: 1 });
}

/** A folder's own name lies in the one around it: without a sync of that, a power cut takes both. */
async function makeFolder(folder: string): Promise<void> {
  const first = await makeFolders(folder);
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

async function renamed(prepared: string, path: string): Promise<true> {
  await rename(prepared, path);
  return true;
}

/**
 * False when the name is taken. File systems without hard links (FAT, some network shares) know no such step: there it is
 * looked for first, and of two commands in the same moment both may take the name for theirs.
 */
async function nameAnew(prepared: string, path: string): Promise<boolean> {
  try {
    await link(prepared, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(codeOf(error) ?? "")) throw error;
  }
  if ((await orAbsent(stat(path))) !== undefined) return false;
  await rename(prepared, path);
  return true;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } catch (error) {
    // Windows and some network shares cannot sync a folder.
    if (!["EPERM", "EINVAL", "EISDIR", "ENOTSUP"].includes(codeOf(error) ?? "")) throw error;
  } finally {
    await folder.close();
  }
}

/** Removes what crashes left, by the clock of the file system: the file just written tells the time. */
async function sweep(folder: string, justWritten: string): Promise<void> {
  const now = (await stat(justWritten)).mtimeMs;
  for (const name of await readdir(join(folder, temporary))) {
    if (!temporaryName.test(name)) continue;
    const path = join(folder, temporary, name);
    const found = await orAbsent(stat(path));
    if (found !== undefined && now - found.mtimeMs > staleMs) await rm(path, { force: true });
  }
}

/** The file to read, if there is one. @throws CliError for what is none: to read a named pipe would never end. */
async function fileAt(path: string): Promise<Stats | undefined> {
  const found = await orAbsent(stat(path));
  if (found === undefined || found.isFile()) return found;
  throw new CliError(`${path} is no file`, { hint: "is this the folder of a repository?" });
}

async function storedFile(name: string, path: string): Promise<StoredFile | undefined> {
  const found = await orAbsent(stat(path));
  if (found === undefined || !found.isFile()) return undefined;
  return { name, bytes: found.size, modifiedAt: found.mtime };
}

/** In the order of whole names: a folder sorts as its name with the slash behind it. */
async function* walk(root: string, within: string, prefix: string): AsyncGenerator<StoredFile> {
  const entries = (await orAbsent(readdir(join(root, within), { withFileTypes: true }))) ?? [];
  const names = entries
    .map((entry) => `${within}${entry.name}${entry.isDirectory() ? "/" : ""}`)
    .filter((name) => name !== `${temporary}/`)
    .filter((name) => name.startsWith(prefix) || prefix.startsWith(name))
    .sort();
  for (const name of names) {
    if (name.endsWith("/")) yield* walk(root, name, prefix);
    else if (name.startsWith(prefix)) {
      const found = await storedFile(name, join(root, name));
      if (found !== undefined) yield found;
    }
  }
}

/** Folders that have nothing in them any more, from the inner to the outer one. */
async function removeEmpty(root: string, within: string): Promise<void> {
  for (let name = within; name !== "." && name !== ""; name = dirname(name)) {
    try {
      await rmdir(join(root, name));
    } catch (error) {
      if (["ENOTEMPTY", "EEXIST", "ENOENT"].includes(codeOf(error) ?? "")) return;
      throw error;
    }
  }
}

async function orAbsent<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
