import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a folder with those above it that are missing, one after the other: Node 20's own recursive way never ends where the system
 * answers ENOENT for the parent of what it makes, as below /proc. Resolves to the uppermost folder made; undefined when all were there.
 */
export async function makeFolders(folder: string, mode = 0o777): Promise<string | undefined> {
  try {
    await mkdir(folder, { mode });
    return folder;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A symbolic link to nothing is there, too, but leads to no folder.
    const isFolder = async () => (await stat(folder).catch(() => undefined))?.isDirectory() === true;
    if (code === "EEXIST" && (await isFolder())) return undefined;
    if (code !== "ENOENT" || dirname(folder) === folder) throw error;
  }
  const uppermost = await makeFolders(dirname(folder), mode);
  await mkdir(folder, { mode }).catch((error: NodeJS.ErrnoException) => {
    // Another command may have made it meanwhile.
    if (error.code !== "EEXIST") throw error;
  });
  return uppermost ?? folder;
}
