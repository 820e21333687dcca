import { copyFile, lstat, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { getuid, kill, pid } from "node:process";
import { CliError } from "../errors.ts";
import { backOff } from "../retry.ts";
import { isMissing } from "./stored-text.ts";

export interface CopyOptions {
  /** Where temporary folders may be made. */
  readonly tempRoot: string;
  readonly signal: AbortSignal;
}

const prefix = "mawps-browser-";
const maxAttempts = 6;
/** What makes up a LevelDB; its LOCK belongs to the browser, its LOG files are for people. */
const levelDbFile = /^(?:CURRENT|MANIFEST-\d+|\d+\.(?:log|ldb|sst))$/;

/**
 * Hands a private copy of a LevelDB folder to `use` and removes it in every case: after success, after an error and
 * after an abort. Copies of a run that was killed are removed by the next one. The folder is readable by this user
 * alone (mkdtemp: 0700).
 *
 * A browser may be writing meanwhile: files that vanish, or another set of files afterwards, mean to copy again, and
 * so does a copy that `use` says it could not open (`TornCopy`).
 *
 * @throws CliError when no whole copy came about after several attempts.
 */
export async function withLevelDbCopy<T>(
  folder: string,
  { tempRoot, signal }: CopyOptions,
  use: (copy: string) => Promise<T>,
): Promise<T> {
  await sweep(tempRoot);
  let cause: unknown;
  const tries = backOff({ attempts: maxAttempts, signal });
  do {
    signal.throwIfAborted();
    const copy = await mkdtemp(join(tempRoot, `${prefix}${pid}-`));
    try {
      if (await copyWhole(folder, copy, signal)) return await use(copy);
    } catch (error) {
      if (!(error instanceof TornCopy)) throw error;
      cause = error.cause;
    } finally {
      await rm(copy, { recursive: true, force: true, maxRetries: 5 });
    }
  } while (await tries.again());
  throw new CliError(
    `${folder} could not be copied as a whole: the browser is changing it, or it is damaged`,
    {
      hint: "close the browser and try again",
      cause,
    },
  );
}

/** Says that a copy does not open as a database: it was taken in the middle of a change. */
export class TornCopy extends Error {
  override readonly name = "TornCopy";
}

async function copyWhole(from: string, to: string, signal: AbortSignal): Promise<boolean> {
  const before = await state(from);
  try {
    // The manifest first: it may only name files that are there to be copied after it.
    for (const name of before.files.toSorted((a, b) => Number(isTable(a)) - Number(isTable(b)))) {
      signal.throwIfAborted();
      await copyFile(join(from, name), join(to, name));
    }
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  const after = await state(from);
  return before.current === after.current && before.files.join() === after.files.join();
}

function isTable(name: string): boolean {
  return /^\d/.test(name);
}

async function state(folder: string): Promise<{ files: string[]; current: string }> {
  const files = (await readdir(folder)).filter((name) => levelDbFile.test(name)).toSorted();
  const current = files.includes("CURRENT")
    ? await readFile(join(folder, "CURRENT"), "latin1").catch(() => "")
    : "";
  return { files, current };
}

/** Removes copies whose process is gone. */
async function sweep(tempRoot: string): Promise<void> {
  for (const name of await readdir(tempRoot)) {
    const owner = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    // Another user's is theirs to remove, also where this one could.
    const found = await lstat(join(tempRoot, name)).catch(() => undefined);
    if (found === undefined || !found.isDirectory() || (getuid !== undefined && found.uid !== getuid()))
      continue;
    await rm(join(tempRoot, name), { recursive: true, force: true });
  }
}

function isAlive(id: number): boolean {
  try {
    return kill(id, 0);
  } catch (error) {
    return isDenied(error);
  }
}

function isDenied(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EPERM" || error.code === "EACCES");
}
