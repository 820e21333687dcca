import { dirname } from "node:path";
import { CliError } from "./errors.ts";
import { own } from "./model/json.ts";

const unmadeFolder = "ENOENT of mkdir";
const goneCurrent = "ENOENT of cwd";
const goneTemporary = "ENOENT of mkdtemp";

/** What the operating system refuses and a user can mend, by its code: what happened, and what to do. */
const refusals: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ENOSPC: ["no space left on the device", "make room there, then run the same command again"],
  EDQUOT: ["the disk quota is used up", "make room there, then run the same command again"],
  EFBIG: ["the file would be too large for the device", "choose another place"],
  EROFS: ["the file system is read-only", "choose another place; for the local store with MAWPS_HOME"],
  EACCES: ["permission denied", "look at its owner and mode; the local store's place is set by MAWPS_HOME"],
  EPERM: ["not permitted", "look at its owner and mode; the local store's place is set by MAWPS_HOME"],
  ENOTDIR: [
    "a part of the path is not a folder",
    "choose another place; for the local store with MAWPS_HOME",
  ],
  ELOOP: [
    "its symbolic links lead in a circle",
    "remove them, or choose another place; for the local store with MAWPS_HOME",
  ],
  ENAMETOOLONG: ["the name is too long for the file system", "choose a shorter one"],
  [unmadeFolder]: [
    "the folder cannot be made",
    "look whether its file system is there and can be written to, or choose another place",
  ],
  [goneCurrent]: [
    "the current folder has been removed",
    "change to one that is there, then run the command again",
  ],
  [goneTemporary]: [
    "the folder for temporary files is not there",
    "make it, or set TMPDIR to one that is there",
  ],
  EMFILE: ["too many open files", "raise the limit: ulimit -n"],
  ENFILE: ["too many open files on this machine", "end other programs, then try again"],
  EIO: ["the device failed to read or write", "look at the disk and its connection"],
};

/** LevelDB tells the system's refusal in words only: `IO error: /path/000003.log: No space left on device`. */
const words: Readonly<Record<string, string>> = {
  "No space left on device": "ENOSPC",
  "Disk quota exceeded": "EDQUOT",
  "Read-only file system": "EROFS",
  "Permission denied": "EACCES",
  "Operation not permitted": "EPERM",
  "Not a directory": "ENOTDIR",
  "Too many open files": "EMFILE",
  "Input/output error": "EIO",
};

/**
 * A refusal of the operating system, on a file or a stream, as an error that names the path; undefined for everything
 * else. The first cause that tells one counts.
 */
export function explainSystem(error: unknown): CliError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const found = gone(cause) ?? unmade(cause) ?? fromCode(cause) ?? fromWords(cause);
    const [what, hint] = own(refusals, found?.code ?? "") ?? [];
    if (found === undefined || what === undefined || hint === undefined) continue;
    const where = found.path === undefined ? "" : `${found.path}: `;
    return new CliError(`${where}${what}`, { hint, cause: error });
  }
  return undefined;
}

interface Refusal {
  readonly code: string;
  readonly path: string | undefined;
}

/**
 * Of a folder that is made with its parents Node tells ENOENT where the system refuses it, on a read-only file system say,
 * and EEXIST where a file has its name.
 */
function unmade({ code, syscall, path }: NodeJS.ErrnoException): Refusal | undefined {
  if (syscall !== "mkdir") return undefined;
  if (code === "EEXIST") return { code: "ENOTDIR", path };
  return code === "ENOENT" ? { code: unmadeFolder, path } : undefined;
}

function gone({ code, syscall, path }: NodeJS.ErrnoException): Refusal | undefined {
  if (code !== "ENOENT") return undefined;
  if (syscall === "uv_cwd") return { code: goneCurrent, path: undefined };
  return syscall === "mkdtemp" && path !== undefined
    ? { code: goneTemporary, path: dirname(path) }
    : undefined;
}

function fromCode({ code, syscall, path }: NodeJS.ErrnoException): Refusal | undefined {
  return code === undefined || syscall === undefined ? undefined : { code, path };
}

function fromWords({ message }: Error): Refusal | undefined {
  const [, path, said = ""] = /^IO error: (?:lock )?(.+): ([^:]+)$/.exec(message) ?? [];
  const code = own(words, said);
  return code === undefined ? undefined : { code, path };
}
