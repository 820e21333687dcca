import { createHash } from "node:crypto";
import { closeSync, linkSync, lstatSync, openSync, renameSync, rmSync, writeSync, writevSync } from "node:fs";

export interface FileToSave {
  readonly path: string;
  /** Replaces what has the name. */
  readonly overwrite: boolean;
  /** Hex, of the bytes that are to be saved. */
  readonly sha256: string;
}

/** What became of bytes: nothing was written unless they were `saved`. */
export type Saved = "saved" | "other bytes" | "name taken";

/**
 * Compares bytes with their hash, then writes them to a part file, which gets its name at last. The part file is named as those
 * of `downloadFile`, which removes one that a crash leaves here. Synchronous: each of these calls takes less time than handing
 * it to another thread. Throws what the file system refuses; no part file stays then.
 */
export function saveFile(chunks: readonly Uint8Array[], { path, overwrite, sha256 }: FileToSave): Saved {
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  if (hash.digest("hex") !== sha256) return "other bytes";
  const partPath = partPathOf({ path, sha256 });
  try {
    const file = openSync(partPath, "w", 0o600);
    try {
      writeAll(file, chunks, 0);
    } finally {
      closeSync(file);
    }
    if (overwrite) renameSync(partPath, path);
    else if (!nameAnew(partPath, path)) {
      rmSync(partPath, { force: true });
      return "name taken";
    }
    return "saved";
  } catch (error) {
    rmSync(partPath, { force: true });
    throw error;
  }
}

/** Where the bytes of a file are until it has its name; what a crash leaves of one that has it is to be removed. */
export function partPathOf({ path, sha256 }: Pick<FileToSave, "path" | "sha256">): string {
  return `${path}.${sha256.slice(0, 12)}.part`;
}

/**
 * Gives a part file its name; false when something has that: `rename` would replace it. Another command that saves the same
 * document here may take the part file away at any moment.
 */
export function nameAnew(partPath: string, path: string): boolean {
  try {
    linkSync(partPath, path);
  } catch (error) {
    // File systems without hard links give other errors (FAT, some network shares).
    const isTaken = error instanceof Error && "code" in error && error.code === "EEXIST";
    if (isTaken || lstatSync(path, { throwIfNoEntry: false }) !== undefined) return false;
    renameSync(partPath, path);
    return true;
  }
  rmSync(partPath, { force: true });
  return true;
}

/**
 * Synchronous on purpose: a write into the page cache takes less time than handing it to another thread and waking up
 * again, and stopping and starting a socket for it (a quarter of the wall time of 1 GiB).
 */
export function writeAll(fd: number, chunks: readonly Uint8Array[], position: number): void {
  const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  let written = writevSync(fd, chunks, position);
  if (written === sizeBytes) return;
  const bytes = Buffer.concat(chunks);
  while (written < sizeBytes)
    written += writeSync(fd, bytes, written, sizeBytes - written, position + written);
}
